//! What operators cost, as rows.

use crate::answer::AsOf;
use crate::answer::stage::Stages;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use trueup_runtime::measures::OperatorCost;

/// What the operators of one name cost, of all workers together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperatorRow {
    /// The name.
    pub(crate) operator: String,
    /// How many operators have it.
    pub(crate) operators: u64,
    /// How often they ran.
    pub(crate) runs: u64,
    /// How long they ran, in microseconds.
    pub(crate) busy_us: u64,
    /// The longest run, in microseconds.
    pub(crate) longest_us: u64,
    /// How many rows came to them.
    pub(crate) rows: u64,
}

/// What all operators cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OperatorCosts {
    /// As of when.
    pub(crate) as_of: AsOf,
    /// How long that took, in microseconds: how long the engine runs, or was watched.
    pub(crate) over_us: u64,
    /// The costs, the costliest operator first.
    pub(crate) rows: Vec<OperatorRow>,
    /// How epochs come along.
    pub(crate) stages: Stages,
}

impl OperatorCosts {
    /// The costs since the engine started.
    pub(crate) fn new(
        as_of: AsOf,
        over_us: u64,
        costs: BTreeMap<String, OperatorCost>,
        stages: Stages,
    ) -> Self {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let rows = costs.into_iter().map(|(operator, cost)| OperatorRow {
            operator,
            operators: cost.operators,
            runs: cost.runs,
            busy_us: us(cost.busy),
            longest_us: us(cost.longest),
            rows: cost.rows,
        });
        let mut found = Self { as_of, over_us, rows: rows.collect(), stages };
        found.sort();
        found
    }

    /// The costs since an earlier look; the longest run is that since the engine started.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        self.over_us = self.over_us.saturating_sub(before.over_us);
        for row in &mut self.rows {
            let Some(old) = before.rows.iter().find(|old| old.operator == row.operator) else {
                continue;
            };
            row.runs = row.runs.saturating_sub(old.runs);
            row.busy_us = row.busy_us.saturating_sub(old.busy_us);
            row.rows = row.rows.saturating_sub(old.rows);
        }
        self.sort();
        self
    }

    fn sort(&mut self) {
        self.rows.sort_by(|one, other| {
            (other.busy_us, &one.operator).cmp(&(one.busy_us, &other.operator))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{OperatorCosts, OperatorRow};
    use crate::answer::AsOf;
    use crate::answer::stage::{Queues, Stages};

    fn costs(over_us: u64, rows: &[(&str, u64)]) -> OperatorCosts {
        let as_of = AsOf {
            epoch: 1,
            horizon: String::new(),
            complete_through: None,
            published_at: String::new(),
            policy: String::new(),
        };
        let rows = rows.iter().map(|(operator, busy_us)| OperatorRow {
            operator: (*operator).to_owned(),
            operators: 1,
            runs: 1,
            busy_us: *busy_us,
            longest_us: 0,
            rows: 0,
        });
        let stages = Stages { recent_minutes: 5, rows: Vec::new(), queues: Queues::default() };
        OperatorCosts { as_of, over_us, rows: rows.collect(), stages }
    }

    #[test]
    fn costs_between_two_looks_are_their_difference() {
        let before = costs(100, &[("Dedupe", 50), ("Volume", 10)]);
        let now = costs(300, &[("Dedupe", 60), ("Volume", 90), ("Totals", 5)]);
        let between = now.since(&before);
        assert_eq!(between.over_us, 200);
        let busy: Vec<(&str, u64)> =
            between.rows.iter().map(|row| (row.operator.as_str(), row.busy_us)).collect();
        assert_eq!(busy, [("Volume", 80), ("Dedupe", 10), ("Totals", 5)]);
    }
}
