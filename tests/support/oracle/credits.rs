//! Credits: which use takes of which grant, and what is left of each (2.12, 2.13).
//!
//! One walk over the events of a product in order, with every grant turned at each of its turns.

use super::names::Names;
use super::tree::Tree;
use super::volumes::Event;
use super::{Case, Expected};
use std::collections::BTreeMap;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::credit::Grant;
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::ledger::{CreditBalance, CreditState, Overage};
use trueup_model::quantity::Quantity;
use trueup_model::recurrence::Recurrence;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A grant that someone stated, by what its names mean when it begins.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) tenant: TenantId,
    pub(super) subject: Subject,
    product: ProductId,
    account: AccountId,
    grant: Grant<Id>,
    in_force: Vec<Span>,
}

/// The grants that are stated; one that stands in several versions is one.
pub(super) fn grants(in_force: &[(Known, Span)], names: &Names) -> Vec<Granted> {
    let mut found: Vec<Granted> = Vec::new();
    for (row, span) in in_force {
        let Body::Grant(grant) = &row.body else { continue };
        let same = |one: &&mut Granted| one.tenant == row.tenant && one.grant == *grant;
        if let Some(one) = found.iter_mut().find(same) {
            one.in_force.push(*span);
            continue;
        }
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: grant.product.into(),
            user: None,
            device: None,
            account: grant.account.map(Into::into),
        };
        let (means, _) = names.at(&subject, grant.span.start);
        let account = grant.account.map_or(AccountId::root(row.tenant), |_| means.account);
        found.push(Granted {
            tenant: row.tenant,
            subject,
            product: means.product,
            account,
            grant: *grant,
            in_force: vec![*span],
        });
    }
    found
}

/// A grant while it is walked through.
struct Walked<'g> {
    granted: &'g Granted,
    /// The number and the beginning of the turn; none before the grant begins.
    turn: Option<(i64, Timestamp)>,
    carried: i128,
    used: i128,
    overdrawn: i128,
    turns: Option<Recurrence>,
}

impl<'g> Walked<'g> {
    fn new(case: &Case<'_>, granted: &'g Granted) -> Self {
        let grant = &granted.grant;
        let zone = case.calendar(granted.account).zone.clone();
        let turns = match grant.every {
            None | Some(PeriodUnit::All) => None,
            Some(unit) => Some(Recurrence::new(zone, grant.span.start, unit)),
        };
        Self { granted, turn: None, carried: 0, used: 0, overdrawn: 0, turns }
    }

    /// The end of the grant's life.
    fn end(&self) -> Timestamp {
        let grant = &self.granted.grant;
        grant.voided_at.map_or(grant.span.end, |at| at.min(grant.span.end))
    }

    fn lives(&self, at: Timestamp) -> bool {
        self.granted.grant.span.start <= at && at < self.end()
    }

    fn is_active(&self, at: Timestamp) -> bool {
        self.lives(at) && self.granted.in_force.iter().any(|span| span.contains(at))
    }

    fn amount(&self) -> i128 {
        i128::from(self.granted.grant.amount.0).max(0)
    }

    fn left(&self) -> i128 {
        self.amount() + self.carried - self.used
    }

    fn borrows(&self) -> bool {
        self.granted.grant.carry_overage && self.turns.is_some()
    }

    fn turn_end(&self) -> Timestamp {
        match (&self.turns, self.turn) {
            (Some(turns), Some((number, _))) => turns.boundary(number + 1).min(self.end()),
            _ => self.end(),
        }
    }

    fn carry(&self) -> i128 {
        let grant = &self.granted.grant;
        let (least, most) = (i128::from(grant.carry_min.0), i128::from(grant.carry_max.0));
        most.max(0).min(least.max(0).max(self.left()))
    }

    fn row(&self, state: CreditState) -> CreditBalance {
        let grant = &self.granted.grant;
        let start = self.turn.map_or(grant.span.start, |(_, start)| start);
        let lost = match state {
            CreditState::Running => 0,
            CreditState::Turned => self.left() - self.carry(),
            CreditState::Expired | CreditState::Voided => self.left(),
        };
        CreditBalance {
            tenant: self.granted.tenant,
            account: self.granted.account,
            product: self.granted.product,
            grant: grant.grant.into(),
            span: Span::new(start, self.turn_end()),
            priority: grant.priority,
            granted: quantity(self.amount()),
            carried: quantity(self.carried),
            used: quantity(self.used),
            left: quantity(self.left()),
            lapsed: quantity(lost.max(0)),
            overdrawn: quantity(self.overdrawn),
            state,
        }
    }

