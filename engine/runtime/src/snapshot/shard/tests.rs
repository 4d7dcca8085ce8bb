use super::{Row, Shard};
use trueup_model::fact::{Action, Body, Fact, FactId, FactKind, Provenance};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{UsageEvent, UsageOp};

fn row(id: u128, revision: u32, arrived_at: i64, asserts: bool) -> Row {
    let event = UsageEvent {
        at: Timestamp(1),
        product: 0,
        account: None,
        user: None,
        device: None,
        quantity: Quantity::units(i64::from(revision)),
        op: UsageOp::Add,
    };
    let action = match asserts {
        true => Action::Assert(Body::Usage(event)),
        false => Action::Retract(FactKind::Usage),
    };
    let fact = Fact {
        id: FactId(id),
        revision,
        arrived_at: Timestamp(arrived_at),
        provenance: Provenance { document: 0, position: 1 },
        document: None,
        action,
    };
    Row { tenant: 0, fact, copies: 1 }
}

#[test]
fn only_what_was_withdrawn_long_ago_is_forgotten() {
    let mut shard = Shard::default();
    // It counts, and so do the contents that it replaced.
    shard.add(row(1, 0, 10, true));
    shard.add(row(1, 1, 11, true));
    shard.add(row(1, 0, 12, false));
    // Withdrawn before 20.
    shard.add(row(2, 0, 10, true));
    shard.add(row(2, 0, 19, false));
    // Withdrawn before 20, and again later.
    shard.add(row(3, 0, 10, true));
    shard.add(row(3, 0, 19, false));
    shard.add(row(3, 0, 20, false));
    // A withdrawal of what never came.
    shard.add(row(4, 0, 19, false));
    // Said anew after it was withdrawn.
    shard.add(row(5, 0, 10, false));
    shard.add(row(5, 1, 11, true));
    shard.forget(Timestamp(20));
    let kept: Vec<u128> = shard.0.keys().map(|id| id.0).collect();
    assert_eq!(kept, [1, 3, 5]);
    assert_eq!(shard.0.get(&FactId(1)).map(Vec::len), Some(3));
}
