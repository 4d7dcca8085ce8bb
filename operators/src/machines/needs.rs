//! What an install needs of its machine, and what everything on a host needs together.

use super::hardware::Hardware;
use super::{Found, Lack, MachineRow};
use crate::Diff;
use crate::attribute::{Place, Rule, Use};
use crate::installs::{Installed, fresh};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::fact::FactId;
use trueup_model::factor::FactorKind;
use trueup_model::hardware::Partition;
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, DeviceId};
use trueup_model::metric::Metric;
use trueup_model::processors::{ProcessorRule, Shape, Weight, needed_together};
use trueup_model::quantity::{Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};

/// What a core counts that no table names, in value units.
const UNKNOWN_VALUE: Weight = Weight { value: Quantity(120_000_000), per: Quantity::ONE };

/// From when on a machine was silent for too long, if no later inventory mentions it.
pub(super) fn stale(one: &Installed, rule: &Rule) -> Option<Lack> {
    let counted = fresh(one.span, one.taken_at, rule.settings.stale_after_us);
    let span = Span::new(counted.end, one.span.end);
    let kind = DiscrepancyKind::StaleDevice;
    let (tenant, product, device) = (one.tenant, one.product, one.device);
    (!span.is_empty()).then_some(Lack { tenant, kind, product, device, span })
}

/// Joins what touches and differs in nothing but its time.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    let apart = |one: &Found| match *one {
        Found::Use(one) => (Found::Use(Use { span: Span::default(), ..one }), one.span),
        Found::Lack(one) => (Found::Lack(Lack { span: Span::default(), ..one }), one.span),
    };
    found.sort_unstable_by_key(apart);
    let mut joined: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        let (row, span) = apart(&one);
        let before = joined.last().map(apart);
        if let Some((last, held)) = before
            && last == row
            && held.end == span.start
        {
            joined.pop();
            let whole = Span::new(held.start, span.end);
            joined.push(match row {
                Found::Use(row) => Found::Use(Use { span: whole, ..row }),
                Found::Lack(row) => Found::Lack(Lack { span: whole, ..row }),
            });
            continue;
        }
        joined.push(one);
    }
    joined
}

/// Cuts a span at instants inside of it.
fn cut(span: Span, bounds: impl IntoIterator<Item = Timestamp>) -> Vec<Span> {
    let mut cuts: BTreeSet<Timestamp> = bounds.into_iter().collect();
    cuts.retain(|at| span.contains(*at));
    cuts.extend([span.start, span.end]);
    let cuts: Vec<Timestamp> = cuts.into_iter().collect();
    cuts.windows(2).map(|pair| Span::new(pair[0], pair[1])).collect()
}

/// What an install needs of its machine under the metric of cores, and as a least count of users.
pub(super) fn of_install(one: &Installed, rule: &Rule, hardware: &Hardware) -> Vec<Found> {
    let by_core = rule.counts(Metric::Core);
    let minimum = rule.settings.user_minimum;
    if !by_core && minimum.each == 0 {
        return Vec::new();
    }
    let span = fresh(one.span, one.taken_at, rule.settings.stale_after_us);
    let mut bounds: Vec<Timestamp> = hardware.factor_bounds(FactorKind::Core).collect();
    for row in hardware.rows_of(one.raw_device) {
        bounds.extend([row.span.start, row.span.end]);
        for device in together_with(row, hardware) {
            bounds
                .extend(hardware.rows_of(device).flat_map(|near| [near.span.start, near.span.end]));
        }
    }
    let mut found = Vec::new();
    for piece in cut(span, bounds) {
        let lack = |kind| Lack {
            tenant: one.tenant,
            kind,
            product: one.product,
            device: one.device,
            span: piece,
        };
        let Some(row) = hardware.at(one.raw_device, piece.start) else {
            found.push(Found::Lack(lack(DiscrepancyKind::UnknownCpuModel)));
            continue;
        };
        let counted = shapes(row, hardware, piece.start, one.device);
        let factored = rule.settings.processors == ProcessorRule::CoresByFactor;
        if factored && !counted.known {
            found.push(Found::Lack(lack(DiscrepancyKind::MissingCoreFactor)));
        }
        let licenses = needed_together(rule.settings.processors, &counted.shapes);
        let group = |least: u64| Some(mix(&[one.product.0, counted.group, least]));
        let need = Use { metric: Metric::Core, group: group(0), ..blank(one, piece, licenses) };
        if by_core {
            found.push(Found::Use(need));
        }
        if minimum.each > 0 {
            let cores: u64 = counted.shapes.iter().map(|(shape, _)| shape.own_cores()).sum();
            let cores = Quantity::units(i64::try_from(cores).unwrap_or(i64::MAX));
            let basis = if minimum.by_license { licenses } else { cores };
            let units = Quantity(basis.0.saturating_mul(i64::from(minimum.each)));
            let metric = Metric::NamedUser;
            found.push(Found::Use(Use { metric, units, group: group(1), least: true, ..need }));
        }
    }
    joined(found)
}

