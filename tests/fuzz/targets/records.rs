//! `records` of `src/lib.rs`, guided by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::records(bytes));
