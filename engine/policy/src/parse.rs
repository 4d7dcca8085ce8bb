//! Policy text to checked rules.
//!
//! The text is TOML; every key is optional and unknown keys are errors. See
//! [`Policy::from_toml`] for an example with all of them.

use crate::diagnostic::{Diagnostics, PolicyErrors};
use crate::pattern::Pattern;
use crate::rules::{
    Anomalies, Billing, Closing, ConflictRule, MetricSet, NamedUsers, Policy, ProductSettings,
    Rule, SeatHold, Statistic, SuiteOrder, TransferExpiry, UserMinimum, WholeUnits,
};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trueup_model::calendar::{PeriodUnit, Zone};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::processors::ProcessorRule;
use trueup_model::quantity::{Quantity, Rounding};
use trueup_model::time::{DAY_US, SECOND_US, Timestamp};

/// The period units that a policy may name, longest last.
const UNITS: [PeriodUnit; 7] = [
    PeriodUnit::Minute,
    PeriodUnit::Hour,
    PeriodUnit::Day,
    PeriodUnit::Month,
    PeriodUnit::Quarter,
    PeriodUnit::Year,
    PeriodUnit::All,
];

/// The longest time after which a period may close, and a denial may be met: one year.
const SECONDS_MAX: i64 = 366 * 86_400;

/// The longest retention: a century.
const RETENTION_DAYS_MAX: i64 = 36_525;

type Value<'i> = Spanned<DeValue<'i>>;
type Fields<'i> = DeTable<'i>;

impl Policy {
    /// Reads a policy.
    ///
    /// ```
    /// # use trueup_policy::Policy;
    /// let policy = Policy::from_toml(r#"
    /// name = "campus"
    /// time_zone = "Europe/Madrid"
    /// position_period = "month"       # minute hour day month quarter year all
    /// further_periods = ["all"]
    /// current_totals = false          # true: totals by today's account tree as well
    /// conflict = "first"              # or "last": which of two contradicting facts counts
    /// retention_days = 800            # what happened longer before it arrived is set aside; absent: nothing is
    /// transfer_expiry = "keep"        # or "reset": whether a transferred right ends with the one it came from
    /// attempt_window_seconds = 60
    /// standby_days = 10               # of a year, on which a standby may work
    ///
    /// [identity]
    /// case_sensitive = false
    /// default_domain = "corp.example.org"
    /// user_domain = "example.org"
    ///
    /// [closing]
    /// after_seconds = 21600           # a month closes six hours after its end
    /// periods = { "2025-06" = "2025-07-01T06:00:00Z" }
    ///
    /// [anomalies]                     # each is looked for only if its limit is given
    /// silence_seconds = 86400         # a daemon's log says nothing for longer
    /// stuck_after_seconds = 604800    # a checkout is open for longer
    /// duplicate_percent = 50          # more of what a document says is repetition
    /// ahead_seconds = 300             # an event arrives so long before it happens
    /// spike_deviations = 5            # a period's peak is further from the median of those before
    /// spike_periods = 6               # how many of them, 2 to 60
    ///
    /// [[rule]]                        # the first rule that matches a product decides
    /// products = ["MATLAB*", "*_Toolbox"]
    /// duplicates = "UH"               # NONE, SITE or letters of UHDV; absent: as licensed
    /// metrics = ["concurrent"]        # besides those of the lines
    /// named_users = "assigned"        # or "active"
    /// near_percent = 90
    /// shelfware_percent = 50
    /// session_silent_seconds = 600    # a checkout ends so long after its last sign of life
    /// session_drift_seconds = 30      # and a sign that is late by so much still counts
    /// session_longest_seconds = 86400 # a checkout ends so long after it began
    /// linger_seconds = 0              # a returned license is held for so long
    /// stale_after_seconds = 2592000   # what an inventory says counts for so long
    /// seat_hold_seconds = 7776000     # who gets a seat must keep it for so long
    /// seat_hold_counts = true         # given away sooner, it counts for both until then
    /// seat_idle_seconds = 7776000     # a seat without a sign of use for longer can be taken back
    /// allocation_idle_seconds = 7776000 # an allocation whose holder uses nothing for longer is reported
    /// renewal_gap_seconds = 2592000   # a right that lapses for at most so long was renewed too late
    /// processors = "windows_server"   # cores, processors, sql_server, oracle_processor, …
    /// statistic = "peak"              # usual peak mean end days, or a percentile such as "p99"
    /// resource = "level"              # what value units are converted from
    /// round = "up"                    # up down half_up half_even: converted units become whole
    /// round_parts = false             # of each product by itself
    /// users_per_core = 25             # named users are at least so many; or users_per_license
    /// billing_unit = "4"              # metered use beyond the lines is billed in whole fours
    /// billing_credits = true          # and what was billed too much is given back
    /// suite_order = "suite_first"     # or "component_first": components that were bought count as such
    /// "#)?;
    /// assert_eq!(policy.product("matlab coder").duplicates.unwrap().to_string(), "UH");
    /// # Ok::<(), trueup_policy::PolicyErrors>(())
    /// ```
    ///
    /// # Errors
    /// All problems of the text, each with its place.
    pub fn from_toml(text: &str) -> Result<Self, PolicyErrors> {
        let mut found = Diagnostics::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            found.report(error.span().map_or(0, |span| span.start), error.message());
        }
        let mut policy = Self::default();
        if errors.is_empty() {
            read_policy(root.get_ref(), &mut policy, &mut found);
        }
        found.finish(policy)
    }
}

