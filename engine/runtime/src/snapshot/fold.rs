//! The records of the journal since a snapshot, put together.

use super::shard::{SHARDS, shard_of};
use super::tables::{Tables, Talk};
use super::{Row, Trouble, known};
use trueup_journal::{Record, RecordKind, Records, Storage};
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_wire::record::{self, SourceRecord};

/// What was said since, by shares.
pub(super) struct Fold {
    pub(super) tables: Tables,
    pub(super) shards: Vec<Vec<Row>>,
    horizon: Option<Timestamp>,
}

impl Fold {
    /// Begins with the tables of a snapshot, or with nothing.
    pub(super) fn new(tables: Tables) -> Self {
        Self { tables, shards: (0..SHARDS).map(|_| Vec::new()).collect(), horizon: None }
    }

    /// Takes the records up to the close of an epoch; false if it is not there.
    pub(super) fn run<S: Storage>(
        &mut self,
        mut records: Records<S>,
        until: Epoch,
    ) -> Result<bool, Trouble> {
        // Nothing is closed by an epoch that is there already, and what comes after it may be open still.
        if self.tables.epoch == until {
            return Ok(true);
        }
        while let Some(record) = records.next()? {
            if record.epoch > self.tables.epoch && self.take(&record)? == Some(until) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a record; gives the epoch that it closes, if it closes one.
    fn take(&mut self, record: &Record<'_>) -> Result<Option<Epoch>, Trouble> {
        match record.kind {
            RecordKind::EpochClose => {
                self.tables.epoch = record.epoch;
                self.tables.through = record.number;
                self.tables.horizon = self.horizon.take().or(self.tables.horizon);
                return Ok(Some(record.epoch));
            }
            RecordKind::Data(record::SOURCE) => self.source(record.content)?,
            RecordKind::Data(record::NAMES) => {
                let (talk, frame) = record::number(record.content).ok_or("it is cut")?;
                let talk = self.tables.talks.get_mut(&talk).ok_or("its talk never began")?;
                talk.define(frame, &mut self.tables.texts)?;
            }
            RecordKind::Data(record::BATCH) => self.batch(record.content)?,
            RecordKind::Data(record::HORIZON) => {
                self.horizon = Some(record::horizon(record.content).ok_or("it is no horizon")?);
            }
            RecordKind::Data(record::LEFT_OUT) => {
                let fact = record::left_out(record.content).ok_or("it is no fact")?;
                self.tables.left_out.insert(fact);
            }
            RecordKind::Data(record::PUBLISHED | record::ACCEPTED) => {}
            RecordKind::Data(other) => return Err(Trouble::unknown(other)),
        }
        Ok(None)
    }

    fn source(&mut self, content: &[u8]) -> Result<(), Trouble> {
        let SourceRecord { conversation, generation, tenant, source } =
            SourceRecord::decode(content).ok_or("it is no source")?;
        let Tables { sources, talks, texts, .. } = &mut self.tables;
        if let Some(older) = sources.conversation(tenant, source) {
            talks.remove(&older);
        }
        sources.begin(conversation, tenant, source, generation);
        let tenant = texts.tenant(tenant);
        talks.insert(conversation, Talk { tenant, ..Talk::default() });
        Ok(())
    }

    fn batch(&mut self, content: &[u8]) -> Result<(), Trouble> {
        let (conversation, frame) = record::number(content).ok_or("it is cut")?;
        let Tables { sources, talks, .. } = &mut self.tables;
        let talk = talks.get(&conversation).ok_or("its talk never began")?;
        let read = record::with_batch(frame, |batch| {
            sources.advance(conversation, batch.sequence, batch.position);
            known(batch, &talk.codes)
        });
        let tenant = talk.tenant;
        for fact in read.map_err(Trouble::Content)? {
            #[cfg(feature = "poison")]
            crate::poison::put(&fact);
            if let Some(shard) = self.shards.get_mut(shard_of(fact.id)) {
                shard.push(Row { tenant, fact, copies: 1 });
            }
        }
        Ok(())
    }
}
