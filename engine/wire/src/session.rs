//! Conversations: both ends of a connection as state machines without input or output.
//!
//! ```text
//!  connector                          engine
//!     Hello{tenant, source, generation, token} ─►   may it? is the generation still the newest?
//!     ◄─ Welcome{resume, position, credit}          everything up to `resume` is durable
//!     ◄─ Sealed{sequence}                           as much of it as is sealed
//!     Dictionary{first code, names} ─►              before the first batch that uses them
//!     Batch{sequence, position, columns} ─►         sequence = the one before + 1
//!     ◄─ Credit{totals}                             room for more
//!     ◄─ Ack{sequence, epoch}                       durable
//!     ◄─ Sealed{sequence}                           the connector may forget it
//!     Heartbeat{n} ─►   ◄─ Heartbeat{n}             either side is still there
//!     Bye ─►
//! ```
//!
//! Bytes in give events; commands give bytes out. The owner moves the bytes and knows the time; a
//! session knows the order of things, and after its first error it is closed for good. What is
//! delivered is delivered once and in order: a batch that was had before is acknowledged again, a
//! batch after a gap is refused with the sequence that is expected, and neither is an event with
//! facts in it.

mod connector;
mod engine;

pub use connector::{ConnectorEvent, ConnectorSession};
pub use engine::{Admission, EngineEvent, EngineSession};

#[cfg(test)]
mod tests;
