//! What an epoch changed, one line for each row that came or went, for people to read.

use crate::bench::Bench;
use std::collections::BTreeSet;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::derived::{Attempt, PoolState, Session, Wait};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::ledger::{BillDue, Charge, CreditBalance, FeeDue, Overage, TrueUp};
use trueup_model::position::{
    Adjustment, AllocatedUse, AllocationLine, IssuedPosition, LicensePosition, PositionFigures,
    PositionKey, Rollup, Statement,
};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_runtime::changes::Changes;

/// Everything that a published epoch changed among the outputs that are shown; `totals` are those before it, by the
/// trees of then and of now, and those after it when it returns.
pub fn report(
    bench: &Bench,
    changes: &Changes,
    shows: &[String],
    totals: &mut [BTreeSet<Rollup>; 2],
) -> String {
    let mut lines: Vec<(String, bool)> = Vec::new();
    let shown = |what: &str| shows.iter().any(|show| show == what);
    let usual = |period: Period| period.unit != PeriodUnit::All || shown("all");
    let mut take = |line: String, diff: isize| lines.push((line, diff > 0));
    for (row, diff) in changes.positions.iter().filter(|(row, _)| usual(row.key.period)) {
        take(position(bench, row), *diff);
    }
    for (row, diff) in &changes.discrepancies {
        take(discrepancy(bench, row), *diff);
    }
    for (row, diff) in &changes.statements {
        take(statement(bench, row), *diff);
    }
    for (row, diff) in &changes.adjustments {
        take(adjustment(bench, row), *diff);
    }
    if shown("allocations") {
        let rows = changes.allocations.iter().filter(|(row, _)| usual(row.key.period));
        rows.for_each(|(row, diff)| take(allocation(bench, row), *diff));
    }
    if shown("credits") {
        changes.credits.iter().for_each(|(row, diff)| take(credit(bench, row), *diff));
        changes.overages.iter().for_each(|(row, diff)| take(overage(bench, row), *diff));
    }
    if shown("charges") {
        changes.charges.iter().for_each(|(row, diff)| take(charge(bench, row), *diff));
    }
    if shown("true_ups") {
        changes.true_ups.iter().for_each(|(row, diff)| take(true_up(bench, row), *diff));
    }
    if shown("issued") {
        changes.issued.iter().for_each(|(row, diff)| take(issued(bench, row), *diff));
    }
    if shown("fees") {
        changes.fees.iter().for_each(|(row, diff)| take(fee(bench, row), *diff));
    }
    if shown("bills") {
        changes.bills.iter().for_each(|(row, diff)| take(bill(bench, row), *diff));
    }
    if shown("allocated") {
        changes.allocated.iter().for_each(|(row, diff)| take(allocated(bench, row), *diff));
    }
    if shown("sessions") {
        changes.sessions.iter().for_each(|(row, diff)| take(session(bench, row), *diff));
    }
    if shown("attempts") {
        changes.attempts.iter().for_each(|(row, diff)| take(attempt(bench, row), *diff));
    }
    if shown("waits") {
        changes.waits.iter().for_each(|(row, diff)| take(wait(bench, row), *diff));
    }
    if shown("pools") {
        changes.pools.iter().for_each(|(row, diff)| take(pool(bench, row), *diff));
    }
    for (line, diff) in totals_changed(bench, shows, totals) {
        take(line, diff);
    }
    lines.sort();
    let line =
        |(line, came): &(String, bool)| format!("{} {line}\n", if *came { '+' } else { '-' });
    lines.iter().map(line).collect()
}

/// The totals that came and went among those that are shown.
fn totals_changed(
    bench: &Bench,
    shows: &[String],
    totals: &mut [BTreeSet<Rollup>; 2],
) -> Vec<(String, isize)> {
    let shown = |what: &str| shows.iter().any(|show| show == what);
    let usual = |row: &&Rollup| row.period.unit != PeriodUnit::All || shown("all");
    let views = bench.engine.views();
    let of_trees =
        [("rollups", "", &views.rollups), ("current", "current ", &views.rollups_current)];
    let mut lines = Vec::new();
    for ((what, prefix, rows), now) in of_trees.into_iter().zip(totals) {
        let before = std::mem::replace(now, rows.iter().collect());
        if shown(what) {
            let said = |row: &Rollup| format!("{prefix}{}", rollup(bench, row));
            let gone = before.difference(now).filter(usual);
            lines.extend(gone.map(|row| (said(row), -1)));
            let come = now.difference(&before).filter(usual);
            lines.extend(come.map(|row| (said(row), 1)));
        }
    }
    lines
}

