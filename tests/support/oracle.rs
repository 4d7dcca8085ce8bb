//! The oracle: every answer of the engine, recomputed from the set of facts by definition.
//!
//! Plain loops over instants and sets, quadratic wherever that is clearer, so that someone who knows
//! licensing can check a rule here against `semantics` without knowing the engine. It relies on the
//! model, on calendars, and on the row types that operators publish; it shares no rule with them.
//!
//! A figure is evaluated in every piece of time in which nothing changes, up to and including the
//! horizon. Read `known.rs` (which facts count), `tree.rs` and `names.rs` (who is who), `sessions.rs`
//! and `uses.rs` (what was used), `rights.rs` (what may be used), `levels.rs` and `periods.rs`
//! (positions), `totals.rs`, `volumes.rs` and `pools.rs`, `discrepancies.rs`.

mod spans;
mod known;
mod tree;
mod names;
mod sessions;
mod uses;
mod holds;
mod idle;
mod gauges;
mod inventory;
mod bundles;
mod counting;
mod statistics;
mod suboptimal;
mod rights;
mod transfers;
mod sublicenses;
mod trials;
mod downgrades;
mod standbys;
mod territory;
mod prices;
mod levels;
mod grace;
mod volumes;
mod periods;
mod totals;
mod credits;
mod charges;
mod fees;
mod expected;
mod case;
mod issued;
mod true_up;
mod allocations;
mod pools;
mod discrepancies;
mod anomalies;

use levels::Positions;
use names::Names;
use std::collections::{BTreeMap, BTreeSet};
use tree::Tree;
use trueup_model::derived::{Resolution, Session, Subject};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::fact::{Body, Fact};
use trueup_model::id::{AccountId, Id, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::LicensePosition;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;
use trueup_operators::hierarchy::Placement;
use trueup_policy::Policy;
use trueup_policy::rules::ProductSettings;

use case::{Case, Key, Rule};
pub use expected::Expected;
pub use issued::History;
pub use trueup_operators::entitle::{LineInForce as Line, Right};

/// What an engine was told, and by what it must judge.
#[derive(Clone, Copy, Debug)]
pub struct Input<'i> {
    /// Every fact, in any order.
    pub facts: &'i [(TenantId, Fact<Id>)],
    /// The rules.
    pub policy: &'i Policy,
    /// The settings of every product that is named.
    pub settings: &'i BTreeMap<ProductId, ProductSettings>,
    /// Names that the naming rules could not resolve.
    pub unresolved: &'i BTreeSet<(NameKind, Id)>,
    /// The instant up to which figures are evaluated; `MIN` before it is first told.
    pub horizon: Timestamp,
    /// What positions said in earlier epochs, in which their periods closed.
    pub history: &'i History,
}

/// Two contents of one identity.
#[derive(Clone, Copy, Debug)]
struct Conflict {
    tenant: TenantId,
    /// Where the one that counts was read.
    document: Id,
}