fn blank(one: &Installed, span: Span, units: Quantity) -> Use {
    Use {
        tenant: one.tenant,
        product: one.product,
        account: one.account,
        metric: Metric::Core,
        group: None,
        span,
        units,
        user: None,
        device: Some(one.device),
        place: Place::Anywhere,
        session: FactId::default(),
        weight: Weight::ONE,
        part: one.product,
        least: false,
    }
}

/// The hardware that counts for an install.
struct Counted {
    shapes: Vec<(Shape, Weight)>,
    /// What makes it one: the machine, or the cluster that it may move in.
    group: u64,
    /// Whether a table names all of its models.
    known: bool,
}

/// The machines that count together with one, besides itself.
fn together_with(row: &MachineRow, hardware: &Hardware) -> Vec<DeviceId> {
    let host = row.machine.host.map(DeviceId::from);
    match (row.machine.partition, row.machine.cluster) {
        (Partition::Soft, Some(cluster)) => hardware.members(row.tenant, cluster).collect(),
        (Partition::Soft | Partition::None | Partition::Hard, _) => host.into_iter().collect(),
    }
}

/// The shapes that count for a machine at an instant: its own, or those of the cluster, else of the
/// host, that a soft partition may move over.
fn shapes(row: &MachineRow, hardware: &Hardware, at: Timestamp, device: DeviceId) -> Counted {
    let factor_of = |model| hardware.factor(FactorKind::Core, row.tenant, model, at, Weight::ONE);
    let host = row.machine.host.map(DeviceId::from);
    let soft = row.machine.partition == Partition::Soft;
    let wide: Vec<&MachineRow> = match soft {
        false => Vec::new(),
        true => together_with(row, hardware)
            .into_iter()
            .filter_map(|one| hardware.at(one, at))
            .filter(|one| one.machine.virtual_cores == 0)
            .collect(),
    };
    if wide.is_empty() {
        let on = host.and_then(|host| hardware.at(host, at));
        let model = row.machine.model.or(on.and_then(|on| on.machine.model));
        let factor = factor_of(model);
        let shapes = vec![(shape(row, on.is_none()), factor.weight)];
        return Counted { shapes, group: device.0, known: factor.known };
    }
    let factors: Vec<_> = wide.iter().map(|one| factor_of(one.machine.model)).collect();
    let known = factors.iter().all(|one| one.known);
    let shapes = wide.iter().zip(&factors).map(|(one, f)| (shape(one, false), f.weight)).collect();
    let group = match (row.machine.cluster, host) {
        (Some(cluster), _) => cluster.0,
        (None, Some(host)) => host.0,
        (None, None) => device.0,
    };
    Counted { shapes, group, known }
}

fn shape(row: &MachineRow, hostless: bool) -> Shape {
    let machine = &row.machine;
    let assigned = machine.virtual_cores.min(machine.cap.unwrap_or(u32::MAX));
    Shape {
        processors: u64::from(machine.processors),
        cores: u64::from(machine.cores),
        threads: u64::from(machine.threads),
        virtual_cores: (machine.virtual_cores > 0).then_some(u64::from(assigned)),
        without_host: machine.virtual_cores > 0 && hostless,
    }
}

/// The installs of a product by the names of their machines.
type Installs = BTreeMap<DeviceId, BTreeMap<Installed, Diff>>;

