//! Rows that are told in the lists in which they travel: written once, and never gathered into one list that would be
//! as large as the epoch.

use super::Updates;
use super::ports::{Builder, Stream, Told};
use crate::{Diff, Epoch};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// How much room a list takes, in bytes.
const LIST_BYTES: usize = 65_536;

/// Updates of a stream; of an epoch, which is known before it is told anything.
#[derive(Debug)]
pub(crate) struct Sent<D, R = Diff> {
    epoch: Epoch,
    lists: Vec<Vec<(D, Epoch, R)>>,
}

impl<D, R> Default for Sent<D, R> {
    fn default() -> Self {
        Self { epoch: Epoch::default(), lists: Vec::new() }
    }
}

impl<D, R> Sent<D, R> {
    /// How many rows a list has.
    const LIST: usize = {
        let rows = LIST_BYTES / (size_of::<(D, Epoch, R)>() + 1);
        if rows > 16 { rows } else { 16 }
    };

    #[inline]
    pub(crate) fn push(&mut self, (row, diff): (D, R)) {
        let row = (row, self.epoch, diff);
        match self.lists.last_mut().filter(|list| list.len() < list.capacity()) {
            Some(list) => list.push(row),
            None => self.begin_list(row),
        }
    }

    /// Begins a list: a small one first, as most epochs tell few rows.
    fn begin_list(&mut self, row: (D, Epoch, R)) {
        let room = if self.lists.is_empty() { Self::LIST / 16 } else { Self::LIST };
        let mut list = Vec::with_capacity(room.max(1));
        list.push(row);
        self.lists.push(list);
    }

    /// Tells everything that another list tells, of the same epoch.
    pub(crate) fn append(&mut self, other: Self) {
        self.lists.extend(other.lists);
    }

    /// Takes out rows.
    pub(crate) fn retain(&mut self, stays: impl Fn(&D) -> bool) {
        for list in &mut self.lists {
            list.retain(|(row, ..)| stays(row));
        }
    }

    /// An empty list of the same epoch.
    pub(crate) fn another(&self) -> Self {
        Self { epoch: self.epoch, lists: Vec::new() }
    }
}

impl<D, R> Extend<(D, R)> for Sent<D, R> {
    fn extend<I: IntoIterator<Item = (D, R)>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.push(row));
    }
}

impl<D, R> From<Sent<D, R>> for Updates<D, R> {
    fn from(sent: Sent<D, R>) -> Self {
        sent.lists.into_iter().flatten().map(|(row, _, diff)| (row, diff)).collect()
    }
}

impl<'s, D: Clone + 'static, R: Clone + 'static> Told<'s> for Sent<D, R> {
    type Streams = Stream<'s, D, R>;
    type Ports = OutputBuilder<Epoch, Builder<D, R>>;
    const PORTS: usize = 1;

    fn nothing() -> Self {
        Self::default()
    }

    fn open(builder: &mut OperatorBuilder<'s, Epoch>) -> (Self::Ports, Self::Streams) {
        let (output, stream) = builder.new_output();
        (OutputBuilder::from(output), stream)
    }

    fn begin(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    fn send(&mut self, epoch: Epoch, rights: &[Capability<Epoch>], port: &mut Self::Ports) {
        debug_assert_eq!(epoch, self.epoch, "rows are of the epoch that began");
        let Some(right) = rights.first() else { return };
        if self.lists.is_empty() {
            return;
        }
        let mut port = port.activate();
        let mut session = port.session(right);
        for mut list in self.lists.drain(..).filter(|list| !list.is_empty()) {
            session.give_container(&mut list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LIST_BYTES, Sent};
    use crate::epochs::Updates;

    #[test]
    fn what_is_told_stands_in_order_in_lists_of_bounded_size() {
        let mut sent: Sent<u64> = Sent::default();
        let rows: Updates<u64> = (0..20_000).map(|row| (row, 1)).collect();
        sent.extend(rows.clone());
        let most = sent.lists.iter().map(|list| list.capacity() * size_of_val(&list[0])).max();
        assert!(most.is_some_and(|bytes| bytes <= LIST_BYTES), "{most:?}");
        assert!(sent.lists.len() > 5);
        sent.retain(|row| row % 2 == 0);
        let mut other = sent.another();
        other.push((1, 1));
        sent.append(other);
        let told = Updates::from(sent);
        let even = rows.into_iter().filter(|(row, _)| row % 2 == 0);
        assert!(told.into_iter().eq(even.chain([(1, 1)])));
    }
}
