//! What the engine writes into its journal: the content of each kind of record.
//!
//! | kind | content |
//! |---|---|
//! | 1 source | conversation `u64`, generation `u64`, tenant and source: each a length `u16` and UTF-8 |
//! | 2 names | conversation `u64`, a Dictionary frame of the wire |
//! | 3 batch | conversation `u64`, a Batch frame of the wire |
//! | 4 horizon | microseconds since 1970 `i64`: where the epoch that is closed next moves the horizon |
//! | 5 left out | identity `u128` and revision `u32` of a fact that stopped the engine |
//! | 6 published | what was published up to an epoch, as `link.rs` encodes it |
//! | 7 accepted | nothing: what was published before may differ from what is computed again |
//!
//! Numbers are little endian. Codes in a batch mean what the names records of its conversation say.

use crate::frame::FrameReader;
use crate::message::{Batch, Definitions, Message};
use trueup_model::fact::FactId;
use trueup_model::time::Timestamp;

/// A connector was welcomed.
pub const SOURCE: u8 = 1;
/// Names of a conversation got codes.
pub const NAMES: u8 = 2;
/// A batch of a conversation.
pub const BATCH: u8 = 3;
/// The horizon moves.
pub const HORIZON: u8 = 4;
/// A fact is left out from now on, and from what was said before.
pub const LEFT_OUT: u8 = 5;
/// What was published up to an epoch.
pub const PUBLISHED: u8 = 6;
/// What was published before may differ from what is computed again.
pub const ACCEPTED: u8 = 7;

/// The number of a conversation; no two in a journal are the same.
pub type ConversationId = u64;

/// A fact that may have stopped the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// Its identity.
    pub id: FactId,
    /// Its revision.
    pub revision: u32,
}

/// A connector that was welcomed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRecord<'a> {
    /// The conversation that began.
    pub conversation: ConversationId,
    /// Of which process of the source.
    pub generation: u64,
    /// Whose the source is.
    pub tenant: &'a str,
    /// The source.
    pub source: &'a str,
}

impl<'a> SourceRecord<'a> {
    /// The record's content.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.conversation.to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        for text in [self.tenant, self.source] {
            put_text(text, &mut bytes);
        }
        bytes
    }

    /// The record with this content.
    pub fn decode(content: &'a [u8]) -> Option<Self> {
        let (conversation, rest) = number(content)?;
        let (generation, rest) = number(rest)?;
        let (tenant, rest) = text(rest)?;
        let (source, rest) = text(rest)?;
        rest.is_empty().then_some(Self { conversation, generation, tenant, source })
    }
}

/// The number at the beginning of a content, and what follows it.
pub fn number(content: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = content.split_first_chunk()?;
    Some((u64::from_le_bytes(*first), rest))
}

/// The content of a record that leaves a fact out.
pub fn left_out_content(fact: Suspect) -> Vec<u8> {
    let mut bytes = fact.id.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&fact.revision.to_le_bytes());
    bytes
}

/// The fact that a record leaves out.
pub fn left_out(content: &[u8]) -> Option<Suspect> {
    let (id, rest) = content.split_first_chunk()?;
    let revision = u32::from_le_bytes(rest.try_into().ok()?);
    Some(Suspect { id: FactId(u128::from_le_bytes(*id)), revision })
}

/// The instant that a horizon record says.
pub fn horizon(content: &[u8]) -> Option<Timestamp> {
    Some(Timestamp(i64::from_le_bytes(content.try_into().ok()?)))
}

/// Reads a content that is a batch.
///
/// # Errors
/// What is wrong with the frame, or what `read` says.
pub fn with_batch<T>(
    content: &[u8],
    read: impl FnOnce(&Batch<'_>) -> Result<T, String>,
) -> Result<T, String> {
    with_frame(content, |message| {
        let Message::Batch(batch) = &message else { return Err(misplaced(&message)) };
        read(batch)
    })
}

/// Reads a content that gives names their codes.
///
/// # Errors
/// What is wrong with the frame, or what `read` says.
pub fn with_names<T>(
    content: &[u8],
    read: impl FnOnce(&Definitions<'_>) -> Result<T, String>,
) -> Result<T, String> {
    with_frame(content, |message| {
        let Message::Dictionary(names) = &message else { return Err(misplaced(&message)) };
        read(names)
    })
}

fn with_frame<T>(
    mut content: &[u8],
    read: impl FnOnce(Message<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let mut reader = FrameReader::new();
    let found = reader.next(&mut content).map_err(|error| error.to_string())?;
    let frame = found.ok_or("its frame is cut")?;
    read(Message::decode(&frame).map_err(|error| error.to_string())?)
}

fn misplaced(message: &Message<'_>) -> String {
    format!("a {} has no place there", message.name())
}

/// Appends a text with its length; the wire allows at most 1,024 bytes for any.
pub fn put_text(text: &str, bytes: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
}

/// The text at the beginning of a content, and what follows it.
pub fn text(content: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = content.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::{SourceRecord, Suspect, left_out, left_out_content};
    use trueup_model::fact::FactId;

    #[test]
    fn a_fact_that_is_left_out_comes_back_as_it_went_and_no_part_of_it_does() {
        let fact = Suspect { id: FactId(u128::MAX - 5), revision: 3 };
        let bytes = left_out_content(fact);
        assert_eq!((bytes.len(), left_out(&bytes)), (20, Some(fact)));
        for end in 0..bytes.len() {
            assert_eq!(left_out(&bytes[..end]), None);
        }
        assert_eq!(left_out(&[bytes.as_slice(), b"x"].concat()), None);
    }

    #[test]
    fn a_source_comes_back_as_it_went_and_no_part_of_it_does() {
        let record =
            SourceRecord { conversation: 7, generation: 9, tenant: "campus", source: "logs/lic1" };
        let bytes = record.encode();
        assert_eq!(SourceRecord::decode(&bytes), Some(record));
        for end in 0..bytes.len() {
            assert_eq!(SourceRecord::decode(&bytes[..end]), None);
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(SourceRecord::decode(&longer), None);
    }
}
