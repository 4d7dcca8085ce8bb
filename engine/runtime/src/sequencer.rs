//! Which input belongs to which epoch: one thread decides, everyone follows.
//!
//! Work arrives in one queue, and its order there is the order of the world. An epoch gathers it until
//! it holds enough facts or is old enough, and takes the horizon's move with it. Its records are given
//! to the disk, and the next epoch begins; when they are durable, it goes to the workers whole, and
//! those who sent it are told (`flight.rs`). A full disk holds back what comes (`held.rs`), and so does
//! memory that is nearly used up (`starved.rs`). A journal that fails otherwise ends the engine: what was not written was acknowledged to nobody.

mod work;
mod turn;
mod flight;
mod held;
mod starved;
mod again;

#[cfg(test)]
pub(crate) use turn::Awaits;
pub(crate) use work::{Batch, Desk, Greet, Greeted, Note, Replay, Work};

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::dataflow::EpochInput;
use crate::error::RuntimeError;
use crate::health::Health;
use crate::intake::Intake;
use crate::log::{EpochHash, Log};
use crate::measures::Measures;
use crate::measures::stages::Arrival;
use crate::pace::TotalsPace;
use crate::publisher::{Planned, Progress};
use crate::settings::{Horizon, Settings};
use crate::sources::Sources;
use crossbeam_channel::{Receiver, Sender};
use flight::{Closed, Delivered, Flight};
use held::Held;
use starved::Weight;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_operators::entered::Entered;
use trueup_wire::Credit;
use trueup_wire::record::{ConversationId, SourceRecord};

/// How long a durable epoch waits for another one to vouch for it, in microseconds.
const SEAL_US: u64 = 5_000;
/// How often the disk is looked at while epochs are on their way to it, in microseconds.
const LOOK_US: u64 = 200;

/// What a sequencer works with.
pub(crate) struct Around {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cluster: Cluster,
    pub(crate) planned: Sender<Planned>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) health: Arc<Health>,
    pub(crate) measures: Measures,
    /// Ends when the engine does.
    pub(crate) life: Receiver<Infallible>,
}

/// Gathers work into epochs.
pub(crate) struct Sequencer {
    around: Around,
    /// `None` as long as the journal is read back.
    log: Option<Log>,
    sources: Sources,
    epoch: Epoch,
    horizon: Option<Timestamp>,
    evidence: Timestamp,
    open: EpochInput,
    hash: EpochHash,
    opened_us: Option<u64>,
    /// When the open epoch's first fact came.
    arrival: Option<Arrival>,
    ticked_us: u64,
    totals: TotalsPace,
    synced_us: u64,
    waiting: Vec<Sender<Epoch>>,
    /// The last epoch of which the log says what was published.
    noted: Option<Epoch>,
    delivered: BTreeMap<ConversationId, Delivered>,
    flight: Flight,
    held: Held,
    weight: Weight,
}

impl Sequencer {
    pub(crate) fn new(around: Around) -> Self {
        let step_us = around.settings.totals_step_us;
        Self {
            around,
            log: None,
            sources: Sources::default(),
            epoch: 1,
            horizon: None,
            evidence: Timestamp::MIN,
            open: EpochInput::default(),
            hash: EpochHash::default(),
            opened_us: None,
            arrival: None,
            ticked_us: 0,
            totals: TotalsPace::new(step_us),
            synced_us: 0,
            waiting: Vec::new(),
            noted: None,
            delivered: BTreeMap::new(),
            flight: Flight::default(),
            held: Held::default(),
            weight: Weight::default(),
        }
    }

