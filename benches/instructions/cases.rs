//! The paths: what a fact goes through from a line of text to totals, each on a small fixed input.

use std::hint::black_box;
use trueup_benches::bed::Bed;
use trueup_benches::chain::{Chain, a_day_after, chain};
use trueup_benches::visited::Visited;
use trueup_benches::world::{World, checkouts, facts, telemetry};
use trueup_connectors::formats::flexnet::log::{LogOptions, LogReader};
use trueup_connectors::formats::{Context, Sink};
use trueup_datasets::scenario::{Settings, generate};
use trueup_journal::writer::NewRecord;
use trueup_journal::{Directory, Options, open};
use trueup_model::calendar::Zone;
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;
use trueup_operators::attribute::units;
use trueup_operators::dedupe::dedupe;
use trueup_operators::entered::Entered;
use trueup_operators::numbered::numbered;
use trueup_operators::pipeline::{Inputs, assemble};
use trueup_operators::sessions::sessions;
use trueup_operators::totals::totals;
use trueup_operators::volume::volume;
use trueup_wire::message::BatchFrame;
use trueup_wire::{Code, FrameReader, decode_batch, encode_batch};

/// One path.
pub(crate) struct Case {
    /// What it is called in the baseline.
    pub(crate) name: &'static str,
    /// What goes through it.
    pub(crate) of: &'static str,
    /// Makes its input, and what is to be run again and again.
    pub(crate) prepare: fn() -> Prepared,
}

/// A path with its input.
pub(crate) struct Prepared {
    /// How much goes through it each time.
    pub(crate) units: u64,
    /// What is measured.
    pub(crate) work: Box<dyn FnMut()>,
}

/// Every path, in the order in which a fact takes them.
pub(crate) const CASES: [Case; 10] = [
    Case { name: "parse flexnet log", of: "lines", prepare: parse },
    Case { name: "encode batch", of: "facts", prepare: encode },
    Case { name: "checksum frame", of: "facts", prepare: checksum },
    Case { name: "decode batch", of: "facts", prepare: decode },
    Case { name: "append to journal", of: "records", prepare: append },
    Case { name: "dedupe", of: "events", prepare: dedupe_events },
    Case { name: "pair sessions", of: "lines", prepare: pair_sessions },
    Case { name: "cut cells", of: "events", prepare: cut_cells },
    Case { name: "add totals", of: "cells", prepare: add_totals },
    Case { name: "whole chain", of: "events", prepare: whole_chain },
];

/// Facts in a batch of the wire.
const FACTS: u32 = 2048;
/// Records that are appended.
const RECORDS: u64 = 4096;
/// Events that are loaded before an operator is measured.
const EVENTS: u32 = 2000;
/// Rows of a change.
const BATCH: usize = 250;

/// Counts facts.
#[derive(Default)]
struct Counting(u64);

impl Sink for Counting {
    fn accept(&mut self, fact: Fact<&str>) {
        self.0 += u64::from(black_box(fact).revision == 0);
    }

    fn note(&mut self, _position: u64, _words: &str) {}
}

fn parse() -> Prepared {
    let settings = Settings { seed: 1, days: Some(1), scale: Some(1) };
    let world = generate("campus", &settings).expect("the world has a size that can be made");
    let logs = world.files.into_iter().filter(|(name, _)| name.ends_with(".log"));
    let log: Vec<u8> = logs.flat_map(|(_, bytes)| bytes).collect();
    let lines = log.iter().filter(|byte| **byte == b'\n').count();
    let context = Context {
        tenant: "acme".to_owned(),
        source: "lic1".to_owned(),
        document: "debug.log".to_owned(),
        zone: Zone::utc(),
        received_at: Timestamp(1_750_000_000_000_000),
    };
    let work = move || {
        let mut counting = Counting::default();
        let mut reader = LogReader::new(context.clone(), LogOptions::default());
        reader.push(black_box(&log), &mut counting);
        reader.finish(&mut counting);
        assert!(counting.0 > 0, "a log has events");
    };
    Prepared { units: lines as u64, work: Box::new(work) }
}

