//! The log of a server while it is written: followed through rotations, and resumed where it was left.
//!
//! What a line means depends on the lines before it: they tell its date, its host, and whether an equal
//! one came in the same second. So the next process reads the file from its start again, which takes
//! seconds, and tells nothing until it comes to where the last one stopped. It knows the file by its
//! first bytes; if that file was rotated away meanwhile, it is read first, then those that came after it.
//! What is read again is bounded by one file, and what is told again by one batch.

use crate::formats::flexnet::log::{LogOptions, LogReader};
use crate::formats::{Context, Sink};
use crate::load::devices::Devices;
use crate::source::file::Stamp;
use crate::source::follow::{Follower, Found};
use crate::source::rotated::{Head, between, find};
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;

use crate::connector::position::LogPosition;

/// How much of a copy is read at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// What to follow, and how its lines are read.
#[derive(Clone, Debug)]
pub(super) struct TailOptions {
    /// The log.
    pub(super) path: PathBuf,
    /// Whose log it is.
    pub(super) context: Context,
    /// What to assume of it.
    pub(super) log: LogOptions,
    /// A hash of what else its facts depend on.
    pub(super) told_as: u64,
    /// Whether the hosts that its lines name are remembered.
    pub(super) is_hearing: bool,
}

/// A log that is followed.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    document: String,
    told_as: u64,
    /// The files to read, one after another; the last one is followed.
    files: VecDeque<Follower>,
    reader: LogReader,
    /// How far the first of them was read, in bytes.
    offset: u64,
    head: Head,
    /// Up to here of it nothing is told: an earlier process did.
    told_until: u64,
    /// Whether the date of its lines was assumed.
    is_assumed: bool,
    is_hearing: bool,
    /// The hosts that lines named, in lower case.
    pub(super) devices: BTreeSet<String>,
}

impl Tail {
    /// Begins where an earlier process stopped, or else at the start of the file.
    pub(super) fn open(options: TailOptions, resume: Option<&LogPosition>) -> Self {
        let TailOptions { path, context, mut log, told_as, is_hearing } = options;
        let resume = resume.filter(|resume| resume.told_as == told_as);
        log.host = log.host.or_else(|| resume.and_then(|resume| resume.host.clone()));
        let (files, told_until) = match resume {
            Some(resume) => files(&path, resume),
            None => (vec![path.clone()], 0),
        };
        Self {
            document: context.document.clone(),
            reader: LogReader::new(context, log),
            path,
            told_as,
            files: files.iter().map(|file| Follower::new(file)).collect(),
            offset: 0,
            head: Head::default(),
            told_until,
            is_assumed: false,
            is_hearing,
            devices: BTreeSet::new(),
        }
    }

    /// Looks once; false if there is nothing new.
    pub(super) fn step(&mut self, now: Timestamp, sink: &mut impl Sink) -> io::Result<bool> {
        self.reader.received_at(now);
        let mut files = std::mem::take(&mut self.files);
        let stepped = self.look(&mut files, sink);
        self.files = files;
        stepped
    }

    fn look(&mut self, files: &mut VecDeque<Follower>, sink: &mut impl Sink) -> io::Result<bool> {
        let has_next = files.len() > 1;
        let Some(first) = files.front_mut() else { return Ok(false) };
        match first.look()? {
            Found::Bytes(bytes) => {
                self.push(bytes, sink);
                Ok(true)
            }
            Found::Begun => {
                if self.offset > 0 {
                    self.turn(sink)?;
                }
                Ok(true)
            }
            Found::Nothing if has_next => {
                files.pop_front();
                self.turn(sink)?;
                Ok(true)
            }
            Found::Nothing => Ok(false),
        }
    }

    /// How far the log was read: the file's name in messages, bytes read, and bytes there are.
    pub(super) fn progress(&self) -> (u64, u64) {
        let there = Stamp::of(&self.path).map_or(0, |stamp| stamp.bytes);
        (self.offset, there.max(self.offset))
    }

