//! What the wire costs per fact: facts to columns to a frame, and back.
//!
//! The facts are those of `wire/facts.rs`. `throughput` is in facts, so the time per fact is the inverse of it.

#[path = "wire/facts.rs"]
mod facts;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use facts::{CODES, RECORDS, session, usage};
use std::hint::black_box;
use trueup_benches::cpu_time::CpuTime;
use trueup_benches::visited::Visited;
use trueup_model::fact::Fact;
use trueup_wire::message::BatchFrame;
use trueup_wire::{Code, FrameReader, Message, decode_batch, encode_batch};

/// The allocator of the engine; the columns of a batch are large and short-lived.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn measure(criterion: &mut Criterion<CpuTime>, name: &str, make: fn(u64) -> Fact<Code>) {
    let facts: Vec<Fact<Code>> = (0..RECORDS).map(make).collect();
    let columns = encode_batch(&facts).expect("the facts have no long texts").remove(0);
    let frame = BatchFrame::encode(1, b"position", &columns).expect("the batch fits a frame");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("encode columns", |bencher| {
        bencher.iter(|| encode_batch(black_box(&facts)));
    });
    group.bench_function("frame with checksum", |bencher| {
        bencher.iter(|| BatchFrame::encode(1, b"position", black_box(&columns)));
    });
    group.bench_function("read frame with checksum", |bencher| {
        bencher.iter_batched_ref(
            FrameReader::new,
            |reader| {
                let mut input = black_box(frame.bytes());
                let read = reader.next(&mut input).expect("the frame is whole");
                read.map(|found| Message::decode(&found).is_ok())
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("decode columns, visit facts", |bencher| {
        let schema = columns.schema.code();
        bencher.iter(|| {
            let decoded = decode_batch(schema, columns.count, black_box(&columns.bytes), CODES);
            let mut seen = Visited::default();
            decoded.map(|rows| rows.visit(&mut seen).map(|()| seen.0))
        });
    });
    group.bench_function("decode columns, collect facts", |bencher| {
        let schema = columns.schema.code();
        let mut kept: Vec<Fact<Code>> = Vec::with_capacity(facts.len());
        bencher.iter(|| {
            kept.clear();
            let decoded = decode_batch(schema, columns.count, black_box(&columns.bytes), CODES);
            if let Ok(rows) = decoded {
                rows.for_each(|fact| kept.push(fact));
            }
            kept.len()
        });
    });
    group.finish();
}

fn wire(criterion: &mut Criterion<CpuTime>) {
    measure(criterion, "session", session);
    measure(criterion, "usage", usage);
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = wire
}
criterion_main!(benches);
