//! Facts: what a source says, with an identity, an arrival time and a provenance.
//!
//! Identity (semantics C6): a fact's [`FactId`] is made of tenant, source and the source's own event
//! id. The same identity with the same content is a duplicate; with other content it is a conflict,
//! and the policy says which one counts. A retraction removes every assertion of its identity up to
//! its revision, whichever arrives first. What counts is therefore a function of the *set* of facts.

use crate::allocation::Allocation;
use crate::catalog::{Alias, Component, Downgrade, Product, SuiteMember};
use crate::contract::EntitlementLine;
use crate::credit::Grant;
use crate::factor::Factor;
use crate::fee::{Bill, Fee};
use crate::hardware::{Install, Machine, RoleSignal};
use crate::hash::{Hash128, hash128};
use crate::id::NameKind;
use crate::observation::{ObservedPool, ObservedServer, ObservedSession, Reservation};
use crate::org::{Account, Membership};
use crate::price::Price;
use crate::reject::Reject;
use crate::territory::{Location, Territory};
use crate::time::Timestamp;
use crate::usage::{Seat, ServerEvent, SessionEvent, UsageEvent};
use serde::{Deserialize, Serialize};

/// The identity of a fact: a 128-bit hash of tenant, source and the source's own event id.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FactId(pub u128);

impl FactId {
    /// The identity of the event that `source` calls `event`.
    pub fn of(tenant: &str, source: &str, event: &[&[u8]]) -> Self {
        let mut parts: Vec<&[u8]> = vec![tenant.as_bytes(), source.as_bytes()];
        parts.extend_from_slice(event);
        Self(hash128(&parts))
    }
}

/// Makes the identities of one source's events: what [`FactId::of`] gives, several times faster.
#[derive(Clone, Debug)]
pub struct FactIds(Hash128);

impl FactIds {
    /// Identities of this source.
    pub fn new(tenant: &str, source: &str) -> Self {
        Self(Hash128::beginning(&[tenant.as_bytes(), source.as_bytes()]))
    }

    /// The identity of the event that the source calls `event`.
    pub fn of(&mut self, event: &[&[u8]]) -> FactId {
        FactId(self.0.of(event))
    }
}

impl std::fmt::Display for FactId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Where a fact was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Provenance<N> {
    /// The file, stream or table.
    pub document: N,
    /// The line or row in it, from 1; 0 if it has no place.
    pub position: u64,
}

/// The version of a document that a row belongs to.
///
/// Rows count while their version is in force; a version is in force once its
/// [`DocumentVersion`] arrived, from its `effective_from` until the next version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentRef<N> {
    /// The document.
    pub document: N,
    /// When this version was observed, in microseconds: a later one replaces an earlier one.
    pub version: u64,
}

/// A version of a document: sent after its rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentVersion<N> {
    /// The document.
    pub document: N,
    /// When this version was observed, in microseconds.
    pub version: u64,
    /// From when on it holds; `MIN` if it speaks for all of time and replaces what was said before.
    pub effective_from: Timestamp,
    /// How many rows it has.
    pub rows: u64,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Body<N> {
    /// A checkout, return, denial or wait.
    Session(SessionEvent<N>),
    /// A metered quantity.
    Usage(UsageEvent<N>),
    /// The life of a license server daemon.
    Server(ServerEvent<N>),
    /// A seat that someone holds.
    Seat(Seat<N>),
    /// What a server reported of a pool.
    ObservedPool(ObservedPool<N>),
    /// A holder that a server reported.
    ObservedSession(ObservedSession<N>),
    /// A server's own state.
    ObservedServer(ObservedServer<N>),
    /// Licenses set aside.
    Reservation(Reservation<N>),
    /// A product.
    Product(Product<N>),
    /// A component of a package.
    Component(Component<N>),
    /// A name that means another.
    Alias(Alias<N>),
    /// An account in its place.
    Account(Account<N>),
    /// Who belongs to an account.
    Membership(Membership<N>),
    /// A line that grants a right.
    Line(EntitlementLine<N>),
    /// A version of a document.
    Document(DocumentVersion<N>),
    /// Input that was set aside.
    Reject(Reject<N>),
    /// The hardware of a machine.
    Machine(Machine<N>),
    /// A product that is installed on a machine.
    Install(Install<N>),
    /// The role that a machine takes.
    Role(RoleSignal<N>),
    /// A row of a factor table.
    Factor(Factor<N>),
    /// An amount that may be used up.
    Grant(Grant<N>),
    /// A band of prices.
    Price(Price<N>),
    /// Where something is.
    Location(Location<N>),
    /// A country of a territory.
    Territory(Territory<N>),
    /// A component of a suite by inventory.
    SuiteMember(SuiteMember<N>),
    /// What a line costs.
    Fee(Fee<N>),
    /// What was billed.
    Bill(Bill<N>),
    /// Rights that are bound to a holder.
    Allocation(Allocation<N>),
    /// A lower product that rights of a higher one cover.
    Downgrade(Downgrade<N>),
}

