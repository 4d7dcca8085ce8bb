//! True sessions: who really held what, from what people wanted and what the daemon could give.
//!
//! [`simulate`] runs the wishes of people through one daemon in the order of time: it grants while
//! the license file allows, refuses, queues and returns as a license server does, and loses what is
//! open when the daemon dies. What comes out is the truth that logs are written from and that right
//! answers are computed from; neither is ever read back from the other.

pub mod habit;
mod floor;

use crate::population::{MachineIndex, PersonIndex, Population};
use crate::random::Random;
use crate::server::{FeatureIndex, Server};
use crate::traps::Traps;
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionKind, SessionReason};

/// What someone wants of a daemon.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When they ask.
    pub at: Timestamp,
    /// Who.
    pub person: PersonIndex,
    /// On which machine.
    pub machine: MachineIndex,
    /// What and how many, all or nothing: the first is charged, the others come with it.
    pub wants: Vec<(FeatureIndex, u32)>,
    /// For how long, in seconds; at least 1.
    pub hold_seconds: u64,
    /// Whether the server takes it back because the client is idle.
    pub idle: bool,
    /// What is asked for in the same second if the first is refused.
    pub otherwise: Option<FeatureIndex>,
    /// A feature that is asked for three seconds earlier, and not served then.
    pub unsupported: Option<String>,
    /// After how many seconds a refused client asks again, each time.
    pub retries_seconds: Vec<u64>,
    /// For how many seconds a client waits in the queue instead of being refused.
    pub patience_seconds: Option<u64>,
    /// The project that the client names.
    pub project: Option<String>,
}

impl Plan {
    /// A plan for one license of one feature.
    pub fn one(
        at: Timestamp,
        holder: (PersonIndex, MachineIndex),
        feature: FeatureIndex,
        hold_seconds: u64,
    ) -> Self {
        Self {
            at,
            person: holder.0,
            machine: holder.1,
            wants: vec![(feature, 1)],
            hold_seconds: hold_seconds.max(1),
            idle: false,
            otherwise: None,
            unsupported: None,
            retries_seconds: Vec::new(),
            patience_seconds: None,
            project: None,
        }
    }
}

/// Who is behind a line of a log, and how the line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Who.
    pub person: PersonIndex,
    /// On which machine.
    pub machine: MachineIndex,
    /// Which spelling of the person's name.
    pub person_spelling: usize,
    /// Which spelling of the machine's name.
    pub machine_spelling: usize,
}

impl Holder {
    /// Whether both are one person on one machine, however spelled.
    pub fn is_same(&self, other: &Self) -> bool {
        self.person == other.person && self.machine == other.machine
    }
}

/// How a checkout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was returned.
    Returned {
        /// When.
        at: Timestamp,
        /// Why.
        reason: SessionReason,
    },
    /// It ended when its daemon died, which no line says.
    Lost {
        /// When it really ended.
        at: Timestamp,
        /// When the daemon started again.
        back: Timestamp,
    },
    /// It had not ended when the log did.
    Open,
}

/// A checkout that a daemon granted.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The feature.
    pub feature: FeatureIndex,
    /// Who, where.
    pub holder: Holder,
    /// How many licenses.
    pub count: u32,
    /// When.
    pub opened: Timestamp,
    /// How it ended.
    pub end: End,
    /// The daemon's number of it.
    pub handle: u64,
    /// Checkout data that the client sent along.
    pub data: Option<String>,
    /// The project.
    pub project: Option<String>,
}

/// One line with which a daemon refuses a feature.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// Who, where.
    pub holder: Holder,
    /// The feature, by name: the daemon may not serve it.
    pub feature: String,
    /// A denial, or a feature that is not served.
    pub kind: SessionKind,
    /// Why.
    pub why: Why,
}

/// Why a daemon refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Every license is in use.
    AllInUse,
    /// Others wait.
    UsersQueued,
    /// The license has ended.
    Expired,
    /// The daemon does not know the feature.
    NoSuchFeature,
}

impl Why {
    /// The reason in the model's words.
    pub fn reason(self) -> SessionReason {
        match self {
            Self::AllInUse => SessionReason::AllInUse,
            Self::UsersQueued => SessionReason::UsersQueued,
            Self::Expired => SessionReason::Other,
            Self::NoSuchFeature => SessionReason::NoSuchFeature,
        }
    }
}

/// A wait in the queue of a feature.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The feature.
    pub feature: FeatureIndex,
    /// Who, where.
    pub holder: Holder,
    /// Since when.
    pub from: Timestamp,
    /// Until when; the next start if the daemon died, `None` if it lasted to the end of the log.
    pub until: Option<Timestamp>,
    /// Whether it ended with a checkout.
    pub served: bool,
}

/// What a line of a log says, by the place of its subject in a [`History`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// A checkout was granted.
    Out(usize),
    /// It was returned.
    In(usize),
    /// Everything that the holder of this checkout had of its feature was returned at a shutdown.
    ShutdownIn(usize),
    /// A refusal.
    Refused(usize),
    /// A wait began.
    Queued(usize),
    /// A wait ended.
    Dequeued(usize),
}

/// Everything that happened between people and one daemon.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Granted checkouts.
    pub checkouts: Vec<Checkout>,
    /// Refusals.
    pub refusals: Vec<Refusal>,
    /// Waits.
    pub waits: Vec<Wait>,
    /// What the daemon writes, in the order in which it happens.
    pub said: Vec<(Timestamp, Said)>,
}

/// Runs plans through one daemon of a server.
///
/// Plans need no order. What is asked while the daemon is down, or outside of the server's window,
/// reaches no one and leaves no trace. The result depends on the arguments alone.
pub fn simulate(
    server: &Server,
    daemon_index: usize,
    plans: &[Plan],
    population: &Population,
    random: &mut Random,
    traps: &mut Traps,
) -> History {
    floor::Floor::new(server, daemon_index, population, random, traps).run(plans)
}

#[cfg(test)]
mod tests;
