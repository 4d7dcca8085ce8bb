//! How far each source has come: what a connector is told when it connects.
//!
//! Everything here follows from the records of the journal in their order, so it is the same before
//! and after a restart. Only the newest conversation of a source may add to it.

use std::collections::BTreeMap;
use trueup_wire::record::ConversationId;
use trueup_wire::snapshot::SourceState;

/// A source of a tenant.
type Key = (String, String);

/// How far a source has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    generation: u64,
    conversation: ConversationId,
    sequence: u64,
    position: Vec<u8>,
}

/// What a connector is told when it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// The conversation that begins.
    pub(crate) conversation: ConversationId,
    /// The greatest generation before.
    pub(crate) last_generation: Option<u64>,
    /// The last batch that the engine has.
    pub(crate) resume: u64,
    /// The last position that came with a batch.
    pub(crate) position: Vec<u8>,
}

/// All sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    known: BTreeMap<Key, Source>,
    /// The newest conversation of each source.
    current: BTreeMap<ConversationId, Key>,
    last: ConversationId,
}

impl Sources {
    /// Whose a conversation is, if it is the newest of its source.
    pub(crate) fn tenant(&self, conversation: ConversationId) -> Option<&str> {
        self.current.get(&conversation).map(|(tenant, _)| tenant.as_str())
    }

    /// The generation of a source, if it is known.
    pub(crate) fn generation(&self, tenant: &str, source: &str) -> Option<u64> {
        let key = (tenant.to_owned(), source.to_owned());
        self.known.get(&key).map(|state| state.generation)
    }

    /// The number for the next conversation.
    pub(crate) fn next_conversation(&self) -> ConversationId {
        self.last + 1
    }

    /// Begins a conversation with a source; an earlier one of it is over.
    pub(crate) fn begin(
        &mut self,
        conversation: ConversationId,
        tenant: &str,
        source: &str,
        generation: u64,
    ) -> Greeting {
        let key = (tenant.to_owned(), source.to_owned());
        let known = self.known.get(&key);
        let last_generation = known.map(|state| state.generation);
        let mut state = known.cloned().unwrap_or_default();
        self.current.remove(&state.conversation);
        state.generation = generation;
        state.conversation = conversation;
        self.last = self.last.max(conversation);
        let greeting = Greeting {
            conversation,
            last_generation,
            resume: state.sequence,
            position: state.position.clone(),
        };
        self.current.insert(conversation, key.clone());
        self.known.insert(key, state);
        greeting
    }

    /// How far each source has come.
    pub(crate) fn states(&self) -> impl Iterator<Item = SourceState<'_>> {
        self.known.iter().map(|((tenant, source), state)| SourceState {
            tenant,
            source,
            generation: state.generation,
            conversation: state.conversation,
            sequence: state.sequence,
            position: &state.position,
        })
    }

    /// Takes how far a source had come.
    pub(crate) fn restore(&mut self, state: &SourceState<'_>) {
        let SourceState { tenant, source, generation, conversation, sequence, position } = *state;
        self.begin(conversation, tenant, source, generation);
        self.advance(conversation, sequence, position);
    }

    /// The newest conversation of a source, if it is known.
    pub(crate) fn conversation(&self, tenant: &str, source: &str) -> Option<ConversationId> {
        let key = (tenant.to_owned(), source.to_owned());
        self.known.get(&key).map(|state| state.conversation)
    }

    /// Notes a batch; false if the conversation is not the newest of its source.
    pub(crate) fn advance(
        &mut self,
        conversation: ConversationId,
        sequence: u64,
        position: &[u8],
    ) -> bool {
        let Some(state) = self.current.get(&conversation).and_then(|key| self.known.get_mut(key))
        else {
            return false;
        };
        state.sequence = sequence;
        if !position.is_empty() {
            state.position = position.to_vec();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Sources;

    #[test]
    fn only_the_newest_conversation_of_a_source_moves_it() {
        let mut sources = Sources::default();
        let first = sources.begin(sources.next_conversation(), "t", "logs", 3);
        assert_eq!((first.last_generation, first.resume), (None, 0));
        assert!(sources.advance(first.conversation, 1, b"line 10"));
        assert!(sources.advance(first.conversation, 2, b""));
        let second = sources.begin(sources.next_conversation(), "t", "logs", 4);
        assert_eq!((second.last_generation, second.resume), (Some(3), 2));
        assert_eq!(second.position, b"line 10");
        assert!(!sources.advance(first.conversation, 3, b""));
        assert!(sources.advance(second.conversation, 3, b""));
        let other = sources.begin(sources.next_conversation(), "t", "files", 1);
        assert_eq!((other.last_generation, other.resume), (None, 0));
        assert_eq!(sources.tenant(second.conversation), Some("t"));
        assert_eq!(sources.tenant(first.conversation), None);
        assert!(sources.tenant(other.conversation).is_some());
    }
}
