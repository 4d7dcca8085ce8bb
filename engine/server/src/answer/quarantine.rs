//! What could not be understood, as rows.

use super::Words;
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::fact::Body;

/// A piece of input that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct QuarantineRow {
    /// The file, stream or table.
    pub(crate) source: String,
    /// The line or row, from 1.
    pub(crate) position: u64,
    /// Why.
    pub(crate) reason: String,
    /// What exactly was wrong.
    pub(crate) detail: Option<String>,
    /// The beginning of what was read.
    pub(crate) excerpt: String,
    /// What can be done.
    pub(crate) remedy: String,
}

/// The rejects that a filter asks for, by source and position.
pub(crate) fn quarantine(words: &Words<'_>, filter: &Filter) -> Vec<QuarantineRow> {
    let rejects = words.views.shown.iter().filter_map(|(known, _)| {
        let Body::Reject(reject) = &known.body else { return None };
        Some((known, reject))
    });
    let mut rows: Vec<QuarantineRow> = rejects
        .map(|(known, reject)| QuarantineRow {
            source: words.name(known.provenance.document),
            position: known.provenance.position,
            reason: reject.reason.name().to_owned(),
            detail: reject.detail.map(|detail| words.name(detail)),
            excerpt: words.name(reject.excerpt),
            remedy: reject.reason.remedy().to_owned(),
        })
        .filter(|row| Filter::matches(filter.kind.as_deref(), &row.reason))
        .collect();
    rows.sort();
    rows
}
