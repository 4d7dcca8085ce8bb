//! Territories: where things are, and which countries a region has.

use crate::id::NameKind;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What is somewhere; what is nearer to the use decides first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LocatedKind {
    /// A machine.
    Device,
    /// An account, where its machines are not located by themselves.
    Account,
}

impl LocatedKind {
    /// Every kind, in the order of [`LocatedKind::code`].
    pub const ALL: [Self; 2] = [Self::Device, Self::Account];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Device => 0,
            Self::Account => 1,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind of the located thing's name.
    pub fn names(self) -> NameKind {
        match self {
            Self::Device => NameKind::Device,
            Self::Account => NameKind::Account,
        }
    }
}

/// A statement that a machine or account is in a country, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location<N> {
    /// What kind of thing.
    pub kind: LocatedKind,
    /// The thing.
    pub located: N,
    /// The country, by its ISO 3166 letters.
    pub country: N,
    /// When it is there.
    pub span: Span,
}

impl<N> Location<N> {
    /// The same location with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Location<M>, E> {
        Ok(Location {
            kind: self.kind,
            located: f(self.kind.names(), self.located)?,
            country: f(NameKind::Text, self.country)?,
            span: self.span,
        })
    }
}

/// A statement that a territory has a country, for a time. A country is a territory of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Territory<N> {
    /// The territory, as lines name it.
    pub territory: N,
    /// The country, by its ISO 3166 letters.
    pub country: N,
    /// When it belongs.
    pub span: Span,
}

impl<N> Territory<N> {
    /// The same statement with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Territory<M>, E> {
        Ok(Territory {
            territory: f(NameKind::Text, self.territory)?,
            country: f(NameKind::Text, self.country)?,
            span: self.span,
        })
    }
}
