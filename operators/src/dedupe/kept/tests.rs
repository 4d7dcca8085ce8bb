//! What is kept of an identity comes to the same as everything that was said of it.

use super::{Given, Kept};
use crate::dedupe::{Conflict, Known, Repeated};
use crate::entered::Entered;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trueup_model::fact::{Action, Body, Fact, FactId, FactKind, Provenance};
use trueup_model::id::{Id, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{ServerEvent, ServerEventKind, UsageEvent, UsageOp};
use trueup_policy::rules::ConflictRule;

const TENANT: TenantId = TenantId(7);
const ID: FactId = FactId(5);

/// Something that is said of the identity.
#[derive(Clone, Copy, Debug)]
struct Saying {
    /// `None` takes back.
    content: Option<u8>,
    revision: u32,
    arrived_at: i64,
    position: u64,
    rank: u32,
}

fn sayings() -> impl Strategy<Value = Vec<Saying>> {
    let one = (prop::option::weighted(0.8, 0..4_u8), 0..4_u32, 0..3_i64, 0..3_u64, 0..3_u32);
    let one = one.prop_map(|(content, revision, arrived_at, position, rank)| Saying {
        content,
        revision,
        arrived_at,
        position,
        rank,
    });
    prop::collection::vec(one, 0..12)
}

/// Even contents are metered quantities, odd ones say that a server started: they have a place among equals.
fn body(content: u8, rank: u32) -> Body<Id> {
    let at = Timestamp(i64::from(content / 2));
    if content.is_multiple_of(2) {
        Body::Usage(UsageEvent {
            at,
            product: Id(1),
            account: None,
            user: None,
            device: None,
            quantity: Quantity::units(1),
            op: UsageOp::Add,
        })
    } else {
        let kind = ServerEventKind::Started;
        Body::Server(ServerEvent { server: Id(1), at, rank, kind, product: None })
    }
}

fn fact(saying: Saying) -> Entered {
    let Saying { content, revision, arrived_at, position, rank } = saying;
    let action = match content {
        Some(content) => Action::Assert(body(content, rank)),
        None => Action::Retract(FactKind::Usage),
    };
    let fact = Fact {
        id: ID,
        revision,
        arrived_at: Timestamp(arrived_at),
        provenance: Provenance { document: Id(3), position },
        document: None,
        action,
    };
    Entered::from((TENANT, fact))
}

/// When and where a content first arrived, its greatest place among equals, and how often it came.
type Heard = ((Timestamp, Provenance<Id>), u32, isize);

/// What everything that was said comes to, from the beginning.
fn recount(sayings: &[Saying], rule: ConflictRule) -> Given {
    let retracted =
        sayings.iter().filter(|one| one.content.is_none()).map(|one| one.revision).max();
    let mut contents: BTreeMap<(u32, Body<Id>), Heard> = BTreeMap::new();
    for one in sayings {
        let Some(content) = one.content else { continue };
        let place = Provenance { document: Id(3), position: one.position };
        let arrival = (Timestamp(one.arrived_at), place);
        let rank = if content.is_multiple_of(2) { 0 } else { one.rank };
        let heard = contents.entry((one.revision, body(content, 0))).or_insert((arrival, rank, 0));
        *heard = (heard.0.min(arrival), heard.1.max(rank), heard.2 + 1);
    }
    let top = contents.keys().map(|(revision, _)| *revision).max();
    let Some(top) = top.filter(|top| retracted < Some(*top)) else { return Given::default() };
    let repetitions: isize = contents.values().map(|(_, _, times)| times - 1).sum();
    let mut claims: Vec<_> =
        contents.into_iter().filter(|((revision, _), _)| *revision == top).collect();
    claims
        .sort_by(|((_, one), first), ((_, other), second)| (first.0, one).cmp(&(second.0, other)));
    let contradict = claims.len() > 1;
    let chosen = match rule {
        ConflictRule::First => 0,
        ConflictRule::Last => claims.len() - 1,
    };
    let ((_, mut body), ((arrived_at, provenance), place, _)) = claims.swap_remove(chosen);
    if let Body::Server(event) = &mut body {
        event.rank = place;
    }
    let kind = body.kind();
    let row = Repeated { tenant: TENANT, document: provenance.document, kind, id: None };
    Given {
        known: Some(Known { tenant: TENANT, id: ID, arrived_at, provenance, document: None, body }),
        conflict: contradict.then_some(Conflict { tenant: TENANT, id: ID, provenance }),
        repeated: (repetitions > 0).then_some((row, repetitions)),
    }
}

proptest! {
    #[test]
    fn what_is_kept_comes_to_what_was_said(sayings in sayings(), last in any::<bool>()) {
        let rule = if last { ConflictRule::Last } else { ConflictRule::First };
        let mut kept = Kept::default();
        for (place, saying) in sayings.iter().enumerate() {
            kept.hear(fact(*saying), 1);
            let expected = recount(&sayings[..=place], rule);
            let given = kept.given(ID, rule);
            prop_assert_eq!(given.known, expected.known);
            prop_assert_eq!(given.conflict, expected.conflict);
            prop_assert_eq!(given.repeated, expected.repeated);
        }
    }
}

#[test]
fn what_is_kept_of_an_event_is_small() {
    assert_eq!(size_of::<Kept>(), size_of::<Entered>());
    let mut kept = Kept::default();
    let said =
        |content, revision| fact(Saying { content, revision, arrived_at: 0, position: 0, rank: 0 });
    for revision in 0..9 {
        kept.hear(said(Some(0), revision), 1);
    }
    kept.hear(said(None, 9), 1);
    let Kept::More(more) = kept else { panic!("there is more than one assertion") };
    assert_eq!((more.contents.capacity(), more.past.len()), (0, 9), "hashes are kept");
}
