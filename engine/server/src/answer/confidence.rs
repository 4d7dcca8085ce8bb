//! How far a position can be relied on: whether all of its period has been heard.
//!
//! provisional  the period has not ended, or the log of a daemon that serves the product does not
//!              reach its end yet
//! degraded     such a daemon has been silent for longer than the policy allows
//! complete     everything else; late facts may still correct it
//!
//! A daemon that was silent and speaks again is a discrepancy of its own, and degrades nothing.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::id::{Id, NameKind, ProductId};
use trueup_model::position::LicensePosition;
use trueup_model::time::Timestamp;
use trueup_runtime::view::Views;

/// How far a position can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Confidence {
    /// All of the period was heard.
    Complete,
    /// More is to come.
    Provisional,
    /// What should have come did not.
    Degraded,
}

impl Confidence {
    /// The name in tables and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Provisional => "provisional",
            Self::Degraded => "degraded",
        }
    }
}

/// Up to when daemons were heard, and which products they serve.
pub(crate) struct Heard {
    serving: BTreeMap<ProductId, BTreeSet<Id>>,
    /// The last sign of life of each daemon.
    until: BTreeMap<Id, Timestamp>,
    /// Daemons that have been silent for too long.
    silent: BTreeSet<Id>,
}

impl Heard {
    /// What views say; `alive` is the last sign of life of each daemon's log.
    pub(crate) fn new(views: &Views, alive: &BTreeMap<Id, Timestamp>) -> Self {
        let mut serving: BTreeMap<ProductId, BTreeSet<Id>> = BTreeMap::new();
        for (subject, means) in views.resolutions.iter() {
            if let Some(server) = subject.server {
                serving.entry(means.product).or_default().insert(server.into());
            }
        }
        let lasting = views.discrepancies.iter().filter(|row| {
            row.kind == DiscrepancyKind::TelemetryGap && row.last_at == Timestamp::MAX
        });
        let silent = lasting.filter_map(|row| match row.subject {
            Some((NameKind::Server, server)) => Some(server),
            _ => None,
        });
        Self { serving, until: alive.clone(), silent: silent.collect() }
    }

    /// How far a position can be relied on, and the daemon whose log ends too early, if one does.
    pub(crate) fn confidence(
        &self,
        position: &LicensePosition,
    ) -> (Confidence, Option<(Id, Timestamp)>) {
        let end = position.key.period.span.end;
        let serving = self.serving.get(&position.key.product).into_iter().flatten();
        let early = serving.filter_map(|server| {
            let until = self.until.get(server).copied().filter(|until| *until < end)?;
            Some((self.silent.contains(server), std::cmp::Reverse(until), *server))
        });
        // One that is silent says more than one that is only behind; then the one that ends first.
        match early.max() {
            Some((true, until, server)) => (Confidence::Degraded, Some((server, until.0))),
            Some((false, until, server)) => (Confidence::Provisional, Some((server, until.0))),
            None if position.current => (Confidence::Provisional, None),
            None => (Confidence::Complete, None),
        }
    }
}
