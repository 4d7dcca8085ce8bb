//! Reading the journal back: the same work in the same order, so the same epochs again.
//!
//! Records after the last closed epoch were acknowledged to nobody, but they are whole: they stay in
//! the epoch that is open, and their senders are told that they were had.
//!
//! What the journal and its snapshots say of what was published is known before anything is computed again,
//! and compared with that (`chain.rs`).
//!
//! An engine that only looks back reads the same up to an epoch, changes no file, and keeps nothing.

use crate::chain::{Before, Chain, Link};
use crate::conversation::Names;
use crate::error::RuntimeError;
use crate::intake::Intake;
use crate::log::{EpochHash, Log};
use crate::sequencer::{Batch, Desk, Replay, Work};
use crate::snapshot::{Restored, find};
use crate::suspects::Suspect;
use crossbeam_channel::bounded;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use trueup_journal::backup::settled_with;
use trueup_journal::snapshot::Manifest;
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    EpochClose, JournalError, Opened, Options, Record, RecordKind, Records, Storage, Writer,
    open_with,
};
use trueup_model::id::TenantId;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_wire::record::{self, ConversationId, SourceRecord};
use trueup_wire::{Credit, FrameReader, Message};

/// Where what is read back goes.
pub(crate) struct Target<'a> {
    pub(crate) intake: &'a Intake,
    pub(crate) work: &'a dyn Desk,
    pub(crate) chain: &'a Mutex<Chain>,
}

impl Target<'_> {
    /// The chain of what is computed.
    pub(crate) fn with_chain<T>(&self, act: impl FnOnce(&mut Chain) -> T) -> T {
        act(&mut self.chain.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How it is read back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Whether what is computed may differ from what was published.
    pub(crate) accepts_differences: bool,
    /// Whether nothing is let go of.
    pub(crate) holds_evidence: bool,
}

/// What was found.
pub(crate) struct Recovered {
    /// The last epoch that was closed.
    pub(crate) closed: Epoch,
    /// The snapshots that are good, newest first.
    pub(crate) snapshots: Vec<Manifest>,
}

/// Reads a snapshot and the journal after it back, and hands the log over.
pub(crate) fn recover<S>(
    storage: Option<S>,
    options: Options,
    manner: Manner,
    to: &Target<'_>,
) -> Result<Recovered, RuntimeError>
where
    S: Storage + Clone + Debug + 'static,
    Writer<S>: Send,
{
    let mut snapshots = Vec::new();
    let log = match storage {
        None => Log::Memory { number: 0 },
        Some(storage) => {
            let mut before = Before::default();
            let Opened { mut writer, records, first_record, cut_bytes } =
                open_with(storage.clone(), options, |record| {
                    note_left_out(record, to.intake);
                    before.note(record);
                })?;
            to.with_chain(|chain| chain.expect(before));
            if manner.accepts_differences {
                accept(&mut writer)?;
            }
            if cut_bytes > 0 {
                tracing::warn!(
                    bytes = cut_bytes,
                    "the journal ended in a torn group, which was cut"
                );
            }
            snapshots = find(&storage, first_record)?;
            let restored = match snapshots.first() {
                Some(newest) => Restored::enter(&storage, newest, to)?,
                None => Restored::default(),
            };
            Replayer::new(to, restored).run(records, None)?;
            if let Some(older) = snapshots.get(1).filter(|_| !manner.holds_evidence) {
                writer.release(older.through.saturating_add(1));
            }
            Log::Journal { writer: Box::new(writer), bytes: 0 }
        }
    };
    Ok(Recovered { closed: end(log, to.work)?, snapshots })
}

/// Writes down that what was published so far may differ from what is computed again.
fn accept<S: Storage>(writer: &mut Writer<S>) -> Result<(), JournalError> {
    let next = writer.closed_epoch().unwrap_or(0) + 1;
    let epoch = writer.open_epoch().map_or(next, |(open, _)| open);
    writer.append(NewRecord { kind: record::ACCEPTED, epoch, parts: &[] })?;
    writer.seal()?;
    Ok(())
}

/// The epochs that are read back by an engine that only looks back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Begins with the newest snapshot of this epoch or an earlier one; `None` for the newest that serves.
    pub from: Option<Epoch>,
    /// Ends with this epoch; `None` for the last that was closed.
    pub through: Option<Epoch>,
    /// Without these facts, besides those that the journal leaves out.
    pub without: Vec<Suspect>,
}