fn read_policy(root: &Fields<'_>, policy: &mut Policy, found: &mut Diagnostics<'_>) {
    for (key, value) in root {
        let offset = key.span().start;
        match key.get_ref().as_ref() {
            "name" => set(&mut policy.name, string(value, found).map(str::to_owned)),
            "time_zone" => set(&mut policy.zone, zone(value, found)),
            "position_period" => set(&mut policy.position_period, unit(value, found)),
            "further_periods" => {
                set(&mut policy.further_periods, list(value, found, unit));
            }
            "current_totals" => set(&mut policy.current_totals, boolean(value, found)),
            "conflict" => {
                let rules = [("first", ConflictRule::First), ("last", ConflictRule::Last)];
                set(&mut policy.conflict, choice(value, &rules, found));
            }
            "retention_days" => {
                let days = number(value, 1..=RETENTION_DAYS_MAX, found);
                policy.retention_us = days.map(|days| days * DAY_US).or(policy.retention_us);
            }
            "transfer_expiry" => {
                let rules = [("keep", TransferExpiry::Keep), ("reset", TransferExpiry::Reset)];
                set(&mut policy.transfer_expiry, choice(value, &rules, found));
            }
            "attempt_window_seconds" => set(&mut policy.attempt_window_us, seconds(value, found)),
            "standby_days" => {
                let days = number(value, 0..=366, found);
                set(&mut policy.standby_days, days.and_then(|days| u16::try_from(days).ok()));
            }
            "identity" => read_identity(value, policy, found),
            "closing" => set(&mut policy.closing, read_closing(value, found)),
            "anomalies" => set(&mut policy.anomalies, read_anomalies(value, found)),
            "rule" => set(&mut policy.rules, list(value, found, read_rule)),
            other => unknown(other, offset, POLICY_KEYS, found),
        }
    }
    let position = policy.position_period;
    policy.further_periods.sort();
    policy.further_periods.dedup();
    policy.further_periods.retain(|further| *further != position);
}

const POLICY_KEYS: &str = "name, time_zone, position_period, further_periods, current_totals, \
    conflict, retention_days, transfer_expiry, attempt_window_seconds, standby_days, identity, closing, anomalies, rule";

fn read_identity(section: &Value<'_>, policy: &mut Policy, found: &mut Diagnostics<'_>) {
    let Some(fields) = table(section, found) else { return };
    let rules = &mut policy.identity;
    for (key, value) in fields {
        match key.get_ref().as_ref() {
            "case_sensitive" => set(&mut rules.case_sensitive, boolean(value, found)),
            "default_domain" => {
                rules.default_domain = string(value, found).map(str::to_lowercase);
            }
            "user_domain" => rules.user_domain = string(value, found).map(str::to_lowercase),
            other => {
                let keys = "case_sensitive, default_domain, user_domain";
                unknown(other, key.span().start, keys, found);
            }
        }
    }
}

