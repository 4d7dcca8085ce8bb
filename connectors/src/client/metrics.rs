//! What a connector counts about its sending; plain numbers, read by whoever shows them.

/// The counters of a client. All but `held_*` only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Facts that were taken.
    pub facts_total: u64,
    /// Facts that became rejects, because a name is longer than the wire allows.
    pub rejected_total: u64,
    /// Names that were shortened, because they are longer than the wire allows.
    pub shortened_total: u64,
    /// Remarks of formats that are no facts.
    pub notes_total: u64,
    /// Batches that were made.
    pub batches_total: u64,
    /// Batches that were sent again on a new connection.
    pub resent_batches_total: u64,
    /// Bytes of batches and dictionaries that were sent.
    pub sent_bytes_total: u64,
    /// Connections on which the engine said Welcome.
    pub connections_total: u64,
    /// Attempts to connect, and connections, that failed.
    pub failures_total: u64,
    /// Times that the dictionary was full and started anew.
    pub dictionary_restarts_total: u64,
    /// The last batch that was made.
    pub last_sequence: u64,
    /// The last batch that is durable.
    pub durable_sequence: u64,
    /// The last batch that is sealed.
    pub sealed_sequence: u64,
    /// Batches that are held because they are not sealed.
    pub held_batches: u64,
    /// Their bytes.
    pub held_bytes: u64,
}

impl Metrics {
    /// Every counter with the name and help text under which it is shown.
    pub fn named(&self) -> [(&'static str, &'static str, u64); 15] {
        [
            ("trueup_connector_facts_total", "facts taken", self.facts_total),
            ("trueup_connector_rejected_total", "facts with too long names", self.rejected_total),
            ("trueup_connector_shortened_total", "names shortened", self.shortened_total),
            ("trueup_connector_notes_total", "remarks of formats", self.notes_total),
            ("trueup_connector_batches_total", "batches made", self.batches_total),
            (
                "trueup_connector_resent_batches_total",
                "batches sent again",
                self.resent_batches_total,
            ),
            ("trueup_connector_sent_bytes_total", "bytes sent", self.sent_bytes_total),
            ("trueup_connector_connections_total", "connections admitted", self.connections_total),
            ("trueup_connector_failures_total", "connections failed", self.failures_total),
            (
                "trueup_connector_dictionary_restarts_total",
                "full dictionaries",
                self.dictionary_restarts_total,
            ),
            ("trueup_connector_last_sequence", "last batch made", self.last_sequence),
            ("trueup_connector_durable_sequence", "last batch durable", self.durable_sequence),
            ("trueup_connector_sealed_sequence", "last batch sealed", self.sealed_sequence),
            ("trueup_connector_held_batches", "batches not sealed", self.held_batches),
            ("trueup_connector_held_bytes", "bytes not sealed", self.held_bytes),
        ]
    }
}
