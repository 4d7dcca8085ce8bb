//! Beginning with a snapshot: the newest that is good.

use super::{Trouble, utf8};
use crate::chain::Link;
use crate::conversation::Names;
use crate::error::RuntimeError;
use crate::intake::Intake;
use crate::recovery::Target;
use crate::sequencer::{Desk, Replay, Work};
use crate::sources::Sources;
use std::collections::BTreeMap;
use trueup_journal::snapshot::{self, Manifest};
use trueup_journal::{JournalError, Storage};
use trueup_model::id::TenantId;
use trueup_model::position::IssuedPosition;
use trueup_model::time::Timestamp;
use trueup_operators::{Diff, Epoch};
use trueup_wire::record::{self, ConversationId};
use trueup_wire::snapshot::{
    FACTS, HEAD, Head, ISSUED, LEFT_OUT, NAMES, PUBLISHED, SOURCE, SourceState, TALK, TENANT,
    decode_issued,
};

/// The conversations that a snapshot knows.
pub(crate) type Talks = BTreeMap<ConversationId, (TenantId, Names)>;

/// What the rest of the journal continues.
#[derive(Default)]
pub(crate) struct Restored {
    /// The last epoch of the snapshot.
    pub(crate) epoch: Epoch,
    pub(crate) talks: Talks,
    pub(crate) sources: Sources,
    horizon: Option<Timestamp>,
    issued: Vec<IssuedPosition>,
    /// What was published up to then, if it says so.
    link: Option<Link>,
}

/// The good snapshots, newest first; what is damaged is said and left alone.
///
/// # Errors
/// If the storage refuses, a snapshot's key is not there, or no snapshot is good and the journal does not reach back to its beginning.
pub(crate) fn find<S: Storage>(
    storage: &S,
    first_record: u64,
) -> Result<Vec<Manifest>, RuntimeError> {
    let mut good: Vec<Manifest> = Vec::new();
    let mut damage: Option<JournalError> = None;
    for number in snapshot::list(storage)?.into_iter().rev() {
        match snapshot::verify(storage, number) {
            // Without the records after it, it is of no use.
            Ok(manifest) if manifest.through.saturating_add(1) >= first_record => {
                good.push(manifest);
            }
            Ok(_) => {}
            // It is good, for who has the key: an older one would be no answer to that.
            Err(error @ JournalError::Locked { .. }) => return Err(error.into()),
            Err(error) => {
                let told: &dyn std::error::Error = &error;
                tracing::error!(
                    error = told,
                    snapshot = number,
                    "a snapshot cannot be used; the one before it is tried"
                );
                damage.get_or_insert(error);
            }
        }
    }
    if good.is_empty() && first_record > 1 {
        return Err(RuntimeError::Unreachable { first: first_record, source: damage });
    }
    Ok(good)
}

impl Restored {
    /// Enters a snapshot; with its epoch all of it is there.
    pub(crate) fn enter<S: Storage>(
        storage: &S,
        manifest: &Manifest,
        to: &Target<'_>,
    ) -> Result<Self, RuntimeError> {
        let Target { intake, work, .. } = *to;
        let mut restored = Self::default();
        for index in 0..manifest.parts.len() {
            restored.part(storage, manifest, index, intake, work).map_err(
                |trouble| match trouble {
                    Trouble::Journal(error) => RuntimeError::Journal(error),
                    Trouble::Content(problem) => {
                        RuntimeError::Snapshot { snapshot: manifest.number, part: index, problem }
                    }
                },
            )?;
            if index == 0 {
                // It has the head and the link, and no facts: what comes may be published at once.
                to.with_chain(|chain| chain.begin(restored.epoch, restored.link));
            }
        }
        let (reply, entered) = crossbeam_channel::bounded(1);
        let replay = Replay::Restored {
            epoch: restored.epoch,
            horizon: restored.horizon,
            sources: restored.sources.clone(),
            issued: std::mem::take(&mut restored.issued),
            reply,
        };
        work.leave(Work::Replay(replay))?;
        entered.recv().map_err(|_| RuntimeError::Stopped)??;
        Ok(restored)
    }

    fn part<S: Storage>(
        &mut self,
        storage: &S,
        manifest: &Manifest,
        index: usize,
        intake: &Intake,
        work: &dyn Desk,
    ) -> Result<(), Trouble> {
        let mut part = snapshot::part(storage, manifest, index)?;
        let mut tenant = TenantId::default();
        let mut talk: Option<ConversationId> = None;
        let mut names = Names::default();
        while let Some((kind, content)) = part.next()? {
            match kind {
                HEAD => {
                    let head = Head::decode(content).ok_or("its head is cut")?;
                    self.epoch = head.epoch;
                    self.horizon = head.horizon;
                }
                TENANT => {
                    tenant = intake.tenant(utf8(content)?);
                    (talk, names) = (None, Names::default());
                }
                NAMES => {
                    let talk = talk.and_then(|talk| self.talks.get_mut(&talk));
                    let table = talk.map_or(&mut names, |(_, names)| names);
                    define(content, tenant, intake, table)?;
                }
                SOURCE => {
                    let state = SourceState::decode(content).ok_or("a source is cut")?;
                    self.sources.restore(&state);
                }
                TALK => {
                    let (conversation, _) = record::number(content).ok_or("a talk is cut")?;
                    self.talks.insert(conversation, (tenant, Names::default()));
                    talk = Some(conversation);
                }
                ISSUED => self.issued.push(decode_issued(content).ok_or("a figure is cut")?),
                PUBLISHED => self.link = Some(Link::decode(content).ok_or("a link is cut")?),
                LEFT_OUT => intake.leave_out(record::left_out(content).ok_or("a fact is cut")?),
                FACTS => {
                    let (copies, frame) = record::number(content).ok_or("a batch is cut")?;
                    let copies = Diff::try_from(copies).unwrap_or(Diff::MAX);
                    let read =
                        record::with_batch(frame, |batch| names.facts(intake, tenant, batch));
                    let facts = read.map_err(Trouble::Content)?.facts;
                    // The first part has none.
                    let until = if index > 0 { self.epoch } else { 0 };
                    send(work, Replay::Facts(facts, copies, until));
                }
                other => return Err(Trouble::unknown(other)),
            }
        }
        Ok(())
    }
}

fn define(
    frame: &[u8],
    tenant: TenantId,
    intake: &Intake,
    names: &mut Names,
) -> Result<(), Trouble> {
    let defined = record::with_names(frame, |definitions| {
        names.define(intake, tenant, definitions);
        Ok(())
    });
    defined.map_err(Trouble::Content)
}

/// A sequencer that has stopped says so when the epoch is entered.
fn send(work: &dyn Desk, replay: Replay) {
    let _ = work.leave(Work::Replay(replay));
}