fn read_closing(section: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Closing> {
    let mut closing = Closing::default();
    for (key, value) in table(section, found)? {
        match key.get_ref().as_ref() {
            "after_seconds" => closing.after_us = seconds(value, found),
            "periods" => {
                let fixed = table(value, found)?.iter().filter_map(|(label, at)| {
                    let text = string(at, found)?;
                    match text.parse::<Timestamp>() {
                        Ok(instant) => Some((label.get_ref().to_string(), instant)),
                        Err(error) => {
                            found.report(at.span().start, error.to_string());
                            None
                        }
                    }
                });
                closing.fixed = fixed.collect::<BTreeMap<_, _>>();
            }
            other => unknown(other, key.span().start, "after_seconds, periods", found),
        }
    }
    Some(closing)
}

fn read_anomalies(section: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Anomalies> {
    let mut limits = Anomalies::default();
    for (key, value) in table(section, found)? {
        match key.get_ref().as_ref() {
            "silence_seconds" => limits.silence_us = seconds(value, found),
            "stuck_after_seconds" => limits.stuck_after_us = seconds(value, found),
            "ahead_seconds" => limits.ahead_us = seconds(value, found),
            "duplicate_percent" => limits.duplicate_percent = percent(value, found),
            "spike_deviations" => limits.spike_deviations = count(value, 1..=100, found),
            "spike_periods" => set(&mut limits.spike_periods, count(value, 2..=60, found)),
            other => {
                let keys = "silence_seconds, stuck_after_seconds, ahead_seconds, duplicate_percent, \
                    spike_deviations, spike_periods";
                unknown(other, key.span().start, keys, found);
            }
        }
    }
    Some(limits)
}

fn read_rule(section: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Rule> {
    let mut settings = ProductSettings::default();
    let mut products = Vec::new();
    for (key, value) in table(section, found)? {
        match key.get_ref().as_ref() {
            "products" => {
                let patterns =
                    list(value, found, |item, found| string(item, found).map(Pattern::new));
                set(&mut products, patterns);
            }
            "duplicates" => {
                let text = string(value, found);
                settings.duplicates = text.and_then(Duplicates::parse);
                if text.is_some() && settings.duplicates.is_none() {
                    found.report(value.span().start, "expected NONE, SITE or letters of UHDV");
                }
            }
            "metrics" => {
                let metrics = list(value, found, metric).unwrap_or_default();
                settings.metrics = metrics.into_iter().fold(MetricSet::default(), MetricSet::with);
            }
            "named_users" => {
                let kinds = [("assigned", NamedUsers::Assigned), ("active", NamedUsers::Active)];
                set(&mut settings.named_users, choice(value, &kinds, found));
            }
            "suite_order" => {
                let (suite, component) = (SuiteOrder::SuiteFirst, SuiteOrder::ComponentFirst);
                let orders = [("suite_first", suite), ("component_first", component)];
                set(&mut settings.suite_order, choice(value, &orders, found));
            }
            "near_percent" => set(&mut settings.near_percent, percent(value, found)),
            "shelfware_percent" => set(&mut settings.shelfware_percent, percent(value, found)),
            other if read_counting(other, value, &mut settings, found) => {}
            other => unknown(other, key.span().start, RULE_KEYS, found),
        }
    }
    if settings.seat_hold.is_some_and(|hold| hold.least_us == 0) {
        found.report(section.span().start, "`seat_hold_counts` needs `seat_hold_seconds` above 0");
    }
    if settings.billing.is_some_and(|billing| billing.unit == Quantity::ZERO) {
        found.report(section.span().start, "`billing_credits` needs `billing_unit`");
    }
    if products.is_empty() {
        found.report(section.span().start, "a rule needs `products`, such as [\"*\"]");
    }
    Some(Rule { products, settings })
}

const RULE_KEYS: &str = "products, duplicates, metrics, named_users, near_percent, \
    shelfware_percent, session_silent_seconds, session_drift_seconds, session_longest_seconds, \
    linger_seconds, stale_after_seconds, seat_hold_seconds, seat_hold_counts, seat_idle_seconds, \
    allocation_idle_seconds, renewal_gap_seconds, processors, statistic, resource, round, round_parts, users_per_core, users_per_license, \
    billing_unit, billing_credits, suite_order";

/// Reads a key that says how use is counted; false if it is none.
fn read_counting(
    key: &str,
    value: &Value<'_>,
    settings: &mut ProductSettings,
    found: &mut Diagnostics<'_>,
) -> bool {
    match key {
        "session_silent_seconds" => settings.lifetime.silent_us = seconds(value, found),
        "session_drift_seconds" => set(&mut settings.lifetime.drift_us, seconds(value, found)),
        "session_longest_seconds" => settings.lifetime.longest_us = seconds(value, found),
        "linger_seconds" => set(&mut settings.lifetime.linger_us, seconds(value, found)),
        "stale_after_seconds" => settings.stale_after_us = seconds(value, found),
        "seat_hold_seconds" => {
            let counts = settings.seat_hold.is_some_and(|hold| hold.counts);
            let least = seconds(value, found);
            settings.seat_hold = least.map(|least_us| SeatHold { least_us, counts });
        }
        "seat_hold_counts" => {
            let counts = boolean(value, found).unwrap_or_default();
            let least_us = settings.seat_hold.map_or(0, |hold| hold.least_us);
            settings.seat_hold = Some(SeatHold { least_us, counts });
        }
        "seat_idle_seconds" => settings.seat_idle_us = seconds(value, found),
        "allocation_idle_seconds" => settings.allocation_idle_us = seconds(value, found),
        "renewal_gap_seconds" => settings.renewal_gap_us = seconds(value, found),
        "processors" => {
            set(&mut settings.processors, choice(value, &ProcessorRule::NAMED, found));
        }
        "statistic" => set(&mut settings.statistic, statistic(value, found)),
        "resource" => set(&mut settings.resource, metric(value, found)),
        "round" => {
            let rounding = choice(value, &ROUNDINGS, found);
            let parts = settings.round.is_some_and(|round| round.parts);
            settings.round = rounding.map(|rounding| WholeUnits { rounding, parts });
        }
        "round_parts" => {
            let parts = boolean(value, found).unwrap_or_default();
            let rounding = settings.round.map_or(Rounding::Ceil, |round| round.rounding);
            if parts || settings.round.is_some() {
                settings.round = Some(WholeUnits { rounding, parts });
            }
        }
        "users_per_core" | "users_per_license" => {
            let each = number(value, 0..=1_000_000, found);
            let each = each.and_then(|each| u32::try_from(each).ok()).unwrap_or_default();
            settings.user_minimum = UserMinimum { each, by_license: key == "users_per_license" };
        }
        "billing_unit" => {
            let credits = settings.billing.is_some_and(|billing| billing.credits);
            let unit = measure(value, found);
            settings.billing = unit.map(|unit| Billing { unit, credits });
        }
        "billing_credits" => {
            let credits = boolean(value, found).unwrap_or_default();
            let unit = settings.billing.map_or(Quantity::ZERO, |billing| billing.unit);
            settings.billing = Some(Billing { unit, credits });
        }
        _ => return false,
    }
    true
}

const ROUNDINGS: [(&str, Rounding); 4] = [
    ("up", Rounding::Ceil),
    ("down", Rounding::Floor),
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
];

/// `usual`, `peak`, `mean`, `end`, `days`, or `p1` to `p100`.
fn statistic(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Statistic> {
    let text = string(value, found)?;
    let percent = text.strip_prefix('p').and_then(|digits| digits.parse::<u8>().ok());
    match (text, percent) {
        ("usual", _) => Some(Statistic::Usual),
        ("peak", _) => Some(Statistic::Peak),
        ("mean", _) => Some(Statistic::Mean),
        ("end", _) => Some(Statistic::End),
        ("days", _) => Some(Statistic::Days),
        (_, Some(rank @ 1..=100)) => Some(Statistic::Percentile(rank)),
        _ => {
            let known = "usual, peak, mean, end, days, and percentiles from p1 to p100";
            found
                .report(value.span().start, format!("`{text}` is no statistic; known are {known}"));
            None
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn unknown(key: &str, offset: usize, known: &str, found: &mut Diagnostics<'_>) {
    found.report(offset, format!("`{key}` is not a key here; known are {known}"));
}

fn expected<T>(what: &str, value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<T> {
    let got = value.get_ref().type_str();
    found.report(value.span().start, format!("expected {what}, found {got}"));
    None
}

fn string<'v>(value: &'v Value<'_>, found: &mut Diagnostics<'_>) -> Option<&'v str> {
    value.get_ref().as_str().or_else(|| expected("a text in quotes", value, found))
}

fn boolean(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<bool> {
    value.get_ref().as_bool().or_else(|| expected("true or false", value, found))
}

fn table<'v, 'i>(value: &'v Value<'i>, found: &mut Diagnostics<'_>) -> Option<&'v Fields<'i>> {
    value.get_ref().as_table().or_else(|| expected("a table", value, found))
}

fn list<T>(
    value: &Value<'_>,
    found: &mut Diagnostics<'_>,
    mut item: impl FnMut(&Value<'_>, &mut Diagnostics<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = value.get_ref().as_array().or_else(|| expected("a list", value, found))?;
    Some(items.iter().filter_map(|one| item(one, found)).collect())
}

fn number(
    value: &Value<'_>,
    range: std::ops::RangeInclusive<i64>,
    found: &mut Diagnostics<'_>,
) -> Option<i64> {
    let what = format!("a whole number from {} to {}", range.start(), range.end());
    let read = value
        .get_ref()
        .as_integer()
        .and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok())
        .filter(|read| range.contains(read));
    read.or_else(|| expected(&what, value, found))
}

/// A quantity above zero: a whole number, or a decimal one as text.
fn measure(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Quantity> {
    let whole = value.get_ref().as_integer().map(toml::de::DeInteger::as_str);
    let text = whole.or_else(|| value.get_ref().as_str());
    let read = text.and_then(|text| text.parse::<Quantity>().ok());
    let above = read.filter(|quantity| *quantity > Quantity::ZERO);
    above.or_else(|| expected("a quantity above zero, such as 4 or \"0.5\"", value, found))
}

fn seconds(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<i64> {
    number(value, 0..=SECONDS_MAX, found).map(|seconds| seconds * SECOND_US)
}

fn count(
    value: &Value<'_>,
    range: std::ops::RangeInclusive<i64>,
    found: &mut Diagnostics<'_>,
) -> Option<u8> {
    number(value, range, found).and_then(|count| u8::try_from(count).ok())
}

fn percent(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<u8> {
    number(value, 0..=100, found).and_then(|percent| u8::try_from(percent).ok())
}

fn choice<T: Copy>(
    value: &Value<'_>,
    known: &[(&str, T)],
    found: &mut Diagnostics<'_>,
) -> Option<T> {
    let text = string(value, found)?;
    let chosen = known.iter().find(|(name, _)| *name == text).map(|(_, chosen)| *chosen);
    if chosen.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let message = format!("`{text}` is none of {}", names.join(", "));
        found.report(value.span().start, message);
    }
    chosen
}

fn unit(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<PeriodUnit> {
    choice(value, &UNITS.map(|unit| (unit.name(), unit)), found)
}

fn metric(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Metric> {
    choice(value, &Metric::ALL.map(|metric| (metric.name(), metric)), found)
}

fn zone(value: &Value<'_>, found: &mut Diagnostics<'_>) -> Option<Zone> {
    match Zone::named(string(value, found)?) {
        Ok(zone) => Some(zone),
        Err(error) => {
            found.report(value.span().start, error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests;
