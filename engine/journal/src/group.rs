//! The group that is gathered: records that will be one frame.

use crate::frame::{
    FRAME_HEADER_BYTES, FrameHeader, SEALED_VERSION, VERSION, finish_frame, padded,
};
use crate::record::{NewEntry, record_bytes, write_record};
use crate::seal::{SEAL_BYTES, Seal};

/// Records that are not written yet.
#[derive(Debug)]
pub(crate) struct Group {
    /// Room for the frame's header, then the records.
    bytes: Vec<u8>,
    records: u32,
    /// What seals their content, if anything does.
    seal: Option<Seal>,
}

impl Group {
    /// A group without records, whose content is to be sealed, or is not.
    pub(crate) fn new(seal: Option<Seal>) -> Self {
        Self { bytes: Vec::new(), records: 0, seal }
    }

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
        let longer = if self.seal.is_some() { SEAL_BYTES } else { 0 };
        self.length() + record_bytes(content_bytes + longer)
    }

    /// The bytes of the blocks that its frame takes if it gets to have this many bytes of records.
    pub(crate) fn blocks(length: usize) -> u64 {
        padded(length) as u64
    }

    fn length(&self) -> usize {
        self.bytes.len().max(self.head_bytes()) - FRAME_HEADER_BYTES
    }

    /// The version of its frame.
    pub(crate) fn version(&self) -> u32 {
        if self.seal.is_some() { SEALED_VERSION } else { VERSION }
    }

    /// What stands before the first record.
    fn head_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.seal.as_ref().map_or(0, |seal| seal.salt.len())
    }

    fn begin(&mut self) {
        if self.bytes.is_empty() {
            self.bytes.resize(FRAME_HEADER_BYTES, 0);
            self.bytes.extend(self.seal.as_ref().map(|seal| seal.salt).into_iter().flatten());
        }
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: NewEntry<'_>) {
        self.begin();
        write_record(record, self.seal.as_mut(), &mut self.bytes);
        self.records += 1;
    }

    /// The frame of its records, and its checksum; the group is empty then.
    ///
    /// The length, checksum, version and number of records of `header` are filled in. `buffer` is what the next
    /// group is gathered in.
    pub(crate) fn finish(&mut self, header: FrameHeader, mut buffer: Vec<u8>) -> (Vec<u8>, u32) {
        buffer.clear();
        self.begin();
        let mut frame = std::mem::replace(&mut self.bytes, buffer);
        let (records, version) = (std::mem::take(&mut self.records), self.version());
        let checksum = finish_frame(FrameHeader { records, version, ..header }, &mut frame);
        (frame, checksum)
    }
}
