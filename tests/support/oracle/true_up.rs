//! What is owed for shortfalls, each excess once in a year (2.19).

use super::Case;
use std::collections::BTreeMap;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::ledger::TrueUp;
use trueup_model::position::{LicensePosition, PositionKey};
use trueup_model::quantity::{Money, Quantity};
use trueup_model::time::Span;

/// What each period with a shortfall owes beyond the greatest shortfall before it in its year.
pub(super) fn true_ups(case: &Case<'_>, positions: &[LicensePosition]) -> Vec<TrueUp> {
    let unit = case.policy.position_period;
    let short: Vec<&LicensePosition> = positions
        .iter()
        .filter(|row| row.key.period.unit == unit && row.shortfall > Quantity::ZERO)
        .collect();
    // The account's year: from its anchor, if it states one.
    let year = |key: &PositionKey| {
        let calendar = case.calendar(key.account);
        let has_years = key.period.unit != PeriodUnit::All;
        has_years.then(|| calendar.period(PeriodUnit::Year, key.period.span.start).span)
    };
    let mut years: BTreeMap<(PositionKey, Option<Span>), Vec<&LicensePosition>> = BTreeMap::new();
    let place = |key: PositionKey| (PositionKey { period: Period::ALL, ..key }, year(&key));
    for row in &short {
        years.entry(place(row.key)).or_default().push(*row);
    }
    let mut found = Vec::new();
    for (row, same) in years.values().flat_map(|same| same.iter().map(move |row| (row, same))) {
        let begins = row.key.period.span.start;
        let before = same.iter().filter(|other| other.key.period.span.start < begins);
        let settled = before.map(|other| other.shortfall.0).max().unwrap_or(0);
        let owed = Quantity((row.shortfall.0 - settled).max(0));
        let nearest = |dividend: i128, divisor: i128| {
            let (whole, rest) = (dividend / divisor, dividend % divisor);
            i64::try_from(whole + i128::from(2 * rest >= divisor)).ok()
        };
        let amount = row.unit_price.and_then(|price| {
            let all = i128::from(owed.0) * i128::from(price.amount);
            Some(Money { amount: nearest(all, 1_000_000)?, ..price })
        });
        let zone = &case.calendar(row.key.account).zone;
        let end = zone.local(row.key.period.span.end);
        // A month that has begun is not left; nor is any after the year.
        let left = year(&row.key).map(|year| {
            let turn = zone.local(year.end);
            let years = i128::from(turn.year()) - i128::from(end.year());
            let months = i128::from(turn.month()) - i128::from(end.month());
            let reached = turn.day() >= end.day() || turn.day() == turn.date().days_in_month();
            (years * 12 + months - i128::from(!reached)).max(0)
        });
        let for_the_rest = amount.zip(left).and_then(|(money, left)| {
            let all = i128::from(money.amount) * left;
            Some(Money { amount: nearest(all, 12)?, ..money })
        });
        found.push(TrueUp {
            key: row.key,
            current: row.current,
            shortfall: row.shortfall,
            owed,
            amount,
            for_the_rest,
        });
    }
    found
}
