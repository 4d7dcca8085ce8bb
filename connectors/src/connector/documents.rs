//! Which version of which document a file is, when it changes and when it does not.
//!
//! The first version that anyone saw speaks for all of time; each later one speaks from when the file
//! was written. Versions rise also if a file's time does not. A file that is as it was is not told
//! again, whatever its time says; one that is only told in another way, as in another time zone,
//! replaces what was said of the same stretch of time.

use std::collections::BTreeMap;
use trueup_model::hash::hash64;
use trueup_model::time::Timestamp;

/// A version of a document that the engine was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The version: when the file was written, in microseconds.
    pub(super) version: i64,
    /// From when on it holds.
    pub(super) effective_from: Timestamp,
    /// A hash of its bytes.
    pub(super) bytes: u64,
    /// A hash of what else its facts depend on.
    pub(super) told_as: u64,
}

/// A file as it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'f> {
    /// The document's name.
    pub(super) document: &'f str,
    /// Its bytes.
    pub(super) bytes: &'f [u8],
    /// When it was written, in microseconds, if anyone knows.
    pub(super) modified_at: Option<i64>,
    /// A hash of what else its facts depend on.
    pub(super) told_as: u64,
}

/// The version to tell, or `None` if the document is as the engine has it.
pub(super) fn version(
    known: &BTreeMap<u64, Known>,
    found: &Found<'_>,
    now: Timestamp,
) -> Option<(u64, Known)> {
    let name = hash64(&[found.document.as_bytes()]);
    let bytes = hash64(&[found.bytes]);
    let told_as = found.told_as;
    let written = found.modified_at.unwrap_or(now.0);
    let Some(last) = known.get(&name) else {
        let effective_from = Timestamp::MIN;
        return Some((name, Known { version: written, effective_from, bytes, told_as }));
    };
    if last.bytes == bytes && last.told_as == told_as {
        return None;
    }
    let version = if written > last.version { written } else { now.0.max(last.version + 1) };
    let is_same = last.bytes == bytes;
    let effective_from = if is_same { last.effective_from } else { Timestamp(version) };
    Some((name, Known { version, effective_from, bytes, told_as }))
}

#[cfg(test)]
mod tests {
    use super::{Found, Known, version};
    use std::collections::BTreeMap;
    use trueup_model::time::Timestamp;

    /// Finds files one after another: text, time of the file, zone; gives version and beginning.
    fn tell(known: &mut BTreeMap<u64, Known>, text: &str, written: i64, zone: u64) -> String {
        let found = Found {
            document: "lic1/license.dat",
            bytes: text.as_bytes(),
            modified_at: Some(written),
            told_as: zone,
        };
        let Some((name, told)) = version(known, &found, Timestamp(1000)) else {
            return "as it was".to_owned();
        };
        known.insert(name, told);
        let always = told.effective_from == Timestamp::MIN;
        let from = if always { "always".to_owned() } else { told.effective_from.0.to_string() };
        format!("{} from {from}", told.version)
    }

    #[test]
    fn versions_rise_and_only_real_changes_are_told() {
        let mut known = BTreeMap::new();
        assert_eq!(tell(&mut known, "a", 100, 0), "100 from always");
        assert_eq!(tell(&mut known, "a", 150, 0), "as it was");
        // Told in another zone: the same stretch of time.
        assert_eq!(tell(&mut known, "a", 150, 1), "150 from always");
        assert_eq!(tell(&mut known, "b", 200, 1), "200 from 200");
        // An older file was put back.
        assert_eq!(tell(&mut known, "a", 100, 1), "1000 from 1000");
        assert_eq!(tell(&mut known, "c", 1000, 1), "1001 from 1001");
        assert_eq!(tell(&mut known, "c", 1000, 2), "1002 from 1001");
    }
}
