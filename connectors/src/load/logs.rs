//! Which of several debug logs are parts or copies of one.
//!
//! Two files are of one log if a vendor daemon writes in both and neither names another host than the
//! other. A file that names no host and could belong to two logs belongs to neither.

use super::File;
use crate::formats::flexnet::line;
use crate::formats::flexnet::log::host_in;
use memchr::memchr;
use std::collections::BTreeSet;

/// Files that are one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// The files, by their places in the list.
    pub(super) files: Vec<usize>,
    /// The vendor daemons that write in it, in lower case.
    pub(super) daemons: BTreeSet<String>,
    /// The host that it names.
    pub(super) host: Option<String>,
}

/// How many daemons of a file are looked at.
const DAEMONS_MAX: usize = 256;

/// Puts the files at these places together.
pub(super) fn gather(files: &[File<'_>], places: &[usize]) -> Vec<Log> {
    let mut parts: Vec<Log> = places.iter().map(|place| part(files, *place)).collect();
    // Those that name their host come first, so that the others find them.
    parts.sort_by_key(|part| part.host.is_none());
    let mut logs: Vec<Log> = Vec::new();
    for part in parts {
        let fits = |log: &&mut Log| {
            let same_host = part.host.is_none() || log.host.is_none() || part.host == log.host;
            same_host && !log.daemons.is_disjoint(&part.daemons)
        };
        let mut fitting: Vec<&mut Log> = logs.iter_mut().filter(fits).collect();
        match fitting.as_mut_slice() {
            [log] => {
                log.files.extend(part.files);
                log.daemons.extend(part.daemons);
                log.host = log.host.take().or(part.host);
            }
            _ => logs.push(part),
        }
    }
    for log in &mut logs {
        log.files.sort_unstable();
    }
    logs
}

fn part(files: &[File<'_>], place: usize) -> Log {
    let bytes = files.get(place).map_or(&[][..], |file| &*file.bytes);
    Log { files: vec![place], daemons: daemons_in(bytes), host: host_in(bytes) }
}

/// The vendor daemons that write in a log.
pub(crate) fn daemons_in(log: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut last: &[u8] = b"";
    let mut rest = log;
    while !rest.is_empty() && found.len() < DAEMONS_MAX {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
        let Some(prefixed) = line::split(text) else { continue };
        let daemon = line::parent(prefixed.daemon);
        if daemon == last || daemon.eq_ignore_ascii_case(b"lmgrd") {
            continue;
        }
        last = daemon;
        found.insert(String::from_utf8_lossy(daemon).to_lowercase());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::gather;
    use crate::load::File;

    #[test]
    fn parts_of_one_log_are_found_by_daemon_and_host() {
        let files = [
            File::new("a", b"1:00:00 (simd) OUT: \"x\" a@b\n".as_slice()),
            File::new("b", b"1:00:00 (simd) Server started on lic1 for: x\n".as_slice()),
            File::new("c", b"1:00:00 (othd) Server started on lic1 for: y\n".as_slice()),
            File::new("d", b"1:00:00 (othd) Server started on lic2 for: y\n".as_slice()),
            File::new("e", b"1:00:00 (othd) IN: \"y\" a@b\n".as_slice()),
        ];
        let logs = gather(&files, &[0, 1, 2, 3, 4]);
        let places: Vec<Vec<usize>> = logs.into_iter().map(|log| log.files).collect();
        assert_eq!(places, [vec![0, 1], vec![2], vec![3], vec![4]]);
    }
}
