//! A bed on which one operator is measured: its state is loaded once, then changes go in, one epoch each.
//!
//! A change takes some rows away that are there, or brings them back, in turns; so every second turn finds
//! the same state, however often it is measured. Where an operator only ever hears more, a change is what
//! comes next. One worker, one dataflow, no threads: what a turn costs is what the operator does.

use differential_dataflow::ExchangeData;
use differential_dataflow::difference::Abelian;
use differential_dataflow::input::InputSession;
use std::cell::Cell;
use std::rc::Rc;
use timely::WorkerConfig;
use timely::communication::Allocator;
use timely::dataflow::{ProbeHandle, Scope};
use timely::worker::Worker;
use trueup_operators::{Diff, Epoch, Facts};

/// One input of the operator.
trait Feed {
    /// Enters what is there at first, once the dataflow is whole: what comes earlier has nowhere to go.
    fn load(&mut self);
    /// Enters the change of the next epoch.
    fn turn(&mut self);
    /// Says that nothing more comes before an epoch.
    fn advance(&mut self, epoch: Epoch);
}

/// Rows of which some go and come back.
struct Turning<D: ExchangeData, R: ExchangeData + Abelian> {
    input: InputSession<Epoch, D, R>,
    loaded: Vec<(D, R)>,
    batch: Vec<(D, R)>,
    away: bool,
}

impl<D: ExchangeData, R: ExchangeData + Abelian> Feed for Turning<D, R> {
    fn load(&mut self) {
        for (row, weight) in std::mem::take(&mut self.loaded) {
            self.input.update(row, weight);
        }
    }

    fn turn(&mut self) {
        for (row, weight) in &self.batch {
            let mut weight = weight.clone();
            if !self.away {
                weight.negate();
            }
            self.input.update(row.clone(), weight);
        }
        self.away = !self.away;
    }

    fn advance(&mut self, epoch: Epoch) {
        self.input.advance_to(epoch);
        self.input.flush();
    }
}

/// Rows of which more come.
struct Flowing<D: ExchangeData, N> {
    input: InputSession<Epoch, D, Diff>,
    loaded: Vec<(D, Diff)>,
    next: N,
}

impl<D: ExchangeData, N: FnMut() -> Vec<(D, Diff)>> Feed for Flowing<D, N> {
    fn load(&mut self) {
        for (row, diff) in std::mem::take(&mut self.loaded) {
            self.input.update(row, diff);
        }
    }

    fn turn(&mut self) {
        for (row, diff) in (self.next)() {
            self.input.update(row, diff);
        }
    }

    fn advance(&mut self, epoch: Epoch) {
        self.input.advance_to(epoch);
        self.input.flush();
    }
}

/// Where an operator's inputs come from and its outputs go to.
#[derive(Default)]
pub struct Ends {
    feeds: Vec<Box<dyn Feed>>,
    probe: ProbeHandle<Epoch>,
    given: Rc<Cell<usize>>,
    batch: usize,
}

impl Ends {
    /// Rows that stay as they are.
    pub fn still<'s, D: ExchangeData, R: ExchangeData + Abelian>(
        &mut self,
        scope: Scope<'s, Epoch>,
        rows: &[(D, R)],
    ) -> Facts<'s, D, R> {
        self.turning(scope, rows, 0)
    }

    /// Rows of which `batch`, or all if there are fewer, go and come back; they are taken from all over.
    pub fn turning<'s, D: ExchangeData, R: ExchangeData + Abelian>(
        &mut self,
        scope: Scope<'s, Epoch>,
        rows: &[(D, R)],
        batch: usize,
    ) -> Facts<'s, D, R> {
        let mut input = InputSession::new();
        let collection = input.to_collection(scope);
        let step = rows.len().checked_div(batch).unwrap_or(0).max(1);
        let batch: Vec<(D, R)> = rows.iter().step_by(step).take(batch).cloned().collect();
        self.batch += batch.len();
        let loaded = rows.to_vec();
        self.feeds.push(Box::new(Turning { input, loaded, batch, away: false }));
        collection
    }

    /// Rows to which each turn adds what `next` gives.
    pub fn flowing<'s, D: ExchangeData>(
        &mut self,
        scope: Scope<'s, Epoch>,
        rows: &[(D, Diff)],
        next: impl FnMut() -> Vec<(D, Diff)> + 'static,
    ) -> Facts<'s, D> {
        let mut input = InputSession::new();
        let collection = input.to_collection(scope);
        self.feeds.push(Box::new(Flowing { input, loaded: rows.to_vec(), next }));
        collection
    }

    /// Waits in every epoch for these rows, and counts their updates.
    pub fn watch<D: ExchangeData, R: ExchangeData + Abelian>(&self, rows: Facts<'_, D, R>) {
        let given = Rc::clone(&self.given);
        rows.inspect(move |_| given.set(given.get() + 1)).probe_with(&self.probe);
    }
}

/// An operator with its state.
pub struct Bed {
    worker: Worker,
    ends: Ends,
    epoch: Epoch,
}

impl Bed {
    /// Builds a dataflow, and loads what it is given at first.
    pub fn new(build: impl FnOnce(Scope<'_, Epoch>, &mut Ends)) -> Self {
        Self::with(build).0
    }

    /// The same, with what building it gives.
    pub fn with<T>(build: impl FnOnce(Scope<'_, Epoch>, &mut Ends) -> T) -> (Self, T) {
        let alone = Allocator::Thread(timely::communication::allocator::thread::Thread::default());
        // Without an instant the worker reads no clock and writes no log.
        let mut worker = Worker::new(WorkerConfig::default(), alone, None);
        let mut ends = Ends::default();
        let built = worker.dataflow(|scope| build(scope, &mut ends));
        for feed in &mut ends.feeds {
            feed.load();
        }
        let mut bed = Self { worker, ends, epoch: 0 };
        bed.close();
        (bed, built)
    }

    /// Enters the next change, and works until all that follows from it is there.
    pub fn turn(&mut self) {
        for feed in &mut self.ends.feeds {
            feed.turn();
        }
        self.close();
    }

    /// How many updates came out so far.
    pub fn given(&self) -> usize {
        self.ends.given.get()
    }

    /// How many rows go or come back in a turn.
    pub fn batch(&self) -> usize {
        self.ends.batch
    }

    fn close(&mut self) {
        self.epoch += 1;
        for feed in &mut self.ends.feeds {
            feed.advance(self.epoch);
        }
        while self.ends.probe.less_than(&self.epoch) {
            self.worker.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bed;
    use trueup_operators::present::present;

    #[test]
    fn a_batch_goes_and_comes_back() {
        let rows: Vec<(u64, isize)> = (0..100).map(|row| (row, 1)).collect();
        let mut bed = Bed::new(|scope, ends| {
            let numbers = ends.turning(scope, &rows, 10);
            ends.watch(present("Present", numbers, |row| *row));
        });
        let mut seen = vec![bed.given()];
        for _ in 0..3 {
            bed.turn();
            seen.push(bed.given());
        }
        assert_eq!(seen, [100, 110, 120, 130]);
        assert_eq!(bed.batch(), 10);
    }

    #[test]
    fn more_flows_in() {
        let mut next = 0;
        let mut bed = Bed::new(|scope, ends| {
            let numbers = ends.flowing(scope, &[(0_u64, 1)], move || {
                next += 1;
                vec![(next, 1), (0, 1)]
            });
            ends.watch(present("Present", numbers, |row| *row));
        });
        bed.turn();
        bed.turn();
        assert_eq!(bed.given(), 3, "0 once, then 1 and 2");
    }
}
