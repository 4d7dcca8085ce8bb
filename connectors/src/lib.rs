//! Connectors: read usage and rights where they are, and send them to the engine as facts.
//!
//! Three parts: `formats` turns bytes into facts and does no input or output; `source` brings the
//! bytes; `client` sends the facts and survives whatever the network does. The binaries in `bin`
//! only put the three together. Nothing here may use the engine.

pub mod formats;
pub mod source;
pub mod client;
pub mod load;
