//! Which differences someone must look at.
//!
//! Judged with the usual settings: near from 90 % of the entitled quantity on, shelfware from a
//! surplus of 50 %, positions by the month.

use super::levels::{level_at, levels};
use super::positions::Position;
use super::rights::{Node, Right, best_basis, rights, together};
use super::usage::charges;
use crate::lmstat::{Answer, answer};
use crate::population::{MachineIndex, PersonIndex, ProductIndex, plain};
use crate::server::FeatureIndex;
use crate::world::{Site, World};
use std::collections::BTreeSet;
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::Basis;
use trueup_model::discrepancy::{Claim, DiscrepancyKind};
use trueup_model::id::NameKind;
use trueup_model::metric::Metric;
use trueup_model::position::PositionState;
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity, Rounding, divide};
use trueup_model::time::Timestamp;

/// From how many percent of the entitled quantity on a surplus is shelfware.
pub const SHELFWARE_PERCENT: i64 = 50;

/// A difference that someone must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What kind.
    pub kind: DiscrepancyKind,
    /// The node that it concerns.
    pub node: Option<Node>,
    /// The product that it concerns, or the feature if it is about a server's answer.
    pub product: Option<String>,
    /// The metric.
    pub metric: Option<Metric>,
    /// The name that it concerns: a person, a machine or a server.
    pub subject: Option<(NameKind, String)>,
    /// The period in words.
    pub period: Option<String>,
    /// Who says what, if sources disagree.
    pub claims: Option<[(Claim, Capacity); 2]>,
    /// How large it is.
    pub magnitude: Quantity,
    /// The first instant at which it holds; `MIN` if it is not bound to time.
    pub first_at: Timestamp,
    /// The end of the last; `MAX` if it lasts.
    pub last_at: Timestamp,
    /// What it may cost.
    pub money: Option<Money>,
}

impl Found {
    fn of(kind: DiscrepancyKind) -> Self {
        Self {
            kind,
            node: None,
            product: None,
            metric: None,
            subject: None,
            period: None,
            claims: None,
            magnitude: Quantity::ONE,
            first_at: Timestamp::MIN,
            last_at: Timestamp::MAX,
            money: None,
        }
    }
}

/// Every discrepancy of a world whose positions these are.
pub fn discrepancies(world: &World, positions: &[Position]) -> Vec<Found> {
    let monthly = positions.iter().filter(|one| one.period.unit == PeriodUnit::Month);
    let mut found: Vec<Found> = monthly.flat_map(|one| of_position(world, one)).collect();
    found.extend(of_names(world));
    found.extend(of_claims(world));
    for site in &world.sites {
        found.extend(of_reports(world, site));
    }
    found
}

fn of_position(world: &World, position: &Position) -> Vec<Found> {
    let at_position = |kind| Found {
        node: Some(position.node),
        product: Some(product_name(world, position.product)),
        metric: Some(position.metric),
        period: Some(position.label.clone()),
        ..Found::of(kind)
    };
    let (kind, magnitude, first_at, last_at) = match position.state {
        PositionState::Over => (
            Some(DiscrepancyKind::OverUse),
            position.shortfall,
            position.shortfall_first,
            position.shortfall_last,
        ),
        PositionState::InGrace => (
            Some(DiscrepancyKind::InGrace),
            position.shortfall,
            position.shortfall_first,
            position.shortfall_last,
        ),
        PositionState::WithinOverdraft => (
            Some(DiscrepancyKind::OverInMargin),
            position.shortfall,
            position.shortfall_first,
            position.shortfall_last,
        ),
        PositionState::Unlicensed => (
            Some(DiscrepancyKind::UnlicensedUse),
            position.shortfall,
            position.shortfall_first,
            position.shortfall_last,
        ),
        PositionState::TrialEnded => (
            Some(DiscrepancyKind::TrialEndedInUse),
            position.expired.0,
            position.expired.1,
            position.shortfall_last,
        ),
        PositionState::Expired => (
            Some(DiscrepancyKind::ExpiredInUse),
            position.expired.0,
            position.expired.1,
            position.shortfall_last,
        ),
        PositionState::Near => {
            (Some(DiscrepancyKind::NearLimit), position.peak, position.peak_at, Timestamp::MAX)
        }
        PositionState::Covered | PositionState::PassedUp | PositionState::CapacityUnknown => {
            (None, Quantity::ZERO, Timestamp::MAX, Timestamp::MAX)
        }
    };
    let mut found = Vec::new();
    if let Some(kind) = kind {
        let short = position.shortfall != Quantity::ZERO;
        let money = position.unit_price.filter(|_| short).map(|price| worth(magnitude, price));
        found.push(Found { magnitude, first_at, last_at, money, ..at_position(kind) });
    }
    if is_shelfware(position) {
        found.push(Found {
            magnitude: position.surplus,
            first_at: position.period.span.start,
            money: position.unit_price.map(|price| worth(position.surplus, price)),
            ..at_position(DiscrepancyKind::Shelfware)
        });
    }
    found
}

fn product_name(world: &World, product: ProductIndex) -> String {
    world.population.products[product.0].name.clone()
}

/// Whether half of what is entitled now was not needed at the peak.
fn is_shelfware(position: &Position) -> bool {
    let Capacity::Limited(limit) = position.entitled else { return false };
    position.current
        && limit.0 > 0
        && i128::from(position.surplus.0) * 100
            >= i128::from(limit.0) * i128::from(SHELFWARE_PERCENT)
}

