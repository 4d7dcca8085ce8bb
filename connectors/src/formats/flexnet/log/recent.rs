//! What a daemon wrote in its last seconds: the order inside a second, and how often a message came.
//!
//! Lines come out of order by seconds, so the last few seconds stay open. What lies further back
//! begins anew: a copy of lines that were read before gives the same ordinals again.

use trueup_model::hash::IdMap;
use trueup_model::time::{SECOND_US, Timestamp};

/// Seconds of a daemon that stay open.
pub const SECONDS_MAX: usize = 64;
/// Messages of a second that are remembered one by one.
pub const MESSAGES_MAX: usize = 64;
/// Further messages that all seconds share: at least so many of the last ones are remembered, at
/// most twice as many.
pub const FURTHER_MAX: usize = 16 * 1024;

/// A time that is this much earlier is another stretch of the log, not a line out of order.
const STRETCH_US: i128 = 3_600 * SECOND_US as i128;

/// The last seconds of a daemon.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    open: Vec<Second>,
    /// The one that the last line belongs to.
    current: usize,
    /// The one that is given up next, when all are open.
    oldest: usize,
    newest: Option<Timestamp>,
}

/// A second of a daemon.
#[derive(Debug)]
pub(super) struct Second {
    at: Timestamp,
    /// How many places in it are taken.
    taken: u32,
    messages: Vec<u64>,
}

impl Seconds {
    /// The second of this instant.
    #[inline]
    pub(super) fn at(&mut self, at: Timestamp) -> &mut Second {
        if self.open.get(self.current).is_none_or(|second| second.at != at) {
            self.current = self.turn(at);
        }
        &mut self.open[self.current]
    }

    /// How many places of the second of this instant are taken, if it is open.
    pub(super) fn taken_at(&self, at: Timestamp) -> Option<u32> {
        self.open.iter().find(|second| second.at == at).map(|second| second.taken)
    }

    /// Where the second of this instant is, opened if it is not.
    fn turn(&mut self, at: Timestamp) -> usize {
        let back = self.newest.map_or(-1, |newest| newest.since_us(at));
        if (0..STRETCH_US).contains(&back) {
            if let Some(found) = self.open.iter().position(|second| second.at == at) {
                return found;
            }
        } else {
            self.newest = Some(at);
        }
        if self.open.len() < SECONDS_MAX {
            self.open.push(Second { at, taken: 0, messages: Vec::new() });
            return self.open.len() - 1;
        }
        let given_up = self.oldest;
        self.oldest = (given_up + 1) % SECONDS_MAX;
        let second = &mut self.open[given_up];
        (second.at, second.taken) = (at, 0);
        second.messages.clear();
        given_up
    }
}

impl Second {
    /// The next place in it.
    pub(super) fn take_place(&mut self) -> u32 {
        let place = self.taken;
        self.taken = place.saturating_add(1);
        place
    }

    /// How often a message came before, and once more from now on.
    pub(super) fn count(&mut self, message: u64, further: &mut Further) -> u32 {
        let before = self.messages.iter().filter(|known| **known == message).count();
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        if self.messages.len() < MESSAGES_MAX {
            self.messages.push(message);
            return before;
        }
        before.saturating_add(further.count(message))
    }
}

/// Counts of messages that their seconds have no room for, in two generations: when the young one is
/// full, the old one is forgotten.
#[derive(Debug, Default)]
pub(super) struct Further {
    young: IdMap<u64, u32>,
    old: IdMap<u64, u32>,
}

impl Further {
    /// How often the message came before, and once more from now on.
    fn count(&mut self, message: u64) -> u32 {
        if let Some(times) = self.young.get_mut(&message) {
            let before = *times;
            *times = before.saturating_add(1);
            return before;
        }
        let before = self.old.get(&message).copied().unwrap_or(0);
        if self.young.len() >= FURTHER_MAX {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(message, before.saturating_add(1));
        before
    }
}
