//! Bytes that nobody wrote: what `just fuzz` looks for at length, and found before, run on every day.
//!
//! Each function of `tests/fuzz/src/lib.rs` decodes one kind of bytes, and panics where a promise is broken. Its
//! corpus is committed: conversations, batches and files that programs wrote, and what once went wrong.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "it is a library of its own for those who look for bytes")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

/// The corpus of a function.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn every_kind_of_bytes_has_a_corpus_that_is_decoded_whole_and_cut() {
    for (name, decode) in targets::ALL {
        let all = corpus(name);
        assert!(!all.is_empty(), "{name}");
        for bytes in all {
            decode(&bytes);
            // Everywhere for what is short, and at some places for what is long.
            for length in (0..bytes.len()).step_by(1 + bytes.len() / 500) {
                decode(&bytes[..length]);
            }
        }
    }
}

/// A change of bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize),
    Set(usize, Vec<u8>),
    Copy { from: usize, to: usize, count: usize },
    Cut(usize),
    Insert(usize, Vec<u8>),
}

fn changes() -> impl Strategy<Value = Change> {
    let number = || {
        prop_oneof![
            vec(any::<u8>(), 1..9),
            proptest::sample::select(vec![vec![0; 8], vec![0xFF; 8], vec![0xFF; 4], vec![0; 2]]),
        ]
    };
    let place = any::<usize>;
    prop_oneof![
        place().prop_map(Change::Flip),
        (place(), number()).prop_map(|(at, bytes)| Change::Set(at, bytes)),
        (place(), place(), 1..64_usize).prop_map(|(from, to, count)| Change::Copy {
            from,
            to,
            count
        }),
        place().prop_map(Change::Cut),
        (place(), number()).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

fn apply(change: Change, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match change {
        Change::Flip(bit) => bytes[bit / 8 % length] ^= 1 << (bit % 8),
        Change::Set(at, value) => {
            bytes.iter_mut().skip(at % length).zip(value).for_each(|(place, byte)| *place = byte);
        }
        Change::Copy { from, to, count } => {
            let copied: Vec<u8> = bytes.iter().skip(from % length).take(count).copied().collect();
            bytes.iter_mut().skip(to % length).zip(copied).for_each(|(place, byte)| *place = byte);
        }
        Change::Cut(at) => bytes.truncate(at % length),
        Change::Insert(at, value) => drop(bytes.splice(at % length..at % length, value)),
    }
}

proptest! {
    #[test]
    fn what_was_changed_is_decoded_or_refused(
        which in any::<usize>(),
        changes in vec(changes(), 1..12),
    ) {
        for (name, decode) in targets::ALL {
            let mut all = corpus(name);
            let mut bytes = all.swap_remove(which % all.len());
            changes.iter().cloned().for_each(|change| apply(change, &mut bytes));
            decode(&bytes);
        }
    }
}
