//! What is installed where, what suites that makes, and what the hardware under it needs (2.2, 2.5, 2.6,
//! 2.15): every rule at every instant, over all machines.

use super::counting::half_even;
use super::levels::is_credit;
use super::names::Names;
use super::rights::quantity;
use super::spans::{bounds, joined, pieces, together};
use super::uses::{Group, Use};
use super::{Case, Right, Rule};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::catalog::SuiteMember;
use trueup_model::derived::Subject;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::fact::{Body, FactId};
use trueup_model::factor::{Factor, FactorKind};
use trueup_model::hardware::{Machine, Partition};
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::processors::ProcessorRule;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;
use trueup_policy::rules::SuiteOrder;

/// A product on a machine; ordered as ties between installs are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Install {
    pub(super) tenant: TenantId,
    pub(super) product: ProductId,
    device: DeviceId,
    listed_as: DeviceId,
    account: AccountId,
    user: Option<UserId>,
    span: Span,
    taken_at: Option<Timestamp>,
}

/// Something about a machine that is not known: what, of which product, which machine.
pub(super) type Lack = (TenantId, DiscrepancyKind, ProductId, DeviceId);

/// When a row of an inventory was seen, if its version has a date.
fn taken_at(row: &Known, span: Span) -> Option<Timestamp> {
    row.document.filter(|_| span.start.is_calendar()).map(|_| span.start)
}

/// When what was seen then no longer counts.
fn deadline(taken_at: Option<Timestamp>, after_us: Option<i64>) -> Timestamp {
    match (taken_at, after_us) {
        (Some(taken), Some(after)) => taken.plus_us(after),
        _ => Timestamp::MAX,
    }
}

/// Whose meaning says which machine and product an inventory means.
pub(super) fn subjects(in_force: &[(Known, Span)]) -> Vec<(Subject, Span, Option<Timestamp>)> {
    let listed = in_force.iter().filter_map(|(row, span)| {
        let Body::Install(install) = &row.body else { return None };
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: install.product.into(),
            user: install.user.map(Into::into),
            device: Some(install.device.into()),
            account: install.account.map(Into::into),
        };
        Some((subject, install.span.overlap(*span)?, taken_at(row, *span)))
    });
    listed.collect()
}

/// What is installed, with suites in the place of their components.
pub(super) fn installs(
    case: &Case<'_>,
    in_force: &[(Known, Span)],
    names: &Names,
    rights: &[Right],
) -> Vec<Install> {
    let mut listed = Vec::new();
    for (subject, span, taken_at) in subjects(in_force) {
        let Some(listed_as) = subject.device else { continue };
        for means in names.resolve(&subject).0 {
            let Some(span) = means.span.overlap(span) else { continue };
            listed.push(Install {
                tenant: subject.tenant,
                product: means.product,
                device: means.device.unwrap_or(listed_as),
                listed_as,
                account: means.account,
                user: means.user,
                span,
                taken_at,
            });
        }
    }
    let rules: Vec<(TenantId, SuiteMember<Id>)> = in_force
        .iter()
        .filter_map(|(row, span)| {
            let Body::SuiteMember(rule) = row.body else { return None };
            Some((row.tenant, SuiteMember { span: rule.span.overlap(*span)?, ..rule }))
        })
        .collect();
    let mut cuts = bounds(listed.iter().map(|one| one.span));
    cuts.extend(bounds(rules.iter().map(|(_, rule)| rule.span)));
    cuts.extend(bounds(rights.iter().map(|right| right.span)));
    let mut found: BTreeMap<(Install, Option<Span>), BTreeSet<Span>> = BTreeMap::new();
    let machines: BTreeSet<(TenantId, DeviceId)> =
        listed.iter().map(|one| (one.tenant, one.device)).collect();
    for piece in pieces(cuts) {
        for (tenant, device) in &machines {
            let on = |one: &&Install| {
                one.tenant == *tenant && one.device == *device && one.span.contains(piece.start)
            };
            let there: Vec<Install> = listed.iter().filter(on).copied().collect();
            let of_tenant = rules.iter().filter(|(whose, _)| whose == tenant);
            let held: Vec<SuiteMember<Id>> = of_tenant.map(|(_, rule)| *rule).collect();
            for one in with_suites(case, &there, &held, rights, piece.start) {
                found.entry(one).or_default().insert(piece);
            }
        }
    }
    // What stays the same is one install, whatever else changes in between.
    let mut whole = Vec::new();
    for ((one, _), pieces) in found {
        let spans = joined(pieces.into_iter().map(|piece| (piece, ())));
        whole.extend(spans.into_iter().map(|(span, ())| Install { span, ..one }));
    }
    whole
}

