//! The contract side: the lines that grant rights, whoever vouches for them.

use crate::calendar::PeriodUnit;
use crate::id::NameKind;
use crate::metric::{Duplicates, Metric};
use crate::quantity::{Capacity, Money, Quantity};
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// What vouches for a line; the best one that a product has decides its entitled quantity.
///
/// A purchase list, a license file and a server's report are three claims about one right, so their
/// quantities are compared and never added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// A contract or purchase record.
    Contract,
    /// A vendor's license file: what the server enforces.
    LicenseFile,
    /// What a license server reports of its license file.
    ServerReport,
}

impl Basis {
    /// Every basis, best first, in the order of [`Basis::code`].
    pub const ALL: [Self; 3] = [Self::Contract, Self::LicenseFile, Self::ServerReport];

    /// The basis's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Contract => 0,
            Self::LicenseFile => 1,
            Self::ServerReport => 2,
        }
    }

    /// The basis of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The basis's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::LicenseFile => "license_file",
            Self::ServerReport => "server_report",
        }
    }
}

/// What a line does for the rights of its product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LineKind {
    /// Grants its quantity; a negative quantity is a credit that takes rights back.
    Base,
    /// Renews the right to updates; grants nothing by itself.
    Maintenance,
    /// Raises the version or edition of rights that exist; grants nothing by itself.
    Upgrade,
    /// Takes its quantity from the line that it names as its base, for good, and grants it.
    Transfer,
}

impl LineKind {
    /// Every kind, in the order of [`LineKind::code`].
    pub const ALL: [Self; 4] = [Self::Base, Self::Maintenance, Self::Upgrade, Self::Transfer];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Base => 0,
            Self::Maintenance => 1,
            Self::Upgrade => 2,
            Self::Transfer => 3,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Maintenance => "maintenance",
            Self::Upgrade => "upgrade",
            Self::Transfer => "transfer",
        }
    }
}

/// For what use a line is meant; only production lines cover production use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum LineClass {
    /// Normal use.
    #[default]
    Production,
    /// A trial.
    Trial,
    /// A beta program.
    Beta,
    /// A pilot.
    Pilot,
    /// Disaster recovery.
    Recovery,
    /// Benchmarks and load tests.
    Benchmark,
    /// A free allowance.
    Freemium,
}

impl LineClass {
    /// Every class, in the order of [`LineClass::code`].
    pub const ALL: [Self; 7] = [
        Self::Production,
        Self::Trial,
        Self::Beta,
        Self::Pilot,
        Self::Recovery,
        Self::Benchmark,
        Self::Freemium,
    ];

    /// The class's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Production => 0,
            Self::Trial => 1,
            Self::Beta => 2,
            Self::Pilot => 3,
            Self::Recovery => 4,
            Self::Benchmark => 5,
            Self::Freemium => 6,
        }
    }

    /// The class of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// One row of a contract, purchase list or license file that grants a right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntitlementLine<N> {
    /// The line's own name: an order number, a feature line.
    pub line: N,
    /// The contract or order that it belongs to.
    pub contract: Option<N>,
    /// What it grants: a product, feature or SKU.
    pub product: N,
    /// How use is counted against it.
    pub metric: Metric,
    /// How much it grants.
    pub quantity: Capacity,
    /// For metrics that count in periods: per which period the quantity is granted.
    pub per: PeriodUnit,
    /// When it is in force.
    pub span: Span,
    /// The account whose subtree may use it; `None` for everyone.
    pub account: Option<N>,
    /// The daemon that serves it, if it is served.
    pub server: Option<N>,
    /// What vouches for it.
    pub basis: Basis,
    /// What it does.
    pub kind: LineKind,
    /// For what use it is meant.
    pub class: LineClass,
    /// How checkouts against it are charged, if it says.
    pub duplicates: Option<Duplicates>,
    /// How checkouts of the suite's components share one right, if it says.
    pub suite_duplicates: Option<Duplicates>,
    /// Use above the quantity that the vendor tolerates.
    pub overdraft: Quantity,
    /// Use above the quantity that the contract tolerates, in percent of it.
    pub margin_percent: u32,
    /// For how long use may stay above before it is a breach.
    pub grace_seconds: u32,
    /// The territory in which it may be used; `None` for everywhere.
    pub territory: Option<N>,
    /// The line of which it passes on a part, if it is a sublicense.
    pub parent: Option<N>,
    /// The right that it renews or raises, for maintenance and upgrades; the one that it was taken from,
    /// for transfers.
    pub base: Option<N>,
    /// Which line is used first among lines of one scope: smaller first.
    pub priority: i32,
    /// Until when maintenance is paid, if it says.
    pub maintenance_until: Option<Timestamp>,
    /// What it cost.
    pub cost: Option<Money>,
    /// The version, if it is bound to one.
    pub version: Option<N>,
    /// Words that the vendor wrote on it.
    pub notice: Option<N>,
    /// Whether only those may use it to whom it is allocated.
    pub restricted: bool,
}

impl<N> EntitlementLine<N> {
    /// A base line of one product with nothing else said: for everyone, always, production.
    pub fn base(line: N, product: N, metric: Metric, quantity: Capacity, basis: Basis) -> Self {
        Self {
            line,
            contract: None,
            product,
            metric,
            quantity,
            per: PeriodUnit::Month,
            span: Span::ALWAYS,
            account: None,
            server: None,
            basis,
            kind: LineKind::Base,
            class: LineClass::Production,
            duplicates: None,
            suite_duplicates: None,
            overdraft: Quantity::ZERO,
            margin_percent: 0,
            grace_seconds: 0,
            territory: None,
            parent: None,
            base: None,
            priority: 0,
            maintenance_until: None,
            cost: None,
            version: None,
            notice: None,
            restricted: false,
        }
    }

    /// The same line with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<EntitlementLine<M>, E> {
        Ok(EntitlementLine {
            line: f(NameKind::Line, self.line)?,
            contract: self.contract.map(|name| f(NameKind::Contract, name)).transpose()?,
            product: f(NameKind::Product, self.product)?,
            metric: self.metric,
            quantity: self.quantity,
            per: self.per,
            span: self.span,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            server: self.server.map(|name| f(NameKind::Server, name)).transpose()?,
            basis: self.basis,
            kind: self.kind,
            class: self.class,
            duplicates: self.duplicates,
            suite_duplicates: self.suite_duplicates,
            overdraft: self.overdraft,
            margin_percent: self.margin_percent,
            grace_seconds: self.grace_seconds,
            territory: self.territory.map(|name| f(NameKind::Text, name)).transpose()?,
            parent: self.parent.map(|name| f(NameKind::Line, name)).transpose()?,
            base: self.base.map(|name| f(NameKind::Line, name)).transpose()?,
            priority: self.priority,
            maintenance_until: self.maintenance_until,
            cost: self.cost,
            version: self.version.map(|name| f(NameKind::Text, name)).transpose()?,
            notice: self.notice.map(|name| f(NameKind::Text, name)).transpose()?,
            restricted: self.restricted,
        })
    }
}
