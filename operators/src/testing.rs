//! Runs an operator on scripted epochs and shows what it gave in each.

use crate::{Diff, Epoch, Facts};
use differential_dataflow::ExchangeData;
use differential_dataflow::difference::Abelian;
use differential_dataflow::input::InputSession;
use std::sync::{Arc, Mutex};
use timely::dataflow::ProbeHandle;

/// What an operator gave in one epoch, consolidated and in order.
pub(crate) type Given<O, R = Diff> = Vec<(O, R)>;

/// Runs `build` on `workers` workers; the updates of each epoch enter at worker 0.
///
/// Gives what came out in each epoch, and checks nothing about it.
pub(crate) fn run<I, O, R>(
    workers: usize,
    script: Vec<Vec<(I, Diff)>>,
    build: impl for<'s> Fn(Facts<'s, I>) -> Facts<'s, O, R> + Send + Sync + 'static,
) -> Vec<Given<O, R>>
where
    I: ExchangeData + Sync,
    O: ExchangeData + std::hash::Hash,
    R: ExchangeData + Abelian,
{
    let epochs = script.len();
    let script = Arc::new(script);
    let given: Arc<Mutex<Vec<(O, Epoch, R)>>> = Arc::default();
    let sink = Arc::clone(&given);
    let config = timely::Config::process(workers);
    let guards = timely::execute(config, move |worker| {
        let mut input = InputSession::<Epoch, I, Diff>::new();
        let probe = ProbeHandle::new();
        let sink = Arc::clone(&sink);
        worker.dataflow(|scope| {
            let sink = Arc::clone(&sink);
            build(input.to_collection(scope))
                .consolidate()
                .inspect(move |row| sink.lock().expect("no other test shares it").push(row.clone()))
                .probe_with(&probe);
        });
        for (epoch, updates) in script.iter().enumerate() {
            if worker.index() == 0 {
                for (row, diff) in updates {
                    input.update(row.clone(), *diff);
                }
            }
            input.advance_to(epoch as Epoch + 1);
            input.flush();
            worker.step_while(|| probe.less_than(input.time()));
        }
    })
    .expect("the workers start");
    for result in guards.join() {
        result.expect("no worker fails");
    }
    let mut rows = std::mem::take(&mut *given.lock().expect("the workers have ended"));
    differential_dataflow::consolidation::consolidate_updates(&mut rows);
    let mut by_epoch: Vec<Given<O, R>> = vec![Vec::new(); epochs];
    for (row, epoch, diff) in rows {
        let place = usize::try_from(epoch).expect("epochs are few");
        by_epoch[place].push((row, diff));
    }
    by_epoch
}
