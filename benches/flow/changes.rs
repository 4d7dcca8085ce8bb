//! Changes of contracts and trees, workload C: each change is an epoch of its own at full state.
//!
//! Says for each kind of change how long it took from being given to being published with all that follows
//! from it, the totals over the trees among it. In the end, what the views say that lines grant is compared
//! with the plain sum of the lines that are in force.

use crate::{Args, ms, us};
use std::time::Instant;
use trueup_benches::load::{Names, quantile};
use trueup_benches::record::Figure;
use trueup_datasets::workload::contracts::{Contracts, Kind, Scale};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;
use trueup_runtime::engine::Engine;

/// The seed of the workload.
const SEED: u64 = 7;

/// Loads the lines, and changes them.
pub(crate) fn run(engine: &Engine, args: &Args) -> Vec<Figure> {
    let mut stream = Contracts::new(Scale::of(args.lines), SEED);
    let mut names = Names::new(engine);
    for (what, facts) in [("contracts", stream.contracts()), ("use", stream.used())] {
        let (many, facts) = (facts.len(), names.all(facts));
        let begin = Instant::now();
        engine.submit(facts).expect("the engine runs");
        engine.settle(None).expect("the engine runs");
        println!("{what:<15}{:>12.2} s {many:>10} facts", begin.elapsed().as_secs_f64());
    }
    let mut took = vec![Vec::new(); Kind::ALL.len()];
    // In turns, so that no kind meets a state that another does not.
    for _ in 0..args.changes {
        for (kind, times) in Kind::ALL.into_iter().zip(&mut took) {
            let change = names.all(stream.draw(kind));
            let since = Instant::now();
            engine.submit(change).expect("the engine runs");
            engine.settle(None).expect("the engine runs");
            times.push(since.elapsed());
        }
    }
    println!("{:<15}{:>12} {:>10} {:>10}", "change", "p50 ms", "p99 ms", "max ms");
    let mut figures = Vec::new();
    for (kind, times) in Kind::ALL.into_iter().zip(&mut took) {
        times.sort_unstable();
        let [p50, p99, max] = [500, 990, 1000].map(|at| quantile(times, at));
        println!("{:<15}{:>12.2} {:>10.2} {:>10.2}", kind.name(), ms(p50), ms(p99), ms(max));
        figures.push(Figure::new(&format!("{} p50", kind.name()), "µs", us(p50)));
        figures.push(Figure::new(&format!("{} p99", kind.name()), "µs", us(p99)));
    }
    let granted = granted(engine);
    assert_eq!(granted, stream.granted(), "the lines in force grant something else");
    println!("checked        {:>12} lines grant {granted} units", stream.lines());
    figures
}

/// What the rights grant that hold to the end of time, in units.
fn granted(engine: &Engine) -> i128 {
    let views = engine.views();
    let lasting = views.rights.iter().filter(|right| right.span.end == Timestamp::MAX);
    let units = lasting.map(|right| match right.capacity {
        Capacity::Limited(quantity) => i128::from(quantity.0),
        Capacity::Unlimited | Capacity::Unknown => 0,
    });
    units.sum::<i128>() / i128::from(Quantity::ONE.0)
}
