//! What telemetry reports: sessions, metered quantities, seats, and the life of its servers.
//!
//! `N` is how a name is held: text in a connector, a dictionary code on the wire, an [`Id`] in the
//! engine. `try_map` turns one into another; the kind of each name is stated there, once.
//!
//! [`Id`]: crate::id::Id

use crate::id::NameKind;
use crate::quantity::Quantity;
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// What happened to a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SessionKind {
    /// Licenses were checked out.
    Open,
    /// Licenses were returned.
    Close,
    /// A checkout was refused.
    Deny,
    /// The server does not serve the feature; another pool may.
    Unsupported,
    /// A client began to wait.
    Queue,
    /// A client stopped waiting.
    Dequeue,
    /// The client showed a sign of life.
    Heartbeat,
}

impl SessionKind {
    /// Every kind, in the order of [`SessionKind::code`].
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Close,
        Self::Deny,
        Self::Unsupported,
        Self::Queue,
        Self::Dequeue,
        Self::Heartbeat,
    ];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Close => 1,
            Self::Deny => 2,
            Self::Unsupported => 3,
            Self::Queue => 4,
            Self::Dequeue => 5,
            Self::Heartbeat => 6,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Deny => "deny",
            Self::Unsupported => "unsupported",
            Self::Queue => "queue",
            Self::Dequeue => "dequeue",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// Why a license was returned or refused, as far as the source says.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum SessionReason {
    /// Not stated: a normal return.
    #[default]
    None,
    /// The server shut down and returned everything that the holder had of the feature.
    Shutdown,
    /// The server took it back from an idle client.
    Inactive,
    /// An administrator removed the user.
    Removed,
    /// Every license was in use.
    AllInUse,
    /// Others were waiting first.
    UsersQueued,
    /// The server has no such feature.
    NoSuchFeature,
    /// The options file excludes the user or host.
    Excluded,
    /// A reason that this list does not name.
    Other,
}

impl SessionReason {
    /// Every reason, in the order of [`SessionReason::code`].
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Shutdown,
        Self::Inactive,
        Self::Removed,
        Self::AllInUse,
        Self::UsersQueued,
        Self::NoSuchFeature,
        Self::Excluded,
        Self::Other,
    ];

    /// The reason's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Shutdown => 1,
            Self::Inactive => 2,
            Self::Removed => 3,
            Self::AllInUse => 4,
            Self::UsersQueued => 5,
            Self::NoSuchFeature => 6,
            Self::Excluded => 7,
            Self::Other => 8,
        }
    }

    /// The reason of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The reason's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Shutdown => "shutdown",
            Self::Inactive => "inactive",
            Self::Removed => "removed",
            Self::AllInUse => "all_in_use",
            Self::UsersQueued => "users_queued",
            Self::NoSuchFeature => "no_such_feature",
            Self::Excluded => "excluded",
            Self::Other => "other",
        }
    }
}

/// One line of a license server's life with its clients.
///
/// A checkout has no name of its own unless the source gives a handle; pairing opens with closes is
/// the engine's work, so that late, repeated and missing lines give one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionEvent<N> {
    /// When it happened.
    pub at: Timestamp,
    /// Its place among the events of its server in the same instant, from 0: the source's order.
    pub rank: u32,
    /// What happened.
    pub kind: SessionKind,
    /// Why, if stated.
    pub reason: SessionReason,
    /// The vendor daemon that wrote it.
    pub server: N,
    /// The feature.
    pub product: N,
    /// Who.
    pub user: N,
    /// On which machine.
    pub device: N,
    /// On which display, if stated.
    pub display: Option<N>,
    /// Vendor-defined checkout data, if stated.
    pub vendor_data: Option<N>,
    /// The project that the client names, if stated.
    pub project: Option<N>,
    /// The version that was asked for, if stated.
    pub version: Option<N>,
    /// The source's own number of the checkout; it joins an open with its close exactly.
    pub handle: Option<u64>,
    /// How many licenses, at least 1.
    pub count: u32,
    /// Until when it is borrowed: it ends then without a return, and not before without one.
    pub until: Option<Timestamp>,
}

impl<N> SessionEvent<N> {
    /// The same event with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<SessionEvent<M>, E> {
        Ok(SessionEvent {
            at: self.at,
            rank: self.rank,
            kind: self.kind,
            reason: self.reason,
            server: f(NameKind::Server, self.server)?,
            product: f(NameKind::Product, self.product)?,
            user: f(NameKind::User, self.user)?,
            device: f(NameKind::Device, self.device)?,
            display: self.display.map(|name| f(NameKind::Text, name)).transpose()?,
            vendor_data: self.vendor_data.map(|name| f(NameKind::Text, name)).transpose()?,
            project: self.project.map(|name| f(NameKind::Text, name)).transpose()?,
            version: self.version.map(|name| f(NameKind::Text, name)).transpose()?,
            handle: self.handle,
            count: self.count,
            until: self.until,
        })
    }
}