/// What counts on one machine at an instant: suites, and what no suite takes, with the whole time for
/// which it is listed if it is.
fn with_suites(
    case: &Case<'_>,
    there: &[Install],
    rules: &[SuiteMember<Id>],
    rights: &[Right],
    at: Timestamp,
) -> Vec<(Install, Option<Span>)> {
    let apart = |one: &Install| Install { span: Span::ALWAYS, ..*one };
    let products: BTreeSet<ProductId> = there.iter().map(|one| one.product).collect();
    let mut members: BTreeMap<ProductId, BTreeMap<ProductId, (bool, u32)>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.span.contains(at)) {
        let suite = members.entry(rule.suite.into()).or_default();
        let asks = (rule.mandatory, rule.percent);
        let least = suite.entry(rule.component.into()).or_insert(asks);
        *least = (*least).min(asks);
    }
    let mut suites: Vec<(ProductId, BTreeSet<ProductId>)> = Vec::new();
    for (suite, components) in members {
        let here: BTreeSet<ProductId> =
            components.keys().filter(|one| products.contains(one)).copied().collect();
        let mandatory: BTreeSet<&ProductId> =
            components.iter().filter(|(_, asks)| asks.0).map(|(one, _)| one).collect();
        let percent = components.values().map(|asks| asks.1).min().unwrap_or(100);
        let others = components.len() - mandatory.len();
        let others_here = here.iter().filter(|one| !mandatory.contains(one)).count();
        let enough = !here.is_empty()
            && mandatory.iter().all(|one| here.contains(one))
            && others_here as u64 * 100 >= u64::from(percent) * others as u64;
        // Components that were all bought by themselves may come first.
        let order = case.settings.get(&suite).map(|settings| settings.suite_order);
        let bought = here.iter().all(|component| {
            let own = rights.iter().filter(|right| right.product == *component);
            own.filter(|right| right.span.contains(at)).any(|right| !is_credit(right))
        });
        let enough = enough && !(bought && order == Some(SuiteOrder::ComponentFirst));
        if products.contains(&suite) || enough {
            suites.push((suite, here));
        }
    }
    suites.sort_by_key(|(suite, here)| (std::cmp::Reverse(here.len()), *suite));
    let mut left = products.clone();
    let mut found = Vec::new();
    for (suite, here) in suites {
        let takes: BTreeSet<ProductId> = here.into_iter().filter(|one| left.remove(one)).collect();
        if !takes.is_empty() && !products.contains(&suite) {
            let first = there.iter().filter(|one| takes.contains(&one.product)).min();
            found.extend(first.map(|one| (Install { product: suite, ..apart(one) }, None)));
        }
    }
    let free = there.iter().filter(|one| left.contains(&one.product));
    found.extend(free.map(|one| (apart(one), Some(one.span))));
    found
}

/// Every machine and factor that inventories and tables state for a tenant.
pub(super) struct Hardware {
    machines: Vec<(Machine<Id>, Span, Option<Timestamp>)>,
    factors: Vec<(Factor<Id>, Span)>,
}

/// A ratio.
type Ratio = (i128, i128);

impl Hardware {
    pub(super) fn new(tenant: TenantId, in_force: &[(Known, Span)]) -> Self {
        let mut hardware = Self { machines: Vec::new(), factors: Vec::new() };
        for (row, span) in in_force.iter().filter(|(row, _)| row.tenant == tenant) {
            if let Body::Machine(machine) = row.body
                && let Some(held) = machine.span.overlap(*span)
            {
                hardware.machines.push((machine, held, taken_at(row, *span)));
            }
            if let Body::Factor(factor) = row.body
                && let Some(held) = factor.span.overlap(*span)
            {
                hardware.factors.push((factor, held));
            }
        }
        hardware.machines.sort_unstable();
        hardware.factors.sort_unstable();
        hardware
    }

