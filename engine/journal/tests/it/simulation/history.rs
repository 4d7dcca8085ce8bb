//! One journal through several lives, each ended by a fault; all of it decided by a seed.

use super::content::SECTOR_BYTES;
use super::disk::Disk;
use super::faults::Faults;
use super::model::{Found, Model, Promise, Taken};
use super::mutant::{Mutant, Mutation};
use super::noise::Noise;
use super::outcome::{Mode, Outcome};
use super::sealing::Sealing;
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    EpochClose, JournalError, Opened, Options, Progress, RecordKind, Records, Writer, open,
};

/// The mark of the journals.
pub(super) const MARK: u64 = 0x6d61_726b_2061_7420;
/// How often the journal of a history is opened.
const LIVES: usize = 5;

/// Runs a history; fails with what was found to be wrong.
pub(crate) fn run(mode: Mode, seed: u64, mutation: Mutation) -> Result<Outcome, String> {
    let mut history = History::new(mode, seed, mutation);
    for life in 0..LIVES {
        history.set_faults(life);
        match history.live() {
            End::Crash => history.crash(),
            End::Refused => break,
            End::Wrong(story) => return Err(format!("in life {life}, {story}")),
        }
    }
    history.outcome.sealed = history.sealing.as_ref().map_or(0, Sealing::count);
    (history.outcome.trace, history.outcome.reused) = (history.disk.trace(), history.disk.reused());
    Ok(history.outcome)
}

/// Runs a short history in which something goes wrong at these operations, each counted from the last time
/// that the journal was opened; then it is opened, written to and opened once more. Says whether the
/// last of the operations was reached.
pub(crate) fn run_short(
    mode: Mode,
    script: u64,
    at: &[u64],
    survival: u64,
) -> Result<bool, String> {
    let mut history = History::new(mode, script, Mutation::None);
    let mut is_reached = false;
    for operation in at {
        history.disk.set_faults(match mode {
            Mode::Power | Mode::Full | Mode::Damage => Faults::power_loss(*operation),
            Mode::Error => Faults::error(*operation),
            Mode::Short => Faults::short(*operation),
        });
        history.noise = Noise(script);
        history.lives_short()?;
        is_reached = history.disk.has_failed();
        history.noise = Noise(survival);
        history.crash();
    }
    for _ in 0..2 {
        history.lives_short()?;
        history.crash();
    }
    if history.outcome.recoveries < 2 {
        return Err("it was not opened again".to_owned());
    }
    Ok(is_reached)
}

/// Why a life ends.
#[derive(Debug)]
enum End {
    /// A fault was met.
    Crash,
    /// The journal is damaged, and says so.
    Refused,
    /// Something is not as it must be.
    Wrong(String),
}

impl From<String> for End {
    fn from(story: String) -> Self {
        Self::Wrong(story)
    }
}

struct History {
    mode: Mode,
    mutation: Mutation,
    noise: Noise,
    disk: Disk,
    /// Every other journal is sealed.
    sealing: Option<Sealing>,
    model: Model,
    outcome: Outcome,
    /// The file that is damaged, and the byte.
    damaged: Option<(String, u64)>,
    now_us: u64,
}

impl History {
    fn new(mode: Mode, seed: u64, mutation: Mutation) -> Self {
        Self {
            mode,
            mutation,
            noise: Noise(seed),
            disk: Disk::seeded(seed, Faults::NONE),
            sealing: (mutation == Mutation::None && seed % 2 == 1).then(Sealing::new),
            model: Model::default(),
            outcome: Outcome::default(),
            damaged: None,
            now_us: 0,
        }
    }

    /// Opens the journal, compares, and does a few things.
    fn lives_short(&mut self) -> Result<(), String> {
        let written = self.open().and_then(|mut writer| {
            self.append(&mut writer).map_err(|error| self.ended(&mut writer, &error))?;
            self.write(&mut writer, 5)
        });
        match written {
            Ok(()) | Err(End::Crash) => Ok(()),
            Err(End::Refused) => Err("it is refused".to_owned()),
            Err(End::Wrong(story)) => Err(story),
        }
    }

    /// Opens the journal, compares, and writes until a fault ends the life.
    fn live(&mut self) -> End {
        let written = self.open().and_then(|mut writer| {
            let steps = 3 + self.noise.below(50);
            self.write(&mut writer, steps)
        });
        written.err().unwrap_or(End::Crash)
    }

    fn write(&mut self, writer: &mut Writer<Mutant>, steps: usize) -> Result<(), End> {
        for _ in 0..steps {
            let done = self.step(writer);
            // What is said counts, whether the step failed or not.
            self.model.promise(writer.progress())?;
            match done {
                Ok(progress) => self.model.promise(progress)?,
                Err(JournalError::Full { .. }) if self.mode == Mode::Full => {
                    self.go_on_with_room(writer)?;
                }
                Err(error) => return Err(self.ended(writer, &error)),
            }
        }
        Ok(())
    }

