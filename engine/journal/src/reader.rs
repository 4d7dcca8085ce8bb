//! Reading a journal in order, and telling a torn tail from damage.
//!
//! A group of records that was written and never synced may be on the disk in any part, so the end of
//! the last segment may hold anything: it is cut at the first record that is not good. But a record
//! that was synced must be good, and may not be cut. The two are told apart by the records that come
//! after the bad place: each says which record was the last durable one when it was written. If a
//! later record whose checksum holds says that the bad one was durable, the file is damaged, and
//! reading is refused with file and byte. If none says so, the bad record was in the last group: it
//! was at most durable and never sealed, and whoever sent it still has it.
//!
//! Segments before the last one were synced as a whole, so any bad record there is damage. So is a
//! record whose checksum holds and which is not the one that follows, or is of an unknown kind: no torn
//! write makes one.
//!
//! Memory is bounded by one record and one read of [`CHUNK_BYTES`].

use crate::epoch::Epochs;
use crate::error::{Damage, JournalError, Operation};
use crate::record::{
    ALIGNMENT, HEADER_BYTES, RECORD_BYTES_MAX, Record, RecordHeader, RecordKind, checksum,
};
use crate::segment::{
    SEGMENT_HEADER_BYTES, SegmentHeader, damaged, list_segments, open_segment, segment_name,
};
use crate::storage::{File, Storage};

/// How much is read at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The last record that was read, to which the next one must belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Its number; 0 for none.
    pub(crate) number: u64,
    /// Its checksum; 0 for none.
    pub(crate) checksum: u32,
    /// The greatest generation so far.
    pub(crate) generation: u64,
}

/// Where the whole records end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The header of the last segment; `None` if there is no segment.
    pub(crate) segment: Option<SegmentHeader>,
    /// Where its last whole record ends.
    pub(crate) offset: u64,
    /// Where the records begin in it that no later record vouches for.
    pub(crate) unsealed: u64,
    /// The last record that was durable when the last one was written.
    durable: u64,
    /// The last record.
    pub(crate) chain: Chain,
    /// The epochs after it.
    pub(crate) epochs: Epochs,
}

/// The records of a journal, in order.
///
/// A lending iterator: each record borrows from the reader until the next is asked for.
#[derive(Debug)]
pub struct Records<S: Storage> {
    storage: S,
    segments: std::vec::IntoIter<u64>,
    scan: Option<Scan<S::File>>,
    end: End,
    /// The last record to give; `None` for all.
    last: Option<u64>,
}

impl<S: Storage> Records<S> {
    /// The records of the journal in `storage`; changes nothing in it.
    ///
    /// # Errors
    /// If the storage refuses, or a segment is missing.
    pub fn open(storage: S) -> Result<Self, JournalError> {
        let segments = list_segments(&storage)?;
        if let Some(first) = segments.first().filter(|first| **first != 1) {
            return Err(JournalError::Missing { file: segment_name(first - 1) });
        }
        let chain = Chain::default();
        let (unsealed, durable, epochs) = (0, 0, Epochs::default());
        let end = End { segment: None, offset: 0, unsealed, durable, chain, epochs };
        Ok(Self { storage, segments: segments.into_iter(), scan: None, end, last: None })
    }

    /// The same, up to a record.
    pub(crate) fn up_to(mut self, last: u64) -> Self {
        self.last = Some(last);
        self
    }

