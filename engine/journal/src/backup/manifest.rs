//! The manifest of a backup: a text, so that it can be read and checked without this program.

use crate::error::{Damage, JournalError, Operation};
use crate::segment::{Place, damaged};
use crate::storage::{File as _, Storage};
use std::fmt::Write as _;

/// The name of its file, and that before it is whole.
pub(super) const NAME: &str = "backup.manifest";
pub(super) const UNBORN_NAME: &str = "backup.new";
/// What each checksum is of, but for the rest of a file.
pub(super) const CHUNK_BYTES: usize = 1024 * 1024;
/// The first line without its number.
const TITLE: &str = "trueup backup ";
/// The version that this build writes and reads.
const VERSION: u32 = 1;
/// The longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// The checksum of each of its parts of 1 MiB, and of the rest.
    pub checksums: Vec<u32>,
}

/// What a backup is of, and its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupManifest {
    /// The last epoch that is closed in it, if any is.
    pub epoch: Option<u64>,
    /// Its last record.
    pub record: u64,
    /// The snapshot that it has, if it has one.
    pub snapshot: Option<u64>,
    /// Its files.
    pub files: Vec<Copied>,
    /// How many records were sealed with keys that were not there when it was taken, so that only checksums were
    /// looked at; its file does not say so.
    pub locked: u64,
}

impl BackupManifest {
    /// The bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn encode(&self) -> String {
        let shown =
            |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let mut text = format!("{TITLE}{VERSION}\n");
        let _ = writeln!(text, "epoch {}", shown(self.epoch));
        let _ = writeln!(text, "record {}", self.record);
        let _ = writeln!(text, "snapshot {}", shown(self.snapshot));
        for Copied { name, bytes, checksums } in &self.files {
            let _ = write!(text, "file {name} {bytes}");
            for checksum in checksums {
                let _ = write!(text, " {checksum:08x}");
            }
            text.push('\n');
        }
        let checksum = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "all {checksum:08x}");
        text
    }

    pub(super) fn read<S: Storage>(storage: &S) -> Result<Self, JournalError> {
        let refused = |operation| JournalError::storage(operation, NAME);
        let mut file = match storage.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(JournalError::Missing { file: NAME.to_owned() });
            }
            Err(error) => return Err(refused(Operation::Open)(error)),
        };
        let length = file.length().map_err(refused(Operation::Read))?;
        let length = length.min(MANIFEST_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let read = file.read(0, &mut bytes).map_err(refused(Operation::Read))?;
        bytes.truncate(read);
        Self::decode(&bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, JournalError> {
        let bad = |reason| damaged(NAME, Place::default(), reason);
        let text = str::from_utf8(bytes).map_err(|_| bad(Damage::Header))?;
        let (title, _) = text.split_once('\n').ok_or_else(|| bad(Damage::Header))?;
        let version = title.strip_prefix(TITLE).and_then(|number| number.parse::<u32>().ok());
        let found = version.ok_or_else(|| bad(Damage::Header))?;
        let body = text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n'));
        let (body, last) = body.ok_or_else(|| bad(Damage::Header))?;
        let stated = last.strip_prefix("all ").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if stated != text.get(..=body.len()).map(|text| crc32c::crc32c(text.as_bytes())) {
            return Err(bad(Damage::Checksum));
        }
        if found != VERSION {
            let file = NAME.to_owned();
            return Err(JournalError::Version { file, found, oldest: VERSION, supported: VERSION });
        }
        Self::parse(body).ok_or_else(|| bad(Damage::Content))
    }

    /// The lines after the title.
    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.lines().skip(1);
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let number = |text: &str| match text {
            "none" => Some(None),
            text => text.parse().ok().map(Some),
        };
        let epoch = number(field("epoch")?)?;
        let record = field("record")?.parse().ok()?;
        let snapshot = number(field("snapshot")?)?;
        let files: Option<Vec<Copied>> = lines.map(file).collect();
        Some(Self { epoch, record, snapshot, files: files?, locked: 0 })
    }
}

/// What a line says of a file.
fn file(line: &str) -> Option<Copied> {
    let mut words = line.split(' ');
    let (kind, name, bytes) = (words.next()?, words.next()?, words.next()?.parse::<u64>().ok()?);
    let checksums: Result<Vec<u32>, _> = words.map(|word| u32::from_str_radix(word, 16)).collect();
    let checksums = checksums.ok()?;
    // A name is that of a file, and of no other place.
    let is_name = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
    let is_whole = checksums.len() as u64 == bytes.div_ceil(CHUNK_BYTES as u64);
    (kind == "file" && is_name && is_whole).then(|| Copied {
        name: name.to_owned(),
        bytes,
        checksums,
    })
}

#[cfg(test)]
mod tests;
