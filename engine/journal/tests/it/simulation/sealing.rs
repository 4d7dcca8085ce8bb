//! Keys for simulated journals, and a look at all that is written: no nonce may come twice under a key.

use crate::format::{self, BLOCK_BYTES};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use trueup_journal::Keys;

/// What a nonce and its key follow from: the salt, the generation, and the number of the record.
type Nonce = ([u8; 16], u64, u64);

/// Keys without chance, and what was sealed with them.
#[derive(Clone, Debug)]
pub(crate) struct Sealing {
    pub(crate) keys: Arc<Keys>,
    seen: Rc<RefCell<BTreeMap<Nonce, Vec<u8>>>>,
}

impl Sealing {
    /// With one key. All openings have one salt, so that nothing is left to chance.
    pub(crate) fn new() -> Self {
        let text = format!("trueup keys 1\nkey {}", "5c".repeat(32));
        let keys = Keys::parse(&text).unwrap().with_salt([7; 16]);
        Self { keys: Arc::new(keys), seen: Rc::default() }
    }

    /// How much was sealed.
    pub(crate) fn count(&self) -> usize {
        self.seen.borrow().len()
    }

    /// Looks at what is written; fails if a nonce comes again and seals something else.
    pub(crate) fn look(&self, mut bytes: &[u8], mark: u64) -> Result<(), String> {
        while format::is_frame(bytes, mark) {
            let length = format::half(bytes, 8) as usize;
            let whole = (64 + length).next_multiple_of(BLOCK_BYTES).min(bytes.len());
            let (frame, rest) = bytes.split_at(whole);
            bytes = rest;
            if format::half(frame, 20) != 3 || frame.len() < 64 + length {
                continue;
            }
            let salt: [u8; 16] = frame[64..80].try_into().unwrap();
            let (generation, mut number) = (format::word(frame, 40), format::word(frame, 48));
            let mut at = 80;
            for _ in 0..format::half(frame, 56) {
                let content = format::half(frame, at) as usize;
                let sealed = frame[at + 16..at + 16 + content].to_vec();
                let mut seen = self.seen.borrow_mut();
                let known = seen.entry((salt, generation, number)).or_insert(sealed.clone());
                if *known != sealed {
                    let again = format!("nonce {number} comes again in generation {generation}");
                    return Err(again);
                }
                at += 16 + content.next_multiple_of(8);
                number += 1;
            }
        }
        Ok(())
    }
}
