//! The organization: accounts, the tree that they form, and who belongs to which.

use crate::id::NameKind;
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// An account and the account above it, for a time.
///
/// An account that moves has one row for each place; an account without rows stands under the
/// tenant's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account<N> {
    /// The account.
    pub account: N,
    /// The account above; `None` directly under the root.
    pub parent: Option<N>,
    /// When it stands there.
    pub span: Span,
    /// The IANA name of the zone whose days and months count for it, if not the tenant's.
    pub zone: Option<String>,
    /// The instant whose local day its periods are counted from, if not from the calendar's.
    pub anchor: Option<Timestamp>,
}

impl<N> Account<N> {
    /// The same account with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Account<M>, E> {
        Ok(Account {
            account: f(NameKind::Account, self.account)?,
            parent: self.parent.map(|name| f(NameKind::Account, name)).transpose()?,
            span: self.span,
            zone: self.zone,
            anchor: self.anchor,
        })
    }
}

/// What kind of thing belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MemberKind {
    /// A person.
    User,
    /// A machine.
    Device,
    /// A license server daemon.
    Server,
}

impl MemberKind {
    /// Every kind, in the order of [`MemberKind::code`].
    pub const ALL: [Self; 3] = [Self::User, Self::Device, Self::Server];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Device => 1,
            Self::Server => 2,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind of the member's name.
    pub fn names(self) -> NameKind {
        match self {
            Self::User => NameKind::User,
            Self::Device => NameKind::Device,
            Self::Server => NameKind::Server,
        }
    }
}

/// A statement that a person, machine or server belongs to an account, for a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Membership<N> {
    /// What kind of member.
    pub kind: MemberKind,
    /// The member.
    pub member: N,
    /// The account.
    pub account: N,
    /// When it holds.
    pub span: Span,
}

impl<N> Membership<N> {
    /// The same membership with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Membership<M>, E> {
        Ok(Membership {
            kind: self.kind,
            member: f(self.kind.names(), self.member)?,
            account: f(NameKind::Account, self.account)?,
            span: self.span,
        })
    }
}
