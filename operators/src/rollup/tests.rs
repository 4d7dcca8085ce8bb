use super::{Heard, NodeKey, Present, State};
use crate::Diff;
use crate::epochs::{Came, Left, Updates};
use crate::zones::AccountZone;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trueup_model::id::{AccountId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::{DAY_US, Span, Timestamp};
use trueup_policy::Policy;

/// The first of January 2026, UTC.
const NEW_YEAR: Timestamp = Timestamp(1_767_225_600_000_000);

/// What an epoch brings.
#[derive(Clone, Debug)]
enum Change {
    /// A use at a node comes, or goes if it is there.
    Use { account: u64, first: Option<i64>, last: Option<i64>, user: u64, group: bool },
    /// The horizon moves on by so many days.
    Wait(i64),
    /// An account states a zone, or takes it back.
    State(u64),
}

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let day = || prop::option::weighted(0.8, 0..90_i64);
    let used = (1..3_u64, day(), day(), 1..4_u64, any::<bool>());
    let used = used.prop_map(|(account, first, last, user, group)| Change::Use {
        account,
        first,
        last,
        user,
        group,
    });
    let change = prop_oneof![12 => used, 1 => (0..40_i64).prop_map(Change::Wait), 1 => (1..3_u64).prop_map(Change::State)];
    prop::collection::vec(prop::collection::vec(change, 0..12), 1..8)
}

/// What is there now, so that only what came can go.
#[derive(Default)]
struct Told {
    there: BTreeMap<Heard, Diff>,
    horizon: Option<Timestamp>,
}

impl Told {
    /// The updates that a change brings.
    fn hear(&mut self, change: &Change) -> Vec<(Heard, Diff)> {
        let day = |number: i64| NEW_YEAR.plus_us(number * DAY_US + DAY_US / 3);
        match *change {
            Change::Use { account, first, last, user, group } => {
                let start = first.map_or(Timestamp::MIN, day);
                let end = last.map_or(Timestamp::MAX, |last| day(last.max(first.unwrap_or(0)) + 1));
                let key = NodeKey {
                    tenant: TenantId(1),
                    account: AccountId(account),
                    product: ProductId(1),
                    metric: Metric::NamedUser,
                };
                let row = Present {
                    span: Span::new(start, end),
                    group: group.then_some(user),
                    units: Quantity::units(1),
                    user: Some(UserId(user)),
                    device: None,
                };
                vec![self.turn(Heard::Present(key, row))]
            }
            Change::Wait(days) => {
                let before =
                    self.horizon.replace(self.horizon.unwrap_or(NEW_YEAR).plus_us(days * DAY_US));
                let now = self.horizon.map(|now| (Heard::Horizon(now), 1));
                before.map(|at| (Heard::Horizon(at), -1)).into_iter().chain(now).collect()
            }
            Change::State(account) => {
                let zone = Some("Pacific/Auckland".to_owned());
                let stated = AccountZone { account: AccountId(account), zone, anchor: None };
                vec![self.turn(Heard::Zone(stated))]
            }
        }
    }

    /// It goes if it is there, and comes if it is not.
    fn turn(&mut self, heard: Heard) -> (Heard, Diff) {
        match self.there.remove(&heard) {
            Some(count) => (heard, -count),
            None => {
                self.there.insert(heard.clone(), 1);
                (heard, 1)
            }
        }
    }
}

/// What a step tells, in parts of this size, added up.
fn step(state: &mut State, heard: &[(Heard, Diff)], part: usize) -> BTreeMap<Rollup, Diff> {
    let batch: Vec<_> = heard.iter().map(|(one, diff)| (one.clone(), 0, *diff)).collect();
    state.hear(Came::from(vec![batch]));
    let mut told: Updates<Rollup> = Vec::new();
    while state.go_on(part, &mut told) == Left::Something {}
    let mut sums: BTreeMap<Rollup, Diff> = BTreeMap::new();
    for (row, diff) in told {
        *sums.entry(row).or_default() += diff;
    }
    sums.retain(|_, diff| *diff != 0);
    sums
}

proptest! {
    /// However small the parts are in which an epoch is worked through, it changes the same, and nothing is kept of
    /// what has gone.
    #[test]
    fn parts_come_to_the_whole(epochs in changes(), part in 1..6_usize) {
        let mut told = Told::default();
        let [mut whole, mut parted] = [(); 2].map(|()| State::new(Policy::default()));
        for changes in &epochs {
            let heard: Vec<_> = changes.iter().flat_map(|change| told.hear(change)).collect();
            prop_assert_eq!(step(&mut whole, &heard, usize::MAX), step(&mut parted, &heard, part));
        }
        let gone: Vec<_> = told.there.into_iter().map(|(one, diff)| (one, -diff)).collect();
        prop_assert_eq!(step(&mut whole, &gone, usize::MAX), step(&mut parted, &gone, part));
        prop_assert!(parted.nodes.is_empty() && parted.lasting.is_empty());
    }
}
