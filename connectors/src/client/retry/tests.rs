//! Pauses by their seeds.

use super::{Retry, RetryPolicy};
use std::time::Duration;

fn policy() -> RetryPolicy {
    RetryPolicy {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(3),
        attempts_max: None,
    }
}

#[test]
fn pauses_stay_below_a_doubling_bound_up_to_the_longest() {
    for seed in 0..200 {
        let mut retry = Retry::new(policy(), seed);
        for bound_ms in [100, 200, 400, 800, 1600, 3000, 3000, 3000] {
            let pause = retry.failed().unwrap();
            assert!(pause <= Duration::from_millis(bound_ms), "seed {seed}: {pause:?}");
        }
        for _ in 0..100 {
            assert!(retry.failed().unwrap() <= Duration::from_secs(3));
        }
    }
}

#[test]
fn pauses_fill_the_whole_range() {
    let pauses: Vec<Duration> =
        (0..2000).map(|seed| Retry::new(policy(), seed).failed().unwrap()).collect();
    let below = |ms| pauses.iter().filter(|pause| **pause < Duration::from_millis(ms)).count();
    assert!((150..250).contains(&below(10)), "{}", below(10));
    assert!((900..1100).contains(&below(50)), "{}", below(50));
}

#[test]
fn a_seed_gives_the_same_pauses_again_and_a_success_begins_anew() {
    let mut one = Retry::new(policy(), 7);
    let mut other = Retry::new(policy(), 7);
    for _ in 0..10 {
        assert_eq!(one.failed(), other.failed());
    }
    one.succeeded();
    assert_eq!(one.failures(), 0);
    assert!(one.failed().unwrap() <= Duration::from_millis(100));
}

#[test]
fn the_last_attempt_gives_up() {
    let mut retry = Retry::new(RetryPolicy { attempts_max: Some(3), ..policy() }, 1);
    assert!(retry.failed().is_some());
    assert!(retry.failed().is_some());
    assert_eq!(retry.failed(), None);
    let mut once = Retry::new(RetryPolicy { attempts_max: Some(1), ..policy() }, 1);
    assert_eq!(once.failed(), None);
}

#[test]
fn extreme_policies_do_not_overflow() {
    let policy = RetryPolicy { first: Duration::MAX, longest: Duration::MAX, attempts_max: None };
    let mut retry = Retry::new(policy, 1);
    for _ in 0..100 {
        assert!(retry.failed().is_some());
    }
}
