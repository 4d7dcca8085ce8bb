//! The one place in the workspace where random numbers are drawn: a seeded generator of its own.
//!
//! xoshiro256** (Blackman and Vigna 2018), its state filled by SplitMix64 from a 64-bit seed. The
//! same seed gives the same numbers on every machine and in every version of this crate; a change of
//! that is a change of every data set. Nothing is taken from the operating system, and no floating
//! point is used: distributions are tables of whole numbers.
//!
//! [`Random::fork`] gives an independent generator by a label, so that one part of a world can draw
//! more numbers without moving the others.

use trueup_model::hash::hash64;

/// A seeded generator of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
    state: [u64; 4],
}

/// A point of a distribution: at this share of all draws, in thousandths, the value is this.
pub type Quantile = (u32, u64);

impl Random {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Self {
        let mut mixer = seed;
        let mut word = || {
            // SplitMix64: a counter by the golden ratio, mixed twice.
            mixer = mixer.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = mixer;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        };
        Self { seed, state: [word(), word(), word(), word()] }
    }

    /// The generator of this seed and label; what was drawn before does not matter.
    pub fn fork(&self, label: &str) -> Self {
        Self::new(hash64(&[&self.seed.to_le_bytes(), label.as_bytes()]))
    }

    /// Sixty-four random bits.
    pub fn next_word(&mut self) -> u64 {
        let result = self.state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = self.state[1] << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// A number from 0 up to, not including, `bound`, each equally likely; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Words above the greatest multiple of the bound would favor small numbers: draw again.
        let most = u64::MAX - (u64::MAX % bound + 1) % bound;
        loop {
            let word = self.next_word();
            if word <= most {
                return word % bound;
            }
        }
    }

    /// A number from `least` to `most`, both included; `least` if they are the wrong way round.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        let width = most.saturating_sub(least);
        least + if width == u64::MAX { self.next_word() } else { self.below(width + 1) }
    }

    /// A place in a list of this length; 0 if the list is empty.
    pub fn index(&mut self, length: usize) -> usize {
        // What is below a length fits what a length fits.
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// True in this many of a thousand draws.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there are none: callers pick from lists that they made.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        assert!(!items.is_empty(), "picked from an empty list");
        &items[self.index(items.len())]
    }

    /// Puts the items in a random order, each equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.index(end + 1);
            items.swap(end, other);
        }
    }

    /// A value of a distribution that is given by points, on straight lines between them.
    ///
    /// The points are in order and span 0 to 1000 thousandths. Long tails are a last point far out.
    ///
    /// # Panics
    /// If there are no points.
    pub fn quantile(&mut self, points: &[Quantile]) -> u64 {
        let (_, mut before) = *points.first().expect("a distribution has points");
        let share = u32::try_from(self.below(1000)).expect("below a thousand");
        let mut from = 0;
        for (until, value) in points {
            if share < *until {
                let (done, width) = (u64::from(share - from), u64::from(until - from));
                let inside = (done * 1000 + self.below(1000)) * (value - before) / (width * 1000);
                return before + inside;
            }
            (from, before) = (*until, *value);
        }
        before
    }
}

#[cfg(test)]
mod tests;
