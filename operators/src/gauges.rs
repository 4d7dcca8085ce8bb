//! Levels and memberships that events set: what holds from one event of a subject to its next.
//!
//! level(s, t)  = quantity of the last `set` of s at or before t
//! member(s, t) = the last of `enter` and `leave` of s at or before t is an `enter`
//! orphans      = the `leave`s of s before which stands no `enter`, or another `leave`
//!
//! Events of one instant stand in the order of their identities, so that the last one of them holds. A
//! level is use under the metric `level`; a member is a named user.
//!
//! Work per change: the event and the one before it; a mapping that changes, the events of the subject.

use crate::attribute::{Place, Use};
use crate::dedupe::Known;
use crate::epochs::{Updates, by_key, each_epoch_consolidated};
use crate::keyed::Rows as _;
use crate::reconcile::plain;
use crate::resolve::place;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::{Body, FactId};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::NameKind;
use trueup_model::metric::Metric;
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::UsageOp;

/// An event that sets a level or a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Setting {
    /// Whose level.
    pub subject: Subject,
    /// Whether it is a membership.
    pub member: bool,
    /// When.
    pub at: Timestamp,
    /// The fact.
    pub fact: FactId,
    /// The level from then on; one for a member, nothing for one that left.
    pub level: Quantity,
}

/// The events that set something.
pub fn settings_of<'s>(known: Facts<'s, Known>) -> Facts<'s, Setting> {
    known.flat_map(|known| {
        let Body::Usage(event) = known.body else { return None };
        let (member, level) = match event.op {
            UsageOp::Add => return None,
            UsageOp::Set => (false, event.quantity.max(Quantity::ZERO)),
            UsageOp::Enter => (true, Quantity::ONE),
            UsageOp::Leave => (true, Quantity::ZERO),
        };
        let subject = Subject {
            tenant: known.tenant,
            server: None,
            feature: event.product.into(),
            user: event.user.map(Into::into),
            device: event.device.map(Into::into),
            account: event.account.map(Into::into),
        };
        Some(Setting { subject, member, at: event.at, fact: known.id, level })
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Setting(Setting),
    Resolution(Subject, Resolution),
}

/// What settings come to.
pub struct Gauges<'s> {
    /// What holds, and how long.
    pub uses: Facts<'s, Use>,
    /// Whose `leave`s have no `enter`, one row for each.
    pub orphans: Facts<'s, Subject>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Found {
    Use(Use),
    Orphan(Subject),
}

/// Gives what holds, and how long.
pub fn gauges<'s>(
    settings: Facts<'s, Setting>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Gauges<'s> {
    let rows = settings
        .map(Heard::Setting)
        .concat(resolutions.map(|(subject, row)| Heard::Resolution(subject, row)));
    let rows = by_key(rows, |heard| match heard {
        Heard::Setting(setting) => place(&setting.subject),
        Heard::Resolution(subject, _) => place(subject),
    });
    let mut subjects: IdMap<Subject, Gauge> = IdMap::default();
    let found = each_epoch_consolidated(rows, "Gauges", move |updates, changes| {
        step(&mut subjects, updates, changes);
    })
    .as_collection();
    let uses = found.clone().flat_map(|found| match found {
        Found::Use(one) => Some(one),
        Found::Orphan(_) => None,
    });
    let orphans = found.flat_map(|found| match found {
        Found::Use(_) => None,
        Found::Orphan(subject) => Some(subject),
    });
    Gauges { uses, orphans }
}

