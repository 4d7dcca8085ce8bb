//! What goes wrong in a history, and what it came to.

/// What goes wrong in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The power goes, while writing and while recovering.
    Power,
    /// The device fails once, then the process ends or the power goes.
    Error,
    /// A write ends early.
    Short,
    /// The disk is full, and has room again.
    Full,
    /// The power goes, and one place of the disk is damaged when it comes back.
    Damage,
}

impl Mode {
    pub(crate) const ALL: [Self; 5] =
        [Self::Power, Self::Error, Self::Short, Self::Full, Self::Damage];
}

/// What a history came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How often the process ended.
    pub(crate) crashes: usize,
    /// How often the journal was opened after a fault and compared with the model.
    pub(crate) recoveries: usize,
    /// How often it was refused because of a place that was damaged.
    pub(crate) refused: usize,
    /// How often a record was refused for want of room.
    pub(crate) full: usize,
    /// How many records were durable when the process ended, added up.
    pub(crate) durable: u64,
    /// The number of the last segment.
    pub(crate) segments: usize,
    /// How often a file was used again.
    pub(crate) reused: usize,
    /// How many contents were sealed, each with a nonce of its own.
    pub(crate) sealed: usize,
    /// A digest of everything that was asked of the disk.
    pub(crate) trace: u64,
}

impl Outcome {
    /// Adds up; of segments the greatest number is kept.
    pub(crate) fn add(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.recoveries += other.recoveries;
        self.refused += other.refused;
        self.full += other.full;
        self.durable += other.durable;
        self.segments = self.segments.max(other.segments);
        self.reused += other.reused;
        self.sealed += other.sealed;
        self.trace ^= other.trace;
    }
}
