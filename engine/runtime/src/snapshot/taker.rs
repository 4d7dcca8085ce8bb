//! The thread that takes snapshots: when so much was written, or so long ago, or when asked.
//!
//! Two are kept. The journal is let go of up to the older one, so that damage of the newest costs a
//! longer start and nothing else. What is evidence stays besides (`keeping.rs`). A snapshot that cannot be written, on a full disk for one, is tried
//! again later; the engine does not depend on it.

use super::Trouble;
use super::fold::Fold;
use super::keeping::Keeping;
use super::shard::{SHARDS, Shard};
use super::tables::Tables;
use crate::clock::Clock;
use crate::health::Health;
use crate::publisher::Progress;
use crate::sequencer::{Desk, Work};
use crate::settings::SnapshotPace;
use crate::view::Views;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use trueup_journal::snapshot::{self, Manifest, SnapshotWriter};
use trueup_journal::{Records, Storage};
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after a failure, in microseconds.
const RETRY_US: u64 = 60_000_000;

/// What someone who asks for a snapshot is told: its epoch, or why there is none.
pub(crate) type Answer = Result<Epoch, String>;

/// Takes snapshots.
pub(crate) struct Taker<S, D> {
    pub(crate) storage: S,
    pub(crate) views: Arc<RwLock<Views>>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) work: D,
    pub(crate) progress: Arc<Progress>,
    pub(crate) life: Receiver<Infallible>,
    pub(crate) pace: Option<SnapshotPace>,
    /// After twice so long what was withdrawn is forgotten; `None` for never.
    pub(crate) retention_us: Option<i64>,
    pub(crate) keeping: Keeping,
}

impl<S: Storage + Clone + Debug, D: Desk> Taker<S, D> {
    /// Takes snapshots until the engine ends.
    pub(crate) fn run(mut self, asked: &Receiver<Sender<Answer>>) {
        let (mut at_us, mut at_bytes) = (self.clock.monotonic_us(), 0);
        let mut not_before_us = 0;
        loop {
            let reply = match asked.recv_timeout(LOOK) {
                Ok(reply) => Some(reply),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (now, bytes) = (self.clock.monotonic_us(), self.health.journal_bytes());
            let due = self.pace.is_some_and(|pace| {
                let written = bytes.saturating_sub(at_bytes);
                let old = now.saturating_sub(at_us) >= pace.interval_us;
                now >= not_before_us && (written >= pace.journal_bytes || written > 0 && old)
            });
            if !due && reply.is_none() {
                continue;
            }
            let taken = self.take();
            match &taken {
                Ok(_) => (at_us, at_bytes) = (now, bytes),
                Err(error) => {
                    not_before_us = now.saturating_add(RETRY_US);
                    let told: &dyn std::error::Error = error;
                    tracing::warn!(error = told, "no snapshot was taken; it is tried again later");
                }
            }
            if let Some(reply) = reply {
                // Whoever went away does not wait any more.
                let _ = reply.send(taken.map_err(|error| error.to_string()));
            }
        }
    }

    /// Takes a snapshot of what is published, unless the newest one is of the same epoch.
    pub(crate) fn take(&mut self) -> Result<Epoch, Trouble> {
        let (link, issued) = {
            let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
            (views.link, views.issued.values().copied().collect::<Vec<_>>())
        };
        let epoch = link.epoch;
        if self.keeping.newest().is_some_and(|newest| newest.number == epoch) {
            return Ok(epoch);
        }
        let sealed = self.seal()?;
        let mut fold = Fold::new(match self.keeping.newest() {
            Some(before) => Tables::read(snapshot::part(&self.storage, before, 0)?)?,
            None => Tables::default(),
        });
        let records = Records::open(self.storage.clone())?.up_to(sealed);
        if !fold.run(records, epoch)? {
            return Err(Trouble::Content(format!("the journal does not close epoch {epoch}")));
        }
        let Fold { mut tables, shards, .. } = fold;
        let forgotten = self.forgotten(tables.horizon);
        let mut writer = SnapshotWriter::begin(self.storage.clone(), epoch, tables.through)?;
        tables.write(&link, &issued, &mut writer)?;
        for (index, rows) in shards.into_iter().enumerate() {
            if self.life.try_recv() == Err(TryRecvError::Disconnected) {
                return Err(Trouble::from("the engine ends"));
            }
            let mut shard = Shard::default();
            if let Some(before) = self.keeping.newest() {
                if before.parts.len() != SHARDS + 1 {
                    return Err(Trouble::from("the snapshot before has another number of parts"));
                }
                shard.read(snapshot::part(&self.storage, before, index + 1)?, &mut tables.texts)?;
            }
            for row in rows {
                shard.add(row);
            }
            if let Some(before) = forgotten {
                shard.forget(before);
            }
            shard.write(&tables.texts, &mut writer)?;
        }
        let manifest = writer.finish()?;
        tracing::info!(epoch, bytes = manifest.bytes(), records = manifest.through, "snapshot");
        self.keep(manifest)?;
        Ok(epoch)
    }

    /// Before when everything must have come of what was withdrawn and is forgotten.
    fn forgotten(&self, horizon: Option<Timestamp>) -> Option<Timestamp> {
        let (horizon, retention_us) = (horizon?, self.retention_us?);
        Some(horizon.plus_us(retention_us.saturating_mul(-2)))
    }

    /// Lets go of older snapshots, and of what the older of the two that stay holds of the journal.
    fn keep(&mut self, newest: Manifest) -> Result<(), Trouble> {
        let before = self.keeping.add(newest);
        for number in snapshot::list(&self.storage)? {
            if !self.keeping.keeps(number) {
                snapshot::remove(&self.storage, number)?;
            }
        }
        if let Some(before) = before {
            // An engine that has stopped lets go of it when it starts.
            let _ = self.work.leave(Work::Release(before));
        }
        Ok(())
    }

    /// Has everything vouched for; gives the last record of which that is so.
    fn seal(&self) -> Result<u64, Trouble> {
        let (reply, sealed) = bounded(1);
        let ended = || Trouble::from("the engine ends");
        self.work.leave(Work::Seal(reply)).map_err(|_| ended())?;
        loop {
            match sealed.recv_timeout(LOOK) {
                Ok(sealed) => return Ok(sealed),
                Err(RecvTimeoutError::Timeout)
                    if self.life.try_recv() != Err(TryRecvError::Disconnected)
                        && !self.progress.has_ended() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(ended());
                }
            }
        }
    }
}