    /// The rows of weights and bands.
    pub(super) fn factors(&self, kind: FactorKind) -> impl Iterator<Item = &(Factor<Id>, Span)> {
        self.factors.iter().filter(move |(factor, _)| factor.kind == kind)
    }

    fn cuts(&self, after_us: Option<i64>) -> Vec<Timestamp> {
        let mut cuts = bounds(self.machines.iter().map(|(_, span, _)| *span));
        cuts.extend(bounds(self.factors.iter().map(|(_, span)| *span)));
        cuts.extend(self.machines.iter().map(|(_, _, taken)| deadline(*taken, after_us)));
        cuts
    }

    fn at(
        &self,
        device: DeviceId,
        at: Timestamp,
    ) -> Option<&(Machine<Id>, Span, Option<Timestamp>)> {
        let of = |row: &&(Machine<Id>, Span, Option<Timestamp>)| {
            DeviceId::from(row.0.device) == device && row.1.contains(at)
        };
        self.machines.iter().filter(of).max()
    }

    /// What a core of a model counts, and whether a table says so.
    fn factor(
        &self,
        kind: FactorKind,
        model: Option<Id>,
        at: Timestamp,
        usual: Ratio,
    ) -> (Ratio, bool) {
        let stated = |wanted: Option<Id>| {
            self.factors(kind)
                .filter(|(factor, span)| factor.model == wanted && span.contains(at))
                .filter(|(factor, _)| factor.per.0 > 0 && factor.value.0 >= 0)
                .map(|(factor, _)| (i128::from(factor.value.0), i128::from(factor.per.0)))
                .last()
        };
        let own = model.and_then(|model| stated(Some(model)));
        own.or_else(|| stated(None)).map_or((usual, false), |ratio| (ratio, true))
    }
}

/// What the machines of a tenant need, and what is not known of them.
pub(super) fn needs(
    case: &Case<'_>,
    installs: &[Install],
    rules: &BTreeMap<ProductId, Rule>,
    hardware: &Hardware,
) -> (Vec<Use>, BTreeMap<Lack, Span>) {
    let mut uses = Vec::new();
    let mut lacks: BTreeMap<Lack, Vec<Span>> = BTreeMap::new();
    for one in installs {
        let Some(rule) = rules.get(&one.product) else { continue };
        let until = deadline(one.taken_at, rule.settings.stale_after_us);
        let lack = |kind| (one.tenant, kind, one.product, one.device);
        let counted = one.span.intersect(Span::new(Timestamp::MIN, until));
        let silent = Span::new(until.max(one.span.start), one.span.end);
        if !silent.is_empty() {
            lacks.entry(lack(DiscrepancyKind::StaleDevice)).or_default().push(silent);
        }
        if counted.is_empty() {
            continue;
        }
        uses.push(Use { metric: Metric::Device, user: one.user, ..blank(one, counted, 1) });
        let core = rule.counts(Metric::Core);
        let minimum = rule.settings.user_minimum;
        if !core && minimum.each == 0 {
            continue;
        }
        for piece in pieces(hardware.cuts(None)).into_iter().filter_map(|one| one.overlap(counted))
        {
            let Some(need) = of_cores(one, rule, hardware, piece.start) else {
                lacks.entry(lack(DiscrepancyKind::UnknownCpuModel)).or_default().push(piece);
                continue;
            };
            if !need.known && rule.settings.processors == ProcessorRule::CoresByFactor {
                lacks.entry(lack(DiscrepancyKind::MissingCoreFactor)).or_default().push(piece);
            }
            let group = Group::Hardware(need.together, false);
            let row = Use { metric: Metric::Core, group, ..blank(one, piece, need.licenses) };
            uses.extend(core.then_some(row));
            if minimum.each > 0 {
                let basis = if minimum.by_license { need.licenses } else { need.cores };
                let units = quantity(basis * i128::from(minimum.each) * 1_000_000);
                let group = Group::Hardware(need.together, true);
                uses.push(Use { metric: Metric::NamedUser, units, group, least: true, ..row });
            }
        }
    }
    for (product, rule) in rules.iter().filter(|(_, rule)| rule.counts(Metric::ProcessorValue)) {
        let of: Vec<Install> =
            installs.iter().filter(|one| one.product == *product).copied().collect();
        by_host(&of, rule, hardware, &mut uses, &mut lacks);
    }
    let mut merged = BTreeMap::new();
    for (lack, spans) in lacks {
        let whole = together(spans);
        let due = whole.iter().filter(|span| span.start <= case.horizon);
        let first = due.clone().map(|span| span.start).min();
        let last = due.map(|span| span.end).max();
        merged.extend(first.zip(last).map(|(first, last)| (lack, Span::new(first, last))));
    }
    (uses, merged)
}

