//! Hostile input: nothing panics, nothing grows, and damage is told by its place.

use crate::formats::flexnet::log::{
    DAEMONS_MAX, HELD_BYTES_MAX, LINE_BYTES_MAX, LogOptions, LogReader,
};
use crate::formats::flexnet::testing::{context, read, rejects, sessions};
use crate::formats::flexnet::{NOTES_MAX, REJECTS_MAX};
use crate::formats::{Collected, Sink};
use proptest::prelude::*;
use trueup_model::fact::{Fact, FactKind};
use trueup_model::reject::RejectReason;
use trueup_model::usage::SessionKind;

/// Counts, and keeps nothing.
#[derive(Debug, Default)]
struct Counting {
    facts: u64,
    events: u64,
    rejects: u64,
    notes: u64,
}

impl Sink for Counting {
    fn accept(&mut self, fact: Fact<&str>) {
        self.facts += 1;
        self.events += u64::from(fact.kind() == FactKind::Session);
        self.rejects += u64::from(fact.kind() == FactKind::Reject);
    }

    fn note(&mut self, _position: u64, _words: &str) {
        self.notes += 1;
    }
}

/// The `index`-th number of a fixed stream.
fn number(index: u64) -> u64 {
    let mixed = (index ^ index >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

const STAMP: &[u8] = b"10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n";
const OUT: &[u8] = b"10:00:01 (vd) OUT: \"f\" a@h  \n";

#[test]
fn a_line_of_64_mebibytes_is_skipped_without_being_kept() {
    let mut collected = Collected::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    reader.push(STAMP, &mut collected);
    let piece = vec![b'x'; 1024 * 1024];
    for _ in 0..64 {
        reader.push(&piece, &mut collected);
        assert!(reader.buffered_bytes() <= 2 * LINE_BYTES_MAX, "{}", reader.buffered_bytes());
    }
    reader.push(b"\n", &mut collected);
    reader.push(OUT, &mut collected);
    let summary = reader.finish(&mut collected);
    let found = rejects(&collected);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.reason), (2, RejectReason::TooLong));
    assert_eq!((summary.events, summary.lines), (1, 3));
}

#[test]
fn the_longest_line_is_read_and_one_byte_more_is_not() {
    for (extra, expected) in [(0, 0), (1, 1)] {
        let line = vec![b'x'; LINE_BYTES_MAX + extra];
        let log = [STAMP, &line, b"\n", OUT].concat();
        for size in [log.len(), 1000] {
            let mut collected = Collected::default();
            let mut reader = LogReader::new(context("UTC"), LogOptions::default());
            for piece in log.chunks(size) {
                reader.push(piece, &mut collected);
            }
            let summary = reader.finish(&mut collected);
            assert_eq!((summary.rejects, summary.events), (expected, 1), "{extra} more");
        }
    }
}

#[test]
fn random_megabytes_give_few_rejects_and_what_follows_is_read() {
    let noise: Vec<u8> = (0..2_000_000_u64).flat_map(|n| number(n).to_le_bytes()).collect();
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    reader.push(STAMP, &mut counting);
    for piece in noise.chunks(64 * 1024) {
        reader.push(piece, &mut counting);
    }
    reader.push(b"\n", &mut counting);
    reader.push(OUT, &mut counting);
    reader.finish(&mut counting);
    assert_eq!(counting.events, 1);
    assert!((1..=REJECTS_MAX).contains(&counting.rejects), "{}", counting.rejects);
}

#[test]
fn damage_beyond_a_thousand_lines_is_counted_by_one_more_reject() {
    let bad = b"10:00:02 (vd) OUT: \"f\" b@\n";
    let mut log = STAMP.to_vec();
    for _ in 0..REJECTS_MAX + 500 {
        log.extend_from_slice(bad);
    }
    log.extend_from_slice(OUT);
    let (collected, summary) = read(context("UTC"), &log);
    assert_eq!((summary.rejects, summary.events), (REJECTS_MAX + 500, 1));
    let found = rejects(&collected);
    assert_eq!(found.len() as u64, REJECTS_MAX + 1);
    let (line, last) = found[found.len() - 1];
    assert_eq!(line, REJECTS_MAX + 2);
    assert_eq!(last.detail.as_deref(), Some("500 more from line 1002 on were set aside"));
}

