//! The right answers of a world, put into words.

use super::discrepancies::{Found, discrepancies};
use super::positions::{Position, positions};
use super::refusals::{Attempts, attempts, waits};
use super::rights::{Right, granted_at, rights};
use super::usage::{RULES, Range, SpanUse, under_rule};
use super::volumes::volumes;
use crate::expected::{
    AttemptsAnswer, DaemonAnswers, DiscrepancyAnswer, EntitledAnswer, FeatureAnswers,
    GrantedAnswer, LineCounts, LogAnswer, PositionAnswer, RangeAnswer, RuleAnswer, UseAnswer,
    WaitsAnswer, capacity_words,
};
use crate::server::FeatureIndex;
use crate::sessions::Said;
use crate::world::{Site, World};
use std::collections::BTreeSet;
use trueup_model::contract::Basis;
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionKind, SessionReason};

/// What each daemon's log says.
pub fn daemon_answers(world: &World) -> Vec<DaemonAnswers> {
    let mut found = Vec::new();
    for site in &world.sites {
        for daemon in 0..site.server.daemons.len() {
            found.push(of_daemon(world, site, daemon));
        }
    }
    found
}

fn of_daemon(world: &World, site: &Site, daemon: usize) -> DaemonAnswers {
    let served = &site.server.daemons[daemon];
    let history = &site.histories[daemon];
    let features = (0..served.features.len()).map(FeatureIndex);
    let mut users = BTreeSet::new();
    let mut machines = BTreeSet::new();
    let holders = history.checkouts.iter().map(|checkout| checkout.holder);
    let holders = holders.chain(history.refusals.iter().map(|refusal| refusal.holder));
    for holder in holders.chain(history.waits.iter().map(|wait| wait.holder)) {
        users.insert(holder.person);
        machines.insert(holder.machine);
    }
    let found = waits(history, world.horizon);
    let reservations = site.style.reservations.iter().filter(|one| one.0 == daemon);
    DaemonAnswers {
        daemon: served.server_name(&site.server.host),
        log: LogAnswer {
            files: site.written.files.len() as u64,
            lines: site.written.lines,
            summary_lines: site.written.summary_lines,
            torn_lines: site.written.torn_lines,
            first: site.server.window.start,
            last: site.written.last_line,
        },
        lines: line_counts(site, daemon),
        features: features.map(|feature| of_feature(world, site, daemon, feature)).collect(),
        denials: attempts_answer(attempts(site, daemon, SessionKind::Deny)),
        unsupported: attempts_answer(attempts(site, daemon, SessionKind::Unsupported)),
        waits: WaitsAnswer {
            waits: found.waits,
            served: found.served,
            wait_seconds: found.wait_seconds,
        },
        users: users.len() as u64,
        machines: machines.len() as u64,
        reservations: reservations
            .map(|(_, feature, count, group)| (feature.clone(), *count, group.clone()))
            .collect(),
    }
}

/// What a log says, line by line.
fn line_counts(site: &Site, daemon: usize) -> LineCounts {
    let history = &site.histories[daemon];
    let mut counts = LineCounts::default();
    for (_, said) in &history.said {
        match said {
            Said::Out(_) => counts.out += 1,
            Said::In(index) => {
                counts.r#in += 1;
                let idle = matches!(
                    history.checkouts[*index].end,
                    crate::sessions::End::Returned { reason: SessionReason::Inactive, .. }
                );
                counts.in_inactive += u64::from(idle && !site.style.verbose);
            }
            Said::ShutdownIn(index) => {
                // Verbose logs return each checkout by its own handle, without a reason.
                let first = &history.checkouts[*index];
                let same = history.checkouts.iter().filter(|other| {
                    other.feature == first.feature
                        && other.holder.is_same(&first.holder)
                        && other.end == first.end
                });
                let lines = if site.style.verbose { same.count() as u64 } else { 1 };
                counts.r#in += lines;
                counts.in_shutdown += u64::from(!site.style.verbose);
            }
            Said::Refused(index) => match history.refusals[*index].kind {
                SessionKind::Unsupported => counts.unsupported += 1,
                SessionKind::Deny
                | SessionKind::Open
                | SessionKind::Close
                | SessionKind::Queue
                | SessionKind::Dequeue
                | SessionKind::Heartbeat => counts.denied += 1,
            },
            Said::Queued(_) => counts.queued += 1,
            Said::Dequeued(_) => counts.dequeued += 1,
        }
    }
    counts
}

fn attempts_answer(found: Attempts) -> AttemptsAnswer {
    AttemptsAnswer {
        raw_lines: found.raw_lines,
        attempts: found.attempts,
        unmet: found.unmet,
        people_unmet: found.people_unmet,
        because_of_queue: found.because_of_queue,
    }
}

fn of_feature(world: &World, site: &Site, daemon: usize, index: FeatureIndex) -> FeatureAnswers {
    let served = &site.server.daemons[daemon];
    let feature = &served.features[index.0];
    let mut answers = FeatureAnswers {
        feature: feature.name.clone(),
        product: world.population.products[feature.product.0].name.clone(),
        charged_by: feature.duplicates.to_string(),
        checkouts: 0,
        left_open: 0,
        left_open_licenses: 0,
        estimated_ends: 0,
        granted: Vec::new(),
        rules: Vec::new(),
    };
    for (number, checkout) in site.histories[daemon].checkouts.iter().enumerate() {
        if checkout.feature != index {
            continue;
        }
        let held = site.held(daemon, number);
        answers.checkouts += 1;
        answers.left_open += u64::from(held.open);
        answers.left_open_licenses += if held.open { u64::from(checkout.count) } else { 0 };
        answers.estimated_ends += u64::from(held.estimated);
    }
    for at in grant_instants(world, site, daemon, index) {
        if let Some(granted) = served.granted(index, at, &site.server.zone) {
            answers.granted.push(GrantedAnswer {
                at,
                capacity: granted.capacity,
                overdraft: granted.overdraft,
            });
        }
    }
    for rule in RULES {
        let found = under_rule(world, site, daemon, index, rule);
        answers.rules.push(RuleAnswer {
            rule: found.rule.to_owned(),
            charged: Duplicates::parse(rule) == Some(feature.duplicates),
            whole: use_answer(found.whole),
            months: found
                .months
                .into_iter()
                .map(|(label, use_)| (label, use_answer(use_)))
                .collect(),
        });
    }
    answers
}

