//! What is read from columns at once is what the general way gives, fact by fact.

use super::ReadBatch;
use crate::conversation::Names;
use crate::intake::Intake;
use crate::settings::Settings;
use crossbeam_channel::bounded;
use proptest::prelude::*;
use std::sync::{Arc, RwLock};
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::hash::hash128;
use trueup_model::id::{Dictionary, NameKind, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::{DAY_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason, UsageEvent, UsageOp};
use trueup_operators::entered::Entered;
use trueup_policy::Policy;
use trueup_wire::message::{BatchFrame, write_definitions};
use trueup_wire::record::Suspect;
use trueup_wire::{Code, FrameReader, Message, encode_batch};

/// The kinds of names that telemetry has; the code of each is its place, and that of a refused one its place and
/// so many more.
const KINDS: [NameKind; 7] = [
    NameKind::Document,
    NameKind::Product,
    NameKind::Account,
    NameKind::User,
    NameKind::Device,
    NameKind::Server,
    NameKind::Text,
];
/// What the dictionary holds of its own for a tenant.
const ENDS: usize = 3;
/// When everything arrives.
const ARRIVED: Timestamp = Timestamp(1_773_100_800_000_000);
const RETENTION_US: i64 = 30 * DAY_US;
/// The fact that is left out.
const LEFT_OUT: Suspect = Suspect { id: FactId(3), revision: 0 };

/// Names of which half are refused, because there are too many.
fn names() -> (Names, Intake, TenantId) {
    let policy = Policy { retention_us: Some(RETENTION_US), ..Policy::default() };
    let settings = Settings { names_max: ENDS + KINDS.len(), policy, ..Settings::default() };
    let dictionary = Dictionary::new(settings.policy.identity.clone(), settings.names_max);
    let (work, _) = bounded(64);
    let intake = Intake::new(&settings, Arc::new(RwLock::new(dictionary)), work);
    intake.close();
    intake.leave_out(LEFT_OUT);
    let tenant = intake.tenant("tenant");
    let of = |text| KINDS.iter().map(move |kind| (*kind, text));
    let mut bytes = Vec::new();
    write_definitions(0, of("first").chain(of("second")), &mut bytes).unwrap();
    let mut names = Names::default();
    let (mut reader, mut input) = (FrameReader::new(), bytes.as_slice());
    let frame = reader.next(&mut input).unwrap().unwrap();
    let Ok(Message::Dictionary(definitions)) = Message::decode(&frame) else {
        panic!("it is a dictionary");
    };
    names.define(&intake, tenant, &definitions);
    (names, intake, tenant)
}

/// Reads facts of one kind as a batch.
fn read(
    facts: &[Fact<Code>],
    (names, intake, tenant): &(Names, Intake, TenantId),
) -> Result<ReadBatch, String> {
    let columns = encode_batch(facts).unwrap().remove(0);
    let sent = BatchFrame::encode(1, b"", &columns).unwrap();
    let (mut reader, mut input) = (FrameReader::new(), sent.bytes());
    let frame = reader.next(&mut input).unwrap().unwrap();
    let Ok(Message::Batch(batch)) = Message::decode(&frame) else { panic!("it is a batch") };
    names.facts(intake, *tenant, &batch)
}

/// The code of a name, mostly of one that is known.
fn code(kind: NameKind) -> impl Strategy<Value = Code> {
    let code = |place: usize| Code(u32::try_from(place).unwrap());
    let known = KINDS.iter().position(|one| *one == kind).unwrap();
    prop_oneof![9 => Just(code(known)), 1 => Just(code(known + KINDS.len()))]
}

fn maybe(kind: NameKind) -> impl Strategy<Value = Option<Code>> {
    prop::option::of(code(kind))
}

/// Instants at both sides of what is allowed, and mostly one that is.
fn at() -> impl Strategy<Value = Timestamp> {
    let (tolerance_us, edge) = (Settings::default().future_tolerance_us, ARRIVED.0 - RETENTION_US);
    let edges = [
        Timestamp::MIN.0,
        Timestamp::RECORDED.0 - 1,
        Timestamp::RECORDED.0,
        edge - 1,
        edge,
        ARRIVED.0 + tolerance_us,
        ARRIVED.0 + tolerance_us + 1,
        Timestamp::MAX.0,
    ];
    prop_oneof![3 => Just(ARRIVED), 1 => prop::sample::select(edges.to_vec()).prop_map(Timestamp)]
}

fn usage() -> impl Strategy<Value = Body<Code>> {
    let names = (
        code(NameKind::Product),
        maybe(NameKind::Account),
        maybe(NameKind::User),
        maybe(NameKind::Device),
    );
    (at(), names, any::<i64>()).prop_map(|(at, (product, account, user, device), amount)| {
        let (quantity, op) = (Quantity(amount), UsageOp::Add);
        Body::Usage(UsageEvent { at, product, account, user, device, quantity, op })
    })
}

fn session() -> impl Strategy<Value = Body<Code>> {
    let names = (
        code(NameKind::Server),
        code(NameKind::Product),
        code(NameKind::User),
        code(NameKind::Device),
    );
    let texts = (maybe(NameKind::Text), maybe(NameKind::Text));
    let count =
        prop_oneof![4 => Just(1), 1 => prop::sample::select(vec![0, 100_000_000, 100_000_001])];
    (at(), names, texts, count).prop_map(|(at, names, (display, version), count)| {
        let (server, product, user, device) = names;
        Body::Session(SessionEvent {
            at,
            rank: 0,
            kind: SessionKind::Open,
            reason: SessionReason::None,
            server,
            product,
            user,
            device,
            display,
            vendor_data: None,
            project: None,
            version,
            handle: None,
            count,
            until: None,
        })
    })
}

fn fact(
    kind: FactKind,
    body: impl Strategy<Value = Body<Code>>,
) -> impl Strategy<Value = Fact<Code>> {
    let action = (body, prop::bool::weighted(0.1)).prop_map(move |(body, retracts)| {
        if retracts { Action::Retract(kind) } else { Action::Assert(body) }
    });
    let row = prop::option::weighted(0.1, code(NameKind::Document));
    (0..6_u128, 0..2_u32, code(NameKind::Document), row, action).prop_map(
        |(id, revision, read_in, row, action)| Fact {
            id: FactId(id),
            revision,
            arrived_at: ARRIVED,
            provenance: Provenance { document: read_in, position: 1 },
            document: row.map(|document| DocumentRef { document, version: 1 }),
            action,
        },
    )
}

/// Facts of one kind.
fn facts() -> impl Strategy<Value = Vec<Fact<Code>>> {
    prop_oneof![
        prop::collection::vec(fact(FactKind::Usage, usage()), 1..40),
        prop::collection::vec(fact(FactKind::Session, session()), 1..40),
    ]
}

proptest! {
    #[test]
    fn a_batch_is_read_as_its_facts_are_one_by_one(facts in facts()) {
        let known = names();
        let read = read(&facts, &known).unwrap();
        let (names, intake, tenant) = &known;
        let general = |fact: &Fact<Code>| {
            Entered::from((*tenant, names.fact(intake, *tenant, fact.clone()).unwrap()))
        };
        let expected: Vec<Entered> = facts.iter().map(general).collect();
        let evidence = expected.iter().filter_map(Intake::evidence_of).max();
        prop_assert_eq!(read.evidence, evidence.unwrap_or(Timestamp::MIN));
        prop_assert_eq!(read.facts, expected);
        let hash = facts.iter().fold(0_u128, |sum, fact| {
            let (id, revision) = (fact.id.0.to_le_bytes(), fact.revision.to_le_bytes());
            sum.wrapping_add(hash128(&[&id, &revision]))
        });
        prop_assert_eq!(read.hash.0, hash);
    }

    #[test]
    fn a_code_of_another_kind_of_name_is_refused_in_the_same_words(
        facts in facts(),
        place in any::<prop::sample::Index>(),
    ) {
        let known = names();
        let mut facts = facts;
        let wrong = place.index(facts.len());
        // A text where a document is meant.
        facts[wrong].provenance.document = Code(6);
        let (names, intake, tenant) = &known;
        let said = names.fact(intake, *tenant, facts[wrong].clone()).unwrap_err().to_string();
        prop_assert_eq!(read(&facts, &known).unwrap_err(), said);
    }
}