/// Computes every answer.
pub fn expected(input: Input<'_>) -> Expected {
    let mut case = Case::new(input);
    let said = known::known(&case);
    let reference = reference(&said.known);
    case.learn(&reference);
    let names = Names::new(&case, &reference);
    let logs = sessions::logs(&said.known, case.settings, case.policy.attempt_window_us);
    let lines = rights::lines(&reference);
    let (held, untitled) = transfers::transfers(&lines, case.policy.transfer_expiry);
    let (left, sublicensing) = sublicenses::sublicenses(&held);
    let rights = rights::rights(&left, &names);
    let counting = trials::counting(&rights);
    let grants = credits::grants(&reference, &names);
    let bands = charges::bands(&reference, &names);
    let (seats, parts) = (uses::seats(&reference), uses::parts(&reference));
    let mut uses = uses::uses(&case, &names, &lines, &logs.sessions, &parts, &seats);
    let (kept, reassigned) = holds::holds(&case, &uses);
    uses.extend(kept);
    uses.extend(gauges::uses(&said.known, &names));
    let installs = inventory::installs(&case, &reference, &names, &counting);
    let lacking = hardware_needs(&case, &reference, &installs, &counting, &mut uses);
    let standing = standbys::standbys(&case, &said.known, &reference, &uses);
    let weighed = standing.counted(&uses);
    let atlas = territory::Atlas::new(&reference);
    let events = volumes::events(&case, &names, &said.known);
    let mut found = Expected {
        included: uses::included(&logs.sessions, &parts),
        pools: pools::pools(&case, &said.known, &lines, &logs),
        statements: volumes::statements(&case, &events),
        adjustments: volumes::adjustments(&events),
        shown: reference.iter().filter(|(row, _)| is_shown(&row.body)).cloned().collect(),
        repeated: said.repeated.clone(),
        ..Expected::default()
    };
    let stated = lines.iter().map(rights::subject).chain(grants.iter().map(|grant| grant.subject));
    let stated = stated.chain(bands.iter().map(|band| band.subject));
    let billed = fees::subjects(&reference);
    let mut subjects = telemetry(&said.known, &reference, &logs.sessions, &seats);
    subjects.extend(stated.chain(billed).chain(allocations::subjects(&reference, &lines)));
    resolve(&names, subjects, &mut found);
    let upkeep = sublicenses::without_base(&held);
    let stated = [
        discrepancies::of_counts(&said, &logs.orphans),
        found.pools.iter().flat_map(discrepancies::of_pool).collect(),
        found.statements.iter().filter_map(discrepancies::of_statement).collect(),
        [idle::idle(&case, &reference, &names), idle::gaps(&case, &counting)].concat(),
        [lacking, untitled, sublicensing, standing.problems, upkeep, reassigned].concat(),
        trials::repeats(&rights),
    ];
    found.discrepancies.extend(stated.concat());
    let evidence = Evidence {
        uses: &uses,
        weighed: &weighed,
        atlas: &atlas,
        events: &events,
        rights: &counting,
        reference: &reference,
        grants: &grants,
        bands: &bands,
    };
    allocations::judge(&case, &names, &lines, &evidence, &mut found);
    for tenant in tenants(&case) {
        let accounts = account_tree(tenant, &reference, &found.resolutions, &rights);
        evaluate(&case, tenant, &accounts, &evidence, &mut found);
    }
    found.issue(&case, input.history);
    found.discrepancies.extend(unusual(&case, &said, &logs, &found.positions));
    found.owe(&case, &reference, &lines, &names);
    found.rights.extend(counting);
    Expected { lines, ..found.with_logs(logs) }
}

/// What is stated, while it is. Events speak of their own time, whatever document they stand in.
fn reference(known: &[Known]) -> Vec<(Known, Span)> {
    let is_event = |row: &Known| matches!(row.body, Body::Session(_) | Body::Usage(_));
    known::in_force(known).into_iter().filter(|(row, _)| !is_event(row)).collect()
}

/// What is out of the ordinary.
fn unusual(
    case: &Case<'_>,
    said: &known::Said,
    logs: &sessions::Logs,
    positions: &[LicensePosition],
) -> Vec<Discrepancy> {
    let found = [
        anomalies::silence(case, &said.known),
        anomalies::stuck(case, &logs.sessions),
        anomalies::ahead(case, &said.known),
        anomalies::beyond(case, &said.known),
        anomalies::repetition(case, &said.known, &said.repeated),
        anomalies::habit(case, positions),
    ];
    found.concat()
}

/// Adds what the hardware of every tenant needs; gives what is not known of it.
fn hardware_needs(
    case: &Case<'_>,
    reference: &[(Known, Span)],
    installs: &[inventory::Install],
    rights: &[Right],
    uses: &mut Vec<uses::Use>,
) -> Vec<Discrepancy> {
    let mut lacking = Vec::new();
    for tenant in tenants(case) {
        let of_tenant = rights.iter().filter(|right| right.tenant == tenant);
        let rules = uses::rules(case, &of_tenant.copied().collect::<Vec<_>>());
        let hardware = inventory::Hardware::new(tenant, reference);
        let there: Vec<_> = installs.iter().filter(|one| one.tenant == tenant).copied().collect();
        let (needs, lacks) = inventory::needs(case, &there, &rules, &hardware);
        uses.extend(needs);
        lacking.extend(discrepancies::of_lacks(&lacks));
    }
    lacking
}

/// The subjects that telemetry and lists of seats and installs speak of.
fn telemetry(
    known: &[Known],
    reference: &[(Known, Span)],
    sessions: &[Session],
    seats: &[(Subject, Span)],
) -> BTreeSet<Subject> {
    let sessions = sessions.iter().map(|session| session.subject);
    let metered = volumes::subjects(known).into_iter().map(|(subject, _)| subject);
    let installed = inventory::subjects(reference).into_iter().map(|(subject, ..)| subject);
    let held = seats.iter().map(|(subject, _)| *subject);
    let set = gauges::subjects(known);
    sessions.chain(metered).chain(installed).chain(held).chain(set).collect()
}

