//! Discrepancies: what someone must look at.
//!
//! Positions whose demand is not covered, close to the limit, or far below it; names without a
//! mapping; facts that contradict each other; sources that say different things of one pool. Each is a
//! function of one row, or a count of rows, so it goes when its cause goes.
//!
//! Work per change: the changed rows.

use crate::Facts;
use crate::allocate::Remark;
use crate::dedupe::Conflict;
use crate::hierarchy::Misplaced;
use crate::keyed::{Keyed as _, Rows as _};
use crate::machines::Lack;
use crate::resolve::Unmapped;
use std::cmp::Ordering;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::derived::{OrphanClose, PoolState};
use trueup_model::discrepancy::{Claim, Disagreement, Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, NameKind, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{BasisGap, LicensePosition, PositionKey, PositionState, Statement};
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::ProductSettings;

/// What can be wrong.
pub struct Causes<'s> {
    /// What is wrong with positions.
    pub positions: Facts<'s, Discrepancy>,
    /// Names without a mapping.
    pub unmapped: Facts<'s, Unmapped>,
    /// Nodes without a place in the account tree.
    pub misplaced: Facts<'s, Misplaced>,
    /// Facts that contradict each other.
    pub conflicts: Facts<'s, Conflict>,
    /// Returns without a checkout.
    pub orphans: Facts<'s, OrphanClose>,
    /// What sources say of pools.
    pub pools: Facts<'s, PoolState>,
    /// Claims about one right that differ.
    pub gaps: Facts<'s, BasisGap>,
    /// What is not known of machines.
    pub lacks: Facts<'s, Lack>,
    /// Closed periods.
    pub statements: Facts<'s, Statement>,
    /// What the policy calls out of the ordinary.
    pub anomalies: Facts<'s, Discrepancy>,
    /// What is wrong with contracts by themselves.
    pub contracts: Facts<'s, Discrepancy>,
    /// What happens at positions besides what is short.
    pub remarks: Facts<'s, Remark>,
}

