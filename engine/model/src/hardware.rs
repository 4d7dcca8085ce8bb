//! What inventories say: machines and their processors, what is installed on them, and their roles.

use crate::id::NameKind;
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// How a machine's share of its host's processors is bounded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Partition {
    /// It is no partition, or its bound is not stated.
    #[default]
    None,
    /// By hardware, or by a technology that the vendor accepts: what it has counts.
    Hard,
    /// By software that the vendor does not accept: every machine that it may run on counts.
    Soft,
}

impl Partition {
    /// Every kind, in the order of [`Partition::code`].
    pub const ALL: [Self; 3] = [Self::None, Self::Hard, Self::Soft];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Hard => 1,
            Self::Soft => 2,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// The hardware of a machine, for a time. Counts that a source does not state are 0.
///
/// In a snapshot document it holds while the snapshot is the newest; a newer snapshot replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Machine<N> {
    /// The machine.
    pub device: N,
    /// Physical processors, that is, occupied sockets.
    pub processors: u32,
    /// Cores of all its processors together.
    pub cores: u32,
    /// Threads of all its cores together.
    pub threads: u32,
    /// Virtual cores that are assigned to it; set for virtual machines.
    pub virtual_cores: u32,
    /// The most virtual cores that it may use, if it is capped below what it was assigned.
    pub cap: Option<u32>,
    /// The model of its processors, as the factor tables match it.
    pub model: Option<N>,
    /// The physical machine that it runs on, if it is virtual and this is known.
    pub host: Option<N>,
    /// The cluster within which it may move.
    pub cluster: Option<N>,
    /// How its share is bounded.
    pub partition: Partition,
    /// When the machine is so.
    pub span: Span,
}

impl<N> Machine<N> {
    /// The same machine with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Machine<M>, E> {
        Ok(Machine {
            device: f(NameKind::Device, self.device)?,
            processors: self.processors,
            cores: self.cores,
            threads: self.threads,
            virtual_cores: self.virtual_cores,
            cap: self.cap,
            model: self.model.map(|name| f(NameKind::Text, name)).transpose()?,
            host: self.host.map(|name| f(NameKind::Device, name)).transpose()?,
            cluster: self.cluster.map(|name| f(NameKind::Text, name)).transpose()?,
            partition: self.partition,
            span: self.span,
        })
    }
}

/// A product that is installed on a machine, for a time; several versions of it are several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Install<N> {
    /// The product.
    pub product: N,
    /// The machine.
    pub device: N,
    /// Who mainly uses it there, if the source says.
    pub user: Option<N>,
    /// On whose account, if the source says.
    pub account: Option<N>,
    /// When it is installed.
    pub span: Span,
    /// The last sign of use, if the source says.
    pub last_used: Option<Timestamp>,
}

impl<N> Install<N> {
    /// The same install with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Install<M>, E> {
        Ok(Install {
            product: f(NameKind::Product, self.product)?,
            device: f(NameKind::Device, self.device)?,
            user: self.user.map(|name| f(NameKind::User, name)).transpose()?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            span: self.span,
            last_used: self.last_used,
        })
    }
}

/// What a machine of a cluster is there for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum MachineRole {
    /// It does the work.
    #[default]
    Active,
    /// It stands by and does no work.
    Passive,
    /// It stands by, and does the work of another that failed.
    Failover,
    /// It is tested.
    Test,
}

impl MachineRole {
    /// Every role, in the order of [`MachineRole::code`].
    pub const ALL: [Self; 4] = [Self::Active, Self::Passive, Self::Failover, Self::Test];

    /// The role's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Passive => 1,
            Self::Failover => 2,
            Self::Test => 3,
        }
    }

    /// The role of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The role's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Failover => "failover",
            Self::Test => "test",
        }
    }
}

/// The role that a machine takes at an instant and keeps until it takes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleSignal<N> {
    /// When it takes the role.
    pub at: Timestamp,
    /// The machine.
    pub device: N,
    /// The role.
    pub role: MachineRole,
}

impl<N> RoleSignal<N> {
    /// The same signal with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<RoleSignal<M>, E> {
        Ok(RoleSignal { at: self.at, device: f(NameKind::Device, self.device)?, role: self.role })
    }
}
