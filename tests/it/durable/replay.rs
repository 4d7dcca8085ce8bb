//! Looking back: an engine of its own says of each epoch what was said then, and changes nothing.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{daily, days};
use std::sync::Arc;
use trueup_journal::backup::backup;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::recovery::Replayed;
use trueup_runtime::settings::Settings;
use trueup_tests::bench::{Content, content};
use trueup_tests::kept::Kept;

fn short(workers: usize) -> Settings {
    Settings { journal_segment_bytes: 16 * 1024, ..settings(workers, &daily()) }
}

/// A disk with eight days of facts; what each epoch at the end of a day said, and the snapshots' epochs.
fn told() -> (Disk, Vec<(u64, Content)>, Vec<u64>) {
    let disk = Disk::new(Faults::NONE);
    let mut kept = Kept::start(short(1), disk.clone(), 1).unwrap();
    let (mut said, mut taken) = (Vec::new(), Vec::new());
    for (index, telling) in days(8).iter().enumerate() {
        kept.tell(telling);
        let views = kept.engine.views();
        said.push((views.as_of.epoch, content(&views)));
        drop(views);
        if [3, 5].contains(&index) {
            taken.push(kept.engine.snapshot().unwrap());
        }
    }
    drop(kept);
    (disk, said, taken)
}

fn replay(disk: &Disk, workers: usize, wanted: Replayed) -> Result<Engine, RuntimeError> {
    Engine::replay(short(workers), Arc::new(SystemClock::default()), disk, wanted)
}

#[test]
fn each_epoch_says_again_what_it_said_and_what_was_let_go_of_is_refused_with_a_reason() {
    let (disk, said, taken) = told();
    let files = disk.file_names();
    assert!(!files.contains(&"segment-0000000001.journal".to_owned()), "{files:?}");
    let [oldest, newest] = taken.try_into().unwrap();
    let mut checked = 0;
    for (epoch, expected) in &said {
        let through = Some(*epoch);
        if *epoch < oldest {
            let refused =
                replay(&disk, 1, Replayed { through, ..Replayed::default() }).err().unwrap();
            let is = matches!(refused, RuntimeError::LetGo { epoch: of, oldest: first }
                if of == *epoch && first == oldest);
            assert!(is, "{refused}");
            continue;
        }
        for from in [None, Some(oldest)] {
            let engine =
                replay(&disk, 2, Replayed { from, through, ..Replayed::default() }).unwrap();
            assert_eq!(engine.views().as_of.epoch, *epoch);
            assert!(content(&engine.views()) == *expected, "epoch {epoch} from {from:?}");
            checked += 1;
        }
    }
    assert!(checked == 10 && newest > oldest, "{checked}");
    // An engine that ends closes one more.
    let last = said.last().unwrap().0 + 1;
    let ahead = replay(&disk, 1, Replayed { through: Some(last + 1), ..Replayed::default() })
        .err()
        .unwrap();
    assert!(matches!(ahead, RuntimeError::NotClosed { last: is, .. } if is == last), "{ahead}");
    let whole = replay(&disk, 1, Replayed::default()).unwrap();
    assert!(content(&whole.views()) == said.last().unwrap().1);
    drop(whole);
    assert_eq!(disk.file_names(), files, "nothing was changed");
}

#[test]
fn a_backup_says_what_its_original_says() {
    let (disk, said, _) = told();
    let copy = Disk::new(Faults::NONE);
    let manifest = backup(&disk, &copy, &mut |_| {}).unwrap();
    let last = said.last().unwrap();
    assert_eq!(manifest.epoch, Some(last.0 + 1), "an engine that ends closes one more");
    let clock = Arc::new(SystemClock::default());
    let found = Engine::replay(short(1), clock, &copy, Replayed::default()).unwrap();
    assert!(content(&found.views()) == last.1);
    let again = Kept::start(short(2), copy, 2).unwrap();
    assert!(content(&again.engine.views()) == last.1, "an engine goes on with it");
}
