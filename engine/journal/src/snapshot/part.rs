//! A part of a snapshot: records of the owner's bytes, one after the other, each under a checksum.

use super::manifest::{PartSize, VERSION};
use crate::error::{Damage, JournalError, Operation};
use crate::frame::{half_at, word_at};
use crate::record::RECORD_BYTES_MAX;
use crate::segment::{Place, damaged, write_all};
use crate::storage::File;

/// The first eight bytes.
const MAGIC: [u8; 8] = *b"TRUPPART";
/// The bytes of the head.
const HEAD_BYTES: usize = 24;
/// The bytes before a record's content.
const RECORD_HEAD_BYTES: usize = 16;
/// How much is written and read at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Writes a part.
#[derive(Debug)]
pub(super) struct PartWriter<F> {
    file: F,
    name: String,
    buffer: Vec<u8>,
    size: PartSize,
}

impl<F: File> PartWriter<F> {
    pub(super) fn begin(file: F, name: String, number: u64) -> Self {
        let mut buffer = MAGIC.to_vec();
        buffer.extend_from_slice(&VERSION.to_le_bytes());
        buffer.extend_from_slice(&[0; 4]);
        buffer.extend_from_slice(&number.to_le_bytes());
        Self { file, name, buffer, size: PartSize::default() }
    }

    pub(super) fn push(&mut self, kind: u8, parts: &[&[u8]]) -> Result<(), JournalError> {
        let found: usize = parts.iter().map(|part| part.len()).sum();
        let Some(length) = u32::try_from(found).ok().filter(|_| found <= RECORD_BYTES_MAX) else {
            return Err(JournalError::TooLarge { found, limit: RECORD_BYTES_MAX });
        };
        let mut checksum = crc32c::crc32c(&[kind]);
        for part in parts {
            checksum = crc32c::crc32c_append(checksum, part);
        }
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&checksum.to_le_bytes());
        self.buffer.extend_from_slice(&[kind, 0, 0, 0, 0, 0, 0, 0]);
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        self.buffer.resize(self.buffer.len().next_multiple_of(8), 0);
        self.size.records += 1;
        if self.buffer.len() >= CHUNK_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), JournalError> {
        let Self { file, name, buffer, size } = self;
        let end = size.bytes + buffer.len() as u64;
        // Room is asked for first, so that a full disk says so.
        let reserved = file.reserve(end).map_err(JournalError::storage(Operation::Reserve, name));
        reserved.map_err(JournalError::or_full)?;
        write_all(file, size.bytes, buffer, name)?;
        size.checksum = crc32c::crc32c_append(size.checksum, buffer);
        size.bytes = end;
        buffer.clear();
        Ok(())
    }

    /// Makes the part durable; its name is not yet.
    pub(super) fn finish(mut self) -> Result<PartSize, JournalError> {
        self.write()?;
        self.file.sync().map_err(JournalError::storage(Operation::Sync, &self.name))?;
        Ok(self.size)
    }
}

/// The records of a part, in order. Memory is bounded by one record and one read.
#[derive(Debug)]
pub struct Part<F> {
    file: F,
    name: String,
    number: u64,
    size: PartSize,
    /// Where the buffer begins in the file, and where the next record begins in the buffer.
    offset: u64,
    at: usize,
    buffer: Vec<u8>,
    records: u64,
    checksum: u32,
}

impl<F: File> Part<F> {
    pub(super) fn new(file: F, name: String, number: u64, size: PartSize) -> Self {
        let (buffer, offset, at, records, checksum) = (Vec::new(), 0, 0, 0, 0);
        Self { file, name, number, size, offset, at, buffer, records, checksum }
    }

    /// The next record: its kind and content; `None` after the last one.
    ///
    /// # Errors
    /// If the storage refuses, or the part is damaged.
    #[expect(clippy::should_implement_trait, reason = "records are lent, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<(u8, &[u8])>, JournalError> {
        if self.offset == 0 && self.at == 0 {
            self.open()?;
        }
        if self.place() == self.size.bytes {
            let whole = self.records == self.size.records && self.checksum == self.size.checksum;
            return if whole { Ok(None) } else { Err(self.bad(Damage::Checksum)) };
        }
        if !self.fill(RECORD_HEAD_BYTES)? {
            return Err(self.bad(Damage::Length));
        }
        let (length, checksum) =
            (half_at(&self.buffer, self.at), half_at(&self.buffer, self.at + 4));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let padded = RECORD_HEAD_BYTES.saturating_add(length).next_multiple_of(8);
        if length > RECORD_BYTES_MAX || !self.fill(padded)? {
            return Err(self.bad(Damage::Length));
        }
        let (head, content) = (self.at, self.at + RECORD_HEAD_BYTES);
        let kind = self.buffer[head + 8];
        let bytes = &self.buffer[content..content + length];
        if crc32c::crc32c_append(crc32c::crc32c(&[kind]), bytes) != checksum {
            return Err(self.bad(Damage::Checksum));
        }
        self.checksum = crc32c::crc32c_append(self.checksum, &self.buffer[head..head + padded]);
        self.at += padded;
        self.records += 1;
        Ok(Some((kind, &self.buffer[content..content + length])))
    }

    fn open(&mut self) -> Result<(), JournalError> {
        let is_long = self.fill(HEAD_BYTES)?;
        if !is_long || !self.buffer.starts_with(&MAGIC) || word_at(&self.buffer, 16) != self.number
        {
            return Err(self.bad(Damage::Header));
        }
        let found = half_at(&self.buffer, 8);
        if found != VERSION {
            let file = self.name.clone();
            return Err(JournalError::Version { file, found, supported: VERSION });
        }
        self.checksum = crc32c::crc32c(&self.buffer[..HEAD_BYTES]);
        self.at = HEAD_BYTES;
        Ok(())
    }

    fn place(&self) -> u64 {
        self.offset + self.at as u64
    }

    fn bad(&self, reason: Damage) -> JournalError {
        damaged(&self.name, Place { offset: self.place(), record: 0 }, reason)
    }

    /// Sees to it that so many bytes are in the buffer from the place on; false if there are not.
    fn fill(&mut self, count: usize) -> Result<bool, JournalError> {
        if self.buffer.len() >= self.at + count {
            return Ok(true);
        }
        let left = self.size.bytes.saturating_sub(self.place());
        if left < count as u64 {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        let kept = self.buffer.len();
        let wanted = CHUNK_BYTES.max(count).min(usize::try_from(left).unwrap_or(usize::MAX));
        self.buffer.resize(wanted, 0);
        let from = self.offset + kept as u64;
        let read = self.file.read(from, &mut self.buffer[kept..]);
        let read = read.map_err(JournalError::storage(Operation::Read, &self.name))?;
        self.buffer.truncate(kept + read);
        Ok(self.buffer.len() >= count)
    }
}
