//! How the allocator of programs that contain an engine is set: mimalloc's, which they name as their own.
//!
//! An engine frees and needs again about the same memory with every epoch and every tick. What the allocator gives back to the
//! system in between comes again as pages that the system has to clear, which was a quarter to a third of the time of a start
//! from a journal (`benches/README.md`).

use std::ffi::c_long;

/// How long memory that was freed is kept before the system gets it back, in milliseconds. What the engine uses is what the
/// system says, so after it ran out of memory it may take as long until input is taken again.
const KEPT_MS: c_long = 30_000;
/// `mi_option_purge_delay` of `mimalloc.h`.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Keeps memory that was freed for a while; to be called first of all. `MIMALLOC_PURGE_DELAY` in the environment, in
/// milliseconds, counts for more.
pub fn keep_freed_memory() {
    #[expect(unsafe_code, reason = "else the allocator listens to its environment only")]
    // SAFETY: it sets a number in a table, under a key that the table has, before there are other threads.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, KEPT_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_MS, PURGE_DELAY, keep_freed_memory};

    #[test]
    fn the_option_is_the_one_that_the_environment_names() {
        keep_freed_memory();
        #[expect(clippy::disallowed_methods, reason = "the allocator reads it too")]
        let expected = std::env::var("MIMALLOC_PURGE_DELAY").ok().and_then(|ms| ms.parse().ok());
        #[expect(unsafe_code, reason = "the allocator is written in C")]
        // SAFETY: it reads a number.
        let set = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(set, expected.unwrap_or(KEPT_MS));
    }
}
