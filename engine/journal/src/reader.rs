//! Reading a journal in order, and telling a torn tail from damage.
//!
//! A frame that was written and never synced may be on the disk in any part, so the last segment may
//! hold anything after its last durable frame: reading ends at the first place where no good frame
//! follows. But a frame that was synced must be good, and may not be cut. The two are told apart by
//! the frames that come after the bad place: each says which frame was the last durable one when it
//! was written. If a later frame whose checksum holds says that the bad one was durable, the file is
//! damaged, and reading is refused with file and byte. If none says so, the bad frame was at most
//! durable and never sealed, and whoever sent its records still has them.
//!
//! Segments before the last one were synced as a whole, so any bad frame there is damage. So is a
//! frame whose checksum holds and which is not the one that follows, unless it is a remainder: what a
//! cut left behind is of an older generation than the frame before it, and what an earlier use of the
//! file left has a smaller number.
//!
//! Content that is sealed is opened when its record is asked for. A frame that is good says nothing of
//! its keys, so all else is read and checked without them.
//!
//! Memory is bounded by one frame and one read.

use crate::epoch::Epochs;
use crate::error::{Damage, JournalError};
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::opening::{Opening, Sealed};
use crate::record::{Entry, Record, RecordKind};
use crate::scan::{Chain, Scan, Step};
use crate::segment::{
    Place, SEGMENT_HEADER_BYTES, SegmentHeader, damaged, list_segments, open_segment, segment_name,
};
use crate::storage::Storage;
use std::collections::VecDeque;

/// Where the whole frames end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The headers of the segments that were read.
    pub(crate) segments: Vec<SegmentHeader>,
    /// Where the last whole frame ends in the last of them.
    pub(crate) offset: u64,
    /// Where the frames begin in it that no later frame vouches for: number and place.
    pub(crate) unsealed: VecDeque<(u64, u64)>,
    /// Where a torn tail ends, as far as can be seen; at least `offset`.
    pub(crate) torn_end: u64,
    /// The greatest generation of a whole frame behind the end; 0 for none.
    pub(crate) rest_generation: u64,
    /// The last frame.
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
    /// The segment after the one that is read.
    next: Option<(S::File, SegmentHeader)>,
    /// The frame that is read, and what is left of it.
    frame: Option<Open>,
    end: End,
    /// The last record to give; `None` for all.
    last: Option<u64>,
    /// What opens sealed content.
    opening: Opening,
}

/// A frame of which records are left.
#[derive(Clone, Copy, Debug)]
struct Open {
    header: FrameHeader,
    /// Where it stands in the file.
    offset: u64,
    /// Where the next record begins in it.
    at: usize,
    /// How many records are left.
    left: u32,
}

impl<S: Storage> Records<S> {
    /// The records of the journal in `storage`; changes nothing in it.
    ///
    /// # Errors
    /// If the storage refuses, or a segment is missing.
    pub fn open(storage: S) -> Result<Self, JournalError> {
        let segments = list_segments(&storage)?.live;
        let (end, opening) = (End::default(), Opening::new(storage.keys()));
        let segments = segments.into_iter();
        let (scan, next, frame, last) = (None, None, None, None);
        Ok(Self { storage, segments, scan, next, frame, end, last, opening })
    }

    /// The same, up to a record. What is sealed can be read so while a writer goes on.
    #[must_use]
    pub fn up_to(mut self, last: u64) -> Self {
        self.last = Some(last);
        self
    }

    /// The same; content whose key is not there is given as if it were empty.
    #[must_use]
    pub(crate) fn leniently(mut self) -> Self {
        self.opening.is_lenient = true;
        self
    }

    /// How many records were given empty because their key is not there, and what is to be said of the
    /// first of them.
    pub(crate) fn take_locked(&mut self) -> (u64, Option<JournalError>) {
        (self.opening.locked, self.opening.first_locked.take())
    }

