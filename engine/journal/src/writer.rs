//! Appending to a journal: many records, one sync.
//!
//! Records are gathered in a group. A group that is full is given to the disk, up to four of them at
//! once, and durable in their order. What [`Writer::append`] takes is durable when a [`Writer::sync`]
//! after it has returned; or, for whoever does not wait, when [`Writer::tick`] says so, which gives
//! away a group that has waited for two milliseconds. A durable record is *sealed* once a later
//! durable frame vouches for it (see `reader.rs`); until then its sender keeps it.
//!
//! Room is made before a record is taken. If the disk has none, the record is refused, everything that
//! was taken can still be synced and sealed, and the next one is taken as soon as there is room again.
//! Any other failure of a write or sync poisons the writer for ever: what the file system did with the
//! bytes is unknown then, and only reading the disk again can tell.
//!
//! Dropping a writer forgets what was not synced, and waits for what is on its way.

use crate::epoch::Epochs;
use crate::error::JournalError;
use crate::flight::{Flight, Point};
use crate::frame::{BLOCK_BYTES, FrameHeader, VERSION};
use crate::group::Group;
use crate::lanes::Job;
use crate::record::{EpochClose, NewEntry, RECORD_BYTES_MAX, RecordKind};
use crate::recover::Options;
use crate::seal::Seal;
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::storage::Storage;
use crate::tail::Tail;
use std::io;

/// How long a group waits for more records, in microseconds.
pub const GROUP_US_MAX: u64 = 2_000;
/// Room that is kept on a disk that is full, for what seals the last group and for opening again.
const SPARE_BYTES: u64 = 3 * BLOCK_BYTES as u64;

/// How far a journal is safe, by the numbers of its records. Neither number ever falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last record that survives a loss of power.
    pub durable: u64,
    /// The last record that survives that and one damaged place, or the damage is reported.
    pub sealed: u64,
}

/// A record to be appended.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// The owner's number for the kind of its content, at most [`RecordKind::DATA_MAX`].
    pub kind: u8,
    /// The epoch that it belongs to: the open one, or a new one if none is open.
    pub epoch: u64,
    /// Its content: all of the parts, one after the other.
    pub parts: &'a [&'a [u8]],
}

/// Appends to a journal.
#[derive(Debug)]
pub struct Writer<S: Storage> {
    options: Options,
    tail: Tail<S>,
    flight: Flight<S>,
    group: Group,
    /// When the group got its first record, as far as it was told.
    group_since_us: u64,
    now_us: u64,
    /// Where the next frame begins in the segment.
    offset: u64,
    /// The last frame that was made.
    frame: u64,
    /// Its checksum.
    checksum: u32,
    /// The last record that was taken.
    number: u64,
    generation: u64,
    epochs: Epochs,
    /// The first failure.
    poisoned: Option<(String, io::ErrorKind)>,
}

/// Where a writer begins.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) offset: u64,
    pub(crate) frame: u64,
    pub(crate) checksum: u32,
    pub(crate) number: u64,
    pub(crate) generation: u64,
    pub(crate) epochs: Epochs,
    /// What seals content, if anything does.
    pub(crate) seal: Option<Seal>,
}

impl<S: Storage> Writer<S> {
    /// A writer after the last record of a journal, all of which is durable.
    pub(crate) fn new(tail: Tail<S>, lanes: S::Lanes, start: Start, options: Options) -> Self {
        let Start { offset, frame, checksum, number, generation, epochs, seal } = start;
        Self {
            options,
            tail,
            flight: Flight::new(lanes, Point { frame, record: number }),
            group: Group::new(seal),
            group_since_us: 0,
            now_us: 0,
            offset,
            frame,
            checksum,
            number,
            generation,
            epochs,
            poisoned: None,
        }
    }

    /// Takes a record; gives its number. It is durable after the next [`Writer::sync`].
    ///
    /// # Errors
    /// If the record is too long, its epoch is not the open one, or the disk is full; nothing changes
    /// then. If the storage refuses otherwise; nothing more is taken then, ever.
    ///
    /// # Panics
    /// If the kind is greater than [`RecordKind::DATA_MAX`]: kinds are constants of the owner.
    pub fn append(&mut self, record: NewRecord<'_>) -> Result<u64, JournalError> {
        self.append_of("", record)
    }

