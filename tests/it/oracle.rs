//! Generated worlds: the engine against the oracle, at every epoch.
//!
//! `PROPTEST_CASES=10000 cargo test -p trueup-tests --test it -- oracle` runs as many worlds as one has
//! time for; a failing world is printed as a script that can stand in
//! `positions.rs`.

use proptest::prelude::*;
use proptest::test_runner::Config;
use trueup_tests::bench::{Bench, apply, content};
use trueup_tests::script::Script;
use trueup_tests::world::{World, worlds};

/// For how long a failing world is made smaller, in milliseconds.
const SHRINK_MS_MAX: u32 = 240_000;

/// The tellings of a world.
fn script(world: &World) -> Script {
    let script = Script::read(&world.script());
    script.unwrap_or_else(|error| panic!("{error} of\n{}", world.script()))
}

fn cases(cases: u32) -> Config {
    let usual = Config::default();
    // What the environment asks for goes before what is right for every day.
    let asked = usual.cases != 256;
    let cases = if asked { usual.cases } else { cases };
    // A failing world must print itself before a test's time is over.
    Config { cases, max_shrink_time: SHRINK_MS_MAX, ..usual }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_engine_agrees_with_the_oracle_at_every_epoch(world in worlds(4, 8)) {
        let mut bench = Bench::start(world.workers, &world.policy());
        let mut followed = content(&bench.engine.views());
        for telling in &script(&world).tellings {
            bench.tell(telling);
            let differences = bench.differences();
            prop_assert!(differences.is_empty(), "{}", differences);
            let published = bench.published.recv().expect("each epoch is published");
            apply(&mut followed, &published);
            prop_assert!(
                followed == content(&bench.engine.views()),
                "the published differences are not the difference of the views"
            );
        }
    }
}