    /// Decides what goes wrong in this life.
    fn set_faults(&mut self, life: usize) {
        let span = if life == 0 || self.noise.once_in(3) { 250 } else { 60 };
        let at = self.noise.below(span) as u64;
        self.disk.set_faults(match self.mode {
            Mode::Power => Faults::power_loss(at),
            Mode::Error if self.noise.once_in(2) => Faults::error(at),
            Mode::Error => Faults::sync_error(at / 3),
            Mode::Short => Faults::short(at),
            Mode::Full => Faults::full(self.disk.used() + self.noise.below(40_000)),
            Mode::Damage if self.noise.once_in(2) => Faults::power_loss(at + 40),
            Mode::Damage => Faults::NONE,
        });
    }

    fn options(&self) -> Options {
        // Small segments and groups, so that they follow each other often.
        let (segment_bytes_max, group_bytes_max) = (36 * 1024, 3000);
        Options { segment_bytes_max, group_bytes_max, ..Options::new(MARK) }
    }

    fn open(&mut self) -> Result<Writer<Mutant>, End> {
        let storage = Mutant::new(self.disk.clone(), self.mutation, self.sealing.clone());
        let opened = match open(storage.clone(), self.options()) {
            Err(JournalError::Full { .. }) if self.mode == Mode::Full => {
                self.outcome.full += 1;
                self.disk.set_room(usize::MAX);
                open(storage, self.options())
            }
            opened => opened,
        };
        let damaged = self.damaged.take();
        let Opened { writer, mut records, .. } = match opened {
            Ok(opened) => opened,
            Err(_) if self.disk.has_failed() => return Err(End::Crash),
            Err(JournalError::Damaged { file, offset, .. }) if damaged.is_some() => {
                let (damaged_file, byte) = damaged.unwrap_or_default();
                if file != damaged_file || offset > byte {
                    let story =
                        format!("byte {byte} of {damaged_file} is damaged, not {file} {offset}");
                    return Err(End::Wrong(story));
                }
                self.outcome.refused += 1;
                return Err(End::Refused);
            }
            Err(error) => return Err(End::Wrong(format!("it is not opened: {error}"))),
        };
        let found = match read(&mut records)? {
            Ok(found) => found,
            Err(_) if self.disk.has_failed() => return Err(End::Crash),
            Err(error) => return Err(End::Wrong(format!("it is not read: {error}"))),
        };
        let promise = if damaged.is_some() { Promise::Sealed } else { Promise::Durable };
        let last = writer.last_number();
        self.model.recover(&found, last, promise)?;
        if (writer.closed_epoch(), writer.open_epoch()) != self.model.epochs() {
            return Err(End::Wrong("the epochs are others".to_owned()));
        }
        if writer.generation() <= self.model.generation && self.mutation == Mutation::None {
            return Err(End::Wrong("the generation is not greater".to_owned()));
        }
        self.model.generation = writer.generation();
        self.model.promise(writer.progress())?;
        self.outcome.recoveries += 1;
        Ok(writer)
    }

    /// Does one thing that an owner does.
    fn step(&mut self, writer: &mut Writer<Mutant>) -> Result<Progress, JournalError> {
        match self.noise.below(16) {
            0..=5 => {
                for _ in 0..=self.noise.below(3) {
                    self.append(writer)?;
                }
                Ok(writer.progress())
            }
            6 | 7 => self.close(writer),
            8..=11 => writer.submit(),
            12 => {
                self.now_us += self.noise.below(3_000) as u64;
                writer.tick(self.now_us)
            }
            13 => writer.sync(),
            14 => writer.seal(),
            _ => {
                writer.release(self.model.release(self.noise.below(5)));
                Ok(writer.progress())
            }
        }
    }

    fn append(&mut self, writer: &mut Writer<Mutant>) -> Result<(), JournalError> {
        let next = writer.closed_epoch().map_or(1, |closed| closed + 1);
        let epoch = writer.open_epoch().map_or(next, |(epoch, _)| epoch);
        let content = self.content();
        let (front, back) = content.split_at(content.len() / 3);
        writer.append(NewRecord { kind: 7, epoch, parts: &[front, back] })?;
        self.take(
            writer,
            Taken {
                kind: RecordKind::Data(7),
                epoch,
                generation: writer.generation(),
                content,
                close: None,
            },
        );
        Ok(())
    }

    /// Mostly a few bytes; now and then more than a group, a block or a few blocks.
    fn content(&mut self) -> Vec<u8> {
        let length = match self.noise.below(12) {
            0 => self.noise.below(9_000),
            1..=3 => self.noise.below(1_500),
            _ => self.noise.below(60),
        };
        let words = (0..length.div_ceil(8)).flat_map(|_| self.noise.word().to_le_bytes());
        words.collect::<Vec<u8>>()[..length].to_vec()
    }

