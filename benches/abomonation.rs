//! What the wire gives up, or not: its columns beside abomonation's bytes of the same rows.
//!
//! Abomonation copies rows as they lie in memory, and reads them in place. It is unsound (RUSTSEC-2021-0120) and
//! is nowhere in the product; it is built only with the feature of its name, and reads here only what it wrote
//! in the same process. Its rows are plain structures of numbers, with the same fields that the facts have. The wire checks
//! what it reads; `visit` takes the same fields of each row on both sides. Bytes of a fact are printed first.

#![expect(unsafe_code, reason = "what is compared can be called in no other way")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "wire/facts.rs"]
mod facts;

use abomonation::{Abomonation, decode, encode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use facts::{CODES, RECORDS, session, usage};
use std::hint::black_box;
use trueup_benches::cpu_time::CpuTime;
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::usage::SessionKind;
use trueup_wire::{Code, decode_batch, encode_batch};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The fields that a checkout and a metered use have, as numbers; a use has no server, rank and handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    /// In two halves: abomonation aligns to eight bytes at most.
    id: [u64; 2],
    arrived_at: i64,
    position: u64,
    at: i64,
    quantity: i64,
    revision: u32,
    document: u32,
    server: u32,
    product: u32,
    account: u32,
    user: u32,
    device: u32,
    rank: u32,
    kind: u8,
}

impl Abomonation for Row {}

/// A fact as a row.
fn row(fact: &Fact<Code>) -> Row {
    let common = Row {
        id: [
            (fact.id.0 >> 64) as u64,
            u64::try_from(fact.id.0 & u128::from(u64::MAX)).unwrap_or(0),
        ],
        arrived_at: fact.arrived_at.0,
        position: fact.provenance.position,
        revision: fact.revision,
        document: fact.provenance.document.0,
        ..Row::default()
    };
    let number = |code: Option<Code>| code.map_or(u32::MAX, |code| code.0);
    match &fact.action {
        Action::Assert(Body::Session(one)) => Row {
            at: one.at.0,
            quantity: i64::from(one.count),
            server: one.server.0,
            product: one.product.0,
            user: one.user.0,
            device: one.device.0,
            rank: one.rank,
            kind: u8::from(one.kind == SessionKind::Open),
            ..common
        },
        Action::Assert(Body::Usage(one)) => Row {
            at: one.at.0,
            quantity: one.quantity.0,
            product: one.product.0,
            account: number(one.account),
            user: number(one.user),
            device: number(one.device),
            ..common
        },
        Action::Assert(_) | Action::Retract(_) => common,
    }
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

/// What a first operator takes of a row: the same as of a fact.
fn taken_of(row: &Row) -> u64 {
    let names = [row.server, row.product, row.user, row.device];
    let names = names.iter().fold(0, |sum, name| sum ^ u64::from(*name));
    (row.at ^ row.quantity).cast_unsigned() ^ names ^ row.position
}

fn measure(criterion: &mut Criterion<CpuTime>, name: &str, make: fn(u64) -> Fact<Code>) {
    let facts: Vec<Fact<Code>> = (0..RECORDS).map(make).collect();
    let rows: Vec<Row> = facts.iter().map(row).collect();
    let columns = encode_batch(&facts).expect("the facts have no long texts").remove(0);
    let mut bytes = Vec::new();
    // SAFETY: rows are numbers and hold no pointers.
    unsafe { encode(&rows, &mut bytes) }.expect("memory takes bytes");
    let per_fact = |length: usize| length as u64 / RECORDS;
    let (wire, plain) = (per_fact(columns.bytes.len()), per_fact(bytes.len()));
    println!("{name}: {wire} bytes of a fact by the wire, {plain} by abomonation");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("wire, encode columns", |bencher| {
        bencher.iter(|| encode_batch(black_box(&facts)));
    });
    group.bench_function("abomonation, encode", |bencher| {
        bencher.iter(|| {
            let mut into = Vec::new();
            // SAFETY: rows are numbers and hold no pointers.
            let written = unsafe { encode(black_box(&rows), &mut into) };
            written.map(|()| into)
        });
    });
    group.bench_function("wire, decode and visit", |bencher| {
        let schema = columns.schema.code();
        bencher.iter(|| {
            let decoded = decode_batch(schema, columns.count, black_box(&columns.bytes), CODES);
            decoded.map(|found| found.fold(0, |sum, fact| sum ^ taken(&fact)))
        });
    });
    group.bench_function("abomonation, decode and visit", |bencher| {
        bencher.iter(|| {
            // SAFETY: the bytes are those that were written above, in this process.
            let read = unsafe { decode::<Vec<Row>>(black_box(&mut bytes)) };
            read.map(|(found, _)| found.iter().fold(0, |sum, row| sum ^ taken_of(row)))
        });
    });
    group.finish();
    // SAFETY: as above.
    let read = unsafe { decode::<Vec<Row>>(&mut bytes) }.expect("it was written");
    assert_eq!(*read.0, rows, "what was written is read");
}

fn compared(criterion: &mut Criterion<CpuTime>) {
    measure(criterion, "session beside abomonation", session);
    measure(criterion, "usage beside abomonation", usage);
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = compared
}
criterion_main!(benches);
