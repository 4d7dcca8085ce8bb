//! Right answers, computed from what really happened by plain loops over instants.
//!
//! Nothing here reads a file that the generator wrote, and nothing is clever: at each instant at
//! which something changes, everything is counted anew. What a figure means is said in one place for
//! each: `levels` (how many licenses are charged), `usage` (peaks and license-seconds), `refusals`
//! (denials and waits), `rights` (what is granted), `positions`, `discrepancies`.

pub mod levels;
pub mod usage;
pub mod refusals;
pub mod rights;
pub mod uses;
pub mod positions;
pub mod volumes;
pub mod discrepancies;
pub mod answers;

#[cfg(test)]
mod tests;
