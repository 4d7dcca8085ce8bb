//! How the engine is, as an answer and as gauges.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use trueup_runtime::chain::Link;
use trueup_runtime::health::Health;

/// What to do about a full disk.
const MAKE_ROOM: &str = "make room on the journal's disk; the engine goes on by itself";
/// What to do about too little memory.
const GIVE_MEMORY: &str = "give the engine more memory (engine.memory_mebibytes, or the limit of its \
    group of processes) and start it again; it goes on by itself when some is free";

/// What stands for all that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainAnswer {
    /// Up to this epoch.
    pub(crate) epoch: u64,
    /// The hash of all epochs in their order.
    pub(crate) hash: String,
    /// The hash of the rows of all views but the totals, which no order of epochs changes.
    pub(crate) views: String,
}

impl ChainAnswer {
    /// What a link says.
    pub(crate) fn new(link: &Link) -> Self {
        let hex = |hash: u128| format!("{hash:032x}");
        Self { epoch: link.epoch, hash: hex(link.chain), views: hex(link.views) }
    }
}

/// Whether the engine takes input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthAnswer {
    /// `taking input`, `held back: the disk is full` or `held back: memory is full`.
    pub(crate) state: String,
    /// Since when, if it takes none.
    pub(crate) since: Option<String>,
    /// The file that could not grow.
    pub(crate) file: Option<String>,
    /// What to do.
    pub(crate) remedy: Option<String>,
    /// The last record of the journal that survives a loss of power.
    pub(crate) durable_record: u64,
    /// The last record of the journal that something vouches for.
    pub(crate) sealed_record: u64,
    /// How many epochs are on their way to the disk.
    pub(crate) epochs_under_way: u64,
    /// What stands for all that was published.
    pub(crate) chain: ChainAnswer,
    /// How many epochs had been published before the engine began, and were the same again.
    pub(crate) same_epochs: u64,
    /// How many of them were something else, and may be.
    pub(crate) other_epochs: u64,
    /// The memory that the engine uses, in bytes; 0 where the system does not say it.
    pub(crate) memory_used_bytes: u64,
    /// The memory that it may use, in bytes, if there is a limit.
    pub(crate) memory_limit_bytes: Option<u64>,
}

impl HealthAnswer {
    /// How the engine is now.
    pub(crate) fn new(health: &Health, link: &Link) -> Self {
        let (full, memory) = (health.full(), health.memory());
        let (state, since, remedy) = match (&full, memory.held_since) {
            (Some(full), _) => ("held back: the disk is full", Some(full.since), Some(MAKE_ROOM)),
            (None, Some(since)) => ("held back: memory is full", Some(since), Some(GIVE_MEMORY)),
            (None, None) => ("taking input", None, None),
        };
        Self {
            state: state.to_owned(),
            since: since.map(|since| since.to_string()),
            remedy: remedy.map(str::to_owned),
            file: full.map(|full| full.file),
            durable_record: health.durable_record(),
            sealed_record: health.sealed_record(),
            epochs_under_way: health.epochs_under_way(),
            chain: ChainAnswer::new(link),
            same_epochs: health.same_epochs(),
            other_epochs: health.other_epochs(),
            memory_used_bytes: memory.reading.used,
            memory_limit_bytes: memory.reading.most,
        }
    }
}

/// The figures of the engine, a line each, as scrapers of metrics read them; answers are of one epoch, and totals of one.
pub(crate) fn gauges(health: &Health, published: u64, totals: u64) -> String {
    let mut text = String::new();
    let memory = health.memory();
    for (name, help, value) in [
        ("trueup_journal_full", "Whether input is held back by a full disk.", {
            u64::from(health.full().is_some())
        }),
        (
            "trueup_journal_durable_record",
            "The last record that survives a loss of power.",
            health.durable_record(),
        ),
        (
            "trueup_journal_sealed_record",
            "The last record that something vouches for.",
            health.sealed_record(),
        ),
        (
            "trueup_journal_epochs_under_way",
            "Epochs on their way to the disk.",
            health.epochs_under_way(),
        ),
        ("trueup_memory_full", "Whether input is held back for memory.", {
            u64::from(memory.held_since.is_some())
        }),
        ("trueup_memory_used_bytes", "The memory that the engine uses.", memory.reading.used),
        (
            "trueup_memory_limit_bytes",
            "The memory that the engine may use; 0 for no limit.",
            memory.reading.most.unwrap_or(0),
        ),
        ("trueup_published_epoch", "The last epoch that answers are of.", published),
        ("trueup_totals_epoch", "The last epoch that totals over the trees are of.", totals),
    ] {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{HealthAnswer, gauges};
    use trueup_runtime::chain::Link;
    use trueup_runtime::health::Health;

    #[test]
    fn an_engine_that_takes_input_has_nothing_to_remedy() {
        let health = Health::default();
        let link = Link { epoch: 7, chain: 0xAB, ..Link::default() };
        let answer = HealthAnswer::new(&health, &link);
        assert_eq!((answer.chain.epoch, answer.chain.hash.len()), (7, 32));
        assert!(answer.chain.hash.ends_with("00ab"), "{answer:?}");
        assert_eq!((answer.state.as_str(), answer.remedy), ("taking input", None));
        assert!(gauges(&health, 7, 5).contains("trueup_journal_full 0\n"));
        assert!(gauges(&health, 7, 5).contains("trueup_memory_full 0\n"));
        assert!(gauges(&health, 7, 5).contains("trueup_published_epoch 7\n"));
        assert!(gauges(&health, 7, 5).contains("trueup_totals_epoch 5\n"));
    }
}
