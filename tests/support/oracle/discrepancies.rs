//! What someone must look at (B 3.6).

use super::inventory::Lack;
use super::known::Said;
use super::levels::Remark;
use super::names::Missing;
use super::rights::{quantity, together};
use super::{Key, Right, Rule, gauges};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::contract::Basis;
use trueup_model::derived::{OrphanClose, PoolState};
use trueup_model::discrepancy::{Claim, Disagreement, Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, Id, NameKind, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{LicensePosition, PositionKey, PositionState, Statement};
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity};
use trueup_model::time::{Span, Timestamp};

/// A discrepancy of which only kind and owner are known.
pub(super) fn plain(kind: DiscrepancyKind, tenant: TenantId) -> Discrepancy {
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

/// What is not known of machines.
pub(super) fn of_lacks(lacks: &BTreeMap<Lack, Span>) -> Vec<Discrepancy> {
    let lack = |(lack, span): (&Lack, &Span)| {
        let (tenant, kind, product, device) = *lack;
        Discrepancy {
            product: Some(product),
            subject: Some((NameKind::Device, device.into())),
            first_at: span.start,
            last_at: span.end,
            ..plain(kind, tenant)
        }
    };
    lacks.iter().map(lack).collect()
}

/// Calls a covered position near its limit if its peak is.
pub(super) fn judged(position: &LicensePosition, rule: &Rule) -> LicensePosition {
    let Capacity::Limited(limit) = position.entitled else { return *position };
    let share = i128::from(limit.0) * i128::from(rule.settings.near_percent);
    // What is lent is never more than what is needed.
    let borrows = position.lent > Quantity::ZERO;
    let near = limit.0 > 0 && !borrows && i128::from(position.peak.0) * 100 >= share;
    let state = match position.state {
        PositionState::Covered if near => PositionState::Near,
        other => other,
    };
    LicensePosition { state, ..*position }
}

/// Whether a position is judged or only repeats, for a further period, what is judged elsewhere.
///
/// A volume has positions of one period only: its lines'.
pub(super) fn is_judged(key: PositionKey, unit: PeriodUnit) -> bool {
    let own = key.period.unit;
    // Levels have no periods shorter than a day; then all of time is judged.
    let unit = if unit < PeriodUnit::Day { PeriodUnit::All } else { unit };
    key.metric == Metric::Volume || own == unit
}

/// What is wrong with a judged position.
pub(super) fn of_position(
    position: &LicensePosition,
    rule: &Rule,
    unit: PeriodUnit,
) -> Vec<Discrepancy> {
    if !is_judged(position.key, unit) {
        return Vec::new();
    }
    let here = |kind| Discrepancy {
        account: Some(position.key.account),
        product: Some(position.key.product),
        metric: Some(position.key.metric),
        period: position.key.period,
        ..plain(kind, position.key.tenant)
    };
    let until = if position.current { Timestamp::MAX } else { position.key.period.span.end };
    let short = (position.shortfall, position.shortfall_first, position.shortfall_last);
    let peak = (position.peak, position.peak_at, until);
    let expired = (position.expired_shortfall, position.expired_first, position.shortfall_last);
    let found = match position.state {
        PositionState::Covered | PositionState::PassedUp => None,
        PositionState::Near => Some((DiscrepancyKind::NearLimit, peak)),
        PositionState::CapacityUnknown => Some((DiscrepancyKind::CapacityUnknown, peak)),
        PositionState::WithinOverdraft => Some((DiscrepancyKind::OverInMargin, short)),
        PositionState::InGrace => Some((DiscrepancyKind::InGrace, short)),
        PositionState::Over => Some((DiscrepancyKind::OverUse, short)),
        PositionState::TrialEnded => Some((DiscrepancyKind::TrialEndedInUse, expired)),
        PositionState::Expired => Some((DiscrepancyKind::ExpiredInUse, expired)),
        PositionState::Unlicensed => Some((DiscrepancyKind::UnlicensedUse, short)),
    };
    let price = position.unit_price;
    let mut rows = Vec::new();
    let missing_feature = [DiscrepancyKind::UnlicensedUse, DiscrepancyKind::OverUse];
    let found = found.map(|(kind, figures)| match position.key.metric {
        Metric::Feature if missing_feature.contains(&kind) => {
            (DiscrepancyKind::UnlicensedFeatureUse, figures)
        }
        _ => (kind, figures),
    });
    if let Some((kind, (magnitude, first_at, last_at))) = found {
        let missing = position.shortfall > Quantity::ZERO;
        let money = price.filter(|_| missing).map(|price| worth(magnitude, price));
        rows.push(Discrepancy { magnitude, first_at, last_at, money, ..here(kind) });
    }
    if let Capacity::Limited(limit) = position.entitled {
        let share = i128::from(limit.0) * i128::from(rule.settings.shelfware_percent);
        let idle = i128::from(position.surplus.0) * 100 >= share;
        if position.current && limit.0 > 0 && idle {
            rows.push(Discrepancy {
                magnitude: position.surplus,
                first_at: position.key.period.span.start,
                money: price.map(|price| worth(position.surplus, price)),
                ..here(DiscrepancyKind::Shelfware)
            });
        }
    }
    rows
}

/// Something that happens at a judged position besides what is short.
pub(super) fn of_remark(row: &Remark, unit: PeriodUnit) -> Option<Discrepancy> {
    let (key, kind, most, span) = row;
    is_judged(*key, unit).then(|| Discrepancy {
        account: Some(key.account),
        product: Some(key.product),
        metric: Some(key.metric),
        period: key.period,
        magnitude: quantity(*most),
        first_at: span.start,
        last_at: span.end,
        ..plain(*kind, key.tenant)
    })
}

/// A quantity at a price per unit, to the nearest millionth, a half upwards.
fn worth(quantity: Quantity, price: Money) -> Money {
    let product = i128::from(quantity.0) * i128::from(price.amount);
    let whole = (2 * product + i128::from(ONE_UNIT)).div_euclid(2 * i128::from(ONE_UNIT));
    let most = i128::from(i64::MAX);
    let amount = i64::try_from(whole.min(most)).unwrap_or(i64::MIN);
    Money { amount, currency: price.currency }
}

/// Names that lack something, each once.
pub(super) fn of_names(missing: &BTreeSet<Missing>) -> Vec<Discrepancy> {
    let row = |(tenant, kind, name_kind, name): &Missing| Discrepancy {
        subject: Some((*name_kind, *name)),
        ..plain(*kind, *tenant)
    };
    missing.iter().map(row).collect()
}

/// Accounts without a place, with several, or in a circle.
pub(super) fn of_places(
    tenant: TenantId,
    problems: &[(u64, DiscrepancyKind, Span)],
) -> Vec<Discrepancy> {
    let row = |(node, kind, span): &(u64, DiscrepancyKind, Span)| Discrepancy {
        account: Some(AccountId(*node)),
        first_at: span.start,
        last_at: span.end,
        ..plain(*kind, tenant)
    };
    problems.iter().map(row).collect()
}

/// One row for each document with contradictions, and for each daemon with returns of nothing.
pub(super) fn of_counts(said: &Said, orphans: &[OrphanClose]) -> Vec<Discrepancy> {
    let mut counts: BTreeMap<(DiscrepancyKind, TenantId, NameKind, Id), i64> = BTreeMap::new();
    for conflict in &said.conflicts {
        let kind = DiscrepancyKind::ConflictingDuplicate;
        let key = (kind, conflict.tenant, NameKind::Document, conflict.document);
        *counts.entry(key).or_default() += 1;
    }
    for orphan in orphans {
        let Some(server) = orphan.subject.server else { continue };
        let kind = match orphan.sign {
            true => DiscrepancyKind::HeartbeatAfterClose,
            false => DiscrepancyKind::OrphanClose,
        };
        let key = (kind, orphan.subject.tenant, NameKind::Server, server.into());
        *counts.entry(key).or_default() += 1;
    }
    for (subject, count) in gauges::orphans(&said.known).into_iter().filter(|(_, count)| *count > 0)
    {
        let kind = DiscrepancyKind::OrphanClose;
        let key = (kind, subject.tenant, NameKind::Product, subject.feature.into());
        *counts.entry(key).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
    }
    let row = |((kind, tenant, name_kind, name), count)| Discrepancy {
        subject: Some((name_kind, name)),
        magnitude: Quantity::units(count),
        ..plain(kind, tenant)
    };
    counts.into_iter().map(row).collect()
}

/// Where log, license file and server differ about a pool.
pub(super) fn of_pool(state: &PoolState) -> Vec<Discrepancy> {
    if !state.latest {
        return Vec::new();
    }
    let row = |magnitude, disagreement| Discrepancy {
        product: Some(state.feature),
        subject: Some((NameKind::Server, state.server.into())),
        disagreement: Some(disagreement),
        magnitude,
        first_at: state.at,
        last_at: state.at,
        ..plain(DiscrepancyKind::SourceDisagreement, state.tenant)
    };
    let mut rows = Vec::new();
    if let (Some(logged), Some(out)) = (state.logged, state.checked_out) {
        // What lingers after its return may be out for the server and in for the log.
        let most = Quantity::units(i64::from(out));
        let least = Quantity::units(i64::from(out - state.lingering.min(out)));
        let apart = (least.0 - logged.0).max(logged.0 - most.0);
        let disagreement = Disagreement {
            claim: Claim::Log,
            says: Capacity::Limited(logged),
            other_claim: Claim::ServerReport,
            other_says: Capacity::Limited(most),
        };
        rows.extend((apart > 0).then(|| row(Quantity(apart), disagreement)));
    }
    if let (Some(licensed), Some(issued)) = (state.licensed, state.issued) {
        let disagreement = Disagreement {
            claim: Claim::LicenseFile,
            says: licensed,
            other_claim: Claim::ServerReport,
            other_says: issued,
        };
        let differ = issued != Capacity::Unknown && licensed != issued;
        rows.extend(differ.then(|| row(apart(licensed, issued), disagreement)));
    }
    rows
}

/// How far two claims are apart; one unit if one of them is no number.
fn apart(one: Capacity, other: Capacity) -> Quantity {
    match (one, other) {
        (Capacity::Limited(one), Capacity::Limited(other)) => {
            quantity((i128::from(one.0) - i128::from(other.0)).abs())
        }
        _ => Quantity::ONE,
    }
}

/// Where purchases, license files and server reports say different things of one right at the
/// horizon.
pub(super) fn of_claims(key: Key, rights: &[Right], horizon: Timestamp) -> Vec<Discrepancy> {
    let Some(basis) = rights.iter().map(|right| right.basis).min() else { return Vec::new() };
    let says = |who: Basis| {
        let in_force = |right: &&Right| right.basis == who && right.span.contains(horizon);
        together(rights.iter().filter(in_force))
    };
    let counts = says(basis).unwrap_or(Capacity::Limited(Quantity::ZERO));
    let mut rows = Vec::new();
    for other in Basis::ALL.into_iter().filter(|other| *other != basis) {
        let Some(other_says) = says(other).filter(|other_says| *other_says != counts) else {
            continue;
        };
        rows.push(Discrepancy {
            product: Some(key.product),
            metric: Some(key.metric),
            disagreement: Some(Disagreement {
                claim: basis.into(),
                says: counts,
                other_claim: other.into(),
                other_says,
            }),
            magnitude: apart(counts, other_says),
            ..plain(DiscrepancyKind::SourceDisagreement, key.tenant)
        });
    }
    rows
}

/// A closed statement that no longer says what is true.
pub(super) fn of_statement(statement: &Statement) -> Option<Discrepancy> {
    let difference = i128::from(statement.restated.0) - i128::from(statement.issued.0);
    (difference != 0).then(|| Discrepancy {
        account: Some(statement.key.account),
        product: Some(statement.key.product),
        metric: Some(statement.key.metric),
        period: statement.key.period,
        magnitude: quantity(difference),
        first_at: statement.closed_at,
        ..plain(DiscrepancyKind::LateAfterClose, statement.key.tenant)
    })
}
