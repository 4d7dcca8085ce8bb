//! When totals over the trees are brought up to date.
//!
//! At most once in each step: where nothing else is under way, or if someone waits, as soon as that is over. Where
//! epochs follow each other without a pause, so that it takes at most a third of the time, since what changes twice is
//! added up once then; but every ten seconds whatever it takes. How long it takes is told by when totals were
//! published, and the epoch before theirs.

use crate::publisher::Reached;
use std::collections::BTreeSet;
use trueup_operators::Epoch;

/// When totals over the trees are brought up to date.
#[derive(Debug)]
pub(crate) struct TotalsPace {
    step_us: u64,
    /// The epochs of which someone waits for them.
    asked: BTreeSet<Epoch>,
    /// Whether epochs came since.
    lags: bool,
    /// The epoch that brings them up to date, and when it was given to the workers.
    running: Option<(Epoch, u64)>,
    /// Not before this.
    soon_us: u64,
    /// Not before this while epochs are under way.
    next_us: u64,
}

/// How long to wait at least before looking again whether totals are up to date, in microseconds.
const LOOK_US: u64 = 1000;

/// After how long they are brought up to date whatever that takes, in microseconds: what waits for them grows, and they
/// are late by all of it.
const REST_US_MAX: u64 = 10_000_000;

/// How many times as long as bringing totals up to date takes they are left alone after it while epochs are under way.
const TOTALS_REST: u64 = 2;

impl TotalsPace {
    pub(crate) fn new(step_us: u64) -> Self {
        let asked = BTreeSet::new();
        Self { step_us, asked, lags: false, running: None, soon_us: 0, next_us: 0 }
    }

    /// Asks for totals of an epoch that was not given to the workers yet.
    pub(crate) fn ask(&mut self, epoch: Epoch) {
        self.asked.insert(epoch);
    }

    pub(crate) fn lags(&self) -> bool {
        self.lags
    }

    /// Whether totals that were begun are not there yet.
    pub(crate) fn is_under_way(&self, reached: Reached) -> bool {
        self.running.is_some_and(|(epoch, _)| reached.totals < epoch)
    }

    /// Whether it is time, given the epoch that comes and how far publication has come.
    pub(crate) fn is_due(&mut self, now_us: u64, coming: Epoch, reached: Reached) -> bool {
        let Reached { published, totals } = reached;
        if let Some((epoch, since_us)) = &mut self.running {
            if totals < *epoch {
                if published + 1 < *epoch {
                    // What takes time is an epoch before it.
                    *since_us = now_us;
                }
                return false;
            }
            let took_us = now_us.saturating_sub(*since_us);
            let rest_us = (took_us * (TOTALS_REST + 1)).min(REST_US_MAX);
            self.soon_us = *since_us + self.step_us;
            self.next_us = *since_us + self.step_us.max(rest_us);
            self.running = None;
        }
        let nothing_else = published + 1 >= coming;
        now_us >= if nothing_else { self.soon_us } else { self.next_us }
    }

    /// When to look again; `None` if there is nothing to wait for.
    pub(crate) fn next_us(&self, now_us: u64) -> Option<u64> {
        let again = match self.running {
            Some(_) => now_us + self.step_us.max(LOOK_US),
            None if now_us < self.soon_us => self.soon_us,
            None => now_us + LOOK_US,
        };
        self.lags.then_some(again)
    }

    /// Whether an epoch that is given to the workers now brings totals up to date.
    pub(crate) fn take(&mut self, now_us: u64, epoch: Epoch, reached: Reached) -> bool {
        let due = self.is_due(now_us, epoch, reached) || self.asked.contains(&epoch);
        self.lags = !due;
        self.asked = self.asked.split_off(&(epoch + 1));
        if due {
            self.running = Some((epoch, now_us));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::{Reached, TotalsPace};
    use trueup_operators::Epoch;

    /// Everything is published up to this epoch.
    fn all(published: Epoch) -> Reached {
        Reached { published, totals: published }
    }

    #[test]
    fn totals_rest_twice_as_long_as_they_take_while_epochs_are_under_way() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(10, 1, all(0)), "nothing was brought up to date yet");
        assert!(!pace.take(5000, 2, all(0)), "the first time is not over");
        assert!(pace.lags());
        assert!(!pace.is_due(510, 3, all(1)), "it took 500");
        assert!(!pace.is_due(1509, 3, all(1)));
        assert_eq!(pace.next_us(600), Some(1010));
        assert!(pace.is_due(1510, 3, all(1)));
        assert!(pace.take(1510, 3, all(1)));
        assert!(!pace.lags());
    }

    #[test]
    fn where_nothing_else_is_to_be_done_they_come_once_in_each_step() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(10, 1, all(0)));
        assert!(!pace.is_due(910, 2, all(1)), "it took 900");
        assert!(!pace.take(1009, 2, all(1)));
        assert!(!pace.is_due(1010, 3, all(1)), "an epoch is under way");
        assert_eq!(pace.next_us(1010), Some(2010), "it is looked for again");
        assert!(pace.is_due(1200, 3, all(2)));
    }

    #[test]
    fn epochs_before_it_are_not_what_it_takes() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(0, 8, all(5)));
        assert!(!pace.take(1, 9, all(5)));
        assert!(!pace.is_due(50_000, 10, all(6)), "an epoch before it is computed");
        assert!(!pace.is_due(50_200, 10, all(7)), "it is computed");
        assert!(!pace.is_due(50_400, 10, all(8)), "it took four hundred at most");
        assert!(!pace.is_due(51_199, 10, all(8)));
        assert!(pace.is_due(51_200, 10, all(8)));
    }

    #[test]
    fn they_are_never_left_alone_for_long() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(0, 1, all(0)));
        assert!(!pace.take(1, 2, all(0)));
        assert!(!pace.is_due(9_000_000, 3, all(1)), "it took nine seconds");
        assert!(pace.is_due(10_000_000, 3, all(1)));
    }

    #[test]
    fn whoever_waits_gets_totals_at_once() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(10, 1, all(0)));
        pace.ask(3);
        assert!(!pace.take(11, 2, all(1)), "another epoch is waited for");
        assert!(pace.take(12, 3, all(2)));
        assert!(!pace.take(13, 4, all(3)));
    }

    #[test]
    fn they_do_not_come_again_before_they_are_there() {
        let mut pace = TotalsPace::new(1000);
        assert!(pace.take(0, 1, all(0)));
        let without = Reached { published: 5, totals: 0 };
        assert!(!pace.take(9000, 6, without), "the epoch is published and totals are not");
        let one_behind = Reached { published: 5, totals: 1 };
        assert!(!pace.is_due(9001, 7, one_behind), "it took nine seconds");
    }
}