/// The instants at which what a file grants is told: the start, each change, the horizon.
fn grant_instants(
    world: &World,
    site: &Site,
    daemon: usize,
    index: FeatureIndex,
) -> Vec<Timestamp> {
    let served = &site.server.daemons[daemon];
    let name = &served.features[index.0].name;
    let mut instants = BTreeSet::from([site.server.window.start, world.horizon]);
    for version in &served.files {
        instants.extend(version.effective_from);
        for line in version.file.lines.iter().filter(|line| line.feature == *name) {
            instants.extend(line.start.map(|day| site.server.zone.day_start(day)));
            instants.extend(line.expiry.map(|day| site.server.zone.day_end(day)));
        }
    }
    let told = instants.into_iter();
    told.filter(|at| site.server.window.start <= *at && *at <= world.horizon).collect()
}

fn use_answer(found: SpanUse) -> UseAnswer {
    UseAnswer {
        peak: found.peak,
        peak_at: found.peak_at,
        license_seconds: range(found.license_seconds),
        at_end: found.at_end,
    }
}

fn range(found: Range) -> RangeAnswer {
    RangeAnswer { least: found.least, most: found.most }
}

/// What is entitled of each product, at each instant within the world's time at which that changes.
pub fn entitled_answers(world: &World) -> Vec<EntitledAnswer> {
    let rights = rights(world);
    let first = world.sites.iter().map(|site| site.server.window.start).min();
    let first = first.unwrap_or(world.horizon);
    let mut keys: BTreeSet<(usize, u8, Basis)> = BTreeSet::new();
    keys.extend(rights.iter().map(|one| (one.product.0, one.metric.code(), one.basis)));
    let mut found = Vec::new();
    for (product, code, basis) in keys {
        let Some(metric) = Metric::from_code(code) else { continue };
        let own: Vec<&Right> = rights
            .iter()
            .filter(|one| one.product.0 == product && one.metric == metric && one.basis == basis)
            .collect();
        let mut instants = BTreeSet::from([first, world.horizon]);
        instants.extend(own.iter().flat_map(|one| [one.span.start, one.span.end]));
        for at in instants.into_iter().filter(|at| first <= *at && *at <= world.horizon) {
            let nothing = trueup_model::quantity::Capacity::Limited(Default::default());
            found.push(EntitledAnswer {
                product: world.population.products[product].name.clone(),
                metric: metric.name().to_owned(),
                basis: basis.name().to_owned(),
                at,
                quantity: granted_at(&own, at).unwrap_or(nothing),
            });
        }
    }
    found
}

/// Positions and discrepancies.
pub fn judged(world: &World) -> (Vec<PositionAnswer>, Vec<DiscrepancyAnswer>) {
    let mut all = positions(world);
    all.extend(volumes(world));
    all.sort_by_key(|one| (one.product, one.metric, one.node, one.period.unit, one.period.span));
    let found = discrepancies(world, &all);
    let mut told: Vec<DiscrepancyAnswer> =
        found.iter().map(|one| discrepancy_answer(world, one)).collect();
    let rank = |one: &DiscrepancyAnswer| {
        (
            one.kind.clone(),
            one.product.clone(),
            one.account.clone(),
            one.subject.clone(),
            one.period.clone(),
        )
    };
    told.sort_by_key(rank);
    (all.iter().map(|one| position_answer(world, one)).collect(), told)
}

fn position_answer(world: &World, position: &Position) -> PositionAnswer {
    PositionAnswer {
        account: position.node.name(&world.population),
        product: world.population.products[position.product.0].name.clone(),
        metric: position.metric.name().to_owned(),
        period: position.label.clone(),
        current: position.current,
        basis: position.basis.map(|basis| basis.name().to_owned()),
        entitled: position.entitled,
        overdraft: position.overdraft,
        demand: position.demand,
        peak: position.peak,
        peak_at: position.peak_at,
        license_seconds: range(position.license_seconds),
        shortfall: position.shortfall,
        shortfall_at: position.shortfall_at,
        shortfall_first: position.shortfall_first,
        shortfall_last: position.shortfall_last,
        passed_up: position.passed_up,
        surplus: position.surplus,
        state: position.state.name().to_owned(),
    }
}

fn discrepancy_answer(world: &World, found: &Found) -> DiscrepancyAnswer {
    let claims = found.claims.iter().flatten();
    DiscrepancyAnswer {
        kind: found.kind.name().to_owned(),
        account: found.node.map(|node| node.name(&world.population)),
        product: found.product.clone(),
        metric: found.metric.map(|metric| metric.name().to_owned()),
        subject: found.subject.as_ref().map(|(_, name)| name.clone()),
        period: found.period.clone(),
        claims: claims
            .map(|(claim, says)| (claim.name().to_owned(), capacity_words(*says)))
            .collect(),
        magnitude: found.magnitude,
        first_at: found.first_at,
        last_at: found.last_at,
        money: found.money,
    }
}
