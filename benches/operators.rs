//! What a change costs in each operator by itself: its state is loaded from a workload, then a hundred rows
//! go and come back.
//!
//! Each operator is measured at two sizes of its state. Cost follows the change and not the state where the
//! two figures are alike; what is left of a difference is caches that no longer hold the tables. The rows
//! are those that the operators before it in the chain give (`support/chain.rs`). `throughput` is in rows
//! of the change.

#[path = "operators/events.rs"]
mod events;
#[path = "operators/contracts.rs"]
mod contracts;
#[path = "operators/trees.rs"]
mod trees;

use criterion::measurement::Measurement as _;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;
use timely::dataflow::Scope;
use trueup_benches::bed::{Bed, Ends};
use trueup_benches::chain::{Chain, a_day_after, chain};
use trueup_benches::cpu_time::CpuTime;
use trueup_benches::world::{Stream, World, checkouts, facts, lines, telemetry};
use trueup_operators::Epoch;

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of a change.
const BATCH: usize = 100;
/// Events or lines of the states.
const SIZES: [u32; 2] = [1_000, 100_000];

/// The worlds of one size.
struct Sample {
    /// How many events or lines.
    size: u32,
    world: World,
    /// Workload P.
    metered: Chain,
    /// Workload S, in a world of its own.
    served: Chain,
    served_world: World,
    /// Workload P of few accounts and many lines.
    contracts: Chain,
}

/// Runs the chain over a workload.
fn run(world: &mut World, stream: &mut impl Stream, events: u32) -> Chain {
    let given = facts(world, stream, events);
    chain(world, given, a_day_after(stream.now()))
}

impl Sample {
    fn of(size: u32) -> Self {
        let mut world = World::new();
        let metered = run(&mut world, &mut telemetry(size), size);
        let mut served_world = World::new();
        let served = run(&mut served_world, &mut checkouts(size), size);
        let contracts = run(&mut World::new(), &mut lines(size), 0);
        Self { size, world, metered, served, served_world, contracts }
    }

    /// Measures an operator of which a batch goes and comes back.
    fn turns(
        &self,
        criterion: &mut Criterion<CpuTime>,
        name: &str,
        build: impl FnOnce(Scope<'_, Epoch>, &mut Ends),
    ) {
        let mut bed = Bed::new(build);
        let loaded = bed.given();
        bed.turn();
        bed.turn();
        assert!(bed.given() > loaded, "{name}: the change is not seen");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(bed.batch() as u64));
        group.bench_function(BenchmarkId::from_parameter(self.size), |bencher| {
            bencher.iter(|| bed.turn());
        });
        group.finish();
    }

    /// Measures an operator that only ever hears more, and begins anew before its state has grown by half.
    fn grows(&self, criterion: &mut Criterion<CpuTime>, name: &str, load: impl Fn() -> Bed) {
        let turns_max = usize::try_from(self.size / 2).unwrap_or(0) / BATCH;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::from_parameter(self.size), |bencher| {
            bencher.iter_custom(|turns| {
                let (mut took, mut bed, mut left) = (Duration::ZERO, None, 0);
                for _ in 0..turns {
                    if left == 0 {
                        (bed, left) = (Some(load()), turns_max);
                    }
                    let start = CpuTime.start();
                    bed.iter_mut().for_each(Bed::turn);
                    took = CpuTime.add(&took, &CpuTime.end(start));
                    left -= 1;
                }
                took
            });
        });
        group.finish();
    }
}

fn operators(criterion: &mut Criterion<CpuTime>) {
    let is_test = std::env::args().any(|word| word == "--test");
    let sizes = if is_test { &SIZES[..1] } else { &SIZES[..] };
    for size in sizes {
        let sample = Sample::of(*size);
        events::measure(criterion, &sample);
        contracts::measure(criterion, &sample);
        trees::measure(criterion, &sample);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = operators
}
criterion_main!(benches);
