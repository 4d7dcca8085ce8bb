//! What the names of a subject mean, and for which account its use counts.
//!
//! resolution(s, t) = (alias(feature, t), alias(user, t), alias(device, t), account(s, t))
//!
//! account(s, t) = the account that the source names, else that of the user, of the machine, of the
//! server; else `unattributed` if the tenant describes its organization, else the root.
//!
//! Facts are never joined with names: a subject is resolved once, and a mapping that arrives late
//! moves the subject's totals. Names that lack a mapping are rows of `unmapped` until it arrives.
//!
//! Work per change: the subjects that the changed name was consulted for.

mod tables;

use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::keyed::Rows as _;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tables::{Meaning, Tables, Topic};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::catalog::AliasKind;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, Id, NameKind, ProductId, TenantId};
use trueup_model::org::MemberKind;
use trueup_model::time::Span;

/// A statement that helps to resolve names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Statement {
    /// A name means another.
    Alias(AliasKind, Id, Id, Span),
    /// A member belongs to an account.
    Member(MemberKind, Id, AccountId, Span),
    /// An account has a place in the tenant's organization.
    Account(TenantId, AccountId),
    /// A product stands in the tenant's catalog.
    Product(TenantId, ProductId),
    /// The naming rules could not resolve a name: an address, a full name.
    Unresolved(NameKind, Id),
}

/// A name that needs a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unmapped {
    /// Whose it is.
    pub tenant: TenantId,
    /// What is missing.
    pub kind: DiscrepancyKind,
    /// What kind of name.
    pub name_kind: NameKind,
    /// The name.
    pub name: Id,
}

/// Subjects with their meaning, and names without one.
pub struct Resolved<'s> {
    /// For each subject, resolutions whose spans cover all of time.
    pub resolutions: Facts<'s, (Subject, Resolution)>,
    /// Names that need a mapping, each once.
    pub unmapped: Facts<'s, Unmapped>,
}

/// What arrives: what to resolve, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Subject(Subject),
    Statement(Statement),
}

/// What is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Resolution(Subject, Resolution),
    Unmapped(Unmapped),
}

/// Resolves each subject by the statements in force.
pub fn resolve<'s>(subjects: Facts<'s, Subject>, statements: Facts<'s, Statement>) -> Resolved<'s> {
    let subjects = by_key(subjects.map(Heard::Subject), |heard| match heard {
        Heard::Subject(subject) => place(subject),
        Heard::Statement(_) => 0,
    });
    let statements = everywhere(statements.map(Heard::Statement));
    let mut state = State::default();
    let found = each_epoch(subjects.concat(statements), "Resolve", move |updates, changes| {
        state.step(updates, changes);
    });
    let resolutions = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Resolution(subject, resolution) => Some(((subject, resolution), epoch, diff)),
        Found::Unmapped(_) => None,
    });
    let unmapped = found.flat_map(|(found, epoch, diff)| match found {
        Found::Unmapped(unmapped) => Some((unmapped, epoch, diff)),
        Found::Resolution(..) => None,
    });
    Resolved { resolutions: resolutions.as_collection(), unmapped: unmapped.as_collection().once() }
}

/// The worker's share of a subject.
pub(crate) fn place(subject: &Subject) -> u64 {
    mix(&[
        subject.feature.0,
        subject.server.map_or(0, |server| server.0),
        subject.user.map_or(0, |user| user.0),
        subject.device.map_or(0, |device| device.0),
        subject.account.map_or(0, |account| account.0),
    ])
}

/// A subject and what was last found out about it.
#[derive(Clone, Debug, Default)]
struct Entry {
    facts: Diff,
    found: BTreeSet<Found>,
    consulted: Vec<Topic>,
}

#[derive(Default)]
struct State {
    tables: Tables,
    subjects: IdMap<Subject, Entry>,
    /// For which subjects a topic was consulted.
    consulted: IdMap<Topic, BTreeSet<Subject>>,
}

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Found>) {
        let mut again: BTreeSet<Subject> = BTreeSet::new();
        let mut topics: BTreeSet<Topic> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Subject(subject) => {
                    self.subjects.entry(subject).or_default().facts += diff;
                    again.insert(subject);
                }
                Heard::Statement(statement) => topics.extend(self.tables.hear(statement, diff)),
            }
        }
        for topic in topics {
            again.extend(self.consulted.get(&topic).into_iter().flatten());
        }
        for subject in again {
            self.settle(subject, changes);
        }
    }

    fn settle(&mut self, subject: Subject, changes: &mut Updates<Found>) {
        let Some(entry) = self.subjects.get_mut(&subject) else { return };
        let now = match entry.facts {
            0 => Meaning::default(),
            _ => self.tables.meaning(&subject),
        };
        for topic in entry.consulted.drain(..) {
            if let Some(subjects) = self.consulted.get_mut(&topic) {
                subjects.remove(&subject);
                if subjects.is_empty() {
                    self.consulted.remove(&topic);
                }
            }
        }
        for topic in &now.consulted {
            self.consulted.entry(*topic).or_default().insert(subject);
        }
        let mut found: BTreeSet<Found> = BTreeSet::new();
        found.extend(now.resolutions.into_iter().map(|row| Found::Resolution(subject, row)));
        found.extend(now.unmapped.into_iter().map(Found::Unmapped));
        changes.extend(entry.found.difference(&found).map(|row| (*row, -1)));
        changes.extend(found.difference(&entry.found).map(|row| (*row, 1)));
        entry.found = found;
        entry.consulted = now.consulted;
        if entry.facts == 0 {
            self.subjects.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests;
