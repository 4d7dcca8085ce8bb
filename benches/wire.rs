//! What the wire costs per fact: facts to columns to a frame, and back.
//!
//! The facts are what one license server's log and one meter give: rising instants, a few hundred
//! names, no rare fields. `throughput` is in facts, so the time per fact is the inverse of it.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use trueup_benches::cpu_time::CpuTime;
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason, UsageEvent, UsageOp};
use trueup_wire::message::BatchFrame;
use trueup_wire::{Code, FrameReader, Message, decode_batch, encode_batch};

/// The allocator of the engine; the columns of a batch are large and short-lived.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Facts in a batch: what a connector sends under load.
const RECORDS: u64 = 8192;
/// Names that the facts use.
const CODES: u32 = 1000;

/// The `index`-th number of a fixed stream.
fn number(index: u64) -> u64 {
    let mixed = (index ^ index >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

fn code(index: u64, column: u64) -> Code {
    let spread = number(index * 8 + column) % u64::from(CODES);
    Code(u32::try_from(spread).unwrap_or(0))
}

fn at(index: u64) -> Timestamp {
    Timestamp(1_750_000_000_000_000 + (index / 4).cast_signed() * 1_000_000)
}

fn fact(index: u64, body: Body<Code>) -> Fact<Code> {
    Fact {
        id: FactId(u128::from(number(index)) << 64 | u128::from(number(!index))),
        revision: 0,
        arrived_at: Timestamp(1_750_003_600_000_000),
        provenance: Provenance { document: Code(0), position: index + 1 },
        document: None,
        action: Action::Assert(body),
    }
}

fn session(index: u64) -> Fact<Code> {
    let kind = if index.is_multiple_of(2) { SessionKind::Open } else { SessionKind::Close };
    let rank = u32::try_from(index % 4).unwrap_or(0);
    fact(
        index,
        Body::Session(SessionEvent {
            at: at(index),
            rank,
            kind,
            reason: SessionReason::None,
            server: Code(1),
            product: code(index, 0),
            user: code(index, 1),
            device: code(index, 2),
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: None,
            count: 1,
            until: None,
        }),
    )
}

fn usage(index: u64) -> Fact<Code> {
    fact(
        index,
        Body::Usage(UsageEvent {
            at: at(index),
            product: code(index, 0),
            account: Some(code(index, 1)),
            user: None,
            device: None,
            quantity: Quantity::units((number(index) % 100).cast_signed()),
            op: UsageOp::Add,
        }),
    )
}

/// What a first operator takes of a fact: its identity, instant and names.
fn taken(fact: &Fact<Code>) -> u64 {
    let body = match &fact.action {
        Action::Assert(Body::Session(session)) => {
            let names = [session.server, session.product, session.user, session.device];
            names.iter().fold(session.at.0.cast_unsigned(), |sum, name| sum ^ u64::from(name.0))
        }
        Action::Assert(Body::Usage(usage)) => {
            (usage.at.0 ^ usage.quantity.0).cast_unsigned() ^ u64::from(usage.product.0)
        }
        Action::Assert(_) | Action::Retract(_) => 0,
    };
    body ^ fact.provenance.position
}

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
            decoded.map(|rows| rows.fold(0, |sum, fact| sum ^ taken(&fact)))
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
