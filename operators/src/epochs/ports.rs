//! Steps that hear several streams of different rows, or tell several: each stream has a port of its own,
//! so that no row is wrapped, copied and sorted out again on its way.

use super::{Batch, Came, Room, Updates, by_epoch};
use crate::Epoch;
use std::collections::BTreeMap;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{ParallelizationContract, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{InputHandleCore, OutputBuilder};
use timely::dataflow::{Scope, StreamVec};

/// A stream of updates.
pub(super) type Stream<'s, D, R> = StreamVec<'s, Epoch, (D, Epoch, R)>;
/// Rows as they leave an operator.
pub(super) type Builder<D, R> = CapacityContainerBuilder<Vec<(D, Epoch, R)>>;
/// Where an operator takes rows from.
type Handle<D, R> = InputHandleCore<
    Epoch,
    Vec<(D, Epoch, R)>,
    <Pipeline as ParallelizationContract<Epoch, Vec<(D, Epoch, R)>>>::Puller,
>;
/// What came of each epoch that is still open, and the right to answer for it at each port.
type Open<H> = BTreeMap<Epoch, (Vec<Capability<Epoch>>, H)>;

/// The streams that a step hears.
pub(crate) trait Heard<'s> {
    /// The updates of one epoch, a list for each stream.
    type Updates;
    /// The updates of one epoch as they come.
    type Batches: Default + 'static;
    /// Where they come from.
    type Handles: 'static;

    /// Opens the ports.
    fn open(self, builder: &mut OperatorBuilder<'s, Epoch>) -> Self::Handles;

    /// Takes what came; the operator tells so many streams.
    fn receive(handles: &mut Self::Handles, told: usize, open: &mut Open<Self::Batches>);

    /// The updates without their epoch.
    fn updates(batches: Self::Batches) -> Self::Updates;
}

/// What a step tells: a list of updates for each stream.
pub(crate) trait Told<'s>: 'static {
    /// The streams.
    type Streams;
    /// Where rows leave.
    type Ports: 'static;
    /// How many streams there are.
    const PORTS: usize;

    /// Lists without updates.
    fn nothing() -> Self;

    /// Opens the ports.
    fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams);

    /// Says of which epoch is told what comes next.
    fn begin(&mut self, _epoch: Epoch) {}

    /// Sends everything that is in the lists, by the right of each port.
    fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], ports: &mut Self::Ports);
}

/// Applies `step` once for each epoch that has updates in any of the streams, in order, on the worker
/// where they are.
///
/// `step` takes all updates of the epoch, in any order, and adds what changed to its second argument.
pub(crate) fn each_epoch_of<'s, H: Heard<'s>, T: Told<'s>>(
    builder: OperatorBuilder<'s, Epoch>,
    heard: H,
    mut step: impl FnMut(H::Updates, &mut T) + 'static,
) -> T::Streams {
    let whole = move |part: Part<H::Updates>, told: &mut T| {
        if let Part::Begins(updates) = part {
            step(updates, told);
        }
        Left::Nothing
    };
    in_parts(builder, heard, || {}, whole)
}

/// A part of the work of an epoch.
pub(crate) enum Part<U> {
    /// The first, with all updates of the epoch.
    Begins(U),
    /// One after it.
    GoesOn,
}

/// What is left of an epoch after a part of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It is done.
    Nothing,
    /// It goes on.
    Something,
}

/// The same for steps that may take long: each does a part of the work and says whether something is left, and other
/// operators of the worker go on in between. What is told leaves after each part; the next epoch begins when all is
/// done.
pub(crate) fn each_epoch_in_parts<'s, H: Heard<'s>, T: Told<'s>>(
    builder: OperatorBuilder<'s, Epoch>,
    scope: Scope<'s, Epoch>,
    heard: H,
    step: impl FnMut(Part<H::Updates>, &mut T) -> Left + 'static,
) -> T::Streams {
    let activator = scope.activator_for(builder.operator_info().address);
    in_parts(builder, heard, move || activator.activate(), step)
}

