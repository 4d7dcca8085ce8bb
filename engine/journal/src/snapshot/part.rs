//! A part of a snapshot: records of the owner's bytes, one after the other, each under a checksum.

use super::manifest::{PartSize, SEALED_VERSION, VERSION};
use super::secret::Secret;
use crate::error::{Damage, JournalError, Operation};
use crate::frame::{half_at, word_at};
use crate::keys::SALT_BYTES;
use crate::record::RECORD_BYTES_MAX;
use crate::seal::{Label, SEAL_BYTES, Seal};
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
    /// What seals content, if anything does.
    seal: Option<Seal>,
}

impl<F: File> PartWriter<F> {
    pub(super) fn begin(file: F, name: String, number: u64, seal: Option<Seal>) -> Self {
        let version = if seal.is_some() { SEALED_VERSION } else { VERSION };
        let mut buffer = MAGIC.to_vec();
        buffer.extend_from_slice(&version.to_le_bytes());
        buffer.extend_from_slice(&[0; 4]);
        buffer.extend_from_slice(&number.to_le_bytes());
        buffer.extend(seal.as_ref().map(|seal| seal.salt).into_iter().flatten());
        Self { file, name, buffer, size: PartSize::default(), seal }
    }

    pub(super) fn push(
        &mut self,
        party: &str,
        kind: u8,
        parts: &[&[u8]],
    ) -> Result<(), JournalError> {
        let found: usize = parts.iter().map(|part| part.len()).sum();
        if found > RECORD_BYTES_MAX {
            return Err(JournalError::TooLarge { found, limit: RECORD_BYTES_MAX });
        }
        let Some(seal) = &mut self.seal else { return self.put(kind, parts) };
        let mut sealed = Vec::with_capacity(found + SEAL_BYTES);
        let label = Label { number: self.size.records, kind, epoch: 0 };
        seal.seal(party, label, parts, &mut sealed);
        self.put(kind, &[&sealed])
    }

    /// Adds a record with this content, as it is.
    fn put(&mut self, kind: u8, parts: &[&[u8]]) -> Result<(), JournalError> {
        let found: usize = parts.iter().map(|part| part.len()).sum();
        let Ok(length) = u32::try_from(found) else {
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
        let Self { file, name, buffer, size, .. } = self;
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
    size: PartSize,
    /// Where the buffer begins in the file, and where the next record begins in the buffer.
    offset: u64,
    at: usize,
    buffer: Vec<u8>,
    records: u64,
    checksum: u32,
    /// What opens content, if it is sealed.
    secret: Secret,
    is_sealed: bool,
}

impl<F: File> Part<F> {
    pub(super) fn new(file: F, name: String, size: PartSize, secret: Secret) -> Self {
        let (buffer, offset, at, records, checksum) = (Vec::new(), 0, 0, 0, 0);
        let is_sealed = false;
        Self { file, name, size, offset, at, buffer, records, checksum, secret, is_sealed }
    }

    /// The same; content whose key is not there is given as if it were empty.
    #[must_use]
    pub(super) fn leniently(mut self) -> Self {
        self.secret.is_lenient = true;
        self
    }

    /// What is to be said of the first content whose key was not there.
    pub(super) fn into_locked(self) -> Option<JournalError> {
        self.secret.locked
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
        let longer = if self.is_sealed { SEAL_BYTES } else { 0 };
        if length > RECORD_BYTES_MAX + longer || !self.fill(padded)? {
            return Err(self.bad(Damage::Length));
        }
        let (head, content) = (self.at, self.at + RECORD_HEAD_BYTES);
        let kind = self.buffer[head + 8];
        let bytes = &self.buffer[content..content + length];
        if crc32c::crc32c_append(crc32c::crc32c(&[kind]), bytes) != checksum {
            return Err(self.bad(Damage::Checksum));
        }
        self.checksum = crc32c::crc32c_append(self.checksum, &self.buffer[head..head + padded]);
        let place = self.place();
        self.at += padded;
        self.records += 1;
        let given = &self.buffer[content..content + length];
        if !self.is_sealed {
            return Ok(Some((kind, given)));
        }
        let label = Label { number: self.records - 1, kind, epoch: 0 };
        let opened = self.secret.open(label, given, &self.name, place)?;
        Ok(Some((kind, opened)))
    }

    fn open(&mut self) -> Result<(), JournalError> {
        let is_long = self.fill(HEAD_BYTES)?;
        let number = self.secret.number();
        if !is_long || !self.buffer.starts_with(&MAGIC) || word_at(&self.buffer, 16) != number {
            return Err(self.bad(Damage::Header));
        }
        let found = half_at(&self.buffer, 8);
        if !(VERSION..=SEALED_VERSION).contains(&found) {
            let (file, oldest, supported) = (self.name.clone(), VERSION, SEALED_VERSION);
            return Err(JournalError::Version { file, found, oldest, supported });
        }
        self.is_sealed = found == SEALED_VERSION;
        let mut head = HEAD_BYTES;
        if self.is_sealed {
            head += SALT_BYTES;
            if !self.fill(head)? {
                return Err(self.bad(Damage::Header));
            }
            let salt = self.buffer.get(HEAD_BYTES..).and_then(|rest| rest.first_chunk());
            self.secret.begin(salt.copied().unwrap_or_default());
        }
        self.checksum = crc32c::crc32c(&self.buffer[..head]);
        self.at = head;
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
