//! What reading FlexNet debug logs costs per byte: lines to facts, into a sink that only counts.
//!
//! Two kinds of logs: invented ones of the shape of real ones, which every machine can make, and the
//! real ones where the example data lies beside the checkout. Each is read as it is written, with the
//! statistics that fill a quarter to nine tenths of real logs, and without them: then nearly every
//! line is an event, which costs the most. `throughput` is in bytes of the log.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use trueup_connectors::formats::flexnet::log::{LogOptions, LogReader};
use trueup_connectors::formats::{Context, Sink};
use trueup_model::calendar::Zone;
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long an invented log is, in bytes.
const LOG_BYTES: usize = 16 * 1024 * 1024;
/// How much a file gives at a time, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// Lines of statistics for each event, where there are any.
const STATISTICS_PER_EVENT: u64 = 2;

/// Counts facts, and keeps nothing of them but a mixture of their identities.
#[derive(Default)]
struct Counting {
    facts: u64,
    mixed: u128,
}

impl Sink for Counting {
    fn accept(&mut self, fact: Fact<&str>) {
        self.facts += 1;
        self.mixed ^= fact.id.0;
    }

    fn note(&mut self, _position: u64, _words: &str) {}
}

/// The `index`-th number of a fixed stream, below a bound.
fn below(index: u64, bound: u64) -> u64 {
    let mixed = (index ^ index >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ mixed >> 31) % bound
}

/// A log of one server: checkouts and returns by day and night, stamps every six hours, and lines of
/// statistics if asked for.
fn invented(statistics: bool) -> String {
    let mut log = String::with_capacity(LOG_BYTES + 1024);
    log += " 0:00:00 (lmgrd) FlexNet Licensing (v11.18) started on lic1.example.org (linux) (1/1/2023)\n";
    let mut second = 0_u64;
    let mut stamped = 0;
    let mut number = 0;
    while log.len() < LOG_BYTES {
        second += below(number, 90) * below(number + 1, 3);
        while second / 21_600 > stamped {
            stamped += 1;
            let (day, hour) = (stamped / 4, stamped % 4 * 6);
            // Dates need only rise: twelve months of 28 days.
            let (year, month) = (2023 + day / 336, day / 28 % 12 + 1);
            let _ =
                writeln!(log, "{hour:2}:00:00 (lmgrd) TIMESTAMP {month}/{}/{year}", day % 28 + 1);
        }
        event(&mut log, second, number);
        if statistics {
            for line in 0..STATISTICS_PER_EVENT {
                statistic(&mut log, second, number + line);
            }
        }
        number += 7;
    }
    log
}

fn clock(log: &mut String, second: u64) {
    let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
    let _ = write!(log, "{hour:2}:{minute:02}:{second:02}");
}

fn event(log: &mut String, second: u64, number: u64) {
    let (feature, user, host) = (below(number, 30), below(number + 2, 108), below(number + 3, 700));
    clock(log, second);
    let kind = if below(number + 4, 2) == 0 { "OUT" } else { "IN" };
    let _ = write!(
        log,
        " (simvd) {kind}: \"mesh_toolbox_{feature}\" user{user:04}@ws{host:04}.example.org  "
    );
    if below(number + 5, 5) == 0 {
        let _ = write!(log, "({} licenses) ", 2 + below(number + 6, 30));
    }
    log.push('\n');
}

fn statistic(log: &mut String, second: u64, number: u64) {
    clock(log, second);
    let clients = below(number, 300);
    let _ = writeln!(
        log,
        " (simvd) (@simvd-SLOG@) 00000000 ms at {}:25:10(6/9/2022),#{clients},(user{:04},ws{:04},{})",
        second / 3_600 % 24,
        below(number + 1, 108),
        below(number + 2, 700),
        below(number + 3, 2_000),
    );
}

/// The real logs, one after another, if they lie beside the checkout.
fn real() -> Option<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/flexnet");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    let logs: Option<Vec<Vec<u8>>> = paths.iter().map(|path| std::fs::read(path).ok()).collect();
    Some(logs?.concat()).filter(|logs| !logs.is_empty())
}

/// The lines that are not statistics.
fn without_statistics(log: &[u8]) -> Vec<u8> {
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| !line.windows(6).any(|part| part == b"-SLOG@"));
    kept.flatten().copied().collect()
}

fn context() -> Context {
    Context {
        tenant: "acme".to_owned(),
        source: "lic1".to_owned(),
        document: "debug.log".to_owned(),
        zone: Zone::named("Europe/Madrid").unwrap_or_else(|_| Zone::utc()),
        received_at: Timestamp(1_750_000_000_000_000),
    }
}

fn read(log: &[u8]) -> (u64, u128) {
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context(), LogOptions::default());
    for piece in log.chunks(PIECE_BYTES) {
        reader.push(piece, &mut counting);
    }
    reader.finish(&mut counting);
    (counting.facts, counting.mixed)
}

fn measure(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    log: &[u8],
) {
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| read(black_box(log))));
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flexnet_log");
    group.sample_size(20);
    measure(&mut group, "invented", invented(true).as_bytes());
    measure(&mut group, "invented_events_only", invented(false).as_bytes());
    if let Some(real) = real() {
        measure(&mut group, "real", &real);
        measure(&mut group, "real_without_statistics", &without_statistics(&real));
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