/// Reads a snapshot and the journal after it up to an epoch; changes nothing there. Gives that epoch.
pub(crate) fn replay<S>(
    storage: &S,
    wanted: &Replayed,
    to: &Target<'_>,
) -> Result<Epoch, RuntimeError>
where
    S: Storage + Clone,
{
    let mut before = Before::default();
    let found = settled_with(storage, |record| {
        note_left_out(record, to.intake);
        before.note(record);
    })?;
    to.with_chain(|chain| chain.expect(before));
    wanted.without.iter().for_each(|fact| to.intake.leave_out(*fact));
    let first_record = found.segments.first().map_or(1, |segment| segment.first);
    let good = find(storage, first_record)?;
    let last = found.closed.unwrap_or(0);
    let last = good.first().map_or(last, |newest| newest.number.max(last));
    let through = wanted.through.unwrap_or(last);
    if through > last {
        return Err(RuntimeError::NotClosed { epoch: through, last });
    }
    let from = wanted.from.map_or(through, |from| from.min(through));
    let begin = good.iter().find(|snapshot| snapshot.number <= from);
    if begin.is_none() && first_record > 1 {
        let oldest = good.last().map_or(0, |oldest| oldest.number);
        return Err(RuntimeError::LetGo { epoch: from, oldest });
    }
    let restored = match begin {
        Some(snapshot) => Restored::enter(storage, snapshot, to)?,
        None => Restored::default(),
    };
    let records = Records::open(storage.clone())?.up_to(found.last);
    Replayer::new(to, restored).run(records, Some(through))?;
    end(Log::Memory { number: 0 }, to.work)
}

/// Has what a record leaves out be left out of all that is read, also of what came before it.
fn note_left_out(record: &Record<'_>, intake: &Intake) {
    if record.kind == RecordKind::Data(record::LEFT_OUT)
        && let Some(fact) = record::left_out(record.content)
    {
        intake.leave_out(fact);
    }
}

/// Says that there is no more to read back; gives the last epoch that was closed.
fn end(log: Log, work: &dyn Desk) -> Result<Epoch, RuntimeError> {
    let (reply, ended) = bounded(1);
    work.leave(Work::Replay(Replay::End { log, reply }))?;
    ended.recv().map_err(|_| RuntimeError::Stopped)
}

/// A conversation whose batches can be read.
struct Talk {
    tenant: TenantId,
    names: Names,
}

/// Turns records into work.
struct Replayer<'a> {
    intake: &'a Intake,
    work: &'a dyn Desk,
    talks: BTreeMap<ConversationId, Talk>,
    /// The newest conversation of each source; older ones have no more batches.
    newest: BTreeMap<(String, String), ConversationId>,
    horizon: Option<Timestamp>,
    /// The last epoch of the snapshot, whose records are not needed.
    epoch: Epoch,
}

impl<'a> Replayer<'a> {
    fn new(to: &Target<'a>, restored: Restored) -> Self {
        let Target { intake, work, .. } = *to;
        let Restored { epoch, talks, sources, .. } = restored;
        let talks = talks.into_iter();
        let talks = talks.map(|(id, (tenant, names))| (id, Talk { tenant, names })).collect();
        let newest = sources
            .states()
            .map(|state| ((state.tenant.to_owned(), state.source.to_owned()), state.conversation));
        Self { intake, work, talks, newest: newest.collect(), horizon: None, epoch }
    }

    /// Takes the records up to the close of an epoch, or all of them.
    fn run<S: Storage>(
        mut self,
        mut records: Records<S>,
        through: Option<Epoch>,
    ) -> Result<(), RuntimeError> {
        while let Some(record) = records.next()? {
            let number = record.number;
            if record.epoch <= self.epoch {
                continue;
            }
            if through.is_some_and(|last| record.epoch > last) {
                break;
            }
            self.take(&record).map_err(|error| match error {
                Bad::Record(problem) => RuntimeError::Record { number, problem },
                Bad::Runtime(error) => error,
            })?;
        }
        Ok(())
    }

