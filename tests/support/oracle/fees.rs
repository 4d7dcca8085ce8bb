//! What lines cost in periods and for terms, and what is still to be billed (2.8, 2.17, 2.20).

use super::names::Names;
use super::spans::{bounds, joined, pieces};
use super::{Case, Line};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::fee::{Bill, Fee};
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId};
use trueup_model::ledger::{BillDue, FeeDue};
use trueup_model::metric::Metric;
use trueup_model::position::LicensePosition;
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A line of a tenant.
type Key = (TenantId, LineId);

/// What a line holds, for whom.
type Holds = (AccountId, ProductId, Capacity);

/// What each line holds, and when.
fn held(lines: &[Line], names: &Names) -> BTreeMap<Key, Vec<(Span, Holds)>> {
    let mut found: BTreeMap<Key, Vec<(Span, Holds)>> = BTreeMap::new();
    for row in lines {
        let subject = super::rights::subject(row);
        for means in names.resolve(&subject).0 {
            let Some(span) = row.span.overlap(means.span) else { continue };
            let account = row.line.account.map_or(AccountId::root(row.tenant), |_| means.account);
            let holds = (account, means.product, row.line.quantity);
            found.entry((row.tenant, row.line.line.into())).or_default().push((span, holds));
        }
    }
    found
}

/// From the beginning to the end of what a line holds.
fn term(held: &[(Span, Holds)]) -> Option<Span> {
    let start = held.iter().map(|(span, _)| span.start).min()?;
    Some(Span::new(start, held.iter().map(|(span, _)| span.end).max()?))
}

/// What every line costs.
pub(super) fn fees(
    case: &Case<'_>,
    in_force: &[(Known, Span)],
    lines: &[Line],
    names: &Names,
) -> Vec<FeeDue> {
    let held = held(lines, names);
    let mut stated: BTreeMap<Key, Vec<(Span, Fee<Id>)>> = BTreeMap::new();
    for (row, span) in in_force {
        let Body::Fee(fee) = row.body else { continue };
        let Some(span) = fee.span.overlap(*span) else { continue };
        let said = Fee { span: Span::ALWAYS, ..fee };
        stated.entry((row.tenant, fee.line.into())).or_default().push((span, said));
    }
    let mut found = Vec::new();
    for (key, fees) in stated {
        let Some(own) = held.get(&key) else { continue };
        let kinds: BTreeSet<Fee<Id>> = fees.iter().map(|(_, fee)| *fee).collect();
        let all: BTreeSet<Holds> = own.iter().map(|(_, holds)| *holds).collect();
        let cuts = bounds(own.iter().map(|row| row.0).chain(fees.iter().map(|row| row.0)));
        let cuts = pieces(cuts);
        for (fee, holds) in kinds.iter().flat_map(|fee| all.iter().map(move |one| (fee, one))) {
            let costs = |at: Timestamp| {
                own.iter().any(|(span, one)| span.contains(at) && one == holds)
                    && fees.iter().any(|(span, one)| span.contains(at) && one == fee)
            };
            let rows = cuts.iter().map(|piece| (*piece, costs(piece.start)));
            for (span, _) in joined(rows).into_iter().filter(|(_, costs)| *costs) {
                let base = fee.base.map(|base| held.get(&(key.0, base.into())));
                let base = base.map(|rows| rows.and_then(|rows| term(rows)));
                let line = Costs { key, holds: *holds, fee: *fee, term: term(own), base, span };
                found.extend(line.dues(case.calendar(holds.0), case.horizon));
            }
        }
    }
    found
}

/// A line while it costs something.
struct Costs {
    key: Key,
    holds: Holds,
    fee: Fee<Id>,
    term: Option<Span>,
    /// The term of the base, if there is a base and it is known.
    base: Option<Option<Span>>,
    span: Span,
}