    /// The same with content of a party, which may have a key of its own; without keys it is as any other.
    ///
    /// # Errors
    /// As [`Writer::append`].
    ///
    /// # Panics
    /// As [`Writer::append`].
    pub fn append_of(&mut self, party: &str, record: NewRecord<'_>) -> Result<u64, JournalError> {
        let NewRecord { kind, epoch, parts } = record;
        self.check_sound()?;
        self.epochs.check(epoch)?;
        let number = self.push(party, RecordKind::Data(kind), epoch, parts)?;
        self.epochs.count(record.epoch);
        Ok(number)
    }

    /// Closes an epoch; gives the number of the record that says so.
    ///
    /// # Errors
    /// As [`Writer::append`]; and if the epoch has another number of records.
    pub fn close_epoch(&mut self, close: EpochClose) -> Result<u64, JournalError> {
        self.check_sound()?;
        self.epochs.check_close(&close)?;
        let number = self.push("", RecordKind::EpochClose, close.epoch, &[&close.encode()])?;
        self.epochs.close(close.epoch);
        Ok(number)
    }

    /// Gives what was taken to the disk, and does not wait for it unless four groups are on their way.
    ///
    /// # Errors
    /// If the storage refuses; nothing more is taken then, ever.
    pub fn submit(&mut self) -> Result<Progress, JournalError> {
        self.check_sound()?;
        let sent = if self.group.is_empty() { Ok(()) } else { self.send_group() };
        self.poison_if_failed(sent)?;
        Ok(self.progress())
    }

    /// Takes note of what has become durable, and gives a group to the disk that is old enough.
    ///
    /// `now_us` is a clock of the owner that does not go back; the time of a record is that of the last
    /// tick before it.
    ///
    /// # Errors
    /// If the storage refused, now or since the last call; nothing more is taken then, ever.
    pub fn tick(&mut self, now_us: u64) -> Result<Progress, JournalError> {
        self.check_sound()?;
        self.now_us = now_us;
        loop {
            let collected = self.flight.collect(&self.tail.name, false);
            if !self.poison_if_failed(collected)? {
                break;
            }
        }
        if self.deadline_us().is_some_and(|deadline| now_us >= deadline) {
            return self.submit();
        }
        Ok(self.progress())
    }

    /// When the group that is gathered has to be given to the disk; `None` if there is none.
    pub fn deadline_us(&self) -> Option<u64> {
        (!self.group.is_empty()).then_some(self.group_since_us.saturating_add(GROUP_US_MAX))
    }

    /// Makes everything that was taken durable.
    ///
    /// # Errors
    /// If the storage refuses; nothing more is taken then, ever.
    pub fn sync(&mut self) -> Result<Progress, JournalError> {
        self.submit()?;
        let drained = self.flight.drain(&self.tail.name);
        self.poison_if_failed(drained)?;
        Ok(self.progress())
    }

    /// Seals everything that was taken, by an empty frame if need be: for a journal that has nothing
    /// else to write.
    ///
    /// # Errors
    /// As [`Writer::sync`]. If the disk is full, everything is durable and not all of it sealed.
    pub fn seal(&mut self) -> Result<Progress, JournalError> {
        let Progress { durable, sealed } = self.sync()?;
        if durable > sealed { self.witness() } else { Ok(self.progress()) }
    }

    /// Writes an empty frame, which seals what is durable.
    pub(crate) fn witness(&mut self) -> Result<Progress, JournalError> {
        let needed = self.offset + BLOCK_BYTES as u64;
        let written = self.reserve(needed).and_then(|()| {
            self.send_group()?;
            self.flight.drain(&self.tail.name)
        });
        self.poison_if_failed(written)?;
        Ok(self.progress())
    }

    /// Says that no record before this number is needed any more: when the next segment begins, the
    /// files that hold only such records may be used again.
    pub fn release(&mut self, before: u64) {
        self.tail.release(before);
    }

    /// How far the journal is safe.
    pub fn progress(&self) -> Progress {
        let (durable, sealed) = (self.flight.durable.record, self.flight.sealed.record);
        Progress { durable, sealed }
    }

    /// The number of the last record that was taken.
    pub fn last_number(&self) -> u64 {
        self.number
    }

    /// The generation of this writer; greater than that of every earlier one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The last epoch that was closed.
    pub fn closed_epoch(&self) -> Option<u64> {
        self.epochs.closed
    }

