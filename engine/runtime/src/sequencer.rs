//! Which input belongs to which epoch: one thread decides, everyone follows.
//!
//! Work arrives in one queue, and its order there is the order of the world. An epoch gathers it until
//! it holds enough facts or is old enough, and takes the horizon's move with it. Its records are made
//! durable, then it goes to the workers whole, then those who sent it are told. A journal that fails
//! ends the engine: what was not written was acknowledged to nobody.

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::dataflow::EpochInput;
use crate::error::RuntimeError;
use crate::intake::Intake;
use crate::log::{EpochHash, Log};
use crate::pace::TotalsPace;
use crate::publisher::{Planned, Progress};
use crate::record::{ConversationId, SourceRecord};
use crate::settings::{Horizon, Settings};
use crate::sources::{Greeting, Sources};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use trueup_model::id::{Id, NameKind, ProductId};
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_operators::entered::Entered;
use trueup_policy::rules::ProductSettings;
use trueup_wire::Credit;

/// How long a durable epoch waits for another one to vouch for it, in microseconds.
const SEAL_US: u64 = 5_000;

/// Something for the sequencer.
#[derive(Debug)]
pub(crate) enum Work {
    /// A product that is named for the first time.
    Product(ProductId, ProductSettings),
    /// A name that the naming rules could not resolve.
    Unresolved(NameKind, Id),
    /// Facts that nothing but this process knows.
    Facts(Vec<Entered>),
    /// A connector wants to begin.
    Greet(Greet),
    /// Names of a conversation got codes.
    Names(ConversationId, Vec<u8>),
    /// A batch of a conversation.
    Batch(Batch),
    /// Close the epoch now, move the horizon if told to, and say which epoch it was.
    Close(Option<Timestamp>, Sender<Epoch>),
    /// Something that the journal holds from before.
    Replay(Replay),
}

/// Something that the journal holds from before.
#[derive(Debug)]
pub(crate) enum Replay {
    /// A connector was welcomed.
    Source { conversation: ConversationId, tenant: String, source: String, generation: u64 },
    /// An epoch was closed, with this hash, and moved the horizon.
    Close {
        epoch: Epoch,
        hash: EpochHash,
        horizon: Option<Timestamp>,
        reply: Sender<Result<(), RuntimeError>>,
    },
    /// There is no more; from now on the log is written.
    End { log: Log, reply: Sender<Epoch> },
}

/// A connector that wants to begin.
#[derive(Debug)]
pub(crate) struct Greet {
    pub(crate) tenant: String,
    pub(crate) source: String,
    pub(crate) generation: u64,
    pub(crate) reply: Sender<Greeted>,
}

/// What becomes of a connector that wants to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Greeted {
    /// It begins.
    Welcome(Greeting),
    /// A newer process of its source was here.
    Fenced {
        /// The generation of that process.
        last: u64,
    },
}

/// A batch of a conversation, read and checked.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) conversation: ConversationId,
    pub(crate) sequence: u64,
    pub(crate) position: Vec<u8>,
    /// The frame as it came; empty when it is read back from the journal.
    pub(crate) frame: Vec<u8>,
    pub(crate) facts: Vec<Entered>,
    pub(crate) hash: EpochHash,
    pub(crate) cost: Credit,
    /// Who is told; nobody when it is read back.
    pub(crate) notes: Option<Sender<Note>>,
}

/// What a conversation is told of its batches.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// Everything up to a sequence is durable, in this epoch; so much room is free again.
    Durable { sequence: u64, epoch: Epoch, freed: Credit },
    /// Everything up to a sequence is vouched for.
    Sealed { sequence: u64 },
    /// A newer conversation of the source has begun.
    Superseded,
    /// There are bytes to send.
    Flush,
}

/// What the open epoch holds of a conversation.
struct Delivered {
    sequence: u64,
    freed: Credit,
    notes: Sender<Note>,
}

/// What is durable and not yet vouched for.
struct Unsealed {
    record: u64,
    sequence: u64,
    notes: Sender<Note>,
}

