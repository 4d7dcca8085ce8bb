//! What is known of each node and period of a product, in one place.

use super::component::{Given, Slot};
use super::position::Past;
use crate::Diff;
use crate::entitle::Right;
use crate::few::FewMap;
use trueup_model::calendar::Period;
use trueup_model::fact::FactId;
use trueup_model::hash::IdMap;
use trueup_model::id::AccountId;
use trueup_model::quantity::{Capacity, Money, Quantity};

/// The readings of a slot by what ranks them, then by their identity.
pub(super) type Ranked = FewMap<(i64, FactId, Quantity), Diff>;

/// What lines and trees say of a slot, whatever is used: found once, and kept until one of them changes or the horizon
/// passes an instant at which something turns.
pub(super) struct Terms {
    /// The turn of lines and trees that it is of.
    pub(super) era: u64,
    /// The slot that takes what this one does not cover, if one does.
    pub(super) target: Option<Slot>,
    /// The lines that grant something, and how often, in the order of use.
    pub(super) rows: Vec<(Right, Diff)>,
    /// What may be used; `None` if no line says anything.
    pub(super) entitled: Option<Capacity>,
    /// What the vendor tolerates above.
    pub(super) overdraft: i128,
    pub(super) past: Past,
    pub(super) unit_price: Option<Money>,
}

/// What is known of one slot.
#[derive(Default)]
pub(super) struct Entry {
    /// What accounts bring; `None` if none brings anything.
    pub(super) own: Option<i128>,
    /// What other slots leave to it.
    pub(super) received: i128,
    /// What it leaves to another.
    pub(super) sent: Option<(Slot, i128)>,
    /// Its readings, the one that counts last.
    pub(super) ranked: Ranked,
    pub(super) terms: Option<Box<Terms>>,
    pub(super) given: Option<Box<Given>>,
    /// Whether it waits to be looked at.
    dirty: bool,
    /// Whether it was looked at in this epoch.
    touched: bool,
}

impl Entry {
    /// What is to be covered.
    pub(super) fn inflow(&self) -> i128 {
        self.own.unwrap_or_default() + self.received
    }

    pub(super) fn has_demand(&self) -> bool {
        self.own.is_some() || self.received != 0
    }

    /// Looks at what giving it needs.
    pub(super) fn look(&self) -> usize {
        let rows = self.terms.as_ref().map_or(0, |terms| terms.rows.len());
        rows + self.given.as_ref().map_or(0, |given| given.lines.len())
    }

    /// Notes that it was looked at, and is no longer marked; whether it was not looked at before.
    pub(super) fn touch(&mut self) -> bool {
        self.dirty = false;
        !std::mem::replace(&mut self.touched, true)
    }

    fn is_empty(&self) -> bool {
        !self.has_demand()
            && self.sent.is_none()
            && self.ranked.is_empty()
            && self.given.is_none()
            && !self.dirty
    }
}

/// Slots by node, and in the order of their periods.
type Nodes = IdMap<AccountId, Vec<(Period, Box<Entry>)>>;

/// A slot, which is made if it is not there.
fn entry_of(nodes: &mut Nodes, (node, period): Slot) -> &mut Entry {
    let periods = nodes.entry(node).or_default();
    let place = periods.binary_search_by_key(&period, |(one, _)| *one);
    let place = place.unwrap_or_else(|place| {
        periods.insert(place, (period, Box::default()));
        place
    });
    &mut periods[place].1
}

/// The slots of a product, by node and in the order of their periods.
#[derive(Default)]
pub(super) struct Slots {
    nodes: Nodes,
    /// Those that wait to be looked at.
    dirty: Vec<Slot>,
}

impl Slots {
    pub(super) fn get(&self, (node, period): &Slot) -> Option<&Entry> {
        let periods = self.nodes.get(node)?;
        let place = periods.binary_search_by_key(period, |(one, _)| *one).ok()?;
        periods.get(place).map(|(_, entry)| &**entry)
    }

    /// A slot, which is made if it is not there.
    pub(super) fn entry(&mut self, slot: Slot) -> &mut Entry {
        entry_of(&mut self.nodes, slot)
    }

    /// Marks a slot that has to be looked at; gives it.
    pub(super) fn mark(&mut self, slot: Slot) -> &mut Entry {
        let Self { nodes, dirty } = self;
        let entry = entry_of(nodes, slot);
        if !std::mem::replace(&mut entry.dirty, true) {
            dirty.push(slot);
        }
        entry
    }

    /// The slots that are marked, each until it is looked at.
    pub(super) fn take_marked(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.dirty)
    }

    /// Marks slots of a node that were given.
    pub(super) fn mark_given(&mut self, node: AccountId, which: impl Fn(&Period) -> bool) {
        let Some(periods) = self.nodes.get_mut(&node) else { return };
        for (period, entry) in periods {
            if entry.given.is_some() && which(period) && !std::mem::replace(&mut entry.dirty, true)
            {
                self.dirty.push((node, *period));
            }
        }
    }

    /// Marks slots that were given, or to which accounts bring something.
    pub(super) fn mark_all(&mut self, which: impl Fn(&Period) -> bool) {
        for (node, periods) in &mut self.nodes {
            for (period, entry) in periods {
                let counts = entry.given.is_some() || entry.own.is_some();
                if counts && which(period) && !std::mem::replace(&mut entry.dirty, true) {
                    self.dirty.push((*node, *period));
                }
            }
        }
    }

    /// Forgets what lines say of a node.
    pub(super) fn forget_terms(&mut self, node: AccountId) {
        for (_, entry) in self.nodes.get_mut(&node).into_iter().flatten() {
            entry.terms = None;
        }
    }

    /// Forgets everything but what was given, which is marked.
    pub(super) fn begin_anew(&mut self) {
        self.dirty.clear();
        for (node, periods) in &mut self.nodes {
            periods.retain(|(_, entry)| entry.given.is_some());
            for (period, entry) in periods {
                let given = entry.given.take();
                **entry = Entry { given, dirty: true, ..Entry::default() };
                self.dirty.push((*node, *period));
            }
        }
        self.nodes.retain(|_, periods| !periods.is_empty());
    }

    /// Ends the look at a slot; one of which nothing is known goes.
    pub(super) fn leave(&mut self, (node, period): Slot) {
        let Some(periods) = self.nodes.get_mut(&node) else { return };
        let Ok(place) = periods.binary_search_by_key(&period, |(one, _)| *one) else { return };
        let entry = &mut periods[place].1;
        entry.touched = false;
        if entry.is_empty() {
            periods.remove(place);
            if periods.is_empty() {
                self.nodes.remove(&node);
            }
        }
    }

    /// Whether nothing was given.
    pub(super) fn gives_nothing(&self) -> bool {
        self.nodes.values().flatten().all(|(_, entry)| entry.given.is_none())
    }
}
