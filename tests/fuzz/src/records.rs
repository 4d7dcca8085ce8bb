//! What the engine writes into its journal and its snapshots, as it reads it back.
//!
//! A file of records: kind, length in 16 bits, content. Checksums of files keep such bytes from being read at all, so
//! nothing here is about checksums but those of the frames inside.

use super::finish::finish_frames;
use std::collections::BTreeMap;
use trueup_wire::link::Link;
use trueup_wire::record::{
    self, BATCH, ConversationId, HORIZON, LEFT_OUT, NAMES, PUBLISHED, SOURCE, SourceRecord,
};
use trueup_wire::snapshot::{self, Head, SourceState};
use trueup_wire::{Code, CodeTable};

/// The bytes before a frame: the number of a conversation, or how often something was said.
const NUMBER_BYTES: usize = 8;

/// The next record and what follows it; a length beyond the end is all that there is.
fn cut(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([kind, low, high], rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
    let (content, rest) = rest.split_at(length);
    Some((*kind, content, rest))
}

/// A content whose frames have sound checksums.
fn finished(content: &[u8], before: usize) -> Vec<u8> {
    let mut content = content.to_vec();
    if let Some(frames) = content.get_mut(before..) {
        finish_frames(frames);
    }
    content
}

/// Takes names of a frame into a table; a first code of 0 begins anew.
fn define(frame: &[u8], codes: &mut CodeTable<usize>) {
    let _ = record::with_names(frame, |names| {
        assert_eq!(names.entries().count(), names.count as usize);
        if names.first == 0 {
            codes.clear();
        }
        for (place, (kind, _)) in names.entries().enumerate() {
            codes.define(kind, place).map_err(|error| error.to_string())?;
        }
        Ok(())
    });
}

/// Reads the facts of a frame, and what they name.
fn facts(frame: &[u8], codes: &CodeTable<usize>) {
    let defined = u32::try_from(codes.len()).unwrap_or(u32::MAX);
    let _ = record::with_batch(frame, |batch| {
        for fact in batch.facts(defined).map_err(|error| error.to_string())? {
            let named = fact.try_map(&mut |kind, code: Code| codes.get(kind, code).copied());
            named.map_err(|error| error.to_string())?;
        }
        Ok(())
    });
}

/// Records of a journal. What is read says the same when it is written.
pub(super) fn journal(mut bytes: &[u8], finishes: bool) {
    let mut talks: BTreeMap<ConversationId, CodeTable<usize>> = BTreeMap::new();
    while let Some((kind, content, rest)) = cut(bytes) {
        bytes = rest;
        match kind {
            SOURCE => {
                if let Some(source) = SourceRecord::decode(content) {
                    assert_eq!(source.encode(), content);
                    talks.insert(source.conversation, CodeTable::new());
                }
            }
            NAMES | BATCH => {
                let content =
                    if finishes { finished(content, NUMBER_BYTES) } else { content.to_vec() };
                let Some((talk, frame)) = record::number(&content) else { continue };
                let codes = talks.entry(talk).or_default();
                if kind == NAMES { define(frame, codes) } else { facts(frame, codes) }
            }
            HORIZON => {
                if let Some(at) = record::horizon(content) {
                    assert_eq!(at.0.to_le_bytes(), content);
                }
            }
            LEFT_OUT => {
                if let Some(fact) = record::left_out(content) {
                    assert_eq!(record::left_out_content(fact), content);
                }
            }
            PUBLISHED => link(content),
            _ => {}
        }
    }
}

fn link(content: &[u8]) {
    if let Some(link) = Link::decode(content) {
        assert_eq!(link.encode(), content);
    }
}

/// Records of a snapshot. What is read says the same when it is written.
pub(super) fn snapshot(mut bytes: &[u8], finishes: bool) {
    let mut codes = CodeTable::new();
    while let Some((kind, content, rest)) = cut(bytes) {
        bytes = rest;
        match kind {
            snapshot::HEAD => {
                if let Some(head) = Head::decode(content) {
                    assert_eq!(head.encode(), content);
                }
            }
            snapshot::TENANT | snapshot::TALK => codes.clear(),
            snapshot::NAMES => {
                let frame = if finishes { finished(content, 0) } else { content.to_vec() };
                define(&frame, &mut codes);
            }
            snapshot::SOURCE => {
                if let Some(state) = SourceState::decode(content) {
                    assert_eq!(state.encode(), content);
                }
            }
            snapshot::ISSUED => {
                // Some bytes are not used, so only what was understood comes back.
                if let Some(row) = snapshot::decode_issued(content) {
                    assert_eq!(snapshot::decode_issued(&snapshot::encode_issued(&row)), Some(row));
                }
            }
            snapshot::FACTS => {
                let content =
                    if finishes { finished(content, NUMBER_BYTES) } else { content.to_vec() };
                if let Some((_, frame)) = record::number(&content) {
                    facts(frame, &codes);
                }
            }
            snapshot::LEFT_OUT => {
                if let Some(fact) = record::left_out(content) {
                    assert_eq!(record::left_out_content(fact), content);
                }
            }
            snapshot::PUBLISHED => link(content),
            _ => {}
        }
    }
}
