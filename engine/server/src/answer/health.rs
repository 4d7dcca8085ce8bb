//! How the engine is, as an answer and as gauges.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use trueup_runtime::health::Health;

/// Whether the engine takes input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthAnswer {
    /// `taking input`, or `held back: the disk is full`.
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
}

impl HealthAnswer {
    /// How the engine is now.
    pub(crate) fn new(health: &Health) -> Self {
        let full = health.full();
        let state = if full.is_some() { "held back: the disk is full" } else { "taking input" };
        let remedy = "make room on the journal's disk; the engine goes on by itself";
        Self {
            state: state.to_owned(),
            since: full.as_ref().map(|full| full.since.to_string()),
            remedy: full.as_ref().map(|_| remedy.to_owned()),
            file: full.map(|full| full.file),
            durable_record: health.durable_record(),
            sealed_record: health.sealed_record(),
            epochs_under_way: health.epochs_under_way(),
        }
    }
}

/// The figures of the engine, a line each, as scrapers of metrics read them.
pub(crate) fn gauges(health: &Health, published: u64) -> String {
    let mut text = String::new();
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
        ("trueup_published_epoch", "The last epoch that answers are of.", published),
    ] {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{HealthAnswer, gauges};
    use trueup_runtime::health::Health;

    #[test]
    fn an_engine_that_takes_input_has_nothing_to_remedy() {
        let health = Health::default();
        let answer = HealthAnswer::new(&health);
        assert_eq!((answer.state.as_str(), answer.remedy), ("taking input", None));
        assert!(gauges(&health, 7).contains("trueup_journal_full 0\n"));
        assert!(gauges(&health, 7).contains("trueup_published_epoch 7\n"));
    }
}
