//! One segment, being read frame by frame.

use crate::error::{Damage, JournalError, Operation};
use crate::frame::{
    BLOCK_BYTES, FRAME_HEADER_BYTES, FrameHeader, NUMBER_MAX, SEALED_VERSION, VERSION, checksum,
    checksum_with_zeros,
};
use crate::record::{Entry, FRAME_BYTES_MAX, read_record};
use crate::segment::SEGMENT_HEADER_BYTES;
use crate::storage::File;

/// How much is read at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The last frame that was read, to which the next one must belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Its number; 0 for none.
    pub(crate) frame: u64,
    /// The number of the last record so far; 0 for none.
    pub(crate) record: u64,
    /// Its checksum; 0 for none.
    pub(crate) checksum: u32,
    /// The greatest generation so far.
    pub(crate) generation: u64,
}

/// What stands at a place of a segment.
#[derive(Debug)]
pub(crate) enum Step {
    /// The frame that follows.
    Frame(FrameHeader),
    /// Anything else.
    Bad(Damage),
}

/// What is after the last good frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Whether a later frame says that the one that is missing was durable.
    pub(crate) is_vouched_for: bool,
    /// Where the last thing ends that looks like a frame of the missing numbers; 0 for none.
    pub(crate) torn_end: u64,
    /// The greatest generation of a whole frame; 0 for none. Who writes before it has a greater one.
    pub(crate) generation: u64,
}

/// One segment, being read.
#[derive(Debug)]
pub(crate) struct Scan<F> {
    file: F,
    pub(crate) name: String,
    mark: u64,
    /// How long the file was when it was opened; what is added later is not looked at.
    length: u64,
    /// Where the next frame begins.
    pub(crate) offset: u64,
    /// Where the last frame begins in `buffer`.
    frame_start: usize,
    /// Bytes of the file from `buffer_offset` on.
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl<F: File> Scan<F> {
    pub(crate) fn new(mut file: F, name: String, mark: u64) -> Result<Self, JournalError> {
        let length = file.length().map_err(JournalError::storage(Operation::Read, &name))?;
        let offset = SEGMENT_HEADER_BYTES;
        let (buffer, buffer_offset) = (Vec::new(), offset);
        Ok(Self { file, name, mark, length, offset, frame_start: 0, buffer, buffer_offset })
    }

    /// The frame that was read last, from its header on.
    pub(crate) fn frame(&self) -> &[u8] {
        self.buffer.get(self.frame_start..).unwrap_or(&[])
    }

    /// The record that begins at a place of the frame that was read last.
    pub(crate) fn record(&self, header: &FrameHeader, at: usize) -> Option<Entry> {
        let end = FRAME_HEADER_BYTES + header.length as usize;
        read_record(self.frame().get(..end)?, at, header.is_sealed())
    }

    /// Reads what stands at the place, and moves past it if it is the frame that follows.
    pub(crate) fn step(&mut self, chain: &Chain) -> Result<Step, JournalError> {
        let header = match self.whole_frame(self.offset)? {
            Ok(found) => found,
            Err(reason) => return Ok(Step::Bad(reason)),
        };
        // Older than what is before it: left by a torn tail that was cut, or by an earlier use of the file.
        if header.generation < chain.generation || header.frame <= chain.frame {
            return Ok(Step::Bad(Damage::Stale));
        }
        let follows = header.frame == chain.frame.saturating_add(1)
            && header.previous == chain.checksum
            && header.sealed <= chain.frame
            && header.first == chain.record.saturating_add(1)
            && header.generation < NUMBER_MAX;
        if !follows {
            return Ok(Step::Bad(Damage::Order));
        }
        if !(VERSION..=SEALED_VERSION).contains(&header.version) {
            return Ok(Step::Bad(Damage::Content));
        }
        self.frame_start = self.buffer_index(self.offset);
        self.offset += header.padded() as u64;
        Ok(Step::Frame(header))
    }

    /// Looks at what is after the place, where the frame that follows is not.
    pub(crate) fn rest(&mut self, chain: &Chain) -> Result<Rest, JournalError> {
        let missing = chain.frame.saturating_add(1);
        let (mut rest, mut offset) = (Rest::default(), self.offset);
        while offset < self.length {
            let block = self.fill(offset, BLOCK_BYTES)?;
            let mut places = [0; FRAME_HEADER_BYTES];
            places.iter_mut().zip(block).for_each(|(place, byte)| *place = *byte);
            let header = FrameHeader::decode(&places);
            if header.mark != self.mark {
                offset += BLOCK_BYTES as u64;
                continue;
            }
            if header.frame >= missing && header.generation >= chain.generation {
                rest.torn_end = (offset + header.padded() as u64).min(self.length);
            }
            // What a frame says counts only if it is whole; then no other begins inside it.
            let whole = match self.whole_frame(offset)? {
                Ok(whole) => Some(whole),
                Err(_) => self.lacks_only_zeros(offset, &header)?.then_some(header),
            };
            let Some(whole) = whole else {
                offset += BLOCK_BYTES as u64;
                continue;
            };
            if whole.sealed >= missing {
                return Ok(Rest { is_vouched_for: true, ..rest });
            }
            if whole.generation < NUMBER_MAX - 1 {
                rest.generation = rest.generation.max(whole.generation);
            }
            offset += whole.padded() as u64;
        }
        Ok(rest)
    }

    /// Whether the file ends within a frame that is whole with zeros behind it: as soon as the file gets room
    /// for more, it is, and what it says counts then.
    fn lacks_only_zeros(
        &mut self,
        offset: u64,
        header: &FrameHeader,
    ) -> Result<bool, JournalError> {
        if header.length as usize > FRAME_BYTES_MAX {
            return Ok(false);
        }
        let frame = self.fill(offset, header.padded())?;
        let lacking = header.padded() - frame.len();
        Ok(lacking > 0 && checksum_with_zeros(frame, lacking) == header.checksum)
    }

    /// The header of the frame at a place, if its checksum holds. The frame is in the buffer then.
    fn whole_frame(&mut self, offset: u64) -> Result<Result<FrameHeader, Damage>, JournalError> {
        let mark = self.mark;
        let head = self.fill(offset, FRAME_HEADER_BYTES)?;
        let Some(header) = head.first_chunk().map(FrameHeader::decode) else {
            return Ok(Err(Damage::Length));
        };
        if header.mark != mark {
            return Ok(Err(Damage::Mark));
        }
        if header.length as usize > FRAME_BYTES_MAX {
            return Ok(Err(Damage::Length));
        }
        let frame = self.fill(offset, header.padded())?;
        if frame.len() < header.padded() {
            return Ok(Err(Damage::Length));
        }
        if checksum(frame) != header.checksum {
            return Ok(Err(Damage::Checksum));
        }
        Ok(Ok(header))
    }

    /// `count` bytes from a place on, or as many as the file has. Places only move forward.
    fn fill(&mut self, offset: u64, count: usize) -> Result<&[u8], JournalError> {
        let mut start = self.buffer_index(offset);
        if self.buffer.len() < start.saturating_add(count) {
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
}
