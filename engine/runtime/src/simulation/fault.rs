//! What goes wrong in a run besides the network, and when.

use super::machine::{MEMORY, Machine};
use super::network::Line;
use super::storage::{Faults, Noise};
use super::world::World;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// What goes wrong in a run besides the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The power goes at any operation of the disk.
    Power,
    /// The process is killed at any step.
    Kill,
    /// The device fails once.
    Error,
    /// A write ends early.
    Short,
    /// The disk is full, and has room again.
    Full,
    /// The power goes, and one place of the disk is damaged when it comes back.
    Damage,
}

impl Mode {
    pub(crate) const ALL: [Self; 6] =
        [Self::Power, Self::Kill, Self::Error, Self::Short, Self::Full, Self::Damage];
}

/// In how many steps something goes wrong once.
const FAULT_ONCE_IN: usize = 40;
/// How often the engine ends before everything is well.
pub(crate) const CRASHES: usize = 16;
/// Within how many operations of the disk something goes wrong while the engine starts, and while it runs.
const START_OPERATIONS: usize = 120;
const OPERATIONS: usize = 40;
/// Within how many steps the engine is killed.
const STEPS: usize = 150;
/// After how many steps it ends in any case.
const STEPS_MAX: u64 = 300;
/// How far the wall clock is set, in microseconds.
const WALL_US_MAX: usize = 7_200_000_000;

impl World {
    /// Decides what goes wrong while the engine starts: mostly nothing.
    pub(crate) fn set_faults_of_start(&mut self) {
        let is_spared = self.is_calm || self.outcome.crashes >= CRASHES || !self.noise.once_in(3);
        let faults = if is_spared { Faults::NONE } else { self.faults(START_OPERATIONS) };
        self.disk.set_faults(faults);
        self.kill_at = u64::MAX;
    }

    /// Decides what goes wrong until the engine ends the next time.
    pub(crate) fn set_faults(&mut self) {
        if self.is_calm || self.outcome.crashes >= CRASHES {
            self.kill_at = u64::MAX;
            return self.disk.set_faults(Faults::NONE);
        }
        // Now and then late enough for a whole snapshot.
        let operations = if self.noise.once_in(4) { OPERATIONS * 6 } else { OPERATIONS };
        let faults = self.faults(operations);
        self.disk.set_faults(faults);
        // A fault that is not met, or that the engine lives on after, ends nothing.
        let steps = match self.mode {
            Mode::Kill | Mode::Damage => self.noise.below(STEPS) as u64,
            Mode::Power | Mode::Error | Mode::Short | Mode::Full => STEPS_MAX,
        };
        self.kill_at = self.steps + 1 + steps;
    }

    /// What goes wrong within so many operations of the disk.
    fn faults(&mut self, operations: usize) -> Faults {
        let at = self.noise.below(operations) as u64;
        match self.mode {
            Mode::Power => Faults::power_loss(at),
            Mode::Error if self.noise.once_in(2) => Faults::error(at),
            Mode::Error => Faults::sync_error(at / 3),
            Mode::Short => Faults::short(at),
            Mode::Full => Faults::full(self.disk.used() + self.noise.below(40_000)),
            Mode::Kill | Mode::Damage => Faults::NONE,
        }
    }

    /// The engine's process ends; the power goes with it or not.
    pub(crate) fn crash(&mut self) {
        self.machine = None;
        for line in &mut self.lines {
            if !line.is_ended {
                let kept = self.noise.below(line.down.len() + 1);
                line.cut(kept);
            }
        }
        let stays_on = match self.mode {
            Mode::Power | Mode::Damage => false,
            Mode::Kill => true,
            Mode::Error | Mode::Short | Mode::Full => self.noise.once_in(2),
        };
        self.disk = if stays_on {
            self.disk.after_process_end()
        } else {
            self.disk.after_power_loss(self.noise.word())
        };
        if self.mode == Mode::Damage && !self.is_calm {
            self.damage();
        }
        self.outcome.crashes += 1;
        self.trace.note("crash", u64::from(stays_on), self.disk.trace());
        self.starts_us = self.time.us() + self.noise.below(300_000) as u64;
        self.set_faults_of_start();
    }

    /// One bit of the disk is turned.
    fn damage(&mut self) {
        let names = self.disk.file_names();
        let Some(name) = names.get(self.noise.below(names.len())) else { return };
        let bits = self.disk.bytes(name).len() * 8;
        if bits > 0 {
            let bit = self.noise.below(bits);
            self.disk.flip(name, bit);
            self.damaged = Some((name.clone(), bit));
        }
    }

    /// The bit is turned back.
    pub(crate) fn repair(&mut self) {
        if let Some((name, bit)) = self.damaged.take() {
            self.disk.flip(&name, bit);
        }
    }

    /// Now and then something happens that nobody asked for.
    pub(crate) fn disturb(&mut self) {
        if !self.noise.once_in(FAULT_ONCE_IN) {
            return;
        }
        match self.noise.below(8) {
            0 => {
                let by_us = i64::try_from(self.noise.below(WALL_US_MAX)).unwrap();
                let by_us = if self.noise.once_in(2) { by_us } else { -by_us };
                self.time.set_wall(by_us);
            }
            1 => self.with_line(|line, _| line.is_broken = true),
            2 => self.with_line(|line, noise| turn_a_bit(&mut line.up, noise)),
            3 => self.with_line(|line, noise| turn_a_bit(&mut line.down, noise)),
            4 if self.mode == Mode::Full => self.disk.set_room(usize::MAX),
            5 => {
                let us = self.time.us() + self.noise.below(20_000) as u64;
                self.time.pass_to(us);
            }
            6 => {
                let taken = self.machine.as_mut().is_some_and(Machine::take_snapshot);
                self.outcome.snapshots += usize::from(taken);
                self.trace.note("snapshot", u64::from(taken), 0);
                self.after_turn();
            }
            7 => {
                let used = [0, MEMORY * 85 / 100, MEMORY][self.noise.below(3)];
                self.memory.store(used, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Does something to a line that still matters.
    fn with_line(&mut self, act: impl FnOnce(&mut Line, &mut Noise)) {
        let Some(index) = self.live.get(self.noise.below(self.live.len())) else { return };
        act(&mut self.lines[*index], &mut self.noise);
    }
}

fn turn_a_bit(bytes: &mut VecDeque<u8>, noise: &mut Noise) {
    let length = bytes.len();
    if length > 0 {
        bytes[noise.below(length)] ^= 1 << noise.below(8);
    }
}
