//! What an epoch changed in each output: the rows that came and went, and nothing else.

use crate::chain::{Pace, Sums};
use differential_dataflow::ExchangeData;
use differential_dataflow::difference::Semigroup;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::ProbeHandle;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::{Exchange as _, Operator as _, Probe as _};
use trueup_model::derived::{Attempt, EventCount, PoolState, Resolution, Session, Subject, Wait};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::ledger::{BillDue, Charge, CreditBalance, FeeDue, Overage, TrueUp};
use trueup_model::position::{
    Adjustment, AllocatedUse, AllocationLine, IssuedPosition, LicensePosition, Rollup, Statement,
    Step,
};
use trueup_model::time::Span;
use trueup_operators::attribute::Use;
use trueup_operators::dedupe::{Known, Repeated};
use trueup_operators::entitle::{LineInForce, Right};
use trueup_operators::hierarchy::Placement;
use trueup_operators::inclusion::Included;
use trueup_operators::pipeline::Outputs;
use trueup_operators::tally::Tally;
use trueup_operators::volume::Cell;
use trueup_operators::{Diff, Epoch, Facts};

/// Declares the outputs once: how each is called, what its rows are, and when it changes.
macro_rules! outputs {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $weight:ty, $pace:ident;)*) => {
        /// The differences of one epoch.
        #[derive(Clone, Debug, Default)]
        pub struct Changes {
            $($(#[$doc])* pub $name: Vec<($row, $weight)>,)*
        }

        /// What a worker found in one epoch.
        #[derive(Debug, Default)]
        pub(crate) struct Found {
            $($name: Lists<$row, $weight>,)*
        }

        impl Changes {
            /// What workers found together.
            pub(crate) fn found(mut parts: Vec<Found>) -> Self {
                Self {
                    $($name: in_one(parts.iter_mut().map(|part| std::mem::take(&mut part.$name))),)*
                }
            }

            /// Sums the differences of equal rows, in the order of rows.
            pub(crate) fn consolidate(&mut self) {
                $(consolidate(&mut self.$name);)*
            }

            /// What stands for all of them, in whatever order they are.
            pub(crate) fn sums(&self) -> Sums {
                let mut sums = Sums::default();
                $(sums.add(stringify!($name), Pace::$pace, &self.$name);)*
                sums
            }

            /// How many rows came or went.
            pub fn len(&self) -> usize {
                0 $(+ self.$name.len())*
            }

            /// Whether nothing changed.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }

        /// Collects the differences of each output on a worker, by epoch.
        ///
        /// The probe passes an epoch when every output is complete. With a goal, that worker has them.
        pub(crate) fn collect(
            outputs: Outputs<'_>,
            goal: Option<u64>,
            gathered: &Gathered,
            probe: &ProbeHandle<Epoch>,
        ) {
            $(tap(outputs.$name, goal, gathered, probe, |found| &mut found.$name);)*
        }
    };
}

outputs! {
    /// Positions.
    positions: LicensePosition, Diff, Epochs;
    /// Which lines serve each position.
    allocations: AllocationLine, Diff, Epochs;
    /// The levels of each position over time.
    steps: Step, Diff, Epochs;
    /// Totals over both trees.
    rollups: Rollup, Diff, Ticks;
    /// The same by the account tree of the horizon.
    rollups_current: Rollup, Diff, Ticks;
    /// Discrepancies.
    discrepancies: Discrepancy, Diff, Epochs;
    /// Closed periods.
    statements: Statement, Diff, Epochs;
    /// What positions said when their periods closed.
    issued: IssuedPosition, Diff, Epochs;
    /// Late facts of closed periods.
    adjustments: Adjustment, Diff, Epochs;
    /// What is left of credits.
    credits: CreditBalance, Diff, Epochs;
    /// What no credit covers.
    overages: Overage, Diff, Epochs;
    /// What use costs.
    charges: Charge, Diff, Epochs;
    /// How much of what is allocated is in use.
    allocated: AllocatedUse, Diff, Epochs;
    /// What is owed.
    true_ups: TrueUp, Diff, Epochs;
    /// What lines cost.
    fees: FeeDue, Diff, Epochs;
    /// What is still to be billed.
    bills: BillDue, Diff, Epochs;
    /// Checkouts.
    sessions: Session, Diff, Epochs;
    /// Uses as they count.
    uses: Use, Diff, Epochs;
    /// Metered use.
    cells: Cell, Tally, Epochs;
    /// What suites include.
    included: Included, Diff, Epochs;
    /// Refused attempts.
    attempts: Attempt, Diff, Epochs;
    /// Waits in queues.
    waits: Wait, Diff, Epochs;
    /// What sources say of each pool.
    pools: PoolState, Diff, Epochs;
    /// How often each thing was said.
    counts: EventCount, Diff, Epochs;
    /// Lines in force.
    lines: LineInForce, Diff, Epochs;
    /// What lines grant.
    rights: Right, Diff, Epochs;
    /// What subjects mean.
    resolutions: (Subject, Resolution), Diff, Epochs;
    /// Facts that are shown as they are.
    shown: (Known, Span), Diff, Epochs;
    /// Repetitions.
    repeated: Repeated, Diff, Epochs;
    /// The account tree.
    accounts: Placement, Diff, Epochs;
}

/// What a worker found and has not yet handed over.
pub(crate) type Gathered = Rc<RefCell<BTreeMap<Epoch, Found>>>;

/// Differences as they travel.
type List<D, R> = Vec<(D, Epoch, R)>;

/// Differences of one epoch in the lists in which they came: nothing is copied on the worker but what is small.
#[derive(Debug)]
struct Lists<D, R>(Vec<List<D, R>>);

impl<D, R> Default for Lists<D, R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D, R> Lists<D, R> {
    /// Takes in what came, of one epoch.
    fn take(&mut self, came: &mut List<D, R>) {
        match self.0.last_mut().filter(|last| last.capacity() - last.len() >= came.len()) {
            Some(last) => last.append(came),
            None => self.0.push(std::mem::take(came)),
        }
    }
}

/// The rows of many lists in one.
fn in_one<D, R>(parts: impl Iterator<Item = Lists<D, R>>) -> Vec<(D, R)> {
    let lists: Vec<List<D, R>> = parts.flat_map(|Lists(lists)| lists).collect();
    let mut all = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    all.extend(lists.into_iter().flatten().map(|(row, _, weight)| (row, weight)));
    all
}

/// Sums the differences of equal rows, in the order of rows.
fn consolidate<D: Ord, R: Semigroup>(rows: &mut Vec<(D, R)>) {
    // What is equal is summed, so its order does not matter, and no room as large as the rows is needed.
    rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    rows.dedup_by(|(row, weight), (kept, sum)| {
        let is_same = row == kept;
        if is_same {
            sum.plus_equals(weight);
        }
        is_same
    });
    rows.retain(|(_, weight)| !weight.is_zero());
}

/// Takes the updates of one output to its place in what was found in the epoch.
fn tap<D: ExchangeData, R: ExchangeData>(
    rows: Facts<'_, D, R>,
    goal: Option<u64>,
    gathered: &Gathered,
    probe: &ProbeHandle<Epoch>,
    place: impl Fn(&mut Found) -> &mut Lists<D, R> + 'static,
) {
    let gathered = Rc::clone(gathered);
    let rows = match goal {
        Some(goal) => rows.inner.exchange(move |_| goal),
        None => rows.inner,
    };
    rows.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(Pipeline, "Gather", |_, _| {
        move |input, _output| {
            input.for_each_stamp(|_capability, batches| {
                let mut gathered = gathered.borrow_mut();
                for batch in batches {
                    while let Some((_, epoch, _)) = batch.first() {
                        let epoch = *epoch;
                        let same = batch.iter().take_while(|(_, at, _)| *at == epoch).count();
                        let rest = batch.split_off(same);
                        place(gathered.entry(epoch).or_default()).take(batch);
                        if !rest.is_empty() {
                            *batch = rest;
                        }
                    }
                }
            });
        }
    })
    .probe_with(probe);
}

#[cfg(test)]
mod tests {
    use super::{Lists, consolidate, in_one};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Whatever lists rows come in, they are there once, in order, with the sums of their weights.
        #[test]
        fn rows_of_many_lists_are_summed(
            parts in prop::collection::vec(
                prop::collection::vec(prop::collection::vec((0..9_u8, -2..3_isize), 0..40), 0..6),
                0..4,
            ),
        ) {
            let mut expected: BTreeMap<u8, isize> = BTreeMap::new();
            for (row, weight) in parts.iter().flatten().flatten() {
                *expected.entry(*row).or_default() += weight;
            }
            expected.retain(|_, weight| *weight != 0);
            let found = parts.into_iter().map(|part| {
                let mut lists = Lists::default();
                for list in part {
                    lists.take(&mut list.into_iter().map(|(row, weight)| (row, 7, weight)).collect());
                }
                lists
            });
            let mut all = in_one(found);
            consolidate(&mut all);
            prop_assert_eq!(all, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
