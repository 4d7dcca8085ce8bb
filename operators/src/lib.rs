//! Reconciliation as pure operators over changing collections: telemetry and contracts in,
//! positions and discrepancies out.
//!
//! Owns the meaning of every figure. May use the model, the policy and the dataflow libraries; knows
//! no input or output, no clock, no log. Time comes in as data: event times in the rows, the horizon
//! as a collection of its own. Read `pipeline.rs` first, then the operators in the order below.
//!
//! Every stateful operator is a step per epoch over hash tables and trees (`epochs.rs`), joins and
//! groups by key among them (`keyed.rs`); only the closures of the tree check iterate with the
//! library's own operators. All speak in `(row, epoch, difference)`, so a correction is the same
//! algebra everywhere.

pub mod pipeline;
pub mod entered;
pub mod dedupe;
pub mod documents;
pub mod kinds;
pub mod due;
pub mod numbered;
pub mod present;
pub mod hierarchy;
pub mod resolve;
pub mod sessions;
pub mod inclusion;
pub mod seats;
pub mod holds;
pub mod idle;
pub mod gauges;
pub mod installs;
pub mod suites;
pub mod bundles;
pub mod machines;
pub mod reckon;
pub mod transfers;
pub mod sublicense;
pub mod upkeep;
pub mod renewals;
pub mod entitle;
pub(crate) mod downgrades;
pub mod trials;
pub(crate) mod features;
pub mod attribute;
pub mod standby;
pub mod bound;
pub mod territory;
pub mod volume;
pub mod credits;
pub mod charges;
pub mod fees;
pub mod bills;
pub mod allocate;
pub mod paced;
pub mod climb;
pub mod current_tree;
pub mod rollup;
pub mod totals;
pub mod statements;
pub mod issued;
pub mod pools;
pub mod true_up;
pub mod anomalies;
pub mod judge;
pub mod reconcile;

pub(crate) mod epochs;
mod bag;
mod comings;
pub(crate) mod few;
pub(crate) mod given;
pub(crate) mod keyed;
pub(crate) mod lists;
pub(crate) mod grouping;
pub(crate) mod context;
pub mod reference;
pub(crate) mod rows;
pub(crate) mod segments;
pub(crate) mod span_index;
pub(crate) mod timeline;
pub(crate) mod tree;
pub mod tally;
pub mod zones;

#[cfg(test)]
pub(crate) mod testing;

pub use epochs::fetch;

use differential_dataflow::VecCollection;

/// A number that orders what was known when.
pub type Epoch = u64;
/// How many times a row is there.
pub type Diff = isize;
/// A changing collection of rows.
pub type Facts<'s, D, R = Diff> = VecCollection<'s, Epoch, D, R>;
