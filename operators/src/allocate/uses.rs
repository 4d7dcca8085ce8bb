//! The uses of a product, grouped: what changes of the demand of its accounts.

use super::component::{Component, Holder};
use super::convert::Part;
use super::statistics::whole_days;
use super::{Turn, World};
use crate::Diff;
use crate::attribute::Use;
use crate::grouping::Grouping;
use crate::rows::add;
use std::collections::BTreeMap;
use trueup_model::fact::FactId;
use trueup_model::hash::mix;
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::Span;
use trueup_policy::rules::Statistic;

/// The group of a checkout that is one by itself.
fn of_session(one: &Use) -> u64 {
    let session = one.session.0;
    let halves = [session >> 64, session & u128::from(u64::MAX)];
    let [high, low] = halves.map(|half| u64::try_from(half).unwrap_or(0));
    mix(&[one.part.0, high, low])
}

impl Component {
    /// The uses as their days count: those that changed, or all where calendars did.
    fn by_days(&mut self, uses: Vec<(Use, Diff)>, turn: &Turn, world: &World) -> Vec<(Use, Diff)> {
        let anew = !turn.zones.is_empty();
        if anew {
            self.grouping = Grouping::default();
            self.demand.clear();
            self.parts = 0;
        }
        let mut changed = Vec::new();
        for (one, diff) in uses {
            add(&mut self.days, one, diff);
            changed.push((one, diff));
        }
        if anew {
            changed = self.days.iter().map(|(one, count)| (*one, *count)).collect();
        }
        let widened = changed.into_iter().map(|(one, diff)| {
            let calendar = world.calendars.of(one.account);
            // A checkout whose names change within a day is still one.
            let alone = (one.session != FactId::default()).then(|| of_session(&one));
            let group = one.group.or(alone);
            (Use { span: whole_days(one.span, calendar), group, ..one }, diff)
        });
        widened.collect()
    }

    /// Groups uses; gives the changes of demand by account and part.
    pub(super) fn hear_uses(
        &mut self,
        uses: Vec<(Use, Diff)>,
        turn: &Turn,
        world: &World,
    ) -> BTreeMap<(Holder, Span, Quantity), Diff> {
        let by_days = self.statistic == Statistic::Days;
        let uses = if by_days { self.by_days(uses, turn, world) } else { uses };
        let mut changed: BTreeMap<(Holder, Span, Quantity), Diff> = BTreeMap::new();
        let mut groups: BTreeMap<u64, Vec<(Span, Quantity, Holder, i64)>> = BTreeMap::new();
        for (one, diff) in uses {
            let part = Part { least: one.least, product: one.part, weight: one.weight };
            let holder = (one.account, part);
            match one.group {
                None => *changed.entry((holder, one.span, one.units)).or_default() += diff,
                Some(group) => {
                    let row = (one.span, one.units, holder, diff as i64);
                    groups.entry(group).or_default().push(row);
                }
            }
        }
        for (group, rows) in groups {
            self.grouping.change(group, &rows, |charge, diff| {
                let key = (charge.holder, charge.span, charge.units);
                *changed.entry(key).or_default() += isize::try_from(diff).unwrap_or(0);
            });
        }
        changed.retain(|_, diff| *diff != 0);
        for (((account, part), span, units), diff) in &changed {
            let demand = self.demand.entry(*account).or_default();
            add(demand, (*span, *units, *part), *diff);
            if part.least || part.weight != Weight::ONE {
                self.parts += diff;
            }
            if demand.is_empty() {
                self.demand.remove(account);
            }
        }
        changed
    }
}