fn worth(quantity: Quantity, price: Money) -> Money {
    let product = i128::from(quantity.0) * i128::from(price.amount);
    let amount = divide(product, i128::from(ONE_UNIT), Rounding::HalfUp);
    Money { amount: i64::try_from(amount).unwrap_or(i64::MAX), currency: price.currency }
}

/// Machines without an account whose users have none, and full names without an alias.
fn of_names(world: &World) -> Vec<Found> {
    let mut people: BTreeSet<PersonIndex> = world.seats.iter().map(|seat| seat.person).collect();
    people.extend(world.usage.iter().filter_map(|row| row.person));
    let mut machines: BTreeSet<MachineIndex> = BTreeSet::new();
    for history in world.sites.iter().flat_map(|site| &site.histories) {
        for checkout in &history.checkouts {
            let holder = checkout.holder;
            people.insert(holder.person);
            if world.population.account_of(holder.person, holder.machine).is_none() {
                machines.insert(holder.machine);
            }
        }
    }
    let about =
        |kind, name_kind, name| Found { subject: Some((name_kind, name)), ..Found::of(kind) };
    let unmapped_machines = machines.into_iter().map(|machine| {
        let name = world.population.machine_name(machine);
        about(DiscrepancyKind::UnmappedDevice, NameKind::Device, name)
    });
    let unclear_people = people.into_iter().filter_map(|person| {
        let known = &world.population.people[person.0];
        let (name, resolved) = plain(NameKind::User, &known.spellings[0]);
        let unclear = !resolved && known.canonical.is_none();
        unclear.then(|| about(DiscrepancyKind::UnmappedUser, NameKind::User, name))
    });
    unmapped_machines.chain(unclear_people).collect()
}

/// Purchases and license files that say different things of one product at the horizon.
fn of_claims(world: &World) -> Vec<Found> {
    let rights = rights(world);
    let mut keys: BTreeSet<(ProductIndex, u8)> = BTreeSet::new();
    keys.extend(rights.iter().map(|right| (right.product, right.metric.code())));
    let mut found = Vec::new();
    for (product, code) in keys {
        let own: Vec<&Right> = rights
            .iter()
            .filter(|right| right.product == product && right.metric.code() == code)
            .collect();
        let says = |who: Basis| {
            let in_force =
                own.iter().filter(|right| right.basis == who && right.span.contains(world.horizon));
            together(in_force.map(|right| right.capacity))
        };
        let Some(basis) = best_basis(&own) else { continue };
        let counts = says(basis).unwrap_or(Capacity::Limited(Quantity::ZERO));
        for other in Basis::ALL.into_iter().filter(|other| *other != basis) {
            let Some(otherwise) = says(other).filter(|says| *says != counts) else { continue };
            found.push(Found {
                product: Some(product_name(world, product)),
                metric: Metric::from_code(code),
                claims: Some([(basis.into(), counts), (other.into(), otherwise)]),
                magnitude: apart(counts, otherwise),
                ..Found::of(DiscrepancyKind::SourceDisagreement)
            });
        }
    }
    found
}

fn apart(one: Capacity, other: Capacity) -> Quantity {
    match (one, other) {
        (Capacity::Limited(one), Capacity::Limited(other)) => Quantity((one.0 - other.0).abs()),
        _ => Quantity::ONE,
    }
}

/// Where the newest answer of a daemon disagrees with its log or its license file.
fn of_reports(world: &World, site: &Site) -> Vec<Found> {
    let mut found = Vec::new();
    for (daemon, served) in site.server.daemons.iter().enumerate() {
        let own = site.reports.iter().filter(|one| one.daemon == daemon && one.at <= world.horizon);
        let Some(report) = own.max_by_key(|report| report.at) else { continue };
        for feature in 0..served.features.len() {
            let feature = FeatureIndex(feature);
            let Answer::Pool { issued, holders, .. } = answer(world, site, report, feature) else {
                continue;
            };
            let rule = served.features[feature.0].duplicates;
            let logged =
                level_at(&levels(&charges(world, site, daemon, feature, rule, true)), report.at);
            let reported: u64 = holders.iter().map(|holder| u64::from(holder.count)).sum();
            let units = |count: u64| {
                Capacity::Limited(Quantity::units(i64::try_from(count).unwrap_or(i64::MAX)))
            };
            let about = |one: (Claim, Capacity), other: (Claim, Capacity)| Found {
                product: Some(served.features[feature.0].name.clone()),
                subject: Some((NameKind::Server, served.server_name(&site.server.host))),
                claims: Some([one, other]),
                magnitude: apart(one.1, other.1),
                first_at: report.at,
                last_at: report.at,
                ..Found::of(DiscrepancyKind::SourceDisagreement)
            };
            if logged != reported {
                let by_log = (Claim::Log, units(logged));
                found.push(about(by_log, (Claim::ServerReport, units(reported))));
            }
            let granted = served.granted(feature, report.at, &site.server.zone);
            if let Some(licensed) = granted.map(|granted| granted.capacity)
                && licensed != units(u64::from(issued))
            {
                let by_file = (Claim::LicenseFile, licensed);
                found.push(about(by_file, (Claim::ServerReport, units(u64::from(issued)))));
            }
        }
    }
    found
}