/// What was used and what may be used.
struct Evidence<'e> {
    uses: &'e [uses::Use],
    /// The parts of uses that are not on a standby that needs no license.
    weighed: &'e [uses::Use],
    atlas: &'e territory::Atlas,
    events: &'e [volumes::Event],
    rights: &'e [Right],
    reference: &'e [(Known, Span)],
    grants: &'e [credits::Granted],
    bands: &'e [charges::Band],
}

/// Evaluates positions and totals of one tenant.
fn evaluate(
    case: &Case<'_>,
    tenant: TenantId,
    accounts: &Tree,
    evidence: &Evidence<'_>,
    found: &mut Expected,
) {
    let products = &Tree::of_products(tenant, evidence.reference);
    let of_tenant = evidence.uses.iter().filter(|one| one.tenant == tenant && !one.least);
    let uses: Vec<uses::Use> = of_tenant.copied().collect();
    let events: Vec<volumes::Event> =
        evidence.events.iter().filter(|one| one.tenant == tenant).copied().collect();
    let rights: Vec<Right> =
        evidence.rights.iter().filter(|one| one.tenant == tenant).copied().collect();
    let rules = uses::rules(case, &rights);
    let hardware = inventory::Hardware::new(tenant, evidence.reference);
    let sources: Vec<uses::Use> =
        evidence.weighed.iter().filter(|one| one.tenant == tenant).copied().collect();
    let demanded = counting::demanded(&sources, &rules, &hardware);
    let mut positions = Positions::default();
    let needs = Needs { evidence, events: &events, demanded: &demanded, hardware: &hardware };
    let lend = |metric| {
        let of = (tenant, metric);
        let stock = (&hardware, case.horizon);
        downgrades::lent(&case.ladder, of, accounts, &demanded, &rights, &rules, stock)
    };
    let bundled =
        bundles::bundles(&bundles::Suites::new(evidence.reference), &sources, &demanded, &rights);
    found.discrepancies.extend(bundled.into_iter().filter(|one| one.first_at <= case.horizon));
    let mut lent: Vec<Right> = Vec::new();
    for of_metric in Metric::ALL.into_iter().map(lend) {
        lent.extend(of_metric.rights);
        found.discrepancies.extend(of_metric.problems);
    }
    found.rights.extend(&lent);
    let with_lent = [rights.clone(), lent].concat();
    for key in keys(tenant, &rules) {
        let Some(rule) = rules.get(&key.product) else { continue };
        needs.evaluate(case, key, accounts, rule, &with_lent, &mut positions);
        if case.horizon != Timestamp::MIN {
            let of_key = |one: &&Right| one.product == key.product && one.metric == key.metric;
            let own: Vec<Right> = rights.iter().filter(of_key).copied().collect();
            found.discrepancies.extend(discrepancies::of_claims(key, &own, case.horizon));
        }
    }
    for position in &positions.positions {
        let Some(rule) = rules.get(&position.key.product) else { continue };
        let judged = discrepancies::judged(position, rule);
        let unit = case.policy.position_period;
        found.discrepancies.extend(discrepancies::of_position(&judged, rule, unit));
        found.positions.push(judged);
    }
    let unit = case.policy.position_period;
    let remarks = positions.remarks.iter();
    found.discrepancies.extend(remarks.filter_map(|row| discrepancies::of_remark(row, unit)));
    credits::evaluate(case, tenant, accounts, &events, evidence.grants, found);
    charges::evaluate(case, tenant, accounts, &events, evidence.bands, found);
    found.allocations.extend(positions.allocations);
    found.levels.extend(positions.levels);
    found.rollups.extend(totals::of_uses(case, tenant, accounts, products, &uses));
    found.rollups.extend(totals::of_events(case, tenant, accounts, products, &events));
    if case.policy.current_totals {
        let today = accounts.as_always(case.horizon);
        found.rollups_current.extend(totals::of_uses(case, tenant, &today, products, &uses));
        found.rollups_current.extend(totals::of_events(case, tenant, &today, products, &events));
    }
    found.discrepancies.extend(discrepancies::of_places(tenant, &accounts.problems()));
    let place = |(node, parent, span)| Placement { tenant, node, parent, span };
    found.accounts.extend(accounts.places().into_iter().map(place));
}

/// What is needed of the products of one tenant.
struct Needs<'n> {
    evidence: &'n Evidence<'n>,
    events: &'n [volumes::Event],
    demanded: &'n [uses::Use],
    hardware: &'n inventory::Hardware,
}