fn blank(one: &Install, span: Span, whole: i128) -> Use {
    Use {
        tenant: one.tenant,
        product: one.product,
        account: one.account,
        metric: Metric::Device,
        group: Group::Device(one.device),
        span,
        units: quantity(whole * 1_000_000),
        user: None,
        device: Some(one.device),
        country: None,
        part: one.product,
        weight: (1, 1),
        least: false,
        fact: FactId::default(),
    }
}

/// What an install needs of cores at an instant.
struct Need {
    licenses: i128,
    cores: i128,
    together: Id,
    known: bool,
}

/// The hardware that counts for an install at an instant, and what it needs.
fn of_cores(one: &Install, rule: &Rule, hardware: &Hardware, at: Timestamp) -> Option<Need> {
    let (own, ..) = hardware.at(one.listed_as, at)?;
    let host = own.host.map(DeviceId::from);
    let mut counted: Vec<Machine<Id>> = Vec::new();
    if own.partition == Partition::Soft {
        let all: BTreeSet<DeviceId> = match own.cluster {
            Some(cluster) => {
                let inside =
                    hardware.machines.iter().filter(|(row, ..)| row.cluster == Some(cluster));
                inside.map(|(row, ..)| row.device.into()).collect()
            }
            None => host.into_iter().collect(),
        };
        let rows = all.into_iter().filter_map(|one| hardware.at(one, at));
        counted.extend(rows.map(|(row, ..)| *row).filter(|row| row.virtual_cores == 0));
    }
    let wide = !counted.is_empty();
    let on = host.and_then(|host| hardware.at(host, at));
    if !wide {
        let model = own.model.or(on.and_then(|(on, ..)| on.model));
        counted.push(Machine { model, ..*own });
    }
    let together = match (wide, own.cluster, own.host) {
        (true, Some(cluster), _) => cluster,
        (true, None, Some(host)) => host,
        _ => one.device.into(),
    };
    let factors: Vec<(Ratio, bool)> = counted
        .iter()
        .map(|row| hardware.factor(FactorKind::Core, row.model, at, (1, 1)))
        .collect();
    let known = factors.iter().all(|(_, known)| *known);
    let hostless = !wide && own.virtual_cores > 0 && on.is_none();
    let ratios: Vec<Ratio> = factors.iter().map(|(ratio, _)| *ratio).collect();
    let licenses = licenses(rule.settings.processors, &counted, &ratios, hostless);
    let cores = counted.iter().map(cores_of).sum();
    Some(Need { licenses, cores, together, known })
}

/// The cores that a machine has or was given, at most its cap.
fn cores_of(row: &Machine<Id>) -> i128 {
    match row.virtual_cores {
        0 => i128::from(row.cores),
        given => i128::from(given.min(row.cap.unwrap_or(given))),
    }
}

fn up(dividend: i128, divisor: i128) -> i128 {
    (dividend + divisor - 1) / divisor
}

