//! Facts into batches, and names that are too long.

use super::{BatchLimits, CannotAdd, Gathered, Origin, reshape};
use crate::client::dictionary::Dictionary;
use crate::formats::{Collected, Sink as _};
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::id::NameKind;
use trueup_model::org::Account;
use trueup_model::quantity::Quantity;
use trueup_model::reject::RejectReason;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};
use trueup_wire::limits::NAME_BYTES_MAX;

const ORIGIN: Origin<'_> = Origin { tenant: "campus", source: "meter" };

fn fact<'a>(document: &'a str, body: Body<&'a str>) -> Fact<&'a str> {
    Fact {
        id: FactId(7),
        revision: 2,
        arrived_at: Timestamp(5),
        provenance: Provenance { document, position: 41 },
        document: Some(DocumentRef { document, version: 3 }),
        action: Action::Assert(body),
    }
}

fn usage(product: &str) -> Body<&str> {
    Body::Usage(UsageEvent {
        at: Timestamp(1),
        product,
        account: None,
        user: None,
        device: None,
        quantity: Quantity::ONE,
        op: UsageOp::Add,
    })
}

/// What becomes of a fact: itself, or what `reshape` makes of it.
fn through(given: Fact<&str>) -> (Option<super::Taken>, Fact<String>) {
    let mut dictionary = Dictionary::default();
    let mut gathered = Gathered::new(BatchLimits::default());
    let mut collected = Collected::default();
    let taken = match gathered.add(given.clone(), &mut dictionary) {
        Ok(()) => {
            collected.accept(given);
            None
        }
        Err(CannotAdd::TooLong) => {
            let (taken, ()) = reshape(given, ORIGIN, |shaped| {
                gathered.add(shaped.clone(), &mut dictionary).unwrap();
                collected.accept(shaped);
            });
            Some(taken)
        }
        Err(CannotAdd::Full) => panic!("the dictionary is full"),
    };
    assert_eq!(gathered.cut().unwrap().len(), 1);
    (taken, collected.facts.remove(0))
}

#[test]
fn a_batch_is_full_at_its_number_of_facts_or_bytes() {
    let mut dictionary = Dictionary::default();
    let mut gathered = Gathered::new(BatchLimits { records_max: 3, bytes_max: 1_000_000 });
    for index in 0..3 {
        assert!(!gathered.is_full(), "after {index}");
        gathered.add(fact("log", usage("mesh")), &mut dictionary).unwrap();
    }
    assert!(gathered.is_full());
    let batches = gathered.cut().unwrap();
    assert_eq!((batches.len(), batches[0].count), (1, 3));
    assert!(gathered.is_empty() && !gathered.is_full());
    let mut small = Gathered::new(BatchLimits { records_max: 1000, bytes_max: 128 });
    small.add(fact("log", usage("mesh")), &mut dictionary).unwrap();
    assert!(!small.is_full());
    small.add(fact("log", usage("mesh")), &mut dictionary).unwrap();
    assert!(small.is_full());
}

#[test]
fn names_at_the_limit_go_as_they_are() {
    let name = "n".repeat(NAME_BYTES_MAX);
    let (taken, sent) = through(fact(&name, usage(&name)));
    assert_eq!(taken, None);
    assert_eq!(sent.provenance.document, name);
}

#[test]
fn a_fact_with_too_long_a_name_becomes_a_reject_in_its_place() {
    let name = format!("é{}", "n".repeat(NAME_BYTES_MAX));
    let (taken, sent) = through(fact("log", usage(&name)));
    assert!(taken.unwrap().rejected);
    assert_eq!(sent.kind(), FactKind::Reject);
    assert_eq!((sent.provenance.document.as_str(), sent.provenance.position), ("log", 41));
    assert_eq!(sent.document.unwrap().version, 3);
    let Action::Assert(Body::Reject(reject)) = sent.action else { panic!("no reject") };
    assert_eq!(reject.reason, RejectReason::TooLong);
    assert!(reject.excerpt.starts_with("énnn"));
    let detail = reject.detail.unwrap();
    assert_eq!(detail, "a name has 1026 bytes, and 1024 are allowed");
    // The same fact gives the same reject, another fact another one.
    let again = through(fact("log", usage(&name))).1;
    assert_eq!(again.id, sent.id);
    let other = through(Fact { id: FactId(8), ..fact("log", usage(&name)) }).1;
    assert_ne!(other.id, sent.id);
}

#[test]
fn an_inline_text_that_is_too_long_makes_a_reject() {
    let zone = Some("z".repeat(NAME_BYTES_MAX + 1));
    let account =
        Account { account: "sales", parent: None, span: Span::ALWAYS, zone, anchor: None };
    let (taken, sent) = through(fact("tree", Body::Account(account)));
    assert!(taken.unwrap().rejected);
    assert_eq!(sent.kind(), FactKind::Reject);
}

#[test]
fn documents_are_shortened_and_stay_distinct() {
    let names: Vec<String> =
        (0..3).map(|index| format!("/{}/{index}", "ü".repeat(NAME_BYTES_MAX))).collect();
    let mut sent = Vec::new();
    for name in &names {
        let (taken, shaped) = through(fact(name, usage("mesh")));
        assert_eq!(taken.unwrap(), super::Taken { shortened: 2, rejected: false });
        assert_eq!(shaped.kind(), FactKind::Usage);
        let document = shaped.provenance.document;
        assert!(document.len() <= NAME_BYTES_MAX && document.starts_with("/üü"));
        assert_eq!(shaped.document.unwrap().document, document);
        sent.push(document);
    }
    // The same name gives the same short one, and different ones stay so.
    assert_eq!(through(fact(&names[0], usage("mesh"))).1.provenance.document, sent[0]);
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 3);
}

#[test]
fn a_full_dictionary_adds_nothing() {
    let mut dictionary = Dictionary::with_limits(2, 1000);
    let mut gathered = Gathered::new(BatchLimits::default());
    gathered.add(fact("log", usage("mesh")), &mut dictionary).unwrap();
    let refused = gathered.add(fact("log", usage("solver")), &mut dictionary);
    assert_eq!(refused, Err(CannotAdd::Full));
    assert_eq!(gathered.cut().unwrap()[0].count, 1);
    assert_eq!(
        dictionary.names(0, 9).map(|(kind, _)| kind).collect::<Vec<_>>(),
        [NameKind::Document, NameKind::Product]
    );
}
