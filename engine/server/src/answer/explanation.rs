//! Why a position or discrepancy is what it is, in words that can be checked.

mod terms;

use super::confidence::Confidence;
use super::position::{PositionRow, position_id, position_row};
use super::server::{SessionRow, session_row};
use super::{Words, capacity, instant};
use crate::answer::discrepancy::{DiscrepancyRow, discrepancy_id, discrepancy_row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::Discrepancy;
use trueup_model::metric::Metric;
use trueup_model::position::{LicensePosition, PositionKey};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_runtime::explain::{ExplainedLine, Explanation, Holder, explain};

/// A line behind a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineRow {
    /// The line.
    pub(crate) line: String,
    /// The contract or order.
    pub(crate) contract: Option<String>,
    /// The document that it stands in.
    pub(crate) source: String,
    /// What vouches for it.
    pub(crate) basis: String,
    /// What it grants.
    pub(crate) grants: String,
    /// From when on.
    pub(crate) start: Option<String>,
    /// Until when.
    pub(crate) end: Option<String>,
    /// Whether it is in force at the instant.
    pub(crate) in_force: bool,
    /// Whether it counts, or a better basis does.
    pub(crate) counts: bool,
    /// How much of it serves the position at its peak.
    pub(crate) used: Option<String>,
    /// Why it stands where it does in the order of use.
    pub(crate) reason: Option<String>,
    /// What else it says about how it may be used.
    pub(crate) terms: Vec<String>,
}

/// Someone who holds licenses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HolderRow {
    /// The account that it counts for.
    pub(crate) account: String,
    /// Who.
    pub(crate) user: String,
    /// On which machine.
    pub(crate) device: String,
    /// What it costs; 0 if it shares another's license.
    pub(crate) charged: String,
    /// The checkout, if it is one.
    pub(crate) session: Option<SessionRow>,
}

/// An amount at an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShareRow {
    /// The account.
    pub(crate) account: String,
    /// How much.
    pub(crate) quantity: String,
}

/// A late fact of a closed period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AdjustmentRow {
    /// The fact.
    pub(crate) fact: String,
    /// Where it was read.
    pub(crate) source: String,
    /// The line or row, from 1.
    pub(crate) position: u64,
    /// When it arrived.
    pub(crate) arrived_at: String,
    /// What it adds.
    pub(crate) delta: String,
}

/// What a position comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExplanationRow {
    /// The discrepancy that was asked about, if one was.
    pub(crate) discrepancy: Option<DiscrepancyRow>,
    /// The position; absent for a discrepancy that concerns none.
    pub(crate) position: Option<PositionRow>,
    /// The instant that is explained.
    pub(crate) at: Option<String>,
    /// The rule by which use was counted.
    pub(crate) rule: Vec<String>,
    /// The arithmetic, a step a line.
    pub(crate) arithmetic: Vec<String>,
    /// The lines.
    pub(crate) lines: Vec<LineRow>,
    /// How much each account adds.
    pub(crate) by_account: Vec<ShareRow>,
    /// What accounts below could not cover themselves.
    pub(crate) passed_up: Vec<ShareRow>,
    /// Who holds licenses at the instant.
    pub(crate) holders: Vec<HolderRow>,
    /// Metered use, by account.
    pub(crate) metered: Vec<ShareRow>,
    /// Late facts of the period.
    pub(crate) adjustments: Vec<AdjustmentRow>,
}

/// Why a name explains nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExplainError {
    /// Nothing has the name.
    #[error(
        "nothing is called `{0}`; `trueup positions` and `trueup discrepancies` list the names"
    )]
    Unknown(String),
    /// Several things have names that begin so.
    #[error("`{0}` is the beginning of {1} names; write more of it")]
    Ambiguous(String, usize),
}

/// Explains what is called by a name, or by its beginning.
pub(crate) fn explanation(
    words: &Words<'_>,
    id: &str,
    at: Option<Timestamp>,
) -> Result<ExplanationRow, ExplainError> {
    let asked = id.trim().to_ascii_lowercase();
    let begins = |name: &str| name.to_ascii_lowercase().starts_with(&asked);
    let positions = words.views.positions.values().filter(|one| begins(&position_id(&one.key)));
    let discrepancies = words.views.discrepancies.iter().filter(|one| begins(&discrepancy_id(one)));
    let positions: Vec<&LicensePosition> = positions.collect();
    let discrepancies: Vec<&Discrepancy> = discrepancies.collect();
    match (positions.as_slice(), discrepancies.as_slice()) {
        ([position], []) => Ok(of_position(words, position, at, None)),
        ([], [discrepancy]) => Ok(of_discrepancy(words, discrepancy, at)),
        ([], []) => Err(ExplainError::Unknown(id.to_owned())),
        _ => Err(ExplainError::Ambiguous(id.to_owned(), positions.len() + discrepancies.len())),
    }
}

