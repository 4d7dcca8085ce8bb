//! Allocations: rights of a line that are bound to one person or machine by name.
//!
//! An account is no holder: a part of a line for an account is a sublicense (`parent` of a line), which
//! is taken from the whole and serves the account's subtree only.

use crate::id::NameKind;
use crate::quantity::Quantity;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What kind of thing holds an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HolderKind {
    /// A person.
    User,
    /// A machine.
    Device,
}

impl HolderKind {
    /// Every kind, in the order of [`HolderKind::code`].
    pub const ALL: [Self; 2] = [Self::User, Self::Device];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Device => 1,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Device => "device",
        }
    }

    /// The kind of the holder's name.
    pub fn names(self) -> NameKind {
        match self {
            Self::User => NameKind::User,
            Self::Device => NameKind::Device,
        }
    }
}

/// A statement that rights of a line are bound to a person or machine, for a time.
///
/// The rows of one line and holder add up. It binds only while its line grants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Allocation<N> {
    /// The line whose rights are bound.
    pub line: N,
    /// What kind of holder.
    pub kind: HolderKind,
    /// To whom they are bound.
    pub holder: N,
    /// How many of them; more than none.
    pub quantity: Quantity,
    /// When they are.
    pub span: Span,
}

impl<N> Allocation<N> {
    /// The same allocation with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Allocation<M>, E> {
        Ok(Allocation {
            line: f(NameKind::Line, self.line)?,
            kind: self.kind,
            holder: f(self.kind.names(), self.holder)?,
            quantity: self.quantity,
            span: self.span,
        })
    }
}