/// What everything of a product on a host needs under the metric of processor values.
pub(super) fn of_host(
    host: DeviceId,
    installs: &Installs,
    rule: &Rule,
    hardware: &Hardware,
) -> Vec<Found> {
    if !rule.counts(Metric::ProcessorValue) {
        return Vec::new();
    }
    let near: BTreeSet<DeviceId> = std::iter::once(host).chain(hardware.guests_of(host)).collect();
    let mut rows: Vec<&Installed> =
        near.iter().filter_map(|one| installs.get(one)).flat_map(BTreeMap::keys).collect();
    rows.sort_unstable();
    let after = rule.settings.stale_after_us;
    let mut bounds: Vec<Timestamp> = hardware.factor_bounds(FactorKind::ProcessorValue).collect();
    for one in &near {
        for row in hardware.rows_of(*one) {
            let proven = fresh(row.span, row.taken_at, after);
            bounds.extend([row.span.start, proven.end, row.span.end]);
        }
    }
    bounds.extend(rows.iter().flat_map(|one| [one.span.start, one.span.end]));
    let mut found = Vec::new();
    for piece in cut(Span::ALWAYS, bounds) {
        let installed: Vec<&Installed> =
            rows.iter().filter(|one| one.span.contains(piece.start)).copied().collect();
        on_host(host, &installed, piece, after, hardware, &mut found);
    }
    joined(found)
}

/// Adds what installs need of a host in a piece of time in which nothing changes.
fn on_host(
    host: DeviceId,
    installed: &[&Installed],
    piece: Span,
    after: Option<i64>,
    hardware: &Hardware,
    found: &mut Vec<Found>,
) {
    let at = piece.start;
    let on = hardware.at(host, at);
    let mut shares: BTreeMap<DeviceId, u64> = BTreeMap::new();
    let mut first: Option<(&Installed, AccountId)> = None;
    for one in installed {
        let row = hardware.at(one.raw_device, at);
        let runs_on = row.and_then(|row| row.machine.host).map_or(one.raw_device, DeviceId::from);
        if runs_on != host {
            continue;
        }
        let all = on.map_or(0, |on| u64::from(on.machine.cores));
        let lack = |kind| {
            Found::Lack(Lack {
                tenant: one.tenant,
                kind,
                product: one.product,
                device: one.device,
                span: piece,
            })
        };
        let share = match row {
            None => {
                found.push(lack(DiscrepancyKind::SubcapacityEvidenceGap));
                continue;
            }
            Some(row) if row.machine.virtual_cores == 0 => u64::from(row.machine.cores),
            Some(row) if !fresh(row.span, row.taken_at, after).contains(at) => {
                found.push(lack(DiscrepancyKind::SubcapacityEvidenceGap));
                all.max(shape(row, false).own_cores())
            }
            Some(row) => shape(row, false).own_cores(),
        };
        shares.insert(one.raw_device, share);
        first = first.or(Some((one, one.account)));
    }
    let Some((one, account)) = first else { return };
    let sum: u64 = shares.values().sum();
    let physical = on.filter(|on| on.machine.virtual_cores == 0);
    let cores = physical.map_or(sum, |row| sum.min(u64::from(row.machine.cores)));
    let model = on.and_then(|on| on.machine.model);
    let kind = FactorKind::ProcessorValue;
    let factor = hardware.factor(kind, one.tenant, model, at, UNKNOWN_VALUE);
    if !factor.known {
        found.push(Found::Lack(Lack {
            tenant: one.tenant,
            kind: DiscrepancyKind::UnknownCpuModel,
            product: one.product,
            device: host,
            span: piece,
        }));
    }
    let value = i128::from(cores).saturating_mul(i128::from(factor.weight.value.0));
    let per = i128::from(factor.weight.per.0);
    let unit = i128::from(Quantity::ONE.0);
    let units = divide(value.saturating_mul(unit), per, Rounding::HalfEven);
    let units = Quantity(i64::try_from(units).unwrap_or(i64::MAX));
    let metric = Metric::ProcessorValue;
    let group = Some(mix(&[one.product.0, host.0]));
    found.push(Found::Use(Use {
        metric,
        group,
        account,
        device: Some(host),
        ..blank(one, piece, units)
    }));
}
