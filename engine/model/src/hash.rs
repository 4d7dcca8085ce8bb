//! The seeded hashes that name things and spread work, and hash tables keyed by them.
//!
//! These values are stable: they are stored in journals and compared between processes, so a
//! change of algorithm or seed is a change of format. Never use a library's own `Hash` for that.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed, xxh3_128_with_seed};

/// The seed of engine identifiers.
const ID_SEED: u64 = 0x7275_6575_7074_0001;
/// The seed of fact identities and content.
const FACT_SEED: u64 = 0x7275_6575_7074_0002;

/// A 64-bit hash of the parts, each framed by its length so that no two lists look alike.
pub fn hash64(parts: &[&[u8]]) -> u64 {
    let mut state = Xxh3::with_seed(ID_SEED);
    feed(&mut state, parts);
    state.digest()
}

/// A 128-bit hash of the parts, framed like [`hash64`].
pub fn hash128(parts: &[&[u8]]) -> u128 {
    let mut state = Xxh3::with_seed(FACT_SEED);
    feed(&mut state, parts);
    state.digest128()
}

/// A 128-bit hash of a value, for comparison within this process only: it is no format.
pub fn content128(value: &impl Hash) -> u128 {
    let mut state = Xxh3::with_seed(FACT_SEED);
    value.hash(&mut state);
    state.digest128()
}

/// What [`hash128`] gives for lists that begin alike: their beginning is framed once.
#[derive(Clone, Debug)]
pub struct Hash128 {
    framed: Vec<u8>,
    start: usize,
}

impl Hash128 {
    /// Hashes lists that begin with these parts.
    pub fn beginning(parts: &[&[u8]]) -> Self {
        let mut framed = Vec::new();
        frame(&mut framed, parts);
        Self { start: framed.len(), framed }
    }

    /// The hash of the list that goes on with these parts.
    pub fn of(&mut self, parts: &[&[u8]]) -> u128 {
        self.framed.truncate(self.start);
        frame(&mut self.framed, parts);
        xxh3_128_with_seed(&self.framed, FACT_SEED)
    }
}

fn frame(framed: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
        framed.extend_from_slice(part);
    }
}

fn feed(state: &mut Xxh3, parts: &[&[u8]]) {
    for part in parts {
        state.update(&(part.len() as u64).to_le_bytes());
        state.update(part);
    }
}

/// Mixes words into one that spreads evenly: for routing work between workers and for group keys.
pub fn mix(words: &[u64]) -> u64 {
    let mut state = ID_SEED;
    for word in words {
        state = xxh3_64_with_seed(&word.to_le_bytes(), state);
    }
    state
}

/// A hasher for keys that already are well-mixed words; folds them in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, word: u64) {
        let turned = self.0.rotate_left(26) ^ word;
        self.0 = turned.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u128(&mut self, word: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
        let (high, low) = ((word >> 64) as u64, word as u64);
        self.write_u64(low);
        self.write_u64(high);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word.cast_unsigned());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// A hash table keyed by identifiers. Its order must never reach an output.
#[expect(clippy::disallowed_types, reason = "seeded and stable; the order is kept from outputs")]
pub type IdMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<WordHasher>>;
/// A hash set of identifiers. Its order must never reach an output.
#[expect(clippy::disallowed_types, reason = "seeded and stable; the order is kept from outputs")]
pub type IdSet<K> = std::collections::HashSet<K, BuildHasherDefault<WordHasher>>;

#[cfg(test)]
mod tests;
