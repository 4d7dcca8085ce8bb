//! Content that is sealed: encrypted, and bound to its place, with AES-256-GCM.
//!
//! Each opening of a journal and each part of a snapshot has keys of its own, made of the key file's, a
//! salt of chance and a number; under them content is numbered, and the number is the nonce. So no nonce
//! comes twice under one key. What is said of content in the open is bound to it and cannot be changed.

use crate::error::JournalError;
use crate::frame::word_at;
use crate::keys::{KeyId, Keys, SALT_BYTES};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What stands before sealed content: the key, and what stands for the party.
const HEAD_BYTES: usize = 16;
/// What stands behind it.
const TAG_BYTES: usize = 16;
/// How much longer content is when it is sealed.
pub(crate) const SEAL_BYTES: usize = HEAD_BYTES + TAG_BYTES;
/// How many keys are held ready; more parties than that cost time.
const READY_MAX: usize = 4096;
/// The bytes that are bound to content.
const BOUND_BYTES: usize = 49;

/// What content is written or read: an opening of a journal, or a part of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What one process wrote into a journal.
    Journal {
        /// The mark of the journal.
        mark: u64,
        /// The generation of the process.
        generation: u64,
    },
    /// A part of a snapshot, or its manifest.
    Snapshot {
        /// The snapshot.
        number: u64,
        /// The part.
        part: u64,
    },
}

impl Scope {
    fn parts(self) -> (&'static [u8], u64, u64) {
        match self {
            Self::Journal { mark, generation } => (b"trueup journal", mark, generation),
            Self::Snapshot { number, part } => (b"trueup snapshot", number, part),
        }
    }
}

/// What is known of content in the open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    /// Its place among all of its scope.
    pub(crate) number: u64,
    pub(crate) kind: u8,
    pub(crate) epoch: u64,
}

/// Why content could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key is not there.
    NoKey(KeyId),
    /// The key is there, and this is not what it sealed.
    Forged(KeyId),
    /// It is too short to be sealed content.
    Cut,
}

/// Seals the content of one scope, or opens it.
pub(crate) struct Seal {
    keys: Arc<Keys>,
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) scope: Scope,
    /// The keys that were made, by key and party.
    ready: BTreeMap<(KeyId, u64), LessSafeKey>,
    /// Which those are for what is written of each party.
    parties: BTreeMap<String, (KeyId, u64)>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Seal {
    /// For what is written in a scope.
    ///
    /// # Errors
    /// If the system gives no chance.
    pub(crate) fn new(keys: Arc<Keys>, scope: Scope) -> Result<Self, JournalError> {
        let salt = keys.salt()?;
        Ok(Self::with_salt(keys, scope, salt))
    }

    /// For what was written in a scope.
    pub(crate) fn with_salt(keys: Arc<Keys>, scope: Scope, salt: [u8; SALT_BYTES]) -> Self {
        Self { keys, salt, scope, ready: BTreeMap::new(), parties: BTreeMap::new() }
    }

    /// Goes on in another scope.
    pub(crate) fn enter(&mut self, scope: Scope, salt: [u8; SALT_BYTES]) {
        if (self.scope, self.salt) != (scope, salt) {
            (self.scope, self.salt) = (scope, salt);
            self.ready.clear();
            self.parties.clear();
        }
    }

    /// Appends content, all of the parts, in sealed form.
    pub(crate) fn seal(&mut self, party: &str, label: Label, parts: &[&[u8]], out: &mut Vec<u8>) {
        let (id, tag) = self.key_of(party);
        out.extend_from_slice(&id.0.to_le_bytes());
        out.extend_from_slice(&tag.to_le_bytes());
        let start = out.len();
        for part in parts {
            out.extend_from_slice(part);
        }
        let bound = self.bound(label, id, tag);
        let key = self.ready(id, tag).expect("a key that is written with is there");
        let sealed =
            key.seal_in_place_separate_tag(nonce(label), Aad::from(bound), &mut out[start..]);
        let mac = sealed.expect("content is shorter than what the cipher takes");
        out.extend_from_slice(mac.as_ref());
    }

    /// Opens sealed content where it stands; gives what it was.
    ///
    /// # Errors
    /// If the key is not there, or this is not what was sealed there.
    pub(crate) fn open<'b>(
        &mut self,
        label: Label,
        sealed: &'b mut [u8],
    ) -> Result<&'b [u8], Refusal> {
        if sealed.len() < SEAL_BYTES {
            return Err(Refusal::Cut);
        }
        let (id, tag) = (KeyId(word_at(sealed, 0)), word_at(sealed, 8));
        let bound = self.bound(label, id, tag);
        let key = self.ready(id, tag).ok_or(Refusal::NoKey(id))?;
        let opened = key.open_in_place(nonce(label), Aad::from(bound), &mut sealed[HEAD_BYTES..]);
        opened.map(|content| &*content).map_err(|_| Refusal::Forged(id))
    }

    /// The key for what is written of a party, and what stands for the party.
    fn key_of(&mut self, party: &str) -> (KeyId, u64) {
        if let Some(found) = self.parties.get(party) {
            return *found;
        }
        let key = self.keys.of(party).expect("there is a key for what has none of its own");
        let found = (key.id, key.tag(party));
        if self.parties.len() >= READY_MAX {
            self.parties.clear();
        }
        self.parties.insert(party.to_owned(), found);
        found
    }

    /// The key that was made for a party in this scope.
    fn ready(&mut self, id: KeyId, tag: u64) -> Option<&LessSafeKey> {
        if !self.ready.contains_key(&(id, tag)) {
            let secret = &self.keys.get(id)?.secret;
            let (what, first, second) = self.scope.parts();
            let info = [what, &first.to_le_bytes(), &second.to_le_bytes(), &tag.to_le_bytes()];
            let extracted = Salt::new(HKDF_SHA256, &self.salt).extract(secret);
            let made = extracted.expand(&info, &AES_256_GCM).ok()?;
            if self.ready.len() >= READY_MAX {
                self.ready.clear();
            }
            self.ready.insert((id, tag), LessSafeKey::new(UnboundKey::from(made)));
        }
        self.ready.get(&(id, tag))
    }

    /// What is bound to content.
    fn bound(&self, label: Label, id: KeyId, tag: u64) -> [u8; BOUND_BYTES] {
        let (_, first, second) = self.scope.parts();
        let mut bytes = [0; BOUND_BYTES];
        let words = [first, second, label.number, label.epoch, id.0, tag];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes[BOUND_BYTES - 1] = label.kind;
        bytes
    }
}

/// The numbers of keys, as people read them.
pub(crate) fn known(keys: &Keys) -> String {
    let ids: Vec<String> = keys.ids().map(|id| id.to_string()).collect();
    ids.join(", ")
}

/// The number of content within its scope, which no other content has.
fn nonce(label: Label) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(&label.number.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests;
