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

use crate::epochs::{Came, Updates, by_key, each_epoch_sorted, everywhere};
use crate::keyed::Rows as _;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tables::{Meaning, Tables, Topic};
use timely::dataflow::operators::Concat as _;
use trueup_model::catalog::AliasKind;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::hash::{IdMap, IdSet, mix};
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

/// Who wants to know what a subject means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Asker {
    /// A checkout.
    Checkout,
    /// A metered quantity that adds up.
    Metered,
    /// A seat.
    Seat,
    /// A level, or someone who takes part.
    Gauge,
    /// An installation.
    Install,
    /// A line.
    Line,
    /// A grant of credits.
    Grant,
    /// A price.
    Price,
    /// A bill.
    Bill,
    /// An allocation.
    Allocation,
}

/// How many askers there are.
const ASKERS: usize = 10;

impl Asker {
    const ALL: [Self; ASKERS] = [
        Self::Checkout,
        Self::Metered,
        Self::Seat,
        Self::Gauge,
        Self::Install,
        Self::Line,
        Self::Grant,
        Self::Price,
        Self::Bill,
        Self::Allocation,
    ];

    fn number(self) -> usize {
        match self {
            Self::Checkout => 0,
            Self::Metered => 1,
            Self::Seat => 2,
            Self::Gauge => 3,
            Self::Install => 4,
            Self::Line => 5,
            Self::Grant => 6,
            Self::Price => 7,
            Self::Bill => 8,
            Self::Allocation => 9,
        }
    }

    fn bit(self) -> u16 {
        1 << self.number()
    }
}

/// Meanings of subjects.
type Meanings<'s> = Facts<'s, (Subject, Resolution)>;

/// Subjects with their meaning, and names without one.
pub struct Resolved<'s> {
    /// For each subject, resolutions whose spans cover all of time.
    pub resolutions: Meanings<'s>,
    /// The same by who asked, so that nobody keeps what only others want to know.
    asked: [Meanings<'s>; ASKERS],
    /// Names that need a mapping, each once.
    pub unmapped: Facts<'s, Unmapped>,
}

impl<'s> Resolved<'s> {
    /// The meanings of the subjects that someone asked for.
    pub fn told(&self, asker: Asker) -> Meanings<'s> {
        self.asked[asker.number()].clone()
    }
}

/// What arrives: what to resolve for whom, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Subject(Subject, Asker),
    Statement(Statement),
}

/// What is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// For everyone.
    Resolution(Subject, Resolution),
    Told(Asker, Subject, Resolution),
    Unmapped(Unmapped),
}

/// Resolves each subject by the statements in force. Each pair of subject and asker is there once.
pub fn resolve<'s>(
    subjects: Facts<'s, (Subject, Asker)>,
    statements: Facts<'s, Statement>,
) -> Resolved<'s> {
    let subjects = subjects.map(|(subject, asker)| Heard::Subject(subject, asker));
    let subjects = by_key(subjects, |heard| match heard {
        Heard::Subject(subject, _) => place(subject),
        Heard::Statement(_) => 0,
    });
    let statements = everywhere(statements.map(Heard::Statement));
    let mut state = State::default();
    let step = move |updates: Came<Heard>, changes: &mut Updates<Found>| {
        state.step(updates, changes);
    };
    let (resolutions, asked, unmapped) =
        each_epoch_sorted(subjects.concat(statements), "Resolve", step, sort);
    Resolved {
        resolutions: resolutions.as_collection(),
        asked: asked.map(AsCollection::as_collection),
        unmapped: unmapped.as_collection().once(),
    }
}

/// A subject with one of its meanings.
type Meant = (Subject, Resolution);

