//! How long epochs are on their way, and what waits where: as rows and as metrics.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use trueup_runtime::engine::Engine;
use trueup_runtime::measures::stages::{Depths, StageTimes};
use trueup_runtime::measures::times::RECENT_MINUTES;

/// How long a stage took, of the epochs that were published in the last minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageRow {
    /// The stage.
    pub(crate) stage: String,
    /// How many epochs.
    pub(crate) epochs: u64,
    /// What half of them did not exceed, in microseconds; like the next two at most a tenth too much.
    pub(crate) p50_us: u64,
    /// What nine of ten did not exceed.
    pub(crate) p90_us: u64,
    /// What ninety-nine of a hundred did not exceed.
    pub(crate) p99_us: u64,
    /// The longest.
    pub(crate) max_us: u64,
}

/// What waits where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queues {
    /// Pieces of work that wait for the sequencer.
    pub(crate) work: u64,
    /// Epochs on their way to the disk.
    pub(crate) epochs_to_disk: u64,
    /// Durable epochs that wait for the workers.
    pub(crate) epochs_to_workers: u64,
    /// Epochs at the workers.
    pub(crate) epochs_at_workers: u64,
    /// Epochs that wait for the publisher.
    pub(crate) epochs_to_publisher: u64,
}

/// How an engine's epochs come along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stages {
    /// How long the minutes are that rows are of, together.
    pub(crate) recent_minutes: u64,
    /// A row for each stage, in order; the last is the whole way.
    pub(crate) rows: Vec<StageRow>,
    /// What waits where.
    pub(crate) queues: Queues,
}

impl Stages {
    /// How they come along now.
    pub(crate) fn of(engine: &Engine) -> Self {
        let stages = engine.measures().stages();
        Self {
            recent_minutes: RECENT_MINUTES,
            rows: stages.times().iter().map(row).collect(),
            queues: queues(engine.waiting_work(), stages.depths()),
        }
    }
}

fn row(times: &StageTimes) -> StageRow {
    let recent = &times.recent;
    StageRow {
        stage: times.stage.name().to_owned(),
        epochs: recent.count(),
        p50_us: recent.quantile_us(500),
        p90_us: recent.quantile_us(900),
        p99_us: recent.quantile_us(990),
        max_us: recent.max_us(),
    }
}

fn queues(work: usize, depths: Depths) -> Queues {
    let Depths { to_disk, to_workers, at_workers, to_publisher } = depths;
    Queues {
        work: work as u64,
        epochs_to_disk: to_disk,
        epochs_to_workers: to_workers,
        epochs_at_workers: at_workers,
        epochs_to_publisher: to_publisher,
    }
}

/// The bounds of the histograms, in microseconds and as they are written in seconds.
const BOUNDS: [(u64, &str); 16] = [
    (100, "0.0001"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_000, "0.002"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (20_000, "0.02"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (200_000, "0.2"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_000_000, "2"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (60_000_000, "60"),
];

/// The stages of an engine's epochs and what waits, as scrapers of metrics read them.
pub(crate) fn metrics(engine: &Engine) -> String {
    let stages = engine.measures().stages();
    histograms(&stages.times()) + &gauges(queues(engine.waiting_work(), stages.depths()))
}

/// Since the engine started; writing to a text does not fail.
fn histograms(times: &[StageTimes]) -> String {
    let name = "trueup_epoch_stage_seconds";
    let mut text = format!(
        "# HELP {name} How long epochs took, by the stage of their way.\n# TYPE {name} histogram\n"
    );
    for StageTimes { stage, all, .. } in times {
        let (stage, count) = (stage.name(), all.count());
        for (us, seconds) in BOUNDS {
            let up_to = all.up_to(us);
            let _ = writeln!(text, "{name}_bucket{{stage=\"{stage}\",le=\"{seconds}\"}} {up_to}");
        }
        let (whole, rest) = (all.sum_us() / 1_000_000, all.sum_us() % 1_000_000);
        let _ = write!(
            text,
            "{name}_bucket{{stage=\"{stage}\",le=\"+Inf\"}} {count}\n\
             {name}_sum{{stage=\"{stage}\"}} {whole}.{rest:06}\n\
             {name}_count{{stage=\"{stage}\"}} {count}\n"
        );
    }
    text
}

fn gauges(queues: Queues) -> String {
    let mut text = String::new();
    for (name, help, value) in [
        ("trueup_sequencer_waiting_work", "Pieces of work that wait.", queues.work),
        (
            "trueup_worker_waiting_epochs",
            "Durable epochs that wait for the workers.",
            queues.epochs_to_workers,
        ),
        ("trueup_worker_epochs", "Epochs at the workers.", queues.epochs_at_workers),
        (
            "trueup_publisher_waiting_epochs",
            "Epochs that wait for the publisher.",
            queues.epochs_to_publisher,
        ),
    ] {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Queues, gauges, histograms, row};
    use trueup_runtime::measures::stages::{Stage, StageTimes};
    use trueup_runtime::measures::times::Times;

    /// Three epochs: 2 ms, 2.001 ms and 7 s.
    fn whole() -> StageTimes {
        let mut times = Times::default();
        [2_000, 2_001, 7_000_000].into_iter().for_each(|us| times.record(us));
        StageTimes { stage: Stage::Whole, recent: times.clone(), all: times }
    }

    #[test]
    fn a_row_has_the_quantiles_of_its_stage() {
        let row = row(&whole());
        let quantiles = (row.p50_us, row.p90_us, row.p99_us, row.max_us);
        assert_eq!((row.stage.as_str(), row.epochs), ("whole", 3));
        assert_eq!(quantiles, (2_100, 7_000_000, 7_000_000, 7_000_000), "to two digits, upward");
    }

    #[test]
    fn a_histogram_counts_what_is_up_to_each_bound() {
        let text = histograms(&[whole()]);
        for line in [
            "_bucket{stage=\"whole\",le=\"0.001\"} 0\n",
            "_bucket{stage=\"whole\",le=\"0.002\"} 1\n",
            "_bucket{stage=\"whole\",le=\"0.005\"} 2\n",
            "_bucket{stage=\"whole\",le=\"5\"} 2\n",
            "_bucket{stage=\"whole\",le=\"10\"} 3\n",
            "_bucket{stage=\"whole\",le=\"+Inf\"} 3\n",
            "_sum{stage=\"whole\"} 7.004001\n",
            "_count{stage=\"whole\"} 3\n",
        ] {
            assert!(text.contains(&format!("trueup_epoch_stage_seconds{line}")), "{line}{text}");
        }
    }

    #[test]
    fn what_waits_is_a_gauge_each() {
        let text = gauges(Queues { work: 3, epochs_to_workers: 2, ..Queues::default() });
        assert!(text.contains("\ntrueup_sequencer_waiting_work 3\n"), "{text}");
        assert!(text.contains("\ntrueup_worker_waiting_epochs 2\n"), "{text}");
        assert!(text.contains("\ntrueup_publisher_waiting_epochs 0\n"), "{text}");
    }
}