    /// Goes to the turn of an instant within the grant's life; gives the turns in which something was
    /// used.
    fn go_to(&mut self, at: Timestamp) -> Vec<CreditBalance> {
        let mut left_behind = Vec::new();
        let start = self.granted.grant.span.start;
        if self.turn.is_none() {
            self.turn = Some(match &self.turns {
                // What has no beginning begins with the turn in which it is first needed.
                Some(turns) if start == Timestamp::MIN => {
                    let (number, span) = turns.turn(at);
                    (number, span.start)
                }
                _ => (0, start),
            });
        }
        while self.turn_end() <= at {
            let Some((number, _)) = self.turn else { break };
            if self.used != 0 || self.overdrawn != 0 {
                left_behind.push(self.row(CreditState::Turned));
            }
            let mut next = self.carry();
            if self.borrows() {
                next -= self.overdrawn + (-self.left()).max(0);
            }
            (self.carried, self.used, self.overdrawn) = (next, 0, 0);
            let begins = self.turns.as_ref().map_or(start, |turns| turns.boundary(number + 1));
            self.turn = Some((number + 1, begins));
        }
        left_behind
    }

    /// The newest turn up to the horizon.
    fn last(&mut self, horizon: Timestamp) -> Vec<CreditBalance> {
        let begins = self.granted.grant.span.start;
        if horizon == Timestamp::MIN || horizon < begins || begins >= self.end() {
            return Vec::new();
        }
        if self.lives(horizon) {
            let mut rows = self.go_to(horizon);
            rows.push(self.row(CreditState::Running));
            return rows;
        }
        let mut rows = self.go_to(self.end().plus_us(-1));
        let voided = self.end() < self.granted.grant.span.end;
        rows.push(self.row(if voided { CreditState::Voided } else { CreditState::Expired }));
        rows
    }
}

/// Walks through the events of each product that has credits.
pub(super) fn evaluate(
    case: &Case<'_>,
    tenant: TenantId,
    accounts: &Tree,
    events: &[Event],
    grants: &[Granted],
    found: &mut Expected,
) {
    let grants: Vec<&Granted> = grants.iter().filter(|grant| grant.tenant == tenant).collect();
    let mut products: Vec<ProductId> = grants.iter().map(|grant| grant.product).collect();
    products.sort_unstable();
    products.dedup();
    for product in products {
        let of_product = grants.iter().filter(|grant| grant.product == product);
        let mut grants: Vec<Walked<'_>> =
            of_product.map(|granted| Walked::new(case, granted)).collect();
        let mut events: Vec<&Event> =
            events.iter().filter(|event| event.product == product).collect();
        events.sort_by_key(|event| (event.at, event.fact));
        // What each account used beyond all grants so far.
        let mut owing: BTreeMap<AccountId, i128> = BTreeMap::new();
        let mut beyond: BTreeMap<(AccountId, Period), i128> = BTreeMap::new();
        for event in events {
            let way = accounts.way_up(event.account.0, event.at);
            let mut order: Vec<usize> = (0..grants.len())
                .filter(|index| grants[*index].is_active(event.at))
                .filter(|index| way.contains(&grants[*index].granted.account.0))
                .collect();
            order.sort_by_key(|index| {
                let one = &grants[*index].granted;
                let distance = way.iter().position(|node| *node == one.account.0);
                let span = one.grant.span;
                (distance, one.grant.priority, span.end, span.start, one.grant)
            });
            for index in &order {
                found.credits.extend(grants[*index].go_to(event.at));
            }
            let owed = owing.entry(event.account).or_default();
            let before = *owed;
            let quantity = i128::from(event.quantity.0);
            if quantity >= 0 {
                use_up(quantity, owed, &order, &mut grants);
            } else {
                give_back(-quantity, owed, &order, &mut grants);
            }
            *beyond.entry((event.account, event.period)).or_default() += *owed - before;
        }
        for grant in &mut grants {
            found.credits.extend(grant.last(case.horizon));
        }
        let rows = beyond.into_iter().filter(|(_, amount)| *amount != 0);
        found.overages.extend(rows.map(|((account, period), amount)| Overage {
            tenant,
            account,
            product,
            period,
            quantity: quantity(amount),
        }));
    }
}

/// Takes from what was given back ahead, then from the grants in order; the rest is owed.
fn use_up(quantity: i128, owed: &mut i128, order: &[usize], grants: &mut [Walked<'_>]) {
    let mut rest = quantity;
    if *owed < 0 {
        let part = rest.min(-*owed);
        *owed += part;
        rest -= part;
    }
    for index in order {
        let part = rest.min(grants[*index].left().max(0));
        grants[*index].used += part;
        rest -= part;
    }
    *owed += rest;
    if let Some(index) = order.iter().find(|index| grants[**index].borrows()) {
        grants[*index].overdrawn += rest;
    }
}

/// Gives back what is owed, then to the grants, the last in order first.
fn give_back(quantity: i128, owed: &mut i128, order: &[usize], grants: &mut [Walked<'_>]) {
    let forgiven = quantity.min((*owed).max(0));
    *owed -= forgiven;
    let (mut unborrowed, mut rest) = (forgiven, quantity - forgiven);
    for index in order.iter().rev() {
        let grant = &mut grants[*index];
        let lent = unborrowed.min(grant.overdrawn);
        grant.overdrawn -= lent;
        unborrowed -= lent;
        let given = rest.min(grant.used);
        grant.used -= given;
        rest -= given;
    }
    *owed -= rest;
}

fn quantity(millionths: i128) -> Quantity {
    super::rights::quantity(millionths)
}
