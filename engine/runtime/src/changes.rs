//! What an epoch changed in each output: the rows that came and went, and nothing else.

use crate::chain::{Pace, Sums};
use differential_dataflow::ExchangeData;
use differential_dataflow::consolidation::consolidate;
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

        impl Changes {
            /// Adds the differences of another worker.
            pub(crate) fn extend(&mut self, other: Self) {
                $(
                    if self.$name.is_empty() {
                        self.$name = other.$name;
                    } else {
                        self.$name.extend(other.$name);
                    }
                )*
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
            $(tap(outputs.$name, goal, gathered, probe, |changes| &mut changes.$name);)*
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

/// The differences that a worker has gathered and not yet handed over.
pub(crate) type Gathered = Rc<RefCell<BTreeMap<Epoch, Changes>>>;

/// Takes the updates of one output to its place in the epoch's differences.
fn tap<D: ExchangeData, R: ExchangeData>(
    rows: Facts<'_, D, R>,
    goal: Option<u64>,
    gathered: &Gathered,
    probe: &ProbeHandle<Epoch>,
    place: impl Fn(&mut Changes) -> &mut Vec<(D, R)> + 'static,
) {
    let gathered = Rc::clone(gathered);
    let rows = match goal {
        Some(goal) => rows.inner.exchange(move |_| goal),
        None => rows.inner,
    };
    rows.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(Pipeline, "Gather", |_, _| {
        // How many rows the last list took: the next one is likely to take as many.
        let mut usual = 0;
        move |input, _output| {
            input.for_each_stamp(|_capability, batches| {
                let mut gathered = gathered.borrow_mut();
                for batch in batches {
                    let mut drained = batch.drain(..).peekable();
                    while let Some((first, epoch, diff)) = drained.next() {
                        let list = place(gathered.entry(epoch).or_default());
                        if list.capacity() == 0 {
                            list.reserve(usual);
                        }
                        list.push((first, diff));
                        while let Some((row, _, weight)) =
                            drained.next_if(|(_, at, _)| *at == epoch)
                        {
                            list.push((row, weight));
                        }
                        usual = list.len();
                    }
                }
            });
        }
    })
    .probe_with(probe);
}
