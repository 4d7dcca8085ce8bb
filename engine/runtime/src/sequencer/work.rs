//! What the sequencer is told, and what it says in return.

use crate::conversation::ReadBatch;
use crate::error::RuntimeError;
use crate::log::{EpochHash, Log};
use crate::sources::{Greeting, Sources};
use crossbeam_channel::Sender;
use trueup_model::id::{Id, NameKind, ProductId};
use trueup_model::position::IssuedPosition;
use trueup_model::time::Timestamp;
use trueup_operators::entered::Entered;
use trueup_operators::{Diff, Epoch};
use trueup_policy::rules::ProductSettings;
use trueup_wire::Credit;
use trueup_wire::record::ConversationId;

/// Where work for the sequencer is left: its queue, for one.
pub(crate) trait Desk {
    /// Leaves a piece of work there; waits while there is too much.
    ///
    /// # Errors
    /// If the engine has stopped.
    fn leave(&self, work: Work) -> Result<(), RuntimeError>;
}

impl Desk for Sender<Work> {
    fn leave(&self, work: Work) -> Result<(), RuntimeError> {
        self.send(work).map_err(|_| RuntimeError::Stopped)
    }
}

/// Something for the sequencer.
#[derive(Debug)]
pub(crate) enum Work {
    /// A product that is named for the first time.
    Product(ProductId, ProductSettings),
    /// A name that the naming rules could not resolve.
    Unresolved(NameKind, Id),
    /// Facts that nothing but this process knows, and when they were received, in microseconds of the
    /// engine's clock.
    Facts(Vec<Entered>, u64),
    /// A connector wants to begin.
    Greet(Greet),
    /// Names of a conversation got codes.
    Names(ConversationId, Vec<u8>),
    /// A batch of a conversation.
    Batch(Batch),
    /// Close the epoch now, move the horizon if told to, and say which epoch it was.
    Close(Option<Timestamp>, Sender<Epoch>),
    /// Vouch for everything that is durable, and say up to which record that is so.
    Seal(Sender<u64>),
    /// No record before this one is needed any more.
    Release(u64),
    /// Something that the journal holds from before.
    Replay(Replay),
}

/// Something that the journal holds from before.
#[derive(Debug)]
pub(crate) enum Replay {
    /// A connector was welcomed.
    Source { conversation: ConversationId, tenant: String, source: String, generation: u64 },
    /// What sources said, each as often as is said, up to the end of an epoch.
    Facts(Vec<Entered>, Diff, Epoch),
    /// That was all up to the end of an epoch, with its horizon, sources, and what was issued.
    Restored {
        epoch: Epoch,
        horizon: Option<Timestamp>,
        sources: Sources,
        issued: Vec<IssuedPosition>,
        reply: Sender<Result<(), RuntimeError>>,
    },
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
    /// Who is told how much of what is had is vouched for.
    pub(crate) notes: Sender<Note>,
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
    pub(crate) read: ReadBatch,
    pub(crate) cost: Credit,
    /// When it was received, in microseconds of the engine's clock; 0 when it is read back.
    pub(crate) received_us: u64,
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
