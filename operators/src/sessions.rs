//! Sessions from the lines of a license server: which return belongs to which checkout.
//!
//! A log has no session numbers, so the pairing is a rule over the lines of one holder and feature,
//! in the order of time: a return closes the oldest open checkout of the same count, or else the
//! oldest of any; a shutdown's return closes all; a start of the daemon ends what was open before, at
//! a time that is only known to lie after the last sign of life. Where the source numbers its
//! checkouts, lines of one number are paired among themselves.
//!
//! A checkout that nothing returns ends when its product's settings say so: so long after its last sign
//! of life, so long after it began, or, if it is borrowed, when the loan ends; whichever is first. A
//! returned license may linger. These ends need no event.
//!
//! The result is a function of the set of lines: a late, repeated or retracted line pairs anew what
//! it touches, from the last moment at which nothing was open to the next such moment.
//!
//! Work per change: the lines between two such moments; a start of a daemon looks at each of its
//! holders. What is kept: the lines.

mod attempts;
mod pairing;

use crate::dedupe::Known;
use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::few::FewMap;
use crate::{Diff, Facts};
use attempts::Refusals;
use differential_dataflow::AsCollection as _;
use pairing::{Ledger, Place, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::derived::{Attempt, OrphanClose, Session, Subject, Wait};
use trueup_model::fact::{Body, FactId, Provenance};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{DeviceId, Id, ProductId, ServerId, TenantId, UserId};
use trueup_model::time::Timestamp;
use trueup_model::usage::{ServerEventKind, SessionEvent, SessionKind};
use trueup_policy::rules::{ProductSettings, SessionLifetime};

/// What becomes of the lines of license servers.
pub struct Sessions<'s> {
    /// Checkouts, from open to close.
    pub sessions: Facts<'s, Session>,
    /// Returns without a checkout.
    pub orphans: Facts<'s, OrphanClose>,
    /// Refused attempts.
    pub attempts: Facts<'s, Attempt>,
    /// Waits in queues.
    pub waits: Facts<'s, Wait>,
}

/// A line of a license server, or an event in its life.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Line(Line),
    Lifetime(ProductId, SessionLifetime),
    Life(ServerId, Place, ServerEventKind),
}

/// A line about a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) tenant: TenantId,
    pub(crate) fact: FactId,
    pub(crate) provenance: Provenance<Id>,
    pub(crate) event: SessionEvent<Id>,
}

impl Line {
    fn place(&self) -> Place {
        Place { at: self.event.at, rank: self.event.rank, fact: self.fact }
    }

    fn holder(&self) -> Holder {
        Holder {
            tenant: self.tenant,
            server: self.event.server.into(),
            user: self.event.user.into(),
            device: self.event.device.into(),
        }
    }
}

/// Who checks out from which daemon, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) tenant: TenantId,
    pub(crate) server: ServerId,
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
}

impl Holder {
    /// The worker's share of a holder.
    pub(crate) fn place(&self) -> u64 {
        mix(&[self.server.0, self.user.0, self.device.0])
    }

    /// The holder's subject for one feature.
    fn subject(&self, feature: ProductId) -> Subject {
        Subject {
            tenant: self.tenant,
            server: Some(self.server),
            feature,
            user: Some(self.user),
            device: Some(self.device),
            account: None,
        }
    }
}

/// What lines come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Session(Session),
    Orphan(OrphanClose),
    Attempt(Attempt),
    Wait(Wait),
}

