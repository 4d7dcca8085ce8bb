//! Everything around the connectors' processes: engine, disk, network and time, moved on step by step.
//!
//! One seed decides what happens next. A step does one thing: carries some bytes, has a conversation hear
//! or speak, has the sequencer take a turn, publishes an epoch, or lets time pass; now and then something
//! goes wrong.

use super::ear::Ear;
use super::fault::Mode;
use super::flaw::{Flaw, FlawedDisk, keys_of};
use super::machine::{Ended, Machine};
use super::network::Line;
use super::outcome::{Outcome, Trace};
use super::storage::{Disk, Faults, Noise};
use super::time::Time;
use super::truth::Truth;
use crate::error::RuntimeError;
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use trueup_journal::{JournalError, Keys};

/// After how many steps something must have come to an end.
const STEPS_MAX: u64 = 400_000;
/// How many kinds of steps there are.
const KINDS: usize = 7;

/// Everything around the connectors.
pub(crate) struct World {
    pub(crate) mode: Mode,
    pub(crate) flaw: Flaw,
    pub(crate) noise: Noise,
    pub(crate) time: Arc<Time>,
    /// How much memory the engine uses.
    pub(crate) memory: Arc<AtomicU64>,
    pub(crate) disk: Disk,
    /// Every other journal is sealed.
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) lines: Vec<Line>,
    /// The lines that are not over.
    pub(crate) live: Vec<usize>,
    pub(crate) machine: Option<Machine>,
    /// When the engine starts again.
    pub(crate) starts_us: u64,
    pub(crate) truth: Truth,
    pub(crate) outcome: Outcome,
    pub(crate) trace: Trace,
    /// What is not as it must be.
    pub(crate) over: Option<String>,
    /// Nothing goes wrong any more.
    pub(crate) is_calm: bool,
    /// The file that was damaged, and the bit.
    pub(crate) damaged: Option<(String, usize)>,
    /// At which step the process is killed.
    pub(crate) kill_at: u64,
    pub(crate) steps: u64,
}

impl World {
    pub(crate) fn new(mode: Mode, seed: u64, flaw: Flaw, trace: Trace) -> Self {
        let mut world = Self {
            mode,
            flaw,
            noise: Noise(seed),
            time: Arc::default(),
            memory: Arc::default(),
            disk: Disk::seeded(seed, Faults::NONE),
            keys: keys_of(seed),
            lines: Vec::new(),
            live: Vec::new(),
            machine: None,
            starts_us: 0,
            truth: Truth::default(),
            outcome: Outcome::default(),
            trace,
            over: None,
            is_calm: false,
            damaged: None,
            kill_at: u64::MAX,
            steps: 0,
        };
        world.set_faults_of_start();
        world
    }

    /// Ends the run: something is wrong.
    pub(crate) fn wrong(&mut self, story: String) {
        self.over.get_or_insert(story);
    }

    /// Makes a connection, if the engine runs.
    pub(crate) fn connect(&mut self) -> io::Result<usize> {
        if self.over.is_some() {
            // Whoever asks need not try again.
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let Some(machine) = &mut self.machine else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let line = self.lines.len();
        let ear = Ear::new(machine, line, self.time.us());
        machine.ears.push(ear);
        self.lines.push(Line::default());
        self.live.push(line);
        self.trace.note("connect", line as u64, 0);
        Ok(line)
    }

    /// Does one thing; lets time pass up to an instant if there is nothing to do.
    fn step(&mut self, until_us: u64) {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.wrong("it does not come to an end".to_owned());
        }
        if self.machine.is_none() {
            return self.step_without_engine(until_us);
        }
        let passed_us = self.noise.below(60) as u64;
        self.time.pass_to(self.time.us() + passed_us);
        if !self.is_calm {
            self.disturb();
        }
        let first = self.noise.below(KINDS);
        let is_done = (first..first + KINDS).any(|kind| self.act(kind % KINDS));
        if !is_done {
            self.idle(until_us);
        }
        self.look_after_engine();
    }