/// What a metered event does with its quantity.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum UsageOp {
    /// Adds it to what was used.
    #[default]
    Add,
    /// Sets a level, which holds until the next one of the same subject.
    Set,
    /// The user begins to take part.
    Enter,
    /// The user no longer takes part.
    Leave,
}

impl UsageOp {
    /// Every operation, in the order of [`UsageOp::code`].
    pub const ALL: [Self; 4] = [Self::Add, Self::Set, Self::Enter, Self::Leave];

    /// The operation's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Add => 0,
            Self::Set => 1,
            Self::Enter => 2,
            Self::Leave => 3,
        }
    }

    /// The operation of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A metered quantity at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UsageEvent<N> {
    /// When it happened.
    pub at: Timestamp,
    /// What was used: the meter, feature or SKU.
    pub product: N,
    /// On whose account, if the source says.
    pub account: Option<N>,
    /// By whom, if the source says.
    pub user: Option<N>,
    /// On which machine, if the source says.
    pub device: Option<N>,
    /// How much; negative only where the metric is signed.
    pub quantity: Quantity,
    /// What it does with the quantity.
    pub op: UsageOp,
}

impl<N> UsageEvent<N> {
    /// The same event with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<UsageEvent<M>, E> {
        Ok(UsageEvent {
            at: self.at,
            product: f(NameKind::Product, self.product)?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            user: self.user.map(|name| f(NameKind::User, name)).transpose()?,
            device: self.device.map(|name| f(NameKind::Device, name)).transpose()?,
            quantity: self.quantity,
            op: self.op,
        })
    }
}

/// What a license server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServerEventKind {
    /// The daemon started with nothing checked out: what was open before has ended.
    Started,
    /// The daemon was alive, and every earlier event of its log was delivered.
    Alive,
    /// The license file was read again; use is unchanged.
    Reread,
    /// A feature's license had expired.
    FeatureExpired,
}

impl ServerEventKind {
    /// Every kind, in the order of [`ServerEventKind::code`].
    pub const ALL: [Self; 4] = [Self::Started, Self::Alive, Self::Reread, Self::FeatureExpired];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Started => 0,
            Self::Alive => 1,
            Self::Reread => 2,
            Self::FeatureExpired => 3,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// An event in the life of a license server daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerEvent<N> {
    /// When it happened.
    pub at: Timestamp,
    /// Its place among the events of its server in the same instant, from 0.
    pub rank: u32,
    /// What happened.
    pub kind: ServerEventKind,
    /// The daemon.
    pub server: N,
    /// The feature that it is about, if it is about one.
    pub product: Option<N>,
}

impl<N> ServerEvent<N> {
    /// The same event with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<ServerEvent<M>, E> {
        Ok(ServerEvent {
            at: self.at,
            rank: self.rank,
            kind: self.kind,
            server: f(NameKind::Server, self.server)?,
            product: self.product.map(|name| f(NameKind::Product, name)).transpose()?,
        })
    }
}

/// What kind of seat it is; guests and services need no license.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum SeatClass {
    /// A person who needs a license.
    #[default]
    Full,
    /// A guest, exempt.
    Guest,
    /// A service or robot account, exempt.
    Service,
}

impl SeatClass {
    /// Every class, in the order of [`SeatClass::code`].
    pub const ALL: [Self; 3] = [Self::Full, Self::Guest, Self::Service];

    /// The class's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Full => 0,
            Self::Guest => 1,
            Self::Service => 2,
        }
    }

    /// The class of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A seat that a person or machine holds.
///
/// In a snapshot document the seat is held while the snapshot is the newest; `span` narrows that
/// where the source dates the assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seat<N> {
    /// The product.
    pub product: N,
    /// Who holds it.
    pub user: N,
    /// On which machine, for device seats.
    pub device: Option<N>,
    /// On whose account, if the source says.
    pub account: Option<N>,
    /// What kind of seat.
    pub class: SeatClass,
    /// When it is held; all of time if the source does not date it.
    pub span: Span,
    /// The last sign of use, if the source says.
    pub last_active: Option<Timestamp>,
}

impl<N> Seat<N> {
    /// The same seat with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Seat<M>, E> {
        Ok(Seat {
            product: f(NameKind::Product, self.product)?,
            user: f(NameKind::User, self.user)?,
            device: self.device.map(|name| f(NameKind::Device, name)).transpose()?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            class: self.class,
            span: self.span,
            last_active: self.last_active,
        })
    }
}
