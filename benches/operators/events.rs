//! The operators that events go through, one after the other.

use crate::{BATCH, Sample};
use criterion::Criterion;
use trueup_benches::bed::Bed;
use trueup_benches::cpu_time::CpuTime;
use trueup_benches::world::{World, facts, telemetry};
use trueup_operators::Diff;
use trueup_operators::attribute::{attribute, demand, drawn, units};
use trueup_operators::dedupe::dedupe;
use trueup_operators::inclusion::inclusion;
use trueup_operators::numbered::numbered;
use trueup_operators::present::present;
use trueup_operators::resolve::resolve;
use trueup_operators::sessions::sessions;
use trueup_operators::volume::volume;

pub(crate) fn measure(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    names(criterion, sample);
    metered(criterion, sample);
    served(criterion, sample);
}

fn names(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    sample.grows(criterion, "dedupe", || {
        let (mut world, mut stream) = (World::new(), telemetry(sample.size));
        let loaded = facts(&mut world, &mut stream, sample.size);
        let loaded: Vec<(_, Diff)> = loaded.into_iter().map(|fact| (fact, 1)).collect();
        let rule = world.policy().conflict;
        Bed::new(|scope, ends| {
            let next = move || {
                let mut drawn = || (world.entered(stream.draw()), 1);
                (0..BATCH).map(|_| drawn()).collect()
            };
            let horizon = ends.still(scope, &[]);
            let known = dedupe(ends.flowing(scope, &loaded, next), horizon, rule, None);
            ends.watch(known.metered);
            ends.watch(known.rows);
        })
    });
    let chain = &sample.metered;
    sample.turns(criterion, "present", |scope, ends| {
        let asks = ends.turning(scope, &chain.subjects.rows(), BATCH);
        ends.watch(present("Subjects", asks, |(subject, _)| subject.feature.0));
    });
    sample.turns(criterion, "resolve", |scope, ends| {
        let subjects = ends.turning(scope, &chain.subjects.rows(), BATCH);
        let resolved = resolve(subjects, ends.still(scope, &chain.statements.rows()));
        ends.watch(resolved.resolutions);
    });
}

fn metered(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let chain = &sample.metered;
    sample.turns(criterion, "numbered", |scope, ends| {
        let events = ends.turning(scope, &chain.metered.rows(), BATCH);
        let counted = numbered(events);
        ends.watch(counted.events);
        ends.watch(counted.subjects);
    });
    sample.turns(criterion, "numbered, volume", |scope, ends| {
        let events = ends.turning(scope, &chain.metered.rows(), BATCH);
        let cut = volume(
            (numbered(events), ends.still(scope, &chain.horizon)),
            ends.still(scope, &chain.of_metered.rows()),
            ends.still::<_, Diff>(scope, &[]),
            ends.still(scope, &[chain.accounts.rows(), chain.products.rows()].concat()),
            ends.still(scope, &chain.asked.rows()),
            units(ends.still(scope, &chain.rights.rows())),
            sample.world.policy().clone(),
        );
        ends.watch(cut.cells);
        ends.watch(cut.slices);
        ends.watch(cut.readings.ranked);
        ends.watch(cut.readings.unique);
    });
}

fn served(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let (chain, world) = (&sample.served, &sample.served_world);
    let settings: Vec<_> = world.settings().iter().map(|row| (*row, 1)).collect();
    sample.turns(criterion, "sessions", |scope, ends| {
        let lines = ends.turning(scope, &chain.checkouts.rows(), BATCH);
        let settings = ends.still(scope, &settings);
        let signals = ends.still::<_, Diff>(scope, &[]);
        let window_us = world.policy().attempt_window_us;
        ends.watch(sessions(lines, signals, settings, window_us).sessions);
    });
    sample.turns(criterion, "inclusion", |scope, ends| {
        let checkouts = ends.turning(scope, &chain.sessions.rows(), BATCH);
        let parts = ends.still::<_, Diff>(scope, &[]);
        ends.watch(inclusion(checkouts, parts).charges);
    });
    sample.turns(criterion, "attribute", |scope, ends| {
        let uses = attribute(
            ends.turning(scope, &chain.charges.rows(), BATCH),
            ends.still::<_, Diff>(scope, &[]),
            ends.still(scope, &chain.duplicates.rows()),
            ends.still(scope, &chain.of_checkouts.rows()),
            ends.still::<_, Diff>(scope, &[]),
            ends.still(scope, &chain.rules.rows()),
        );
        ends.watch(uses);
    });
    sample.turns(criterion, "demand", |scope, ends| {
        let uses = ends.turning(scope, &chain.uses.rows(), BATCH);
        let rules = ends.still(scope, &chain.rules.rows());
        let factors = drawn(ends.still::<_, Diff>(scope, &[]));
        ends.watch(demand(uses, rules, factors));
    });
}