    /// Where the records end that were read.
    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// The next record, or `None` after the last whole one.
    ///
    /// # Errors
    /// If the storage refuses, or a segment is damaged before its end.
    #[expect(clippy::should_implement_trait, reason = "records are lent, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, JournalError> {
        if self.last.is_some_and(|last| self.end.chain.number >= last) {
            return Ok(None);
        }
        let Some((header, kind)) = self.advance()? else { return Ok(None) };
        let content = self.scan.as_ref().map_or(&[][..], |scan| scan.content(&header));
        let RecordHeader { number, generation, epoch, .. } = header;
        let record = Record { number, generation, epoch, kind, content };
        check_epoch(&mut self.end.epochs, &record)?;
        Ok(Some(record))
    }

    /// Moves to the next whole record, into the next segment if need be.
    fn advance(&mut self) -> Result<Option<(RecordHeader, RecordKind)>, JournalError> {
        loop {
            if self.scan.is_none() && !self.next_segment()? {
                return Ok(None);
            }
            let Some(scan) = &mut self.scan else { return Ok(None) };
            let is_last = self.segments.as_slice().is_empty();
            let reason = match scan.step(self.end.chain)? {
                Step::Record(header, kind) => {
                    self.end.chain = Chain {
                        number: header.number,
                        checksum: header.checksum,
                        generation: header.generation,
                    };
                    // The first record of a group vouches for all that is before it.
                    if header.durable > self.end.durable {
                        self.end.durable = header.durable;
                        self.end.unsealed = self.end.offset;
                    }
                    self.end.offset = scan.offset;
                    return Ok(Some((header, kind)));
                }
                Step::End if is_last => return Ok(None),
                Step::End => {
                    self.scan = None;
                    continue;
                }
                Step::Bad(reason) => reason,
            };
            let bad = self.end.chain.number + 1;
            if is_last && reason.may_be_torn() && !scan.is_vouched_for(bad)? {
                return Ok(None);
            }
            return Err(damaged(&scan.name, scan.offset, reason));
        }
    }

    /// Opens the next segment; false if there is none.
    fn next_segment(&mut self) -> Result<bool, JournalError> {
        let Some(segment) = self.segments.next() else { return Ok(false) };
        let (file, header) = open_segment(&self.storage, segment)?;
        let name = segment_name(segment);
        let Chain { number, checksum, .. } = self.end.chain;
        let continues = header.first == number + 1 && header.previous == checksum;
        let marked = self.end.segment.is_none_or(|before| before.mark == header.mark);
        if !continues || !marked {
            return Err(damaged(&name, 0, Damage::Continuation));
        }
        self.end.segment = Some(header);
        self.end.offset = SEGMENT_HEADER_BYTES as u64;
        self.end.unsealed = self.end.offset;
        self.end.chain.generation = self.end.chain.generation.max(header.generation);
        self.scan = Some(Scan::new(file, name, header.mark)?);
        Ok(true)
    }
}

/// Follows the epochs over a record.
fn check_epoch(epochs: &mut Epochs, record: &Record<'_>) -> Result<(), JournalError> {
    match record.kind {
        RecordKind::Data(_) => {
            epochs.check(record.epoch)?;
            epochs.count(record.epoch);
        }
        RecordKind::EpochClose => {
            if let Some(close) = record.epoch_close() {
                epochs.check_close(&close)?;
                epochs.close(close.epoch);
            }
        }
        RecordKind::Opened | RecordKind::Seal => {}
    }
    Ok(())
}

/// What stands at a place of a segment.
#[derive(Debug)]
enum Step {
    /// A whole record.
    Record(RecordHeader, RecordKind),
    /// The end of the file.
    End,
    /// Anything else.
    Bad(Damage),
}