    /// Takes a piece of work, or holds it if the disk is full.
    fn take(&mut self, work: Work) -> Result<(), RuntimeError> {
        let written = self.write(&work);
        if self.is_held(written)? {
            self.held.keep(work);
            return Ok(());
        }
        match work {
            Work::Product(product, settings) => self.open.settings.push((product, settings)),
            Work::Unresolved(kind, name) => self.open.unresolved.push((kind, name)),
            Work::Facts(facts, received_us) => {
                self.arrive_at(received_us);
                let latest = facts.iter().filter_map(Intake::evidence_of).max();
                self.gather(facts, latest.unwrap_or(Timestamp::MIN));
            }
            Work::Greet(greet) => self.greet(&greet),
            Work::Names(..) => {}
            Work::Batch(batch) => self.batch(batch),
            Work::Close(horizon, reply) => {
                self.waiting.push(reply);
                // Whoever waits for an epoch sees all of it.
                self.totals.ask(self.epoch);
                return self.close(horizon);
            }
            Work::Seal(reply) => return self.seal_for(&reply),
            Work::Release(before) => {
                if let Some(log) = &mut self.log {
                    log.release(before);
                }
                return Ok(());
            }
            Work::Replay(replay) => return self.replay(replay),
        }
        self.opened_us.get_or_insert(self.around.clock.monotonic_us());
        Ok(())
    }

    /// Writes what the log keeps of a piece of work; if the disk is full, it can be tried again.
    fn write(&mut self, work: &Work) -> Result<(), RuntimeError> {
        match work {
            Work::Names(conversation, frame) => {
                let log = self.log.as_mut().filter(|_| !frame.is_empty());
                // An older conversation of its source is of no matter any more.
                if let Some((log, tenant)) = log.zip(self.sources.tenant(*conversation)) {
                    log.names(tenant, self.epoch, *conversation, frame)?;
                }
            }
            Work::Batch(Batch { conversation, frame, .. }) => {
                let log = self.log.as_mut();
                if let Some((log, tenant)) = log.zip(self.sources.tenant(*conversation)) {
                    log.batch(tenant, self.epoch, *conversation, frame)?;
                }
            }
            Work::Greet(greet) => return self.write_greeting(greet),
            Work::Product(..)
            | Work::Unresolved(..)
            | Work::Facts(..)
            | Work::Close(..)
            | Work::Seal(_)
            | Work::Release(_)
            | Work::Replay(_) => {}
        }
        Ok(())
    }

    /// Notes when the first fact of the open epoch came.
    fn arrive_at(&mut self, received_us: u64) {
        let taken_us = self.around.clock.monotonic_us();
        self.arrival.get_or_insert(Arrival { received_us, taken_us });
    }

    /// Adds facts, and what they give evidence of, to the open epoch.
    fn gather(&mut self, facts: Vec<Entered>, evidence: Timestamp) {
        self.evidence = self.evidence.max(evidence);
        if self.open.facts.is_empty() {
            self.open.facts = facts;
        } else {
            self.open.facts.extend(facts);
        }
    }

    /// The generation of a newer process of a source, if one was here.
    fn newer(&self, greet: &Greet) -> Option<u64> {
        let last = self.sources.generation(&greet.tenant, &greet.source);
        last.filter(|last| *last > greet.generation)
    }

    /// Makes everything that an older conversation of a source sent durable, and what begins too.
    ///
    /// It is sealed if a new process begins: what it begins after was sent by others, who may hold it no more,
    /// and an older process that comes again must stay fenced.
    fn write_greeting(&mut self, greet: &Greet) -> Result<(), RuntimeError> {
        if self.newer(greet).is_some() {
            return Ok(());
        }
        if !self.delivered.is_empty() {
            self.close_epoch(None)?;
        }
        let Greet { tenant, source, generation, .. } = greet;
        let conversation = self.sources.next_conversation();
        let generation = *generation;
        let is_same_process = self.sources.generation(tenant, source) == Some(generation);
        let Some(log) = &mut self.log else { return Ok(()) };
        log.source(self.epoch, &SourceRecord { conversation, generation, tenant, source })?;
        let progress = if is_same_process { log.sync()? } else { log.seal()? };
        self.arrive(progress)
    }

    /// Welcomes a connector if no newer process of its source was here.
    fn greet(&mut self, greet: &Greet) {
        let Greet { tenant, source, generation, reply, notes } = greet;
        let greeted = match self.newer(greet) {
            Some(last) => Greeted::Fenced { last },
            None => {
                let conversation = self.sources.next_conversation();
                let begun = self.sources.begin(conversation, tenant, source, *generation);
                // What an earlier conversation was to hear of it may have been lost with that.
                let durable = self.around.health.durable_record();
                self.flight.vouch_for(durable, begun.resume, notes);
                Greeted::Welcome(begun)
            }
        };
        // Whoever went away needs no welcome.
        let _ = reply.send(greeted);
    }