    /// Lets time pass until the engine is there again.
    fn step_without_engine(&mut self, until_us: u64) {
        if self.time.us() >= self.starts_us {
            return self.start();
        }
        let carried = self.carry_down();
        if !carried {
            self.time.pass_to(self.starts_us.min(until_us.max(self.time.us() + 1)));
        }
    }

    /// Lets time pass until something is due.
    fn idle(&mut self, until_us: u64) {
        let due = self.machine.as_ref().map_or(0, |machine| machine.office.next_turn_us.get());
        self.time.pass_to(due.min(until_us).max(self.time.us() + 1));
        if let Some(machine) = &mut self.machine {
            machine.ears.iter_mut().for_each(Ear::check_silence);
        }
    }

    /// Does a thing of a kind; false if there is nothing of it to do.
    fn act(&mut self, kind: usize) -> bool {
        let now = self.time.us();
        let Some(machine) = &mut self.machine else { return false };
        match kind {
            0 => self.carry_up(),
            1 => self.carry_down(),
            2 => {
                let start = self.noise.below(machine.ears.len());
                let count = machine.ears.len();
                let Some(index) = (start..start + count)
                    .map(|index| index % count)
                    .find(|index| machine.ears[*index].has_bytes())
                    .filter(|_| machine.waiting() < 4)
                else {
                    return false;
                };
                machine.ears[index].hear(&machine.intake, &machine.office);
                self.trace.note("hear", index as u64, machine.waiting() as u64);
                true
            }
            3 => {
                let is_taken = machine.office.take_next();
                if is_taken {
                    self.after_turn();
                }
                is_taken
            }
            4 if now >= machine.office.next_turn_us.get() => {
                machine.turn();
                self.after_turn();
                true
            }
            4 => false,
            5 => self.speak(),
            _ => {
                if machine.computed() == 0 {
                    return false;
                }
                if let Err(story) = machine.publish(&mut self.truth) {
                    self.wrong(story);
                }
                self.trace.note("publish", 0, 0);
                true
            }
        }
    }

    /// Takes note of what a turn of the sequencer brought.
    pub(crate) fn after_turn(&mut self) {
        let Some(machine) = &mut self.machine else { return };
        let looked =
            machine.compute(&mut self.truth).and_then(|()| machine.answer(&mut self.truth));
        let counts = machine.counting.counts;
        self.trace.note("turn", counts[0], counts[1]);
        if let Err(story) = looked {
            self.wrong(story);
        }
    }

    /// Brings some bytes of a connection to the engine.
    fn carry_up(&mut self) -> bool {
        let now = self.time.us();
        let Some(machine) = &mut self.machine else { return false };
        let count = machine.ears.len();
        let start = self.noise.below(count);
        for index in (start..start + count).map(|index| index % count) {
            let ear = &mut machine.ears[index];
            let line = &mut self.lines[ear.line];
            if !line.up.is_empty() {
                let length = self.noise.once_in(3).then(|| 1 + self.noise.below(line.up.len()));
                let length = length.unwrap_or(line.up.len());
                ear.arrive(line.up.drain(..length), now);
                self.trace.note("up", ear.line as u64, length as u64);
                return true;
            }
            if line.is_left && ear.hang_up() {
                self.trace.note("left", ear.line as u64, 0);
                return true;
            }
        }
        false
    }

    /// Brings some bytes of a connection to the connector.
    fn carry_down(&mut self) -> bool {
        let count = self.live.len();
        let start = self.noise.below(count);
        for place in (start..start + count).map(|place| place % count) {
            let index = self.live[place];
            let line = &mut self.lines[index];
            if line.is_over() {
                self.live.swap_remove(place);
                return true;
            }
            if !line.down.is_empty() && !line.is_left {
                let length = self.noise.once_in(3).then(|| 1 + self.noise.below(line.down.len()));
                let length = length.unwrap_or(line.down.len());
                line.bring_down(length);
                self.trace.note("down", index as u64, length as u64);
                return true;
            }
        }
        false
    }