/// One segment, being read.
#[derive(Debug)]
struct Scan<F> {
    file: F,
    name: String,
    mark: u64,
    /// How long the file was when it was opened; what is added later is not looked at.
    length: u64,
    /// Where the next record begins.
    offset: u64,
    /// Where the content of the last record begins in `buffer`.
    content_start: usize,
    /// Bytes of the file from `buffer_offset` on.
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl<F: File> Scan<F> {
    fn new(mut file: F, name: String, mark: u64) -> Result<Self, JournalError> {
        let length = file.length().map_err(JournalError::storage(Operation::Read, &name))?;
        let offset = SEGMENT_HEADER_BYTES as u64;
        let (buffer, buffer_offset) = (Vec::new(), offset);
        let content_start = 0;
        Ok(Self { file, name, mark, length, offset, content_start, buffer, buffer_offset })
    }

    /// The content of the record that was read last.
    fn content(&self, header: &RecordHeader) -> &[u8] {
        let end = self.content_start + header.length as usize;
        self.buffer.get(self.content_start..end).unwrap_or(&[])
    }

    /// `count` bytes from a place on, or as many as the file has. Places only move forward.
    fn fill(&mut self, offset: u64, count: usize) -> Result<&[u8], JournalError> {
        let mut start = self.buffer_index(offset);
        if self.buffer.len() < start + count {
            self.buffer.drain(..start.min(self.buffer.len()));
            (self.buffer_offset, start) = (offset, 0);
            let kept = self.buffer.len();
            let next = offset + kept as u64;
            let left = usize::try_from(self.length.saturating_sub(next)).unwrap_or(usize::MAX);
            self.buffer.resize(kept + CHUNK_BYTES.max(count - kept).min(left), 0);
            let read = self
                .file
                .read(next, &mut self.buffer[kept..])
                .map_err(JournalError::storage(Operation::Read, &self.name))?;
            self.buffer.truncate(kept + read);
        }
        let end = self.buffer.len().min(start + count);
        Ok(self.buffer.get(start..end).unwrap_or(&[]))
    }

    /// Where a place of the file is in the buffer.
    fn buffer_index(&self, offset: u64) -> usize {
        usize::try_from(offset - self.buffer_offset).unwrap_or(usize::MAX)
    }

    /// The header of the record at a place, if its checksum holds. The record is in the buffer then.
    fn whole_record(&mut self, offset: u64) -> Result<Result<RecordHeader, Damage>, JournalError> {
        let mark = self.mark;
        let head = self.fill(offset, HEADER_BYTES)?;
        let Some(header) = head.first_chunk().map(RecordHeader::decode) else {
            return Ok(Err(Damage::Length));
        };
        if header.mark != mark {
            return Ok(Err(Damage::Mark));
        }
        if header.length as usize > RECORD_BYTES_MAX {
            return Ok(Err(Damage::Length));
        }
        let record = self.fill(offset, HEADER_BYTES + header.padded())?;
        let Some((bytes, content)) = record.split_first_chunk() else {
            return Ok(Err(Damage::Length));
        };
        if content.len() < header.padded() {
            return Ok(Err(Damage::Length));
        }
        if checksum(bytes, content) != header.checksum {
            return Ok(Err(Damage::Checksum));
        }
        Ok(Ok(header))
    }

    /// Reads what stands at the place, and moves past it if it is the record that follows.
    fn step(&mut self, chain: Chain) -> Result<Step, JournalError> {
        if self.fill(self.offset, 1)?.is_empty() {
            return Ok(Step::End);
        }
        let header = match self.whole_record(self.offset)? {
            Ok(found) => found,
            Err(reason) => return Ok(Step::Bad(reason)),
        };
        let follows = header.number == chain.number + 1
            && header.previous == chain.checksum
            && header.durable <= chain.number
            && header.generation >= chain.generation;
        if !follows {
            return Ok(Step::Bad(Damage::Order));
        }
        let Some(kind) = RecordKind::from_code(header.kind) else {
            return Ok(Step::Bad(Damage::Content));
        };
        self.content_start = self.buffer_index(self.offset) + HEADER_BYTES;
        if !is_of_kind(kind, self.content(&header)) {
            return Ok(Step::Bad(Damage::Content));
        }
        self.offset += (HEADER_BYTES + header.padded()) as u64;
        Ok(Step::Record(header, kind))
    }

    /// Whether a record after the place says that record `number` was durable.
    ///
    /// The journal's mark is looked for at every place where a record may begin; content of others
    /// does not contain it but by accident, and then its checksum does not hold.
    fn is_vouched_for(&mut self, number: u64) -> Result<bool, JournalError> {
        let mark = self.mark.to_le_bytes();
        let mut offset = self.offset + ALIGNMENT as u64;
        loop {
            if self.fill(offset, ALIGNMENT)?.len() < ALIGNMENT {
                return Ok(false);
            }
            let part = self.buffer.get(self.buffer_index(offset)..).unwrap_or(&[]);
            let mut places = part.chunks_exact(ALIGNMENT);
            let count = places.len();
            let index = places.position(|place| place == mark);
            offset += (index.unwrap_or(count) * ALIGNMENT) as u64;
            if index.is_none() {
                continue;
            }
            // What a record says counts only if it is whole; then nothing begins inside it.
            offset += match self.whole_record(offset)? {
                Ok(header) if header.durable >= number => return Ok(true),
                Ok(header) => (HEADER_BYTES + header.padded()) as u64,
                Err(_) => ALIGNMENT as u64,
            };
        }
    }
}

/// Whether the content is one of its kind.
fn is_of_kind(kind: RecordKind, content: &[u8]) -> bool {
    match kind {
        RecordKind::Data(_) => true,
        RecordKind::Opened | RecordKind::Seal => content.is_empty(),
        RecordKind::EpochClose => {
            Record { number: 0, generation: 0, epoch: 0, kind, content }.epoch_close().is_some()
        }
    }
}