fn of_discrepancy(
    words: &Words<'_>,
    discrepancy: &Discrepancy,
    at: Option<Timestamp>,
) -> ExplanationRow {
    let key = discrepancy.account.zip(discrepancy.product).zip(discrepancy.metric);
    let position = key.and_then(|((account, product), metric)| {
        words.views.positions.get(&PositionKey {
            tenant: discrepancy.tenant,
            account,
            product,
            metric,
            period: discrepancy.period,
        })
    });
    let row = discrepancy_row(words, discrepancy);
    match position {
        Some(position) => of_position(words, position, at, Some(row)),
        None => ExplanationRow {
            arithmetic: row.detail.clone().into_iter().collect(),
            rule: vec![row.meaning.clone(), format!("It goes when {}.", row.clears_when)],
            discrepancy: Some(row),
            position: None,
            at: None,
            lines: Vec::new(),
            by_account: Vec::new(),
            passed_up: Vec::new(),
            holders: Vec::new(),
            metered: Vec::new(),
            adjustments: Vec::new(),
        },
    }
}

fn of_position(
    words: &Words<'_>,
    position: &LicensePosition,
    at: Option<Timestamp>,
    discrepancy: Option<DiscrepancyRow>,
) -> ExplanationRow {
    let found = explain(words.views, position, at);
    let share = |(account, quantity): &(_, Quantity)| ShareRow {
        account: words.name(*account),
        quantity: quantity.to_string(),
    };
    ExplanationRow {
        discrepancy,
        position: Some(position_row(words, position)),
        at: instant(found.at),
        rule: rule(words, &found),
        arithmetic: arithmetic(words, &found),
        lines: found.lines.iter().map(|line| line_row(words, line)).collect(),
        by_account: found.by_account.iter().map(share).collect(),
        passed_up: found.passed_up.iter().map(share).collect(),
        holders: found.holders.iter().map(|holder| holder_row(words, holder)).collect(),
        metered: metered(words, &found),
        adjustments: found
            .adjustments
            .iter()
            .map(|late| AdjustmentRow {
                fact: late.fact.to_string(),
                source: words.name(late.provenance.document),
                position: late.provenance.position,
                arrived_at: late.arrived_at.to_string(),
                delta: late.delta.to_string(),
            })
            .collect(),
    }
}

/// The rule by which use was counted.
fn rule(words: &Words<'_>, found: &Explanation) -> Vec<String> {
    let metric = found.position.key.metric;
    let mut rule = vec![match metric {
        Metric::Concurrent => {
            "Concurrent use: the licenses checked out at one instant; the position shows the greatest."
        }
        Metric::NamedUser => "Named users: the people who hold a seat, each counted once.",
        Metric::Volume => "Volume: the sum of metered quantities in the period.",
        Metric::Device => "Devices: the machines that have it installed or use it, each counted once.",
        Metric::Token => {
            "Tokens: what is checked out at one instant, each product times its weight, from one pool."
        }
        Metric::Core => {
            "Cores: those of the machines it is installed on, with the least counts and factors that hold."
        }
        Metric::ProcessorValue => {
            "Processor values: the cores it may run on, each times the value of its processor's kind."
        }
        Metric::ResourceValue => {
            "Resource values: the resources it manages, counted in bands that weigh less the higher they are."
        }
        Metric::Level => "Level: what a gauge shows, by the statistic of the period that the policy names.",
        Metric::Feature => "Feature: whether it was used at all; a right says yes or no.",
        Metric::Unique => "Unique: the different people or things that used it in the period.",
        Metric::Maximum => "Maximum: the greatest single quantity of the period.",
        Metric::Latest => "Latest: the last quantity that was reported in the period.",
    }
    .to_owned()];
    for (server, feature, duplicates) in &found.duplicates {
        let means = match duplicates.to_string().as_str() {
            "NONE" => "each checkout counts".to_owned(),
            "SITE" => "all checkouts share one license".to_owned(),
            mask => format!("checkouts with the same {} share one license", parts(mask)),
        };
        rule.push(format!(
            "{} on {}: duplicate group {duplicates}, {means}.",
            words.name(*feature),
            words.name(*server)
        ));
    }
    if let Some(basis) = found.position.basis {
        rule.push(format!("Rights are counted from: {}.", basis.name()));
    }
    rule
}

/// The parts of a duplicate mask in words.
fn parts(mask: &str) -> String {
    let words: Vec<&str> = mask
        .chars()
        .filter_map(|letter| match letter {
            'U' => Some("user"),
            'H' => Some("host"),
            'D' => Some("display"),
            'V' => Some("vendor key"),
            _ => None,
        })
        .collect();
    words.join(" and ")
}