#[test]
fn a_million_features_in_one_second_stay_a_million_events_in_bounded_memory() {
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    reader.push(STAMP, &mut counting);
    for feature in 0..1_000_000 {
        let line = format!("10:00:01 (vd) OUT: \"feature-{feature}\" a@h  \n");
        reader.push(line.as_bytes(), &mut counting);
    }
    assert!(reader.buffered_bytes() < 4096, "{}", reader.buffered_bytes());
    reader.finish(&mut counting);
    assert_eq!((counting.events, counting.rejects), (1_000_000, 0));
}

#[test]
fn lines_without_a_date_wait_in_a_bounded_buffer_and_the_oldest_give_way() {
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    // Long lines that are cheap to read, with an event behind each.
    let list = format!("10:00:01 (vd) Server started on lic1 for:{}\n", "\tf".repeat(16_000));
    let lines = 3 * HELD_BYTES_MAX / list.len();
    for _ in 0..lines {
        reader.push(list.as_bytes(), &mut counting);
        reader.push(OUT, &mut counting);
        assert!(reader.buffered_bytes() <= 3 * HELD_BYTES_MAX);
    }
    assert!(counting.rejects > 0 && counting.events == 0);
    reader.push(STAMP, &mut counting);
    let summary = reader.finish(&mut counting);
    assert_eq!(summary.events + summary.rejects, lines as u64);
    assert!(summary.events > lines as u64 / 8, "the newest were kept");
}

#[test]
fn daemons_beyond_the_limit_are_set_aside_and_the_others_go_on() {
    let mut log = STAMP.to_vec();
    for daemon in 0..DAEMONS_MAX + 10 {
        log.extend(format!("10:00:01 (d{daemon}x) OUT: \"f\" a@h  \n").bytes());
    }
    log.extend_from_slice(b"10:00:02 (d1x) OUT: \"f\" a@h  \n");
    let (collected, summary) = read(context("UTC"), &log);
    assert_eq!((summary.events, summary.rejects), (DAEMONS_MAX as u64 + 1, 10));
    assert!(rejects(&collected).iter().all(|(_, r)| r.reason == RejectReason::TooManyNames));
}

#[test]
fn dates_that_never_agree_are_remarked_a_thousand_times_at_most() {
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    for turn in 0..2 * NOTES_MAX {
        let line = format!("10:00:00 (lmgrd) TIMESTAMP 1/{}/2020\n", 1 + turn % 2);
        reader.push(line.as_bytes(), &mut counting);
    }
    reader.finish(&mut counting);
    assert_eq!(counting.notes, NOTES_MAX);
}

#[test]
fn a_character_cut_at_the_end_of_a_line_does_not_lose_the_line() {
    let log = [STAMP, b"10:00:01 (vd) OUT: \"f\" Jos\xc3@h  \n"].concat();
    let (collected, summary) = read(context("UTC"), &log);
    assert_eq!((summary.events, summary.rejects), (1, 0));
    let event = sessions(&collected)[0];
    assert_eq!((event.kind, event.user.as_str()), (SessionKind::Open, "Jos\u{fffd}"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), size in 1_usize..50) {
        let mut counting = Counting::default();
        let mut reader = LogReader::new(context("UTC"), LogOptions::default());
        for piece in bytes.chunks(size) {
            reader.push(piece, &mut counting);
            reader.idle(&mut counting);
        }
        reader.finish(&mut counting);
    }

    #[test]
    fn no_damaged_log_panics(places in proptest::collection::vec((0_usize..400, any::<u8>()), 0..12)) {
        let mut log = [STAMP, OUT, b"10:00:01 (vd) Server started on lic1 for:\tf\n\
            23:59:59 (vd) IN: \"f\" a@h  (SHUTDOWN)\n 0:00:01 (vd) DENIED: \"f\" u@h  (x (-4,342))\n\
            0:00:02 (lmgrd) FlexNet Licensing (v11) started on lic1 (linux) (1/3/2020)\n\
            0:00:03 (vd) RESERVING 10 f licenses for USER u\n 0:00:04 (vd) EXPIRED: f\n"].concat();
        for (place, byte) in places {
            let place = place % log.len();
            log[place] = byte;
        }
        read(context("America/New_York"), &log);
    }
}