/// The kind of a fact's body: which table it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKind {
    /// [`Body::Session`].
    Session,
    /// [`Body::Usage`].
    Usage,
    /// [`Body::Server`].
    Server,
    /// [`Body::Seat`].
    Seat,
    /// [`Body::ObservedPool`].
    ObservedPool,
    /// [`Body::ObservedSession`].
    ObservedSession,
    /// [`Body::ObservedServer`].
    ObservedServer,
    /// [`Body::Reservation`].
    Reservation,
    /// [`Body::Product`].
    Product,
    /// [`Body::Component`].
    Component,
    /// [`Body::Alias`].
    Alias,
    /// [`Body::Account`].
    Account,
    /// [`Body::Membership`].
    Membership,
    /// [`Body::Line`].
    Line,
    /// [`Body::Document`].
    Document,
    /// [`Body::Reject`].
    Reject,
    /// [`Body::Machine`].
    Machine,
    /// [`Body::Install`].
    Install,
    /// [`Body::Role`].
    Role,
    /// [`Body::Factor`].
    Factor,
    /// [`Body::Grant`].
    Grant,
    /// [`Body::Price`].
    Price,
    /// [`Body::Location`].
    Location,
    /// [`Body::Territory`].
    Territory,
    /// [`Body::SuiteMember`].
    SuiteMember,
    /// [`Body::Fee`].
    Fee,
    /// [`Body::Bill`].
    Bill,
    /// [`Body::Allocation`].
    Allocation,
    /// [`Body::Downgrade`].
    Downgrade,
}

impl FactKind {
    /// Every kind, in the order of [`FactKind::code`].
    pub const ALL: [Self; 29] = [
        Self::Session,
        Self::Usage,
        Self::Server,
        Self::Seat,
        Self::ObservedPool,
        Self::ObservedSession,
        Self::ObservedServer,
        Self::Reservation,
        Self::Product,
        Self::Component,
        Self::Alias,
        Self::Account,
        Self::Membership,
        Self::Line,
        Self::Document,
        Self::Reject,
        Self::Machine,
        Self::Install,
        Self::Role,
        Self::Factor,
        Self::Grant,
        Self::Price,
        Self::Location,
        Self::Territory,
        Self::SuiteMember,
        Self::Fee,
        Self::Bill,
        Self::Allocation,
        Self::Downgrade,
    ];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Session => 0,
            Self::Usage => 1,
            Self::Server => 2,
            Self::Seat => 3,
            Self::ObservedPool => 4,
            Self::ObservedSession => 5,
            Self::ObservedServer => 6,
            Self::Reservation => 7,
            Self::Product => 8,
            Self::Component => 9,
            Self::Alias => 10,
            Self::Account => 11,
            Self::Membership => 12,
            Self::Line => 13,
            Self::Document => 14,
            Self::Reject => 15,
            Self::Machine => 16,
            Self::Install => 17,
            Self::Role => 18,
            Self::Factor => 19,
            Self::Grant => 20,
            Self::Price => 21,
            Self::Location => 22,
            Self::Territory => 23,
            Self::SuiteMember => 24,
            Self::Fee => 25,
            Self::Bill => 26,
            Self::Allocation => 27,
            Self::Downgrade => 28,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl<N> Body<N> {
    /// Which table the body belongs to.
    pub fn kind(&self) -> FactKind {
        match self {
            Self::Session(_) => FactKind::Session,
            Self::Usage(_) => FactKind::Usage,
            Self::Server(_) => FactKind::Server,
            Self::Seat(_) => FactKind::Seat,
            Self::ObservedPool(_) => FactKind::ObservedPool,
            Self::ObservedSession(_) => FactKind::ObservedSession,
            Self::ObservedServer(_) => FactKind::ObservedServer,
            Self::Reservation(_) => FactKind::Reservation,
            Self::Product(_) => FactKind::Product,
            Self::Component(_) => FactKind::Component,
            Self::Alias(_) => FactKind::Alias,
            Self::Account(_) => FactKind::Account,
            Self::Membership(_) => FactKind::Membership,
            Self::Line(_) => FactKind::Line,
            Self::Document(_) => FactKind::Document,
            Self::Reject(_) => FactKind::Reject,
            Self::Machine(_) => FactKind::Machine,
            Self::Install(_) => FactKind::Install,
            Self::Role(_) => FactKind::Role,
            Self::Factor(_) => FactKind::Factor,
            Self::Grant(_) => FactKind::Grant,
            Self::Price(_) => FactKind::Price,
            Self::Location(_) => FactKind::Location,
            Self::Territory(_) => FactKind::Territory,
            Self::SuiteMember(_) => FactKind::SuiteMember,
            Self::Fee(_) => FactKind::Fee,
            Self::Bill(_) => FactKind::Bill,
            Self::Allocation(_) => FactKind::Allocation,
            Self::Downgrade(_) => FactKind::Downgrade,
        }
    }

    /// From when on what the body says holds; `None` for what happens at an instant, or has no time.
    pub fn beginning_mut(&mut self) -> Option<&mut Timestamp> {
        Some(match self {
            Self::Seat(body) => &mut body.span.start,
            Self::Alias(body) => &mut body.span.start,
            Self::Account(body) => &mut body.span.start,
            Self::Membership(body) => &mut body.span.start,
            Self::Line(body) => &mut body.span.start,
            Self::Document(body) => &mut body.effective_from,
            Self::Machine(body) => &mut body.span.start,
            Self::Install(body) => &mut body.span.start,
            Self::Factor(body) => &mut body.span.start,
            Self::Grant(body) => &mut body.span.start,
            Self::Price(body) => &mut body.span.start,
            Self::Location(body) => &mut body.span.start,
            Self::Territory(body) => &mut body.span.start,
            Self::SuiteMember(body) => &mut body.span.start,
            Self::Fee(body) => &mut body.span.start,
            Self::Allocation(body) => &mut body.span.start,
            Self::Downgrade(body) => &mut body.span.start,
            Self::Session(_)
            | Self::Usage(_)
            | Self::Server(_)
            | Self::ObservedPool(_)
            | Self::ObservedSession(_)
            | Self::ObservedServer(_)
            | Self::Reservation(_)
            | Self::Product(_)
            | Self::Component(_)
            | Self::Reject(_)
            | Self::Role(_)
            | Self::Bill(_) => return None,
        })
    }

    /// The same body with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Body<M>, E> {
        Ok(match self {
            Self::Session(body) => Body::Session(body.try_map(f)?),
            Self::Usage(body) => Body::Usage(body.try_map(f)?),
            Self::Server(body) => Body::Server(body.try_map(f)?),
            Self::Seat(body) => Body::Seat(body.try_map(f)?),
            Self::ObservedPool(body) => Body::ObservedPool(body.try_map(f)?),
            Self::ObservedSession(body) => Body::ObservedSession(body.try_map(f)?),
            Self::ObservedServer(body) => Body::ObservedServer(body.try_map(f)?),
            Self::Reservation(body) => Body::Reservation(body.try_map(f)?),
            Self::Product(body) => Body::Product(body.try_map(f)?),
            Self::Component(body) => Body::Component(body.try_map(f)?),
            Self::Alias(body) => Body::Alias(body.try_map(f)?),
            Self::Account(body) => Body::Account(body.try_map(f)?),
            Self::Membership(body) => Body::Membership(body.try_map(f)?),
            Self::Line(body) => Body::Line(body.try_map(f)?),
            Self::Document(body) => Body::Document(DocumentVersion {
                document: f(NameKind::Document, body.document)?,
                version: body.version,
                effective_from: body.effective_from,
                rows: body.rows,
            }),
            Self::Reject(body) => Body::Reject(body.try_map(f)?),
            Self::Machine(body) => Body::Machine(body.try_map(f)?),
            Self::Install(body) => Body::Install(body.try_map(f)?),
            Self::Role(body) => Body::Role(body.try_map(f)?),
            Self::Factor(body) => Body::Factor(body.try_map(f)?),
            Self::Grant(body) => Body::Grant(body.try_map(f)?),
            Self::Price(body) => Body::Price(body.try_map(f)?),
            Self::Location(body) => Body::Location(body.try_map(f)?),
            Self::Territory(body) => Body::Territory(body.try_map(f)?),
            Self::SuiteMember(body) => Body::SuiteMember(body.try_map(f)?),
            Self::Fee(body) => Body::Fee(body.try_map(f)?),
            Self::Bill(body) => Body::Bill(body.try_map(f)?),
            Self::Allocation(body) => Body::Allocation(body.try_map(f)?),
            Self::Downgrade(body) => Body::Downgrade(body.try_map(f)?),
        })
    }
}

