//! The shape that every stateful operator of ours has: one step for each closed epoch.
//!
//! Epochs are totally ordered. An operator gathers the updates of an epoch until no more can come,
//! then applies them all to its state and gives the differences. A step must not depend on the order
//! of its updates, which differs between runs and numbers of workers.

mod came;
mod ports;
mod sent;

use crate::{Diff, Epoch, Facts};
use differential_dataflow::ExchangeData;
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::difference::Semigroup;
use std::collections::BTreeMap;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::Exchange as _;
use timely::dataflow::operators::Operator as _;
use timely::dataflow::operators::vec::Map as _;

pub use came::fetch;
pub(crate) use came::{Came, Rows};
pub(crate) use ports::{
    Left, Part, Told as Streams, each_epoch_in_parts, each_epoch_of, each_epoch_sorted, operator,
};
pub(crate) use sent::Sent;

/// Updates of a collection.
pub(crate) type Updates<D, R = Diff> = Vec<(D, R)>;

/// The updates of one epoch as they come, and the right to answer for it.
type Open<D, R> = BTreeMap<Epoch, (Capability<Epoch>, Vec<Batch<D, R>>)>;

/// Updates as they travel.
type Batch<D, R> = Vec<(D, Epoch, R)>;

/// How many rows a table that is emptied in each step keeps room for, if it needs less.
pub(crate) const ROOM_KEPT: usize = 16_384;

/// How much room any list keeps, in bytes.
const ROOM_BYTES: usize = 65_536;

/// The room that results took in the last step: what two steps in turn need is kept for the next, so that
/// what one large epoch needs once is not held for ever by every operator that it went through.
#[derive(Debug, Default)]
pub(crate) struct Room {
    before: usize,
}

impl Room {
    /// Keeps as much of a list's room as is likely to be needed again, after a step that needed so much.
    pub(crate) fn keep<T>(&mut self, list: &mut Vec<T>, needed: usize) {
        let usual = std::mem::replace(&mut self.before, needed).min(needed);
        list.shrink_to(usual.max(ROOM_BYTES / size_of::<T>().max(1)));
    }
}

/// Applies `step` once for each epoch that has updates, in order, on the worker where they are.
///
/// `step` takes all updates of the epoch, in any order, and adds what changed to its second argument.
pub(crate) fn each_epoch<'s, D, R, O, S>(
    stream: StreamVec<'s, Epoch, (D, Epoch, R)>,
    name: &str,
    mut step: impl FnMut(Came<D, R>, &mut Updates<O, S>) + 'static,
) -> StreamVec<'s, Epoch, (O, Epoch, S)>
where
    D: Clone + 'static,
    R: Clone + 'static,
    O: Clone + 'static,
    S: Clone + 'static,
{
    stream.unary_frontier::<CapacityContainerBuilder<Vec<(O, Epoch, S)>>, _, _, _>(
        Pipeline,
        name,
        |_capability, _info| {
            let mut open: Open<D, R> = BTreeMap::new();
            let mut changes: Updates<O, S> = Vec::new();
            let mut room = Room::default();
            move |(input, frontier), output| {
                input.for_each_stamp(|capability, batches| {
                    for batch in batches.map(std::mem::take) {
                        for (epoch, rows) in by_epoch(batch) {
                            let entry = open
                                .entry(epoch)
                                .or_insert_with(|| (capability.delayed(&epoch, 0), Vec::new()));
                            entry.1.push(rows);
                        }
                    }
                });
                while let Some(first) = open.first_entry() {
                    if frontier.less_equal(first.key()) {
                        break;
                    }
                    let (epoch, (capability, batches)) = first.remove_entry();
                    step(batches.into(), &mut changes);
                    let needed = changes.len();
                    let rows = changes.drain(..).map(|(row, diff)| (row, epoch, diff));
                    output.session(&capability).give_iterator(rows);
                    room.keep(&mut changes, needed);
                }
            }
        },
    )
}

/// The rows of a batch by their epoch; nearly always there is one.
fn by_epoch<D, R>(batch: Batch<D, R>) -> Vec<(Epoch, Batch<D, R>)> {
    let Some((_, first, _)) = batch.first() else { return Vec::new() };
    if batch.iter().all(|(_, epoch, _)| epoch == first) {
        return vec![(*first, batch)];
    }
    let mut parted: BTreeMap<Epoch, Batch<D, R>> = BTreeMap::new();
    for row in batch {
        parted.entry(row.1).or_default().push(row);
    }
    parted.into_iter().collect()
}

/// The same, without updates that cancel each other: of what one identity says, at most one content goes
/// and one comes, so that the one that comes is what it says from then on.
///
/// Joins, and rows that waited, give more updates than that.
pub(crate) fn each_epoch_consolidated<'s, D, R, O, S>(
    stream: StreamVec<'s, Epoch, (D, Epoch, R)>,
    name: &str,
    mut step: impl FnMut(Updates<D, R>, &mut Updates<O, S>) + 'static,
) -> StreamVec<'s, Epoch, (O, Epoch, S)>
where
    D: Ord + Clone + 'static,
    R: Semigroup + 'static,
    O: Clone + 'static,
    S: Clone + 'static,
{
    each_epoch(stream, name, move |came, changes| {
        let mut updates = came.gathered();
        consolidate(&mut updates);
        step(updates, changes);
    })
}

/// Sends each update to the worker that owns its key; where there is one worker, it is there.
pub(crate) fn by_key<'s, D, R>(
    rows: Facts<'s, D, R>,
    key: impl Fn(&D) -> u64 + 'static,
) -> StreamVec<'s, Epoch, (D, Epoch, R)>
where
    D: ExchangeData,
    R: ExchangeData,
{
    if rows.scope().peers() == 1 {
        return rows.inner;
    }
    rows.inner.exchange(move |(row, _, _)| key(row))
}

/// Sends each update to every worker: for small tables that all of them look things up in.
pub(crate) fn everywhere<'s, D, R>(rows: Facts<'s, D, R>) -> StreamVec<'s, Epoch, (D, Epoch, R)>
where
    D: ExchangeData,
    R: ExchangeData,
{
    let workers = rows.scope().peers() as u64;
    if workers == 1 {
        return rows.inner;
    }
    let copies =
        rows.inner.flat_map(move |row| (0..workers).map(move |worker| (worker, row.clone())));
    copies.unary::<CapacityContainerBuilder<Batch<D, R>>, _, _, _>(
        Exchange::new(|(worker, _): &(u64, (D, Epoch, R))| *worker),
        "Everywhere",
        |_capability, _info| {
            move |input, output| {
                input.for_each_stamp(|capability, batches| {
                    let mut session = output.session(&capability);
                    for batch in batches {
                        session.give_iterator(batch.drain(..).map(|(_, row)| row));
                    }
                });
            }
        },
    )
}
