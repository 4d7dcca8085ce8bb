//! What is forgotten makes no difference to what comes by the rules.

use super::{Conflict, Identities, Known, Past, Repeated, State, Told};
use crate::Diff;
use crate::entered::Entered;
use crate::epochs::Came;
use crate::volume::Metered;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trueup_model::fact::{Action, Body, Fact, FactId, FactKind, Provenance};
use trueup_model::id::{Id, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{UsageEvent, UsageOp};
use trueup_policy::rules::ConflictRule;

const RETENTION: i64 = 16;

/// What a source does next.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Says something of an identity, which happened so long ago, at the revision it has or the next.
    Say { id: u8, ago: i64, quantity: i64, next: bool },
    /// Says again what it said first.
    Repeat { id: u8 },
    /// Takes back what it said.
    Retract { id: u8 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..6_u8, 0..=RETENTION, 1..4_i64, any::<bool>())
            .prop_map(|(id, ago, quantity, next)| Deed::Say { id, ago, quantity, next }),
        2 => (0..6_u8).prop_map(|id| Deed::Repeat { id }),
        2 => (0..6_u8).prop_map(|id| Deed::Retract { id }),
    ]
}

fn fact(id: u8, revision: u32, arrived_at: i64, action: Action<Id>) -> Fact<Id> {
    Fact {
        id: FactId(u128::from(id)),
        revision,
        arrived_at: Timestamp(arrived_at),
        provenance: Provenance { document: Id(3), position: 1 },
        document: None,
        action,
    }
}

fn usage(at: i64, quantity: i64) -> Action<Id> {
    Action::Assert(Body::Usage(UsageEvent {
        at: Timestamp(at),
        product: Id(1),
        account: None,
        user: None,
        device: None,
        quantity: Quantity::units(quantity),
        op: UsageOp::Add,
    }))
}

/// What an identity was given so far by its source: when it happened first, and its newest revision.
#[derive(Clone, Copy)]
struct Said {
    first: (i64, i64),
    revision: u32,
    withdrawn: bool,
}

/// What a source says that keeps to the rules: what happened longer ago than the retention is set aside before,
/// and nothing is said to happen after it was withdrawn.
#[derive(Default)]
struct Source {
    said: BTreeMap<u8, Said>,
}

impl Source {
    fn fact(&mut self, deed: Deed, now: i64) -> Option<Fact<Id>> {
        match deed {
            Deed::Say { id, ago, quantity, next } => {
                let at = now - ago;
                let said = self.said.entry(id).or_insert(Said {
                    first: (at, quantity),
                    revision: 0,
                    withdrawn: false,
                });
                if said.withdrawn || next {
                    said.revision += 1;
                    said.withdrawn = false;
                }
                Some(fact(id, said.revision, now, usage(at, quantity)))
            }
            Deed::Repeat { id } => {
                let (at, quantity) = self.said.get(&id)?.first;
                (now - at <= RETENTION).then(|| fact(id, 0, now, usage(at, quantity)))
            }
            Deed::Retract { id } => {
                let said = self.said.get_mut(&id)?;
                said.withdrawn = true;
                Some(fact(id, said.revision, now, Action::Retract(FactKind::Usage)))
            }
        }
    }
}

fn state(retention_us: Option<i64>) -> State {
    let past = retention_us.map(Past::new);
    State { rule: ConflictRule::First, identities: Identities::default(), past }
}

/// All that was told so far, as it adds up.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    known: BTreeMap<Known, Diff>,
    metered: BTreeMap<Metered, Diff>,
    conflicts: BTreeMap<Conflict, Diff>,
    repeated: BTreeMap<Repeated, Diff>,
}

fn add<D: Ord>(sum: &mut BTreeMap<D, Diff>, rows: Vec<(D, Diff)>) {
    for (row, diff) in rows {
        *sum.entry(row).or_default() += diff;
    }
    sum.retain(|_, count| *count != 0);
}

impl Sum {
    fn hear(&mut self, state: &mut State, facts: &[Fact<Id>], now: i64) {
        let mut told = Told::default();
        let rows = facts.iter().map(|fact| (Entered::from((TenantId(7), fact.clone())), 0, 1));
        state.forget(0, Came::from(vec![vec![(Timestamp(now), 0, 1)]]));
        state.step(Came::from(vec![rows.collect()]), &mut told);
        let (known, metered, conflicts, repeated) = told;
        known.into_iter().for_each(|list| add(&mut self.known, list));
        add(&mut self.metered, metered.into());
        add(&mut self.conflicts, conflicts);
        add(&mut self.repeated, repeated);
    }
}

proptest! {
    #[test]
    fn what_is_forgotten_makes_no_difference(
        epochs in prop::collection::vec((prop::collection::vec(deed(), 0..4), 1..9_i64), 1..40),
    ) {
        let (mut forgets, mut remembers) = (state(Some(RETENTION)), state(None));
        let (mut given, mut expected) = (Sum::default(), Sum::default());
        let mut source = Source::default();
        let mut now = 1000;
        for (deeds, passes) in epochs {
            now += passes;
            let facts: Vec<Fact<Id>> =
                deeds.into_iter().filter_map(|deed| source.fact(deed, now)).collect();
            given.hear(&mut forgets, &facts, now);
            expected.hear(&mut remembers, &facts, now);
            // How often something is repeated is not remembered for longer.
            let plain = |sum: &Sum| (sum.known.clone(), sum.metered.clone(), sum.conflicts.clone());
            prop_assert_eq!(plain(&given), plain(&expected));
        }
        given.hear(&mut forgets, &[], now + 4 * RETENTION);
        prop_assert_eq!(forgets.identities.len(), given.metered.len(), "only what counts is kept");
    }
}
