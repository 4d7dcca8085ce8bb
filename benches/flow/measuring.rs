//! What measuring costs: workload P with operators measured and not, in turns, in one run.
//!
//! Each turn is an engine of its own with the same facts; the first pair is not counted, for memory is still to
//! be got. Which of a pair comes first alternates. The ratio is of the middle ones, in processor time.

use crate::events::{epochs, stream};
use crate::sums::Sums;
use crate::{Args, settings};
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::load::{Names, feed, processor_time};
use trueup_benches::record::Figure;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::Settings;

/// Compares so many turns of each.
pub(crate) fn run(args: &Args, turns: usize) -> Vec<Figure> {
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for turn in 0..=turns {
        for measured in [turn % 2 == 0, turn % 2 != 0] {
            let took = fed(args, measured);
            let counted = if turn > 0 { "" } else { ", not counted" };
            let what = if measured { "measured" } else { "not measured" };
            println!("turn {turn:<3} {what:<14}{:>10.2} s{counted}", took.as_secs_f64());
            if turn > 0 {
                if measured { on.push(took) } else { off.push(took) }
            }
        }
    }
    on.sort_unstable();
    off.sort_unstable();
    let middle = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
    let (with, without) = (middle(&on), middle(&off));
    let per_mille = with.as_nanos() * 1000 / without.as_nanos().max(1);
    let per_mille = u64::try_from(per_mille).unwrap_or(u64::MAX);
    println!("measured to not measured {:>8}.{:03}", per_mille / 1000, per_mille % 1000);
    vec![Figure::new("measured to not measured", "‰", per_mille)]
}

/// How long the process worked on the measured events.
fn fed(args: &Args, measure_operators: bool) -> Duration {
    let settings = Settings { measure_operators, ..settings(args) };
    let engine = Engine::start(settings, Arc::new(SystemClock::default())).expect("it starts");
    let (mut stream, mut names, mut sums) = (stream(args), Names::new(&engine), Sums::default());
    let contracts = names.all(stream.contracts());
    engine.submit(contracts).expect("the engine runs");
    let warm = epochs(&mut *stream, &mut names, args.warm, args.epoch, &mut sums);
    feed(&engine, warm, args.in_flight).expect("the engine runs");
    let events = epochs(&mut *stream, &mut names, args.events, args.epoch, &mut sums);
    let before = processor_time();
    feed(&engine, events, args.in_flight).expect("the engine runs");
    let took = processor_time().saturating_sub(before);
    assert_eq!(engine.measures().costs().is_empty(), !measure_operators, "as was asked for");
    assert_eq!(sums.compare(&engine), 0, "sums of the views differ from plain sums");
    took
}
