//! A long run cut into windows: what is told of each, and whether the last ones are worse than the first.

/// A window of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Events that were due in it.
    pub events: u64,
    /// From when an event was due until it was published, of half of them at most, in microseconds.
    pub p50_us: u64,
    /// The same of ninety-nine of a hundred.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
    /// The most memory that the process had, in KiB.
    pub memory_kib: u64,
}

/// A figure after the warm-up and in the end: the middle ones of the second and of the last fifth of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// In the second fifth.
    pub early: u64,
    /// In the last fifth.
    pub late: u64,
}

impl Growth {
    /// The growth of a figure; nothing if there are too few windows for fifths.
    pub fn of(windows: &[Window], figure: impl Fn(&Window) -> u64) -> Option<Self> {
        let fifth = windows.len() / 5;
        let middle = |part: &[Window]| {
            let mut figures: Vec<u64> = part.iter().map(&figure).collect();
            figures.sort_unstable();
            figures.get(figures.len() / 2).copied()
        };
        let early = middle(windows.get(fifth..2 * fifth)?)?;
        let late = middle(windows.get(windows.len() - fifth..)?)?;
        Some(Self { early, late })
    }

    /// Whether it is more than a fifth.
    pub fn is_too_much(self) -> bool {
        self.late.saturating_mul(5) > self.early.saturating_mul(6)
    }
}

/// How many bytes of memory an event left behind, from the second fifth of a run to its last; nothing if
/// there are too few windows, or memory did not grow.
pub fn bytes_per_event(windows: &[Window]) -> Option<u64> {
    let fifth = windows.len() / 5;
    let grown = Growth::of(windows, |window| window.memory_kib)?;
    // From the middle of one fifth to that of the other.
    let between = windows.get(fifth + fifth / 2..windows.len() - fifth + fifth / 2)?;
    let events: u64 = between.iter().map(|window| window.events).sum();
    let bytes = grown.late.checked_sub(grown.early)? * 1024;
    bytes.checked_div(events)
}

#[cfg(test)]
mod tests {
    use super::{Growth, Window, bytes_per_event};

    /// Windows of a thousand events with this memory.
    fn windows(memory_kib: &[u64]) -> Vec<Window> {
        let window = |kib: &u64| Window { events: 1000, memory_kib: *kib, ..Window::default() };
        memory_kib.iter().map(window).collect()
    }

    fn memory(memory_kib: &[u64]) -> Option<Growth> {
        Growth::of(&windows(memory_kib), |window| window.memory_kib)
    }

    #[test]
    fn the_last_fifth_is_compared_with_the_second() {
        let steady = memory(&[1, 100, 90, 90, 120]).expect("five windows");
        assert_eq!(steady, Growth { early: 100, late: 120 });
        assert!(!steady.is_too_much(), "a fifth more is allowed");
        assert!(memory(&[1, 100, 90, 90, 121]).is_some_and(Growth::is_too_much));
        // Of ten windows: the middle of 50, 70 is 70, of 10, 60 it is 60.
        let ten = memory(&[1, 1, 50, 70, 1, 1, 1, 1, 10, 60]);
        assert_eq!(ten, Some(Growth { early: 70, late: 60 }));
        assert_eq!(memory(&[1, 2, 3, 4]), None, "four windows have no fifths");
    }

    #[test]
    fn what_an_event_leaves_behind_is_memory_by_events() {
        // Three windows of a thousand events from the second to the fifth, and 3,000 KiB more.
        assert_eq!(bytes_per_event(&windows(&[0, 1000, 2000, 3000, 4000])), Some(1024));
        assert_eq!(bytes_per_event(&windows(&[0, 1000, 900, 900, 900])), None);
    }
}