    fn take(&mut self, record: &Record<'_>) -> Result<(), Bad> {
        match record.kind {
            RecordKind::EpochClose => {
                self.close(&record.epoch_close().ok_or_else(|| bad("it is no epoch's close"))?)
            }
            RecordKind::Data(record::SOURCE) => self.source(record.content),
            RecordKind::Data(record::NAMES | record::BATCH) => self.frame(record.content),
            RecordKind::Data(record::HORIZON) => {
                let at = record::horizon(record.content).ok_or_else(|| bad("it is no horizon"))?;
                self.horizon = Some(at);
                Ok(())
            }
            RecordKind::Data(record::LEFT_OUT) => {
                record::left_out(record.content).map(|_| ()).ok_or_else(|| bad("it is no fact"))
            }
            RecordKind::Data(record::PUBLISHED) => {
                Link::decode(record.content).map(|_| ()).ok_or_else(|| bad("it is no link"))
            }
            RecordKind::Data(record::ACCEPTED) => Ok(()),
            RecordKind::Data(kind) => Err(Bad::Record(format!("it is of the unknown kind {kind}"))),
        }
    }

    fn source(&mut self, content: &[u8]) -> Result<(), Bad> {
        let source = SourceRecord::decode(content).ok_or_else(|| bad("it is no source"))?;
        let SourceRecord { conversation, generation, .. } = source;
        let key = (source.tenant.to_owned(), source.source.to_owned());
        if let Some(older) = self.newest.insert(key, conversation) {
            self.talks.remove(&older);
        }
        let tenant = self.intake.tenant(source.tenant);
        self.talks.insert(conversation, Talk { tenant, names: Names::default() });
        let replay = Replay::Source {
            conversation,
            tenant: source.tenant.to_owned(),
            source: source.source.to_owned(),
            generation,
        };
        Ok(self.work.leave(Work::Replay(replay))?)
    }

    fn frame(&mut self, content: &[u8]) -> Result<(), Bad> {
        let (conversation, mut rest) = record::number(content).ok_or_else(|| bad("it is cut"))?;
        let talk = self.talks.get_mut(&conversation);
        let talk = talk.ok_or_else(|| bad("it belongs to a conversation that never began"))?;
        let mut reader = FrameReader::new();
        let found = reader.next(&mut rest).map_err(|error| Bad::Record(error.to_string()))?;
        let frame = found.ok_or_else(|| bad("its frame is cut"))?;
        match Message::decode(&frame).map_err(|error| Bad::Record(error.to_string()))? {
            Message::Dictionary(definitions) => {
                talk.names.define(self.intake, talk.tenant, &definitions);
                Ok(())
            }
            Message::Batch(batch) => {
                let read = talk.names.facts(self.intake, talk.tenant, &batch);
                let read = read.map_err(Bad::Record)?;
                let work = Work::Batch(Batch {
                    conversation,
                    sequence: batch.sequence,
                    position: batch.position.to_vec(),
                    frame: Vec::new(),
                    read,
                    cost: Credit::default(),
                    received_us: 0,
                    notes: None,
                });
                Ok(self.work.leave(work)?)
            }
            other @ (Message::Hello(_)
            | Message::Welcome(_)
            | Message::Credit(_)
            | Message::Ack(_)
            | Message::Sealed { .. }
            | Message::Error(_)
            | Message::Heartbeat { .. }
            | Message::Bye) => {
                Err(Bad::Record(format!("a {} has no place in a journal", other.name())))
            }
        }
    }

    fn close(&mut self, close: &EpochClose) -> Result<(), Bad> {
        let EpochClose { epoch, hash, .. } = *close;
        let (reply, done) = bounded(1);
        let hash = EpochHash(hash);
        let replay = Replay::Close { epoch, hash, horizon: self.horizon.take(), reply };
        self.work.leave(Work::Replay(replay))?;
        Ok(done.recv().map_err(|_| RuntimeError::Stopped)??)
    }
}

/// Why a record could not be taken.
enum Bad {
    Record(String),
    Runtime(RuntimeError),
}

impl From<RuntimeError> for Bad {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error)
    }
}

fn bad(problem: &str) -> Bad {
    Bad::Record(problem.to_owned())
}

#[cfg(test)]
mod tests;