impl Costs {
    fn dues(&self, calendar: &Calendar, horizon: Timestamp) -> Vec<FeeDue> {
        if horizon == Timestamp::MIN || self.span.start > horizon {
            return Vec::new();
        }
        let free_until = self.free_until(calendar);
        let paid = Span::new(self.span.start.max(free_until).min(self.span.end), self.span.end);
        if self.fee.per == PeriodUnit::All {
            return vec![self.of_term(calendar, paid)];
        }
        let mut found = Vec::new();
        let mut at = self.span.start;
        while at > Timestamp::MIN && at <= horizon && at < self.span.end {
            let period = calendar.period(self.fee.per, at);
            let until = period.span.end.min(paid.end);
            let from = period.span.start.max(paid.start);
            let span = if from < until {
                Span::new(from, until)
            } else {
                Span::new(period.span.end, period.span.end)
            };
            let share = share(self.fee.day_count, span, period.span, calendar);
            found.push(self.due(period, span, share));
            at = period.span.end;
        }
        found
    }

    /// The end of the free days: so many local days after the line began, or its base if earlier.
    fn free_until(&self, calendar: &Calendar) -> Timestamp {
        let own = self.term.map(|term| term.start);
        let base = self.base.flatten().map(|term| term.start);
        let begins = own.into_iter().chain(base).min().unwrap_or(Timestamp::MIN);
        if begins == Timestamp::MIN || self.fee.trial_days == 0 {
            return Timestamp::MIN;
        }
        let local = calendar.zone.local(begins);
        let days = usize::try_from(self.fee.trial_days).unwrap_or(usize::MAX);
        let last = std::iter::successors(Some(local.date()), |day| day.tomorrow().ok()).nth(days);
        last.map_or(Timestamp::LATEST, |day| calendar.zone.instant(day.to_datetime(local.time())))
    }

    /// Once for the term, by the days of the base's term if there is one.
    fn of_term(&self, calendar: &Calendar, paid: Span) -> FeeDue {
        let limited = |span: &Span| span.start > Timestamp::MIN && span.end < Timestamp::MAX;
        let count = self.fee.day_count;
        let share = match self.base {
            None => match self.term.filter(limited) {
                Some(own) => share(count, paid, own, calendar),
                None => Some((1, 1)),
            },
            Some(base) => base
                .filter(limited)
                .filter(|_| limited(&paid))
                .and_then(|base| share(count, paid, base, calendar)),
        };
        self.due(Period::ALL, paid, share)
    }

    fn due(&self, period: Period, span: Span, share: Option<(i128, i128)>) -> FeeDue {
        let units = match self.holds.2 {
            _ if !self.fee.each => Some(Quantity::ONE),
            Capacity::Limited(units) => Some(units),
            Capacity::Unlimited | Capacity::Unknown => None,
        };
        let due = share.zip(units).map(|((part, whole), units)| {
            let all = i128::from(self.fee.amount.amount)
                * i128::from(self.fee.uplift.0)
                * i128::from(units.0)
                * part;
            // To whole cents, a half away from nothing.
            let cent = 1_000_000 * 1_000_000 * 10_000 * whole;
            let cents = (2 * all.abs() + cent) / (2 * cent) * all.signum();
            Money { amount: small(cents * 10_000), ..self.fee.amount }
        });
        FeeDue {
            tenant: self.key.0,
            account: self.holds.0,
            product: self.holds.1,
            line: self.key.1,
            period,
            span,
            amount: self.fee.amount,
            units: self.fee.each.then_some(self.holds.2),
            share: share.map(|(part, whole)| (small(part), small(whole))),
            due,
        }
    }
}

/// A figure of a world, which is small.
fn small(figure: i128) -> i64 {
    i64::try_from(figure).expect("figures of worlds are small")
}

/// How much of a whole a part is.
fn share(count: DayCount, part: Span, whole: Span, calendar: &Calendar) -> Option<(i128, i128)> {
    let (part, whole) = match count {
        DayCount::ActualInPeriod => (days(part, calendar), days(whole, calendar)),
        DayCount::Actual365 => (days(part, calendar), 365),
        DayCount::Months12 => (months(part, calendar), 12),
        DayCount::Seconds => (length(part), length(whole)),
    };
    (whole > 0).then_some((part, whole))
}

fn length(span: Span) -> i128 {
    i128::from(span.end.0) - i128::from(span.start.0)
}

