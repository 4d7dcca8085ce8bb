//! The questions that can be asked, wherever they are asked: each is a view with a filter.

use crate::answer::allocation::{AllocatedRow, allocations};
use crate::answer::discrepancy::{DiscrepancyRow, discrepancies};
use crate::answer::due::{BillRow, FeeRow, bills, fees};
use crate::answer::ledger::{
    ChargeRow, CreditRow, OverageRow, TrueUpRow, charges, credits, overages, true_ups,
};
use crate::answer::position::{LevelRow, PositionRow, levels, positions};
use crate::answer::quarantine::{QuarantineRow, quarantine};
use crate::answer::rollup::{RollupRow, rollups};
use crate::answer::server::{DenialRow, PoolRow, SessionRow, denials, pools, sessions};
use crate::answer::{Answer, Words};
use crate::filter::Filter;
use crate::render::{self, Format, Page};
use serde::de::DeserializeOwned;
use trueup_model::time::Timestamp;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Positions.
    Positions,
    /// Demand and rights at an instant.
    Levels,
    /// Discrepancies.
    Discrepancies,
    /// Totals over the trees.
    Rollups,
    /// What is left of credits.
    Credits,
    /// Use that no credit covers.
    Overages,
    /// What use costs.
    Charges,
    /// What is owed.
    TrueUps,
    /// What lines cost.
    Fees,
    /// What is still to be billed.
    Bills,
    /// How much of what is allocated is in use.
    Allocations,
    /// What could not be understood.
    Quarantine,
    /// What sources say of pools.
    Pools,
    /// Checkouts.
    Sessions,
    /// Refused attempts.
    Denials,
}

impl View {
    /// Every view.
    pub(crate) const ALL: [Self; 15] = [
        Self::Positions,
        Self::Levels,
        Self::Discrepancies,
        Self::Rollups,
        Self::Credits,
        Self::Overages,
        Self::Charges,
        Self::TrueUps,
        Self::Fees,
        Self::Bills,
        Self::Allocations,
        Self::Quarantine,
        Self::Pools,
        Self::Sessions,
        Self::Denials,
    ];

    /// The view's name in paths and file names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Positions => "positions",
            Self::Levels => "levels",
            Self::Discrepancies => "discrepancies",
            Self::Rollups => "rollups",
            Self::Credits => "credits",
            Self::Overages => "overages",
            Self::Charges => "charges",
            Self::TrueUps => "true-ups",
            Self::Fees => "fees",
            Self::Bills => "bills",
            Self::Allocations => "allocations",
            Self::Quarantine => "quarantine",
            Self::Pools => "pools",
            Self::Sessions => "sessions",
            Self::Denials => "denials",
        }
    }

    /// The view of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }
}

/// Rows of one view or another.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Rows {
    /// Positions.
    Positions(Answer<PositionRow>),
    /// Levels.
    Levels(Answer<LevelRow>),
    /// Discrepancies.
    Discrepancies(Answer<DiscrepancyRow>),
    /// Totals.
    Rollups(Answer<RollupRow>),
    /// What is left of credits.
    Credits(Answer<CreditRow>),
    /// Use that no credit covers.
    Overages(Answer<OverageRow>),
    /// What use costs.
    Charges(Answer<ChargeRow>),
    /// What is owed.
    TrueUps(Answer<TrueUpRow>),
    /// What lines cost.
    Fees(Answer<FeeRow>),
    /// What is still to be billed.
    Bills(Answer<BillRow>),
    /// How much of what is allocated is in use.
    Allocations(Answer<AllocatedRow>),
    /// Rejects.
    Quarantine(Answer<QuarantineRow>),
    /// Pools.
    Pools(Answer<PoolRow>),
    /// Checkouts.
    Sessions(Answer<SessionRow>),
    /// Denials.
    Denials(Answer<DenialRow>),
}

/// Why a question has no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuestionError {
    /// The instant is none.
    #[error("`at`: {0}")]
    At(#[from] trueup_model::time::TimestampError),
    /// No such tree.
    #[error("`tree`: `{0}` is neither occurred nor current")]
    Tree(String),
    /// The policy does not ask for what is asked for.
    #[error("totals by today's tree are kept only if the policy says `current_totals = true`")]
    NotKept,
}

