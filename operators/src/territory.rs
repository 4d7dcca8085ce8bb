//! Where uses are, for the products whose lines are bound to territories.
//!
//! country(u, t) = the country of its machine at t, else that of its account, else that of the nearest
//!                 account above that states one; else it is not known
//!
//! A use is cut where its country changes. Several countries of one thing at once say nothing. Only
//! the products with such lines are looked at; the uses of all others are anywhere.
//!
//! Work per change: the use; where a machine or account is, or where an account stands in the tree, places
//! anew the uses of these products on the machine or at the accounts below, which are sought among all.

use crate::attribute::{Place, Use};
use crate::dedupe::Known;
use crate::entitle::Right;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::hierarchy::Placement;
use crate::keyed::Rows as _;
use crate::segments::{Said, outside, said};
use crate::tree::Tree;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::fact::Body;
use trueup_model::id::{Id, ProductId, TextId};
use trueup_model::territory::{LocatedKind, Location};
use trueup_model::time::Span;

/// A territory has a country, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reach {
    /// The territory.
    pub territory: TextId,
    /// The country.
    pub country: TextId,
    /// When.
    pub span: Span,
}

/// Where things are.
pub fn locations(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, Location<Id>> {
    in_force.flat_map(|(known, span)| {
        let Body::Location(row) = known.body else { return None };
        Some(Location { span: row.span.overlap(span)?, ..row })
    })
}

/// Which countries territories have.
pub fn reaches(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, Reach> {
    in_force.flat_map(|(known, span)| {
        let Body::Territory(row) = known.body else { return None };
        let (territory, country) = (row.territory.into(), row.country.into());
        Some(Reach { territory, country, span: row.span.overlap(span)? })
    })
}

/// The products with lines that are bound to a territory.
pub fn territorial(rights: Facts<'_, Right>) -> Facts<'_, ProductId> {
    rights.filter(|right| right.territory.is_some()).map(|right| right.product).once()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Use(Use),
    Location(Location<Id>),
    Edge(Placement),
}

/// Places uses in countries.
pub fn located<'s>(
    uses: Facts<'s, Use>,
    locations: Facts<'s, Location<Id>>,
    edges: Facts<'s, Placement>,
) -> Facts<'s, Use> {
    let uses = by_key(uses.map(Heard::Use), |heard| match heard {
        Heard::Use(one) => one.account.0,
        Heard::Location(_) | Heard::Edge(_) => 0,
    });
    let tables = everywhere(locations.map(Heard::Location).concat(edges.map(Heard::Edge)));
    let mut state = State::default();
    each_epoch(uses.concat(tables), "Territory: located", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

#[derive(Default)]
struct State {
    tree: Tree,
    places: BTreeMap<(LocatedKind, u64), BTreeMap<(Span, TextId), Diff>>,
    uses: BTreeMap<Use, (Diff, Vec<Use>)>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Use>) {
        let mut devices: BTreeSet<u64> = BTreeSet::new();
        let mut accounts: BTreeSet<u64> = BTreeSet::new();
        let mut news: BTreeMap<Use, Diff> = BTreeMap::new();
        let mut edges: BTreeMap<Placement, Diff> = BTreeMap::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Use(one) => *news.entry(one).or_default() += diff,
                Heard::Edge(edge) => *edges.entry(edge).or_default() += diff,
                Heard::Location(row) => {
                    let key = (row.kind, row.located.0);
                    let rows = self.places.entry(key).or_default();
                    *rows.entry((row.span, row.country.into())).or_default() += diff;
                    rows.retain(|_, count| *count != 0);
                    if rows.is_empty() {
                        self.places.remove(&key);
                    }
                    match row.kind {
                        LocatedKind::Device => devices.insert(row.located.0),
                        LocatedKind::Account => accounts.insert(row.located.0),
                    };
                }
            }
        }
        edges.retain(|_, count| *count != 0);
        accounts.extend(edges.keys().map(|edge| edge.node));
        let below = |tree: &Tree| -> BTreeSet<u64> {
            accounts.iter().flat_map(|account| tree.below(*account)).collect()
        };
        let mut touched = below(&self.tree);
        for (edge, count) in edges {
            self.tree.change(edge.node, edge.parent, edge.span, count > 0);
        }
        touched.extend(below(&self.tree));
        if !devices.is_empty() || !touched.is_empty() {
            let is_moved = |one: &Use| {
                let device = one.device.is_some_and(|device| devices.contains(&device.0));
                device || touched.contains(&one.account.0)
            };
            for one in self.uses.keys().filter(|one| is_moved(one)) {
                news.entry(*one).or_default();
            }
        }
        for (one, diff) in news {
            let (before, old) = self.uses.remove(&one).unwrap_or_default();
            let count = before + diff;
            let new = if count == 0 { Vec::new() } else { self.placed(&one) };
            changes.extend(old.into_iter().map(|part| (part, -before)));
            changes.extend(new.iter().map(|part| (*part, count)));
            if count != 0 {
                self.uses.insert(one, (count, new));
            }
        }
    }

    /// The parts of a use, each in one country.
    fn placed(&self, one: &Use) -> Vec<Use> {
        let mut open = vec![one.span];
        let mut found: Vec<(Span, Place)> = Vec::new();
        let device = one.device.map(|device| (LocatedKind::Device, device.0, one.span));
        let mut above = self.tree.above(one.account.0, one.span);
        above.sort_unstable_by_key(|above| above.distance);
        let accounts = above.into_iter().map(|row| (LocatedKind::Account, row.node, row.span));
        for (kind, name, span) in device.into_iter().chain(accounts) {
            let Some(rows) = self.places.get(&(kind, name)) else { continue };
            for (stated, country) in said(rows.keys().copied()) {
                let Said::One(country) = country else { continue };
                let inside = stated.intersect(span);
                let taken: Vec<Span> =
                    open.iter().filter_map(|piece| piece.overlap(inside)).collect();
                found.extend(taken.iter().map(|piece| (*piece, Place::In(country))));
                open = open
                    .into_iter()
                    .flat_map(|piece| outside(piece, taken.iter().copied()))
                    .collect();
            }
        }
        found.extend(open.into_iter().map(|piece| (piece, Place::Unknown)));
        found.sort_unstable();
        found.dedup_by(|next, last| {
            let same = next.1 == last.1 && next.0.start == last.0.end;
            if same {
                last.0.end = next.0.end;
            }
            same
        });
        found.into_iter().map(|(span, place)| Use { span, place, ..*one }).collect()
    }
}