/// Sorts what was found by whom it is for.
fn sort(
    found: Found,
    diff: Diff,
    told: &mut (Updates<Meant>, [Updates<Meant>; ASKERS], Updates<Unmapped>),
) {
    match found {
        Found::Resolution(subject, row) => told.0.push(((subject, row), diff)),
        Found::Told(asker, subject, row) => told.1[asker.number()].push(((subject, row), diff)),
        Found::Unmapped(row) => told.2.push((row, diff)),
    }
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

/// A subject, who asks for it, and what was last found out about it.
struct Entry {
    subject: Subject,
    /// The askers now, as bits.
    askers: u16,
    /// The askers that were told.
    told: u16,
    resolutions: Box<[Resolution]>,
    unmapped: Box<[Unmapped]>,
    consulted: Box<[Topic]>,
}

#[derive(Default)]
struct State {
    tables: Tables,
    numbers: IdMap<Subject, u32>,
    /// Subjects by number; a number without a subject is free.
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// For which subjects a topic was consulted.
    consulted: IdMap<Topic, IdSet<u32>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Found>) {
        let mut again: IdSet<u32> = IdSet::default();
        let mut topics: BTreeSet<Topic> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Subject(subject, asker) => {
                    let number = self.number(subject);
                    let Some(entry) = self.entry(number) else { continue };
                    if diff > 0 {
                        entry.askers |= asker.bit();
                    } else {
                        entry.askers &= !asker.bit();
                    }
                    again.insert(number);
                }
                Heard::Statement(statement) => topics.extend(self.tables.hear(statement, diff)),
            }
        }
        for topic in topics {
            again.extend(self.consulted.get(&topic).into_iter().flatten());
        }
        for number in again {
            self.settle(number, changes);
        }
    }

    fn entry(&mut self, number: u32) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(number).ok()?)?.as_mut()
    }

    /// The number of a subject, which is taken in if it is new.
    fn number(&mut self, subject: Subject) -> u32 {
        if let Some(number) = self.numbers.get(&subject) {
            return *number;
        }
        let entry = Entry {
            subject,
            askers: 0,
            told: 0,
            resolutions: Box::default(),
            unmapped: Box::default(),
            consulted: Box::default(),
        };
        let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let number = self.free.pop().unwrap_or(next);
        if number == next {
            self.entries.push(Some(entry));
        } else if let Some(place) =
            usize::try_from(number).ok().and_then(|place| self.entries.get_mut(place))
        {
            *place = Some(entry);
        }
        self.numbers.insert(subject, number);
        number
    }

    fn settle(&mut self, number: u32, changes: &mut Updates<Found>) {
        let Some(before) = self.entry(number) else { return };
        let (subject, askers) = (before.subject, before.askers);
        let consulted = std::mem::take(&mut before.consulted);
        let now = match askers {
            0 => Meaning::default(),
            _ => self.tables.meaning(&subject),
        };
        for topic in &consulted {
            if let Some(subjects) = self.consulted.get_mut(topic) {
                subjects.remove(&number);
                if subjects.is_empty() {
                    self.consulted.remove(topic);
                }
            }
        }
        for topic in &now.consulted {
            self.consulted.entry(*topic).or_default().insert(number);
        }
        let Some(entry) = self.entry(number) else { return };
        let unmapped: Box<[Unmapped]> = now.unmapped.into_iter().collect();
        let given = |row: &Unmapped| Found::Unmapped(*row);
        changes.extend(entry.unmapped.iter().map(|row| (given(row), -1)));
        changes.extend(unmapped.iter().map(|row| (given(row), 1)));
        entry.tell(&now.resolutions, changes);
        entry.resolutions = now.resolutions.into_boxed_slice();
        entry.unmapped = unmapped;
        entry.consulted = now.consulted.into_boxed_slice();
        entry.told = askers;
        if askers == 0 {
            self.numbers.remove(&subject);
            if let Some(place) =
                usize::try_from(number).ok().and_then(|place| self.entries.get_mut(place))
            {
                *place = None;
                self.free.push(number);
            }
        }
    }
}

impl Entry {
    /// Tells everyone who asks what changed, new askers everything, and takes it back from those who
    /// ask no more.
    fn tell(&self, now: &[Resolution], changes: &mut Updates<Found>) {
        let subject = self.subject;
        let mut give = |had: bool, has: bool, found: &dyn Fn(Resolution) -> Found| {
            let gone = self.resolutions.iter().filter(|row| had && !(has && now.contains(row)));
            changes.extend(gone.map(|row| (found(*row), -1)));
            let come = now.iter().filter(|row| has && !(had && self.resolutions.contains(row)));
            changes.extend(come.map(|row| (found(*row), 1)));
        };
        give(self.told != 0, self.askers != 0, &|row| Found::Resolution(subject, row));
        for asker in Asker::ALL {
            let (had, has) = (self.told & asker.bit() != 0, self.askers & asker.bit() != 0);
            if had || has {
                give(had, has, &|row| Found::Told(asker, subject, row));
            }
        }
    }
}

#[cfg(test)]
mod tests;