/// Gives every discrepancy; positions are judged in periods of `period`.
pub fn reconcile(causes: Causes<'_>, period: PeriodUnit) -> Facts<'_, Discrepancy> {
    let of_names = causes.unmapped.map(|row| Discrepancy {
        subject: Some((row.name_kind, row.name)),
        ..plain(row.kind, row.tenant)
    });
    let of_places = causes.misplaced.map(|row| Discrepancy {
        account: Some(AccountId(row.node)),
        first_at: row.span.start,
        last_at: row.span.end,
        ..plain(row.kind, row.tenant)
    });
    let of_conflicts =
        causes.conflicts.map(|row| (row.tenant, row.provenance.document)).counts().map(
            |((tenant, document), count)| Discrepancy {
                subject: Some((NameKind::Document, document)),
                magnitude: counted(count),
                ..plain(DiscrepancyKind::ConflictingDuplicate, tenant)
            },
        );
    let of_orphans = causes
        .orphans
        .flat_map(|row| Some((row.subject.tenant, row.subject.server?, row.sign)))
        .counts()
        .map(|((tenant, server, sign), count)| Discrepancy {
            subject: Some((NameKind::Server, server.into())),
            magnitude: counted(count),
            ..plain(orphaned(sign), tenant)
        });
    let of_pools = causes.pools.filter(|state| state.latest).flat_map(|state| of_pool(&state));
    let of_gaps = causes.gaps.map(|gap| of_gap(&gap));
    let of_lacks = causes
        .lacks
        .map(|lack| ((lack.tenant, lack.kind, lack.product, lack.device), lack.span))
        .grouped("Reconcile: lacks", |_lack, spans, found| {
            let first = spans.iter().map(|(span, _)| span.start).min();
            let last = spans.iter().map(|(span, _)| span.end).max();
            found.extend(first.zip(last).map(|(first, last)| (Span::new(first, last), 1)));
        })
        .map(|((tenant, kind, product, device), span)| Discrepancy {
            product: Some(product),
            subject: Some((NameKind::Device, device.into())),
            first_at: span.start,
            last_at: span.end,
            ..plain(kind, tenant)
        });
    let of_statements = causes.statements.flat_map(|statement| of_statement(&statement));
    let of_remarks =
        causes.remarks.filter(move |row| reported(row.key, period)).map(|row| of_remark(&row));
    causes.positions.concatenate([
        of_names,
        of_places,
        of_conflicts,
        of_orphans,
        of_pools,
        of_gaps,
        of_lacks,
        of_statements,
        causes.anomalies,
        causes.contracts,
        of_remarks,
    ])
}

/// What a line is called that is about nothing that is out.
fn orphaned(sign: bool) -> DiscrepancyKind {
    if sign { DiscrepancyKind::HeartbeatAfterClose } else { DiscrepancyKind::OrphanClose }
}

/// A discrepancy of which only kind and owner are known.
pub(crate) fn plain(kind: DiscrepancyKind, tenant: TenantId) -> Discrepancy {
    Discrepancy {
        severity: kind.severity(),
        kind,
        tenant,
        account: None,
        product: None,
        metric: None,
        subject: None,
        disagreement: None,
        period: Period::ALL,
        magnitude: Quantity::ONE,
        first_at: Timestamp::MIN,
        last_at: Timestamp::MAX,
        money: None,
    }
}

pub(crate) fn counted(count: isize) -> Quantity {
    Quantity::units(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Whether a position is judged: those of the position period, not the further periods that repeat
/// them; a volume has positions of one period only, its lines'.
pub(crate) fn reported(key: PositionKey, period: PeriodUnit) -> bool {
    // Levels have no periods shorter than a day; then all of time is judged.
    let judged = if period < PeriodUnit::Day { PeriodUnit::All } else { period };
    key.metric == Metric::Volume || key.period.unit == judged
}

pub(crate) fn is_near(position: &LicensePosition, settings: &ProductSettings) -> bool {
    let Capacity::Limited(limit) = position.entitled else { return false };
    // What is lent is what is needed: how much more could be is a matter of the product that lends.
    limit.0 > 0
        && position.lent <= Quantity::ZERO
        && i128::from(position.peak.0) * 100
            >= i128::from(limit.0) * i128::from(settings.near_percent)
}

fn is_shelfware(position: &LicensePosition, settings: &ProductSettings) -> bool {
    let Capacity::Limited(limit) = position.entitled else { return false };
    let surplus = i128::from(position.surplus.0) * 100;
    position.current
        && limit.0 > 0
        && surplus >= i128::from(limit.0) * i128::from(settings.shelfware_percent)
}

/// What is wrong with a position.
pub(crate) fn of_position(
    position: &LicensePosition,
    settings: &ProductSettings,
) -> Vec<Discrepancy> {
    let kind = position.state.discrepancy(position.key.metric == Metric::Feature);
    let mut found = Vec::new();
    if let Some(kind) = kind {
        let (magnitude, first_at, last_at) = match position.state {
            PositionState::Near | PositionState::CapacityUnknown => {
                let until =
                    if position.current { Timestamp::MAX } else { position.key.period.span.end };
                (position.peak, position.peak_at, until)
            }
            PositionState::Expired | PositionState::TrialEnded => {
                (position.expired_shortfall, position.expired_first, position.shortfall_last)
            }
            PositionState::Over
            | PositionState::WithinOverdraft
            | PositionState::InGrace
            | PositionState::Unlicensed
            | PositionState::Covered
            | PositionState::PassedUp => {
                (position.shortfall, position.shortfall_first, position.shortfall_last)
            }
        };
        let short = position.shortfall != Quantity::ZERO;
        let money = position.unit_price.filter(|_| short).map(|price| worth(magnitude, price));
        found.push(Discrepancy {
            magnitude,
            first_at,
            last_at,
            money,
            ..at_position(kind, &position.key)
        });
    }
    if is_shelfware(position, settings) {
        let money = position.unit_price.map(|price| worth(position.surplus, price));
        found.push(Discrepancy {
            magnitude: position.surplus,
            first_at: position.key.period.span.start,
            money,
            ..at_position(DiscrepancyKind::Shelfware, &position.key)
        });
    }
    found
}

fn of_remark(row: &Remark) -> Discrepancy {
    Discrepancy {
        account: Some(row.key.account),
        product: Some(row.key.product),
        metric: Some(row.key.metric),
        period: row.key.period,
        magnitude: row.magnitude,
        first_at: row.first_at,
        last_at: row.last_at,
        ..plain(row.kind, row.key.tenant)
    }
}

/// A discrepancy of a position.
pub(crate) fn at_position(kind: DiscrepancyKind, key: &PositionKey) -> Discrepancy {
    Discrepancy {
        account: Some(key.account),
        product: Some(key.product),
        metric: Some(key.metric),
        period: key.period,
        ..plain(kind, key.tenant)
    }
}

/// A quantity at a price, to the nearest millionth.
fn worth(quantity: Quantity, price: Money) -> Money {
    let product = i128::from(quantity.0) * i128::from(price.amount);
    let amount = divide(product, i128::from(ONE_UNIT), Rounding::HalfUp);
    let held = amount.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    Money { amount: i64::try_from(held).unwrap_or(i64::MAX), currency: price.currency }
}

/// Where the sources of a pool disagree.
fn of_pool(state: &PoolState) -> Vec<Discrepancy> {
    let mut found = Vec::new();
    let at_pool = |magnitude: Quantity, disagreement: Disagreement| Discrepancy {
        product: Some(state.feature),
        subject: Some((NameKind::Server, state.server.into())),
        disagreement: Some(disagreement),
        magnitude,
        first_at: state.at,
        last_at: state.at,
        ..plain(DiscrepancyKind::SourceDisagreement, state.tenant)
    };
    if let (Some(logged), Some(checked_out)) = (state.logged, state.checked_out) {
        // A license that lingers after its return is out for the server and in for the log.
        let most = Quantity::units(i64::from(checked_out));
        let least = Quantity::units(i64::from(checked_out.saturating_sub(state.lingering)));
        let apart = match (logged.cmp(&least), logged.cmp(&most)) {
            (Ordering::Less, _) => least.0 - logged.0,
            (_, Ordering::Greater) => logged.0 - most.0,
            _ => 0,
        };
        if apart != 0 {
            let disagreement = Disagreement {
                claim: Claim::Log,
                says: Capacity::Limited(logged),
                other_claim: Claim::ServerReport,
                other_says: Capacity::Limited(most),
            };
            found.push(at_pool(Quantity(apart), disagreement));
        }
    }
    if let (Some(licensed), Some(issued)) = (state.licensed, state.issued)
        && issued != Capacity::Unknown
        && licensed != issued
    {
        let disagreement = Disagreement {
            claim: Claim::LicenseFile,
            says: licensed,
            other_claim: Claim::ServerReport,
            other_says: issued,
        };
        found.push(at_pool(apart(licensed, issued), disagreement));
    }
    found
}

fn of_gap(gap: &BasisGap) -> Discrepancy {
    Discrepancy {
        product: Some(gap.product),
        metric: Some(gap.metric),
        disagreement: Some(Disagreement {
            claim: gap.basis.into(),
            says: gap.entitled,
            other_claim: gap.other_basis.into(),
            other_says: gap.other_entitled,
        }),
        magnitude: apart(gap.entitled, gap.other_entitled),
        ..plain(DiscrepancyKind::SourceDisagreement, gap.tenant)
    }
}

/// How far two capacities are apart; one unit if one of them is no number.
fn apart(one: Capacity, other: Capacity) -> Quantity {
    match (one, other) {
        (Capacity::Limited(one), Capacity::Limited(other)) => {
            let difference = i128::from(one.0) - i128::from(other.0);
            Quantity(i64::try_from(difference.abs()).unwrap_or(i64::MAX))
        }
        _ => Quantity::ONE,
    }
}

/// A closed period whose figure no longer is what it was.
fn of_statement(statement: &Statement) -> Option<Discrepancy> {
    let difference = i128::from(statement.restated.0) - i128::from(statement.issued.0);
    (difference != 0).then(|| Discrepancy {
        account: Some(statement.key.account),
        product: Some(statement.key.product),
        metric: Some(statement.key.metric),
        period: statement.key.period,
        magnitude: Quantity(i64::try_from(difference).unwrap_or(i64::MAX)),
        first_at: statement.closed_at,
        ..plain(DiscrepancyKind::LateAfterClose, statement.key.tenant)
    })
}
