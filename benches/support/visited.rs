//! Facts of a batch as the engine takes them from their columns, which are only looked at.

use std::convert::Infallible;
use std::hint::black_box;
use trueup_model::fact::Fact;
use trueup_model::usage::{SessionEvent, UsageEvent};
use trueup_wire::Code;
use trueup_wire::codec::{Head, Visitor};

/// How many facts were looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visited(pub u64);

impl Visited {
    fn look<T>(&mut self, what: &T) {
        black_box(what);
        self.0 += 1;
    }
}

impl Visitor for Visited {
    type Error = Infallible;

    fn usage(&mut self, head: Head, event: UsageEvent<Code>) -> Result<(), Infallible> {
        black_box(&head);
        self.look(&event);
        Ok(())
    }

    fn session(&mut self, head: Head, event: SessionEvent<Code>) -> Result<(), Infallible> {
        black_box(&head);
        self.look(&event);
        Ok(())
    }

    fn other(&mut self, fact: Fact<Code>) -> Result<(), Infallible> {
        self.look(&fact);
        Ok(())
    }
}
