//! Files whose checksums hold and whose records make no sense: they are refused by name, or read.

use super::{Manner, Target, recover};
use crate::chain::Chain;
use crate::error::RuntimeError;
use crate::intake::Intake;
use crate::sequencer::{Desk, Replay, Work};
use crate::settings::Settings;
use crate::simulation::storage::{Disk, Faults};
use crate::snapshot::{Restored, looked_through};
use crossbeam_channel::bounded;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
use std::sync::{Arc, Mutex, RwLock};
use trueup_journal::snapshot::{self, SnapshotWriter};
use trueup_journal::writer::NewRecord;
use trueup_journal::{EpochClose, Options, open};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::id::{Dictionary, NameKind};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{UsageEvent, UsageOp};
use trueup_wire::link::Link;
use trueup_wire::message::{BatchFrame, write_definitions};
use trueup_wire::record::{SourceRecord, Suspect, left_out_content};
use trueup_wire::snapshot::{Head, SourceState};
use trueup_wire::{Code, encode_batch};

/// More than is ever said of names.
const QUEUE_MAX: usize = 4096;

/// A record's kind and content.
type Kept = (u8, Vec<u8>);

/// Names with the first codes of a conversation.
fn names() -> Vec<u8> {
    let mut bytes = Vec::new();
    let names = [(NameKind::Product, "CAD"), (NameKind::User, "ada"), (NameKind::Document, "log")];
    write_definitions(0, names.into_iter(), &mut bytes).unwrap();
    bytes
}

/// A batch that uses them.
fn batch(sequence: u64) -> Vec<u8> {
    let fact = Fact {
        id: FactId(u128::from(sequence) << 64),
        revision: 0,
        arrived_at: Timestamp::RECORDED,
        provenance: Provenance { document: Code(2), position: 1 },
        document: None,
        action: Action::Assert(Body::Usage(UsageEvent {
            at: Timestamp::RECORDED,
            product: Code(0),
            account: None,
            user: Some(Code(1)),
            device: None,
            quantity: Quantity(7),
            op: UsageOp::Add,
        })),
    };
    let columns = encode_batch(&[fact]).unwrap().remove(0);
    BatchFrame::encode(sequence, b"line 1", &columns).unwrap().bytes().to_vec()
}

/// A number, often one at an end of its range.
fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()]
}

fn numbered(number: u64, rest: &[u8]) -> Vec<u8> {
    [&number.to_le_bytes(), rest].concat()
}

fn links() -> impl Strategy<Value = Vec<u8>> {
    (numbers(), any::<u128>(), any::<bool>()).prop_map(|(epoch, chain, totals)| {
        Link { epoch, chain, totals: totals.then_some(chain), ..Link::default() }.encode()
    })
}

fn suspects() -> impl Strategy<Value = Vec<u8>> {
    any::<u32>().prop_map(|revision| left_out_content(Suspect { id: FactId(9), revision }))
}

/// Contents with one byte that is another one, with fewer, or as they were.
fn damaged(records: impl Strategy<Value = Kept>) -> impl Strategy<Value = Kept> {
    (records, prop_oneof![9 => Just(0_u8), 1 => 1..3_u8], any::<usize>(), any::<u8>()).prop_map(
        |((kind, mut content), how, place, byte)| {
            let length = content.len().max(1);
            match how {
                0 => {}
                1 => content.truncate(place % length),
                _ => content.iter_mut().skip(place % length).take(1).for_each(|at| *at = byte),
            }
            (kind, content)
        },
    )
}

/// Records as a journal may have them, in an order that it never has.
fn records() -> impl Strategy<Value = Kept> {
    let source = (numbers(), numbers()).prop_map(|(conversation, generation)| {
        SourceRecord { conversation, generation, tenant: "campus", source: "logs" }.encode()
    });
    damaged(prop_oneof![
        3 => source.prop_map(|content| (1, content)),
        3 => numbers().prop_map(|talk| (2, numbered(talk, &names()))),
        3 => (numbers(), numbers()).prop_map(|(talk, place)| (3, numbered(talk, &batch(place)))),
        1 => any::<i64>().prop_map(|at| (4, at.to_le_bytes().to_vec())),
        1 => suspects().prop_map(|content| (5, content)),
        1 => links().prop_map(|content| (6, content)),
        1 => Just((7, Vec::new())),
        1 => (0..240_u8, vec(any::<u8>(), 0..40)),
    ])
}

