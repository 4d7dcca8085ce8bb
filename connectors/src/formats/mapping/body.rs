//! What a row says: its fields as the body of a fact.

use super::cell::Fault;
use super::field::{Field, Kind, PERIOD_UNITS, YES_OR_NO};
use super::plan::Record;
use super::{MissingTime, shown};
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::calendar::PeriodUnit;
use trueup_model::catalog::{Alias, AliasKind, Product};
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::fact::Body;
use trueup_model::fee::{Bill, Fee};
use trueup_model::metric::Metric;
use trueup_model::org::{Account, MemberKind, Membership};
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{Seat, SeatClass, UsageEvent, UsageOp};

/// What the row says, or why it cannot be taken.
///
/// `arrived_at` stands in for the time of an event that names none, where the mapping allows it.
pub(crate) fn body<'r>(record: &Record<'r>, arrived_at: Timestamp) -> Result<Body<&'r str>, Fault> {
    check_complete(record)?;
    match record.mapping.kind {
        Kind::Purchases => line(record).map(Body::Line),
        Kind::Seats => seat(record).map(Body::Seat),
        Kind::Accounts => account(record).map(Body::Account),
        Kind::Aliases => alias(record).map(Body::Alias),
        Kind::Memberships => membership(record).map(Body::Membership),
        Kind::Products => product(record).map(Body::Product),
        Kind::Allocations => allocation(record).map(Body::Allocation),
        Kind::Fees => fee(record).map(Body::Fee),
        Kind::Bills => bill(record).map(Body::Bill),
        Kind::Usage => usage(record, arrived_at).map(Body::Usage),
    }
}

/// Refuses a row that lacks what the mapping requires, and says what is not counted with it.
fn check_complete(record: &Record<'_>) -> Result<(), Fault> {
    let missing: Vec<String> = record
        .mapping
        .require
        .iter()
        .filter(|field| record.value(**field).is_none())
        .map(|field| format!("no {}", field.name()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let told = [Field::Line, Field::Product, Field::User, Field::Quantity, Field::Cost];
    let told: Vec<String> = told
        .into_iter()
        .filter_map(|field| Some((field, record.value(field)?)))
        .map(|(field, cell)| format!("{} {}", field.name(), shown(cell.text)))
        .collect();
    let missing = missing.join(", ");
    let detail = if told.is_empty() {
        format!("{missing}; not counted")
    } else {
        format!("{missing}; not counted: {}", told.join(", "))
    };
    Err(Fault::new(RejectReason::Incomplete, detail))
}

/// When a row holds: from the start of its first day to the end of its last.
fn span(record: &Record<'_>) -> Result<Span, Fault> {
    let reading = &record.mapping.reading;
    let start = record.optional(Field::Start, |cell| reading.instant(cell, record.zone))?;
    let end = record.optional(Field::End, |cell| reading.end(cell, record.zone))?;
    let span = Span::new(start.unwrap_or(Timestamp::MIN), end.unwrap_or(Timestamp::MAX));
    if span.is_empty() {
        let detail = format!("{} is not after {}", record.place(Field::End), span.start);
        return Err(Fault::new(RejectReason::OutOfRange, detail));
    }
    Ok(span)
}

/// One of a closed list, if the row names one.
fn choice<T: Copy>(record: &Record<'_>, field: Field, all: &[T]) -> Result<Option<T>, Fault> {
    let kind = record.mapping.kind;
    let read = |cell| record.mapping.reading.choice(cell, kind, field);
    let place = record.optional(field, read).map_err(|fault| {
        let detail = format!("{}; translate it under [values.{}]", fault.detail, field.name());
        Fault::new(fault.reason, detail)
    })?;
    Ok(place.and_then(|place| all.get(place).copied()))
}

/// One of a closed list, that the row must name.
fn needed_choice<T: Copy>(record: &Record<'_>, field: Field, all: &[T]) -> Result<T, Fault> {
    choice(record, field, all)?.ok_or_else(|| {
        Fault::new(RejectReason::MissingValue, format!("{}: no value", record.place(field)))
    })
}

fn line<'r>(record: &Record<'r>) -> Result<EntitlementLine<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    let name = record.needed_name(Field::Line)?;
    let granted = record.needed_name(Field::Product)?;
    let metric = needed_choice(record, Field::Metric, &Metric::ALL)?;
    let quantity = record.optional(Field::Quantity, |cell| reading.capacity(cell))?;
    let currency = record.optional(Field::Currency, |cell| reading.currency(cell))?;
    let until = record.optional(Field::MaintenanceUntil, |cell| reading.end(cell, record.zone))?;
    Ok(EntitlementLine {
        contract: record.name(Field::Contract)?,
        per: choice(record, Field::Per, &PERIOD_UNITS)?.unwrap_or(PeriodUnit::Month),
        span: span(record)?,
        account: record.name(Field::Account)?,
        server: record.name(Field::Server)?,
        kind: choice(record, Field::Kind, &LineKind::ALL)?.unwrap_or(LineKind::Base),
        class: choice(record, Field::Class, &LineClass::ALL)?.unwrap_or_default(),
        duplicates: record.optional(Field::Duplicates, |cell| reading.duplicates(cell))?,
        overdraft: record
            .optional(Field::Overdraft, |cell| reading.quantity(cell))?
            .unwrap_or(Quantity::ZERO),
        suite_duplicates: record
            .optional(Field::SuiteDuplicates, |cell| reading.duplicates(cell))?,
        margin_percent: record
            .optional(Field::MarginPercent, |cell| reading.percent(cell))?
            .unwrap_or(0),
        grace_seconds: record.optional(Field::GraceDays, |cell| reading.days(cell))?.unwrap_or(0),
        base: record.name(Field::Base)?,
        parent: record.name(Field::Parent)?,
        territory: record.name(Field::Territory)?,
        priority: record.optional(Field::Priority, |cell| reading.whole(cell))?.unwrap_or(0),
        maintenance_until: until,
        cost: record.optional(Field::Cost, |cell| reading.money(cell, currency))?,
        version: record.name(Field::Version)?,
        notice: record.name(Field::Notice)?,
        restricted: choice(record, Field::Restricted, &YES_OR_NO)?.unwrap_or(false),
        ..EntitlementLine::base(
            name,
            granted,
            metric,
            quantity.unwrap_or(Capacity::Unknown),
            Basis::Contract,
        )
    })
}

