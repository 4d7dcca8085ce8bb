//! The durable log of inputs.