    fn batch(&mut self, batch: Batch) {
        let Batch { conversation, sequence, position, read, cost, received_us, notes, .. } = batch;
        if !self.sources.advance(conversation, sequence, &position) {
            if let Some(notes) = notes {
                // One that is too busy to hear it finds out with its next batch.
                let _ = notes.try_send(Note::Superseded);
            }
            return;
        }
        self.hash.add(read.hash);
        self.arrive_at(received_us);
        self.gather(read.facts, read.evidence);
        if let Some(notes) = notes {
            let entry = Delivered { sequence, freed: Credit::default(), notes };
            let delivered = self.delivered.entry(conversation).or_insert(entry);
            delivered.sequence = sequence;
            delivered.freed = delivered.freed.plus(cost);
        }
    }

    /// Closes the open epoch, or holds it if the disk is full.
    fn close(&mut self, told: Option<Timestamp>) -> Result<(), RuntimeError> {
        let closed = self.close_epoch(told);
        self.is_held(closed)?;
        Ok(())
    }

    /// Closes the open epoch: its records go to the disk, and the next one begins.
    ///
    /// If the disk is full, the next call goes on where this one had to stop.
    fn close_epoch(&mut self, told: Option<Timestamp>) -> Result<(), RuntimeError> {
        if self.log.is_none() {
            return Ok(());
        }
        let now = told.unwrap_or_else(|| match self.around.settings.horizon {
            Horizon::Clock => self.around.clock.now(),
            Horizon::Evidence => self.evidence,
            Horizon::Fixed(at) => at,
        });
        let moved = self.moved_horizon(now);
        let closing = self.held.closing(moved);
        let Some(log) = &mut self.log else { return Ok(()) };
        let link = self.around.progress.link();
        if let Some(link) = link.filter(|link| self.noted.is_none_or(|noted| link.epoch > noted)) {
            log.published(self.epoch, &link)?;
            self.noted = Some(link.epoch);
        }
        if let Some(at) = closing.moved.filter(|_| !closing.is_said) {
            log.horizon(self.epoch, at)?;
            self.held.said();
        }
        let record = log.close(self.epoch, self.hash)?;
        self.held.closed();
        self.around.measures.stages().closed(self.epoch, self.arrival);
        let input = self.begin_next(closing.moved);
        self.flight.push(Closed {
            record,
            input,
            horizon: self.horizon.unwrap_or(Timestamp::MIN),
            delivered: std::mem::take(&mut self.delivered),
            waiting: std::mem::take(&mut self.waiting),
        });
        self.ticked_us = self.around.clock.monotonic_us();
        self.look()
    }

    /// Where the horizon goes, if it moves: it never goes back, for what was evaluated stays so.
    fn moved_horizon(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.horizon.is_none_or(|before| now > before);
        (ahead && now.is_calendar()).then_some(now)
    }

    /// What the open epoch brings; the next one begins.
    fn begin_next(&mut self, moved: Option<Timestamp>) -> EpochInput {
        let mut input = std::mem::take(&mut self.open);
        input.epoch = self.epoch;
        if let Some(now) = moved {
            input.horizon = Some((self.horizon, now));
            self.horizon = Some(now);
        }
        self.hash = EpochHash::default();
        (self.opened_us, self.arrival) = (None, None);
        self.epoch += 1;
        input
    }

    /// Gives an epoch to the workers.
    fn enter(&mut self, mut input: EpochInput, horizon: Timestamp) -> Result<(), RuntimeError> {
        let now = self.around.clock.monotonic_us();
        input.tick = self.totals.take(now, input.epoch, self.around.progress.reached());
        let planned = Planned { epoch: input.epoch, horizon, totals: input.tick };
        self.around.planned.send(planned).map_err(|_| RuntimeError::Stopped)?;
        let cluster = &self.around.cluster;
        cluster.enter(input.shares(cluster.workers()))
    }
}
