//! Events: workload P, metered use of many accounts, and S, checkouts from license servers.
//!
//! Says events per second of wall time and of processor time, and how long an epoch took from its last fact
//! to its publication. Compared with plain sums: of P what each account used of each product, of S how many
//! checkouts there were.

use crate::sums::Sums;
use crate::{Args, Which, ms, us};
use std::time::{Duration, Instant};
use trueup_benches::load::{Facts, Names, feed, processor_time, quantile};
use trueup_benches::record::Figure;
use trueup_benches::world::Stream;
use trueup_datasets::workload::checkouts::{self, Checkouts};
use trueup_datasets::workload::telemetry::{self, Telemetry};
use trueup_runtime::engine::Engine;

/// How many events that come before are drawn at a time.
const DRAWN: usize = 1_000_000;
/// The seed of the workloads.
const SEED: u64 = 7;

pub(crate) fn stream(args: &Args) -> Box<dyn Stream> {
    match args.workload {
        Which::S => {
            let users = args.accounts;
            let out = usize::try_from(users / 2).unwrap_or(0);
            let features = (users / 10).max(1);
            Box::new(Checkouts::new(checkouts::Scale { features, users, out }, SEED))
        }
        Which::P | Which::C | Which::R => {
            let scale = telemetry::Scale { accounts: args.accounts, ..telemetry::Scale::default() };
            Box::new(Telemetry::new(scale, SEED))
        }
    }
}

/// Feeds events.
pub(crate) fn run(engine: &Engine, args: &Args) -> Vec<Figure> {
    let mut stream = stream(args);
    let mut names = Names::new(engine);
    let begin = Instant::now();
    let contracts = names.all(stream.contracts());
    engine.submit(contracts).expect("the engine runs");
    engine.settle(None).expect("the engine runs");
    println!("contracts      {:>12.2} s", begin.elapsed().as_secs_f64());
    let mut sums = Sums::default();
    let mut warming = Duration::ZERO;
    let mut warm = args.warm;
    while warm > 0 {
        let many = warm.min(DRAWN);
        let drawn = epochs(&mut *stream, &mut names, many, args.epoch, &mut sums);
        let began = Instant::now();
        feed(engine, drawn, args.in_flight).expect("the engine runs");
        warming += began.elapsed();
        warm -= many;
    }
    println!("warm-up        {:>12.2} s", warming.as_secs_f64());
    let measured = epochs(&mut *stream, &mut names, args.events, args.epoch, &mut sums);
    let (began, ran_before) = (Instant::now(), processor_time());
    let mut took = feed(engine, measured, args.in_flight).expect("the engine runs");
    let (wall, ran) = (began.elapsed(), processor_time().saturating_sub(ran_before));
    took.sort_unstable();
    let rate = |time: Duration| args.events as f64 / time.as_secs_f64() / 1e6;
    println!("wall           {:>12.3} M events/s", rate(wall));
    println!("processor      {:>12.3} M events/s of one core", rate(ran));
    let [p50, p90, p99, max] = [500, 900, 990, 1000].map(|at| quantile(&took, at));
    println!("epoch          {:>12.1} ms p50 {:>10.1} ms p99", ms(p50), ms(p99));
    let wrong = sums.compare(engine);
    assert_eq!(wrong, 0, "sums of the views differ from plain sums");
    println!("checked        {:>12} sums", sums.len());
    let per_second = |time: Duration| args.events as u64 * 1_000_000 / us(time).max(1);
    vec![
        Figure::new("throughput", "events/s", per_second(wall)),
        Figure::new("throughput of a core", "events/s", per_second(ran)),
        Figure::new("epoch p50", "µs", us(p50)),
        Figure::new("epoch p90", "µs", us(p90)),
        Figure::new("epoch p99", "µs", us(p99)),
        Figure::new("epoch max", "µs", us(max)),
    ]
}

pub(crate) fn epochs(
    stream: &mut dyn Stream,
    names: &mut Names<'_>,
    events: usize,
    size: usize,
    sums: &mut Sums,
) -> Vec<Facts> {
    let mut epochs = Vec::new();
    let mut left = events;
    while left > 0 {
        let many = left.min(size);
        let facts: Facts = (0..many).map(|_| names.named(stream.draw())).collect();
        for (_, fact) in &facts {
            sums.hear(fact);
        }
        epochs.push(facts);
        left -= many;
    }
    epochs
}
