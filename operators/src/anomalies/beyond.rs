//! Events that came when what they are about is no longer kept.
//!
//! beyond(d) = { reject of document d : its reason is the retention }
//!
//! Such an event is not counted, and whether it had been counted when it came in time is not known any more: it
//! takes someone to decide.
//!
//! Work per change: one count.

use crate::Facts;
use crate::dedupe::Known;
use crate::keyed::Keyed as _;
use crate::reconcile::{counted, plain};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::NameKind;
use trueup_model::reject::RejectReason;

/// Finds the documents with events beyond retention.
pub(super) fn beyond<'s>(rows: Facts<'s, Known>) -> Facts<'s, Discrepancy> {
    rows.flat_map(|row| {
        let Body::Reject(reject) = row.body else { return None };
        let is_beyond = reject.reason == RejectReason::BeyondRetention;
        is_beyond.then_some(((row.tenant, row.provenance.document), ()))
    })
    .grouped("Anomalies: beyond", |_document, events, found| {
        found.push((events.iter().map(|(_, count)| *count).sum::<isize>(), 1));
    })
    .map(|((tenant, document), count)| Discrepancy {
        subject: Some((NameKind::Document, document)),
        magnitude: counted(count),
        ..plain(DiscrepancyKind::BeyondRetention, tenant)
    })
}