/// The discrepancies of `leave`s without an `enter`, by the name that is left.
pub fn orphaned(orphans: Facts<'_, Subject>) -> Facts<'_, Discrepancy> {
    let left = orphans.map(|subject| (subject.tenant, subject.feature));
    left.counts().map(|((tenant, feature), count)| Discrepancy {
        subject: Some((NameKind::Product, feature.into())),
        magnitude: Quantity::units(i64::try_from(count).unwrap_or(i64::MAX)),
        ..plain(DiscrepancyKind::OrphanClose, tenant)
    })
}

/// The place of an event among those of its subject: memberships apart, then time, then identity.
type Key = (bool, Timestamp, FactId);

/// The events and meanings of one subject, and what they come to.
#[derive(Default)]
struct Gauge {
    events: BTreeMap<Key, (Quantity, Diff)>,
    resolutions: BTreeMap<Resolution, Diff>,
    given: BTreeMap<Key, Vec<Use>>,
    orphans: BTreeSet<Key>,
}

fn step(
    subjects: &mut IdMap<Subject, Gauge>,
    updates: Updates<Heard>,
    changes: &mut Updates<Found>,
) {
    let mut touched: BTreeMap<Subject, BTreeSet<Key>> = BTreeMap::new();
    let mut renamed: BTreeSet<Subject> = BTreeSet::new();
    for (heard, diff) in updates {
        match heard {
            Heard::Setting(one) => {
                let key = (one.member, one.at, one.fact);
                let events = &mut subjects.entry(one.subject).or_default().events;
                let entry = events.entry(key).or_insert((one.level, 0));
                // Of a correction the new level stays, whichever update comes first.
                if diff > 0 {
                    entry.0 = one.level;
                }
                entry.1 += diff;
                if entry.1 == 0 {
                    events.remove(&key);
                }
                touched.entry(one.subject).or_default().insert(key);
            }
            Heard::Resolution(subject, row) => {
                let gauge = subjects.entry(subject).or_default();
                let count = gauge.resolutions.entry(row).or_default();
                *count += diff;
                if *count == 0 {
                    gauge.resolutions.remove(&row);
                }
                renamed.insert(subject);
            }
        }
    }
    for subject in &renamed {
        let gauge = subjects.entry(*subject).or_default();
        if !gauge.events.is_empty() || !gauge.given.is_empty() {
            let keys = gauge.events.keys().chain(gauge.given.keys()).copied();
            touched.entry(*subject).or_default().extend(keys);
        }
    }
    for (subject, keys) in touched {
        if let Some(gauge) = subjects.get_mut(&subject) {
            gauge.settle(&subject, keys, changes);
        }
    }
    for subject in renamed {
        if subjects.get(&subject).is_some_and(Gauge::is_empty) {
            subjects.remove(&subject);
        }
    }
}

impl Gauge {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.resolutions.is_empty()
            && self.given.is_empty()
            && self.orphans.is_empty()
    }

    /// Says of the events, and of those after them, which are orphans now.
    fn find_orphans(
        &mut self,
        subject: &Subject,
        keys: &BTreeSet<Key>,
        changes: &mut Updates<Found>,
    ) {
        use std::ops::Bound::{Excluded, Unbounded};
        let after =
            keys.iter().filter_map(|key| self.events.range((Excluded(*key), Unbounded)).next());
        let after: Vec<Key> = after.map(|(key, _)| *key).collect();
        for key in keys.iter().copied().chain(after).collect::<BTreeSet<_>>() {
            let leaves = self.events.get(&key).is_some_and(|(level, _)| key.0 && level.0 == 0);
            let before = self.events.range(..key).next_back().filter(|(before, _)| before.0);
            let entered = before.is_some_and(|(_, (level, _))| level.0 != 0);
            if leaves && !entered {
                if self.orphans.insert(key) {
                    changes.push((Found::Orphan(*subject), 1));
                }
            } else if self.orphans.remove(&key) {
                changes.push((Found::Orphan(*subject), -1));
            }
        }
    }

    /// Gives what changed of the events and of those before them.
    fn settle(&mut self, subject: &Subject, keys: BTreeSet<Key>, changes: &mut Updates<Found>) {
        self.find_orphans(subject, &keys, changes);
        let before = keys.iter().filter_map(|key| self.events.range(..*key).next_back());
        let before: Vec<Key> = before.map(|(key, _)| *key).collect();
        for key in keys.into_iter().chain(before).collect::<BTreeSet<_>>() {
            let now = self.uses(subject, key);
            let old = match now.is_empty() {
                true => self.given.remove(&key).unwrap_or_default(),
                false => self.given.insert(key, now.clone()).unwrap_or_default(),
            };
            if old != now {
                changes.extend(old.into_iter().map(|one| (Found::Use(one), -1)));
                changes.extend(now.into_iter().map(|one| (Found::Use(one), 1)));
            }
        }
    }

    /// What an event comes to: until the next one, in each of its subject's meanings.
    fn uses(&self, subject: &Subject, key: Key) -> Vec<Use> {
        let Some((level, _)) = self.events.get(&key) else { return Vec::new() };
        let (member, at, fact) = key;
        let later = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
        let next = self.events.range(later).next().filter(|(next, _)| next.0 == member);
        let span = Span::new(at, next.map_or(Timestamp::MAX, |(next, _)| next.1));
        if level.0 == 0 || span.is_empty() {
            return Vec::new();
        }
        let rows = self.resolutions.keys();
        let held = |row: &Resolution| {
            Some(held(subject, member, *level, row.span.overlap(span)?, fact, row))
        };
        rows.filter_map(held).collect()
    }
}

fn held(
    subject: &Subject,
    member: bool,
    level: Quantity,
    span: Span,
    fact: FactId,
    row: &Resolution,
) -> Use {
    let user = row.user.map_or(0, |user| user.0);
    Use {
        tenant: subject.tenant,
        product: row.product,
        account: row.account,
        metric: if member { Metric::NamedUser } else { Metric::Level },
        group: member.then(|| mix(&[row.product.0, user])),
        span,
        units: level,
        user: row.user,
        device: row.device,
        place: Place::Anywhere,
        session: if member { FactId::default() } else { fact },
        weight: Weight::ONE,
        part: row.product,
        least: false,
    }
}
