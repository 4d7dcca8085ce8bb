//! The meaning of every number, as small scripts with right answers: one file for each subject.
//!
//! `tests/SEMANTICS.md` says which rule is shown by which test.

mod identity;
mod credits;
mod charges;
mod true_up;
