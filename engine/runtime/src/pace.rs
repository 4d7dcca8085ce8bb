//! When totals over the trees are brought up to date.
//!
//! At most once in each step, and so that it takes at most a fifth of the time; at once if someone waits, and after two
//! seconds whatever it takes. How long it takes is told by when its epoch was published, and the one before it.

use trueup_operators::Epoch;

/// When totals over the trees are brought up to date: at most once in each step, and at most a fifth of
/// the time, as long as that does not make them old.
#[derive(Debug)]
pub(crate) struct TotalsPace {
    step_us: u64,
    /// Whether someone waits for them.
    asked: bool,
    /// Whether epochs came since.
    lags: bool,
    /// The epoch that brings them up to date, and when it was given to the workers.
    running: Option<(Epoch, u64)>,
    /// Not before this.
    next_us: u64,
}

/// How long to wait at least before looking again whether totals are up to date, in microseconds.
const LOOK_US: u64 = 1000;

/// After how long they are brought up to date whatever that takes, in microseconds: what waits for them grows, and epochs
/// wait for all of it.
const REST_US_MAX: u64 = 2_000_000;

/// How many times as long as bringing totals up to date takes they are left alone after it.
const TOTALS_REST: u64 = 4;

impl TotalsPace {
    pub(crate) fn new(step_us: u64) -> Self {
        Self { step_us, asked: false, lags: false, running: None, next_us: 0 }
    }

    /// Asks for totals in the next epoch.
    pub(crate) fn ask(&mut self) {
        self.asked = true;
    }

    pub(crate) fn lags(&self) -> bool {
        self.lags
    }

    /// Whether it is time, given the last epoch that was published.
    pub(crate) fn is_due(&mut self, now_us: u64, published: Epoch) -> bool {
        if let Some((epoch, since_us)) = &mut self.running {
            if published < *epoch {
                if published + 1 < *epoch {
                    // What takes time is an epoch before it.
                    *since_us = now_us;
                }
                return false;
            }
            let took_us = now_us.saturating_sub(*since_us);
            let rest_us = (took_us * (TOTALS_REST + 1)).min(REST_US_MAX);
            self.next_us = *since_us + self.step_us.max(rest_us);
            self.running = None;
        }
        now_us >= self.next_us
    }

    /// When to look again; `None` if there is nothing to wait for.
    pub(crate) fn next_us(&self, now_us: u64) -> Option<u64> {
        let again =
            if self.running.is_some() { now_us + self.step_us.max(LOOK_US) } else { self.next_us };
        self.lags.then_some(again)
    }

    /// Whether an epoch that is given to the workers now brings totals up to date.
    pub(crate) fn take(&mut self, now_us: u64, epoch: Epoch, published: Epoch) -> bool {
        let due = self.is_due(now_us, published) || self.asked;
        self.lags = !due;
        self.asked = false;
        if due {
            self.running = Some((epoch, now_us));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::TotalsPace;

    #[test]
    fn totals_rest_four_times_as_long_as_they_take() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(10, 1, 0), "nothing was brought up to date yet");
        assert!(!pace.take(5000, 2, 0), "the first time is not over");
        assert!(pace.lags());
        assert!(!pace.is_due(510, 1), "it took 500");
        assert!(!pace.is_due(2509, 2));
        assert_eq!(pace.next_us(600), Some(2510));
        assert!(pace.is_due(2510, 2));
        assert!(pace.take(2510, 3, 2));
        assert!(!pace.lags());
    }

    #[test]
    fn epochs_before_it_are_not_what_it_takes() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(0, 8, 5));
        assert!(!pace.take(1, 9, 5));
        assert!(!pace.is_due(50_000, 6), "an epoch before it is computed");
        assert!(!pace.is_due(50_200, 7), "it is computed");
        assert!(!pace.is_due(50_300, 8), "it took three hundred at most");
        assert_eq!(pace.next_us(50_300), Some(51_500));
    }

    #[test]
    fn they_are_never_left_alone_for_long() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(0, 1, 0));
        assert!(!pace.take(1, 2, 0));
        assert!(!pace.is_due(900_000, 1), "it took nine tenths of a second");
        assert!(pace.is_due(2_000_000, 1));
    }

    #[test]
    fn whoever_waits_gets_totals_at_once() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(10, 1, 0));
        pace.ask();
        assert!(pace.take(11, 2, 1));
        assert!(!pace.take(12, 3, 2));
    }
}
