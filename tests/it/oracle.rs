//! Generated worlds: the engine against the oracle, at every epoch.
//!
//! The same two hundred worlds every day, and as many others as one has time for with
//! `PROPTEST_CASES=10000 cargo test -p trueup-tests --test it -- oracle::the_engine`. A failing world is printed as a
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

/// Tells a world to an engine, and compares it with the oracle in each epoch.
fn agrees(mut bench: Bench, world: &World) -> Result<(), TestCaseError> {
    let mut followed = content(&bench.engine.views());
    for telling in &script(world).tellings {
        bench.tell(telling);
        let differences = bench.differences();
        prop_assert!(differences.is_empty(), "{}", differences);
        apply(&mut followed, &bench.next_changes());
        prop_assert!(
            followed == content(&bench.engine.views()),
            "the published differences are not the difference of the views"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn the_engine_agrees_with_the_oracle_at_every_epoch(world in worlds(4, 8)) {
        agrees(Bench::start(world.workers, &world.policy()), &world)?;
    }
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn two_and_three_processes_agree_with_the_oracle_as_well(world in worlds(4, 8)) {
        let (processes, workers) = match world.workers {
            1 => (2, 1),
            2 => (3, 1),
            _ => (2, 2),
        };
        agrees(Bench::start_over(processes, workers, &world.policy()), &world)?;
    }
}
