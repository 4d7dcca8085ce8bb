//! What a policy can say: the checked rules, with their defaults.

use crate::pattern::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::{Calendar, Period, PeriodUnit, Zone};
use trueup_model::identity::IdentityRules;
use trueup_model::metric::{Duplicates, Metric};
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
    /// The first rule whose pattern matches a product decides.
    pub rules: Vec<Rule>,
    /// Which of two facts of one identity counts.
    pub conflict: ConflictRule,
    /// For how long after a denial a checkout still meets it.
    pub attempt_window_us: i64,
    /// When periods close.
    pub closing: Closing,
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
            rules: Vec::new(),
            conflict: ConflictRule::First,
            attempt_window_us: 60 * SECOND_US,
            closing: Closing::default(),
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
}

impl Default for ProductSettings {
    fn default() -> Self {
        Self {
            duplicates: None,
            metrics: MetricSet::default(),
            named_users: NamedUsers::Assigned,
            near_percent: 90,
            shelfware_percent: 50,
        }
    }
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

/// When periods close; a closed period's figure stays as issued, what comes later is an adjustment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// For how long after its end a position period stays open; `None` never closes any.
    pub after_us: Option<i64>,
    /// Periods that close at an instant of their own, by label.
    pub fixed: BTreeMap<String, Timestamp>,
}

impl Closing {
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
