//! A run: processes of connectors come and go, the engine ends again and again, and at last everything
//! is well and must come out as if nothing had happened.

use super::fault::{CRASHES, Mode};
use super::flaw::Flaw;
use super::outcome::{Outcome, Trace};
use super::process::{Exit, Process};
use super::storage::{Faults, Noise};
use super::truth::{NAMES, SOURCES};
use super::world::{Shared, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// How many facts a source has when nothing goes wrong any more, beyond those it gave.
const REST: u64 = 5;

/// Runs a seed; fails with what was found to be wrong.
pub(crate) fn run(mode: Mode, seed: u64, flaw: Flaw) -> Result<Outcome, String> {
    Run::new(mode, seed, flaw, Trace::new(false)).run()
}

/// The last events of a seed, in words.
pub(crate) fn story(mode: Mode, seed: u64, flaw: Flaw) -> String {
    let mut run = Run::new(mode, seed, flaw, Trace::new(true));
    let _ = run.go();
    run.world.0.borrow().trace.story()
}

struct Run {
    world: Shared,
    noise: Noise,
    alive: Vec<Process>,
    /// The last generation of each source.
    generations: [u64; SOURCES],
}

impl Run {
    fn new(mode: Mode, seed: u64, flaw: Flaw, trace: Trace) -> Self {
        let world = World::new(mode, seed, flaw, trace);
        let world = Shared(Rc::new(RefCell::new(world)));
        Self { world, noise: Noise(!seed), alive: Vec::new(), generations: [0; SOURCES] }
    }

    fn run(mut self) -> Result<Outcome, String> {
        let done = self.go();
        self.alive.drain(..).for_each(Process::kill);
        let mut world = self.world.0.borrow_mut();
        world.machine = None;
        match world.over.take() {
            Some(story) => return Err(story),
            None => done?,
        }
        world.outcome.same = world.truth.same;
        world.outcome.trace = world.trace.digest ^ world.disk.trace();
        Ok(world.outcome)
    }

    fn is_over(&self) -> bool {
        self.world.0.borrow().over.is_some()
    }

    fn go(&mut self) -> Result<(), String> {
        while !self.is_over() && self.world.0.borrow().outcome.crashes < CRASHES {
            self.step();
        }
        self.calm();
        self.finish()
    }

    /// One process does one thing, or time passes.
    fn step(&mut self) {
        let count = self.alive.len();
        match self.noise.below(20) {
            _ if count == 0 => self.start(),
            0 if count < SOURCES * 2 => self.start(),
            1 => {
                let index = self.noise.below(count);
                self.alive.swap_remove(index).kill();
            }
            2 if self.noise.once_in(3) => {
                let index = self.noise.below(count);
                // Whether it could wait to the end is its own affair.
                let _ = self.alive.swap_remove(index).close();
            }
            3..=12 => {
                let facts = 1 + self.noise.below(5) as u64;
                self.with_process(|process| process.give(facts));
            }
            13..=15 => self.with_process(Process::poll),
            16 if self.noise.once_in(3) => self.with_process(Process::wait),
            _ => {
                let us = self.noise.below(5_000) as u64;
                let until_us = self.world.0.borrow().time.us() + us;
                self.world.pass(until_us, |_| false);
            }
        }
    }

    /// Has a process do something; one that has ended is gone.
    fn with_process(&mut self, act: impl FnOnce(&mut Process) -> Result<(), Exit>) {
        let index = self.noise.below(self.alive.len());
        if act(&mut self.alive[index]).is_err() {
            self.alive.swap_remove(index);
        }
    }

    /// Starts a process of some source: mostly of a new generation, now and then one that comes too late.
    fn start(&mut self) {
        let source = self.noise.below(SOURCES);
        let newest = self.generations[source];
        let is_late = newest > 2 && self.noise.once_in(6) && newest.is_multiple_of(2);
        let generation = if is_late { newest - 1 } else { newest / 2 * 2 + 2 };
        // An odd generation is used once: the next is two further.
        self.generations[source] = if is_late { newest + 1 } else { generation };
        if let Ok(process) = Process::start(&self.world, source, generation, &mut self.noise) {
            self.alive.push(process);
        }
    }

    /// Nothing goes wrong any more.
    fn calm(&self) {
        let mut world = self.world.0.borrow_mut();
        world.is_calm = true;
        world.disk.set_faults(Faults::NONE);
        world.kill_at = u64::MAX;
        world.memory.store(0, Ordering::Relaxed);
    }

    /// Each source says the rest; everything must be counted, once.
    fn finish(&mut self) -> Result<(), String> {
        self.alive.drain(..).for_each(Process::kill);
        let mut totals = [0; SOURCES];
        for (source, total) in totals.iter_mut().enumerate() {
            if self.is_over() {
                return Ok(());
            }
            let generation = self.generations[source] / 2 * 2 + 4;
            let started = Process::start(&self.world, source, generation, &mut self.noise);
            let mut process = started.map_err(|exit| format!("{}: {exit:?}", NAMES[source]))?;
            let given = self.world.0.borrow().truth.sources[source].given;
            let rest = given.saturating_sub(process.given()) + REST;
            let done = process.give(rest);
            *total = process.given();
            let done = done.and_then(|()| process.close());
            done.map_err(|exit| format!("{} did not end well: {exit:?}", NAMES[source]))?;
        }
        let mut world = self.world.0.borrow_mut();
        let counts = world.machine.as_ref().map(|machine| machine.counting.counts);
        if counts != Some(totals) && world.over.is_none() {
            world.wrong(format!("{counts:?} count, and {totals:?} were given"));
        }
        Ok(())
    }
}
