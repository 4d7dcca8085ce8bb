//! What a policy can say: the checked rules, with their defaults.

use crate::pattern::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::{Calendar, Period, PeriodUnit, Zone};
use trueup_model::identity::IdentityRules;
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::processors::ProcessorRule;
use trueup_model::quantity::{Quantity, Rounding};
use trueup_model::time::{SECOND_US, Timestamp};

/// The rules under which every figure of a run is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the policy is called.
    pub name: String,
    /// The zone whose days and months count where an account names none.
    pub zone: Zone,
    /// How names compare.
    pub identity: IdentityRules,
    /// The period for which positions are kept.
    pub position_period: PeriodUnit,
    /// Further periods for which totals are kept; never the position period again.
    pub further_periods: Vec<PeriodUnit>,
    /// Whether totals are also kept by the account tree of the horizon.
    pub current_totals: bool,
    /// The first rule whose pattern matches a product decides.
    pub rules: Vec<Rule>,
    /// Which of two facts of one identity counts.
    pub conflict: ConflictRule,
    /// How long before its arrival an event may have happened; `None` for any time. What was withdrawn is
    /// forgotten twice as long after.
    pub retention_us: Option<i64>,
    /// Until when transferred rights hold.
    pub transfer_expiry: TransferExpiry,
    /// For how long after a denial a checkout still meets it.
    pub attempt_window_us: i64,
    /// When periods close.
    pub closing: Closing,
    /// What is out of the ordinary.
    pub anomalies: Anomalies,
    /// On how many days of a calendar year a standby may work before its use counts.
    pub standby_days: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            zone: Zone::utc(),
            identity: IdentityRules::default(),
            position_period: PeriodUnit::Month,
            further_periods: vec![PeriodUnit::All],
            current_totals: false,
            rules: Vec::new(),
            conflict: ConflictRule::First,
            retention_us: None,
            transfer_expiry: TransferExpiry::Keep,
            attempt_window_us: 60 * SECOND_US,
            closing: Closing::default(),
            anomalies: Anomalies::default(),
            standby_days: 10,
        }
    }
}

impl Policy {
    /// The settings of a product by its name.
    pub fn product(&self, name: &str) -> ProductSettings {
        self.rules
            .iter()
            .find(|rule| rule.products.iter().any(|pattern| pattern.matches(name)))
            .map_or_else(ProductSettings::default, |rule| rule.settings)
    }

    /// Every period unit for which figures are kept, the position period first.
    pub fn periods(&self) -> impl Iterator<Item = PeriodUnit> {
        std::iter::once(self.position_period).chain(self.further_periods.iter().copied())
    }
}

/// The settings of the products whose names match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which products, by name.
    pub products: Vec<Pattern>,
    /// What holds for them.
    pub settings: ProductSettings,
}

/// What holds for one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProductSettings {
    /// How checkouts are charged, whatever the license file says; `None` leaves it to the file.
    pub duplicates: Option<Duplicates>,
    /// The metrics to count besides those of the product's lines.
    pub metrics: MetricSet,
    /// What a named user is.
    pub named_users: NamedUsers,
    /// From how many percent of the entitled quantity on use is called near the limit.
    pub near_percent: u8,
    /// From how many percent of the entitled quantity on a surplus is called shelfware.
    pub shelfware_percent: u8,
    /// When checkouts end that nothing ends.
    pub lifetime: SessionLifetime,
    /// For how long what an inventory said counts, if no later one comes.
    pub stale_after_us: Option<i64>,
    /// For how long who gets a seat must keep it.
    pub seat_hold: Option<SeatHold>,
    /// For how long a seat may go without a sign of use.
    pub seat_idle_us: Option<i64>,
    /// For how long an allocation may go without use by its holder.
    pub allocation_idle_us: Option<i64>,
    /// How long a gap before a renewal is at most; a longer one is no renewal.
    pub renewal_gap_us: Option<i64>,
    /// How processors are counted.
    pub processors: ProcessorRule,
    /// What of a period's levels is compared with the rights.
    pub statistic: Statistic,
    /// Which use is the resource that value units are converted from.
    pub resource: Metric,
    /// How a converted quantity becomes whole.
    pub round: Option<WholeUnits>,
    /// The least count of named users.
    pub user_minimum: UserMinimum,
    /// How metered use is billed.
    pub billing: Option<Billing>,
    /// Whether the product, if it is a suite, covers components that have rights of their own.
    pub suite_order: SuiteOrder,
}

impl Default for ProductSettings {
    fn default() -> Self {
        Self {
            duplicates: None,
            metrics: MetricSet::default(),
            named_users: NamedUsers::Assigned,
            near_percent: 90,
            shelfware_percent: 50,
            lifetime: SessionLifetime::default(),
            stale_after_us: None,
            seat_hold: None,
            seat_idle_us: None,
            allocation_idle_us: None,
            renewal_gap_us: None,
            processors: ProcessorRule::default(),
            statistic: Statistic::default(),
            resource: Metric::Level,
            round: None,
            user_minimum: UserMinimum::default(),
            billing: None,
            suite_order: SuiteOrder::default(),
        }
    }
}