fn label(period: Period) -> String {
    Calendar::natural(trueup_model::calendar::Zone::utc()).label(period)
}

fn key(bench: &Bench, key: &PositionKey) -> String {
    let (account, product) = (bench.name(key.account), bench.name(key.product));
    format!("{account} {product} {} {}", key.metric.name(), label(key.period))
}

/// An instant without the parts that are zero.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    text.strip_suffix("T00:00:00").or(text.strip_suffix(":00")).unwrap_or(text).to_owned()
}

fn span(span: Span) -> String {
    format!("{}..{}", moment(span.start), moment(span.end))
}

fn capacity(capacity: Capacity) -> String {
    match capacity {
        Capacity::Limited(quantity) => quantity.to_string(),
        Capacity::Unlimited => "unlimited".to_owned(),
        Capacity::Unknown => "unknown".to_owned(),
    }
}

fn position(bench: &Bench, row: &LicensePosition) -> String {
    let mut line = format!(
        "position {}: {} entitled {} demand {} peak {}",
        key(bench, &row.key),
        row.state.name(),
        capacity(row.entitled),
        row.demand,
        row.peak
    );
    if row.lent != Quantity::ZERO {
        line += &format!(" lent {}", row.lent);
    }
    if row.peak != Quantity::ZERO {
        line += &format!(" at {}", moment(row.peak_at));
    }
    if row.passed_up != Quantity::ZERO {
        line += &format!(" passed up {}", row.passed_up);
    }
    if row.shortfall != Quantity::ZERO {
        let held = Span::new(row.shortfall_first, row.shortfall_last);
        line += &format!(" short {} {}", row.shortfall, span(held));
    }
    line
}

fn allocation(bench: &Bench, row: &AllocationLine) -> String {
    let (rank, line) = (row.rank, bench.name(row.line));
    let granted = capacity(row.granted);
    let reason = row.reason.name();
    format!("line {} #{rank} {line}: {granted} used {} {reason}", key(bench, &row.key), row.used)
}

fn discrepancy(bench: &Bench, row: &Discrepancy) -> String {
    let mut line = format!("problem {}", row.kind.name());
    let mut add = |word: String| line += &format!(" {word}");
    if let Some(account) = row.account {
        add(bench.name(account));
    }
    if let Some(product) = row.product {
        add(bench.name(product));
    }
    if let Some((_, subject)) = row.subject {
        add(bench.name(subject));
    }
    if row.period != Period::ALL {
        add(label(row.period));
    }
    add(row.magnitude.to_string());
    if let Some(both) = row.disagreement {
        add(format!("{} {}", both.claim.name(), capacity(both.says)));
        add(format!("{} {}", both.other_claim.name(), capacity(both.other_says)));
    }
    let held = Span::new(row.first_at, row.last_at);
    if held != Span::ALWAYS {
        add(span(held));
    }
    if let Some(money) = row.money {
        add(money.to_string());
    }
    line
}

fn statement(bench: &Bench, row: &Statement) -> String {
    format!("statement {}: issued {} restated {}", key(bench, &row.key), row.issued, row.restated)
}

fn adjustment(bench: &Bench, row: &Adjustment) -> String {
    format!("adjustment {}: {} arrived {}", key(bench, &row.key), row.delta, moment(row.arrived_at))
}

fn credit(bench: &Bench, row: &CreditBalance) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    let mut line = format!(
        "credit {account} {product} {} {}: {} granted {}",
        bench.name(row.grant),
        span(row.span),
        row.state.name(),
        row.granted
    );
    let mut add = |word: &str, amount: Quantity| {
        if amount != Quantity::ZERO {
            line += &format!(" {word} {amount}");
        }
    };
    add("carried", row.carried);
    add("used", row.used);
    add("overdrawn", row.overdrawn);
    add("lapsed", row.lapsed);
    line + &format!(" left {}", row.left)
}

fn charge(bench: &Bench, row: &Charge) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    let mut line = format!("charge {account} {product} {}", label(row.period));
    if row.span != row.period.span {
        line += &format!(" {}", span(row.span));
    }
    let model = row.model.map_or("contradictory", |model| model.name());
    let amount = row.amount.map_or_else(|| "no price".to_owned(), |amount| amount.to_string());
    line + &format!(": {} {model} {amount}", row.quantity)
}

fn allocated(bench: &Bench, row: &AllocatedUse) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    format!(
        "allocated {account} {product}: in use {} not in use {} others {}",
        row.allocated_in_use, row.allocated_not_in_use, row.in_use_not_allocated
    )
}

