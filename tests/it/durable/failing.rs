//! A disk that fails: the engine stops, says why, and what it acknowledged is there afterwards.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{daily, days};
use trueup_model::time::Timestamp;
use trueup_runtime::error::RuntimeError;
use trueup_tests::kept::Kept;

/// When the sessions began that an engine shows: each checkout has an hour of its own.
fn sessions(kept: &Kept) -> Vec<Timestamp> {
    kept.engine.views().sessions.iter().map(|session| session.span.start).collect()
}

#[test]
fn a_failed_sync_stops_the_engine_and_what_it_acknowledged_is_there() {
    let (mut stopped, mut most) = (0, 0);
    for at in [0, 1, 2, 5, 9, 14] {
        let disk = Disk::new(Faults::NONE);
        let mut kept = Kept::start(settings(1, &daily()), disk.clone(), 1).unwrap();
        disk.set_faults(Faults::sync_error(at));
        let mut acknowledged = Vec::new();
        let all = days(6);
        let told = all.iter().take_while(|telling| {
            let had = kept.try_to_tell(telling);
            if had {
                acknowledged = sessions(&kept);
            }
            had
        });
        let told = told.count();
        most = most.max(acknowledged.len());
        let failure = kept.engine.failure();
        drop(kept);
        if told < all.len() {
            stopped += 1;
            let failure = failure.unwrap();
            assert!(matches!(*failure, RuntimeError::Journal(_)) && !failure.is_damage());
        }
        for found in [disk.after_power_loss(at), disk.after_process_end()] {
            let again = Kept::start(settings(2, &daily()), found, 2).unwrap();
            let had = sessions(&again);
            for one in &acknowledged {
                assert!(had.contains(one), "sync {at}: {one:?} is not among {had:?}");
            }
        }
    }
    assert!(stopped > 3 && most > 0, "{stopped} engines stopped, {most} sessions at most");
}
