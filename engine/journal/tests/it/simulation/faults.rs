//! What goes wrong on the simulated disk, and when.

/// What goes wrong, and at which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Faults {
    /// The power goes: this operation and all later ones do nothing.
    pub(crate) power_loss_at: u64,
    /// This operation fails with an error of the device; later ones go on.
    pub(crate) error_at: u64,
    /// This sync of a file fails with an error of the device; later ones go on.
    pub(crate) sync_error_at: u64,
    /// The first write from this operation on writes only a part, and says so.
    pub(crate) short_at: u64,
    /// The disk has room for this many bytes in all.
    pub(crate) room: usize,
}

impl Faults {
    pub(crate) const NONE: Self = Self {
        power_loss_at: u64::MAX,
        error_at: u64::MAX,
        sync_error_at: u64::MAX,
        short_at: u64::MAX,
        room: usize::MAX,
    };

    pub(crate) fn power_loss(at: u64) -> Self {
        Self { power_loss_at: at, ..Self::NONE }
    }

    pub(crate) fn error(at: u64) -> Self {
        Self { error_at: at, ..Self::NONE }
    }

    pub(crate) fn sync_error(at: u64) -> Self {
        Self { sync_error_at: at, ..Self::NONE }
    }

    pub(crate) fn short(at: u64) -> Self {
        Self { short_at: at, ..Self::NONE }
    }

    pub(crate) fn full(room: usize) -> Self {
        Self { room, ..Self::NONE }
    }
}
