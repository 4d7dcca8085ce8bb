//! Keys under which content is kept, so that whoever has the files and no key cannot read it.
//!
//! A key file is a text. Each of its keys is 32 bytes of chance; its number follows from them, so that a
//! wrong key is known by its number and never tried. A key is for everyone, or for one *party*: whoever
//! the owner says the content is of. The last key that fits is used for what is written, all of them for
//! what is read, so that a new line is a new key and removing a line gives up all that only it opens.
//! `FORMAT.md` says how content is sealed.

use crate::error::JournalError;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt;

/// The bytes of a key.
const KEY_BYTES: usize = 32;
/// The first line of a key file.
const TITLE: &str = "trueup keys 1";
/// The bytes of what makes the keys of one opening differ from those of any other.
pub(crate) const SALT_BYTES: usize = 16;

/// The bytes of what is said of bytes with a key.
pub(crate) const SIGNATURE_BYTES: usize = 32;

/// The number of a key, which follows from it and does not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is wrong with a key file; never what stands there, for it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadKeys {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// Keys, oldest first.
pub struct Keys {
    keys: Vec<Key>,
    /// What stands for the salt of every opening, in place of chance.
    salt: Option<[u8; SALT_BYTES]>,
}

/// A key.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) secret: [u8; KEY_BYTES],
    party: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| key.id)).finish()
    }
}

impl Key {
    fn new(secret: [u8; KEY_BYTES], party: Option<&str>) -> Self {
        let id = KeyId(number(&secret, b"id", b""));
        Self { id, secret, party: party.map(str::to_owned) }
    }

    /// What only who has the key can say of these bytes.
    pub(crate) fn sign(&self, purpose: &[u8], of: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let mut signature = [0; SIGNATURE_BYTES];
        let said = hmac::sign(&key, &said(purpose, of));
        signature.iter_mut().zip(said.as_ref()).for_each(|(place, byte)| *place = *byte);
        signature
    }

    /// Whether that was said of these bytes.
    pub(crate) fn has_signed(&self, purpose: &[u8], of: &[u8], signature: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        hmac::verify(&key, &said(purpose, of), signature).is_ok()
    }

    /// What stands for a party beside content that this key seals: 0 for what is of nobody.
    pub(crate) fn tag(&self, party: &str) -> u64 {
        if party.is_empty() { 0 } else { number(&self.secret, b"party", party.as_bytes()) }
    }
}

/// A number that follows from a key and tells nothing of it.
fn number(secret: &[u8], purpose: &[u8], of: &[u8]) -> u64 {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    crate::frame::word_at(hmac::sign(&key, &said(purpose, of)).as_ref(), 0)
}

/// What is signed with a key: what for, and what.
fn said(purpose: &[u8], of: &[u8]) -> Vec<u8> {
    [b"trueup ", purpose, &[0], of].concat()
}

impl Keys {
    /// Reads a key file.
    ///
    /// # Errors
    /// The first line that is wrong; that there is no key for everyone.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        let bad = |line, problem| BadKeys { line, problem };
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        if lines.next().map(|(_, line)| line) != Some(TITLE) {
            return Err(bad(1, "expected `trueup keys 1`"));
        }
        let mut keys: Vec<Key> = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (secret, party) = match (what, rest.trim().split_once(' ')) {
                ("key", None) => (rest.trim(), None),
                ("key-of", Some((secret, party))) => (secret, Some(party.trim())),
                _ => return Err(bad(number, "expected `key HEX` or `key-of HEX TENANT`")),
            };
            let secret = bytes(secret)
                .ok_or_else(|| bad(number, "expected 64 digits to the base of 16 as the key"))?;
            let key = Key::new(secret, party);
            if keys.iter().any(|known| known.id == key.id) {
                return Err(bad(number, "this key stands there twice"));
            }
            keys.push(key);
        }
        if keys.iter().all(|key| key.party.is_some()) {
            return Err(bad(1, "there is no `key HEX`, for what has no key of its own"));
        }
        Ok(Self { keys, salt: None })
    }

    /// The same with this in place of chance: for tests, and for files that are to come out the same.
    #[must_use]
    pub fn with_salt(self, salt: [u8; SALT_BYTES]) -> Self {
        Self { salt: Some(salt), ..self }
    }

    /// No keys: nothing can be sealed, and nothing that is can be opened.
    pub(crate) fn none() -> Self {
        Self { keys: Vec::new(), salt: None }
    }

    /// The numbers of all keys, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|key| key.id)
    }

    /// The key for what is written of a party.
    pub(crate) fn of(&self, party: &str) -> Option<&Key> {
        let mut newest_first = self.keys.iter().rev();
        let own = newest_first.clone().find(|key| key.party.as_deref() == Some(party));
        own.or_else(|| newest_first.find(|key| key.party.is_none()))
    }

    /// The key of a number.
    pub(crate) fn get(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// What makes the keys of one opening differ from those of any other.
    pub(crate) fn salt(&self) -> Result<[u8; SALT_BYTES], JournalError> {
        if let Some(salt) = self.salt {
            return Ok(salt);
        }
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).map_err(|_| JournalError::NoChance)?;
        Ok(salt)
    }
}

/// The bytes that digits to the base of 16 stand for.
fn bytes(digits: &str) -> Option<[u8; KEY_BYTES]> {
    let mut bytes = [0; KEY_BYTES];
    let digits = digits.as_bytes();
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