/// Checkouts as a connector sends them.
fn coded() -> Vec<Fact<Code>> {
    let mut stream = checkouts(FACTS);
    let mut coded = || stream.draw().try_map(&mut |_, number| Ok::<Code, ()>(Code(number)));
    (0..FACTS).map(|_| coded().expect("every name has a code")).collect()
}

fn encode() -> Prepared {
    let facts = coded();
    let work = move || {
        let columns = encode_batch(black_box(&facts)).expect("the facts have no long texts");
        assert!(!columns.is_empty(), "facts make a batch");
    };
    Prepared { units: u64::from(FACTS), work: Box::new(work) }
}

fn checksum() -> Prepared {
    let columns = encode_batch(&coded()).expect("the facts have no long texts").remove(0);
    let work = move || {
        let frame = BatchFrame::encode(1, b"position", black_box(&columns));
        let frame = frame.expect("the batch fits a frame");
        let mut input = frame.bytes();
        let read = FrameReader::new().next(&mut input).map(|found| found.is_some());
        assert!(read.is_ok_and(|found| found), "the frame is whole");
    };
    Prepared { units: u64::from(FACTS), work: Box::new(work) }
}

fn decode() -> Prepared {
    let columns = encode_batch(&coded()).expect("the facts have no long texts").remove(0);
    let work = move || {
        let (schema, count) = (columns.schema.code(), columns.count);
        let rows = decode_batch(schema, count, black_box(&columns.bytes), u32::MAX);
        let mut seen = Visited::default();
        let Ok(()) = rows.expect("it was encoded").visit(&mut seen);
        assert_eq!(seen.0, u64::from(FACTS), "every fact comes back");
    };
    Prepared { units: u64::from(FACTS), work: Box::new(work) }
}

/// Into the group in memory; nothing is carried to the disk while it is counted.
fn append() -> Prepared {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let directory = Directory::open(folder.path()).expect("the folder is there");
    let options = Options { segment_bytes_max: 16 << 20, ..Options::new(1) };
    let mut writer = open(directory, options).expect("the folder is empty").writer;
    let content = [0x5A; 64];
    let work = move || {
        // The folder is there for as long as the writer.
        let _folder = &folder;
        for _ in 0..RECORDS {
            let record = NewRecord { kind: 1, epoch: 1, parts: &[black_box(&content)] };
            writer.append(record).expect("there is room");
        }
    };
    Prepared { units: RECORDS, work: Box::new(work) }
}

/// A bed of which a batch goes and comes back.
fn turning(mut bed: Bed) -> Prepared {
    let rows = bed.batch();
    let work = move || {
        let before = bed.given();
        bed.turn();
        bed.turn();
        assert!(bed.given() > before, "the change is seen");
    };
    Prepared { units: 2 * rows as u64, work: Box::new(work) }
}

/// The chain over workload P.
fn metered() -> (World, Chain) {
    let (mut world, mut stream) = (World::new(), telemetry(EVENTS));
    let given = facts(&mut world, &mut stream, EVENTS);
    let chain = chain(&world, given, a_day_after(stream.now()));
    (world, chain)
}

fn dedupe_events() -> Prepared {
    let (mut world, mut stream) = (World::new(), telemetry(EVENTS));
    let loaded = facts(&mut world, &mut stream, EVENTS);
    let loaded: Vec<(Entered, isize)> = loaded.into_iter().map(|fact| (fact, 1)).collect();
    let rule = world.policy().conflict;
    let mut bed = Bed::new(|scope, ends| {
        let next = move || {
            let mut drawn = || (world.entered(stream.draw()), 1);
            (0..BATCH).map(|_| drawn()).collect()
        };
        let horizon = ends.still(scope, &[]);
        let known = dedupe(ends.flowing(scope, &loaded, next), horizon, rule, None);
        ends.watch(known.metered);
        ends.watch(known.rows);
    });
    Prepared { units: BATCH as u64, work: Box::new(move || bed.turn()) }
}

