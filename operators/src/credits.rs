//! Credits: what metered use takes of which grant, what is left, and what no grant covers.
//!
//! for each event of a product in the order of (time, fact):
//!   order = grants of an account at or above the event's, active at its time, by (distance of the
//!           account, priority, earliest expiry, earliest beginning, name)
//!   each grant in order gives what it has left; overage is what none gives
//! at each turn of a recurring grant:
//!   carried = min(carry_max, max(carry_min, left)) - overdrawn;  left = amount + carried
//!
//! A grant is active on `[effective, expires)`, until it is void, while its document's version is in
//! force. Late use inside the life of an expired grant takes from that grant, and what later use had
//! taken is sorted out anew from there. A negative quantity gives back: first overage, then to the grants
//! in reverse order. What a grant's names mean, they mean at its beginning.
//!
//! Work per change: the events of the product from the change on; at the end of time, the event.

mod chain;
mod terms;

use crate::context::{Context, Wakes};
use crate::dedupe::Known;
use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::hierarchy::Placement;
use crate::keyed::Keyed as _;
use crate::tree::Tree;
use crate::volume::Reading;
use crate::zones::AccountZone;
use crate::{Diff, Facts};
use chain::Ledger;
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::credit::Grant;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::Body;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::ledger::{CreditBalance, Overage};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A grant, while its document's version is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GrantInForce {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it says.
    pub grant: Grant<Id>,
    /// When.
    pub span: Span,
}

/// A grant whose names are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Granted {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is used up for.
    pub product: ProductId,
    /// The account whose subtree may use it.
    pub account: AccountId,
    /// What it says.
    pub grant: Grant<Id>,
}

/// Balances of grants, and use beyond them.
pub struct Credits<'s> {
    /// Each grant in each of its turns.
    pub balances: Facts<'s, CreditBalance>,
    /// What no grant covers.
    pub overages: Facts<'s, Overage>,
}

/// The grants of the documents in force.
pub fn grants<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, GrantInForce> {
    in_force.flat_map(|(known, span)| {
        let Body::Grant(grant) = known.body else { return None };
        Some(GrantInForce { tenant: known.tenant, grant, span })
    })
}

/// The subject whose resolution says what a grant's names mean.
pub fn subject(row: &GrantInForce) -> Subject {
    Subject {
        tenant: row.tenant,
        server: None,
        feature: row.grant.product.into(),
        user: None,
        device: None,
        account: row.grant.account.map(Into::into),
    }
}

/// Gives grants the names that they mean at their beginning, with when their documents say so.
pub fn granted<'s>(
    grants: Facts<'s, GrantInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Facts<'s, (Granted, Span)> {
    grants
        .map(|row| (subject(&row), row))
        .joined(resolutions, |_subject, row, resolution| {
            let account = match row.grant.account {
                Some(_) => resolution.account,
                None => AccountId::root(row.tenant),
            };
            let granted = Granted {
                tenant: row.tenant,
                product: resolution.product,
                account,
                grant: row.grant,
            };
            resolution.span.contains(row.grant.span.start).then_some((granted, row.span))
        })
        .flat_map(|row| row)
}

/// A product of a tenant: what is evaluated by itself.
pub(super) type Key = (TenantId, ProductId);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Reading(Reading),
    Granted(Granted, Span),
    Edge(Placement),
    Zone(AccountZone),
    Horizon(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    Balance(CreditBalance),
    Overage(Overage),
}

/// Uses grants up.
pub fn credits<'s>(
    drawn: Facts<'s, Reading>,
    granted: Facts<'s, (Granted, Span)>,
    edges: Facts<'s, Placement>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: Policy,
) -> Credits<'s> {
    let drawn = drawn.map(Heard::Reading);
    let granted = granted.map(|(grant, span)| Heard::Granted(grant, span));
    let keyed = by_key(drawn.concat(granted), |heard| match heard {
        Heard::Reading(row) => mix(&[row.tenant.0, row.product.0]),
        Heard::Granted(row, _) => mix(&[row.tenant.0, row.product.0]),
        Heard::Edge(_) | Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = [zones.map(Heard::Zone), horizon.map(Heard::Horizon)];
    let tables = everywhere(edges.map(Heard::Edge).concatenate(tables));
    let mut state = State::new(policy);
    let found =
        each_epoch_consolidated(keyed.concat(tables), "Credits", move |updates, changes| {
            state.step(updates, changes);
        });
    let balances = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Balance(row) => Some((row, epoch, diff)),
        Found::Overage(_) => None,
    });
    let overages = found.flat_map(|(found, epoch, diff)| match found {
        Found::Overage(row) => Some((row, epoch, diff)),
        Found::Balance(_) => None,
    });
    Credits { balances: balances.as_collection(), overages: overages.as_collection() }
}

struct State {
    context: Context,
    ledgers: IdMap<Key, Ledger>,
    /// When ledgers change by themselves.
    wakes: Wakes<Key>,
}

impl State {
    fn new(policy: Policy) -> Self {
        Self { context: Context::new(policy), ledgers: IdMap::default(), wakes: Wakes::new() }
    }

    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Found>) {
        let mut dirty: BTreeSet<Key> = BTreeSet::new();
        let mut moved: BTreeMap<Placement, Diff> = BTreeMap::new();
        let mut zones_moved = false;
        for (heard, diff) in updates {
            match heard {
                Heard::Reading(row) => {
                    let key = (row.tenant, row.product);
                    self.ledgers.entry(key).or_default().hear_event(&row, diff);
                    dirty.insert(key);
                }
                Heard::Granted(row, span) => {
                    let key = (row.tenant, row.product);
                    self.ledgers.entry(key).or_default().hear_grant(row, span, diff);
                    dirty.insert(key);
                }
                Heard::Edge(edge) => *moved.entry(edge).or_default() += diff,
                Heard::Zone(zone) => zones_moved |= self.context.calendars.hear(zone, diff),
                Heard::Horizon(at) => self.context.hear_horizon(at, diff),
            }
        }
        moved.retain(|_, count| *count != 0);
        self.regrow(&moved, &mut dirty);
        if zones_moved {
            for (key, ledger) in &mut self.ledgers {
                ledger.forget_calendars();
                dirty.insert(*key);
            }
        }
        dirty.extend(self.wakes.reached(self.context.horizon));
        for key in dirty {
            let Some(ledger) = self.ledgers.get_mut(&key) else { continue };
            self.wakes.set(ledger.evaluate(key, &self.context, changes), key);
            if ledger.is_empty() {
                self.ledgers.remove(&key);
            }
        }
    }

    /// Changes the tree; ledgers with accounts below a changed edge are sorted out anew.
    fn regrow(&mut self, moved: &BTreeMap<Placement, Diff>, dirty: &mut BTreeSet<Key>) {
        let mut touched: BTreeMap<AccountId, Timestamp> = BTreeMap::new();
        let note = |tree: &Tree, found: &mut BTreeMap<AccountId, Timestamp>| {
            for edge in moved.keys() {
                for node in tree.below(edge.node) {
                    let from = found.entry(AccountId(node)).or_insert(edge.span.start);
                    *from = (*from).min(edge.span.start);
                }
            }
        };
        note(&self.context.tree, &mut touched);
        for (edge, count) in moved {
            self.context.tree.change(edge.node, edge.parent, edge.span, *count > 0);
        }
        note(&self.context.tree, &mut touched);
        if touched.is_empty() {
            return;
        }
        for (key, ledger) in &mut self.ledgers {
            if ledger.forget_places(&touched) {
                dirty.insert(*key);
            }
        }
    }
}
