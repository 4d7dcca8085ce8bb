//! What stands for everything that was published up to an epoch, as journals and snapshots keep it.
//!
//! What its numbers mean is said in `engine/runtime/FORMAT.md`.

/// The bytes of a link without totals; with them it has 16 more.
const LINK_BYTES: usize = 72;

/// What was published up to the end of an epoch, in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The epoch.
    pub epoch: u64,
    /// The build and the rules that computed it.
    pub fingerprint: u128,
    /// Those, and the snapshots of other rules that the run began with.
    pub lineage: u128,
    /// Of all epochs so far, in their order.
    pub chain: u128,
    /// Of the rows of all views but the totals.
    pub views: u128,
    /// Of the totals over the trees, if the epoch brought them up to date.
    pub totals: Option<u128>,
}

impl Link {
    /// The link as it is kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LINK_BYTES + 16);
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        let sums = [self.fingerprint, self.lineage, self.chain, self.views];
        for sum in sums.into_iter().chain(self.totals) {
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        bytes
    }

    /// The link of these bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (sums, tail) = rest.as_chunks();
        let (sums, totals) = sums.split_at_checked(4)?;
        let [fingerprint, lineage, chain, views] =
            <[[u8; 16]; 4]>::try_from(sums).ok()?.map(u128::from_le_bytes);
        let totals = match totals {
            [] => None,
            [totals] => Some(u128::from_le_bytes(*totals)),
            [_, _, ..] => return None,
        };
        let epoch = u64::from_le_bytes(*epoch);
        tail.is_empty().then_some(Self { epoch, fingerprint, lineage, chain, views, totals })
    }
}
