//! A disk that fails: the engine stops, says why, and what it acknowledged is there afterwards.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{daily, days};
use trueup_runtime::error::RuntimeError;
use trueup_tests::kept::Kept;

#[test]
fn a_failed_sync_stops_the_engine_and_what_it_acknowledged_is_there() {
    let mut stopped = 0;
    for at in [0, 1, 2, 5, 9] {
        let disk = Disk::new(Faults::NONE);
        let mut kept = Kept::start(settings(1, &daily()), disk.clone(), 1).unwrap();
        disk.set_faults(Faults::sync_error(at));
        let mut acknowledged = 0;
        for telling in days(6) {
            if !kept.try_to_tell(&telling) {
                break;
            }
            acknowledged += telling.facts.len();
        }
        let failure = kept.engine.failure();
        drop(kept);
        if acknowledged < 12 {
            stopped += 1;
            let failure = failure.unwrap();
            assert!(matches!(*failure, RuntimeError::Journal(_)) && !failure.is_damage());
        }
        for found in [disk.after_power_loss(at), disk.after_process_end()] {
            let again = Kept::start(settings(2, &daily()), found, 2).unwrap();
            let had = again.engine.views().sessions.len();
            assert!(had >= acknowledged, "sync {at}: {had} of {acknowledged} are there");
        }
    }
    assert!(stopped > 3, "{stopped} engines stopped");
}
