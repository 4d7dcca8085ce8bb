//! What reading FlexNet debug logs costs per byte: lines to facts, into a sink that only counts.
//!
//! Two sets of logs: the generated ones of the `campus` world, which every machine makes alike, and the
//! real ones where the example data lies beside the checkout. Each is read as it is written, with the
//! statistics that fill a quarter to nine tenths of real logs, and without them: then nearly every
//! line is an event, which costs the most. Three depths, each part of the next: `cut` finds the ends,
//! times and daemons of lines; `lines` says what each line means; `facts` is the whole format. `throughput`
//! is in bytes of the logs.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use memchr::memchr;
use std::collections::BTreeMap;
use std::hint::black_box;
use trueup_benches::cpu_time::CpuTime;
use trueup_connectors::formats::flexnet::line::{self, Message};
use trueup_connectors::formats::flexnet::log::{LogOptions, LogReader};
use trueup_connectors::formats::{Context, Sink};
use trueup_datasets::scenario::{Settings, generate};
use trueup_model::calendar::Zone;
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The generated world: about 20 MiB of logs.
const WORLD: Settings = Settings { seed: 1, days: Some(60), scale: Some(4) };
/// How much a file gives at a time, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

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

/// The generated logs, one for each server.
fn generated() -> Vec<Vec<u8>> {
    let world = generate("campus", &WORLD).expect("the world has a size that can be made");
    let mut logs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let files = world.files.into_iter().filter(|(name, _)| name.ends_with(".log"));
    for (name, bytes) in files {
        // The parts of a log are called after their server and their first day, in order.
        let server = name.split('-').next().unwrap_or_default().to_owned();
        logs.entry(server).or_default().extend(bytes);
    }
    logs.into_values().collect()
}

/// The real logs, if they lie beside the checkout.
fn real() -> Option<Vec<Vec<u8>>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/flexnet");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    let logs: Option<Vec<Vec<u8>>> = paths.iter().map(|path| std::fs::read(path).ok()).collect();
    logs.filter(|logs| !logs.is_empty())
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

/// Reads a log; gives the number and a mixture of its facts.
fn facts(log: &[u8]) -> (u64, u128) {
    let mut counting = Counting::default();
    let mut reader = LogReader::new(context(), LogOptions::default());
    for piece in log.chunks(PIECE_BYTES) {
        reader.push(piece, &mut counting);
    }
    reader.finish(&mut counting);
    (counting.facts, counting.mixed)
}

/// Reads the lines of a log; gives the number of events.
fn lines(log: &[u8]) -> u64 {
    let mut scratch = String::new();
    let mut events = 0;
    for piece in log.chunks(PIECE_BYTES) {
        let text = str::from_utf8(piece).ok();
        each_line(piece, |at, bytes| {
            // A piece that is text is so in all of its lines.
            let prefixed = match text.and_then(|text| text.get(at..at + bytes.len())) {
                Some(text) => line::split_text(text),
                None => line::split(bytes),
            };
            let Some(prefixed) = prefixed else { return };
            let message = black_box(prefixed.message(&mut scratch));
            events += u64::from(matches!(message, Message::Event(_)));
        });
    }
    events
}

/// Cuts a log into lines, and those into time, daemon and message; gives the number of lines.
fn cut(log: &[u8]) -> u64 {
    let mut cut = 0;
    each_line(log, |_, bytes| cut += u64::from(black_box(line::split(bytes)).is_some()));
    cut
}

/// Gives each line, and where it begins.
fn each_line(bytes: &[u8], mut give: impl FnMut(usize, &[u8])) {
    let mut start = 0;
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        give(start, rest.get(..end).unwrap_or_default());
        start += end + 1;
    }
}

fn measure(criterion: &mut Criterion<CpuTime>, name: &str, logs: &[Vec<u8>]) {
    let mut group: BenchmarkGroup<'_, CpuTime> = criterion.benchmark_group(name);
    group.sample_size(30);
    let bytes: usize = logs.iter().map(Vec::len).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    let all = || black_box(logs).iter();
    group.bench_function("facts", |bencher| {
        bencher.iter(|| all().map(|log| facts(log).0).sum::<u64>());
    });
    group.bench_function("lines", |bencher| {
        bencher.iter(|| all().map(|log| lines(log)).sum::<u64>());
    });
    group.bench_function("cut", |bencher| {
        bencher.iter(|| all().map(|log| cut(log)).sum::<u64>());
    });
    group.finish();
}

fn parse(criterion: &mut Criterion<CpuTime>) {
    let sets = [("generated", Some(generated())), ("real", real())];
    for (name, logs) in sets {
        let Some(logs) = logs else { continue };
        measure(criterion, &format!("flexnet_log/{name}"), &logs);
        let plain: Vec<Vec<u8>> = logs.iter().map(|log| without_statistics(log)).collect();
        measure(criterion, &format!("flexnet_log/{name} without statistics"), &plain);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = parse
}
criterion_main!(benches);
