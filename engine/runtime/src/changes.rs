//! What an epoch changed in each output: the rows that came and went, and nothing else.

use crate::chain::{Pace, Sums};
use differential_dataflow::ExchangeData;
use differential_dataflow::difference::Semigroup;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::needs_drop;
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
use trueup_operators::totals::{SumKey, Total};
use trueup_operators::volume::Cell;
use trueup_operators::{Diff, Epoch, Facts};

/// Declares the outputs once: how each is called, what its rows are, and when it changes. Rows are there or not;
/// amounts are added up.
macro_rules! outputs {
    (
        rows { $($(#[$doc:meta])* $name:ident: $row:ty, $pace:ident;)* }
        amounts { $($(#[$of:meta])* $sum:ident: $key:ty, $weight:ty, $when:ident;)* }
    ) => {
        /// The differences of one epoch. Rows that are there or not are named once, in their order.
        #[derive(Clone, Debug, Default)]
        pub struct Changes {
            $($(#[$doc])* pub $name: Vec<($row, Diff)>,)*
            $($(#[$of])* pub $sum: Amounts<$key, $weight>,)*
        }

        /// What a worker found in one epoch.
        #[derive(Debug, Default)]
        pub(crate) struct Found {
            $($name: Amounts<$row, Diff>,)*
            $($sum: Amounts<$key, $weight>,)*
        }

        impl Changes {
            /// What workers found together.
            pub(crate) fn found(mut parts: Vec<Found>) -> Self {
                Self {
                    $($name: summed(parts.iter_mut().map(|part| std::mem::take(&mut part.$name))),)*
                    $($sum: Amounts::together(parts.iter_mut().map(|part| &mut part.$sum)),)*
                }
            }

            /// What stands for all of them, in whatever order they are.
            pub(crate) fn sums(&self) -> Sums {
                let mut sums = Sums::default();
                $(
                    let rows = self.$name.iter().map(|(row, diff)| (row, diff));
                    sums.add(stringify!($name), Pace::$pace, rows);
                )*
                $(sums.add(stringify!($sum), Pace::$when, self.$sum.iter());)*
                sums
            }

            /// How many rows came or went, and amounts changed.
            pub fn len(&self) -> usize {
                0 $(+ self.$name.len())* $(+ self.$sum.len())*
            }

            /// Whether nothing changed.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }

        /// Collects the differences of each output on a worker, by epoch.
        ///
        /// With a goal, that worker has them.
        pub(crate) fn collect(outputs: Outputs<'_>, goal: Option<u64>, ends: &Ends) {
            $(tap(outputs.$name, goal, ends.of(Pace::$pace), |found| &mut found.$name);)*
            $(tap(outputs.$sum, goal, ends.of(Pace::$when), |found| &mut found.$sum);)*
        }
    };
}

outputs! {
    rows {
        /// Positions.
        positions: LicensePosition, Epochs;
        /// Which lines serve each position.
        allocations: AllocationLine, Epochs;
        /// The levels of each position over time.
        steps: Step, Epochs;
        /// Totals over both trees of what is in use at a time.
        peaks: Rollup, Ticks;
        /// The peaks by the account tree of the horizon.
        peaks_current: Rollup, Ticks;
        /// Discrepancies.
        discrepancies: Discrepancy, Epochs;
        /// Closed periods.
        statements: Statement, Epochs;
        /// What positions said when their periods closed.
        issued: IssuedPosition, Epochs;
        /// Late facts of closed periods.
        adjustments: Adjustment, Epochs;
        /// What is left of credits.
        credits: CreditBalance, Epochs;
        /// What no credit covers.
        overages: Overage, Epochs;
        /// What use costs.
        charges: Charge, Epochs;
        /// How much of what is allocated is in use.
        allocated: AllocatedUse, Epochs;
        /// What is owed.
        true_ups: TrueUp, Epochs;
        /// What lines cost.
        fees: FeeDue, Epochs;
        /// What is still to be billed.
        bills: BillDue, Epochs;
        /// Checkouts.
        sessions: Session, Epochs;
        /// Uses as they count.
        uses: Use, Epochs;
        /// What suites include.
        included: Included, Epochs;
        /// Refused attempts.
        attempts: Attempt, Epochs;
        /// Waits in queues.
        waits: Wait, Epochs;
        /// What sources say of each pool.
        pools: PoolState, Epochs;
        /// How often each thing was said.
        counts: EventCount, Epochs;
        /// Lines in force.
        lines: LineInForce, Epochs;
        /// What lines grant.
        rights: Right, Epochs;
        /// What subjects mean.
        resolutions: (Subject, Resolution), Epochs;
        /// Facts that are shown as they are.
        shown: (Known, Span), Epochs;
        /// Repetitions.
        repeated: Repeated, Epochs;
        /// The account tree.
        accounts: Placement, Epochs;
    }
    amounts {
        /// Totals over both trees of volumes.
        sums: SumKey, Total, Ticks;
        /// The volumes by the account tree of the horizon.
        sums_current: SumKey, Total, Ticks;
        /// Metered use.
        cells: Cell, Tally, Epochs;
    }
}

/// What a worker found and has not yet handed over.
type Gathered = Rc<RefCell<BTreeMap<Epoch, Found>>>;

/// Where outputs of one pace come out on a worker.
#[derive(Default)]
struct End {
    gathered: Gathered,
    /// Passes an epoch when each of these outputs is complete.
    probe: ProbeHandle<Epoch>,
}

/// Where outputs come out on a worker: what comes with ticks may be complete later than what comes with epochs.
#[derive(Default)]
pub(crate) struct Ends {
    epochs: End,
    ticks: End,
}

impl Ends {
    fn of(&self, pace: Pace) -> &End {
        match pace {
            Pace::Epochs => &self.epochs,
            Pace::Ticks => &self.ticks,
        }
    }

    /// Whether nothing more can come of an epoch at this pace.
    pub(crate) fn is_done(&self, pace: Pace, epoch: Epoch) -> bool {
        !self.of(pace).probe.less_equal(&epoch)
    }

    /// Takes what an epoch changed at this pace on this worker.
    pub(crate) fn take(&self, pace: Pace, epoch: Epoch) -> Found {
        let mut gathered = self.of(pace).gathered.borrow_mut();
        let found = gathered.remove(&epoch).unwrap_or_default();
        debug_assert!(gathered.keys().all(|other| *other > epoch), "nothing is left behind");
        found
    }
}

/// How many bytes a row has at least that is not moved more often than it must be.
const WIDE: usize = 128;

/// Differences as they travel.
type List<D, R> = Vec<(D, Epoch, R)>;

/// Differences of one epoch in the lists in which they came, which nobody copies. What is there is what they add up to:
/// of the same row there may be several, in no order.
#[derive(Clone, Debug)]
pub struct Amounts<D, R>(Vec<List<D, R>>);

impl<D, R> Default for Amounts<D, R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D, R> Amounts<D, R> {
    /// Takes in what came, of one epoch; what is small is put together.
    fn take(&mut self, came: &mut List<D, R>) {
        match self.0.last_mut().filter(|last| last.capacity() - last.len() >= came.len()) {
            Some(last) => last.append(came),
            None => self.0.push(std::mem::take(came)),
        }
    }

    /// All lists of several.
    fn together<'a>(parts: impl Iterator<Item = &'a mut Self>) -> Self
    where
        D: 'a,
        R: 'a,
    {
        Self(parts.flat_map(|part| std::mem::take(&mut part.0)).collect())
    }

    /// Each row, with by how much it changes.
    pub fn iter(&self) -> impl Iterator<Item = (&D, &R)> {
        self.lists().flatten().map(|(row, _, weight)| (row, weight))
    }

    /// The rows, list by list.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &[(D, Epoch, R)]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<D, R> FromIterator<(D, R)> for Amounts<D, R> {
    fn from_iter<I: IntoIterator<Item = (D, R)>>(rows: I) -> Self {
        Self(vec![rows.into_iter().map(|(row, weight)| (row, 0, weight)).collect()])
    }
}

/// The rows of many lists: in order, each once, with the sum of its differences.
fn summed<D: Ord + Clone, R: Semigroup>(parts: impl Iterator<Item = Amounts<D, R>>) -> Vec<(D, R)> {
    let lists: Vec<List<D, R>> = parts.flat_map(|Amounts(lists)| lists).collect();
    if size_of::<D>() >= WIDE && !needs_drop::<D>() {
        return summed_where_they_are(&lists);
    }
    let mut rows = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    rows.extend(lists.into_iter().flatten().map(|(row, _, weight)| (row, weight)));
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
    rows
}

/// The same of rows so wide that they are put in order where they are, and copied once.
fn summed_where_they_are<D: Ord + Clone, R: Semigroup>(lists: &[List<D, R>]) -> Vec<(D, R)> {
    let mut order: Vec<&(D, Epoch, R)> = lists.iter().flatten().collect();
    order.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
    let mut rows = Vec::with_capacity(order.len());
    for same in order.chunk_by(|(one, ..), (other, ..)| one == other) {
        let Some(((row, _, first), others)) = same.split_first() else { continue };
        let mut sum = first.clone();
        others.iter().for_each(|(.., weight)| sum.plus_equals(weight));
        if !sum.is_zero() {
            rows.push((row.clone(), sum));
        }
    }
    rows
}

/// Takes the updates of one output to its place in what was found in the epoch.
fn tap<D: ExchangeData, R: ExchangeData>(
    rows: Facts<'_, D, R>,
    goal: Option<u64>,
    end: &End,
    place: impl Fn(&mut Found) -> &mut Amounts<D, R> + 'static,
) {
    let gathered = Rc::clone(&end.gathered);
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
    .probe_with(&end.probe);
}

#[cfg(test)]
mod tests {
    use super::{Amounts, summed};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Rows as they travel, and what they come to.
    type Told = Vec<Vec<Vec<(u8, isize)>>>;

    fn parts<D: Copy>(told: &Told, row: impl Fn(u8) -> D) -> Vec<Amounts<D, isize>> {
        let mut parts = Vec::new();
        for part in told {
            let mut lists = Amounts::default();
            for list in part {
                lists.take(&mut list.iter().map(|(name, diff)| (row(*name), 7, *diff)).collect());
            }
            parts.push(lists);
        }
        parts
    }

    proptest! {
        /// Whatever lists rows come in, they are there once, in order, with the sums of their weights.
        #[test]
        fn rows_of_many_lists_are_summed(
            told in prop::collection::vec(
                prop::collection::vec(prop::collection::vec((0..9_u8, -2..3_isize), 0..40), 0..6),
                0..4,
            ),
        ) {
            let mut expected: BTreeMap<u8, isize> = BTreeMap::new();
            for (row, weight) in told.iter().flatten().flatten() {
                *expected.entry(*row).or_default() += weight;
            }
            expected.retain(|_, weight| *weight != 0);
            let narrow = summed(parts(&told, |name| name).into_iter());
            let wide = summed(parts(&told, |name| [u64::from(name); 32]).into_iter());
            let of_wide: Vec<_> = wide.into_iter().map(|(row, diff)| (row[31], diff)).collect();
            let as_wide: Vec<_> = narrow.iter().map(|(row, diff)| (u64::from(*row), *diff)).collect();
            prop_assert_eq!(of_wide, as_wide);
            prop_assert_eq!(narrow, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
