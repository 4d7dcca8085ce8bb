//! What is done with bytes that nobody wrote: each function decodes one kind and never panics.
//!
//! `cargo fuzz` looks for bytes that reach new code (`just fuzz`); the ordinary tests run every function on
//! the committed corpus and on random changes of it (`tests/it/foreign.rs`, which has this file as a
//! module). Checksums would keep everything that was changed from going further than a reader's door, so the
//! first byte says whether they are made right first.

mod finish;
mod memory;
mod records;

use finish::{finish_blocks, finish_frames, finish_part};
use memory::Memory;
use std::sync::Arc;
use trueup_journal::writer::NewRecord;
use trueup_journal::{Keyed, Keys, Options, Records, open, snapshot};
use trueup_wire::mesh::Greeting;
use trueup_wire::message::{Ack, Hello, Token};
use trueup_wire::session::{ConnectorEvent, EngineEvent};
use trueup_wire::{ConnectorSession, Credit, EngineSession, decode_batch};

/// A function and its name, which is that of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every function.
pub const ALL: [Target; 7] = [
    ("engine", engine),
    ("connector", connector),
    ("batch", batch),
    ("greeting", greeting),
    ("journal", journal),
    ("snapshot", snapshot),
    ("records", records),
];

/// The mark of the journals of the corpus.
const MARK: u64 = 0x6d61_726b_2061_7420;
/// The names of a journal's first two files.
const SEGMENTS: [&str; 2] = ["segment-0000000001.journal", "segment-0000000002.journal"];
/// The number of the snapshot that is read.
const SNAPSHOT: u64 = 1;

/// The first byte, and the rest.
fn split(bytes: &[u8]) -> (u8, Vec<u8>) {
    match bytes.split_first() {
        Some((first, rest)) => (*first, rest.to_vec()),
        None => (0, Vec::new()),
    }
}

/// What an engine hears of a connector. The same bytes in pieces of any size say the same.
pub fn engine(bytes: &[u8]) {
    let (how, mut bytes) = split(bytes);
    if how & 1 == 1 {
        finish_frames(&mut bytes);
    }
    let whole = engine_hears(&bytes, bytes.len().max(1));
    let pieces = engine_hears(&bytes, usize::from(how >> 1) + 1);
    assert_eq!(whole, pieces, "what is heard depends on how it arrives");
}

/// How many events an engine makes of bytes, and how many facts.
fn engine_hears(bytes: &[u8], piece: usize) -> (usize, usize) {
    let (mut events, mut facts) = (0, 0);
    let mut session = EngineSession::new();
    let mut out = Vec::new();
    for mut input in bytes.chunks(piece) {
        loop {
            let codes = session.codes_defined();
            let mut greeted = false;
            let mut sequence = None;
            match session.receive(&mut input, &mut out) {
                Ok(None) => break,
                Err(_) => return (events, facts),
                Ok(Some(EngineEvent::Hello(hello))) => {
                    greeted = true;
                    assert!(!hello.token.matches(b"another token, which nobody has"));
                }
                Ok(Some(EngineEvent::Dictionary(names))) => {
                    assert_eq!(names.entries().count(), names.count as usize);
                }
                Ok(Some(EngineEvent::Batch(batch))) => {
                    facts += batch.facts(codes).map_or(0, Iterator::count);
                    sequence = Some(batch.sequence);
                }
                Ok(Some(
                    EngineEvent::Duplicate { .. }
                    | EngineEvent::Gap { .. }
                    | EngineEvent::Heartbeat
                    | EngineEvent::Bye,
                )) => {}
            }
            events += 1;
            if greeted {
                let window = Credit { records: 1 << 20, bytes: 1 << 28 };
                let welcomed = session.admit(None, &mut out);
                welcomed.and_then(|_| session.welcome(0, b"", window, &mut out)).unwrap_or(());
            }
            if let Some(sequence) = sequence.filter(|_| session.is_open()) {
                let said = session.acknowledge(Ack { sequence, epoch: sequence }, &mut out);
                said.expect("what was just delivered can be acknowledged");
                session.seal(sequence, &mut out).expect("and sealed");
            }
        }
    }
    (events, facts)
}

/// What a connector hears of an engine.
pub fn connector(bytes: &[u8]) {
    let (how, mut bytes) = split(bytes);
    if how & 1 == 1 {
        finish_frames(&mut bytes);
    }
    let hears = |piece: usize| {
        let mut session = ConnectorSession::new();
        let mut out = Vec::new();
        let hello = Hello {
            version: 0,
            tenant: "tenant",
            source: "source",
            generation: 1,
            token: Token(b""),
        };
        session.hello(&hello, &mut out).expect("a Hello can be said first");
        let mut events = 0;
        for mut input in bytes.chunks(piece) {
            while let Ok(Some(event)) = session.receive(&mut input) {
                events += 1;
                if let ConnectorEvent::Error(report) = event {
                    assert!(report.message.len() <= 1024);
                }
            }
        }
        (events, session.is_open())
    };
    let pieces = hears(usize::from(how >> 1) + 1);
    assert_eq!(hears(bytes.len().max(1)), pieces, "what is heard depends on how it arrives");
}

