//! The trees and calendars that totals are added up by, and what of them changes.

use super::{Spot, Table};
use crate::Diff;
use crate::hierarchy::Placement;
use crate::rows::add;
use crate::tree::{Above, Tree};
use crate::zones::{AccountZone, Calendars};
use std::collections::BTreeMap;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// The most pieces of time whose periods are remembered.
const PIECES_MAX: usize = 4096;

/// The trees and calendars.
pub(super) struct World {
    pub(super) accounts: Tree,
    pub(super) products: Tree,
    pub(super) periods: Periods,
}

/// Which periods an instant lies in.
pub(super) struct Periods {
    calendars: Calendars,
    units: Vec<PeriodUnit>,
    /// Those that were asked for, by the account if it states a calendar of its own.
    known: IdMap<(Option<AccountId>, Timestamp), Vec<Period>>,
}

/// Changes of the trees and calendars.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) accounts: BTreeMap<Placement, Diff>,
    pub(super) products: BTreeMap<Placement, Diff>,
    pub(super) zones: Vec<(AccountZone, Diff)>,
    pub(super) tick: bool,
}

/// The nodes above others in a piece of time, as far as they were asked for.
pub(super) type Ways = IdMap<(u64, Span), Vec<Above>>;

impl Periods {
    /// The periods around an instant, by the calendar of an account.
    pub(super) fn around(&mut self, account: AccountId, at: Timestamp) -> &[Period] {
        let own = self.calendars.own(account).map(|_| account);
        if self.known.len() >= PIECES_MAX {
            self.known.clear();
        }
        let Self { calendars, units, known } = self;
        known.entry((own, at)).or_insert_with(|| {
            let calendar = calendars.of(account);
            units.iter().map(|unit| calendar.period(*unit, at)).collect()
        })
    }
}

impl Turn {
    pub(super) fn of(tables: impl IntoIterator<Item = (Table, Diff)>) -> Self {
        let mut turn = Self::default();
        for (table, diff) in tables {
            match table {
                Table::Account(edge) => add(&mut turn.accounts, edge, diff),
                Table::Product(edge) => add(&mut turn.products, edge, diff),
                Table::Zone(zone) => turn.zones.push((zone, diff)),
                Table::Tick => turn.tick = true,
            }
        }
        turn
    }

    pub(super) fn changes(&self) -> bool {
        !(self.accounts.is_empty() && self.products.is_empty() && self.zones.is_empty())
    }
}

impl World {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            accounts: Tree::default(),
            products: Tree::default(),
            periods: Periods {
                calendars: Calendars::new(policy.zone.clone()),
                units: policy.periods().collect(),
                known: IdMap::default(),
            },
        }
    }

    pub(super) fn change(&mut self, turn: Turn) {
        let Turn { accounts, products, zones, .. } = turn;
        for (tree, edges) in [(&mut self.accounts, accounts), (&mut self.products, products)] {
            for (edge, diff) in edges.into_iter().filter(|(_, diff)| *diff != 0) {
                tree.change(edge.node, edge.parent, edge.span, diff > 0);
            }
        }
        for (zone, diff) in zones {
            self.periods.calendars.hear(zone, diff);
        }
        self.periods.known.clear();
    }

    /// A node in a piece of time and all nodes above it in both trees, in the periods in which they are.
    pub(super) fn above(
        &mut self,
        spot: Spot,
        span: Span,
        over: &mut Ways,
        across: &mut Ways,
    ) -> Vec<(Spot, Period)> {
        let Self { accounts, products, periods } = self;
        let mut nodes = Vec::new();
        let up = over.entry((spot.account.0, span));
        for account in up.or_insert_with(|| accounts.above(spot.account.0, span)) {
            let way = across.entry((spot.product.0, account.span));
            let way = way.or_insert_with(|| products.above(spot.product.0, account.span));
            for product in way {
                let node = Spot {
                    account: AccountId(account.node),
                    product: ProductId(product.node),
                    ..spot
                };
                let around = periods.around(node.account, product.span.start);
                nodes.extend(around.iter().map(|period| (node, *period)));
            }
        }
        nodes
    }
}
