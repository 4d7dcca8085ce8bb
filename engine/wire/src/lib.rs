//! The bytes between a connector and the engine.
