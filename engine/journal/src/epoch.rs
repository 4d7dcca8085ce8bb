//! Epochs in a journal: one is open at a time, its records are counted, and it is closed once.
//!
//! The writer keeps this order and the reader checks it, by the same rules.

use crate::error::JournalError;
use crate::record::EpochClose;

/// Which epoch is open, and which was the last to be closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs {
    /// The last epoch that was closed.
    pub(crate) closed: Option<u64>,
    /// The epoch that has records and is not closed, and how many.
    pub(crate) open: Option<(u64, u64)>,
}

impl Epochs {
    /// Checks that a data record may belong to an epoch.
    pub(crate) fn check(&self, epoch: u64) -> Result<(), JournalError> {
        if let Some(closed) = self.closed.filter(|closed| epoch <= *closed) {
            return Err(JournalError::EpochClosed { epoch, closed });
        }
        match self.open {
            Some((open, _)) if open != epoch => Err(JournalError::EpochOpen { epoch, open }),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a data record that may belong to its epoch.
    pub(crate) fn count(&mut self, epoch: u64) {
        let (_, counted) = self.open.unwrap_or((epoch, 0));
        self.open = Some((epoch, counted.saturating_add(1)));
    }

    /// Checks that an epoch may be closed with this number of records.
    pub(crate) fn check_close(&self, close: &EpochClose) -> Result<(), JournalError> {
        let EpochClose { epoch, records: stated, .. } = *close;
        self.check(epoch)?;
        let counted = self.open.map_or(0, |(_, counted)| counted);
        if stated != counted {
            return Err(JournalError::EpochCount { epoch, stated, counted });
        }
        Ok(())
    }

    /// Closes an epoch that may be closed.
    pub(crate) fn close(&mut self, epoch: u64) {
        *self = Self { closed: Some(epoch), open: None };
    }
}
