//! Generated worlds: the engine against the oracle, at every epoch.
//!
//! The same two hundred worlds every day, and as many others as one has time for with
//! `PROPTEST_CASES=10000 cargo test -p trueup-tests --test it -- oracle`. A failing world is printed as a
//! script that can stand in a test.

use proptest::prelude::*;
use trueup_tests::bench::{Bench, apply, content};
use trueup_tests::script::Script;
use trueup_tests::world::{World, config, worlds};

/// The tellings of a world.
fn script(world: &World) -> Script {
    let script = Script::read(&world.script());
    script.unwrap_or_else(|error| panic!("{error} of\n{}", world.script()))
}

proptest! {
    #![proptest_config(config(200))]

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
