//! The manifest of a snapshot: what it is of, and which parts it has.

use crate::error::{Damage, JournalError, Operation};
use crate::frame::{half_at, word_at};
use crate::keys::{KeyId, Keys, SIGNATURE_BYTES};
use crate::segment::{Place, damaged};
use crate::storage::{File as _, Storage};

/// The version of manifests and parts whose content is in the open.
pub(super) const VERSION: u32 = 1;
/// The version of those whose content is sealed.
pub(super) const SEALED_VERSION: u32 = 2;
/// What signs a manifest: the number of a key, and what only that says.
const SIGNED_BYTES: usize = 8 + SIGNATURE_BYTES;
/// What the signature is for.
const PURPOSE: &[u8] = b"manifest";
/// The first eight bytes.
const MAGIC: [u8; 8] = *b"TRUPMANI";
/// Bytes before the parts.
const HEAD_BYTES: usize = 40;
/// Bytes of each part.
const PART_BYTES: usize = 24;
/// The most parts that a snapshot has.
const PARTS_MAX: usize = 4096;

/// How large a part is, and its checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartSize {
    /// Its bytes.
    pub bytes: u64,
    /// Its records.
    pub records: u64,
    /// The checksum of all of its bytes.
    pub checksum: u32,
}

/// What a snapshot is of, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The snapshot: the epoch at whose end it is.
    pub number: u64,
    /// The last record of the journal that it holds the effect of.
    pub through: u64,
    /// Its parts.
    pub parts: Vec<PartSize>,
    /// Who signed it, if its parts are sealed: no part can be changed then, and none left out.
    signature: Option<(KeyId, [u8; SIGNATURE_BYTES])>,
}

/// What a file name says.
pub(super) struct Named {
    pub(super) number: u64,
    /// Whether it is the manifest of a snapshot that has come into being.
    pub(super) is_manifest: bool,
}

/// The name of a part.
pub(super) fn part_name(number: u64, index: usize) -> String {
    format!("snapshot-{number:010}.part-{index:04}")
}

/// Which snapshot a file is of, if it is of one.
pub(super) fn parse_name(name: &str) -> Option<Named> {
    let (digits, kind) = name.strip_prefix("snapshot-")?.split_once('.')?;
    let number: u64 = digits.parse().ok()?;
    let part = kind.strip_prefix("part-").and_then(|index| index.parse::<usize>().ok());
    let manifest = Manifest::new(number, 0);
    let is_manifest = name == manifest.name();
    let is_other = name == manifest.unborn_name()
        || part.is_some_and(|index| name == part_name(number, index));
    (is_manifest || is_other).then_some(Named { number, is_manifest })
}

impl Manifest {
    /// That of a snapshot without parts.
    pub(super) fn new(number: u64, through: u64) -> Self {
        Self { number, through, parts: Vec::new(), signature: None }
    }

    /// Signs it, if there are keys.
    pub(super) fn sign(&mut self, keys: Option<&Keys>) {
        if let Some(key) = keys.and_then(|keys| keys.of("")) {
            self.signature = Some((key.id, [0; SIGNATURE_BYTES]));
            self.signature = Some((key.id, key.sign(PURPOSE, &self.unchecked())));
        }
    }
    /// The name of its file.
    pub fn name(&self) -> String {
        format!("snapshot-{:010}.manifest", self.number)
    }

    /// The bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// The records of all parts.
    pub fn records(&self) -> u64 {
        self.parts.iter().map(|part| part.records).sum()
    }

    /// The name of the file of a part.
    pub fn part_name(&self, index: usize) -> String {
        part_name(self.number, index)
    }