/// Records as a snapshot may have them, in an order that it never has.
fn parts() -> impl Strategy<Value = Kept> {
    let head = (numbers(), numbers(), any::<Option<i64>>()).prop_map(|(epoch, through, at)| {
        Head { epoch, through, horizon: at.map(Timestamp) }.encode()
    });
    let source =
        (numbers(), numbers(), numbers()).prop_map(|(conversation, generation, sequence)| {
            let (tenant, source, position) = ("campus", "logs", b"line 1".as_slice());
            SourceState { tenant, source, generation, conversation, sequence, position }.encode()
        });
    damaged(prop_oneof![
        1 => head.prop_map(|content| (1, content)),
        1 => Just((2, b"campus".to_vec())),
        2 => Just((3, names())),
        2 => source.prop_map(|content| (4, content)),
        1 => numbers().prop_map(|talk| (5, talk.to_le_bytes().to_vec())),
        1 => vec(any::<u8>(), 80).prop_map(|content| (6, content)),
        2 => (numbers(), numbers()).prop_map(|(copies, place)| (7, numbered(copies, &batch(place)))),
        1 => suspects().prop_map(|content| (8, content)),
        1 => links().prop_map(|content| (9, content)),
        1 => (0..240_u8, vec(any::<u8>(), 0..40)),
    ])
}

/// Takes everything, and agrees.
struct Agreeing;

impl Desk for Agreeing {
    fn leave(&self, work: Work) -> Result<(), RuntimeError> {
        match work {
            Work::Replay(Replay::Restored { reply, .. } | Replay::Close { reply, .. }) => {
                reply.send(Ok(())).map_err(|_| RuntimeError::Stopped)
            }
            Work::Replay(Replay::End { reply, .. }) => {
                reply.send(0).map_err(|_| RuntimeError::Stopped)
            }
            Work::Replay(Replay::Source { .. } | Replay::Facts(..))
            | Work::Product(..)
            | Work::Unresolved(..)
            | Work::Facts(..)
            | Work::Greet(_)
            | Work::Names(..)
            | Work::Batch(_)
            | Work::Close(..)
            | Work::Seal(_)
            | Work::Release(_) => Ok(()),
        }
    }
}

/// Does something with an engine's entrance.
fn with_target<T>(act: impl FnOnce(&Target<'_>) -> T) -> T {
    let settings = Settings::default();
    let names = Dictionary::new(settings.policy.identity.clone(), 100);
    let (sender, _queue) = bounded(QUEUE_MAX);
    let intake = Intake::new(&settings, Arc::new(RwLock::new(names)), sender);
    let chain = Mutex::new(Chain::new(&settings));
    act(&Target { intake: &intake, work: &Agreeing, chain: &chain })
}

proptest! {
    #[test]
    fn a_journal_of_records_that_make_no_sense_is_refused_by_one_of_them_or_read(
        epochs in vec(vec(records(), 0..8), 1..4),
    ) {
        let disk = Disk::seeded(0, Faults::NONE);
        let mut writer = open(disk.clone(), Options::new(7)).unwrap().writer;
        for (epoch, records) in (1..).zip(&epochs) {
            for (kind, content) in records {
                // Some numbers are no kind of a record.
                let _ = writer.append(NewRecord { kind: *kind, epoch, parts: &[content] });
            }
            let taken = writer.open_epoch().map_or(0, |(_, count)| count);
            writer.close_epoch(EpochClose { epoch, records: taken, hash: 0 }).unwrap();
        }
        writer.seal().unwrap();
        drop(writer);
        let read = with_target(|to| recover(Some(disk.clone()), Options::new(7), Manner::default(), to));
        if let Err(error) = read {
            prop_assert!(matches!(error, RuntimeError::Record { .. }), "{error}: {error:?}");
        }
    }

    #[test]
    fn a_snapshot_of_records_that_make_no_sense_is_refused_by_its_part_or_read(
        parts in vec(vec(parts(), 0..10), 1..4),
        through in numbers(),
    ) {
        let disk = Disk::seeded(0, Faults::NONE);
        let mut writer = SnapshotWriter::begin(disk.clone(), 1, through).unwrap();
        for records in &parts {
            writer.begin_part().unwrap();
            for (kind, content) in records {
                writer.push(*kind, &[content]).unwrap();
            }
        }
        let manifest = writer.finish().unwrap();
        // What the next snapshot begins with.
        let _ = looked_through(|index| snapshot::part(&disk, &manifest, index).unwrap(), parts.len());
        if let Err(error) = with_target(|to| Restored::enter(&disk, &manifest, to)) {
            prop_assert!(matches!(error, RuntimeError::Snapshot { .. }), "{error}: {error:?}");
        }
    }
}