impl Needs<'_> {
    /// Evaluates one product by one metric.
    fn evaluate(
        &self,
        case: &Case<'_>,
        key: Key,
        accounts: &Tree,
        rule: &Rule,
        rights: &[Right],
        positions: &mut Positions,
    ) {
        let of_key = |right: &&Right| right.product == key.product && right.metric == key.metric;
        let own: Vec<Right> = rights.iter().filter(of_key).copied().collect();
        let asked = match key.metric {
            Metric::Volume => rule.demands(Metric::Volume),
            other => rule.counts(other),
        };
        let metered = self.events.iter().filter(|event| event.product == key.product && asked);
        let metered: Vec<volumes::Event> = metered.copied().collect();
        let at_instants = levels::counts_at_instants(key.metric, rule);
        let is_used = |one: &uses::Use| one.product == key.product && one.tenant == key.tenant;
        let used = self.demanded.iter().any(|one| is_used(one) && one.metric == key.metric)
            || (!at_instants && self.evidence.weighed.iter().any(is_used));
        if own.is_empty() && metered.is_empty() && !used {
            return;
        }
        if at_instants {
            let of_key = |one: &&uses::Use| one.product == key.product && one.metric == key.metric;
            let mut needed: Vec<uses::Use> = self.demanded.iter().filter(of_key).copied().collect();
            // A product is bound to territories if any of its lines is.
            let bound =
                rights.iter().any(|one| one.product == key.product && one.territory.is_some());
            let bound = bound && key.metric != Metric::Feature;
            let atlas = bound.then_some(self.evidence.atlas);
            if let Some(atlas) = atlas {
                needed.retain(|one| !one.least);
                needed = atlas.placed(&needed, accounts);
            }
            let by = (rule, self.hardware, atlas);
            levels::evaluate(case, key, accounts, &needed, &own, by, positions);
        } else if key.metric == Metric::Unique {
            let people: Vec<uses::Use> = metered.iter().map(volumes::Event::as_use).collect();
            periods::evaluate(case, key, accounts, &[], &people, &own, positions);
        } else if key.metric != Metric::NamedUser {
            periods::evaluate(case, key, accounts, &metered, &[], &own, positions);
        } else {
            let of_product = self.evidence.weighed.iter().filter(|one| {
                one.tenant == key.tenant
                    && one.product == key.product
                    && one.metric == Metric::Concurrent
            });
            let active: Vec<uses::Use> = of_product.copied().collect();
            periods::evaluate(case, key, accounts, &[], &active, &own, positions);
        }
    }
}

/// Says what subjects mean, and what their names lack.
fn resolve(names: &Names, subjects: BTreeSet<Subject>, found: &mut Expected) {
    let mut missing = BTreeSet::new();
    for subject in subjects {
        let (resolutions, lacks) = names.resolve(&subject);
        found.resolutions.extend(resolutions.into_iter().map(|row| (subject, row)));
        missing.extend(lacks);
    }
    found.discrepancies.extend(discrepancies::of_names(&missing));
}

/// What is evaluated: every product by every metric.
fn keys(tenant: TenantId, rules: &BTreeMap<ProductId, Rule>) -> BTreeSet<Key> {
    let key = |product: &ProductId, metric| Key { tenant, product: *product, metric };
    rules.keys().flat_map(|product| Metric::ALL.map(|metric| key(product, metric))).collect()
}

/// The accounts of a tenant: those that stand somewhere, and those that use or hold something.
fn account_tree(
    tenant: TenantId,
    reference: &[(Known, Span)],
    resolutions: &[(Subject, Resolution)],
    rights: &[Right],
) -> Tree {
    let mut accounts = Tree::of_accounts(tenant, reference);
    let used = resolutions.iter().filter(|(subject, _)| subject.tenant == tenant);
    accounts.nodes.extend(used.map(|(_, means)| means.account.0));
    let granted = rights.iter().filter(|right| right.tenant == tenant);
    accounts.nodes.extend(granted.map(|right| right.account.0));
    if !accounts.nodes.is_empty() {
        accounts.nodes.insert(AccountId::unattributed(tenant).0);
    }
    accounts
}

/// Everyone who said something.
fn tenants(case: &Case<'_>) -> BTreeSet<TenantId> {
    case.facts.iter().map(|(tenant, _)| *tenant).collect()
}

/// Whether a fact is shown to people as it is.
fn is_shown(body: &Body<Id>) -> bool {
    matches!(
        body,
        Body::ObservedSession(_)
            | Body::ObservedServer(_)
            | Body::Reservation(_)
            | Body::Server(_)
            | Body::Account(_)
            | Body::Reject(_)
    )
}
