//! When to try again: capped exponential backoff with full jitter.
//!
//! The n-th pause is anywhere between nothing and `first · 2ⁿ`, at most `longest`. Spreading over the
//! whole range keeps a thousand connectors that lost one engine from coming back at one moment. The
//! numbers come from a seed, so that a test can foresee them.

use std::time::Duration;

/// How long to wait between attempts, and when to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The upper end of the first pause.
    pub first: Duration,
    /// The upper end of any pause.
    pub longest: Duration,
    /// After how many failed attempts in a row to give up; `None` for never.
    pub attempts_max: Option<u32>,
}

impl Default for RetryPolicy {
    /// From 100 ms to 30 s, for ever.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(30),
            attempts_max: None,
        }
    }
}

/// The attempts so far.
#[derive(Clone, Debug)]
pub struct Retry {
    policy: RetryPolicy,
    failures: u32,
    noise: u64,
}

impl Retry {
    /// No attempt so far.
    pub fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self { policy, failures: 0, noise: seed }
    }

    /// Notes a success: the next failure is the first again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many attempts failed since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Notes a failure; gives the pause before the next attempt, or `None` to give up.
    pub fn failed(&mut self) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if self.policy.attempts_max.is_some_and(|most| self.failures >= most) {
            return None;
        }
        let doublings = self.failures - 1;
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let upper = self.policy.first.saturating_mul(factor).min(self.policy.longest);
        let upper_us = u64::try_from(upper.as_micros()).unwrap_or(u64::MAX);
        let drawn = self.word();
        let pause_us = match upper_us.checked_add(1) {
            Some(count) => drawn % count,
            None => drawn,
        };
        Some(Duration::from_micros(pause_us))
    }

    /// The next number of the stream (SplitMix64).
    fn word(&mut self) -> u64 {
        self.noise = self.noise.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.noise ^ (self.noise >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