    fn close(&mut self, writer: &mut Writer<Mutant>) -> Result<Progress, JournalError> {
        let next = writer.closed_epoch().map_or(1, |closed| closed + 1);
        let (epoch, records) = writer.open_epoch().unwrap_or((next, 0));
        let close = EpochClose { epoch, records, hash: u128::from(self.noise.word()) };
        writer.close_epoch(close)?;
        self.take(
            writer,
            Taken {
                kind: RecordKind::EpochClose,
                epoch,
                generation: writer.generation(),
                content: Vec::new(),
                close: Some(close),
            },
        );
        Ok(writer.progress())
    }

    fn take(&mut self, writer: &Writer<Mutant>, mut taken: Taken) {
        if self.mutation == Mutation::GenerationKept {
            taken.generation = 1;
        }
        self.model.taken.push(taken);
        debug_assert_eq!(self.model.taken.len() as u64, writer.last_number());
    }

    /// A disk that is full keeps what was taken, and takes more when there is room.
    fn go_on_with_room(&mut self, writer: &mut Writer<Mutant>) -> Result<(), End> {
        self.outcome.full += 1;
        let synced = writer.sync().map_err(|error| format!("full, and not synced: {error}"))?;
        self.model.promise(synced)?;
        if synced.durable != writer.last_number() {
            return Err(End::Wrong("full, and not all is durable".to_owned()));
        }
        match writer.seal() {
            Ok(sealed) => self.model.promise(sealed)?,
            Err(JournalError::Full { .. }) => {}
            Err(error) => return Err(End::Wrong(format!("full, and not sealed: {error}"))),
        }
        if self.noise.once_in(2) {
            return Err(End::Crash);
        }
        self.disk.set_room(usize::MAX);
        self.append(writer).map_err(|error| format!("not taken in spite of room: {error}"))?;
        Ok(())
    }

    /// What an error means: the fault of this life, and then nothing more is taken.
    fn ended(&self, writer: &mut Writer<Mutant>, error: &JournalError) -> End {
        if !self.disk.has_failed() {
            return End::Wrong(format!("without a fault: {error}"));
        }
        match writer.sync() {
            Err(JournalError::Poisoned { .. }) => End::Crash,
            other => End::Wrong(format!("after {error}, it is not poisoned: {other:?}")),
        }
    }

    /// The number of the last segment that has a name.
    fn last_segment(&self) -> usize {
        let names = self.disk.file_names();
        let numbers = names.iter().filter_map(|name| name.get(8..18)?.parse().ok());
        numbers.max().unwrap_or(0)
    }

    /// The process ends; the power goes with it or not.
    fn crash(&mut self) {
        self.outcome.crashes += 1;
        self.outcome.durable += self.model.promised_durable();
        self.outcome.segments = self.outcome.segments.max(self.last_segment());
        let stays_on = match self.mode {
            Mode::Power | Mode::Damage => false,
            Mode::Error | Mode::Short | Mode::Full => self.noise.once_in(2),
        };
        self.disk = if stays_on {
            self.disk.after_process_end()
        } else {
            self.disk.after_power_loss(self.noise.word())
        };
        if self.mode == Mode::Damage {
            self.damage();
        }
    }

    /// One place of the disk is damaged: a bit, or a sector that becomes zeros or another one's copy.
    fn damage(&mut self) {
        let names = self.disk.file_names();
        let Some(name) = names.get(self.noise.below(names.len())) else { return };
        let mut bytes = self.disk.bytes(name);
        if bytes.len() < SECTOR_BYTES {
            return;
        }
        let kind = self.noise.below(4);
        let byte = if kind < 2 {
            let bit = self.noise.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            bit / 8
        } else {
            let sectors = bytes.len() / SECTOR_BYTES;
            let to = self.noise.below(sectors) * SECTOR_BYTES;
            let from = self.noise.below(sectors) * SECTOR_BYTES;
            bytes.copy_within(from..from + SECTOR_BYTES, to);
            if kind == 2 {
                bytes[to..to + SECTOR_BYTES].fill(0);
            }
            to
        };
        self.disk.set_bytes(name, bytes);
        self.damaged = Some((name.clone(), byte as u64));
    }
}

/// All records; the outer error is a wrong one.
fn read(records: &mut Records<Mutant>) -> Result<Result<Found, JournalError>, String> {
    let mut found = Found::default();
    loop {
        match records.next() {
            Ok(Some(record)) => found.push(&record)?,
            Ok(None) => return Ok(Ok(found)),
            Err(error) => return Ok(Err(error)),
        }
    }
}
