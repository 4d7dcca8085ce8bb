//! A whole reconciliation, workload R: rows, moves of accounts and changes of lines together.
//!
//! Says rows per second, how long a small batch and a change take at full state, and five checksums of what
//! the views answer, which must be those of plain loops over the rows. `peers.rs` gives other engines the same.

use crate::{Args, ms, us};
use std::time::{Duration, Instant};
use trueup_benches::load::{Names, processor_time, quantile};
use trueup_benches::reconciled::answers;
use trueup_benches::record::Figure;
use trueup_benches::script::{Script, Step};
use trueup_datasets::workload::reconciliation::Reconciliation;
use trueup_runtime::engine::Engine;

/// Gives the engine the script.
pub(crate) fn run(engine: &Engine, args: &Args) -> Vec<Figure> {
    let rows = u32::try_from(args.events).unwrap_or(u32::MAX);
    let script = Script::of(rows, args.epoch);
    let mut names = Names::new(engine);
    let mut world = script.begin.clone();
    let begin = Instant::now();
    let contracts = names.all(world.contracts());
    give(engine, contracts);
    println!("contracts      {:>12.2} s", begin.elapsed().as_secs_f64());
    let steps: Vec<_> =
        script.steps.iter().map(|step| facts(&mut world, &mut names, step)).collect();
    let (began, ran_before) = (Instant::now(), processor_time());
    for step in steps {
        engine.submit(step).expect("the engine runs");
    }
    engine.settle(None).expect("the engine runs");
    let (wall, ran) = (began.elapsed(), processor_time().saturating_sub(ran_before));
    let rate = |time: Duration| script.measured() as f64 / time.as_secs_f64() / 1e6;
    println!("wall           {:>12.3} M rows/s", rate(wall));
    println!("processor      {:>12.3} M rows/s of one core", rate(ran));
    let [mut small, mut changes] = [Vec::new(), Vec::new()];
    for step in &script.small {
        let given = facts(&mut world, &mut names, step);
        let since = Instant::now();
        give(engine, given);
        match step {
            Step::Rows(_) => small.push(since.elapsed()),
            Step::Change(_) => changes.push(since.elapsed()),
        }
    }
    let mut figures = Vec::new();
    for (what, took) in [("small batch", &mut small), ("change", &mut changes)] {
        took.sort_unstable();
        let [p50, p99] = [500, 990].map(|at| quantile(took, at));
        println!("{what:<15}{:>12.2} ms p50 {:>10.2} ms p99", ms(p50), ms(p99));
        figures.push(Figure::new(&format!("{what} p50"), "µs", us(p50)));
        figures.push(Figure::new(&format!("{what} p99"), "µs", us(p99)));
    }
    let (found, right) = (answers(engine, &names, world.scale()), script.answers());
    for ((kind, sum), (_, wanted)) in found.each().into_iter().zip(right.each()) {
        println!("{kind:<15}{:>12} rows, sum {}, mixed {}", sum.rows, sum.sum, sum.mixed);
        assert_eq!(sum, wanted, "{kind} is not what plain loops say");
    }
    let per_second = |time: Duration| script.measured() as u64 * 1_000_000 / us(time).max(1);
    figures.push(Figure::new("throughput", "events/s", per_second(wall)));
    figures.push(Figure::new("throughput of a core", "events/s", per_second(ran)));
    figures
}

/// Gives facts, and waits until all that follows from them is published, totals among it.
fn give(engine: &Engine, facts: trueup_benches::load::Facts) {
    engine.submit(facts).expect("the engine runs");
    engine.settle(None).expect("the engine runs");
}

fn facts(
    world: &mut Reconciliation,
    names: &mut Names<'_>,
    step: &Step,
) -> trueup_benches::load::Facts {
    let facts = match step {
        Step::Rows(rows) => rows.iter().filter_map(|row| world.fact_of(row)).collect(),
        Step::Change(change) => {
            world.apply(change);
            world.facts_of(change)
        }
    };
    names.all(facts)
}