/// Answers a question from the views.
pub(crate) fn ask(words: &Words<'_>, view: View, filter: &Filter) -> Result<Rows, QuestionError> {
    Ok(match view {
        View::Positions => Rows::Positions(words.answer(positions(words, filter), filter)),
        View::Levels => {
            let at: Timestamp = match &filter.at {
                Some(at) => at.parse()?,
                None => words.views.as_of.horizon,
            };
            Rows::Levels(words.answer(levels(words, filter, at), filter))
        }
        View::Discrepancies => {
            Rows::Discrepancies(words.answer(discrepancies(words, filter), filter))
        }
        View::Rollups => {
            match filter.tree.as_deref() {
                None | Some("occurred") => {}
                Some("current") if words.keeps_current_totals() => {}
                Some("current") => return Err(QuestionError::NotKept),
                Some(other) => return Err(QuestionError::Tree(other.to_owned())),
            }
            Rows::Rollups(words.answer_of_totals(rollups(words, filter), filter))
        }
        View::Credits => Rows::Credits(words.answer(credits(words, filter), filter)),
        View::Overages => Rows::Overages(words.answer(overages(words, filter), filter)),
        View::Charges => Rows::Charges(words.answer(charges(words, filter), filter)),
        View::TrueUps => Rows::TrueUps(words.answer(true_ups(words, filter), filter)),
        View::Fees => Rows::Fees(words.answer(fees(words, filter), filter)),
        View::Bills => Rows::Bills(words.answer(bills(words, filter), filter)),
        View::Allocations => Rows::Allocations(words.answer(allocations(words, filter), filter)),
        View::Quarantine => Rows::Quarantine(words.answer(quarantine(words, filter), filter)),
        View::Pools => Rows::Pools(words.answer(pools(words, filter), filter)),
        View::Sessions => Rows::Sessions(words.answer(sessions(words, filter), filter)),
        View::Denials => Rows::Denials(words.answer(denials(words, filter), filter)),
    })
}

/// Reads an answer that another process wrote as JSON.
pub(crate) fn read(view: View, json: &str) -> serde_json::Result<Rows> {
    fn rows<R: DeserializeOwned>(json: &str) -> serde_json::Result<Answer<R>> {
        serde_json::from_str(json)
    }
    Ok(match view {
        View::Positions => Rows::Positions(rows(json)?),
        View::Levels => Rows::Levels(rows(json)?),
        View::Discrepancies => Rows::Discrepancies(rows(json)?),
        View::Rollups => Rows::Rollups(rows(json)?),
        View::Credits => Rows::Credits(rows(json)?),
        View::Overages => Rows::Overages(rows(json)?),
        View::Charges => Rows::Charges(rows(json)?),
        View::TrueUps => Rows::TrueUps(rows(json)?),
        View::Fees => Rows::Fees(rows(json)?),
        View::Bills => Rows::Bills(rows(json)?),
        View::Allocations => Rows::Allocations(rows(json)?),
        View::Quarantine => Rows::Quarantine(rows(json)?),
        View::Pools => Rows::Pools(rows(json)?),
        View::Sessions => Rows::Sessions(rows(json)?),
        View::Denials => Rows::Denials(rows(json)?),
    })
}

/// Writes an answer.
pub(crate) fn write(page: &mut Page<'_>, format: Format, rows: &Rows) -> anyhow::Result<()> {
    match rows {
        Rows::Positions(found) => render::answer(page, format, found, render::positions),
        Rows::Levels(found) => render::answer(page, format, found, render::levels),
        Rows::Discrepancies(found) => render::answer(page, format, found, render::discrepancies),
        Rows::Rollups(found) => render::answer(page, format, found, render::rollups),
        Rows::Credits(found) => render::answer(page, format, found, render::credits),
        Rows::Overages(found) => render::answer(page, format, found, render::overages),
        Rows::Charges(found) => render::answer(page, format, found, render::charges),
        Rows::TrueUps(found) => render::answer(page, format, found, render::true_ups),
        Rows::Fees(found) => render::answer(page, format, found, render::fees),
        Rows::Bills(found) => render::answer(page, format, found, render::bills),
        Rows::Allocations(found) => render::answer(page, format, found, render::allocations),
        Rows::Quarantine(found) => render::answer(page, format, found, render::quarantine),
        Rows::Pools(found) => render::answer(page, format, found, render::pools),
        Rows::Sessions(found) => render::answer(page, format, found, render::sessions),
        Rows::Denials(found) => render::answer(page, format, found, render::denials),
    }
}
