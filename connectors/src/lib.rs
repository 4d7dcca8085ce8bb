//! Connectors: read usage and rights where they are, and send them to the engine as facts.
//!
//! Three parts: `formats` turns bytes into facts and does no input or output; `source` brings the
//! bytes; `client` sends the facts and survives whatever the network does. `load` reads a handful of
//! files together, `connector` makes programs of all of these, and the binaries in `bin` only start
//! them. Nothing here may use the engine.

pub mod formats;
pub mod source;
pub mod client;
pub mod load;
pub mod connector;