    /// The number of the first record that is kept, once a record was asked for.
    pub fn first_record(&self) -> Option<u64> {
        self.end.segments.first().map(|segment| segment.first)
    }

    /// The segment that was read last.
    pub(crate) fn segment(&self) -> u64 {
        self.end.segments.last().map_or(0, |segment| segment.segment)
    }

    /// The frame that was read last.
    pub(crate) fn frame(&self) -> u64 {
        self.end.chain.frame
    }

    /// The first frame that nothing vouches for.
    pub(crate) fn first_unsealed(&self) -> Option<u64> {
        self.end.unsealed.front().map(|(frame, _)| *frame)
    }

    /// After damage: whether nothing vouches for what is there, or comes after it.
    pub(crate) fn is_unsealed_place(&mut self) -> bool {
        let frame = self.end.chain.frame;
        let sealed = self.first_unsealed().is_none_or(|first| frame < first);
        if self.next.is_some() || self.frame.is_some() && sealed {
            return false;
        }
        let Some(scan) = &mut self.scan else { return false };
        scan.rest(&self.end.chain).is_ok_and(|rest| !rest.is_vouched_for)
    }

    /// Each segment that was read, where its good frames end as far as that is known, and where what may
    /// be a torn tail does.
    pub(crate) fn ends(&self) -> Vec<(u64, u64, u64)> {
        let bad = self.frame.filter(|open| open.left > 0).map(|open| open.offset);
        let offset = bad.unwrap_or(self.end.offset);
        let ends = self.end.segments.iter();
        ends.map(|segment| (segment.segment, offset, self.end.torn_end)).collect()
    }

    /// Where the frames end that were read.
    pub(crate) fn into_end(self) -> End {
        self.end
    }