    pub(super) fn unborn_name(&self) -> String {
        format!("snapshot-{:010}.new", self.number)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.unchecked();
        if let Some((key, signature)) = &self.signature {
            bytes.extend_from_slice(&key.0.to_le_bytes());
            bytes.extend_from_slice(signature);
        }
        let checksum = checksum(&bytes);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// All but the checksum and the signature.
    fn unchecked(&self) -> Vec<u8> {
        let version = if self.signature.is_some() { SEALED_VERSION } else { VERSION };
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&version.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.through.to_le_bytes());
        bytes.extend_from_slice(&(self.parts.len() as u64).to_le_bytes());
        for part in &self.parts {
            bytes.extend_from_slice(&part.bytes.to_le_bytes());
            bytes.extend_from_slice(&part.records.to_le_bytes());
            bytes.extend_from_slice(&u64::from(part.checksum).to_le_bytes());
        }
        bytes
    }

    pub(super) fn read<S: Storage>(storage: &S, number: u64) -> Result<Self, JournalError> {
        let name = Self::new(number, 0).name();
        let mut file =
            storage.open(&name).map_err(JournalError::storage(Operation::Open, &name))?;
        // A longer file is none of ours; what is read is bounded.
        let mut bytes = vec![0; HEAD_BYTES + PARTS_MAX * PART_BYTES + SIGNED_BYTES + 1];
        let read =
            file.read(0, &mut bytes).map_err(JournalError::storage(Operation::Read, &name))?;
        bytes.truncate(read);
        let manifest = Self::decode(&bytes, number, &name)?;
        manifest.check_signature(storage.keys().as_deref(), &name)?;
        Ok(manifest)
    }

    /// Refuses what is not what was signed; without the key nothing is known of that.
    fn check_signature(&self, keys: Option<&Keys>, name: &str) -> Result<(), JournalError> {
        let Some((key, signature)) = &self.signature else { return Ok(()) };
        let signer = keys.and_then(|keys| keys.get(*key));
        if signer.is_none_or(|signer| signer.has_signed(PURPOSE, &self.unchecked(), signature)) {
            return Ok(());
        }
        Err(JournalError::Forged { file: name.to_owned(), offset: 0, record: 0, key: *key })
    }

    fn decode(bytes: &[u8], number: u64, name: &str) -> Result<Self, JournalError> {
        let bad = |reason| damaged(name, Place::default(), reason);
        if bytes.len() < HEAD_BYTES || !bytes.starts_with(&MAGIC) {
            return Err(bad(Damage::Header));
        }
        if half_at(bytes, 12) != checksum(bytes) {
            return Err(bad(Damage::Checksum));
        }
        let found = half_at(bytes, 8);
        if !(VERSION..=SEALED_VERSION).contains(&found) {
            let (file, oldest, supported) = (name.to_owned(), VERSION, SEALED_VERSION);
            return Err(JournalError::Version { file, found, oldest, supported });
        }
        let signed = if found == SEALED_VERSION { SIGNED_BYTES } else { 0 };
        let (head, rest) = bytes.split_at(HEAD_BYTES);
        let Some((rest, signed)) = rest.split_at_checked(rest.len().saturating_sub(signed)) else {
            return Err(bad(Damage::Header));
        };
        let parts: Vec<PartSize> = rest
            .chunks_exact(PART_BYTES)
            .map(|part| PartSize {
                bytes: word_at(part, 0),
                records: word_at(part, 8),
                checksum: half_at(part, 16),
            })
            .collect();
        let stated = word_at(head, 32);
        let is_whole = rest.len() == parts.len() * PART_BYTES && stated == parts.len() as u64;
        let is_whole = is_whole && (found == VERSION || signed.len() == SIGNED_BYTES);
        if !is_whole || word_at(head, 16) != number {
            return Err(bad(Damage::Header));
        }
        let signature = signed.get(8..).and_then(|signature| signature.first_chunk());
        let signature = signature.map(|signature| (KeyId(word_at(signed, 0)), *signature));
        Ok(Self { number, through: word_at(head, 24), parts, signature })
    }
}

/// The checksum of a manifest without itself.
fn checksum(bytes: &[u8]) -> u32 {
    let (before, after) = bytes.split_at(bytes.len().min(16));
    let before = before.get(..12).unwrap_or(before);
    crc32c::crc32c_append(crc32c::crc32c(before), after)
}