/// Pairs the lines of license servers; a denial is met by a checkout within `attempt_window_us`.
pub fn sessions<'s>(
    checkouts: Facts<'s, Known>,
    signals: Facts<'s, Known>,
    settings: Facts<'s, (ProductId, ProductSettings)>,
    attempt_window_us: i64,
) -> Sessions<'s> {
    let lines = checkouts.flat_map(|row| {
        let Body::Session(event) = row.body else { return None };
        let (tenant, fact, provenance) = (row.tenant, row.id, row.provenance);
        Some(Heard::Line(Line { tenant, fact, provenance, event }))
    });
    let life = signals.flat_map(|row| {
        let Body::Server(event) = row.body else { return None };
        let place = Place { at: event.at, rank: event.rank, fact: row.id };
        Some(Heard::Life(event.server.into(), place, event.kind))
    });
    let lines = by_key(lines, |heard| match heard {
        Heard::Line(line) => line.holder().place(),
        Heard::Life(..) | Heard::Lifetime(..) => 0,
    });
    let lifetimes = settings.flat_map(|(product, settings)| {
        let stated = settings.lifetime != SessionLifetime::default();
        stated.then_some(Heard::Lifetime(product, settings.lifetime))
    });
    let mut state = State { attempt_window_us, ..State::default() };
    let outcomes = each_epoch(
        lines.concat(everywhere(life.concat(lifetimes))),
        "Sessions",
        move |updates, changes| {
            state.step(updates, changes);
        },
    );
    let sessions = outcomes.clone().flat_map(|(outcome, epoch, diff)| match outcome {
        Outcome::Session(session) => Some((session, epoch, diff)),
        Outcome::Orphan(_) | Outcome::Attempt(_) | Outcome::Wait(_) => None,
    });
    let orphans = outcomes.clone().flat_map(|(outcome, epoch, diff)| match outcome {
        Outcome::Orphan(orphan) => Some((orphan, epoch, diff)),
        Outcome::Session(_) | Outcome::Attempt(_) | Outcome::Wait(_) => None,
    });
    let attempts = outcomes.clone().flat_map(|(outcome, epoch, diff)| match outcome {
        Outcome::Attempt(attempt) => Some((attempt, epoch, diff)),
        Outcome::Session(_) | Outcome::Orphan(_) | Outcome::Wait(_) => None,
    });
    let waits = outcomes.flat_map(|(outcome, epoch, diff)| match outcome {
        Outcome::Wait(wait) => Some((wait, epoch, diff)),
        Outcome::Session(_) | Outcome::Orphan(_) | Outcome::Attempt(_) => None,
    });
    Sessions {
        sessions: sessions.as_collection(),
        orphans: orphans.as_collection(),
        attempts: attempts.as_collection(),
        waits: waits.as_collection(),
    }
}

/// The life of one daemon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// When it started.
    pub(crate) starts: BTreeMap<Place, Diff>,
    /// When it was certainly alive.
    pub(crate) alive: BTreeMap<Timestamp, Diff>,
}

impl Life {
    /// The last sign of life before the instant.
    pub(crate) fn alive_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.alive.range(..at).next_back().map(|(alive, _)| *alive)
    }
}

/// The lines of one holder that are paired among themselves.
type LedgerKey = (ProductId, Option<u64>);

/// What is known of one holder.
#[derive(Default)]
struct Account {
    ledgers: FewMap<LedgerKey, Ledger>,
    refusals: Refusals,
}

#[derive(Default)]
struct State {
    attempt_window_us: i64,
    holders: IdMap<Holder, Account>,
    lives: IdMap<ServerId, Life>,
    served: IdMap<ServerId, BTreeSet<Holder>>,
    lifetimes: IdMap<ProductId, SessionLifetime>,
}

/// What of a holder must be looked at again.
#[derive(Default)]
struct Touched {
    ledgers: BTreeMap<LedgerKey, (Place, Place)>,
    refusals: BTreeSet<Timestamp>,
    waits: BTreeSet<ProductId>,
}

impl Touched {
    fn ledger(&mut self, key: LedgerKey, place: Place) {
        let range = self.ledgers.entry(key).or_insert((place, place));
        *range = (range.0.min(place), range.1.max(place));
    }
}