/// The rules of semantics 2.5, as they are written there.
fn licenses(
    rule: ProcessorRule,
    machines: &[Machine<Id>],
    factors: &[Ratio],
    hostless: bool,
) -> i128 {
    let own: i128 = machines.iter().map(cores_of).sum();
    let sum =
        |count: fn(&Machine<Id>) -> u32| machines.iter().map(|row| i128::from(count(row))).sum();
    let processors: i128 = sum(|row| row.processors);
    let threads: i128 = sum(|row| row.threads);
    let cores: i128 = if machines.len() == 1 { sum(|row| row.cores) } else { own };
    let is_virtual = machines.iter().all(|row| row.virtual_cores > 0);
    match rule {
        ProcessorRule::Cores => own,
        ProcessorRule::Processors => processors,
        ProcessorRule::CoresEightSixteen => cores.max(processors * 8).max(16),
        ProcessorRule::CoresFour if is_virtual => own.max(4),
        ProcessorRule::CoresFour => cores.max(processors * 4),
        ProcessorRule::CoresInEights => (up(own, 8) * 8).max(8),
        ProcessorRule::CoresByFactor => {
            let common: i128 = factors.iter().map(|(_, per)| *per).product();
            let parts = machines.iter().zip(factors);
            up(
                parts.map(|(row, (value, per))| cores_of(row) * value * (common / per)).sum(),
                common,
            )
        }
        ProcessorRule::VirtualInFours => up(own, 4),
        ProcessorRule::VirtualInTwos => up(own, 2),
        ProcessorRule::ProcessorsOfThirtyTwo => {
            processors * up(cores, 32 * processors.max(1)).max(1)
        }
        ProcessorRule::CoresSixteen => cores.max(processors * 16),
        ProcessorRule::ProcessorPairs => up(processors, 2),
        ProcessorRule::EvenProcessors if hostless => 1,
        ProcessorRule::EvenProcessors => up(processors, 2) * 2,
        ProcessorRule::HalfThreads => up(threads, 2),
    }
}

/// What runs on each host together, at most what the host has.
fn by_host(
    installs: &[Install],
    rule: &Rule,
    hardware: &Hardware,
    uses: &mut Vec<Use>,
    lacks: &mut BTreeMap<Lack, Vec<Span>>,
) {
    let after = rule.settings.stale_after_us;
    let mut cuts = hardware.cuts(after);
    cuts.extend(bounds(installs.iter().map(|one| one.span)));
    for piece in pieces(cuts) {
        let at = piece.start;
        let mut shares: BTreeMap<DeviceId, BTreeMap<DeviceId, i128>> = BTreeMap::new();
        let mut first: BTreeMap<DeviceId, Install> = BTreeMap::new();
        for one in installs.iter().filter(|one| one.span.contains(at)) {
            let gap =
                (one.tenant, DiscrepancyKind::SubcapacityEvidenceGap, one.product, one.device);
            let Some((row, _, taken)) = hardware.at(one.listed_as, at) else {
                lacks.entry(gap).or_default().push(piece);
                continue;
            };
            let host = row.host.map_or(one.listed_as, DeviceId::from);
            let on = hardware.at(host, at).map(|(on, ..)| *on);
            let mut share = cores_of(row);
            if row.virtual_cores > 0 && at >= deadline(*taken, after) {
                lacks.entry(gap).or_default().push(piece);
                share = share.max(on.map_or(0, |on| i128::from(on.cores)));
            }
            shares.entry(host).or_default().insert(one.listed_as, share);
            let kept = first.entry(host).or_insert(*one);
            let order = |one: &Install| Install { span: one.span, ..*one };
            if order(one) < order(kept) {
                *kept = *one;
            }
        }
        for (host, shares) in shares {
            let Some(one) = first.get(&host) else { continue };
            let on = hardware.at(host, at).map(|(on, ..)| *on);
            let sum: i128 = shares.values().sum();
            let physical = on.filter(|on| on.virtual_cores == 0);
            let cores = physical.map_or(sum, |on| sum.min(i128::from(on.cores)));
            let model = on.and_then(|on| on.model);
            let usual = (120_000_000, 1_000_000);
            let (ratio, known) = hardware.factor(FactorKind::ProcessorValue, model, at, usual);
            if !known {
                let lack = (one.tenant, DiscrepancyKind::UnknownCpuModel, one.product, host);
                lacks.entry(lack).or_default().push(piece);
            }
            let millionths = half_even(cores * ratio.0 * 1_000_000, ratio.1);
            uses.push(Use {
                metric: Metric::ProcessorValue,
                group: Group::Hardware(host.into(), false),
                device: Some(host),
                units: quantity(millionths),
                ..blank(one, piece, 0)
            });
        }
    }
}
