//! Scripts and what the engine says to them: on several numbers of workers, against the oracle.

use crate::bench::Bench;
use crate::report::report;
use crate::script::Script;
use expect_test::Expect;
use std::collections::BTreeSet;
use trueup_model::position::Rollup;
use trueup_policy::Policy;

/// Runs a script under the default policy and compares what each epoch changed.
pub fn check(script: &str, expected: &Expect) {
    check_by("", script, expected);
}

/// Runs a script under a policy and compares what each epoch changed.
///
/// The script runs on one, two and four workers, which must say the same, and every epoch is compared
/// with the oracle as well.
///
/// # Panics
/// If the policy or script cannot be read, or something else is said than expected.
pub fn check_by(policy: &str, script: &str, expected: &Expect) {
    let policy = Policy::from_toml(policy).unwrap_or_else(|errors| panic!("{errors}"));
    let script = Script::read(script).unwrap_or_else(|error| panic!("{error}"));
    let mut first = None;
    for workers in [1, 2, 4] {
        let mut bench = Bench::start(workers, &policy);
        let mut text = String::new();
        let mut totals = <[BTreeSet<Rollup>; 2]>::default();
        for telling in &script.tellings {
            bench.tell(telling);
            let differences = bench.differences();
            assert!(differences.is_empty(), "{workers} workers against the oracle:\n{differences}");
            let changes = bench.next_changes();
            let horizon = telling.horizon.map_or_else(String::new, |at| format!(" {at}"));
            let changed = report(&bench, &changes, &script.shows, &mut totals);
            text += &format!("settle{horizon}\n{changed}");
        }
        if first.is_none() {
            expected.assert_eq(&text);
        }
        let first = first.get_or_insert_with(|| text.clone());
        assert_eq!(*first, text, "{workers} workers say something else than one");
    }
}
