//! Groups on their way to the simulated disk, in an order that a seed decides.
//!
//! Each job is written, then synced, then reported: three steps, and those of different jobs come in
//! any order. Nothing happens but when the writer waits or asks, so a seed replays exactly.

use super::noise::Noise;
use trueup_journal::lanes::{Done, Job};
use trueup_journal::{File, Lanes};

/// Lanes that carry out steps of jobs by a seed.
#[derive(Debug)]
pub(crate) struct SteppedLanes<F> {
    noise: Noise,
    begun: Vec<Job<F>>,
    written: Vec<Job<F>>,
    done: Vec<Done<F>>,
}

impl<F: File> SteppedLanes<F> {
    pub(crate) fn new(noise: Noise) -> Self {
        Self { noise, begun: Vec::new(), written: Vec::new(), done: Vec::new() }
    }

    /// Carries out one step of a job, or reports one that is done.
    fn step(&mut self) -> Option<Done<F>> {
        let all = self.begun.len() + self.written.len() + self.done.len();
        let chosen = self.noise.below(all);
        if chosen < self.done.len() {
            return Some(self.done.swap_remove(chosen));
        }
        let chosen = chosen - self.done.len();
        if chosen < self.written.len() {
            let mut job = self.written.swap_remove(chosen);
            let result = job.sync();
            self.done.push(Done { job, result });
            return None;
        }
        let mut job = self.begun.swap_remove(chosen - self.written.len());
        match job.write() {
            Ok(()) => self.written.push(job),
            failed @ Err(_) => self.done.push(Done { job, result: failed }),
        }
        None
    }

    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.written.is_empty() && self.done.is_empty()
    }
}

impl<F: File> Lanes<F> for SteppedLanes<F> {
    fn send(&mut self, job: Job<F>) {
        self.begun.push(job);
    }

    fn receive(&mut self, wait: bool) -> Option<Done<F>> {
        while !self.is_empty() && (wait || !self.noise.once_in(3)) {
            if let Some(done) = self.step() {
                return Some(done);
            }
        }
        None
    }
}
