use super::{BackupManifest, Copied};
use crate::error::JournalError;

fn manifest() -> BackupManifest {
    let mib = 1024 * 1024;
    BackupManifest {
        epoch: Some(57),
        record: 1234,
        snapshot: None,
        files: vec![
            Copied { name: "a.part".to_owned(), bytes: 0, checksums: Vec::new() },
            Copied { name: "b.journal".to_owned(), bytes: mib + 1, checksums: vec![1, u32::MAX] },
        ],
        locked: 0,
    }
}

#[test]
fn a_manifest_is_a_text_that_comes_back_as_it_went() {
    let text = manifest().encode();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "trueup backup 1",
            "epoch 57",
            "record 1234",
            "snapshot none",
            "file a.part 0",
            "file b.journal 1048577 00000001 ffffffff",
        ]
    );
    assert_eq!(BackupManifest::decode(text.as_bytes()).unwrap(), manifest());
}

#[test]
fn no_other_text_is_taken_for_it() {
    let text = manifest().encode();
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = BackupManifest::decode(&bytes);
        // A checksum in capitals is the same number.
        let same = found.as_ref().is_ok_and(|found| *found == manifest());
        assert!(found.is_err() || same && bit % 8 == 5, "bit {bit}: {found:?}");
    }
    for end in 0..text.len() {
        assert!(BackupManifest::decode(&text.as_bytes()[..end]).is_err(), "{end} bytes");
    }
}

/// The text with a line in place of another, under a checksum that holds.
fn with(line: usize, other: &str) -> Result<BackupManifest, JournalError> {
    let text = manifest().encode();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.pop();
    lines[line] = other;
    let changed = lines.join("\n") + "\n";
    let checksum = crc32c::crc32c(changed.as_bytes());
    BackupManifest::decode(format!("{changed}all {checksum:08x}\n").as_bytes())
}

#[test]
fn a_name_is_of_no_other_place_and_a_newer_version_is_said_to_be_one() {
    assert!(with(4, "file c.part 0").is_ok());
    for bad in ["file ../a 0", "file /a 0", "file a 1", "file a 0 00000000", "fil a 0", "file  0"] {
        assert!(with(4, bad).is_err(), "{bad}");
    }
    let newer = with(0, "trueup backup 2").unwrap_err();
    assert!(matches!(newer, JournalError::Version { found: 2, supported: 1, .. }), "{newer}");
}
