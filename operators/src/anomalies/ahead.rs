//! Sources whose clocks run ahead: events that arrive before they happen.
//!
//! ahead(d) = { event e first read in document d : e.at − e.arrived_at > limit }
//!
//! Such an event waits until the horizon has passed it; many of them say that a clock is wrong.
//!
//! Work per change: the events of the document that are ahead.

use crate::Facts;
use crate::dedupe::Known;
use crate::keyed::Keyed as _;
use crate::reconcile::{counted, plain};
use crate::volume::Metered;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{Id, NameKind};
use trueup_model::time::Timestamp;

/// Finds the documents with events further ahead than the limit.
pub(super) fn ahead<'s>(
    known: Facts<'s, Known>,
    metered: Facts<'s, Metered>,
    limit_us: i64,
) -> Facts<'s, Discrepancy> {
    let early = move |at: Timestamp, arrived_at| at.since_us(arrived_at) > i128::from(limit_us);
    let said = known.flat_map(move |row| {
        let at = happened(&row.body).filter(|at| early(*at, row.arrived_at))?;
        Some(((row.tenant, row.provenance.document), at))
    });
    metered
        .filter(move |row| early(row.at, row.arrived_at))
        .map(|row| ((row.subject.tenant, row.provenance.document), row.at))
        .concat(said)
        .grouped("Anomalies: ahead", |_document, events, found| {
            let count = events.iter().map(|(_, count)| *count).sum::<isize>();
            if let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) {
                found.push(((count, **first, **last), 1));
            }
        })
        .map(|((tenant, document), (count, first, last))| Discrepancy {
            subject: Some((NameKind::Document, document)),
            magnitude: counted(count),
            first_at: first,
            last_at: last,
            ..plain(DiscrepancyKind::FutureEvent, tenant)
        })
}

/// When an event happened; what is no event happens at no instant.
fn happened(body: &Body<Id>) -> Option<Timestamp> {
    if let Body::Session(event) = body {
        return Some(event.at);
    }
    if let Body::Usage(event) = body {
        return Some(event.at);
    }
    if let Body::Server(event) = body {
        return Some(event.at);
    }
    if let Body::Role(signal) = body { Some(signal.at) } else { None }
}
