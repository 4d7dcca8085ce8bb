//! Lines that wait for a date, in a buffer of bounded size.
//!
//! Lines that say nothing are kept only as signs of life of their daemon, one for each run of them.

use super::scribe::Place;
use crate::formats::flexnet::dating::Mark;
use std::collections::VecDeque;

/// How much may wait, in bytes, before the oldest lines are given up: some 400,000 events.
pub const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Lines that wait for a date.
#[derive(Debug, Default)]
pub(super) struct Held {
    lines: VecDeque<HeldLine>,
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct HeldLine {
    place: Place,
    mark: Mark,
    /// Where its text ends; it begins where the line before it ends.
    end: usize,
    chatter: bool,
}

impl Held {
    /// Keeps a line.
    pub(super) fn line(&mut self, place: Place, mark: Mark, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.lines.push_back(HeldLine { place, mark, end: self.text.len(), chatter: false });
    }

    /// Keeps that a daemon wrote something.
    pub(super) fn chatter(&mut self, place: Place, mark: Mark, daemon: &[u8]) {
        let start = self.last_start();
        if let Some(last) = self.lines.back_mut()
            && last.chatter
            && (last.mark.day, last.mark.clock) <= (mark.day, mark.clock)
            && self.text.get(start..).is_some_and(|text| named(text) == daemon)
        {
            (last.place, last.mark) = (place, mark);
            return;
        }
        for part in [PREFIX, daemon, b")"] {
            self.text.extend_from_slice(part);
        }
        self.lines.push_back(HeldLine { place, mark, end: self.text.len(), chatter: true });
    }

    /// How much waits, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<HeldLine>()
    }

    /// Whether more waits than may.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() + self.lines.len() * size_of::<HeldLine>() > HELD_BYTES_MAX
    }

    /// Gives up the older half.
    pub(super) fn make_room(&mut self, mut given_up: impl FnMut(Place, &[u8])) {
        let mut start = 0;
        for _ in 0..self.lines.len().div_ceil(2) {
            let Some(line) = self.lines.pop_front() else { break };
            given_up(line.place, self.text.get(start..line.end).unwrap_or_default());
            start = line.end;
        }
        self.text.drain(..start);
        for line in &mut self.lines {
            line.end -= start;
        }
    }

    /// Gives all lines, in order.
    pub(super) fn each(&self, mut give: impl FnMut(Place, Mark, &[u8])) {
        let mut start = 0;
        for line in &self.lines {
            give(line.place, line.mark, self.text.get(start..line.end).unwrap_or_default());
            start = line.end;
        }
    }

    /// Where the text of the last line begins.
    fn last_start(&self) -> usize {
        let before = self.lines.len().checked_sub(2).and_then(|index| self.lines.get(index));
        before.map_or(0, |line| line.end)
    }
}

/// What stands before the daemon of chatter; the clock is in the mark.
const PREFIX: &[u8] = b"0:00:00 (";

/// The daemon of kept chatter.
fn named(text: &[u8]) -> &[u8] {
    let rest = text.strip_prefix(PREFIX).unwrap_or_default();
    rest.strip_suffix(b")").unwrap_or_default()
}
