//! The Batch message: facts of one kind, with their sequence and the connector's position.

use super::{Fields, check_length, put_bytes};
use crate::codec::{Columns, Facts, decode_batch};
use crate::error::{DecodeError, MessageError};
use crate::frame::{Frame, FrameKind, FrameWriter};
use crate::limits::{COLUMNS_BYTES_MAX, POSITION_BYTES_MAX};
use crate::message::Credit;

/// Facts of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Its place: one more than the batch before it.
    pub sequence: u64,
    /// The connector's own token for "everything up to here is in this or an earlier batch"; empty
    /// if this batch does not move the position.
    pub position: &'a [u8],
    /// The schema of its columns.
    pub schema: u32,
    /// How many facts it says it holds.
    pub count: u32,
    /// Its columns.
    pub columns: &'a [u8],
    /// The frame that it came in: what a journal keeps.
    pub frame: &'a [u8],
}

impl<'a> Batch<'a> {
    pub(super) fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Batch", frame);
        if frame.sequence == 0 {
            return Err(fields.bad("sequence", 0));
        }
        let position = fields.bytes("position", POSITION_BYTES_MAX)?;
        let columns = fields.rest();
        let Frame { sequence, schema, count, bytes, .. } = *frame;
        Ok(Self { sequence, position, schema, count, columns, frame: bytes })
    }

    /// The facts; checked as a whole before the first is given.
    ///
    /// `codes_defined` is how many codes the dictionary of the connection had when the batch came.
    ///
    /// # Errors
    /// If the columns are not what the header says.
    pub fn facts(&self, codes_defined: u32) -> Result<Facts, DecodeError> {
        decode_batch(self.schema, self.count, self.columns, codes_defined)
    }

    /// What the batch costs.
    pub fn cost(&self) -> Credit {
        Credit { records: u64::from(self.count), bytes: self.frame.len() as u64 }
    }
}

/// A Batch as bytes, kept by a connector until it is sealed and sent again as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFrame {
    sequence: u64,
    records: u32,
    bytes: Vec<u8>,
}

impl BatchFrame {
    /// Encodes a batch.
    ///
    /// # Errors
    /// If the position or the columns are longer than is allowed.
    pub fn encode(sequence: u64, position: &[u8], columns: &Columns) -> Result<Self, MessageError> {
        check_length("Batch", "position", position.len(), POSITION_BYTES_MAX)?;
        check_length("Batch", "columns", columns.bytes.len(), COLUMNS_BYTES_MAX)?;
        let mut bytes = Vec::new();
        let (records, schema) = (columns.count, columns.schema.code());
        let mut frame = FrameWriter::begin(&mut bytes, FrameKind::Batch, sequence, records, schema);
        frame.body().reserve_exact(2 + position.len() + columns.bytes.len());
        put_bytes(frame.body(), position);
        frame.body().extend_from_slice(&columns.bytes);
        frame.finish();
        Ok(Self { sequence, records, bytes })
    }

    /// Its place.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The whole frame.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the batch costs.
    pub fn cost(&self) -> Credit {
        Credit { records: u64::from(self.records), bytes: self.bytes.len() as u64 }
    }
}