/// Gathers work into epochs.
pub(crate) struct Sequencer {
    settings: Settings,
    clock: Arc<dyn Clock>,
    cluster: Cluster,
    planned: Sender<Planned>,
    progress: Arc<Progress>,
    /// `None` as long as the journal is read back.
    log: Option<Log>,
    sources: Sources,
    epoch: Epoch,
    horizon: Option<Timestamp>,
    evidence: Timestamp,
    open: EpochInput,
    hash: EpochHash,
    opened_us: Option<u64>,
    ticked_us: u64,
    totals: TotalsPace,
    synced_us: u64,
    waiting: Vec<Sender<Epoch>>,
    delivered: BTreeMap<ConversationId, Delivered>,
    unsealed: VecDeque<Unsealed>,
}

impl Sequencer {
    pub(crate) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        cluster: Cluster,
        planned: Sender<Planned>,
        progress: Arc<Progress>,
    ) -> Self {
        let step_us = settings.totals_step_us;
        Self {
            settings,
            clock,
            cluster,
            planned,
            progress,
            log: None,
            sources: Sources::default(),
            epoch: 1,
            horizon: None,
            evidence: Timestamp::MIN,
            open: EpochInput::default(),
            hash: EpochHash::default(),
            opened_us: None,
            ticked_us: 0,
            totals: TotalsPace::new(step_us),
            synced_us: 0,
            waiting: Vec::new(),
            delivered: BTreeMap::new(),
            unsealed: VecDeque::new(),
        }
    }

    /// Works until nobody can send work any more, or the journal fails.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        if let Err(error) = self.work(work) {
            tracing::error!(error = &error as &dyn std::error::Error, "the engine stops");
            self.progress.fail(error);
        }
        self.cluster.stop();
    }

    fn work(&mut self, work: &Receiver<Work>) -> Result<(), RuntimeError> {
        loop {
            match work.recv_timeout(self.patience()) {
                Ok(one) => self.take(one)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.log.is_none() {
                continue;
            }
            let now = self.clock.monotonic_us();
            let old = self.opened_us.is_some_and(|at| now >= at + self.settings.epoch_us_max);
            let full = self.open.facts.len() >= self.settings.epoch_facts_max;
            let tick = self.settings.horizon == Horizon::Clock
                && now >= self.ticked_us + self.settings.horizon_step_us;
            let totals = self.totals.lags() && self.totals.is_due(now, self.progress.published());
            if old || full || tick || totals {
                self.close(None)?;
            } else if !self.unsealed.is_empty() && now >= self.synced_us + SEAL_US {
                self.seal()?;
            }
        }
        if self.log.is_some() {
            self.close(None)?;
            self.seal()?;
        }
        Ok(())
    }

    /// How long to wait for work before the epoch, the horizon or the journal wants something.
    fn patience(&self) -> Duration {
        let now = self.clock.monotonic_us();
        let epoch = self.opened_us.map(|at| at + self.settings.epoch_us_max);
        let tick = (self.settings.horizon == Horizon::Clock)
            .then_some(self.ticked_us + self.settings.horizon_step_us);
        let seal = (!self.unsealed.is_empty()).then_some(self.synced_us + SEAL_US);
        let totals = self.totals.next_us(now);
        let next = epoch.into_iter().chain(tick).chain(seal).chain(totals).min();
        let wait = next.map_or(1_000_000, |at| at.saturating_sub(now));
        Duration::from_micros(wait.clamp(100, 1_000_000))
    }

    fn take(&mut self, work: Work) -> Result<(), RuntimeError> {
        match work {
            Work::Product(product, settings) => self.open.settings.push((product, settings)),
            Work::Unresolved(kind, name) => self.open.unresolved.push((kind, name)),
            Work::Facts(facts) => self.gather(facts),
            Work::Greet(greet) => self.greet(&greet)?,
            Work::Names(conversation, frame) => {
                if let Some(log) = self.log.as_mut().filter(|_| !frame.is_empty())
                    && self.sources.is_current(conversation)
                {
                    log.names(self.epoch, conversation, &frame)?;
                }
            }
            Work::Batch(batch) => self.batch(batch)?,
            Work::Close(horizon, reply) => {
                self.waiting.push(reply);
                // Whoever waits for an epoch sees all of it.
                self.totals.ask();
                return self.close(horizon);
            }
            Work::Replay(replay) => return self.replay(replay),
        }
        self.opened_us.get_or_insert(self.clock.monotonic_us());
        Ok(())
    }

    fn gather(&mut self, facts: Vec<Entered>) {
        let latest = facts.iter().filter_map(Intake::evidence_of).max();
        self.evidence = self.evidence.max(latest.unwrap_or(Timestamp::MIN));
        if self.open.facts.is_empty() {
            self.open.facts = facts;
        } else {
            self.open.facts.extend(facts);
        }
    }

    /// Welcomes a connector if no newer process of its source was here.
    ///
    /// Everything that an older conversation of the source sent is durable when this one begins.
    fn greet(&mut self, greet: &Greet) -> Result<(), RuntimeError> {
        let Greet { tenant, source, generation, reply } = greet;
        let last = self.sources.generation(tenant, source);
        if let Some(last) = last.filter(|last| last > generation) {
            let _ = reply.send(Greeted::Fenced { last });
            return Ok(());
        }
        if !self.delivered.is_empty() {
            self.close(None)?;
        }
        let conversation = self.sources.next_conversation();
        let greeting = self.sources.begin(conversation, tenant, source, *generation);
        if let Some(log) = &mut self.log {
            let record = SourceRecord { conversation, generation: *generation, tenant, source };
            log.source(self.epoch, &record)?;
            log.sync()?;
        }
        let _ = reply.send(Greeted::Welcome(greeting));
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<(), RuntimeError> {
        let Batch { conversation, sequence, position, frame, facts, hash, cost, notes } = batch;
        if !self.sources.advance(conversation, sequence, &position) {
            if let Some(notes) = notes {
                // One that is too busy to hear it finds out with its next batch.
                let _ = notes.try_send(Note::Superseded);
            }
            return Ok(());
        }
        if let Some(log) = &mut self.log {
            log.batch(self.epoch, conversation, &frame)?;
        }
        self.hash.0 = self.hash.0.wrapping_add(hash.0);
        self.gather(facts);
        if let Some(notes) = notes {
            let entry = Delivered { sequence, freed: Credit::default(), notes };
            let delivered = self.delivered.entry(conversation).or_insert(entry);
            delivered.sequence = sequence;
            delivered.freed = delivered.freed.plus(cost);
        }
        Ok(())
    }

    /// Closes the open epoch: its records become durable, then the workers get it.
    fn close(&mut self, told: Option<Timestamp>) -> Result<(), RuntimeError> {
        let now = told.unwrap_or_else(|| match self.settings.horizon {
            Horizon::Clock => self.clock.now(),
            Horizon::Evidence => self.evidence,
            Horizon::Fixed(at) => at,
        });
        let moved = self.moved_horizon(now);
        let Some(log) = &mut self.log else { return Ok(()) };
        let progress = log.close(self.epoch, moved, self.hash)?;
        self.enter(moved)?;
        let epoch = self.epoch - 1;
        for (conversation, delivered) in std::mem::take(&mut self.delivered) {
            let Delivered { sequence, freed, ref notes } = delivered;
            // Whoever went away asks again when it comes back; who is busy hears it next time.
            match notes.try_send(Note::Durable { sequence, epoch, freed }) {
                Err(TrySendError::Full(_)) => {
                    self.delivered.insert(conversation, delivered);
                }
                Ok(()) | Err(TrySendError::Disconnected(_)) => {
                    self.unsealed.push_back(Unsealed {
                        record: progress.durable,
                        sequence,
                        notes: delivered.notes,
                    });
                }
            }
        }
        self.tell_sealed(progress.sealed);
        for waiting in self.waiting.drain(..) {
            // Whoever went away does not wait any more.
            let _ = waiting.try_send(epoch);
        }
        self.synced_us = self.clock.monotonic_us();
        self.ticked_us = self.synced_us;
        Ok(())
    }

    /// Where the horizon goes, if it moves: it never goes back, for what was evaluated stays so.
    fn moved_horizon(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.horizon.is_none_or(|before| now > before);
        (ahead && now.is_calendar()).then_some(now)
    }

    /// Gives the open epoch to the workers, and begins the next.
    fn enter(&mut self, moved: Option<Timestamp>) -> Result<(), RuntimeError> {
        let mut input = std::mem::take(&mut self.open);
        input.epoch = self.epoch;
        if let Some(now) = moved {
            input.horizon = Some((self.horizon, now));
            self.horizon = Some(now);
        }
        let horizon = self.horizon.unwrap_or(Timestamp::MIN);
        let now = self.clock.monotonic_us();
        // Read back, every epoch has its totals: which had them is not written down.
        if self.log.is_none() {
            self.totals.ask();
        }
        input.tick = self.totals.take(now, self.epoch, self.progress.published());
        let planned = Planned { epoch: self.epoch, horizon, totals: input.tick };
        self.planned.send(planned).map_err(|_| RuntimeError::Stopped)?;
        self.cluster.enter(shares(input, self.cluster.workers()))?;
        self.hash = EpochHash::default();
        self.opened_us = None;
        self.epoch += 1;
        Ok(())
    }

    /// Vouches for what is durable, with a record of its own.
    fn seal(&mut self) -> Result<(), RuntimeError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let progress = log.seal()?;
        self.synced_us = self.clock.monotonic_us();
        self.tell_sealed(progress.sealed);
        Ok(())
    }

    fn tell_sealed(&mut self, sealed: u64) {
        let mut busy = Vec::new();
        while let Some(first) = self.unsealed.pop_front_if(|first| first.record <= sealed) {
            let told = first.notes.try_send(Note::Sealed { sequence: first.sequence });
            if let Err(TrySendError::Full(_)) = told {
                busy.push(first);
            }
        }
        for one in busy.into_iter().rev() {
            self.unsealed.push_front(one);
        }
    }

    fn replay(&mut self, replay: Replay) -> Result<(), RuntimeError> {
        match replay {
            Replay::Source { conversation, tenant, source, generation } => {
                self.sources.begin(conversation, &tenant, &source, generation);
            }
            Replay::Close { epoch, hash, horizon, reply } => {
                let same = epoch == self.epoch && hash == self.hash;
                let result = if same { self.enter(horizon) } else { Err(self.differs(epoch)) };
                let _ = reply.send(result);
            }
            Replay::End { log, reply } => {
                self.log = Some(log);
                self.synced_us = self.clock.monotonic_us();
                self.ticked_us = self.synced_us;
                // What is left was sent and never acknowledged; it is closed as soon as may be.
                self.opened_us = (!self.open.facts.is_empty()).then_some(self.synced_us);
                let _ = reply.send(self.epoch - 1);
            }
        }
        Ok(())
    }

    fn differs(&self, epoch: Epoch) -> RuntimeError {
        RuntimeError::ReplayDiffers { epoch, expected: self.epoch }
    }
}

/// Cuts an epoch into one share for each worker; small tables enter at the first.
fn shares(input: EpochInput, workers: usize) -> Vec<EpochInput> {
    let mut shares: Vec<EpochInput> =
        (0..workers).map(|_| EpochInput { epoch: input.epoch, ..EpochInput::default() }).collect();
    let mut facts = input.facts;
    let size = facts.len().div_ceil(workers).max(1);
    for share in shares.iter_mut().skip(1).rev() {
        let rest = facts.len().saturating_sub(size);
        share.facts = facts.split_off(rest);
    }
    if let Some(first) = shares.first_mut() {
        first.facts = facts;
        first.settings = input.settings;
        first.unresolved = input.unresolved;
        first.horizon = input.horizon;
        first.tick = input.tick;
    }
    shares
}