impl State {
    fn step(
        &mut self,
        updates: impl IntoIterator<Item = (Heard, Diff)>,
        changes: &mut Updates<Outcome>,
    ) {
        let mut touched: BTreeMap<Holder, Touched> = BTreeMap::new();
        let mut lives: BTreeSet<(ServerId, Place, ServerEventKind)> = BTreeSet::new();
        let mut stated: BTreeMap<(ProductId, SessionLifetime), Diff> = BTreeMap::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Line(line) => {
                    self.hear(line, diff, touched.entry(line.holder()).or_default());
                }
                Heard::Life(server, place, kind) => {
                    self.live(server, place, kind, diff);
                    lives.insert((server, place, kind));
                }
                Heard::Lifetime(feature, lifetime) => {
                    *stated.entry((feature, lifetime)).or_default() += diff;
                }
            }
        }
        self.restate(stated, &mut touched);
        for (server, place, kind) in lives {
            self.touch_open(server, place, kind, &mut touched);
        }
        for (holder, parts) in touched {
            self.settle(holder, parts, changes);
        }
    }

    /// Takes in a line, or takes it out.
    fn hear(&mut self, line: Line, diff: Diff, touched: &mut Touched) {
        let holder = line.holder();
        let account = self.holders.entry(holder).or_default();
        self.served.entry(holder.server).or_default().insert(holder);
        let feature: ProductId = line.event.product.into();
        match line.event.kind {
            SessionKind::Open | SessionKind::Close | SessionKind::Heartbeat => {
                let key = (feature, line.event.handle);
                account.ledgers.or_insert_with(key, Ledger::default).put(line, diff);
                touched.ledger(key, line.place());
                if line.event.kind == SessionKind::Open {
                    let near = account.refusals.near(line.event.at, self.attempt_window_us);
                    touched.refusals.extend(near);
                    touched.waits.insert(feature);
                }
            }
            SessionKind::Deny | SessionKind::Unsupported => {
                touched.refusals.insert(account.refusals.refuse(line, diff));
            }
            SessionKind::Queue | SessionKind::Dequeue => {
                account.refusals.queue(line, diff);
                touched.waits.insert(feature);
            }
        }
    }

    /// Takes in how long checkouts of features last; looks at all of theirs again.
    fn restate(
        &mut self,
        mut stated: BTreeMap<(ProductId, SessionLifetime), Diff>,
        touched: &mut BTreeMap<Holder, Touched>,
    ) {
        stated.retain(|_, diff| *diff != 0);
        let features: BTreeSet<ProductId> = stated.keys().map(|(feature, _)| *feature).collect();
        for feature in &features {
            self.lifetimes.remove(feature);
        }
        for ((feature, lifetime), _) in stated.into_iter().filter(|(_, diff)| *diff > 0) {
            self.lifetimes.insert(feature, lifetime);
        }
        if features.is_empty() {
            return;
        }
        for (holder, account) in &self.holders {
            for (key, ledger) in account.ledgers.iter() {
                if let Some((first, last)) = ledger.bounds().filter(|_| features.contains(&key.0)) {
                    let parts = touched.entry(*holder).or_default();
                    parts.ledger(*key, first);
                    parts.ledger(*key, last);
                }
            }
        }
    }

    /// Takes in an event of a daemon's life, or takes it out.
    fn live(&mut self, server: ServerId, place: Place, kind: ServerEventKind, diff: Diff) {
        let life = self.lives.entry(server).or_default();
        match kind {
            ServerEventKind::Started => {
                let count = life.starts.entry(place).or_default();
                *count += diff;
                if *count == 0 {
                    life.starts.remove(&place);
                }
            }
            ServerEventKind::Alive => {
                let count = life.alive.entry(place.at).or_default();
                *count += diff;
                if *count == 0 {
                    life.alive.remove(&place.at);
                }
            }
            ServerEventKind::Reread | ServerEventKind::FeatureExpired => {}
        }
    }

    /// Marks the ledgers of a daemon whose sessions an event of its life can end otherwise.
    fn touch_open(
        &self,
        server: ServerId,
        place: Place,
        kind: ServerEventKind,
        touched: &mut BTreeMap<Holder, Touched>,
    ) {
        let life = self.lives.get(&server);
        let later = || life.and_then(|life| life.starts.range(place..).next());
        let ends = match kind {
            ServerEventKind::Started => place,
            // A sign of life says when sessions can have ended that a later start ended.
            ServerEventKind::Alive => match later() {
                Some((start, _)) => *start,
                None => return,
            },
            ServerEventKind::Reread | ServerEventKind::FeatureExpired => return,
        };
        for holder in self.served.get(&server).into_iter().flatten() {
            let Some(account) = self.holders.get(holder) else { continue };
            for (key, ledger) in account.ledgers.iter() {
                if ledger.open_at(ends) {
                    touched.entry(*holder).or_default().ledger(*key, ends);
                }
            }
            let mut queued = account.refusals.queued().peekable();
            if kind == ServerEventKind::Started && queued.peek().is_some() {
                touched.entry(*holder).or_default().waits.extend(queued);
            }
        }
    }

    /// Gives what changed for one holder.
    fn settle(&mut self, holder: Holder, touched: Touched, changes: &mut Updates<Outcome>) {
        let Some(account) = self.holders.get_mut(&holder) else { return };
        let quiet = Life::default();
        let life = self.lives.get(&holder.server).unwrap_or(&quiet);
        for (key, (first, last)) in touched.ledgers {
            if let Some(ledger) = account.ledgers.get_mut(&key) {
                let lifetime = self.lifetimes.get(&key.0).copied().unwrap_or_default();
                let rule = Rule { subject: holder.subject(key.0), life, lifetime };
                ledger.settle(&rule, first, last, changes);
                if ledger.is_empty() {
                    account.ledgers.remove(&key);
                }
            }
        }
        let ledgers = &account.ledgers;
        let opened = |feature: ProductId, from: Timestamp, until: Timestamp| {
            ledgers
                .range((feature, None)..=(feature, Some(u64::MAX)))
                .filter_map(|(_, ledger)| ledger.first_open(from, until))
                .min()
        };
        for second in touched.refusals {
            account.refusals.settle(holder, second, self.attempt_window_us, opened, changes);
        }
        for feature in touched.waits {
            let subject = holder.subject(feature);
            account.refusals.settle_waits(subject, life, opened, changes);
        }
        if account.ledgers.is_empty() && account.refusals.is_empty() {
            self.holders.remove(&holder);
            if let Some(holders) = self.served.get_mut(&holder.server) {
                holders.remove(&holder);
            }
        }
    }
}

#[cfg(test)]
mod tests;
