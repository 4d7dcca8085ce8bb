//! Appending to a journal: many records, one sync.
//!
//! What [`Writer::append`] takes is durable when a [`Writer::sync`] after it has returned, and not
//! before; one sync makes all of them durable at once. A durable record is *sealed* once a later
//! durable record vouches for it (see `reader.rs`); until then its sender keeps it. The first write or
//! sync that fails poisons the writer for ever: what the file system did with the bytes is unknown
//! then, and only reading the disk again can tell.
//!
//! Dropping a writer forgets what was not synced.

use crate::epoch::Epochs;
use crate::error::{JournalError, Operation};
use crate::record::{EpochClose, RECORD_BYTES_MAX, RecordHeader, RecordKind, write_record};
use crate::segment::{
    SEGMENT_HEADER_BYTES, SegmentHeader, create_segment, segment_name, write_all,
};
use crate::storage::{File as _, Storage};

/// How many bytes are gathered before they are written; a group may be larger.
const BUFFER_BYTES: usize = 1024 * 1024;

/// How far a journal is safe, by the numbers of its records.
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
    storage: S,
    segment: SegmentHeader,
    segment_bytes_max: u64,
    file: S::File,
    /// The bytes of the segment, with those that are not written yet.
    length: u64,
    /// Records that are not written yet.
    buffer: Vec<u8>,
    /// The last record that was taken.
    number: u64,
    /// The last record that somebody waits for: data, or an epoch's close.
    awaited: u64,
    checksum: u32,
    generation: u64,
    progress: Progress,
    epochs: Epochs,
    poisoned: Option<String>,
}

/// What a writer begins with.
#[derive(Debug)]
pub(crate) struct Start<F> {
    pub(crate) segment: SegmentHeader,
    pub(crate) file: F,
    pub(crate) length: u64,
    pub(crate) number: u64,
    pub(crate) checksum: u32,
    pub(crate) generation: u64,
    pub(crate) epochs: Epochs,
    pub(crate) segment_bytes_max: u64,
}

impl<S: Storage> Writer<S> {
    /// A writer after the last record of a journal, all of which is durable.
    pub(crate) fn new(storage: S, start: Start<S::File>) -> Self {
        Self {
            storage,
            segment: start.segment,
            segment_bytes_max: start.segment_bytes_max,
            file: start.file,
            length: start.length,
            buffer: Vec::new(),
            number: start.number,
            awaited: start.number,
            checksum: start.checksum,
            generation: start.generation,
            progress: Progress { durable: start.number, sealed: 0 },
            epochs: start.epochs,
            poisoned: None,
        }
    }

    /// Takes a record; gives its number. It is durable after the next [`Writer::sync`].
    ///
    /// # Errors
    /// If the record is too long or its epoch is not the open one; nothing changes then. If the
    /// storage refuses; nothing more is taken then, ever.
    ///
    /// # Panics
    /// If the kind is greater than [`RecordKind::DATA_MAX`]: kinds are constants of the owner.
    pub fn append(&mut self, record: NewRecord<'_>) -> Result<u64, JournalError> {
        self.check_sound()?;
        self.epochs.check(record.epoch)?;
        let number = self.push(RecordKind::Data(record.kind), record.epoch, record.parts)?;
        self.epochs.count(record.epoch);
        self.awaited = number;
        Ok(number)
    }

    /// Closes an epoch; gives the number of the record that says so.
    ///
    /// # Errors
    /// As [`Writer::append`]; and if the epoch has another number of records.
    pub fn close_epoch(&mut self, close: EpochClose) -> Result<u64, JournalError> {
        self.check_sound()?;
        self.epochs.check_close(&close)?;
        let number = self.push(RecordKind::EpochClose, close.epoch, &[&close.encode()])?;
        self.epochs.close(close.epoch);
        self.awaited = number;
        Ok(number)
    }

    /// Makes everything that was taken durable.
    ///
    /// # Errors
    /// If the storage refuses; nothing more is taken then, ever.
    pub fn sync(&mut self) -> Result<Progress, JournalError> {
        self.check_sound()?;
        let synced = self.sync_file();
        self.poison_if_failed(synced)?;
        Ok(self.progress)
    }

    /// Seals everything that is durable, by a record of its own if need be: for a journal that has
    /// nothing else to write.
    ///
    /// # Errors
    /// As [`Writer::sync`].
    pub fn seal(&mut self) -> Result<Progress, JournalError> {
        let Progress { sealed, .. } = self.sync()?;
        if self.awaited > sealed {
            self.push(RecordKind::Seal, 0, &[])?;
            return self.sync();
        }
        Ok(self.progress)
    }

    /// Marks the beginning of this writer's generation, and seals what is before it.
    pub(crate) fn begin(&mut self) -> Result<Progress, JournalError> {
        self.push(RecordKind::Opened, 0, &[])?;
        self.sync()
    }

    /// How far the journal is safe.
    pub fn progress(&self) -> Progress {
        self.progress
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
            Some(cause) => Err(JournalError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn poison_if_failed<T>(&mut self, done: Result<T, JournalError>) -> Result<T, JournalError> {
        if let Err(error) = &done {
            let cause = std::error::Error::source(error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            self.poisoned = Some(format!("{error}{cause}"));
        }
        done
    }

    fn push(&mut self, kind: RecordKind, epoch: u64, parts: &[&[u8]]) -> Result<u64, JournalError> {
        let found: usize = parts.iter().map(|part| part.len()).sum();
        if found > RECORD_BYTES_MAX {
            return Err(JournalError::TooLarge { found, limit: RECORD_BYTES_MAX });
        }
        let code = kind.code().expect("an owner's kind is at most 239");
        if self.length >= self.segment_bytes_max {
            let rotated = self.rotate();
            self.poison_if_failed(rotated)?;
        }
        let header = RecordHeader {
            mark: self.segment.mark,
            length: 0,
            checksum: 0,
            previous: self.checksum,
            kind: code,
            number: self.number + 1,
            durable: self.progress.durable,
            generation: self.generation,
            epoch,
        };
        let before = self.buffer.len();
        self.checksum = write_record(header, parts, &mut self.buffer);
        self.number += 1;
        self.length += (self.buffer.len() - before) as u64;
        if self.buffer.len() >= BUFFER_BYTES {
            let written = self.write_out();
            self.poison_if_failed(written)?;
        }
        Ok(self.number)
    }

    /// Writes what was gathered.
    fn write_out(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let name = segment_name(self.segment.segment);
        let offset = self.length - self.buffer.len() as u64;
        write_all(&mut self.file, offset, &self.buffer, &name)?;
        self.buffer.clear();
        Ok(())
    }

    fn sync_file(&mut self) -> Result<(), JournalError> {
        if self.progress.durable == self.number {
            return Ok(());
        }
        self.write_out()?;
        let name = segment_name(self.segment.segment);
        self.file.sync().map_err(JournalError::storage(Operation::Sync, &name))?;
        // Every record of this group says how far the journal was durable before it.
        self.progress = Progress { durable: self.number, sealed: self.progress.durable };
        Ok(())
    }

    /// Begins the next segment, after the last one is durable.
    fn rotate(&mut self) -> Result<(), JournalError> {
        self.sync_file()?;
        let header = SegmentHeader {
            segment: self.segment.segment + 1,
            first: self.number + 1,
            previous: self.checksum,
            generation: self.generation,
            ..self.segment
        };
        self.file = create_segment(&self.storage, &header)?;
        self.segment = header;
        self.length = SEGMENT_HEADER_BYTES as u64;
        Ok(())
    }
}