    /// The epoch that has records and is not closed, and how many.
    pub fn open_epoch(&self) -> Option<(u64, u64)> {
        self.epochs.open
    }

    fn check_sound(&self) -> Result<(), JournalError> {
        match &self.poisoned {
            Some((cause, kind)) => {
                Err(JournalError::Poisoned { cause: cause.clone(), kind: *kind })
            }
            None => Ok(()),
        }
    }

    fn poison_if_failed<T>(&mut self, done: Result<T, JournalError>) -> Result<T, JournalError> {
        if let Err(error) = &done
            && !matches!(error, JournalError::Full { .. })
        {
            let kind = error.storage_kind().unwrap_or(io::ErrorKind::Other);
            let source = std::error::Error::source(error);
            let source = source.map_or_else(String::new, |source| format!(": {source}"));
            self.poisoned = Some((format!("{error}{source}"), kind));
        }
        done
    }

    fn push(
        &mut self,
        party: &str,
        kind: RecordKind,
        epoch: u64,
        parts: &[&[u8]],
    ) -> Result<u64, JournalError> {
        let found: usize = parts.iter().map(|part| part.len()).sum();
        if found > RECORD_BYTES_MAX {
            return Err(JournalError::TooLarge { found, limit: RECORD_BYTES_MAX });
        }
        let code = kind.code().expect("an owner's kind is at most 239");
        let made = self.make_room(found);
        self.poison_if_failed(made)?;
        if self.group.is_empty() {
            self.group_since_us = self.now_us;
        }
        self.number += 1;
        self.group.push(NewEntry { number: self.number, code, epoch, party, parts });
        Ok(self.number)
    }

    /// Makes room for one more record: in the group, in the segment and on the disk.
    fn make_room(&mut self, content_bytes: usize) -> Result<(), JournalError> {
        let grown = self.group.length_with(content_bytes);
        if !self.group.is_empty() && grown > self.options.group_bytes_max {
            self.send_group()?;
        }
        if self.end_with(content_bytes) > self.options.segment_bytes_max
            && self.offset > SEGMENT_HEADER_BYTES
        {
            self.rotate()?;
        }
        self.reserve(self.end_with(content_bytes))
    }

    /// Where the segment ends if one more record is taken, and what seals it.
    fn end_with(&self, content_bytes: usize) -> u64 {
        self.offset + Group::blocks(self.group.length_with(content_bytes)) + SPARE_BYTES
    }

    fn reserve(&mut self, needed: u64) -> Result<(), JournalError> {
        if needed <= self.tail.room {
            return Ok(());
        }
        self.tail.reserve(needed, self.options.segment_bytes_max)
    }

    /// Gives the group to the disk; there is room for it.
    fn send_group(&mut self) -> Result<(), JournalError> {
        self.flight.make_way(&self.tail.name)?;
        let file = match self.flight.take_file() {
            Some(file) => file,
            None => self.tail.open()?,
        };
        let header = FrameHeader {
            mark: self.tail.segment.mark,
            length: 0,
            checksum: 0,
            previous: self.checksum,
            version: VERSION,
            frame: self.frame + 1,
            sealed: self.flight.durable.frame,
            generation: self.generation,
            first: self.number + 1 - u64::from(self.group.records()),
            records: 0,
        };
        let (bytes, checksum) = self.group.finish(header, self.flight.take_buffer());
        let (frame, offset) = (header.frame, self.offset);
        self.offset += bytes.len() as u64;
        (self.frame, self.checksum) = (frame, checksum);
        let point = Point { frame, record: self.number };
        self.flight.send(Job { frame, file, offset, bytes }, point);
        Ok(())
    }

    /// Begins the next segment, after everything is durable.
    fn rotate(&mut self) -> Result<(), JournalError> {
        if !self.group.is_empty() {
            self.send_group()?;
        }
        self.flight.drain(&self.tail.name)?;
        let file = self.tail.rotate(SegmentHeader {
            version: self.group.version(),
            frame: self.frame + 1,
            first: self.number + 1,
            previous: self.checksum,
            generation: self.generation,
            epochs: self.epochs,
            ..self.tail.segment
        })?;
        self.flight.change_file(file);
        self.offset = SEGMENT_HEADER_BYTES;
        Ok(())
    }
}
