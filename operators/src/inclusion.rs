//! Suites: a component's checkout is charged only while its holder does not hold the suite.
//!
//! charged(s)  = s.span − ⋃ { p.span : p a session of the same holder, of a package of s.feature }
//! included(s) = s.span − charged(s)
//!
//! A log writes the suite and its component as two checkouts of one use; counting both doubles it.
//!
//! Work per change: the component sessions that overlap the changed suite session; a package that
//! comes or goes looks at the holders of its daemon.

use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::few::FewMap;
use crate::segments::outside;
use crate::sessions::Holder;
use crate::span_index::SpanIndex;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::derived::{Session, Subject};
use trueup_model::fact::FactId;
use trueup_model::hash::IdMap;
use trueup_model::id::{ProductId, ServerId, TextId};
use trueup_model::time::Span;

/// A part of a session that is charged by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// Who holds what where.
    pub subject: Subject,
    /// Which part.
    pub span: Span,
    /// How many licenses.
    pub count: u32,
    /// The display.
    pub display: Option<TextId>,
    /// Vendor-defined checkout data.
    pub vendor_data: Option<TextId>,
    /// The fact that opened the session.
    pub session: FactId,
}

/// A part of a component's session that its suite covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Included {
    /// Who holds the component where.
    pub subject: Subject,
    /// Which part.
    pub span: Span,
    /// The fact that opened the session.
    pub session: FactId,
}

/// A component of a package of a daemon, while the license file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Part {
    /// The daemon.
    pub server: ServerId,
    /// The package.
    pub package: ProductId,
    /// The component.
    pub component: ProductId,
    /// When.
    pub span: Span,
}

/// Sessions by whether they are charged.
pub struct Inclusion<'s> {
    /// What is charged by itself.
    pub charges: Facts<'s, Charge>,
    /// What a suite covers.
    pub included: Facts<'s, Included>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Session(Session),
    Part(Part),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Charge(Charge),
    Included(Included),
}

/// Separates what is charged from what a suite includes.
pub fn inclusion<'s>(sessions: Facts<'s, Session>, parts: Facts<'s, Part>) -> Inclusion<'s> {
    let sessions = by_key(sessions.map(Heard::Session), |heard| match heard {
        Heard::Session(session) => holder(session).map_or(0, |holder| holder.place()),
        Heard::Part(_) => 0,
    });
    let parts = everywhere(parts.map(Heard::Part));
    let mut state = State::default();
    let found =
        each_epoch_consolidated(sessions.concat(parts), "Inclusion", move |updates, changes| {
            state.step(updates, changes);
        });
    let charges = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Charge(charge) => Some((charge, epoch, diff)),
        Found::Included(_) => None,
    });
    let included = found.flat_map(|(found, epoch, diff)| match found {
        Found::Included(included) => Some((included, epoch, diff)),
        Found::Charge(_) => None,
    });
    Inclusion { charges: charges.as_collection(), included: included.as_collection() }
}

/// The holder of a session; sessions always have one.
fn holder(session: &Session) -> Option<Holder> {
    Some(Holder {
        tenant: session.subject.tenant,
        server: session.subject.server?,
        user: session.subject.user?,
        device: session.subject.device?,
    })
}

/// A daemon's feature.
type Feature = (ServerId, ProductId);

/// The sessions of one holder and feature.
#[derive(Default)]
struct Held {
    sessions: FewMap<(Span, FactId), (Session, Diff, Vec<Found>)>,
    index: SpanIndex<FactId>,
}

#[derive(Default)]
struct State {
    holders: IdMap<Holder, BTreeMap<ProductId, Held>>,
    served: IdMap<ServerId, BTreeSet<Holder>>,
    packages: BTreeMap<Feature, BTreeMap<(ProductId, Span), Diff>>,
    components: BTreeMap<Feature, BTreeMap<(ProductId, Span), Diff>>,
}

