//! Fees: what entitlement lines cost, period by period or once for their term.
//!
//! held     = line ∩ fee, in pieces with one quantity, account and product
//! paid(P)  = held ∩ P, from the end of the trial on
//! due(P)   = amount · uplift · units? · |paid(P)| / |P|, in whole cents, for periods that have begun
//! due(T)   = amount · uplift · units? · |paid(T)| / |T'|, once for a term T that has begun;
//!            T' = the term of the base line, else T
//! trial    = so many local days from the beginning of the line, or from that of its base if earlier
//!
//! Days are local, and the day of a change is that of what follows. The whole is always the whole period,
//! however short the line is in it. What has no beginning has no fee of a period.
//!
//! Work per change: the periods of the line; as the horizon moves, the next period of the lines that have one.

mod costed;

use crate::context::Wakes;
use crate::dedupe::Known;
use crate::entitle::{LineInForce, subject};
use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::given::Given;
use crate::keyed::Keyed as _;
use crate::segments::union;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use costed::{Based, Costed};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::Period;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::Body;
use trueup_model::fee::Fee;
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId};
use trueup_model::ledger::FeeDue;
use trueup_model::quantity::Capacity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A fee, while it and its document's version are in force.
pub type FeeInForce = ((TenantId, LineId), Fee<Id>);

/// The fees of the documents in force, by the line that costs them.
pub fn fees_in_force<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, FeeInForce> {
    in_force.flat_map(|(known, span)| {
        let Body::Fee(fee) = known.body else { return None };
        let span = fee.span.overlap(span)?;
        Some(((known.tenant, fee.line.into()), Fee { span, ..fee }))
    })
}

/// What is known of a line that costs something, or of the base of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Line(Held),
    Fee(Fee<Id>, Based),
}

/// What a line holds for whom, while it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Held {
    account: AccountId,
    product: ProductId,
    capacity: Capacity,
    span: Span,
}

