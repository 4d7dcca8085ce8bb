//! Positions as the policy judges them: with the settings of their product, and near the limit where
//! these say so.
//!
//! judged        = { position : settings of the position's product are known }
//! discrepancies = { what is wrong with one } (`reconcile.rs`)
//! short         = { (position, settings) : something is lacking }
//!
//! Most of those who read positions want few of them, so what they want is picked out here, where the row is at hand.
//!
//! Work per change: the position; of changed settings, the positions of the product. What is kept: the
//! positions.

use crate::attribute::Rule;
use crate::epochs::{Came, Sent, each_epoch_of, everywhere, fetch, operator};
use crate::reconcile::{is_near, of_position, reported};
use crate::rows::add;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use std::collections::BTreeMap;
use trueup_model::calendar::PeriodUnit;
use trueup_model::discrepancy::Discrepancy;
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::id::ProductId;
use trueup_model::position::{LicensePosition, PositionKey, PositionState};
use trueup_model::quantity::Quantity;
use trueup_policy::rules::ProductSettings;

/// A position with the settings by which it is judged.
pub type Judged = (LicensePosition, ProductSettings);

/// Positions as they are judged.
pub struct Judgments<'s> {
    /// All of them.
    pub positions: Facts<'s, LicensePosition>,
    /// What is wrong with those of the period in which they are judged.
    pub discrepancies: Facts<'s, Discrepancy>,
    /// Those that are short of something.
    pub short: Facts<'s, Judged>,
}

/// What is told of positions: all of them, what is wrong, which are short.
type Told = (Sent<LicensePosition>, Sent<Discrepancy>, Sent<Judged>);

/// Judges positions, of which one of each key is there at a time, in periods of `period`.
pub fn judge<'s>(
    positions: Facts<'s, LicensePosition>,
    rules: Facts<'s, (ProductId, Rule)>,
    period: PeriodUnit,
) -> Judgments<'s> {
    let settings = everywhere(rules.map(|(product, rule)| (product, rule.settings)));
    let builder = operator("Judge", &positions.inner);
    let mut state = State { period, settings: IdMap::default(), positions: IdMap::default() };
    let heard = (positions.inner, settings);
    let (judged, discrepancies, short) =
        each_epoch_of(builder, heard, move |(came, ruled), changes| {
            state.step(&came, ruled, changes);
        });
    Judgments {
        positions: judged.as_collection(),
        discrepancies: discrepancies.as_collection(),
        short: short.as_collection(),
    }
}

struct State {
    period: PeriodUnit,
    settings: IdMap<ProductId, ProductSettings>,
    positions: IdMap<ProductId, IdMap<PositionKey, LicensePosition>>,
}

impl State {
    fn step(
        &mut self,
        positions: &Came<LicensePosition>,
        settings: Came<(ProductId, ProductSettings)>,
        changes: &mut Told,
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
            self.tell(position, diff, changes);
        }
        for (position, diff) in positions.iter().filter(|(_, diff)| *diff > 0) {
            let kept = self.positions.entry(position.key.product).or_default();
            kept.insert(position.key, *position);
            self.tell(position, diff, changes);
        }
    }

    /// Looks at what a position needs.
    fn look(&self, position: &LicensePosition) -> usize {
        let kept = self.positions.get(&position.key.product);
        kept.map_or(0, |kept| usize::from(kept.contains_key(&position.key)))
    }

    /// Judges the positions of products anew whose settings changed.
    fn rule(&mut self, ruled: BTreeMap<(ProductId, ProductSettings), Diff>, changes: &mut Told) {
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
                was.iter().for_each(|by| self.tell_by(by, position, -1, changes));
                now.iter().for_each(|by| self.tell_by(by, position, 1, changes));
            }
        }
    }

    fn tell(&self, position: &LicensePosition, diff: Diff, changes: &mut Told) {
        if let Some(settings) = self.settings.get(&position.key.product) {
            self.tell_by(settings, position, diff, changes);
        }
    }

    /// Tells of a position that comes or goes, as it is judged by these settings.
    fn tell_by(
        &self,
        settings: &ProductSettings,
        position: &LicensePosition,
        diff: Diff,
        (positions, discrepancies, short): &mut Told,
    ) {
        let near = position.state == PositionState::Covered && is_near(position, settings);
        let state = if near { PositionState::Near } else { position.state };
        let judged = LicensePosition { state, ..*position };
        positions.push((judged, diff));
        if reported(judged.key, self.period) {
            let found = of_position(&judged, settings).into_iter();
            discrepancies.extend(found.map(|one| (one, diff)));
        }
        if judged.shortfall > Quantity::ZERO {
            short.push(((judged, *settings), diff));
        }
    }
}
