//! Charges: what metered use costs by bands of prices.
//!
//! payer(event)  = the nearest account at or above the event's that has prices of the product then
//! parts         = the payer's position periods, cut where its bands change
//! charge(part)  = tariff(bands of the part)(Σ { quantity of events that the payer pays for in the part })
//!
//! A late or corrected event changes the charge of its own part, whatever was charged since. Events of one
//! instant are summed first, so their order does not matter. Where nothing costs something (a flat price
//! of the first band), every begun part has a charge, from the beginning of the prices on, for prices
//! without a beginning from the part of the first use on.
//!
//! Work per change: the event; of prices, places and calendars, the events of the product.

mod product;

use crate::context::{Context, Wakes};
use crate::dedupe::Known;
use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::hierarchy::Placement;
use crate::keyed::Keyed as _;
use crate::tree::Tree;
use crate::volume::Reading;
use crate::zones::AccountZone;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use product::Product;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::Body;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::ledger::Charge;
use trueup_model::price::Price;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A band of prices, while it and its document's version are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PriceInForce {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it says.
    pub price: Price<Id>,
    /// When.
    pub span: Span,
}

/// A band of prices whose names are resolved, for as long as they mean this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Priced {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// The account that pays by it.
    pub account: AccountId,
    /// What it says, whenever that may be.
    pub band: Price<Id>,
    /// When.
    pub span: Span,
}

/// The bands of the documents in force.
pub fn prices<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, PriceInForce> {
    in_force.flat_map(|(known, span)| {
        let Body::Price(price) = known.body else { return None };
        let span = price.span.overlap(span)?;
        Some(PriceInForce { tenant: known.tenant, price, span })
    })
}

/// The subject whose resolution says what a band's names mean.
pub fn subject(row: &PriceInForce) -> Subject {
    Subject {
        tenant: row.tenant,
        server: None,
        feature: row.price.product.into(),
        user: None,
        device: None,
        account: row.price.account.map(Into::into),
    }
}

/// Gives bands the names that they mean.
pub fn priced<'s>(
    prices: Facts<'s, PriceInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Facts<'s, Priced> {
    prices
        .map(|row| (subject(&row), row))
        .joined(resolutions, |_subject, row, resolution| {
            let account = match row.price.account {
                Some(_) => resolution.account,
                None => AccountId::root(row.tenant),
            };
            Some(Priced {
                tenant: row.tenant,
                product: resolution.product,
                account,
                band: Price { span: Span::ALWAYS, account: None, ..row.price },
                span: row.span.overlap(resolution.span)?,
            })
        })
        .flat_map(|row| row)
}

/// A product of a tenant: what is evaluated by itself.
pub(super) type Key = (TenantId, ProductId);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Reading(Reading),
    Priced(Priced),
    Edge(Placement),
    Zone(AccountZone),
    Horizon(Timestamp),
}

/// Prices use.
pub fn charges<'s>(
    drawn: Facts<'s, Reading>,
    priced: Facts<'s, Priced>,
    edges: Facts<'s, Placement>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: Policy,
) -> Facts<'s, Charge> {
    let keyed = drawn.map(Heard::Reading).concat(priced.map(Heard::Priced));
    let keyed = by_key(keyed, |heard| match heard {
        Heard::Reading(row) => mix(&[row.tenant.0, row.product.0]),
        Heard::Priced(row) => mix(&[row.tenant.0, row.product.0]),
        Heard::Edge(_) | Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = [zones.map(Heard::Zone), horizon.map(Heard::Horizon)];
    let tables = everywhere(edges.map(Heard::Edge).concatenate(tables));
    let mut state = State::new(policy);
    each_epoch_consolidated(keyed.concat(tables), "Charges", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

struct State {
    context: Context,
    products: IdMap<Key, Product>,
    /// When products change by themselves.
    wakes: Wakes<Key>,
}

impl State {
    fn new(policy: Policy) -> Self {
        Self { context: Context::new(policy), products: IdMap::default(), wakes: Wakes::new() }
    }

    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Charge>) {
        let mut dirty: BTreeSet<Key> = BTreeSet::new();
        let mut events: Updates<Reading> = Vec::new();
        let mut moved: BTreeMap<Placement, Diff> = BTreeMap::new();
        let mut zones_moved = false;
        for (heard, diff) in updates {
            match heard {
                Heard::Reading(row) => events.push((row, diff)),
                Heard::Priced(row) => {
                    let key = (row.tenant, row.product);
                    self.products.entry(key).or_default().hear_band(row, diff);
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
            for (key, product) in &mut self.products {
                product.count_anew();
                dirty.insert(*key);
            }
        }
        for (row, diff) in events {
            let key = (row.tenant, row.product);
            self.products.entry(key).or_default().hear_event(&row, diff, &self.context);
            dirty.insert(key);
        }
        dirty.extend(self.wakes.reached(self.context.horizon));
        for key in dirty {
            let Some(product) = self.products.get_mut(&key) else { continue };
            self.wakes.set(product.evaluate(key, &self.context, changes), key);
            if product.is_empty() {
                self.products.remove(&key);
            }
        }
    }

    /// Changes the tree; products that accounts below a changed edge use are counted anew.
    fn regrow(&mut self, moved: &BTreeMap<Placement, Diff>, dirty: &mut BTreeSet<Key>) {
        if moved.is_empty() {
            return;
        }
        let below = |tree: &Tree| -> BTreeSet<AccountId> {
            let nodes = moved.keys().flat_map(|edge| tree.below(edge.node));
            nodes.map(AccountId).collect()
        };
        let mut touched = below(&self.context.tree);
        for (edge, count) in moved {
            self.context.tree.change(edge.node, edge.parent, edge.span, *count > 0);
        }
        touched.extend(below(&self.context.tree));
        for (key, product) in &mut self.products {
            if product.is_used_by(&touched) {
                product.count_anew();
                dirty.insert(*key);
            }
        }
    }
}