    /// The next record, or `None` after the last whole one.
    ///
    /// # Errors
    /// If the storage refuses, or a segment is damaged before its end.
    #[expect(clippy::should_implement_trait, reason = "records are lent, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, JournalError> {
        if self.last.is_some_and(|last| self.end.chain.record >= last) {
            return Ok(None);
        }
        let Some((header, entry)) = self.next_entry()? else { return Ok(None) };
        let Some(scan) = &self.scan else { return Ok(None) };
        let content = scan.frame().get(entry.content..entry.content + entry.length).unwrap_or(&[]);
        let Entry { kind, epoch, .. } = entry;
        let number = self.end.chain.record;
        let content = if header.is_sealed() {
            let offset = self.frame.map_or(0, |open| open.offset);
            self.opening.open(scan, offset, &Sealed { number, kind, epoch, content })?
        } else {
            content
        };
        let record = Record { number, generation: header.generation, epoch, kind, content };
        check_epoch(&mut self.end.epochs, &record)?;
        Ok(Some(record))
    }

    /// Moves to the next record, into the next frames if need be.
    fn next_entry(&mut self) -> Result<Option<(FrameHeader, Entry)>, JournalError> {
        loop {
            let (Some(scan), Some(open)) = (&self.scan, &mut self.frame) else {
                if self.next_frame()? {
                    continue;
                }
                return Ok(None);
            };
            let Open { header, offset, at, left } = *open;
            let record = self.end.chain.record.saturating_add(1);
            let place = Place { offset, record };
            if left == 0 {
                if at != FRAME_HEADER_BYTES + header.length as usize {
                    return Err(damaged(&scan.name, place, Damage::Content));
                }
                self.frame = None;
                continue;
            }
            let Some(entry) = scan.record(&header, at) else {
                return Err(damaged(&scan.name, place, Damage::Content));
            };
            *open = Open { at: entry.end(), left: left - 1, ..*open };
            self.end.chain.record = record;
            return Ok(Some((header, entry)));
        }
    }

    /// Moves to the next whole frame, into the next segment if need be; false if there is none.
    fn next_frame(&mut self) -> Result<bool, JournalError> {
        if self.scan.is_none() && !self.first_segment()? {
            return Ok(false);
        }
        loop {
            let Some(scan) = &mut self.scan else { return Ok(false) };
            if self
                .next
                .as_ref()
                .is_some_and(|(_, next)| next.frame == self.end.chain.frame.saturating_add(1))
            {
                self.next_segment()?;
                continue;
            }
            let offset = scan.offset;
            let reason = match scan.step(&self.end.chain)? {
                Step::Frame(header) => {
                    if !header.is_sealed() && header.records > 0 && self.opening.has_sealed {
                        let record = self.end.chain.record.saturating_add(1);
                        let place = Place { offset, record };
                        return Err(damaged(&scan.name, place, Damage::Plain));
                    }
                    self.opening.enter(&header, scan.frame());
                    self.end.offset = scan.offset;
                    self.follow(header, offset);
                    return Ok(true);
                }
                Step::Bad(reason) => reason,
            };
            let place = Place { offset, record: self.end.chain.record.saturating_add(1) };
            let rest = scan.rest(&self.end.chain)?;
            if self.next.is_some() || !reason.may_be_torn() || rest.is_vouched_for {
                return Err(damaged(&scan.name, place, reason));
            }
            self.end.torn_end = rest.torn_end.max(offset);
            self.end.rest_generation = rest.generation;
            return Ok(false);
        }
    }

    /// Notes the frame that was read.
    fn follow(&mut self, header: FrameHeader, offset: u64) {
        let FrameHeader { frame, sealed, checksum, generation, records, .. } = header;
        self.end.chain = Chain { frame, record: self.end.chain.record, checksum, generation };
        self.end.unsealed.push_back((frame, offset));
        while self.end.unsealed.pop_front_if(|(earlier, _)| *earlier <= sealed).is_some() {}
        self.frame = Some(Open { header, offset, at: header.records_at(), left: records });
    }

    /// Opens the first segment; false if there is none.
    fn first_segment(&mut self) -> Result<bool, JournalError> {
        let Some(first) = self.segments.next() else { return Ok(false) };
        let (file, header) = open_segment(&self.storage, first)?;
        let SegmentHeader { frame, first: record, previous, generation, .. } = header;
        self.end.epochs = header.epochs;
        self.end.chain = Chain {
            frame: frame.saturating_sub(1),
            record: record.saturating_sub(1),
            checksum: previous,
            generation,
        };
        self.next = Some((file, header));
        self.next_segment()?;
        Ok(true)
    }

    /// Enters the next segment, which must continue the one before.
    fn next_segment(&mut self) -> Result<(), JournalError> {
        let Some((file, header)) = self.next.take() else { return Ok(()) };
        let name = segment_name(header.segment);
        let Chain { frame, record, checksum, generation } = self.end.chain;
        let is_marked = self.end.segments.last().is_none_or(|before| before.mark == header.mark);
        let continues = header.frame == frame.saturating_add(1)
            && header.first == record.saturating_add(1)
            && header.previous == checksum
            && header.epochs == self.end.epochs
            && header.generation >= generation;
        if !continues || !is_marked {
            let place = Place { offset: 0, record: record.saturating_add(1) };
            return Err(damaged(&name, place, Damage::Continuation));
        }
        self.end.segments.push(header);
        self.end.offset = SEGMENT_HEADER_BYTES;
        self.end.torn_end = SEGMENT_HEADER_BYTES;
        // Whoever begins a segment has synced the one before.
        self.end.unsealed.clear();
        self.end.chain.generation = header.generation;
        self.scan = Some(Scan::new(file, name, header.mark)?);
        let next = self.segments.next();
        self.next = next.map(|next| open_segment(&self.storage, next)).transpose()?;
        Ok(())
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
            } else {
                // It is sealed, and its key is not there.
                epochs.check(record.epoch)?;
                epochs.close(record.epoch);
            }
        }
    }
    Ok(())
}
