//! How groups get to the disk: each is written, then synced, and several are under way at once.

use crate::error::Operation;
use crate::flight::GROUPS_IN_FLIGHT_MAX;
use crate::storage::{Directory, DiskFile, File};
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

/// A group for the disk.
#[derive(Debug)]
pub struct Job<F> {
    /// The number of its frame.
    pub frame: u64,
    /// A handle that no other group uses meanwhile, opened before.
    pub file: F,
    /// Where the group is to stand.
    pub offset: u64,
    /// The blocks of the group.
    pub bytes: Vec<u8>,
}

/// What failed, and what the file system said.
pub type Failure = (Operation, io::Error);

/// A group of which the disk has said whether it has it.
#[derive(Debug)]
pub struct Done<F> {
    /// The group.
    pub job: Job<F>,
    /// Whether it is durable.
    pub result: Result<(), Failure>,
}

impl<F: File> Job<F> {
    /// Writes the group: at once and as a whole, or it has failed.
    ///
    /// # Errors
    /// What the file system says, or that the write ended early.
    pub fn write(&mut self) -> Result<(), Failure> {
        match self.file.write(self.offset, &self.bytes) {
            Ok(written) if written == self.bytes.len() => Ok(()),
            Ok(_) => Err((Operation::Write, io::ErrorKind::WriteZero.into())),
            Err(error) => Err((Operation::Write, error)),
        }
    }

    /// Makes the group durable, once it is written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&mut self) -> Result<(), Failure> {
        self.file.sync().map_err(|error| (Operation::Sync, error))
    }

    /// Writes the group and makes it durable.
    pub fn run(mut self) -> Done<F> {
        let result = self.write().and_then(|()| self.sync());
        Done { job: self, result }
    }
}

/// Carries out jobs, at most [`GROUPS_IN_FLIGHT_MAX`] of them at once.
pub trait Lanes<F> {
    /// Begins a job; does not wait for it.
    fn send(&mut self, job: Job<F>);

    /// One job that is done, in any order. Without `wait` there may be none yet; with it there is none
    /// only if what was sent is lost.
    fn receive(&mut self, wait: bool) -> Option<Done<F>>;
}

/// Lanes that are threads, begun when they are first needed.
///
/// Dropping them waits for what is under way: nothing is written behind the back of the next owner.
#[derive(Debug)]
pub struct Threads {
    /// Held until the threads have ended.
    _directory: Directory,
    lanes: Vec<Lane>,
    /// The lanes that have nothing to do.
    idle: Vec<usize>,
    /// Jobs that were done here, because no thread could be had.
    done_here: VecDeque<Done<DiskFile>>,
    results: Receiver<(usize, Done<DiskFile>)>,
    sender: SyncSender<(usize, Done<DiskFile>)>,
}

/// A thread that carries out one job after the other.
#[derive(Debug)]
struct Lane {
    /// `None` when it has to end.
    jobs: Option<SyncSender<Job<DiskFile>>>,
    thread: Option<JoinHandle<()>>,
}

impl Threads {
    /// Lanes to files of a directory, which is not given up before they have ended.
    pub(crate) fn new(directory: Directory) -> Self {
        let (sender, results) = sync_channel(GROUPS_IN_FLIGHT_MAX);
        Self {
            _directory: directory,
            lanes: Vec::new(),
            idle: Vec::new(),
            done_here: VecDeque::new(),
            results,
            sender,
        }
    }

    /// A lane that has nothing to do; `None` if there can be no more.
    fn idle_lane(&mut self) -> Option<usize> {
        if let Some(lane) = self.idle.pop() {
            return Some(lane);
        }
        let index = self.lanes.len();
        if index >= GROUPS_IN_FLIGHT_MAX {
            return None;
        }
        let (jobs, queue) = sync_channel::<Job<DiskFile>>(1);
        let results = self.sender.clone();
        let work = move || {
            for job in queue {
                // Whoever dropped the lanes does not wait for the result.
                let _ = results.send((index, job.run()));
            }
        };
        let thread = std::thread::Builder::new().name(format!("journal-{index}")).spawn(work);
        let thread = thread.ok()?;
        self.lanes.push(Lane { jobs: Some(jobs), thread: Some(thread) });
        Some(index)
    }
}

impl Lanes<DiskFile> for Threads {
    fn send(&mut self, job: Job<DiskFile>) {
        let lane = self.idle_lane().and_then(|index| self.lanes.get(index));
        let Some(jobs) = lane.and_then(|lane| lane.jobs.as_ref()) else {
            self.done_here.push_back(job.run());
            return;
        };
        if let Err(returned) = jobs.send(job) {
            self.done_here.push_back(returned.0.run());
        }
    }

    fn receive(&mut self, wait: bool) -> Option<Done<DiskFile>> {
        if let Some(done) = self.done_here.pop_front() {
            return Some(done);
        }
        let received = if wait {
            self.results.recv().map_err(TryRecvError::from)
        } else {
            self.results.try_recv()
        };
        let (index, done) = received.ok()?;
        self.idle.push(index);
        Some(done)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for lane in &mut self.lanes {
            lane.jobs = None;
        }
        for lane in &mut self.lanes {
            if let Some(thread) = lane.thread.take() {
                // A lane that ended otherwise has nothing under way either.
                let _ = thread.join();
            }
        }
    }
}
