//! Positions as the policy judges them: with the settings of their product, and near the limit where
//! these say so.
//!
//! judged = { (position, settings) : settings of the position's product are known }
//!
//! Work per change: the position; of changed settings, the positions of the product. What is kept: the
//! positions.

use crate::attribute::Rule;
use crate::epochs::{Came, Sent, each_epoch_of, everywhere, fetch, operator};
use crate::reconcile::is_near;
use crate::rows::add;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use std::collections::BTreeMap;
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::id::ProductId;
use trueup_model::position::{LicensePosition, PositionKey, PositionState};
use trueup_policy::rules::ProductSettings;

/// A position with the settings by which it is judged.
pub type Judged = (LicensePosition, ProductSettings);

/// Judges positions, of which one of each key is there at a time.
pub fn judge<'s>(
    positions: Facts<'s, LicensePosition>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> Facts<'s, Judged> {
    let positions = positions.inner;
    let settings = everywhere(rules.map(|(product, rule)| (product, rule.settings)));
    let mut state = State::default();
    let builder = operator("Judge", &positions);
    each_epoch_of(builder, (positions, settings), move |(positions, settings), changes| {
        state.step(&positions, settings, changes);
    })
    .as_collection()
}

#[derive(Default)]
struct State {
    settings: IdMap<ProductId, ProductSettings>,
    positions: IdMap<ProductId, IdMap<PositionKey, LicensePosition>>,
}

impl State {
    fn step(
        &mut self,
        positions: &Came<LicensePosition>,
        settings: Came<(ProductId, ProductSettings)>,
        changes: &mut Sent<Judged>,
    ) {
        // A rule that changes in other respects states the same settings again.
        let mut ruled: BTreeMap<(ProductId, ProductSettings), Diff> = BTreeMap::new();
        for (row, diff) in settings {
            add(&mut ruled, row, diff);
        }
        if !ruled.is_empty() {
            self.rule(ruled, changes);
        }
        fetch(positions.iter().map(|(position, _)| self.look(position)));
        // Of two of one key the one that goes is taken out first.
        for (position, diff) in positions.iter().filter(|(_, diff)| *diff < 0) {
            let product = position.key.product;
            let Some(kept) = self.positions.get_mut(&product) else { continue };
            kept.remove(&position.key);
            if kept.is_empty() {
                self.positions.remove(&product);
            }
            changes.extend(self.judged(position).map(|row| (row, diff)));
        }
        for (position, diff) in positions.iter().filter(|(_, diff)| *diff > 0) {
            let kept = self.positions.entry(position.key.product).or_default();
            kept.insert(position.key, *position);
            changes.extend(self.judged(position).map(|row| (row, diff)));
        }
    }

    /// Looks at what a position needs.
    fn look(&self, position: &LicensePosition) -> usize {
        let kept = self.positions.get(&position.key.product);
        kept.map_or(0, |kept| usize::from(kept.contains_key(&position.key)))
    }

    /// Judges the positions of products anew whose settings changed.
    fn rule(
        &mut self,
        ruled: BTreeMap<(ProductId, ProductSettings), Diff>,
        changes: &mut Sent<Judged>,
    ) {
        let products: IdSet<ProductId> = ruled.keys().map(|(product, _)| *product).collect();
        let before: IdMap<ProductId, ProductSettings> = products
            .iter()
            .filter_map(|product| Some((*product, *self.settings.get(product)?)))
            .collect();
        for ((product, settings), diff) in ruled {
            if diff > 0 {
                self.settings.insert(product, settings);
            } else if self.settings.get(&product) == Some(&settings) {
                self.settings.remove(&product);
            }
        }
        for product in products {
            let (was, now) = (before.get(&product), self.settings.get(&product));
            if was == now {
                continue;
            }
            for position in self.positions.get(&product).into_iter().flat_map(IdMap::values) {
                changes.extend(was.map(|settings| (judged(position, settings), -1)));
                changes.extend(now.map(|settings| (judged(position, settings), 1)));
            }
        }
    }

    fn judged(&self, position: &LicensePosition) -> Option<Judged> {
        let settings = self.settings.get(&position.key.product)?;
        Some(judged(position, settings))
    }
}

fn judged(position: &LicensePosition, settings: &ProductSettings) -> Judged {
    let near = position.state == PositionState::Covered && is_near(position, settings);
    let state = if near { PositionState::Near } else { position.state };
    (LicensePosition { state, ..*position }, *settings)
}
