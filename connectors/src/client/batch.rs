//! Gathering: facts with names become facts with codes, until there are enough for a batch.
//!
//! Names that are longer than the wire allows are dealt with here, so that nothing that comes after
//! can refuse a fact: words that are only shown, and names of documents, are shortened and stay
//! distinct by a hash at their end; a fact with any other such name becomes a reject that says so, at
//! the same place of the same document.

use super::dictionary::{Dictionary, Full};
use crate::formats::excerpt;
use std::convert::Infallible;
use trueup_model::fact::{Action, Body, Fact, FactId};
use trueup_model::hash::hash64;
use trueup_model::id::NameKind;
use trueup_model::reject::{Reject, RejectReason};
use trueup_wire::limits::NAME_BYTES_MAX;
use trueup_wire::{Code, Columns, EncodeError, encode_batch};

/// The bytes that a fact usually takes in a frame.
const FACT_BYTES_USUAL: usize = 64;
/// What a shortened name keeps of its beginning, in bytes: room is left for the hash.
const KEPT_BYTES: usize = NAME_BYTES_MAX - 32;

/// When a batch is large enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// This many facts.
    pub records_max: usize,
    /// About this many bytes.
    pub bytes_max: usize,
}

impl Default for BatchLimits {
    /// 8,192 facts or about 1 MiB.
    fn default() -> Self {
        Self { records_max: 8192, bytes_max: 1024 * 1024 }
    }
}

/// Why a fact was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotAdd {
    /// The dictionary takes no further name; once it was cleared, the fact can be added.
    Full,
    /// A name is longer than the wire allows; [`reshape`] makes a fact of it that can be added.
    TooLong,
}

/// What happened to a fact that was reshaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many of its names were shortened.
    pub shortened: u64,
    /// Whether it became a reject.
    pub rejected: bool,
}

/// The facts of the next batch.
#[derive(Debug)]
pub struct Gathered {
    limits: BatchLimits,
    facts: Vec<Fact<Code>>,
    bytes: usize,
}

impl Gathered {
    /// No facts.
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, facts: Vec::new(), bytes: 0 }
    }

    /// Whether there are enough facts for a batch.
    pub fn is_full(&self) -> bool {
        self.facts.len() >= self.limits.records_max || self.bytes >= self.limits.bytes_max
    }

    /// Whether there are no facts.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Adds a fact.
    ///
    /// # Errors
    /// If the dictionary is full, or a name is longer than the wire allows; nothing was added then.
    pub fn add(&mut self, fact: Fact<&str>, dictionary: &mut Dictionary) -> Result<(), CannotAdd> {
        let coded = fact.try_map(&mut |kind, name: &str| {
            if name.len() > NAME_BYTES_MAX {
                return Err(CannotAdd::TooLong);
            }
            dictionary.code(kind, name).map_err(|Full| CannotAdd::Full)
        })?;
        if let Action::Assert(Body::Account(account)) = &coded.action {
            let length = account.zone.as_ref().map_or(0, String::len);
            if length > NAME_BYTES_MAX {
                return Err(CannotAdd::TooLong);
            }
            self.bytes += length;
        }
        self.bytes += FACT_BYTES_USUAL;
        self.facts.push(coded);
        Ok(())
    }

    /// The columns of the facts, which are gathered no longer; one for each kind.
    ///
    /// # Errors
    /// If they cannot be encoded, which [`Gathered::add`] sees to.
    pub fn cut(&mut self) -> Result<Vec<Columns>, EncodeError> {
        let columns = encode_batch(&self.facts)?;
        self.facts.clear();
        self.bytes = 0;
        Ok(columns)
    }
}

/// Whose facts they are: what the identity of a reject is made of.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The source.
    pub source: &'a str,
}

/// Gives the fact to `take` in a form that the wire allows; says what was done to it.
pub fn reshape<R>(
    fact: Fact<&str>,
    origin: Origin<'_>,
    take: impl FnOnce(Fact<&str>) -> R,
) -> (Taken, R) {
    let mut taken = Taken::default();
    let mut too_long = zone_of(&fact).filter(|zone| zone.len() > NAME_BYTES_MAX).map(str::to_owned);
    let mut names = Vec::new();
    let Ok(_) = fact.clone().try_map(&mut |kind, name: &str| {
        names.push(if name.len() <= NAME_BYTES_MAX {
            name.to_owned()
        } else if may_be_shortened(kind) {
            taken.shortened += 1;
            shorten(name)
        } else {
            too_long = Some(name.to_owned());
            String::new()
        });
        Ok::<(), Infallible>(())
    });
    // The names come in the same order again.
    let mut shaped = names.iter();
    let Ok(fact) =
        fact.try_map(&mut |_, _| Ok::<&str, Infallible>(shaped.next().map_or("", String::as_str)));
    match too_long {
        Some(name) => {
            taken.rejected = true;
            (taken, give_reject(&fact, &name, origin, take))
        }
        None => (taken, take(fact)),
    }
}

/// The inline text of a fact, if it has one.
fn zone_of<'f>(fact: &'f Fact<&str>) -> Option<&'f str> {
    match &fact.action {
        Action::Assert(Body::Account(account)) => account.zone.as_deref(),
        Action::Assert(_) | Action::Retract(_) => None,
    }
}

/// Whether names of the kind only have to stay distinct, and need not be what they were.
fn may_be_shortened(kind: NameKind) -> bool {
    match kind {
        NameKind::Text | NameKind::Document => true,
        NameKind::Source
        | NameKind::Server
        | NameKind::Product
        | NameKind::User
        | NameKind::Device
        | NameKind::Account
        | NameKind::Line
        | NameKind::Contract => false,
    }
}

/// The beginning of a name that is too long, and a hash of all of it.
fn shorten(name: &str) -> String {
    let kept = &name[..name.floor_char_boundary(KEPT_BYTES)];
    format!("{kept}… #{:016x}", hash64(&[name.as_bytes()]))
}

/// Gives the reject that stands for a fact with too long a name.
fn give_reject<R>(
    fact: &Fact<&str>,
    name: &str,
    origin: Origin<'_>,
    take: impl FnOnce(Fact<&str>) -> R,
) -> R {
    let detail = format!("a name has {} bytes, and {NAME_BYTES_MAX} are allowed", name.len());
    let excerpt = excerpt(name.as_bytes());
    let parts: [&[u8]; 2] = [b"too long a name", &fact.id.0.to_le_bytes()];
    take(Fact {
        id: FactId::of(origin.tenant, origin.source, &parts),
        revision: fact.revision,
        arrived_at: fact.arrived_at,
        provenance: fact.provenance,
        document: fact.document,
        action: Action::Assert(Body::Reject(Reject {
            reason: RejectReason::TooLong,
            excerpt: excerpt.as_str(),
            detail: Some(detail.as_str()),
        })),
    })
}

#[cfg(test)]
mod tests;
