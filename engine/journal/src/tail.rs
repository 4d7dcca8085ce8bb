//! The end of a journal: the segment that is written to, its room, and what becomes of old ones.

use crate::error::{JournalError, Operation};
use crate::frame::BLOCK_BYTES;
use crate::segment::{
    SEGMENT_HEADER_BYTES, SegmentHeader, create_segment, remove_segment, remove_unborn,
    segment_name,
};
use crate::storage::{File as _, Storage};
use std::collections::VecDeque;

/// The least and the most room that is made at a time.
const ROOM_BYTES_MIN: u64 = 1024 * 1024;
const ROOM_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How many files that nobody needs are kept to be used again.
const RETIRED_MAX: usize = 2;

/// The segment that is written to, and what the others are.
#[derive(Debug)]
pub(crate) struct Tail<S: Storage> {
    storage: S,
    pub(crate) segment: SegmentHeader,
    pub(crate) name: String,
    file: S::File,
    /// Up to where there is room in the file.
    pub(crate) room: u64,
    /// The segments that are needed, and the first record of each.
    live: VecDeque<(u64, u64)>,
    /// Segments that are not needed; the next segment will say so.
    released: Vec<u64>,
    /// Segments of which the last one says that they are not needed.
    retired: VecDeque<u64>,
}

impl<S: Storage> Tail<S> {
    /// The end of a journal of these segments, the last of which is `file`.
    pub(crate) fn new(
        storage: S,
        segments: &[SegmentHeader],
        mut file: S::File,
        retired: Vec<u64>,
    ) -> Result<Self, JournalError> {
        let segment = *segments.last().expect("a journal that is open has a segment");
        let name = segment_name(segment.segment);
        let room = room_of(&mut file, &name)?;
        let live = segments.iter().map(|header| (header.segment, header.first)).collect();
        let retired = retired.into();
        Ok(Self { storage, segment, name, file, room, live, released: Vec::new(), retired })
    }

    /// Another handle of the segment that is written to.
    pub(crate) fn open(&self) -> Result<S::File, JournalError> {
        self.storage.open(&self.name).map_err(JournalError::storage(Operation::Open, &self.name))
    }

    /// Makes room up to `needed` at least, and some more up to `wanted`, durably.
    ///
    /// # Errors
    /// If the disk is full, and nothing changes; if the storage refuses otherwise.
    pub(crate) fn reserve(&mut self, needed: u64, wanted: u64) -> Result<(), JournalError> {
        let step = self.room.clamp(ROOM_BYTES_MIN, ROOM_BYTES_MAX);
        let length = (self.room + step).min(wanted).max(needed);
        let reserved = self.file.reserve(length);
        let reserved = reserved.map_err(JournalError::storage(Operation::Reserve, &self.name));
        match reserved.map_err(JournalError::or_full) {
            Ok(()) => {}
            Err(JournalError::Full { file }) => {
                // Some of it may have been granted.
                if room_of(&mut self.file, &self.name)? < needed {
                    return Err(JournalError::Full { file });
                }
            }
            Err(error) => return Err(error),
        }
        self.file.sync().map_err(JournalError::storage(Operation::Sync, &self.name))?;
        self.room = room_of(&mut self.file, &self.name)?;
        Ok(())
    }

    /// Begins the next segment; everything before it must be durable. Gives a handle of it.
    ///
    /// `header` says where it begins; its number, mark and base are filled in.
    ///
    /// # Errors
    /// If the disk is full, and nothing changes; if the storage refuses otherwise.
    pub(crate) fn rotate(&mut self, header: SegmentHeader) -> Result<S::File, JournalError> {
        let SegmentHeader { segment, mark, .. } = self.segment;
        let base = self.live.front().map_or(segment, |(base, _)| *base);
        let header = SegmentHeader { segment: segment + 1, mark, base, ..header };
        while self.retired.len() > RETIRED_MAX {
            if let Some(oldest) = self.retired.pop_front() {
                remove_segment(&self.storage, oldest)?;
            }
        }
        let created = create_segment(&self.storage, &header, self.retired.pop_front());
        self.file = match created.map_err(JournalError::or_full) {
            Err(error @ JournalError::Full { .. }) => {
                // Its place is free for the next attempt.
                remove_unborn(&self.storage)?;
                return Err(error);
            }
            created => created?,
        };
        self.name = segment_name(header.segment);
        self.segment = header;
        self.live.push_back((header.segment, header.first));
        self.retired.extend(self.released.drain(..));
        self.room = room_of(&mut self.file, &self.name)?;
        self.open()
    }

    /// Lets go of the segments all of whose records are before this one.
    pub(crate) fn release(&mut self, before: u64) {
        while self.live.get(1).is_some_and(|(_, first)| *first <= before) {
            self.released.extend(self.live.pop_front().map(|(segment, _)| segment));
        }
    }
}

/// Up to where there is room in a file: whole blocks.
fn room_of(file: &mut impl crate::storage::File, name: &str) -> Result<u64, JournalError> {
    let length = file.length().map_err(JournalError::storage(Operation::Read, name))?;
    let block = BLOCK_BYTES as u64;
    Ok((length / block * block).max(SEGMENT_HEADER_BYTES))
}
