//! Opening the sealed content of a journal while it is read.

use crate::error::JournalError;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::keys::Keys;
use crate::record::RecordKind;
use crate::scan::Scan;
use crate::seal::{Label, Refusal, Scope, Seal, known};
use crate::segment::{Place, damaged};
use crate::storage::File;
use std::sync::Arc;

/// A record whose content is sealed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    pub(crate) number: u64,
    pub(crate) kind: RecordKind,
    pub(crate) epoch: u64,
    pub(crate) content: &'a [u8],
}

/// What opens sealed content, frame by frame.
#[derive(Debug)]
pub(crate) struct Opening {
    keys: Arc<Keys>,
    seal: Option<Seal>,
    /// The content that was opened last.
    plain: Vec<u8>,
    /// Whether a frame with sealed records was read.
    pub(crate) has_sealed: bool,
    /// Whether content whose key is not there is given as if it were empty.
    pub(crate) is_lenient: bool,
    /// How many such records there were.
    pub(crate) locked: u64,
    /// What is to be said of the first of them.
    pub(crate) first_locked: Option<JournalError>,
}

impl Opening {
    pub(crate) fn new(keys: Option<Arc<Keys>>) -> Self {
        Self {
            keys: keys.unwrap_or_else(|| Arc::new(Keys::none())),
            seal: None,
            plain: Vec::new(),
            has_sealed: false,
            is_lenient: false,
            locked: 0,
            first_locked: None,
        }
    }

    /// Turns to a frame that is good.
    pub(crate) fn enter(&mut self, header: &FrameHeader, frame: &[u8]) {
        if !header.is_sealed() {
            return;
        }
        self.has_sealed |= header.records > 0;
        let scope = Scope::Journal { mark: header.mark, generation: header.generation };
        let salt = frame.get(FRAME_HEADER_BYTES..).and_then(|rest| rest.first_chunk());
        let salt = salt.copied().unwrap_or_default();
        match &mut self.seal {
            Some(seal) => seal.enter(scope, salt),
            None => self.seal = Some(Seal::with_salt(Arc::clone(&self.keys), scope, salt)),
        }
    }

    /// The content of a record of that frame, which begins at `offset`.
    ///
    /// # Errors
    /// If its key is not there, or it is not what was sealed.
    pub(crate) fn open<F: File>(
        &mut self,
        scan: &Scan<F>,
        offset: u64,
        record: &Sealed<'_>,
    ) -> Result<&[u8], JournalError> {
        let Sealed { number, kind, epoch, content } = *record;
        let Self { keys, seal, plain, is_lenient, locked, first_locked, .. } = self;
        plain.clear();
        plain.extend_from_slice(content);
        let label = Label { number, kind: kind.code().unwrap_or(0), epoch };
        let opened = match seal {
            Some(seal) => seal.open(label, plain),
            None => Err(Refusal::Cut),
        };
        let file = || scan.name.clone();
        match opened {
            Ok(opened) => Ok(opened),
            Err(Refusal::NoKey(key)) => {
                let (file, keys) = (file(), known(keys));
                let error = JournalError::Locked { file, offset, record: number, key, keys };
                if !*is_lenient {
                    return Err(error);
                }
                *locked += 1;
                first_locked.get_or_insert(error);
                Ok(&[])
            }
            Err(Refusal::Forged(key)) => {
                Err(JournalError::Forged { file: file(), offset, record: number, key })
            }
            Err(Refusal::Cut) => {
                let place = Place { offset, record: number };
                Err(damaged(&scan.name, place, crate::error::Damage::Content))
            }
        }
    }
}