fn seat<'r>(record: &Record<'r>) -> Result<Seat<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    Ok(Seat {
        product: record.needed_name(Field::Product)?,
        user: record.needed_name(Field::User)?,
        device: record.name(Field::Device)?,
        account: record.name(Field::Account)?,
        class: choice(record, Field::Class, &SeatClass::ALL)?.unwrap_or_default(),
        span: span(record)?,
        last_active: record
            .optional(Field::LastActive, |cell| reading.instant(cell, record.zone))?,
    })
}

fn account<'r>(record: &Record<'r>) -> Result<Account<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    Ok(Account {
        account: record.needed_name(Field::Account)?,
        parent: record.name(Field::Parent)?,
        span: span(record)?,
        zone: record.optional(Field::TimeZone, |cell| reading.zone_name(cell))?,
        anchor: None,
    })
}

fn alias<'r>(record: &Record<'r>) -> Result<Alias<&'r str>, Fault> {
    Ok(Alias {
        kind: needed_choice(record, Field::Kind, &AliasKind::ALL)?,
        raw: record.needed_name(Field::Raw)?,
        canonical: record.needed_name(Field::Canonical)?,
        span: span(record)?,
    })
}

fn membership<'r>(record: &Record<'r>) -> Result<Membership<&'r str>, Fault> {
    Ok(Membership {
        kind: needed_choice(record, Field::Kind, &MemberKind::ALL)?,
        member: record.needed_name(Field::Member)?,
        account: record.needed_name(Field::Account)?,
        span: span(record)?,
    })
}

fn product<'r>(record: &Record<'r>) -> Result<Product<&'r str>, Fault> {
    Ok(Product {
        product: record.needed_name(Field::Product)?,
        family: record.name(Field::Family)?,
        publisher: record.name(Field::Publisher)?,
    })
}

fn allocation<'r>(record: &Record<'r>) -> Result<Allocation<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    let quantity = record.optional(Field::Quantity, |cell| reading.quantity(cell))?;
    if quantity.is_some_and(|quantity| quantity <= Quantity::ZERO) {
        let detail = format!("{} is not more than none", record.place(Field::Quantity));
        return Err(Fault::new(RejectReason::OutOfRange, detail));
    }
    Ok(Allocation {
        line: record.needed_name(Field::Line)?,
        kind: needed_choice(record, Field::Kind, &HolderKind::ALL)?,
        holder: record.needed_name(Field::Holder)?,
        quantity: quantity.unwrap_or(Quantity::ONE),
        span: span(record)?,
    })
}

fn fee<'r>(record: &Record<'r>) -> Result<Fee<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    let currency = record.optional(Field::Currency, |cell| reading.currency(cell))?;
    let uplift = record.optional(Field::Uplift, |cell| reading.quantity(cell))?;
    Ok(Fee {
        line: record.needed_name(Field::Line)?,
        amount: record.needed(Field::Cost, |cell| reading.money(cell, currency))?,
        per: needed_choice(record, Field::Per, &PERIOD_UNITS)?,
        each: choice(record, Field::Each, &YES_OR_NO)?.unwrap_or(false),
        day_count: choice(record, Field::DayCount, &DayCount::ALL)?.unwrap_or_default(),
        uplift: uplift.unwrap_or(Quantity::ONE),
        trial_days: record.optional(Field::TrialDays, |cell| reading.count(cell))?.unwrap_or(0),
        base: record.name(Field::Base)?,
        span: span(record)?,
    })
}

fn bill<'r>(record: &Record<'r>) -> Result<Bill<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    Ok(Bill {
        product: record.needed_name(Field::Product)?,
        account: record.name(Field::Account)?,
        units: record.needed(Field::Billed, |cell| reading.quantity(cell))?,
        at: record.needed(Field::At, |cell| reading.instant(cell, record.zone))?,
    })
}

fn usage<'r>(record: &Record<'r>, arrived_at: Timestamp) -> Result<UsageEvent<&'r str>, Fault> {
    let reading = &record.mapping.reading;
    let at = record.optional(Field::At, |cell| reading.instant(cell, record.zone))?;
    let at = match (at, record.mapping.events.missing_time) {
        (Some(at), _) => at,
        (None, MissingTime::Received) => arrived_at,
        (None, MissingTime::Reject) => {
            let detail = format!("{}: no value", record.place(Field::At));
            return Err(Fault::new(RejectReason::MissingValue, detail));
        }
    };
    Ok(UsageEvent {
        at,
        product: record.needed_name(Field::Product)?,
        account: record.name(Field::Account)?,
        user: record.name(Field::User)?,
        device: record.name(Field::Device)?,
        quantity: record.needed(Field::Quantity, |cell| reading.quantity(cell))?,
        op: UsageOp::Add,
    })
}
