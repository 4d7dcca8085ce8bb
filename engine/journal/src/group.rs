//! The group that is gathered: records that will be one frame.

use crate::frame::{FRAME_HEADER_BYTES, FrameHeader, finish_frame, padded};
use crate::record::{record_bytes, write_record};

/// Records that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Room for the frame's header, then the records.
    bytes: Vec<u8>,
    records: u32,
}

impl Group {
    /// Whether it has no record.
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> u32 {
        self.records
    }

    /// The bytes of its records if one with this much content is added.
    pub(crate) fn length_with(&self, content_bytes: usize) -> usize {
        self.length() + record_bytes(content_bytes)
    }

    /// The bytes of the blocks that its frame takes if it gets to have this many bytes of records.
    pub(crate) fn blocks(length: usize) -> u64 {
        padded(length) as u64
    }

    fn length(&self) -> usize {
        self.bytes.len().saturating_sub(FRAME_HEADER_BYTES)
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, code: u8, epoch: u64, parts: &[&[u8]]) {
        if self.bytes.is_empty() {
            self.bytes.resize(FRAME_HEADER_BYTES, 0);
        }
        write_record(code, epoch, parts, &mut self.bytes);
        self.records += 1;
    }

    /// The frame of its records, and its checksum; the group is empty then.
    ///
    /// The length, checksum and number of records of `header` are filled in. `buffer` is what the next
    /// group is gathered in.
    pub(crate) fn finish(&mut self, header: FrameHeader, mut buffer: Vec<u8>) -> (Vec<u8>, u32) {
        buffer.clear();
        let mut frame = std::mem::replace(&mut self.bytes, buffer);
        frame.resize(frame.len().max(FRAME_HEADER_BYTES), 0);
        let records = std::mem::take(&mut self.records);
        let checksum = finish_frame(FrameHeader { records, ..header }, &mut frame);
        (frame, checksum)
    }
}
