//! What the measurements share: clocks that count a core's work, worlds as an operator sees them, and
//! the gate that compares counts of instructions.
//!
//! `bed.rs` holds one operator with its state and gives it one change at a time; `chain.rs` draws the
//! rows that the earlier operators would bring it; `gate.rs` says whether a path costs more than before;
//! `load.rs` feeds an engine; `script.rs` is workload R, the same for every engine, and `reconciled.rs` what the
//! product answers to it; `names.rs` has the texts of a workload's names; `visited.rs` looks at a batch as the engine
//! reads it; `soak.rs` judges a long run; `record.rs` keeps a run and `plot.rs` draws what was kept.

pub mod cpu_time;
pub mod world;
pub mod bed;
pub mod chain;
pub mod gate;
pub mod load;
pub mod names;
pub mod visited;
pub mod script;
pub mod reconciled;
pub mod soak;
pub mod record;
pub mod plot;
