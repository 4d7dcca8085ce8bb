//! True-up: what is owed for use above what was entitled, each excess once in a term.
//!
//! shortfall_k = max_t (demand(t) − entitled(t)) in period k
//! owed_k      = max(0, shortfall_k − max { shortfall_j : j < k in the term })
//!
//! The term is the year of the account, from its anchor if it states one. What was owed once counts as
//! entitled until the term ends. The shortfall is the position's, so it compares at each instant, and a right that is bought in the
//! middle of a period excuses nothing before it. Of what is owed, the part of the months that are left of
//! the term after the period is said as well.
//!
//! Work per change: the periods of the position's term.

use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::given::Given;
use crate::judge::Judged;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::ledger::TrueUp;
use trueup_model::metric::Metric;
use trueup_model::position::PositionKey;
use trueup_model::proration::{DayCount, Share};
use trueup_model::quantity::{Money, ONE_UNIT, Quantity, Rounding};
use trueup_model::time::Span;
use trueup_model::true_up::owed;
use trueup_policy::Policy;

/// Periods that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Series {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
    metric: Metric,
}

/// What of a position matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Short {
    period: Period,
    current: bool,
    shortfall: Quantity,
    unit_price: Option<Money>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Short(Series, Short),
    Zone(AccountZone),
}

/// Gives what is owed for each period with a shortfall.
pub fn true_up<'s>(
    short: Facts<'s, Judged>,
    zones: Facts<'s, AccountZone>,
    policy: Policy,
) -> Facts<'s, TrueUp> {
    let unit = policy.position_period;
    let short = short.flat_map(move |(position, _)| {
        let counts = position.key.period.unit == unit && position.shortfall > Quantity::ZERO;
        let PositionKey { tenant, account, product, metric, period } = position.key;
        let row = Short {
            period,
            current: position.current,
            shortfall: position.shortfall,
            unit_price: position.unit_price,
        };
        counts.then_some(Heard::Short(Series { tenant, account, product, metric }, row))
    });
    let keyed = by_key(short, |heard| match heard {
        Heard::Short(series, _) => mix(&[series.account.0, series.product.0]),
        Heard::Zone(_) => 0,
    });
    let zones = everywhere(zones.map(Heard::Zone));
    let mut state =
        State { calendars: Calendars::new(policy.zone.clone()), series: IdMap::default() };
    each_epoch(keyed.concat(zones), "True-up", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

#[derive(Default)]
struct Entry {
    short: BTreeMap<(Span, Short), Diff>,
    given: Given<Span, TrueUp>,
}

struct State {
    calendars: Calendars,
    series: IdMap<Series, Entry>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<TrueUp>) {
        let mut dirty: BTreeSet<Series> = BTreeSet::new();
        let mut moved: BTreeSet<AccountId> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Short(series, short) => {
                    let entry = self.series.entry(series).or_default();
                    let key = (short.period.span, short);
                    let count = entry.short.entry(key).or_default();
                    *count += diff;
                    if *count == 0 {
                        entry.short.remove(&key);
                    }
                    dirty.insert(series);
                }
                Heard::Zone(zone) => {
                    let account = zone.account;
                    if self.calendars.hear(zone, diff) {
                        moved.insert(account);
                    }
                }
            }
        }
        dirty.extend(self.series.keys().filter(|series| moved.contains(&series.account)));
        for series in dirty {
            let calendar = self.calendars.of(series.account);
            let Some(entry) = self.series.get_mut(&series) else { continue };
            for span in entry.given.keys(..) {
                entry.given.set(span, None);
            }
            let mut terms: BTreeMap<Span, Vec<Short>> = BTreeMap::new();
            for (_, short) in entry.short.keys() {
                terms.entry(term(calendar, short.period)).or_default().push(*short);
            }
            for (term, periods) in terms {
                let each = owed(periods.iter().map(|short| short.shortfall));
                for (short, owed) in periods.iter().zip(each) {
                    let row = row(&series, short, owed, term, calendar);
                    entry.given.set(short.period.span, Some(row));
                }
            }
            entry.given.flush(changes, |row| row);
            if entry.short.is_empty() {
                self.series.remove(&series);
            }
        }
    }
}

/// The term of a period: its year in the account's calendar, or all of time.
fn term(calendar: &Calendar, period: Period) -> Span {
    let unit = match period.unit {
        PeriodUnit::All => PeriodUnit::All,
        PeriodUnit::Minute
        | PeriodUnit::Hour
        | PeriodUnit::Day
        | PeriodUnit::Month
        | PeriodUnit::Quarter
        | PeriodUnit::Year => PeriodUnit::Year,
    };
    calendar.period(unit, period.span.start).span
}

fn row(series: &Series, short: &Short, owed: Quantity, term: Span, calendar: &Calendar) -> TrueUp {
    let Series { tenant, account, product, metric } = *series;
    let whole = Share::new(i128::from(owed.0), i128::from(ONE_UNIT));
    let amount = short
        .unit_price
        .zip(whole)
        .and_then(|(price, share)| share.of_money(price, 6, Rounding::HalfUp));
    let left = Span::new(short.period.span.end, term.end);
    let share = match short.period.unit {
        PeriodUnit::All => None,
        PeriodUnit::Minute
        | PeriodUnit::Hour
        | PeriodUnit::Day
        | PeriodUnit::Month
        | PeriodUnit::Quarter
        | PeriodUnit::Year => DayCount::Months12.share(left, term, &calendar.zone),
    };
    let for_the_rest =
        amount.zip(share).and_then(|(amount, share)| share.of_money(amount, 6, Rounding::HalfUp));
    TrueUp {
        key: PositionKey { tenant, account, product, metric, period: short.period },
        current: short.current,
        shortfall: short.shortfall,
        owed,
        amount,
        for_the_rest,
    }
}
