//! Discrepancies: what someone must look at, by kind, with a severity and a way out.

use crate::calendar::Period;
use crate::hash::hash64;
use crate::id::{AccountId, Id, NameKind, ProductId, TenantId};
use crate::metric::Metric;
use crate::quantity::{Capacity, Money, Quantity};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Declares the kinds once: variant, name, severity, what it means, what clears it.
macro_rules! kinds {
    ($($variant:ident $name:literal $severity:literal $meaning:literal, $clears:literal;)*) => {
        /// What kind of discrepancy (semantics B 3.6).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DiscrepancyKind {
            $(#[doc = $meaning] $variant,)*
        }

        impl DiscrepancyKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The kind's name in tables, JSON and policies.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How urgent it is, 1 the most; 5 only informs.
            pub fn severity(self) -> u8 {
                match self { $(Self::$variant => $severity,)* }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What makes it go away.
            pub fn clears_when(self) -> &'static str {
                match self { $(Self::$variant => $clears,)* }
            }
        }
    };
}

kinds! {
    OverUse "over_use" 1
        "More is used than all lines in force cover.", "the shortfall is zero";
    OverInMargin "over_in_margin" 3
        "More is used than entitled, within what the vendor tolerates.", "use is back under";
    InGrace "in_grace" 2
        "More is used than entitled, and the grace time is running.", "use is back under";
    NearLimit "near_limit" 4
        "Use is close to what is entitled.", "use falls below the warning level";
    UnlicensedUse "unlicensed_use" 1
        "It is used and no line covers it.", "a line or an exception covers it";
    ExpiredInUse "expired_in_use" 1
        "It is used after every matching line ended.", "the line is renewed or use ends";
    TrialEndedInUse "trial_ended_in_use" 2
        "It is used after its trial ended.", "a line covers it or use ends";
    TrialRepeat "trial_repeat" 2
        "A second trial of one product and account.", "the line is removed";
    BetaInProduction "beta_in_production" 2
        "A beta right serves production use.", "a production line covers it";
    UnlicensedFeatureUse "unlicensed_feature_use" 2
        "A feature is used without the right to it.", "the feature is granted";
    TerritoryBreach "territory_breach" 1
        "It is used outside the territory of its lines.", "a line covers the territory";
    DrBudgetExceeded "dr_budget_exceeded" 2
        "A standby was active on more days than its right allows.", "the year turns";
    DrEvidenceGap "dr_evidence_gap" 3
        "The role of a standby is not known for a time.", "the role is reported";
    ReassignedTooSoon "reassigned_too_soon" 3
        "A seat changed hands before its minimum hold.", "the hold is over";
    SublicenceOversold "sublicence_oversold" 1
        "More is passed on than is held.", "the parts fit the whole";
    SublicenceOutsideParent "sublicence_outside_parent" 1
        "A right is passed on beyond its own term.", "the term fits the parent's";
    DoubleAllocation "double_allocation" 2
        "One right is bound to two holders.", "one of them is released";
    AllocatedNotUsed "allocated_not_used" 4
        "A right is bound to a holder who does not use it.", "it is used or released";
    AllocationSuboptimal "allocation_suboptimal" 3
        "More could be covered if rights of higher products were lent otherwise.",
        "nothing more could be covered";
    Shelfware "shelfware" 4
        "Rights are entitled and hardly used.", "use rises or the line ends";
    UsedNotAllocated "used_not_allocated" 3
        "A restricted right is used by someone not listed.", "the holder is listed";
    BundleIncomplete "bundle_incomplete" 3
        "A machine has components of a suite that nobody bought by themselves, but not enough for the suite.",
        "the rest is installed or the components are granted";
    SuiteComponentDoubleUse "suite_component_double_use" 3
        "A holder consumes a suite and its component.", "one of the two ends";
    BaseLicenceMissing "base_licence_missing" 2
        "Maintenance or an upgrade without the right that it belongs to.", "the base line arrives";
    ContractConflict "contract_conflict" 2
        "Two amendments say different things.", "one of them is withdrawn";
    ContractGap "contract_gap" 2
        "A right lapses between two lines.", "the gap is covered";
    CoverageAmbiguous "coverage_ambiguous" 2
        "Several lines of different rules match.", "a rule decides";
    HierarchyCycle "hierarchy_cycle" 2
        "Accounts stand above each other in a circle.", "the circle is broken";
    HierarchyGap "hierarchy_gap" 2
        "An account has no place in the tree for a time.", "its place is stated";
    MultipleParents "multiple_parents" 2
        "An account has two places in the tree at once.", "one of them is removed";
    UnmappedDevice "unmapped_device" 3
        "A machine belongs to no account, or its name is no host name.", "an alias or membership arrives";
    UnmappedUser "unmapped_user" 3
        "A user belongs to no account, or the name is no login name.", "an alias or membership arrives";
    UnmappedSku "unmapped_sku" 3
        "A product's name is in no catalog.", "a product or alias arrives";
    UnmappedAccount "unmapped_account" 3
        "An account is named that has no place in the tree.", "the account arrives";
    AliasConflict "alias_conflict" 2
        "One name means two things at once.", "one alias is removed";
    ConflictingDuplicate "conflicting_duplicate" 2
        "Two facts of one identity say different things.", "one of them is retracted or revised";
    DuplicateRateHigh "duplicate_rate_high" 4
        "A source repeats itself a great deal.", "the rate falls";
    FutureEvent "future_event" 3
        "An event happened later than it arrived.", "the source's clock is right";
    ClockSkew "clock_skew" 3
        "A source's clock drifts.", "the source's clock is right";
    LateAfterClose "late_after_close" 3
        "A fact arrived after its period was closed.", "the adjustment is issued";
    BeyondRetention "beyond_retention" 2
        "A fact is older than what is kept.", "someone decides";
    TelemetryGap "telemetry_gap" 3
        "A source was silent longer than it should be.", "its events arrive";
    StaleDevice "stale_device" 3
        "A machine was silent longer than it should be.", "it reports";
    SessionStuckOpen "session_stuck_open" 4
        "A session has been open longer than is plausible.", "it closes";
    OrphanClose "orphan_close" 4
        "A return without a checkout: the log is incomplete.", "the missing log arrives";
    HeartbeatAfterClose "heartbeat_after_close" 4
        "A sign of life of a checkout that is not out.", "the checkout arrives or the return is corrected";
    NegativeUsage "negative_usage" 3
        "Less than nothing was used.", "the quantity is corrected";
    BadUnit "bad_unit" 3
        "A quantity in a unit that the metric does not know.", "the unit is corrected";
    SchemaViolation "schema_violation" 3
        "Input does not follow its schema.", "the source is corrected";
    MissingCoreFactor "missing_core_factor" 3
        "A processor without a core factor.", "the factor table names it";
    UnknownCpuModel "unknown_cpu_model" 3
        "A processor that no table knows.", "the table names it";
    SubcapacityEvidenceGap "subcapacity_evidence_gap" 2
        "The proof of partial capacity has a gap.", "the scans arrive";
    UsageSpike "usage_spike" 3
        "Use is far above its habit.", "use is normal";
    UsageDrop "usage_drop" 3
        "Use is far below its habit.", "use is normal";
    StatementDrift "statement_drift" 2
        "A closed statement no longer equals what is known.", "the adjustment is issued";
    ProvenanceGap "provenance_gap" 3
        "A right's chain of title is broken.", "the missing transfer arrives";
    ShadowRegression "shadow_regression" 5
        "A candidate policy changes many positions.", "the policy is changed";
    SourceDisagreement "source_disagreement" 3
        "Log, license file, server report or purchases say different things.", "they agree";
    CapacityUnknown "capacity_unknown" 3
        "A line does not say how much it grants.", "the line says it";
}

