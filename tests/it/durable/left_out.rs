//! A fact that the journal leaves out stays out: after restarts, in snapshots, and when it is said again.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{daily, days};
use trueup_journal::writer::NewRecord;
use trueup_journal::{Options, open};
use trueup_model::fact::Body;
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::Settings;
use trueup_tests::kept::Kept;

/// The kind of a record that leaves a fact out, as `engine/runtime/FORMAT.md` has it.
const LEFT_OUT: u8 = 5;

fn short() -> Settings {
    Settings { journal_segment_bytes: 16 * 1024, ..settings(1, &daily()) }
}

/// How many checkouts there are, and how many facts were set aside.
fn counts(engine: &Engine) -> (usize, usize) {
    let views = engine.views();
    let aside = views.shown.iter().filter(|(known, _)| matches!(known.body, Body::Reject(_)));
    (views.sessions.len(), aside.count())
}

#[test]
fn a_fact_that_the_journal_leaves_out_stays_out_and_is_set_aside_once() {
    let disk = Disk::new(Faults::NONE);
    let told = days(4);
    let mut kept = Kept::start(short(), disk.clone(), 1).unwrap();
    told.iter().for_each(|telling| kept.tell(telling));
    // One is of before anything was recorded.
    assert_eq!(counts(&kept.engine), (7, 1));
    drop(kept);
    let fact = &told[1].facts[0].fact;
    let content_of = [&fact.id.0.to_le_bytes()[..], &fact.revision.to_le_bytes()].concat();
    let mut writer = open(disk.clone(), Options::new(7)).unwrap().writer;
    let epoch = writer.closed_epoch().unwrap() + 1;
    writer.append(NewRecord { kind: LEFT_OUT, epoch, parts: &[&content_of] }).unwrap();
    writer.seal().unwrap();
    drop(writer);
    // Without a snapshot, with one that was taken of the journal, and with one of a snapshot.
    for generation in 2..6 {
        let mut again = Kept::start(short(), disk.clone(), generation).unwrap();
        assert_eq!(counts(&again.engine), (6, 2), "generation {generation}");
        again.tell(&told[1]);
        assert_eq!(counts(&again.engine), (6, 2), "generation {generation}, said once more");
        again.engine.snapshot().unwrap();
    }
}
