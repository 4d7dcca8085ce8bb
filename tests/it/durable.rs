//! The engine on disks that fill up, lose power and fail: nothing that was acknowledged is lost.

mod simulation;
mod gate;
mod full;
mod memory;
mod snapshots;
mod replay;
mod left_out;
mod published;
mod golden;
mod failing;