/// The local days that end in a span.
fn days(span: Span, calendar: &Calendar) -> i128 {
    if span.end <= span.start {
        return 0;
    }
    let mut day = calendar.zone.local(span.start).date();
    let mut count = 0;
    while calendar.zone.day_end(day) <= span.end {
        count += 1;
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    count
}

/// How many months have passed from the first day of a span to its end.
fn months(span: Span, calendar: &Calendar) -> i128 {
    if span.end <= span.start {
        return 0;
    }
    let first = calendar.zone.local(span.start).date();
    let last = calendar.zone.local(span.end).date();
    let later = |months: i16| {
        let month = i16::from(first.month()) - 1 + months;
        let (year, month) = (first.year() + month / 12, i8::try_from(month % 12 + 1).ok()?);
        let begins = first.with().day(1).year(year).month(month).build().ok()?;
        begins.with().day(first.day().min(begins.days_in_month())).build().ok()
    };
    (1..).take_while(|months| later(*months).is_some_and(|day| day <= last)).count() as i128
}

/// The bills that are stated, by whom and what they are for.
fn billed(
    in_force: &[(Known, Span)],
    names: &Names,
) -> BTreeMap<(TenantId, AccountId, ProductId), Vec<Bill<Id>>> {
    let mut found: BTreeMap<_, Vec<Bill<Id>>> = BTreeMap::new();
    for (row, span) in in_force {
        let Body::Bill(bill) = row.body else { continue };
        if !span.contains(bill.at) {
            continue;
        }
        let (means, _) = names.at(&subject(row.tenant, &bill), bill.at);
        let account = bill.account.map_or(AccountId::root(row.tenant), |_| means.account);
        found.entry((row.tenant, account, means.product)).or_default().push(bill);
    }
    found
}

/// The subjects that bills speak of.
pub(super) fn subjects(in_force: &[(Known, Span)]) -> BTreeSet<Subject> {
    let subjects = in_force.iter().filter_map(|(row, span)| match &row.body {
        Body::Bill(bill) => span.contains(bill.at).then(|| subject(row.tenant, bill)),
        _ => None,
    });
    subjects.collect()
}

fn subject(tenant: TenantId, bill: &Bill<Id>) -> Subject {
    Subject {
        tenant,
        server: None,
        feature: bill.product.into(),
        user: None,
        device: None,
        account: bill.account.map(Into::into),
    }
}

/// What is still to be billed of what lines do not cover.
pub(super) fn bills(
    case: &Case<'_>,
    in_force: &[(Known, Span)],
    names: &Names,
    positions: &[LicensePosition],
) -> Vec<BillDue> {
    let unit = case.policy.position_period;
    let mut sums: BTreeMap<(TenantId, AccountId, ProductId, Period), (i128, i128)> =
        BTreeMap::new();
    for row in positions.iter().filter(|row| row.shortfall > Quantity::ZERO) {
        let key = row.key;
        if key.metric == Metric::Volume && key.period.unit == unit {
            let place = (key.tenant, key.account, key.product, key.period);
            sums.entry(place).or_default().0 += i128::from(row.shortfall.0);
        }
    }
    for ((tenant, account, product), bills) in billed(in_force, names) {
        for bill in bills {
            let period = case.calendar(account).period(unit, bill.at);
            let sums = sums.entry((tenant, account, product, period)).or_default();
            sums.1 += i128::from(bill.units.0);
        }
    }
    let mut found = Vec::new();
    for ((tenant, account, product, period), (beyond, billed)) in sums {
        let Some(billing) = case.settings.get(&product).and_then(|said| said.billing) else {
            continue;
        };
        let unit = i128::from(billing.unit.0);
        let total = ((beyond + unit - 1) / unit) * 1_000_000;
        let due = if billing.credits { total - billed } else { (total - billed).max(0) };
        let quantity = |millionths: i128| Quantity(small(millionths));
        found.push(BillDue {
            tenant,
            account,
            product,
            period,
            beyond: quantity(beyond),
            total: quantity(total),
            billed: quantity(billed),
            due: quantity(due),
        });
    }
    found
}
