//! Groups on their way to the disk: a few at a time, acknowledged in their order.
//!
//! Each group in flight has a handle of the file of its own, opened before it is written: a file
//! system tells each handle once of what it could not write, so a handle that is shared would tell
//! one group and leave the other in the belief that it is durable.

use crate::error::{JournalError, Operation};
use crate::lanes::{Done, Job, Lanes as _};
use crate::storage::Storage;
use std::collections::VecDeque;

/// How many groups are on their way at once.
pub const GROUPS_IN_FLIGHT_MAX: usize = 4;

/// A frame, and the last record that it or a frame before it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) frame: u64,
    pub(crate) record: u64,
}

/// A group that was given to the disk.
#[derive(Clone, Copy, Debug)]
struct Sent {
    point: Point,
    /// What was durable when its frame was made, so that it vouches for that.
    seals: Point,
    is_done: bool,
}

/// Groups on their way to the disk.
#[derive(Debug)]
pub(crate) struct Flight<S: Storage> {
    lanes: S::Lanes,
    /// Those of which, or of one before which, nothing is known yet; in order.
    sent: VecDeque<Sent>,
    /// Handles of the segment that no group uses.
    files: Vec<S::File>,
    buffers: Vec<Vec<u8>>,
    pub(crate) durable: Point,
    pub(crate) sealed: Point,
}

impl<S: Storage> Flight<S> {
    pub(crate) fn new(lanes: S::Lanes, durable: Point) -> Self {
        let (sent, files, buffers) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { lanes, sent, files, buffers, durable, sealed: Point::default() }
    }

    /// A handle of the segment that no group uses.
    pub(crate) fn take_file(&mut self) -> Option<S::File> {
        self.files.pop()
    }

    /// A buffer that no group uses.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Uses another file from now on, whose beginning vouches for all that is durable. Nothing is on
    /// its way.
    pub(crate) fn change_file(&mut self, file: S::File) {
        debug_assert!(self.sent.is_empty(), "groups are on their way to the segment before");
        self.files.clear();
        self.files.push(file);
        self.sealed = self.durable;
    }

    /// Gives a group to the disk. `point` is where the journal is then.
    pub(crate) fn send(&mut self, job: Job<S::File>, point: Point) {
        self.sent.push_back(Sent { point, seals: self.durable, is_done: false });
        self.lanes.send(job);
    }

    /// Waits until one more group may be sent.
    ///
    /// # Errors
    /// If a group could not be made durable.
    pub(crate) fn make_way(&mut self, name: &str) -> Result<(), JournalError> {
        while self.sent.len() >= GROUPS_IN_FLIGHT_MAX {
            self.collect(name, true)?;
        }
        Ok(())
    }

    /// Waits until everything that was sent is durable.
    ///
    /// # Errors
    /// If a group could not be made durable.
    pub(crate) fn drain(&mut self, name: &str) -> Result<(), JournalError> {
        while !self.sent.is_empty() {
            self.collect(name, true)?;
        }
        Ok(())
    }

    /// Takes note of a group that is done; false if there is none. `name` is the file, for errors.
    ///
    /// # Errors
    /// If a group could not be made durable.
    pub(crate) fn collect(&mut self, name: &str, wait: bool) -> Result<bool, JournalError> {
        if self.sent.is_empty() {
            return Ok(false);
        }
        let Some(Done { job, result }) = self.lanes.receive(wait) else {
            if wait {
                // Whoever had the group is gone, and nobody knows what became of it.
                let gone = std::io::ErrorKind::BrokenPipe.into();
                return Err(JournalError::storage(Operation::Sync, name)(gone));
            }
            return Ok(false);
        };
        result.map_err(|(operation, error)| JournalError::storage(operation, name)(error))?;
        let Job { frame, file, bytes, .. } = job;
        self.files.push(file);
        self.buffers.push(bytes);
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.point.frame == frame) {
            sent.is_done = true;
        }
        // Only what has everything before it on the disk is durable.
        while let Some(first) = self.sent.pop_front_if(|first| first.is_done) {
            self.durable = first.point;
            self.sealed = first.seals;
        }
        Ok(true)
    }
}
