//! The chain of what was published: a few numbers that stand for every difference of every epoch.
//!
//! ```text
//! sum(e)   = Σ difference · hash(view, row)        over what epoch e changed
//! views(e) = Σ sum(1..=e) = Σ count · hash(view, row)   over the rows that are there after e
//! chain(e) = hash(chain(e − 1), e, horizon(e), sum(e))
//! ```
//!
//! Sums do not depend on order, nor on the worker or process that found a row. Rows name things by
//! identifiers, which are hashes of names and the same wherever and whenever they are made. Totals over the
//! trees come when there is a tick, which is not written down, so they have a sum of their own, that is
//! compared where both have just ticked. `before.rs` compares what is computed again with what had been
//! published; a snapshot enters by pieces, which count as one epoch, of which there is `views` to compare, and its
//! chain goes on.
//!
//! The bytes of a row are those of one build (`row.rs`), and other rules give other answers. So a link
//! names both, and where it comes from: only links of one lineage must be the same.

mod row;
mod before;

pub(crate) use before::{Before, Compared};
pub(crate) use row::Weight;
pub use trueup_wire::link::Link;

use crate::publisher::Planned;
use crate::settings::Settings;
use row::RowBytes;
use std::hash::Hash;
use trueup_model::hash::{Hash128, hash128};
use trueup_operators::Epoch;

/// When an output changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// With every epoch.
    Epochs,
    /// With ticks.
    Ticks,
}

/// What an epoch changed, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// In what changes with every epoch.
    pub(crate) views: u128,
    /// In what changes with ticks.
    pub(crate) totals: u128,
}

impl Sums {
    /// Adds the differences of a view. Work: its rows.
    pub(crate) fn add<'r, R: Hash + 'r, W: Weight + 'r>(
        &mut self,
        view: &str,
        pace: Pace,
        rows: impl IntoIterator<Item = (&'r R, &'r W)>,
    ) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        let name = view.as_bytes();
        // One hash for each part of a weight.
        let mut hashes =
            [&b"0"[..], b"1", b"2", b"3"].map(|part| Hash128::beginning(&[name, part]));
        let mut bytes = RowBytes::default();
        let mut sum = 0_u128;
        for (row, weight) in rows {
            bytes.of(row);
            for (part, hash) in weight.parts().into_iter().zip(&mut hashes) {
                if part != 0 {
                    let term = part.cast_unsigned().wrapping_mul(hash.of(&[bytes.bytes()]));
                    sum = sum.wrapping_add(term);
                }
            }
        }
        let place = match pace {
            Pace::Epochs => &mut self.views,
            Pace::Ticks => &mut self.totals,
        };
        *place = place.wrapping_add(sum);
    }
}

/// The chain as far as it was computed, and what of it is known from before.
#[derive(Debug)]
pub(crate) struct Chain {
    last: Link,
    totals: u128,
    before: Before,
    /// The snapshot that the run begins with: its epoch, and its link if it has one.
    root: Option<(Epoch, Option<Link>)>,
}

impl Chain {
    /// A chain of nothing, under these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        let fingerprint = fingerprint(settings);
        let last = Link { fingerprint, lineage: fingerprint, ..Link::default() };
        Self { last, totals: 0, before: Before::default(), root: None }
    }

    /// Has the epochs that come compared with what was published of them before.
    pub(crate) fn expect(&mut self, before: Before) {
        self.before = before;
    }

    /// Begins with a snapshot; what comes before its epoch are pieces of it.
    pub(crate) fn begin(&mut self, epoch: Epoch, link: Option<Link>) {
        let own = self.last.fingerprint;
        self.last.lineage = match &link {
            Some(link) if link.fingerprint == own => link.lineage,
            Some(link) => {
                hash128(&[&link.lineage.to_le_bytes(), &epoch.to_le_bytes(), &own.to_le_bytes()])
            }
            None => hash128(&[&epoch.to_le_bytes(), &own.to_le_bytes()]),
        };
        self.root = Some((epoch, link));
    }

    /// Adds an epoch; gives its link without totals, and how it compares with what had been published of it.
    pub(crate) fn extend(&mut self, plan: &Planned, sums: Sums) -> (Link, Compared) {
        let Planned { epoch, horizon, .. } = *plan;
        let last = &mut self.last;
        last.epoch = epoch;
        last.views = last.views.wrapping_add(sums.views);
        let root = self.root.as_ref().map(|(root, _)| *root);
        if root.is_some_and(|at| epoch < at) {
            return (*last, Compared::Unknown);
        }
        // Of a snapshot, all that is there by now came with its epoch.
        let changed = if root == Some(epoch) { last.views } else { sums.views };
        last.chain = hash128(&[
            &last.chain.to_le_bytes(),
            &epoch.to_le_bytes(),
            &horizon.0.to_le_bytes(),
            &changed.to_le_bytes(),
        ]);
        if let Some((_, link)) = self.root.take_if(|(at, _)| *at == epoch)
            && let Some(link) = link
        {
            if link.lineage == last.lineage {
                last.chain = link.chain;
            }
            self.before.note_snapshot(link);
        }
        (*last, self.before.compare(last))
    }

    /// Adds totals that an epoch brought up to date, after those of all epochs before it; gives the epoch's link with
    /// them, and how they compare with what had been published of it.
    pub(crate) fn extend_totals(&mut self, link: Link, sums: Sums) -> (Link, Compared) {
        self.totals = self.totals.wrapping_add(sums.totals);
        let link = Link { totals: Some(self.totals), ..link };
        (link, self.before.compare_totals(&link))
    }
}

/// What computes: the build, and everything of the settings that answers depend on.
pub(crate) fn fingerprint(settings: &Settings) -> u128 {
    let Settings { policy, names_max, products_max, future_tolerance_us, build, .. } = settings;
    hash128(&[
        &build.to_le_bytes(),
        format!("{policy:?}").as_bytes(),
        &names_max.to_le_bytes(),
        &products_max.to_le_bytes(),
        &future_tolerance_us.to_le_bytes(),
    ])
}

#[cfg(test)]
mod tests;
