//! What an epoch changed in each output: the rows that came and went, and nothing else.

use differential_dataflow::consolidation::consolidate;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use timely::dataflow::ProbeHandle;
use trueup_model::derived::{Attempt, EventCount, PoolState, Resolution, Session, Subject, Wait};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::position::{
    Adjustment, AllocationLine, LicensePosition, Rollup, Statement, Step,
};
use trueup_model::time::Span;
use trueup_operators::attribute::Use;
use trueup_operators::dedupe::{Known, Repeated};
use trueup_operators::entitle::{LineInForce, Right};
use trueup_operators::hierarchy::Placement;
use trueup_operators::inclusion::Included;
use trueup_operators::pipeline::Outputs;
use trueup_operators::{Diff, Epoch, Facts};

/// Declares the outputs once: how each is called and what its rows are.
macro_rules! outputs {
    ($($(#[$doc:meta])* $name:ident: $row:ty,)*) => {
        /// The differences of one epoch.
        #[derive(Clone, Debug, Default)]
        pub struct Changes {
            $($(#[$doc])* pub $name: Vec<($row, Diff)>,)*
        }

        impl Changes {
            /// Adds the differences of another worker.
            pub(crate) fn extend(&mut self, other: Self) {
                $(self.$name.extend(other.$name);)*
            }

            /// Sums the differences of equal rows, in the order of rows.
            pub(crate) fn consolidate(&mut self) {
                $(consolidate(&mut self.$name);)*
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
        /// The probe passes an epoch when every output is complete.
        pub(crate) fn collect(
            outputs: Outputs<'_>,
            gathered: &Gathered,
            probe: &ProbeHandle<Epoch>,
        ) {
            $(tap(outputs.$name, gathered, probe, |changes| &mut changes.$name);)*
        }
    };
}

outputs! {
    /// Positions.
    positions: LicensePosition,
    /// Which lines serve each position.
    allocations: AllocationLine,
    /// The levels of each position over time.
    steps: Step,
    /// Totals over both trees.
    rollups: Rollup,
    /// Discrepancies.
    discrepancies: Discrepancy,
    /// Closed periods.
    statements: Statement,
    /// Late facts of closed periods.
    adjustments: Adjustment,
    /// Checkouts.
    sessions: Session,
    /// Uses as they count.
    uses: Use,
    /// What suites include.
    included: Included,
    /// Refused attempts.
    attempts: Attempt,
    /// Waits in queues.
    waits: Wait,
    /// What sources say of each pool.
    pools: PoolState,
    /// How often each thing was said.
    counts: EventCount,
    /// Lines in force.
    lines: LineInForce,
    /// What lines grant.
    rights: Right,
    /// What subjects mean.
    resolutions: (Subject, Resolution),
    /// Facts that are shown as they are.
    shown: (Known, Span),
    /// Repetitions.
    repeated: Repeated,
    /// The account tree.
    accounts: Placement,
}

/// The differences that a worker has gathered and not yet handed over.
pub(crate) type Gathered = Rc<RefCell<BTreeMap<Epoch, Changes>>>;

/// Writes the updates of one output to its place in the epoch's differences.
fn tap<D: Clone + 'static>(
    rows: Facts<'_, D>,
    gathered: &Gathered,
    probe: &ProbeHandle<Epoch>,
    place: impl Fn(&mut Changes) -> &mut Vec<(D, Diff)> + 'static,
) {
    let gathered = Rc::clone(gathered);
    rows.inspect(move |(row, epoch, diff)| {
        let mut gathered = gathered.borrow_mut();
        let changes = gathered.entry(*epoch).or_default();
        place(changes).push((row.clone(), *diff));
    })
    .probe_with(probe);
}
