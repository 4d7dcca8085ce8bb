//! What the engine makes of telemetry before it counts: sessions, attempts, waits, pools.
//!
//! These rows are what `explain` names when it says where a figure comes from.

use crate::fact::{FactId, Provenance};
use crate::id::{AccountId, DeviceId, Id, ProductId, ServerId, TenantId, TextId, UserId};
use crate::metric::Duplicates;
use crate::quantity::{Capacity, Quantity};
use crate::time::{Span, Timestamp};
use crate::usage::{SessionKind, SessionReason};
use serde::{Deserialize, Serialize};

/// Who uses what where, as a source spells it: the part of a fact that attribution depends on.
///
/// Facts of one subject are attributed together, so a mapping that changes moves the subject's
/// totals and touches no fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Whose it is.
    pub tenant: TenantId,
    /// The daemon that serves it, if one does.
    pub server: Option<ServerId>,
    /// The product, feature or SKU.
    pub feature: ProductId,
    /// The user, if the source says.
    pub user: Option<UserId>,
    /// The machine, if the source says.
    pub device: Option<DeviceId>,
    /// The account, if the source says.
    pub account: Option<AccountId>,
}

/// What a subject means for a time: its names resolved and its account found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resolution {
    /// When it holds.
    pub span: Span,
    /// The product after aliases.
    pub product: ProductId,
    /// The user after aliases.
    pub user: Option<UserId>,
    /// The machine after aliases.
    pub device: Option<DeviceId>,
    /// The account that the use counts for.
    pub account: AccountId,
}

/// A checkout from its open to its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Who holds what where.
    pub subject: Subject,
    /// From the open to the close; open-ended while it lasts.
    pub span: Span,
    /// If the end is inferred from a restart: the earliest instant at which it can have ended.
    pub ended_after: Option<Timestamp>,
    /// How many licenses.
    pub count: u32,
    /// Why it ended.
    pub reason: SessionReason,
    /// The display.
    pub display: Option<TextId>,
    /// Vendor-defined checkout data.
    pub vendor_data: Option<TextId>,
    /// The project.
    pub project: Option<TextId>,
    /// The source's number of the checkout.
    pub handle: Option<u64>,
    /// The fact that opened it.
    pub opened_by: FactId,
    /// Where that fact was read.
    pub provenance: Provenance<Id>,
}

/// A close that no open precedes: its open is missing from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrphanClose {
    /// Who returned what where.
    pub subject: Subject,
    /// Whether it is a sign of life, and no return.
    pub sign: bool,
    /// When.
    pub at: Timestamp,
    /// How many licenses.
    pub count: u32,
    /// The fact.
    pub fact: FactId,
    /// Where it was read.
    pub provenance: Provenance<Id>,
}

/// One attempt to check out that a server refused: all refusals of one holder in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose it is.
    pub tenant: TenantId,
    /// The daemon.
    pub server: ServerId,
    /// Who.
    pub user: UserId,
    /// On which machine.
    pub device: DeviceId,
    /// The second in which it was refused.
    pub at: Timestamp,
    /// A denial, or a feature that this server does not serve.
    pub kind: SessionKind,
    /// The feature that was refused first, in the order of names.
    pub feature: ProductId,
    /// Why.
    pub reason: SessionReason,
    /// How many lines say so.
    pub lines: u32,
    /// True if none of the refused features was checked out within the waiting time.
    pub unmet: bool,
}

/// A wait in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wait {
    /// Who waits for what where.
    pub subject: Subject,
    /// From the beginning of the wait to its end; open-ended while it lasts.
    pub span: Span,
}

/// One feature of one daemon: what the log, the license file and the server say of it.
///
/// Taken at the instants of the server's reports, and at the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolState {
    /// Whose it is.
    pub tenant: TenantId,
    /// The daemon.
    pub server: ServerId,
    /// The feature.
    pub feature: ProductId,
    /// The instant.
    pub at: Timestamp,
    /// Whether it is the newest state of the pool.
    pub latest: bool,
    /// Charged at that instant by the log; `None` if there is no log of this daemon.
    pub logged: Option<Quantity>,
    /// Entitled at that instant by the license file; `None` if it has no line of the feature.
    pub licensed: Option<Capacity>,
    /// Issued at that instant by the server's report; `None` if there is no report.
    pub issued: Option<Capacity>,
    /// Checked out by the server's report.
    pub checked_out: Option<u32>,
    /// Set aside and idle by the server's report.
    pub reserved_idle: u32,
    /// Waiting in the queue by the server's report.
    pub queued: u32,
    /// Borrowed or lingering by the server's report.
    pub lingering: u32,
    /// "In use" as the server reports it: checked out and reserved together.
    pub reported_in_use: Option<u32>,
    /// Distinct users in the server's report.
    pub users: u32,
    /// How checkouts are charged.
    pub duplicates: Duplicates,
}

/// How often a source said a thing, after duplicates were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventCount {
    /// The daemon.
    pub server: ServerId,
    /// What was said.
    pub kind: SessionKind,
    /// Why.
    pub reason: SessionReason,
    /// How often.
    pub count: u64,
}
