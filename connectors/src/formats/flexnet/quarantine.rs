//! What is set aside and remarked of one document, held to a number that people can read.
//!
//! A damaged file may have a million unreadable lines. The first ones are told in detail; of the rest
//! one reject says how many there are, so that nothing is dropped in silence and nothing grows.

use crate::formats::{Context, Sink};
use trueup_model::reject::RejectReason;

/// Rejects of one document that are told in detail.
pub const REJECTS_MAX: u64 = 1_000;
/// Remarks on one document that are told.
pub const NOTES_MAX: u64 = 1_000;

/// Counts what was set aside, and passes on the first of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarantine {
    rejects: u64,
    notes: u64,
    /// Where the rejects begin that are only counted, and why the first of them was set aside.
    beyond: Option<(u64, RejectReason)>,
}

impl Quarantine {
    /// Sets the input at this position aside.
    pub(super) fn reject(
        &mut self,
        context: &Context,
        sink: &mut impl Sink,
        position: u64,
        reason: RejectReason,
        input: &[u8],
        detail: Option<&str>,
    ) {
        self.rejects += 1;
        if self.rejects <= REJECTS_MAX {
            context.reject(sink, position, reason, input, detail);
        } else if self.beyond.is_none() {
            self.beyond = Some((position, reason));
        }
    }

    /// Passes a remark on.
    pub(super) fn note(&mut self, sink: &mut impl Sink, position: u64, words: &str) {
        self.notes += 1;
        if self.notes <= NOTES_MAX {
            sink.note(position, words);
        }
    }

    /// How many rejects there were, told or counted.
    pub(super) fn rejects(&self) -> u64 {
        self.rejects
    }

    /// Says how many more there were, and begins anew.
    pub(super) fn close(&mut self, context: &Context, sink: &mut impl Sink) {
        if let Some((position, reason)) = self.beyond.take() {
            let more = self.rejects - REJECTS_MAX;
            let detail = format!("{more} more from line {position} on were set aside");
            context.reject(sink, position, reason, b"(and more)", Some(&detail));
        }
        *self = Self::default();
    }
}
