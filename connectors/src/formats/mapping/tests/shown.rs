//! Facts as lines of text, for tests that compare them with what a person expects.

use crate::formats::Collected;
use trueup_model::allocation::Allocation;
use trueup_model::contract::EntitlementLine;
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::quantity::Capacity;
use trueup_model::time::Span;
use trueup_model::usage::Seat;

/// One line for each fact that says something: its place, then what it says.
pub(crate) fn shown(collected: &Collected) -> String {
    let mut text: String = collected.facts.iter().filter_map(one).collect();
    for (position, words) in &collected.notes {
        text.push_str(&format!("{position} note: {words}\n"));
    }
    text
}

fn one(fact: &Fact<String>) -> Option<String> {
    let Action::Assert(body) = &fact.action else { return None };
    // A line break in a value is shown as such, so that each fact is one line.
    let said = body_shown(body).replace('\r', "\\r").replace('\n', "\\n");
    Some(format!("{} {said}\n", fact.provenance.position))
}

fn body_shown(body: &Body<String>) -> String {
    match body {
        Body::Line(line) => line_shown(line),
        Body::Seat(seat) => seat_shown(seat),
        Body::Account(account) => {
            let said = format!("account {} {}", account.account, span(account.span));
            let said = said + &named("parent", account.parent.as_deref());
            said + &named("zone", account.zone.as_deref())
        }
        Body::Alias(alias) => {
            let span = span(alias.span);
            format!("alias {:?} {} = {} {span}", alias.kind, alias.raw, alias.canonical)
        }
        Body::Membership(member) => {
            let span = span(member.span);
            format!("member {:?} {} of {} {span}", member.kind, member.member, member.account)
        }
        Body::Product(product) => {
            let said = format!("product {}", product.product);
            let said = said + &named("family", product.family.as_deref());
            said + &named("publisher", product.publisher.as_deref())
        }
        Body::Usage(usage) => {
            let mut said = format!("usage {} {} {}", usage.at, usage.product, usage.quantity);
            said += &named("account", usage.account.as_deref());
            said += &named("user", usage.user.as_deref());
            said + &named("device", usage.device.as_deref())
        }
        Body::Fee(fee) => {
            let each = if fee.each { " each" } else { "" };
            let base = fee.base.as_deref();
            let days = fee.trial_days;
            let said = format!("fee {} of {}{each} per {}", fee.amount, fee.line, fee.per.name());
            let said = format!("{said} by {} x{}", fee.day_count.name(), fee.uplift);
            format!("{said} after {days} days{} {}", named("base", base), span(fee.span))
        }
        Body::Bill(bill) => {
            let account = named("account", bill.account.as_deref());
            format!("bill {} of {}{account} at {}", bill.units, bill.product, bill.at)
        }
        Body::Allocation(row) => {
            let Allocation { line, kind, holder, quantity, .. } = row;
            let span = span(row.span);
            format!("allocation {quantity} of {line} to {} {holder} {span}", kind.name())
        }
        Body::Document(version) => {
            let from = version.effective_from;
            format!("document {} with {} rows from {from}", version.document, version.rows)
        }
        Body::Reject(reject) => {
            let detail = reject.detail.as_deref().unwrap_or("");
            format!("reject {}: {detail} <{}>", reject.reason.name(), reject.excerpt)
        }
        Body::Session(_)
        | Body::Server(_)
        | Body::ObservedPool(_)
        | Body::ObservedSession(_)
        | Body::ObservedServer(_)
        | Body::Reservation(_)
        | Body::Component(_)
        | Body::Machine(_)
        | Body::Install(_)
        | Body::Role(_)
        | Body::Factor(_)
        | Body::Grant(_)
        | Body::Price(_)
        | Body::Location(_)
        | Body::Territory(_)
        | Body::SuiteMember(_)
        | Body::Downgrade(_) => panic!("no table says {body:?}"),
    }
}

fn line_shown(line: &EntitlementLine<String>) -> String {
    let quantity = match line.quantity {
        Capacity::Limited(quantity) => quantity.to_string(),
        Capacity::Unlimited => "unlimited".to_owned(),
        Capacity::Unknown => "unknown".to_owned(),
    };
    let mut said = format!("line {} {} {}", line.line, line.product, line.metric.name());
    said += &format!(" {quantity} {} {}", line.kind.name(), span(line.span));
    said += &named("account", line.account.as_deref());
    said += &named("contract", line.contract.as_deref());
    said += &named("cost", line.cost.map(|cost| cost.to_string()).as_deref());
    said += &named("base", line.base.as_deref());
    said += &named("part of", line.parent.as_deref());
    said += &named("territory", line.territory.as_deref());
    let percent = (line.margin_percent > 0).then(|| format!("{} %", line.margin_percent));
    said += &named("margin", percent.as_deref());
    let grace = (line.grace_seconds > 0).then(|| format!("{} s", line.grace_seconds));
    said += &named("grace", grace.as_deref());
    said += if line.restricted { " restricted" } else { "" };
    let until = line.maintenance_until.map(|until| until.to_string());
    said + &named("maintenance until", until.as_deref())
}

fn seat_shown(seat: &Seat<String>) -> String {
    let span = span(seat.span);
    let mut said = format!("seat {} {} {:?} {span}", seat.product, seat.user, seat.class);
    said += &named("account", seat.account.as_deref());
    said += &named("device", seat.device.as_deref());
    let active = seat.last_active.map(|at| at.to_string());
    said + &named("last active", active.as_deref())
}

fn span(span: Span) -> String {
    if span == Span::ALWAYS { "always".to_owned() } else { span.to_string() }
}

fn named(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!(" {name} {value}")).unwrap_or_default()
}