/// Applies `step`; `call_again` has the operator called again where something is left.
fn in_parts<'s, H: Heard<'s>, T: Told<'s>>(
    mut builder: OperatorBuilder<'s, Epoch>,
    heard: H,
    call_again: impl Fn() + 'static,
    mut step: impl FnMut(Part<H::Updates>, &mut T) -> Left + 'static,
) -> T::Streams {
    let mut handles = heard.open(&mut builder);
    let (mut ports, streams) = T::open(&mut builder);
    builder.build(move |_| {
        let mut open: Open<H::Batches> = BTreeMap::new();
        let mut under_way: Option<(Epoch, Vec<Capability<Epoch>>)> = None;
        let mut told = T::nothing();
        move |frontiers| {
            H::receive(&mut handles, T::PORTS, &mut open);
            loop {
                let (epoch, rights, part) = match under_way.take() {
                    Some((epoch, rights)) => (epoch, rights, Part::GoesOn),
                    None => {
                        let Some(first) = open.first_entry() else { break };
                        if frontiers.iter().any(|frontier| frontier.less_equal(first.key())) {
                            break;
                        }
                        let (epoch, (rights, batches)) = first.remove_entry();
                        told.begin(epoch);
                        (epoch, rights, Part::Begins(H::updates(batches)))
                    }
                };
                let left = step(part, &mut told);
                told.send(epoch, &rights, &mut ports);
                if left == Left::Something {
                    under_way = Some((epoch, rights));
                    call_again();
                    break;
                }
            }
        }
    });
    streams
}

/// Applies `step` once for each epoch that has updates, and sorts what it found into the lists of the streams.
pub(crate) fn each_epoch_sorted<'s, D, R, O, S, T>(
    stream: Stream<'s, D, R>,
    name: &str,
    mut step: impl FnMut(Came<D, R>, &mut Updates<O, S>) + 'static,
    sort: impl Fn(O, S, &mut T) + 'static,
) -> T::Streams
where
    D: Clone + 'static,
    R: Clone + 'static,
    O: 'static,
    S: 'static,
    T: Told<'s>,
{
    let builder = operator(name, &stream);
    let mut found: Updates<O, S> = Vec::new();
    let mut room = Room::default();
    each_epoch_of(builder, (stream,), move |(updates,), told: &mut T| {
        step(updates, &mut found);
        let needed = found.len();
        found.drain(..).for_each(|(one, diff)| sort(one, diff, told));
        room.keep(&mut found, needed);
    })
}

/// An operator of this name, where a stream is.
pub(crate) fn operator<'s, D: Clone + 'static>(
    name: &str,
    stream: &StreamVec<'s, Epoch, D>,
) -> OperatorBuilder<'s, Epoch> {
    OperatorBuilder::new(name.to_owned(), stream.scope())
}

/// Takes what came at one port.
fn receive<D: 'static, R: 'static, B: Default>(
    handle: &mut Handle<D, R>,
    told: usize,
    open: &mut Open<B>,
    of: impl Fn(&mut B) -> &mut Vec<Batch<D, R>>,
) {
    handle.for_each_stamp(|capability, batches| {
        for batch in batches.map(std::mem::take) {
            for (epoch, rows) in by_epoch(batch) {
                let entry = open.entry(epoch).or_insert_with(|| {
                    let rights = (0..told).map(|port| capability.delayed(&epoch, port));
                    (rights.collect(), B::default())
                });
                of(&mut entry.1).push(rows);
            }
        }
    });
}

