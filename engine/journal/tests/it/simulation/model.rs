//! What a journal must hold, kept as a plain list.

use trueup_journal::{EpochClose, Progress, Record, RecordKind};

/// A record that a writer took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) kind: RecordKind,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    /// Of a data record.
    pub(crate) content: Vec<u8>,
    pub(crate) close: Option<EpochClose>,
}

/// The records that were taken, and how far they were promised.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// Record number *n* is at *n* - 1.
    pub(crate) taken: Vec<Taken>,
    /// What was said to be durable and sealed.
    promised: Progress,
    /// No record before this one is needed.
    needed: u64,
    pub(crate) generation: u64,
}

/// What is found when the journal is opened again.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The number of the first record.
    pub(crate) first: Option<u64>,
    pub(crate) records: Vec<Taken>,
}

impl Found {
    /// Takes the next record that is read.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), String> {
        let first = *self.first.get_or_insert(record.number);
        let expected = first + self.records.len() as u64;
        if record.number != expected {
            return Err(format!("record {} stands where {expected} must", record.number));
        }
        let close = record.epoch_close();
        let content = if close.is_some() { Vec::new() } else { record.content.to_vec() };
        let (kind, epoch, generation) = (record.kind, record.epoch, record.generation);
        self.records.push(Taken { kind, epoch, generation, content, close });
        Ok(())
    }
}

/// How much must be there when the journal is opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// All that was durable.
    Durable,
    /// All that was sealed: one place of the disk is damaged.
    Sealed,
}

impl Model {
    /// Notes what a writer says; its word never falls, and speaks of nothing that it did not take.
    pub(crate) fn promise(&mut self, said: Progress) -> Result<(), String> {
        let before = self.promised;
        let falls = said.durable < before.durable || said.sealed < before.sealed;
        if falls || said.sealed > said.durable || said.durable > self.taken.len() as u64 {
            return Err(format!("{said:?} is said after {before:?} of {} taken", self.taken.len()));
        }
        self.promised = said;
        Ok(())
    }

    /// How many records were said to be durable.
    pub(crate) fn promised_durable(&self) -> u64 {
        self.promised.durable
    }

    /// Lets go of all records before one that is durable; gives which.
    pub(crate) fn release(&mut self, share: usize) -> u64 {
        let span = self.promised.durable.saturating_sub(self.needed);
        self.needed += span * u64::try_from(share % 5).unwrap() / 4;
        self.needed
    }

    /// Compares what is found with what was promised, and goes on from there.
    pub(crate) fn recover(
        &mut self,
        found: &Found,
        last: u64,
        promise: Promise,
    ) -> Result<(), String> {
        let first = found.first.unwrap_or(last + 1);
        let end = first - 1 + found.records.len() as u64;
        if end != last {
            return Err(format!("the writer goes on after {last}, and {end} is the last"));
        }
        if first > self.needed.max(1) {
            return Err(format!("{first} is the first, and {} is needed", self.needed));
        }
        let least = match promise {
            Promise::Durable => self.promised.durable,
            Promise::Sealed => self.promised.sealed,
        };
        if end < least {
            return Err(format!(
                "{end} is the last, and {least} was promised: {:?}",
                self.promised
            ));
        }
        let expected = usize::try_from(first - 1).unwrap()..usize::try_from(end).unwrap();
        let Some(expected) = self.taken.get(expected) else {
            return Err(format!("{end} is the last, and {} were taken", self.taken.len()));
        };
        if let Some(index) = (0..expected.len()).find(|at| expected[*at] != found.records[*at]) {
            return Err(format!("record {} is not what was taken", first + index as u64));
        }
        self.taken.truncate(usize::try_from(end).unwrap());
        self.promised = Progress { durable: end, sealed: end };
        Ok(())
    }

    /// The last epoch that is closed, and the one that is open with its records.
    pub(crate) fn epochs(&self) -> (Option<u64>, Option<(u64, u64)>) {
        let closed = self.taken.iter().rev().find(|taken| taken.close.is_some());
        let after = self.taken.iter().rev().take_while(|taken| taken.close.is_none()).count();
        let open = self.taken.last().filter(|_| after > 0);
        (closed.map(|close| close.epoch), open.map(|open| (open.epoch, after as u64)))
    }
}