    /// What the next process needs to go on; nothing while hardly anything was read of a file.
    pub(super) fn position(&self) -> Option<LogPosition> {
        Some(LogPosition {
            offset: self.offset.max(self.told_until),
            head: self.head.mark()?,
            told_as: self.told_as,
            is_assumed: self.is_assumed,
            host: self.reader.host().map(str::to_owned),
        })
    }

    /// The server's host as facts name it, once one left.
    pub(super) fn host(&self) -> Option<&str> {
        self.reader.host()
    }

    /// Says that nothing more came for a while: the daemons were alive at their last lines.
    ///
    /// Lines that no date was found for are dated by the file's time: they were just written.
    pub(super) fn idle(&mut self, sink: &mut impl Sink) {
        if !self.reader.is_dated()
            && self.offset > 0
            && let Some(written) = Stamp::of(&self.path).ok().and_then(|stamp| stamp.modified_at)
        {
            self.reader.assume_written(Timestamp(written), sink);
            self.is_assumed = self.reader.is_dated();
        }
        self.reader.idle(sink);
    }

    /// Says that the log ends here.
    pub(super) fn finish(self, sink: &mut impl Sink) {
        self.reader.finish(sink);
    }

    fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        self.head.extend(bytes);
        let left = self.told_until.saturating_sub(self.offset);
        let told = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (before, after) = bytes.split_at(told);
        let Self { reader, devices, is_hearing, .. } = self;
        if !before.is_empty() {
            hearing(&mut Silent, *is_hearing, devices, |silent| reader.push(before, silent));
        }
        hearing(sink, *is_hearing, devices, |heard| reader.push(after, heard));
        self.offset += bytes.len() as u64;
    }

    /// Goes on at the start of the next file; what a copy of the last one has more comes first.
    fn turn(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let longer = self.offset + 1;
        if let Some(copy) = self.head.mark().and_then(|mark| find(&self.path, &mark, longer)) {
            self.read_rest(&copy, sink)?;
        }
        tracing::info!(log = %self.path.display(), offset = self.offset, "the log begins anew");
        self.reader.continue_in(&self.document, 1, sink);
        (self.offset, self.told_until, self.head) = (0, 0, Head::default());
        Ok(())
    }

    /// Reads what follows in a copy of the file that was begun anew in place.
    fn read_rest(&mut self, copy: &Path, sink: &mut impl Sink) -> io::Result<()> {
        let mut file = File::open(copy)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = file.read(&mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            self.push(chunk.get(..count).unwrap_or_default(), sink);
        }
    }
}

/// Passes facts on, and remembers the hosts that they name if that is wanted.
fn hearing<S: Sink>(
    sink: &mut S,
    is_hearing: bool,
    devices: &mut BTreeSet<String>,
    push: impl FnOnce(&mut Devices<'_, S>),
) {
    let mut hearing = Devices::new(sink, is_hearing);
    hearing.devices = std::mem::take(devices);
    push(&mut hearing);
    *devices = hearing.devices;
}

/// The files to read, and how much of the first of them was told.
fn files(live: &Path, resume: &LogPosition) -> (Vec<PathBuf>, u64) {
    // What was told under an assumed date is told again: a line may have said another one since.
    let told = if resume.is_assumed { 0 } else { resume.offset };
    let is_long = Stamp::of(live).is_ok_and(|stamp| stamp.bytes >= resume.offset);
    if is_long && resume.head.is_of(live).unwrap_or(false) {
        return (vec![live.to_owned()], told);
    }
    let Some(old) = find(live, &resume.head, resume.offset) else {
        tracing::warn!(
            log = %live.display(),
            offset = resume.offset,
            "the log that was read last is not here any more; if lines were written to it after \
             this offset, deliver it once with --once --log FILE"
        );
        return (vec![live.to_owned()], 0);
    };
    tracing::info!(log = %live.display(), rotated = %old.display(), "resuming in a rotated log");
    let mut files = between(&old, live);
    files.insert(0, old);
    files.push(live.to_owned());
    (files, told)
}

/// Takes facts that the engine has, and drops them.
#[derive(Debug)]
struct Silent;

impl Sink for Silent {
    fn accept(&mut self, _: Fact<&str>) {}

    fn note(&mut self, _: u64, _: &str) {}
}