macro_rules! heard {
    ($(($row:ident, $diff:ident, $at:tt))+) => {
        impl<'s, $($row: Clone + 'static, $diff: Clone + 'static),+> Heard<'s>
            for ($(Stream<'s, $row, $diff>,)+)
        {
            type Updates = ($(Came<$row, $diff>,)+);
            type Batches = ($(Vec<Batch<$row, $diff>>,)+);
            type Handles = ($(Handle<$row, $diff>,)+);

            fn open(self, builder: &mut OperatorBuilder<'s, Epoch>) -> Self::Handles {
                ($(builder.new_input(self.$at, Pipeline),)+)
            }

            fn receive(handles: &mut Self::Handles, told: usize, open: &mut Open<Self::Batches>) {
                $(receive(&mut handles.$at, told, open, |batches| &mut batches.$at);)+
            }

            fn updates(batches: Self::Batches) -> Self::Updates {
                ($(batches.$at.into(),)+)
            }
        }
    };
}

heard!((A, R, 0));
heard!((A, R, 0)(B, S, 1));
heard!((A, R, 0)(B, S, 1)(C, T, 2));
heard!((A, R, 0)(B, S, 1)(C, T, 2)(D, U, 3));

impl<'s, D: Clone + 'static, R: Clone + 'static> Told<'s> for Updates<D, R> {
    type Streams = Stream<'s, D, R>;
    type Ports = (OutputBuilder<Epoch, Builder<D, R>>, Room);
    const PORTS: usize = 1;

    fn nothing() -> Self {
        Self::new()
    }

    fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams) {
        let (output, stream) = builder.new_output();
        ((OutputBuilder::from(output), Room::default()), stream)
    }

    fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], ports: &mut Self::Ports) {
        let Some(right) = rights.first() else { return };
        let (port, room) = ports;
        let needed = self.len();
        let rows = self.drain(..).map(|(row, diff)| (row, epoch, diff));
        port.activate().session(right).give_iterator(rows);
        room.keep(self, needed);
    }
}

impl<'s, T: Told<'s>, const N: usize> Told<'s> for [T; N] {
    type Streams = [T::Streams; N];
    type Ports = [T::Ports; N];
    const PORTS: usize = N * T::PORTS;

    fn nothing() -> Self {
        std::array::from_fn(|_| T::nothing())
    }

    fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams) {
        let mut streams = Vec::with_capacity(N);
        let ports = std::array::from_fn(|_| {
            let (port, stream) = T::open(builder);
            streams.push(stream);
            port
        });
        let mut streams = streams.into_iter();
        (ports, std::array::from_fn(|_| streams.next().expect("there is one for each port")))
    }

    fn begin(&mut self, epoch: Epoch) {
        self.iter_mut().for_each(|one| one.begin(epoch));
    }

    fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], ports: &mut Self::Ports) {
        let rights = rights.chunks(T::PORTS);
        for ((one, port), right) in self.iter_mut().zip(ports).zip(rights) {
            one.send(epoch, right, port);
        }
    }
}

macro_rules! told {
    ($($part:ident $at:tt),+) => {
        impl<'s, $($part: Told<'s>),+> Told<'s> for ($($part,)+) {
            type Streams = ($($part::Streams,)+);
            type Ports = ($($part::Ports,)+);
            const PORTS: usize = 0 $(+ $part::PORTS)+;

            fn nothing() -> Self {
                ($($part::nothing(),)+)
            }

            fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams) {
                let opened = ($($part::open(builder),)+);
                (($(opened.$at.0,)+), ($(opened.$at.1,)+))
            }

            fn begin(&mut self, epoch: Epoch) {
                $(self.$at.begin(epoch);)+
            }

            fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], ports: &mut Self::Ports) {
                let mut first = 0;
                $(
                    let end = first + $part::PORTS;
                    self.$at.send(epoch, rights.get(first..end).unwrap_or_default(), &mut ports.$at);
                    first = end;
                )+
                debug_assert_eq!(first, rights.len(), "every port has a right");
            }
        }
    };
}

told!(A 0, B 1);
told!(A 0, B 1, C 2);
told!(A 0, B 1, C 2, D 3, E 4);
told!(A 0, B 1, C 2, D 3);
