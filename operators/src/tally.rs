//! A weight that carries a count of events and a sum of quantities.
//!
//! Both in one, so that a balance of zero is not the same as no events.

use differential_dataflow::difference::{Abelian, IsZero, Monoid, Multiply, Semigroup};
use serde::{Deserialize, Serialize};

/// How many events, and how much in all; 128 bits, so that no sum of 64-bit quantities wraps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tally {
    /// Events.
    pub events: i128,
    /// Millionths of a unit.
    pub quantity: i128,
}

impl IsZero for Tally {
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Semigroup for Tally {
    fn plus_equals(&mut self, other: &Self) {
        self.events += other.events;
        self.quantity += other.quantity;
    }
}

impl Monoid for Tally {
    fn zero() -> Self {
        Self::default()
    }
}

impl Abelian for Tally {
    fn negate(&mut self) {
        self.events = -self.events;
        self.quantity = -self.quantity;
    }
}

impl Multiply<isize> for Tally {
    type Output = Self;

    fn multiply(self, times: &isize) -> Self {
        let times = *times as i128;
        Self { events: self.events * times, quantity: self.quantity * times }
    }
}