impl DiscrepancyKind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A source that makes a claim about use or rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Claim {
    /// The log of a license server.
    Log,
    /// What a license server answers.
    ServerReport,
    /// A license file.
    LicenseFile,
    /// Contracts and purchases.
    Contract,
}

impl Claim {
    /// The claim's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::ServerReport => "server_report",
            Self::LicenseFile => "license_file",
            Self::Contract => "contract",
        }
    }

    /// The stable number that identities are made of.
    fn code(self) -> u8 {
        match self {
            Self::Log => 0,
            Self::ServerReport => 1,
            Self::LicenseFile => 2,
            Self::Contract => 3,
        }
    }
}

impl From<crate::contract::Basis> for Claim {
    fn from(basis: crate::contract::Basis) -> Self {
        match basis {
            crate::contract::Basis::Contract => Self::Contract,
            crate::contract::Basis::LicenseFile => Self::LicenseFile,
            crate::contract::Basis::ServerReport => Self::ServerReport,
        }
    }
}

/// Two sources that say different things of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Disagreement {
    /// Who says one thing.
    pub claim: Claim,
    /// What it says.
    pub says: Capacity,
    /// Who says another.
    pub other_claim: Claim,
    /// What that says.
    pub other_says: Capacity,
}

/// A discrepancy: a difference that someone must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Discrepancy {
    /// How urgent, 1 the most.
    pub severity: u8,
    /// What kind.
    pub kind: DiscrepancyKind,
    /// Whose it is.
    pub tenant: TenantId,
    /// The account node that it concerns.
    pub account: Option<AccountId>,
    /// The product that it concerns.
    pub product: Option<ProductId>,
    /// The metric that it concerns.
    pub metric: Option<Metric>,
    /// The thing that it concerns, if it is not a product: a user, a machine, a server, a line.
    pub subject: Option<(NameKind, Id)>,
    /// Who says what, if sources disagree.
    pub disagreement: Option<Disagreement>,
    /// The period that it concerns.
    pub period: Period,
    /// How large it is, in the metric's unit or as a count.
    pub magnitude: Quantity,
    /// The first instant at which it holds; `MIN` if it is not bound to time.
    pub first_at: Timestamp,
    /// The end of the last interval in which it holds; `MAX` if it lasts.
    pub last_at: Timestamp,
    /// What it may cost, if the lines say what a unit costs.
    pub money: Option<Money>,
}

impl Discrepancy {
    /// A short stable name, made of what it concerns and not of how large it is.
    pub fn identity(&self) -> u64 {
        let subject = self.subject.map_or((255, 0), |(kind, id)| (kind.code(), id.0));
        let metric = self.metric.map_or(255, Metric::code);
        let claims = self
            .disagreement
            .map_or([255, 255], |both| [both.claim.code(), both.other_claim.code()]);
        hash64(&[
            self.kind.name().as_bytes(),
            &self.tenant.0.to_le_bytes(),
            &self.account.map_or(0, |account| account.0).to_le_bytes(),
            &self.product.map_or(0, |product| product.0).to_le_bytes(),
            &[metric, subject.0, claims[0], claims[1]],
            &subject.1.to_le_bytes(),
            &self.period.span.start.0.to_le_bytes(),
            &self.period.span.end.0.to_le_bytes(),
        ])
    }
}