/// The arithmetic, so that a reader can add it up.
fn arithmetic(words: &Words<'_>, found: &Explanation) -> Vec<String> {
    let position = &found.position;
    let mut steps = Vec::new();
    if position.key.metric == Metric::Volume {
        let events: i128 = found.cells.iter().map(|(_, tally)| tally.events).sum();
        steps.push(format!("used = sum of {events} metered events = {}", position.peak));
    } else {
        let shares: Vec<String> = found
            .by_account
            .iter()
            .chain(&found.passed_up)
            .map(|(account, quantity)| format!("{quantity} ({})", words.name(*account)))
            .collect();
        let sum = if shares.is_empty() { "nothing".to_owned() } else { shares.join(" + ") };
        steps.push(format!("demand at {} = {sum} = {}", found.at, found.levels.demand));
    }
    let is_volume = position.key.metric == Metric::Volume;
    let entitled = if is_volume { position.entitled } else { found.levels.entitled };
    let in_force: Vec<String> = found
        .lines
        .iter()
        .filter(|line| line.counts && (line.in_force || is_volume))
        .map(|line| format!("{} ({})", capacity(line.right.capacity), called(words, line)))
        .collect();
    let sum =
        if in_force.is_empty() { "no line in force".to_owned() } else { in_force.join(" + ") };
    steps.push(format!("entitled = {sum} = {}", capacity(entitled)));
    if let Capacity::Limited(limit) = entitled {
        let demand = if is_volume { position.demand } else { found.levels.demand };
        let difference = Quantity(demand.0 - limit.0);
        let word = if difference.0 > 0 { "short" } else { "free" };
        let apart = Quantity(difference.0.abs());
        steps.push(format!("{demand} needed - {limit} entitled = {apart} {word}"));
    }
    if position.overdraft != Quantity::ZERO {
        steps.push(format!("the vendor tolerates {} above the entitled count", position.overdraft));
    }
    if let Some(statement) = &found.statement {
        steps.push(format!(
            "issued when the period closed at {}: {}; from everything known: {}",
            statement.closed_at, statement.issued, statement.restated
        ));
    }
    steps.extend(reliance(words, position));
    steps
}

/// Why the figures are not all that there is to say of the period, if they are not.
fn reliance(words: &Words<'_>, position: &LicensePosition) -> Option<String> {
    let (confidence, early) = words.confidence(position);
    let log = early.map(|(server, until)| (words.name(server), until));
    match (confidence, log) {
        (Confidence::Complete, _) => None,
        (_, None) => Some("provisional: the period has not ended".to_owned()),
        (Confidence::Provisional, Some((server, until))) => {
            Some(format!("provisional: the log of {server} reaches {until}, and no further yet"))
        }
        (Confidence::Degraded, Some((server, until))) => Some(format!(
            "degraded: the log of {server} ends at {until}, and it has been silent for too long"
        )),
    }
}

/// The line of a right, or with whom it is shared.
fn called(words: &Words<'_>, line: &ExplainedLine) -> String {
    let right = &line.right;
    let name = words.name(right.line);
    let taken = matches!(right.capacity, Capacity::Limited(limit) if limit < Quantity::ZERO);
    match (right.lent, taken) {
        (false, _) => name,
        (true, false) => format!("lent by {name}"),
        (true, true) => format!("lent to {name}"),
    }
}

fn line_row(words: &Words<'_>, line: &ExplainedLine) -> LineRow {
    let right = &line.right;
    let Span { start, end } = right.span;
    let contract = line.line.as_ref().and_then(|row| row.line.contract);
    LineRow {
        line: called(words, line),
        contract: contract.map(|contract| words.name(contract)),
        source: match right.lent {
            false => words.name(right.document),
            true => "downgrade".to_owned(),
        },
        basis: right.basis.name().to_owned(),
        grants: capacity(right.capacity),
        start: instant(start),
        end: instant(end),
        in_force: line.in_force,
        counts: line.counts,
        used: line.allocation.map(|allocation| allocation.used.to_string()),
        reason: line.allocation.map(|allocation| allocation.reason.name().to_owned()),
        terms: line
            .line
            .as_ref()
            .map(|row| terms::of(&row.line, &line.title, |id| words.name(id)))
            .unwrap_or_default(),
    }
}

fn holder_row(words: &Words<'_>, holder: &Holder) -> HolderRow {
    HolderRow {
        account: words.name(holder.one.account),
        user: holder.one.user.map(|user| words.name(user)).unwrap_or_default(),
        device: holder.one.device.map(|device| words.name(device)).unwrap_or_default(),
        charged: holder.charged.to_string(),
        session: holder.session.map(|session| session_row(words, &session)),
    }
}

/// Metered use, added up by account.
fn metered(words: &Words<'_>, found: &Explanation) -> Vec<ShareRow> {
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for (cell, tally) in &found.cells {
        *sums.entry(words.name(cell.account)).or_default() += tally.quantity;
    }
    sums.into_iter()
        .map(|(account, sum)| ShareRow {
            account,
            quantity: Quantity::from_sum(sum).unwrap_or(Quantity::MAX).to_string(),
        })
        .collect()
}