/// Which right a machine's components use that make up a suite (semantics A 2.15).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum SuiteOrder {
    /// That of the suite.
    #[default]
    SuiteFirst,
    /// Their own, if each of them has a line in force; else that of the suite. A suite that is installed
    /// as such covers its components all the same.
    ComponentFirst,
}

/// When a checkout ends that nothing returns (semantics A 2.3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SessionLifetime {
    /// So long after its last sign of life.
    pub silent_us: Option<i64>,
    /// By how much a sign of life may be late and still count.
    pub drift_us: i64,
    /// So long after its beginning.
    pub longest_us: Option<i64>,
    /// So long after its return the license is still held.
    pub linger_us: i64,
}

/// What of a period's levels is compared with the rights (semantics A 2.1, 2.3, 2.10).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Statistic {
    /// As the metric does: the mean of levels, the peak of everything else.
    #[default]
    Usual,
    /// The greatest level.
    Peak,
    /// The level over time, divided by the length of the period.
    Mean,
    /// The hourly peak of this rank, in percent from below.
    Percentile(u8),
    /// The level at the end.
    End,
    /// The days on which each holder held something, divided by the days of the period.
    Days,
}

/// How a converted quantity becomes whole: in which direction, and what is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WholeUnits {
    /// In which direction.
    pub rounding: Rounding,
    /// Whether the part of each product is rounded, or else their sum.
    pub parts: bool,
}

/// The least count of named users, by the processors on which a product is installed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UserMinimum {
    /// At least so many for each.
    pub each: u32,
    /// For each processor license by the processor rule, or else for each core.
    pub by_license: bool,
}

/// How metered use is billed (semantics A 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Billing {
    /// What is metered of one billing unit; above zero.
    pub unit: Quantity,
    /// Whether what was billed too much is given back.
    pub credits: bool,
}

/// For how long who gets a seat must keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeatHold {
    /// For how long, in microseconds.
    pub least_us: i64,
    /// Whether a seat that someone else got too soon counts for both until then.
    pub counts: bool,
}

/// Whom the named-user metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NamedUsers {
    /// Who holds a seat at an instant.
    Assigned,
    /// Who used it in the period.
    Active,
}

/// A set of metrics.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MetricSet(u16);

impl MetricSet {
    /// The set with one more metric.
    #[must_use]
    pub fn with(self, metric: Metric) -> Self {
        Self(self.0 | 1 << metric.code())
    }

    /// Whether the metric is in it.
    pub fn contains(self, metric: Metric) -> bool {
        self.0 & 1 << metric.code() != 0
    }

    /// The metrics in it, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Metric> {
        Metric::ALL.into_iter().filter(move |metric| self.contains(*metric))
    }
}

/// Which of two facts of one identity and revision counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictRule {
    /// The one that arrived first.
    First,
    /// The one that arrived last.
    Last,
}

/// Until when a right holds that was taken over from another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferExpiry {
    /// As long as the line would have held that it was taken from, and its own line holds.
    Keep,
    /// As long as its own line holds.
    Reset,
}

/// When periods close; a closed period's figure stays as issued, what comes later is an adjustment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// For how long after its end a position period stays open; `None` never closes any.
    pub after_us: Option<i64>,
    /// Periods that close at an instant of their own, by label.
    pub fixed: BTreeMap<String, Timestamp>,
}

impl Closing {
    /// Whether any period closes.
    pub fn closes_any(&self) -> bool {
        self.after_us.is_some() || !self.fixed.is_empty()
    }

    /// When the period closes, if it does.
    pub fn of(&self, calendar: &Calendar, period: Period) -> Option<Timestamp> {
        if period.unit == PeriodUnit::All {
            return None;
        }
        let fixed = match self.fixed.is_empty() {
            true => None,
            false => self.fixed.get(&calendar.label(period)).copied(),
        };
        fixed.or_else(|| self.after_us.map(|after| period.span.end.plus_us(after)))
    }
}

/// What is out of the ordinary; nothing is looked for whose limit is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomalies {
    /// For how long the log of a daemon may say nothing.
    pub silence_us: Option<i64>,
    /// For how long a checkout may be open.
    pub stuck_after_us: Option<i64>,
    /// How many percent of what a document says may be repetition.
    pub duplicate_percent: Option<u8>,
    /// By how much an event may arrive before it happens.
    pub ahead_us: Option<i64>,
    /// How many spreads the peak of a period may be from the median of those before it.
    pub spike_deviations: Option<u8>,
    /// How many periods a habit is made of.
    pub spike_periods: u8,
}

impl Default for Anomalies {
    fn default() -> Self {
        Self {
            silence_us: None,
            stuck_after_us: None,
            duplicate_percent: None,
            ahead_us: None,
            spike_deviations: None,
            spike_periods: 6,
        }
    }
}
