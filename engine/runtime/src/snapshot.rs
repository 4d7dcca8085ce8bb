//! Snapshots of the input: what the journal said so far, put together, so that it need not be kept.
//!
//! snapshot(E) = (names, sources, conversations, horizon, facts put together) of the journal up to the
//!               close of epoch E, and what was issued by then
//!             = the snapshot before, and the records of the journal since, up to E
//!
//! It is made by a thread of its own from files that do not change any more; the dataflow is not
//! touched, and epochs go on meanwhile. Only what was issued is taken from the views: it follows from
//! when facts came, which no file says. An engine that begins with a snapshot enters it by pieces, which
//! count as the one epoch E (`sequencer/again.rs`), and then the rest of the journal; every view is what it would have been. Facts stand in
//! shares by identity, and any number of workers can begin with them.
//!
//! Only at the limit of names (`names_max`) can an answer differ: which of the last names still fit may
//! depend on names that a reject brought with it, which are not in their old place.

mod texts;
mod shard;
mod tables;
mod fold;
mod restore;
mod keeping;
mod taker;

pub(crate) use keeping::Keeping;
pub(crate) use restore::{Restored, find};
pub(crate) use taker::{Answer, Taker};

use shard::Row;
use texts::{Name, Tenant, Texts};
use trueup_journal::JournalError;
use trueup_model::fact::Fact;
use trueup_model::id::NameKind;
use trueup_wire::message::write_definitions;
use trueup_wire::record;
use trueup_wire::{Code, CodeTable};

/// Why a snapshot could not be made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The storage refused, or a file is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A content is whole and makes no sense.
    #[error("a record is not what this version writes: {0}")]
    Content(String),
}

impl From<&str> for Trouble {
    fn from(problem: &str) -> Self {
        Self::Content(problem.to_owned())
    }
}

impl Trouble {
    fn unknown(kind: u8) -> Self {
        Self::Content(format!("it is of the unknown kind {kind}"))
    }
}

/// A content that is a text.
fn utf8(content: &[u8]) -> Result<&str, Trouble> {
    str::from_utf8(content).map_err(|_| Trouble::from("a name is no UTF-8"))
}

/// Gives the names of a frame their codes.
fn define(
    frame: &[u8],
    tenant: Tenant,
    texts: &mut Texts,
    codes: &mut CodeTable<Name>,
) -> Result<(), Trouble> {
    let defined = record::with_names(frame, |definitions| {
        if definitions.first == 0 {
            codes.clear();
        }
        for (kind, text) in definitions.entries() {
            let name = texts.name(tenant, kind, text);
            codes.define(kind, name).map_err(|error| error.to_string())?;
        }
        Ok(())
    });
    defined.map_err(Trouble::Content)
}

/// The facts of a frame.
fn facts(frame: &[u8], codes: &CodeTable<Name>) -> Result<Vec<Fact<Name>>, Trouble> {
    record::with_batch(frame, |batch| known(batch, codes)).map_err(Trouble::Content)
}

/// The facts of a batch.
fn known(
    batch: &trueup_wire::message::Batch<'_>,
    codes: &CodeTable<Name>,
) -> Result<Vec<Fact<Name>>, String> {
    let defined = u32::try_from(codes.len()).unwrap_or(u32::MAX);
    let facts = batch.facts(defined).map_err(|error| error.to_string())?;
    let named = facts.map(|fact: Fact<Code>| {
        fact.try_map(&mut |kind, code| codes.get(kind, code).copied())
            .map_err(|error| error.to_string())
    });
    named.collect()
}

/// Cuts names into frames, with codes from `first` on; gives each.
fn frames(
    first: u32,
    names: &[(NameKind, &str)],
    mut give: impl FnMut(&[u8]) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut done = 0;
    while let Some(rest) = names.get(done..).filter(|rest| !rest.is_empty()) {
        let mut bytes = Vec::new();
        let code = first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX));
        let count = write_definitions(code, rest.iter().copied(), &mut bytes);
        let count = count.map_err(|error| Trouble::Content(error.to_string()))?;
        give(&bytes)?;
        done += usize::try_from(count).unwrap_or(usize::MAX).max(1);
    }
    Ok(())
}

/// Reads what a snapshot begins with that is made after this one; for tests.
#[cfg(test)]
pub(crate) fn looked_through<F: trueup_journal::File>(
    part: impl Fn(usize) -> trueup_journal::snapshot::Part<F>,
    parts: usize,
) -> Result<(), Trouble> {
    let mut tables = tables::Tables::read(part(0))?;
    for index in 1..parts {
        shard::Shard::default().read(part(index), &mut tables.texts)?;
    }
    Ok(())
}
