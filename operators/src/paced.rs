//! Rows held back until a tick, so that what follows them is worked out less often than epochs close.
//!
//! paced(e) = rows(t), t the last epoch up to e that has a tick
//!
//! Rows that come and go between two ticks are never passed on, and what comes often is passed on once.
//! Everything that is put together again behind it must be held back by the same ticks.
//!
//! Work per change: the row, twice. What is kept: what changed since the last tick.

use crate::epochs::{each_epoch, everywhere};
use crate::{Epoch, Facts};
use differential_dataflow::difference::Semigroup;
use differential_dataflow::{AsCollection as _, ExchangeData};
use std::hash::Hash;
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::hash::IdMap;

/// Passes rows on when there is a tick.
pub fn paced<'s, D, R>(
    name: &str,
    rows: Facts<'s, D, R>,
    ticks: Facts<'s, Epoch>,
) -> Facts<'s, D, R>
where
    D: ExchangeData + Hash,
    R: ExchangeData + Semigroup,
{
    let ticks = everywhere(ticks).map(|(_, epoch, _)| (None, epoch, None));
    let rows = rows.inner.map(|(row, epoch, weight)| (Some(row), epoch, Some(weight)));
    let mut held: IdMap<D, R> = IdMap::default();
    each_epoch(rows.concat(ticks), name, move |updates, changes| {
        let mut tick = false;
        for (row, weight) in updates {
            let (Some(row), Some(weight)) = (row, weight) else {
                tick = true;
                continue;
            };
            match held.get_mut(&row) {
                Some(sum) => sum.plus_equals(&weight),
                None => {
                    held.insert(row, weight);
                }
            }
        }
        if tick {
            changes.extend(held.drain().filter(|(_, weight)| !weight.is_zero()));
        }
    })
    .as_collection()
}

#[cfg(test)]
mod tests {
    use super::paced;
    use crate::testing::run;

    #[test]
    fn rows_wait_for_a_tick_and_those_that_cancel_are_never_passed_on() {
        let row = |name: u64, diff| (Some(name), diff);
        let tick = (None, 1);
        let script = vec![
            vec![row(7, 1), row(8, 1)],
            vec![row(8, -1), row(9, 1), row(7, 1)],
            vec![tick, row(6, 1)],
            vec![row(7, -2)],
            vec![tick],
        ];
        let given = run(2, script, |heard| {
            let rows = heard.clone().flat_map(|heard| heard);
            let ticks = heard.filter(Option::is_none).map(|_| 0);
            paced("Paced", rows, ticks)
        });
        let nothing = Vec::new();
        let held = vec![(6, 1), (7, 2), (9, 1)];
        assert_eq!(given, vec![nothing.clone(), nothing.clone(), held, nothing, vec![(7, -2)]]);
    }
}
