//! Opening the sealed content of a part.

use crate::error::{Damage, JournalError};
use crate::keys::{Keys, SALT_BYTES};
use crate::seal::{Label, Refusal, Scope, Seal, known};
use crate::segment::{Place, damaged};
use std::sync::Arc;

/// What opens the sealed content of a part.
#[derive(Debug)]
pub(super) struct Secret {
    keys: Arc<Keys>,
    number: u64,
    part: u64,
    seal: Option<Seal>,
    /// The content that was opened last.
    plain: Vec<u8>,
    /// Whether content whose key is not there is given as if it were empty.
    pub(super) is_lenient: bool,
    /// What is to be said of the first such.
    pub(super) locked: Option<JournalError>,
}

impl Secret {
    /// For a part of a snapshot.
    pub(super) fn new(keys: Option<Arc<Keys>>, number: u64, part: u64) -> Self {
        let keys = keys.unwrap_or_else(|| Arc::new(Keys::none()));
        let (seal, plain, is_lenient, locked) = (None, Vec::new(), false, None);
        Self { keys, number, part, seal, plain, is_lenient, locked }
    }

    /// The snapshot.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Takes the salt that the part begins with.
    pub(super) fn begin(&mut self, salt: [u8; SALT_BYTES]) {
        let scope = Scope::Snapshot { number: self.number, part: self.part };
        self.seal = Some(Seal::with_salt(Arc::clone(&self.keys), scope, salt));
    }

    /// The content of a record, which stands at `offset` of the file.
    ///
    /// # Errors
    /// If its key is not there, or it is not what was sealed.
    pub(super) fn open(
        &mut self,
        label: Label,
        sealed: &[u8],
        file: &str,
        offset: u64,
    ) -> Result<&[u8], JournalError> {
        let Self { keys, seal, plain, is_lenient, locked, .. } = self;
        plain.clear();
        plain.extend_from_slice(sealed);
        let opened = match seal {
            Some(seal) => seal.open(label, plain),
            None => Err(Refusal::Cut),
        };
        let record = label.number + 1;
        match opened {
            Ok(content) => Ok(content),
            Err(Refusal::NoKey(key)) => {
                let (file, keys) = (file.to_owned(), known(keys));
                let error = JournalError::Locked { file, offset, record, key, keys };
                if !*is_lenient {
                    return Err(error);
                }
                locked.get_or_insert(error);
                Ok(&[])
            }
            Err(Refusal::Forged(key)) => {
                Err(JournalError::Forged { file: file.to_owned(), offset, record, key })
            }
            Err(Refusal::Cut) => Err(damaged(file, Place { offset, record: 0 }, Damage::Content)),
        }
    }
}
