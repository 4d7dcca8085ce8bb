//! A sink that formats fill and a client empties.

use super::Client;
use super::clock::Clock;
use super::error::ClientError;
use super::transport::Dial;
use crate::formats::Sink;
use trueup_model::fact::Fact;

/// Gives the facts of a format to a client.
///
/// A sink cannot refuse, so the first error is kept, and later facts are not taken: whoever fills the
/// sink asks [`ClientSink::finish`] before it moves the position.
#[derive(Debug)]
pub struct ClientSink<'c, D: Dial, C> {
    client: &'c mut Client<D, C>,
    failed: Option<ClientError>,
}

impl<'c, D: Dial, C: Clock> ClientSink<'c, D, C> {
    pub(super) fn new(client: &'c mut Client<D, C>) -> Self {
        Self { client, failed: None }
    }

    /// Whether a fact could not be sent, so that reading on is in vain.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Ends the filling.
    ///
    /// # Errors
    /// The first thing that went wrong. Facts after it were not taken.
    pub fn finish(self) -> Result<(), ClientError> {
        self.failed.map_or(Ok(()), Err)
    }
}

impl<D: Dial, C: Clock> Sink for ClientSink<'_, D, C> {
    fn accept(&mut self, fact: Fact<&str>) {
        if self.failed.is_none() {
            self.failed = self.client.accept(fact).err();
        }
    }

    fn note(&mut self, position: u64, words: &str) {
        self.client.count_note();
        tracing::info!(position, words, "remark");
    }
}
