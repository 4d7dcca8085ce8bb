//! State that tells what changed row by row when it is sent: no list is made that would be as large as the step.

use crate::Epoch;
use crate::epochs::Streams;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// Keeps changes until it tells them.
pub(super) trait Tells: Default + 'static {
    /// What changes.
    type Row: Clone + 'static;
    /// By how much.
    type Change: Clone + 'static;

    /// Tells everything that changed since.
    fn tell(&mut self, tell: impl FnMut(Self::Row, Self::Change));
}

/// Something that tells, as a stream of an operator.
#[derive(Default)]
pub(super) struct Telling<T>(pub(super) T);

/// Rows as they leave.
type Builder<T> = CapacityContainerBuilder<Vec<(<T as Tells>::Row, Epoch, <T as Tells>::Change)>>;

impl<'s, T: Tells> Streams<'s> for Telling<T> {
    type Streams = StreamVec<'s, Epoch, (T::Row, Epoch, T::Change)>;
    type Ports = OutputBuilder<Epoch, Builder<T>>;
    const PORTS: usize = 1;

    fn nothing() -> Self {
        Self(T::default())
    }

    fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams) {
        let (output, stream) = builder.new_output();
        (OutputBuilder::from(output), stream)
    }

    fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], port: &mut Self::Ports) {
        let Some(right) = rights.first() else { return };
        let mut output = port.activate();
        let mut session = output.session(right);
        self.0.tell(|row, change| session.give((row, epoch, change)));
    }
}
