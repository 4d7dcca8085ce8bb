//! Metered quantities: where each counts, which statements it belongs to, whether it came late (C8).

use super::Case;
use super::names::Names;
use super::uses::{Group, Use};
use std::collections::BTreeMap;
use trueup_model::calendar::Period;
use trueup_model::derived::Subject;
use trueup_model::fact::{Body, FactId, Provenance};
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::{Adjustment, PositionKey, Statement};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::UsageOp;
use trueup_operators::dedupe::Known;

/// A metered quantity, attributed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) tenant: TenantId,
    pub(super) product: ProductId,
    pub(super) account: AccountId,
    pub(super) user: Option<UserId>,
    pub(super) device: Option<DeviceId>,
    pub(super) at: Timestamp,
    pub(super) quantity: Quantity,
    pub(super) fact: FactId,
    arrived_at: Timestamp,
    provenance: Provenance<Id>,
    /// The period of its account's statements.
    pub(super) period: Period,
    closes_at: Option<Timestamp>,
}

impl Event {
    fn is_late(&self) -> bool {
        self.closes_at.is_some_and(|closes_at| self.arrived_at >= closes_at)
    }

    /// The event as a use of its instant.
    pub(super) fn as_use(&self) -> Use {
        Use {
            tenant: self.tenant,
            product: self.product,
            account: self.account,
            metric: Metric::Unique,
            group: Group::Person(self.user),
            span: Span::new(self.at, self.at.plus_us(1)),
            units: Quantity::ONE,
            user: self.user,
            device: None,
            country: None,
            part: self.product,
            weight: (1, 1),
            least: false,
            fact: self.fact,
        }
    }

    fn key(&self) -> PositionKey {
        PositionKey {
            tenant: self.tenant,
            account: self.account,
            product: self.product,
            metric: Metric::Volume,
            period: self.period,
        }
    }
}

/// Whose meaning says where a quantity counts.
pub(super) fn subjects(known: &[Known]) -> Vec<(Subject, &Known)> {
    let metered = known.iter().filter_map(|row| {
        let Body::Usage(event) = &row.body else { return None };
        if event.op != UsageOp::Add {
            return None;
        }
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: event.product.into(),
            user: event.user.map(Into::into),
            device: event.device.map(Into::into),
            account: event.account.map(Into::into),
        };
        Some((subject, row))
    });
    metered.collect()
}

/// Attributes every quantity up to the horizon.
pub(super) fn events(case: &Case<'_>, names: &Names, known: &[Known]) -> Vec<Event> {
    let mut events = Vec::new();
    for (subject, row) in subjects(known) {
        let Body::Usage(body) = &row.body else { continue };
        if body.at > case.horizon {
            continue;
        }
        let (means, _) = names.at(&subject, body.at);
        let calendar = case.calendar(means.account);
        let period = calendar.period(case.policy.position_period, body.at);
        events.push(Event {
            tenant: row.tenant,
            product: means.product,
            account: means.account,
            user: means.user,
            device: means.device,
            at: body.at,
            quantity: body.quantity,
            fact: row.id,
            arrived_at: row.arrived_at,
            provenance: row.provenance,
            period,
            closes_at: case.policy.closing.of(calendar, period),
        });
    }
    events
}

/// What closed periods said when they closed, and what is true now.
pub(super) fn statements(case: &Case<'_>, events: &[Event]) -> Vec<Statement> {
    let mut statements: BTreeMap<PositionKey, (Timestamp, i128, i128)> = BTreeMap::new();
    for event in events {
        let Some(closed_at) = event.closes_at.filter(|at| *at <= case.horizon) else { continue };
        let sums = statements.entry(event.key()).or_insert((closed_at, 0, 0));
        let quantity = i128::from(event.quantity.0);
        sums.1 += if event.is_late() { 0 } else { quantity };
        sums.2 += quantity;
    }
    let row = |(key, (closed_at, issued, restated))| Statement {
        key,
        closed_at,
        issued: super::rights::quantity(issued),
        restated: super::rights::quantity(restated),
    };
    statements.into_iter().map(row).collect()
}

/// What came after its period had closed.
pub(super) fn adjustments(events: &[Event]) -> Vec<Adjustment> {
    let late = events.iter().filter(|event| event.is_late());
    late.map(|event| Adjustment {
        key: event.key(),
        fact: event.fact,
        provenance: event.provenance,
        arrived_at: event.arrived_at,
        delta: event.quantity,
    })
    .collect()
}
