//! What the journal costs: throughput over a socket with it and without, in turns, in one run.
//!
//! Each turn is an engine and a sender of its own with the same events. The first pair is not counted, for memory
//! is still to be got; which of a pair comes first alternates. The ratio is of the middle ones: of rates by the
//! wall, which is what a sender sees, and of processor time, which other programs do not change.

use crate::{Args, Measured, measure};
use std::time::Duration;

/// The share of the throughput without a journal that is to be left with one.
const SHARE_MIN: f64 = 0.75;

/// Compares so many turns of each.
pub(crate) fn run(args: &Args, turns: usize) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for turn in 0..=turns {
        for journal in [turn % 2 == 0, turn % 2 != 0] {
            let measured = measure(&Args { journal, ..args.clone() });
            let took = measured.took();
            let Measured { ran, .. } = measured;
            let rate = args.events as f64 / took.as_micros() as f64;
            let what = if journal { "journal" } else { "no journal" };
            let counted = if turn > 0 { "" } else { ", not counted" };
            let ran_s = ran.as_secs_f64();
            println!("turn {turn:<3} {what:<12}{rate:>8.3} M events/s {ran_s:>8.2} s ran{counted}");
            if turn > 0 {
                if journal { with.push((took, ran)) } else { without.push((took, ran)) }
            }
        }
    }
    // Less time is more throughput, so the ratio is turned around.
    let share = |time: fn(&(Duration, Duration)) -> Duration| {
        middle(&without, time).as_secs_f64() / middle(&with, time).as_secs_f64()
    };
    let (wall, processor) = (share(|one| one.0), share(|one| one.1));
    println!("throughput with the journal to that without: {wall:.3} by the wall");
    println!("                                             {processor:.3} by processor time");
    let verdict = if wall >= SHARE_MIN { "met" } else { "missed" };
    println!("at least {SHARE_MIN} by the wall: {verdict}");
}

/// The middle one of some times.
fn middle(all: &[(Duration, Duration)], time: fn(&(Duration, Duration)) -> Duration) -> Duration {
    let mut times: Vec<Duration> = all.iter().map(time).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
