//! Why a piece of input was set aside; the words that a quarantine row shows.

use crate::id::NameKind;
use serde::{Deserialize, Serialize};

/// Why input could not be taken as a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RejectReason {
    /// The bytes are not the text of the declared encoding.
    NotText,
    /// The line or row is longer than the stated limit.
    TooLong,
    /// The line or row ends in the middle.
    Torn,
    /// It looks like an event or row of the format, but does not follow its grammar.
    Malformed,
    /// A value that the rule needs is missing or empty.
    MissingValue,
    /// A value is not of the declared type: number, date, code.
    BadValue,
    /// A value is beyond what is allowed.
    OutOfRange,
    /// A purchase without what makes it countable.
    Incomplete,
    /// The event's date could not be found.
    Undated,
    /// It happened later than it arrived.
    FutureEvent,
    /// The name has the identifier of another name.
    NameCollision,
    /// There are more names than the dictionary may hold.
    TooManyNames,
    /// The file is of no known format.
    UnknownFormat,
    /// It would be the same fact as an earlier one with other content.
    Conflict,
    /// It happened longer before it arrived than anything is kept.
    BeyondRetention,
}

impl RejectReason {
    /// Every reason, in the order of [`RejectReason::code`].
    pub const ALL: [Self; 15] = [
        Self::NotText,
        Self::TooLong,
        Self::Torn,
        Self::Malformed,
        Self::MissingValue,
        Self::BadValue,
        Self::OutOfRange,
        Self::Incomplete,
        Self::Undated,
        Self::FutureEvent,
        Self::NameCollision,
        Self::TooManyNames,
        Self::UnknownFormat,
        Self::Conflict,
        Self::BeyondRetention,
    ];

    /// The reason's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::NotText => 0,
            Self::TooLong => 1,
            Self::Torn => 2,
            Self::Malformed => 3,
            Self::MissingValue => 4,
            Self::BadValue => 5,
            Self::OutOfRange => 6,
            Self::Incomplete => 7,
            Self::Undated => 8,
            Self::FutureEvent => 9,
            Self::NameCollision => 10,
            Self::TooManyNames => 11,
            Self::UnknownFormat => 12,
            Self::Conflict => 13,
            Self::BeyondRetention => 14,
        }
    }

    /// The reason of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The reason's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotText => "not_text",
            Self::TooLong => "too_long",
            Self::Torn => "torn",
            Self::Malformed => "malformed",
            Self::MissingValue => "missing_value",
            Self::BadValue => "bad_value",
            Self::OutOfRange => "out_of_range",
            Self::Incomplete => "incomplete",
            Self::Undated => "undated",
            Self::FutureEvent => "future_event",
            Self::NameCollision => "name_collision",
            Self::TooManyNames => "too_many_names",
            Self::UnknownFormat => "unknown_format",
            Self::Conflict => "conflict",
            Self::BeyondRetention => "beyond_retention",
        }
    }

    /// What someone can do about it, as a sentence without a full stop.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NotText => "name the file's encoding in its mapping",
            Self::TooLong => "check that the file is what its name says; split the line",
            Self::Torn => "send the whole file again; a growing file heals by itself",
            Self::Malformed => "check the line against the format; report it if it is genuine",
            Self::MissingValue => "fill the value in at the source, or map another column to it",
            Self::BadValue => "correct the value, or the number and date format in the mapping",
            Self::OutOfRange => "correct the value at the source",
            Self::Incomplete => "complete the row at the source",
            Self::Undated => "give the log's date, or the file before it",
            Self::FutureEvent => "check the clock and the time zone of the source",
            Self::NameCollision => "rename one of the two",
            Self::TooManyNames => "check the source for names made of numbers; raise the limit",
            Self::UnknownFormat => "give a mapping for it",
            Self::Conflict => "give one of the two another key",
            Self::BeyondRetention => {
                "decide whether it is to count; a longer `retention_days` takes it when it is sent again"
            }
        }
    }
}

/// A piece of input that was set aside.
///
/// It is a fact like any other: a corrected document takes it back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reject<N> {
    /// Why.
    pub reason: RejectReason,
    /// The beginning of what was read, made printable.
    pub excerpt: N,
    /// What exactly was wrong, if there is more to say than the reason.
    pub detail: Option<N>,
}

impl<N> Reject<N> {
    /// The same reject with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Reject<M>, E> {
        Ok(Reject {
            reason: self.reason,
            excerpt: f(NameKind::Text, self.excerpt)?,
            detail: self.detail.map(|name| f(NameKind::Text, name)).transpose()?,
        })
    }
}
