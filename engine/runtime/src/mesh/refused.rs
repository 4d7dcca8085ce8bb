//! Connections that were refused: the first is told, and then how many, now and then.
//!
//! A process that does not fit tries again ten times a second, for as long as it has patience.

/// How often those that were refused since are told.
const TOLD_EVERY_US: u64 = 10_000_000;

/// What was refused and not told.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// When it was told last; `None` before the first.
    told_us: Option<u64>,
    count: u64,
}

impl Refused {
    /// Notes one more; gives how many are to be told of now, if any are.
    pub(super) fn note(&mut self, now_us: u64) -> Option<u64> {
        self.count += 1;
        let is_due = self.told_us.is_none_or(|told| now_us.saturating_sub(told) >= TOLD_EVERY_US);
        is_due.then(|| {
            self.told_us = Some(now_us);
            std::mem::take(&mut self.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Refused;

    #[test]
    fn the_first_is_told_and_then_a_count_every_ten_seconds() {
        let mut refused = Refused::default();
        let told: Vec<(u64, u64)> = (0..=250)
            .map(|attempt| attempt * 100_000)
            .filter_map(|now_us| Some((now_us, refused.note(now_us)?)))
            .collect();
        assert_eq!(told, [(0, 1), (10_000_000, 100), (20_000_000, 100)]);
    }
}
