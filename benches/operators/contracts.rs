//! The operators that contracts go through, and those that set them against use.

use crate::{BATCH, Sample};
use criterion::Criterion;
use timely::dataflow::Scope;
use trueup_benches::bed::Ends;
use trueup_benches::chain::Chain;
use trueup_benches::cpu_time::CpuTime;
use trueup_model::calendar::PeriodUnit;
use trueup_operators::allocate::{Surroundings, allocate, allocate_periods};
use trueup_operators::attribute::{readings, rules, taking_part};
use trueup_operators::documents::in_force;
use trueup_operators::entitle::{entitle, lines};
use trueup_operators::judge::judge;
use trueup_operators::sublicense::sublicense;
use trueup_operators::transfers::transfers;
use trueup_operators::{Diff, Epoch};

pub(crate) fn measure(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    rights(criterion, sample);
    at_instants(criterion, sample);
    in_periods(criterion, sample);
    answers(criterion, sample);
}

fn rights(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let chain = &sample.contracts;
    sample.turns(criterion, "documents", |scope, ends| {
        let known = ends.turning(scope, &chain.known.rows(), BATCH);
        ends.watch(in_force(known));
    });
    sample.turns(criterion, "transfers, sublicense", |scope, ends| {
        let stated = ends.turning(scope, &chain.in_force.rows(), BATCH);
        ends.watch(
            sublicense(transfers(lines(stated), sample.world.policy().transfer_expiry).lines).lines,
        );
    });
    sample.turns(criterion, "entitle", |scope, ends| {
        let lines = ends.turning(scope, &chain.lines.rows(), BATCH);
        let meanings = ends.still(scope, &chain.of_lines.rows());
        ends.watch(entitle(lines, meanings));
    });
    let settings: Vec<_> = chain.rules.rows();
    let settings: Vec<_> = settings
        .into_iter()
        .map(|((product, rule), diff)| ((product, rule.settings), diff))
        .collect();
    sample.turns(criterion, "rules", |scope, ends| {
        let settings = ends.turning(scope, &settings, BATCH);
        let rights = ends.still(scope, &chain.rights.rows());
        let ways = ends.still::<_, Diff>(scope, &[]);
        ends.watch(rules(settings, rights, ways));
    });
}

/// The tables that every worker holds.
fn around<'s>(scope: Scope<'s, Epoch>, ends: &mut Ends, chain: &Chain) -> Surroundings<'s> {
    Surroundings {
        edges: ends.still(scope, &chain.accounts.rows()),
        zones: ends.still::<_, Diff>(scope, &[]),
        horizon: ends.still(scope, &chain.horizon),
        rules: ends.still(scope, &chain.rules.rows()),
        factors: ends.still::<_, Diff>(scope, &[]),
    }
}

fn at_instants(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let (chain, policy) = (&sample.served, sample.served_world.policy());
    for (name, uses, rights) in [("allocate, uses", BATCH, 0), ("allocate, rights", 0, BATCH)] {
        sample.turns(criterion, name, |scope, ends| {
            let demand = ends.turning(scope, &chain.needed.rows(), uses);
            let rights = ends.turning(scope, &chain.at_instants.rows(), rights);
            let given = allocate(demand, rights, around(scope, ends, chain), policy.clone());
            ends.watch(given.positions);
            ends.watch(given.lines);
        });
    }
}

fn in_periods(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let (chain, policy) = (&sample.metered, sample.world.policy());
    let cases = [("allocate_periods, slices", BATCH, 0), ("allocate_periods, rights", 0, BATCH)];
    for (name, slices, rights) in cases {
        sample.turns(criterion, name, |scope, ends| {
            let read = ends.still(scope, &chain.readings.rows());
            let part = ends.still(scope, &chain.taking_part.rows());
            let given = allocate_periods(
                ends.turning(scope, &chain.slices.rows(), slices),
                readings(read),
                taking_part(part),
                ends.turning(scope, &chain.in_periods.rows(), rights),
                ends.still(scope, &chain.rules.rows()),
                around(scope, ends, chain),
                policy.clone(),
            );
            ends.watch(given.positions);
            ends.watch(given.lines);
        });
    }
}

fn answers(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let chain = &sample.metered;
    sample.turns(criterion, "judge", |scope, ends| {
        let positions = ends.turning(scope, &chain.positions.rows(), BATCH);
        let rules = ends.still(scope, &chain.rules.rows());
        let judged = judge(positions, rules, PeriodUnit::Month);
        ends.watch(judged.positions);
        ends.watch(judged.discrepancies);
        ends.watch(judged.short);
    });
}
