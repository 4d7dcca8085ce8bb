//! What a license server answers when it is asked: pools, holders, reservations and daemons.
//!
//! An answer is a claim about one instant, beside the log's claim and the license file's. The three
//! are kept apart and compared, because their disagreement is what someone must look at. A failed
//! answer is `Unknown`, never zero.

use crate::id::NameKind;
use crate::quantity::Capacity;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one feature of one daemon, as the server reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObservedPool<N> {
    /// The instant of the report.
    pub at: Timestamp,
    /// The daemon.
    pub server: N,
    /// The feature.
    pub product: N,
    /// Licenses issued; `Unknown` if the server could not say.
    pub issued: Capacity,
    /// "Licenses in use" as reported: checkouts and idle reservations together.
    pub reported_in_use: Option<u32>,
}

impl<N> ObservedPool<N> {
    /// The same pool with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<ObservedPool<M>, E> {
        Ok(ObservedPool {
            at: self.at,
            server: f(NameKind::Server, self.server)?,
            product: f(NameKind::Product, self.product)?,
            issued: self.issued,
            reported_in_use: self.reported_in_use,
        })
    }
}

/// One holder, or one client in the queue, that the server reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObservedSession<N> {
    /// The instant of the report.
    pub at: Timestamp,
    /// The daemon.
    pub server: N,
    /// The feature.
    pub product: N,
    /// The version block that it stands in: pools of one feature differ by it.
    pub pool: Option<N>,
    /// Who.
    pub user: N,
    /// On which machine.
    pub device: N,
    /// On which display, if told apart.
    pub display: Option<N>,
    /// Since when, if stated.
    pub start: Option<Timestamp>,
    /// How many licenses.
    pub count: u32,
    /// The server's number of the checkout.
    pub handle: Option<u64>,
    /// The client's process, if stated.
    pub process: Option<u32>,
    /// Seconds for which it is borrowed or lingers after its return, if stated.
    pub linger_seconds: Option<u64>,
    /// True if the client waits and holds nothing.
    pub queued: bool,
}

impl<N> ObservedSession<N> {
    /// The same holder with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<ObservedSession<M>, E> {
        Ok(ObservedSession {
            at: self.at,
            server: f(NameKind::Server, self.server)?,
            product: f(NameKind::Product, self.product)?,
            pool: self.pool.map(|name| f(NameKind::Text, name)).transpose()?,
            user: f(NameKind::User, self.user)?,
            device: f(NameKind::Device, self.device)?,
            display: self.display.map(|name| f(NameKind::Text, name)).transpose()?,
            start: self.start,
            count: self.count,
            handle: self.handle,
            process: self.process,
            linger_seconds: self.linger_seconds,
            queued: self.queued,
        })
    }
}

/// For whom licenses are set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReservedFor {
    /// One user.
    User,
    /// One host.
    Host,
    /// A group of users.
    UserGroup,
    /// A group of hosts.
    HostGroup,
    /// A display, address, project or another kind.
    Other,
}

impl ReservedFor {
    /// Every kind, in the order of [`ReservedFor::code`].
    pub const ALL: [Self; 5] =
        [Self::User, Self::Host, Self::UserGroup, Self::HostGroup, Self::Other];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Host => 1,
            Self::UserGroup => 2,
            Self::HostGroup => 3,
            Self::Other => 4,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Licenses set aside for someone: by an options file, or idle in a server's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reservation<N> {
    /// The instant of the report; `None` if it is an option in force.
    pub at: Option<Timestamp>,
    /// The daemon.
    pub server: N,
    /// The feature.
    pub product: N,
    /// How many licenses.
    pub count: u32,
    /// For what kind of holder.
    pub holder_kind: ReservedFor,
    /// For whom.
    pub holder: N,
}

impl<N> Reservation<N> {
    /// The same reservation with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Reservation<M>, E> {
        Ok(Reservation {
            at: self.at,
            server: f(NameKind::Server, self.server)?,
            product: f(NameKind::Product, self.product)?,
            count: self.count,
            holder_kind: self.holder_kind,
            holder: f(NameKind::Text, self.holder)?,
        })
    }
}

/// Whether a server or daemon answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServerState {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// Nobody can say: the question failed.
    Unknown,
}

impl ServerState {
    /// Every state, in the order of [`ServerState::code`].
    pub const ALL: [Self; 3] = [Self::Up, Self::Down, Self::Unknown];

    /// The state's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Down => 1,
            Self::Unknown => 2,
        }
    }

    /// The state of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The state's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// The state of one license server host or vendor daemon at the instant of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObservedServer<N> {
    /// The instant of the report.
    pub at: Timestamp,
    /// The host, or the daemon as `daemon@host`.
    pub server: N,
    /// True for a vendor daemon, false for a license server host.
    pub daemon: bool,
    /// Whether it answers.
    pub state: ServerState,
    /// True for the master of a group of servers.
    pub master: bool,
}

impl<N> ObservedServer<N> {
    /// The same server with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<ObservedServer<M>, E> {
        Ok(ObservedServer {
            at: self.at,
            server: f(NameKind::Server, self.server)?,
            daemon: self.daemon,
            state: self.state,
            master: self.master,
        })
    }
}
