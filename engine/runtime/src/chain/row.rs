//! The bytes of a row, and the parts of a weight.
//!
//! The bytes are what the row gives to a hasher: its fields in their order, numbers in little endian, lists
//! with their lengths. They are the same on every worker, process and machine of one build; a build in which
//! a row has other fields gives others, which is why a link names its build.

use std::hash::{Hash, Hasher};
use trueup_operators::Diff;
use trueup_operators::tally::Tally;
use trueup_operators::totals::Total;

/// How often a row is there, or how much of it: one number each.
pub(crate) trait Weight {
    /// The parts; none of them may wrap in a sum.
    fn parts(&self) -> [i128; PARTS];
}

/// How many parts a weight has at most.
pub(super) const PARTS: usize = 4;

impl Weight for Diff {
    fn parts(&self) -> [i128; PARTS] {
        [*self as i128, 0, 0, 0]
    }
}

impl Weight for Tally {
    fn parts(&self) -> [i128; PARTS] {
        [self.events, self.quantity, 0, 0]
    }
}

impl Weight for Total {
    fn parts(&self) -> [i128; PARTS] {
        let Tally { events, quantity } = self.tally;
        [events, quantity, self.users.into(), self.devices.into()]
    }
}

/// Gathers the bytes of one row after the other.
#[derive(Debug, Default)]
pub(super) struct RowBytes(Vec<u8>);

impl RowBytes {
    /// Takes a row in the place of the one before.
    pub(super) fn of(&mut self, row: &impl Hash) {
        self.0.clear();
        row.hash(self);
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Takes numbers as they are written on every machine.
macro_rules! numbers {
    ($($write:ident: $number:ty as $written:ty;)*) => {
        $(fn $write(&mut self, number: $number) {
            self.0.extend_from_slice(&(number as $written).to_le_bytes());
        })*
    };
}

impl Hasher for RowBytes {
    /// Nobody asks for it: the bytes are what is wanted.
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    numbers! {
        write_u8: u8 as u8;
        write_u16: u16 as u16;
        write_u32: u32 as u32;
        write_u64: u64 as u64;
        write_u128: u128 as u128;
        write_usize: usize as u64;
        write_i8: i8 as i8;
        write_i16: i16 as i16;
        write_i32: i32 as i32;
        write_i64: i64 as i64;
        write_i128: i128 as i128;
        write_isize: isize as i64;
    }
}