/// Gives what lines cost.
pub fn fees<'s>(
    stated: Facts<'s, FeeInForce>,
    lines: Facts<'s, LineInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: &Policy,
) -> Facts<'s, FeeDue> {
    let costed = costed(stated, lines, resolutions);
    let rows = by_key(costed.map(Heard::Costed), |heard| match heard {
        Heard::Costed(one) => mix(&[one.account.0]),
        Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let zones = everywhere(zones.map(Heard::Zone));
    let horizon = everywhere(horizon.map(Heard::Horizon));
    let mut state = State {
        calendars: Calendars::new(policy.zone.clone()),
        horizon: Timestamp::MIN,
        lines: BTreeMap::new(),
        wakes: Wakes::new(),
    };
    each_epoch_consolidated(rows.concat(zones).concat(horizon), "Fees", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// Brings fees, lines and bases together.
fn costed<'s>(
    stated: Facts<'s, FeeInForce>,
    lines: Facts<'s, LineInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Facts<'s, Costed> {
    let held = lines
        .map(|row| (subject(&row), row))
        .joined(resolutions, |_subject, row, resolution| held(row, resolution))
        .flat_map(|row| row);
    let spans = held.clone().map(|(line, held)| (line, (None, Some(held.span))));
    let based = stated.clone().flat_map(|((tenant, _), fee)| {
        Some(((tenant, LineId::from(fee.base?)), (Some(fee), None::<Span>)))
    });
    let based = based.concat(spans).grouped("Fees: bases", |_line, rows, found| {
        let term = hull(rows.iter().filter_map(|(row, _)| row.1));
        let fees = rows.iter().filter_map(|(row, count)| Some((row.0?, *count)));
        let whose = term.map_or(Based::Unknown, Based::On);
        found.extend(fees.map(|(fee, count)| ((fee, whose), count)));
    });
    let based = based.map(|((tenant, _), (fee, whose))| ((tenant, fee.line.into()), (fee, whose)));
    let alone = stated.filter(|(_, fee)| fee.base.is_none());
    let fees = alone.map(|(line, fee)| (line, (fee, Based::Itself))).concat(based);
    let fees = fees.map(|(line, (fee, whose))| (line, Row::Fee(fee, whose)));
    let rows = fees.concat(held.map(|(line, held)| (line, Row::Line(held))));
    rows.grouped("Fees: lines", |(tenant, line), rows, found| {
        let rows: Vec<Row> = rows.iter().map(|(row, _)| **row).collect();
        found.extend(pieces(*tenant, *line, &rows).into_iter().map(|one| (one, 1)));
    })
    .map(|(_, costed)| costed)
}

fn held(row: &LineInForce, resolution: &Resolution) -> Option<((TenantId, LineId), Held)> {
    let account = match row.line.account {
        Some(_) => resolution.account,
        None => AccountId::root(row.tenant),
    };
    let product = resolution.product;
    let span = row.span.overlap(resolution.span)?;
    let held = Held { account, product, capacity: row.line.quantity, span };
    Some(((row.tenant, row.line.line.into()), held))
}

/// From the first to the last instant of spans.
fn hull(spans: impl Iterator<Item = Span>) -> Option<Span> {
    spans.reduce(|hull, span| Span::new(hull.start.min(span.start), hull.end.max(span.end)))
}

/// The pieces of a line in which it costs something, the longest that say the same.
fn pieces(tenant: TenantId, line: LineId, rows: &[Row]) -> BTreeSet<Costed> {
    let mut held: BTreeMap<Held, Vec<Span>> = BTreeMap::new();
    let mut fees: BTreeMap<(Fee<Id>, Based), Vec<Span>> = BTreeMap::new();
    for row in rows {
        match row {
            Row::Line(one) => {
                held.entry(Held { span: Span::ALWAYS, ..*one }).or_default().push(one.span);
            }
            Row::Fee(fee, based) => {
                let said = (Fee { span: Span::ALWAYS, ..*fee }, *based);
                fees.entry(said).or_default().push(fee.span);
            }
        }
    }
    let Some(term) = hull(held.values().flatten().copied()) else { return BTreeSet::new() };
    let fees: Vec<_> = fees.into_iter().map(|(said, spans)| (said, union(spans))).collect();
    let mut found = BTreeSet::new();
    for (one, spans) in held {
        for span in union(spans) {
            for ((fee, based), times) in &fees {
                let inside = times.iter().filter_map(|time| time.overlap(span));
                found.extend(inside.map(|both| Costed {
                    tenant,
                    account: one.account,
                    product: one.product,
                    line,
                    capacity: one.capacity,
                    fee: *fee,
                    based: *based,
                    term,
                    span: both,
                }));
            }
        }
    }
    found
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Costed(Costed),
    Zone(AccountZone),
    Horizon(Timestamp),
}

#[derive(Default)]
struct Entry {
    count: Diff,
    given: Given<Period, FeeDue>,
    /// From when on nothing has been given yet.
    next: Option<Timestamp>,
}

struct State {
    calendars: Calendars,
    horizon: Timestamp,
    lines: BTreeMap<Costed, Entry>,
    wakes: Wakes<Costed>,
}

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<FeeDue>) {
        let mut dirty: BTreeSet<Costed> = BTreeSet::new();
        let mut rezoned: BTreeSet<AccountId> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Costed(one) => {
                    self.lines.entry(one).or_default().count += diff;
                    dirty.insert(one);
                }
                Heard::Zone(zone) => {
                    let account = zone.account;
                    if self.calendars.hear(zone, diff) {
                        rezoned.insert(account);
                    }
                }
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        let woken: Vec<Costed> = self.wakes.reached(self.horizon).collect();
        if !rezoned.is_empty() {
            dirty.extend(self.lines.keys().filter(|one| rezoned.contains(&one.account)));
        }
        for one in &dirty {
            self.settle(one, None, changes);
        }
        for one in woken.iter().filter(|one| !dirty.contains(one)) {
            let next = self.lines.get(one).and_then(|entry| entry.next);
            if next.is_some_and(|next| next <= self.horizon) {
                self.settle(one, next, changes);
            }
        }
    }

    /// Gives what is due of a piece: anew, or only since an instant.
    fn settle(&mut self, one: &Costed, since: Option<Timestamp>, changes: &mut Updates<FeeDue>) {
        let Some(entry) = self.lines.get_mut(one) else { return };
        if since.is_none() {
            for period in entry.given.keys(..) {
                entry.given.set(period, None);
            }
        }
        entry.next = None;
        if entry.count > 0 {
            let calendar = self.calendars.of(one.account);
            let (dues, next) = one.dues(calendar, since, self.horizon);
            for due in dues {
                entry.given.set(due.period, Some(due));
            }
            self.wakes.set(next, *one);
            entry.next = next;
        }
        entry.given.flush(changes, |row| row);
        if entry.count == 0 {
            self.lines.remove(one);
        }
    }
}
