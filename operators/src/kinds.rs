//! Statements in force by their kind: whoever reads one kind is given no other.
//!
//! of(k) = { (row, span) in force : kind of row = k }
//!
//! Some twenty operators read statements, most of them one kind; a stream of all kinds would be copied
//! whole for each.
//!
//! Work per change: the row, once.

use crate::Facts;
use crate::dedupe::Known;
use crate::epochs::{Updates, each_epoch_of, operator};
use differential_dataflow::AsCollection;
use trueup_model::fact::FactKind;
use trueup_model::time::Span;

/// How many kinds there are.
const KINDS: usize = FactKind::ALL.len();

/// Statements with the time in which their document says them, by kind.
#[derive(Clone)]
pub struct InForce<'s> {
    of: [Facts<'s, (Known, Span)>; KINDS],
}

impl<'s> InForce<'s> {
    /// Parts statements by their kind.
    pub fn part(rows: Facts<'s, (Known, Span)>) -> Self {
        let builder = operator("In force: kinds", &rows.inner);
        let of = each_epoch_of(
            builder,
            (rows.inner,),
            |(rows,), told: &mut [Updates<(Known, Span)>; KINDS]| {
                for (row, diff) in rows {
                    if let Some(list) = told.get_mut(place(row.0.body.kind())) {
                        list.push((row, diff));
                    }
                }
            },
        );
        Self { of: of.map(AsCollection::as_collection) }
    }

    /// The statements of a kind.
    pub fn of(&self, kind: FactKind) -> Facts<'s, (Known, Span)> {
        self.of[place(kind)].clone()
    }

    /// The statements that are shown to people as they are.
    pub fn shown(&self) -> Facts<'s, (Known, Span)> {
        let others = [
            FactKind::ObservedServer,
            FactKind::Reservation,
            FactKind::Server,
            FactKind::Account,
            FactKind::Reject,
        ];
        let others = others.map(|kind| self.of(kind));
        self.of(FactKind::ObservedSession).concatenate(others)
    }
}

fn place(kind: FactKind) -> usize {
    usize::from(kind.code())
}