/// Sessions to look at again: their holder, feature, span and fact.
type Again = BTreeSet<(Holder, ProductId, Span, FactId)>;

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Found>) {
        let mut again = Again::new();
        let mut features: BTreeSet<Feature> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Session(session) => self.hear(session, diff, &mut again),
                Heard::Part(part) => {
                    let component = (part.server, part.component);
                    put(&mut self.packages, component, (part.package, part.span), diff);
                    let package = (part.server, part.package);
                    put(&mut self.components, package, (part.component, part.span), diff);
                    features.insert(component);
                }
            }
        }
        for (server, feature) in features {
            for holder in self.served.get(&server).into_iter().flatten() {
                let held = self.holders.get(holder).and_then(|held| held.get(&feature));
                for (span, fact) in held.into_iter().flat_map(|held| held.sessions.keys()) {
                    again.insert((*holder, feature, *span, *fact));
                }
            }
        }
        for (holder, feature, span, fact) in again {
            self.settle(holder, feature, (span, fact), changes);
        }
    }

    /// Takes in a session, or takes it out.
    fn hear(&mut self, session: Session, diff: Diff, again: &mut Again) {
        let Some(holder) = holder(&session) else { return };
        let feature = session.subject.feature;
        self.served.entry(holder.server).or_default().insert(holder);
        let features = self.holders.entry(holder).or_default();
        let held = features.entry(feature).or_default();
        let key = (session.span, session.opened_by);
        let entry = held.sessions.or_insert_with(key, || (session, 0, Vec::new()));
        if diff > 0 {
            entry.0 = session;
        }
        entry.1 += diff;
        if entry.1 > 0 {
            held.index.insert(session.span, session.opened_by);
        } else {
            held.index.remove(session.span, session.opened_by);
        }
        again.insert((holder, feature, key.0, key.1));
        let components = self.components.get(&(holder.server, feature));
        for (component, _) in components.into_iter().flat_map(BTreeMap::keys) {
            let Some(other) = features.get(component) else { continue };
            for (span, fact) in other.index.overlapping(session.span) {
                again.insert((holder, *component, span, fact));
            }
        }
    }

    /// Gives what changed for one session.
    fn settle(
        &mut self,
        holder: Holder,
        feature: ProductId,
        key: (Span, FactId),
        changes: &mut Updates<Found>,
    ) {
        let Some(features) = self.holders.get_mut(&holder) else { return };
        let packages = self.packages.get(&(holder.server, feature));
        let mut covered = Vec::new();
        for (package, stated) in packages.into_iter().flat_map(BTreeMap::keys) {
            let suite = features.get(package);
            let spans = suite.map(|suite| suite.index.overlapping(key.0)).unwrap_or_default();
            covered.extend(spans.iter().filter_map(|(span, _)| span.overlap(*stated)));
        }
        let Some(held) = features.get_mut(&feature) else { return };
        let Some((session, count, given)) = held.sessions.get_mut(&key) else { return };
        let now = if *count > 0 { parts(session, &covered) } else { Vec::new() };
        changes.extend(given.iter().filter(|found| !now.contains(found)).map(|found| (*found, -1)));
        changes.extend(now.iter().filter(|found| !given.contains(found)).map(|found| (*found, 1)));
        *given = now;
        if *count == 0 {
            held.sessions.remove(&key);
            if held.sessions.is_empty() {
                features.remove(&feature);
            }
            if features.is_empty() {
                self.holders.remove(&holder);
                if let Some(holders) = self.served.get_mut(&holder.server) {
                    holders.remove(&holder);
                }
            }
        }
    }
}

/// The parts of a session: charged outside of the covered spans, included inside.
fn parts(session: &Session, covered: &[Span]) -> Vec<Found> {
    let (subject, fact) = (session.subject, session.opened_by);
    let charge = |span| {
        Found::Charge(Charge {
            subject,
            span,
            count: session.count,
            display: session.display,
            vendor_data: session.vendor_data,
            session: fact,
        })
    };
    let charged = outside(session.span, covered.iter().copied());
    let inside = outside(session.span, charged.iter().copied());
    let included = |span| Found::Included(Included { subject, span, session: fact });
    charged.into_iter().map(charge).chain(inside.into_iter().map(included)).collect()
}

fn put(
    table: &mut BTreeMap<Feature, BTreeMap<(ProductId, Span), Diff>>,
    key: Feature,
    row: (ProductId, Span),
    diff: Diff,
) {
    let rows = table.entry(key).or_default();
    let count = rows.entry(row).or_default();
    *count += diff;
    if *count == 0 {
        rows.remove(&row);
    }
    if rows.is_empty() {
        table.remove(&key);
    }
}