/// What a fact does to its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action<N> {
    /// Says something.
    Assert(Body<N>),
    /// Takes back every assertion of the identity up to this revision, in the table named.
    Retract(FactKind),
}

/// A statement of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact<N> {
    /// Which fact it is.
    pub id: FactId,
    /// Its revision; a greater one replaces a smaller one.
    pub revision: u32,
    /// When the connector received it; decides what counts as late.
    pub arrived_at: Timestamp,
    /// Where it was read; not part of its content.
    pub provenance: Provenance<N>,
    /// The document version whose row it is, if it is a row.
    pub document: Option<DocumentRef<N>>,
    /// What it says or takes back.
    pub action: Action<N>,
}

impl<N> Fact<N> {
    /// Which table the fact belongs to.
    pub fn kind(&self) -> FactKind {
        match &self.action {
            Action::Assert(body) => body.kind(),
            Action::Retract(kind) => *kind,
        }
    }

    /// The same fact with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Fact<M>, E> {
        let provenance = Provenance {
            document: f(NameKind::Document, self.provenance.document)?,
            position: self.provenance.position,
        };
        let document = match self.document {
            Some(row) => Some(DocumentRef {
                document: f(NameKind::Document, row.document)?,
                version: row.version,
            }),
            None => None,
        };
        let action = match self.action {
            Action::Assert(body) => Action::Assert(body.try_map(f)?),
            Action::Retract(kind) => Action::Retract(kind),
        };
        Ok(Fact {
            id: self.id,
            revision: self.revision,
            arrived_at: self.arrived_at,
            provenance,
            document,
            action,
        })
    }
}