fn true_up(bench: &Bench, row: &TrueUp) -> String {
    let mut line =
        format!("true-up {}: owed {} of {}", key(bench, &row.key), row.owed, row.shortfall);
    if let Some(amount) = row.amount {
        line += &format!(" for {amount}");
    }
    if let Some(amount) = row.for_the_rest {
        line += &format!(", {amount} for the rest of the year");
    }
    line
}

fn issued(bench: &Bench, row: &IssuedPosition) -> String {
    let figures = |said: &PositionFigures| {
        let (state, entitled) = (said.state.name(), capacity(said.entitled));
        format!("{state} entitled {entitled} peak {} short {}", said.peak, said.shortfall)
    };
    let mut line = format!("issued {}: {}", key(bench, &row.key), figures(&row.issued));
    if row.issued != row.restated {
        line += &format!(", restated {}", figures(&row.restated));
        let apart = |one: Quantity, other: Quantity| Quantity(other.0 - one.0);
        let peak = apart(row.issued.peak, row.restated.peak);
        let short = apart(row.issued.shortfall, row.restated.shortfall);
        line += &format!(", adjustment peak {peak} short {short}");
    }
    line
}

fn fee(bench: &Bench, row: &FeeDue) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    let period = match row.period.unit {
        PeriodUnit::All => "term".to_owned(),
        _ => label(row.period),
    };
    let mut line = format!("fee {account} {product} {} {period}", bench.name(row.line));
    if row.span != row.period.span {
        line += &format!(" {}", span(row.span));
    }
    line += &format!(": {}", row.amount);
    line += &row.units.map(|units| format!(" each of {}", capacity(units))).unwrap_or_default();
    line += &row.share.map(|(part, whole)| format!(" for {part} of {whole}")).unwrap_or_default();
    let due = row.due.map_or_else(|| "cannot be said".to_owned(), |due| format!("is {due}"));
    format!("{line} {due}")
}

fn bill(bench: &Bench, row: &BillDue) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    let BillDue { beyond, total, billed, due, .. } = row;
    let period = label(row.period);
    format!("bill {account} {product} {period}: {beyond} is {total}, billed {billed}, due {due}")
}

fn overage(bench: &Bench, row: &Overage) -> String {
    let (account, product) = (bench.name(row.account), bench.name(row.product));
    format!("overage {account} {product} {}: {}", label(row.period), row.quantity)
}

fn holder(bench: &Bench, subject: &trueup_model::derived::Subject) -> String {
    let user = subject.user.map(|user| bench.name(user)).unwrap_or_default();
    let device = subject.device.map(|device| bench.name(device)).unwrap_or_default();
    let server = subject.server.map(|server| bench.name(server)).unwrap_or_default();
    format!("{} {user}@{device} on {server}", bench.name(subject.feature))
}

fn session(bench: &Bench, row: &Session) -> String {
    let mut line =
        format!("session {} x{} {}", holder(bench, &row.subject), row.count, span(row.span));
    if let Some(after) = row.ended_after {
        line += &format!(" ended after {}", moment(after));
    }
    line
}

fn attempt(bench: &Bench, row: &Attempt) -> String {
    format!(
        "attempt {} {}@{} on {} {}: {} lines {}, {}",
        bench.name(row.feature),
        bench.name(row.user),
        bench.name(row.device),
        bench.name(row.server),
        moment(row.at),
        row.kind.name(),
        row.lines,
        if row.unmet { "unmet" } else { "met" }
    )
}

fn wait(bench: &Bench, row: &Wait) -> String {
    format!("wait {} {}", holder(bench, &row.subject), span(row.span))
}

fn pool(bench: &Bench, row: &PoolState) -> String {
    let number = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let reserved = match row.reserved_idle {
        0 => String::new(),
        idle => format!(" reserved {idle}"),
    };
    format!(
        "pool {} on {} at {}: log {} file {} issued {} out {}{reserved} queued {}{}",
        bench.name(row.feature),
        bench.name(row.server),
        moment(row.at),
        number(row.logged.map(|logged| logged.to_string())),
        number(row.licensed.map(capacity)),
        number(row.issued.map(capacity)),
        number(row.checked_out.map(|out| out.to_string())),
        row.queued,
        if row.latest { ", newest" } else { "" }
    )
}

fn rollup(bench: &Bench, row: &Rollup) -> String {
    format!(
        "total {} {} {} {}: {} users {} devices {}",
        bench.name(row.account),
        bench.name(row.product),
        row.metric.name(),
        label(row.period),
        row.value,
        row.users,
        row.devices
    )
}