fn pair_sessions() -> Prepared {
    let (mut world, mut stream) = (World::new(), checkouts(EVENTS));
    let given = facts(&mut world, &mut stream, EVENTS);
    let rows = chain(&world, given, a_day_after(stream.now())).checkouts.rows();
    let settings: Vec<_> = world.settings().iter().map(|row| (*row, 1)).collect();
    let window_us = world.policy().attempt_window_us;
    let bed = Bed::new(|scope, ends| {
        let lines = ends.turning(scope, &rows, BATCH);
        let settings = ends.still(scope, &settings);
        let signals = ends.still::<_, isize>(scope, &[]);
        ends.watch(sessions(lines, signals, settings, window_us).sessions);
    });
    turning(bed)
}

fn cut_cells() -> Prepared {
    let (world, chain) = metered();
    let bed = Bed::new(|scope, ends| {
        let events = ends.turning(scope, &chain.metered.rows(), BATCH);
        let cut = volume(
            (numbered(events), ends.still(scope, &chain.horizon)),
            ends.still(scope, &chain.of_metered.rows()),
            ends.still::<_, isize>(scope, &[]),
            ends.still(scope, &[chain.accounts.rows(), chain.products.rows()].concat()),
            ends.still(scope, &chain.asked.rows()),
            units(ends.still(scope, &chain.rights.rows())),
            world.policy().clone(),
        );
        ends.watch(cut.cells);
        ends.watch(cut.slices);
        ends.watch(cut.readings.ranked);
        ends.watch(cut.readings.unique);
    });
    turning(bed)
}

fn add_totals() -> Prepared {
    let (world, chain) = metered();
    let mut tick = 0;
    let bed = Bed::new(|scope, ends| {
        let sums = totals(
            ends.turning(scope, &chain.cells.rows(), BATCH),
            ends.still(scope, &chain.accounts.rows()),
            ends.still(scope, &chain.products.rows()),
            ends.still::<_, isize>(scope, &[]),
            ends.flowing(scope, &[(0, 1)], move || {
                tick += 1;
                vec![(tick, 1)]
            }),
            world.policy(),
        );
        ends.watch(sums);
    });
    turning(bed)
}

fn whole_chain() -> Prepared {
    let (mut world, mut stream) = (World::new(), telemetry(EVENTS));
    let loaded = facts(&mut world, &mut stream, EVENTS);
    let loaded: Vec<(Entered, isize)> = loaded.into_iter().map(|fact| (fact, 1)).collect();
    let policy = world.policy().clone();
    let settings: Vec<_> = world.settings().iter().map(|row| (*row, 1)).collect();
    let horizon = [(a_day_after(stream.now()), 1)];
    let mut tick = 0;
    let mut bed = Bed::new(|scope, ends| {
        let next = move || {
            let mut drawn = || (world.entered(stream.draw()), 1);
            (0..BATCH).map(|_| drawn()).collect()
        };
        let ticks = move || {
            tick += 1;
            vec![(tick, 1)]
        };
        let inputs = Inputs {
            facts: ends.flowing(scope, &loaded, next),
            settings: ends.still(scope, &settings),
            unresolved: ends.still::<_, isize>(scope, &[]),
            horizon: ends.still(scope, &horizon),
            issued: ends.still::<_, isize>(scope, &[]),
            ticks: ends.flowing(scope, &[(0, 1)], ticks),
        };
        let outputs = assemble(inputs, &policy);
        ends.watch(outputs.positions);
        ends.watch(outputs.peaks);
        ends.watch(outputs.sums);
        ends.watch(outputs.discrepancies);
        ends.watch(outputs.cells);
    });
    Prepared { units: BATCH as u64, work: Box::new(move || bed.turn()) }
}