/// The columns of a batch: schema, rows, codes, then the columns.
pub fn batch(bytes: &[u8]) {
    let Some((head, columns)) = bytes.split_first_chunk::<8>() else { return };
    let [a, b, c, d, rows @ .., codes, _] = *head;
    let schema = u32::from_le_bytes([a, b, c, d]);
    let count = u32::from(u16::from_le_bytes(rows));
    if let Ok(facts) = decode_batch(schema, count, columns, u32::from(codes)) {
        assert_eq!(facts.count(), count as usize, "a batch has as many facts as it says");
    }
}

/// What processes of a cluster say first.
pub fn greeting(bytes: &[u8]) {
    if let Ok(read) = Greeting::decode(bytes) {
        let again = read.encode();
        assert_eq!(Greeting::decode(&again), Ok(read));
        assert_eq!(read.fits(&read), Ok(()));
    }
}

/// The keys of what is sealed in the corpus, without chance.
fn keys() -> Option<Arc<Keys>> {
    let text = format!("trueup keys 1\nkey {}\nkey-of {} acme\n", "5c".repeat(32), "a6".repeat(32));
    Keys::parse(&text).ok().map(|keys| Arc::new(keys.with_salt([9; 16])))
}

/// The files of a journal, of which the second begins somewhere in the bytes, with keys and without. What can
/// be opened can be written to, and has the same records as before.
pub fn journal(bytes: &[u8]) {
    let (how, mut bytes) = split(bytes);
    if how & 1 == 1 {
        finish_blocks(&mut bytes);
    }
    let second = bytes.split_off((usize::from(how >> 1) * 4096).min(bytes.len()));
    for keys in [None, keys()] {
        let disk = Memory::default();
        for (name, bytes) in SEGMENTS.iter().zip([&bytes, &second]) {
            if !bytes.is_empty() {
                disk.put(name, bytes.clone());
            }
        }
        opened_and_written(Keyed::new(disk, keys));
    }
}

fn opened_and_written(disk: Keyed<Memory>) {
    let mut count = 0;
    let mut records = Records::open(disk.clone());
    while let Ok(Some(_)) = records.as_mut().map_or(Ok(None), Records::next) {
        count += 1;
    }
    let options = Options { segment_bytes_max: 32 * 1024, ..Options::new(MARK) };
    let Ok(mut opened) = open(disk.clone(), options) else { return };
    let epoch = opened.writer.open_epoch().map_or_else(
        || opened.writer.closed_epoch().map_or(1, |closed| closed.saturating_add(1)),
        |(epoch, _)| epoch,
    );
    let more = opened.writer.append(NewRecord { kind: 1, epoch, parts: &[b"more"] }).is_ok();
    if opened.writer.sync().is_err() {
        return;
    }
    drop(opened);
    let mut all = Records::open(disk).expect("what was opened can be opened");
    let mut again = 0;
    while all.next().expect("what was read can be read").is_some() {
        again += 1;
    }
    assert_eq!(again, count + usize::from(more), "a journal has other records when it was opened");
}

/// A snapshot's manifest and its first part, which begins at a multiple of eight of the bytes.
pub fn snapshot(bytes: &[u8]) {
    let (how, mut manifest) = split(bytes);
    let mut part = manifest.split_off((usize::from(how >> 1) * 8).min(manifest.len()));
    if how & 1 == 1 {
        finish_part(&mut manifest, &mut part);
    }
    let disk = Memory::default();
    disk.put(&format!("snapshot-{SNAPSHOT:010}.manifest"), manifest);
    disk.put(&format!("snapshot-{SNAPSHOT:010}.part-0000"), part);
    assert_eq!(snapshot::list(&disk).expect("files can be listed"), [SNAPSHOT]);
    for keys in [None, keys()] {
        if let Ok(read) = snapshot::verify(&Keyed::new(disk.clone(), keys), SNAPSHOT) {
            assert!(read.parts.len() <= 1, "no other part is there");
        }
    }
}

/// Records of a journal or of a snapshot, as they are read back.
pub fn records(bytes: &[u8]) {
    let (how, bytes) = split(bytes);
    let finishes = how & 1 == 1;
    if how & 2 == 2 {
        records::snapshot(&bytes, finishes);
    } else {
        records::journal(&bytes, finishes);
    }
}
