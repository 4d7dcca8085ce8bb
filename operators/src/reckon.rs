//! Lines of a tenant that depend on each other: parts of a whole, and what was taken from it.
//!
//! reckoned = the lines that name no other and that no other names, as they are
//!          + what the rest comes to together, with what is wrong with it
//!
//! Work per change: the lines of the tenant that depend on each other.

use crate::Facts;
use crate::entitle::LineInForce;
use crate::keyed::{Keyed as _, Rows as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::Discrepancy;
use trueup_model::id::Id;

/// Lines as far as they count, and what is wrong.
pub struct Reckoned<'s> {
    /// The lines, with what is left of them, while it is left.
    pub lines: Facts<'s, LineInForce>,
    /// What is wrong.
    pub problems: Facts<'s, Discrepancy>,
}

/// What comes of a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Found {
    /// It counts so far.
    Line(LineInForce),
    /// Something is wrong with it.
    Problem(Discrepancy),
}

/// Reckons lines that depend on others together with those that they name.
///
/// `depends` is whether a line does, and `on` the name of the other, if it says one.
pub(crate) fn reckon<'s>(
    name: &str,
    lines: Facts<'s, LineInForce>,
    depends: fn(&LineInForce) -> bool,
    on: fn(&LineInForce) -> Option<Id>,
    evaluate: impl Fn(Vec<LineInForce>) -> Vec<Found> + 'static,
) -> Reckoned<'s> {
    let keyed = lines.map(|row| ((row.tenant, row.line.line), row));
    let parts = keyed.clone().filter(move |(_, row)| depends(row));
    let whole = keyed.filter(move |(_, row)| !depends(row));
    // Rows of one name are reckoned together, whichever of them say that they depend on others.
    let named = parts.clone().flat_map(move |((tenant, line), row)| {
        [Some(line), on(&row)].into_iter().flatten().map(move |one| (tenant, one))
    });
    let named = named.once();
    let found = parts
        .concat(whole.clone().kept_by(named.clone()))
        .map(|((tenant, _), row)| (tenant, row))
        .grouped(name, move |_tenant, rows, found| {
            let rows = rows.iter().flat_map(|(row, count)| {
                std::iter::repeat_n((*row).clone(), usize::try_from(*count).unwrap_or(0))
            });
            let mut counts: BTreeMap<Found, isize> = BTreeMap::new();
            for row in evaluate(rows.collect()) {
                *counts.entry(row).or_default() += 1;
            }
            found.extend(counts);
        })
        .map(|(_, found)| found);
    let left = found.clone().flat_map(|found| match found {
        Found::Line(line) => Some(line),
        Found::Problem(_) => None,
    });
    let problems = found.flat_map(|found| match found {
        Found::Problem(problem) => Some(problem),
        Found::Line(_) => None,
    });
    Reckoned { lines: whole.dropped_by(named).map(|(_, row)| row).concat(left), problems }
}
