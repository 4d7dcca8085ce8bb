//! Which rows of a source's tables and files are in force, and when.
//!
//! in_force = { (row, span of v) : row ∈ version v of d } ∪ { (fact, always) : fact of no document }
//!
//! span of v = [from(v), first from(w) of a later version w): a later version replaces what earlier
//! ones say from its own beginning on, for ever. A version that speaks for all of time (`MIN`)
//! replaces all earlier ones; a row that stands in both versions does not change downstream.
//!
//! Work per change: the rows of the version that comes and of those that it replaces.

use crate::Facts;
use crate::dedupe::Known;
use crate::keyed::Keyed as _;
use std::collections::BTreeSet;
use trueup_model::fact::Body;
use trueup_model::time::{Span, Timestamp};

/// Gives each row of a document the time in which its version is in force.
pub fn in_force<'s>(known: Facts<'s, Known>) -> Facts<'s, (Known, Span)> {
    let free = known
        .clone()
        .filter(|row| row.document.is_none() && !matches!(row.body, Body::Document(_)))
        .map(|row| (row, Span::ALWAYS));
    let spans = known
        .clone()
        .flat_map(|row| {
            let Body::Document(version) = row.body else { return None };
            Some((version.document, (version.version, version.effective_from)))
        })
        .grouped("Documents: versions", |_document, versions, spans| {
            let versions = versions.iter().map(|(version, _)| **version);
            spans.extend(version_spans(versions).into_iter().map(|row| (row, 1)));
        })
        .map(|(document, (version, span))| ((document, version), span));
    let rows = known.flat_map(|row| {
        let version = row.document?;
        Some(((version.document, version.version), row))
    });
    let dated = rows.joined(spans, |_version, row, span| (row.clone(), *span));
    free.concat(dated)
}

/// When each version is in force: until a later one begins.
fn version_spans(versions: impl Iterator<Item = (u64, Timestamp)>) -> Vec<(u64, Span)> {
    // Of two statements of one version, the one that begins later is the narrower claim.
    let latest_first: BTreeSet<_> = versions.map(std::cmp::Reverse).collect();
    let mut spans = Vec::new();
    let mut taken_from = Timestamp::MAX;
    let mut last = None;
    for std::cmp::Reverse((version, from)) in latest_first {
        if last == Some(version) {
            continue;
        }
        last = Some(version);
        let span = Span::new(from, taken_from);
        if !span.is_empty() {
            spans.push((version, span));
        }
        taken_from = taken_from.min(from);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::version_spans;
    use trueup_model::time::{Span, Timestamp};

    fn spans(versions: &[(u64, i64)]) -> Vec<(u64, Span)> {
        version_spans(versions.iter().map(|(version, from)| {
            (*version, if *from < 0 { Timestamp::MIN } else { Timestamp(*from) })
        }))
    }

    #[test]
    fn a_version_holds_until_a_later_one_begins() {
        let until = |start, end| Span::new(Timestamp(start), Timestamp(end));
        assert_eq!(
            spans(&[(1, 10), (2, 20), (3, 30)]),
            [(3, Span::from(Timestamp(30))), (2, until(20, 30)), (1, until(10, 20))]
        );
    }

    #[test]
    fn a_version_for_all_of_time_replaces_those_before_it_and_not_those_after() {
        let before = Span::new(Timestamp::MIN, Timestamp(30));
        assert_eq!(
            spans(&[(1, 10), (2, -1), (3, 30)]),
            [(3, Span::from(Timestamp(30))), (2, before)]
        );
        assert_eq!(spans(&[(1, -1), (2, -1)]), [(2, Span::ALWAYS)]);
    }

    #[test]
    fn a_later_version_that_begins_earlier_replaces_the_earlier_one_whole() {
        assert_eq!(spans(&[(1, 20), (2, 10)]), [(2, Span::from(Timestamp(10)))]);
    }
}