    /// Has the engine say something on a connection.
    fn speak(&mut self) -> bool {
        let Some(machine) = &mut self.machine else { return false };
        let count = machine.ears.len();
        let start = self.noise.below(count);
        for index in (start..start + count).map(|index| index % count) {
            let ear = &mut machine.ears[index];
            if ear.welcome() {
                return true;
            }
            let words_max = 1 + self.noise.below(3);
            match ear.speak(words_max, &mut self.truth) {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) => {
                    self.trace.note("speak", ear.line as u64, bytes.len() as u64);
                    self.lines[ear.line].down.extend(bytes);
                    return true;
                }
                Ok(None) => {
                    self.lines[ear.line].is_ended = true;
                    machine.ears.swap_remove(index);
                    return true;
                }
                Err(story) => {
                    self.wrong(story);
                    return true;
                }
            }
        }
        false
    }

    /// Ends the engine if it has failed, or the power has gone.
    fn look_after_engine(&mut self) {
        let Some(machine) = &self.machine else { return };
        let failure = machine.failure();
        let is_off = self.mode == Mode::Power && self.disk.has_failed();
        if let Some(error) = &failure
            && !self.disk.has_failed()
            && !matches!(error, RuntimeError::Journal(JournalError::Full { .. }))
        {
            self.wrong(format!("the engine ended without a fault: {error}: {error:?}"));
        }
        if failure.is_some() || is_off || self.steps >= self.kill_at {
            self.crash();
        }
    }

    /// Starts the engine, and compares what it has with what was promised.
    fn start(&mut self) {
        let storage =
            FlawedDisk { disk: self.disk.clone(), flaw: self.flaw, keys: self.keys.clone() };
        let is_damaged = self.damaged.is_some();
        let truth = (&mut self.truth, is_damaged);
        match Machine::start(storage, &self.time, &self.memory, truth) {
            Ok((machine, closed)) => {
                let counts = machine.counting.counts;
                self.trace.note("start", closed, counts[0] << 32 | counts[1]);
                self.outcome.recoveries += 1;
                self.outcome.facts += counts.iter().sum::<u64>();
                self.damaged = None;
                if let Err(story) = self.truth.recover(machine.had(), is_damaged) {
                    self.wrong(story);
                }
                self.machine = Some(machine);
                self.set_faults();
            }
            Err(Ended::Wrong(story)) => self.wrong(format!("at a start, {story}")),
            Err(Ended::Failed(_)) if self.disk.has_failed() => self.crash(),
            Err(Ended::Failed(RuntimeError::Journal(JournalError::Full { .. }))) => {
                self.outcome.full += 1;
                self.disk.set_room(usize::MAX);
                self.starts_us = self.time.us() + 1000;
            }
            Err(Ended::Failed(error)) if is_damaged => {
                self.trace.note("refuse", 0, 0);
                self.judge_refusal(&error);
            }
            Err(Ended::Failed(error)) => {
                self.wrong(format!("it does not start: {error}: {error:?}"));
            }
        }
    }

    /// A damaged disk may be refused; once it is repaired, the engine starts with all that it had.
    fn judge_refusal(&mut self, error: &RuntimeError) {
        let is_named = matches!(
            error,
            RuntimeError::Journal(JournalError::Damaged { .. } | JournalError::Missing { .. })
                | RuntimeError::Unreachable { .. }
        );
        self.outcome.refused += 1;
        if !is_named {
            self.wrong(format!("a damaged disk is refused for another reason: {error}: {error:?}"));
        }
        self.repair();
    }
}

/// The world, shared by all connectors.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Rc<RefCell<World>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// The instant after so long.
    pub(crate) fn until_us(&self, wait: Duration) -> u64 {
        self.0.borrow().time.us() + u64::try_from(wait.as_micros()).unwrap()
    }

    /// Moves the world on until something is so, or an instant is over.
    pub(crate) fn pass(&self, until_us: u64, is_so: impl Fn(&World) -> bool) {
        let mut world = self.0.borrow_mut();
        while world.over.is_none() && world.time.us() < until_us && !is_so(&world) {
            world.step(until_us);
        }
        if world.over.is_some() {
            // Nobody waits for anything any more.
            world.time.pass_to(until_us);
        }
    }
}
