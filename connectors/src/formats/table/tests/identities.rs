//! Identities of rows (case c46).

use super::*;

const IDENTITIES: &str = r#"
kind = "usage"
format = "csv"
[columns]
device = "host"
user = "user"
[constants]
product = "sightings"
quantity = "1"
[key]
all_columns = true
row_number = true
[events]
missing_time = "received"
"#;

#[test]
fn sightings_keep_every_spelling_and_every_row() {
    let Some(bytes) = case("c46-host-identity/rows.csv") else { return };
    let collected = facts(&bytes, &parsed(IDENTITIES));
    expect![[r#"
        2 usage 2026-01-15T08:00:00Z sightings 1 user ana device BVS15004
        3 usage 2026-01-15T08:00:00Z sightings 1 user ana device bvs15004
        4 usage 2026-01-15T08:00:00Z sightings 1 user ANA device bvs15004.corp.example.org
        5 usage 2026-01-15T08:00:00Z sightings 1 user ana@example.org device BVS15004.CORP.EXAMPLE.ORG.
        6 usage 2026-01-15T08:00:00Z sightings 1 user ana device 10.9.8.7
        7 usage 2026-01-15T08:00:00Z sightings 1 user Ana Maria device bvs15004
    "#]].assert_eq(&shown(&collected));
    let ids: BTreeSet<_> = collected.facts.iter().map(|fact| fact.id).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn the_instant_of_rows_without_one_can_be_given_by_the_caller() {
    let mapping = parsed(IDENTITIES).with_constant(Field::At, "2025-01-01T00:00:00Z").unwrap();
    check(
        "source,host,user\nlmstat,h,ana\n",
        &mapping,
        &expect![[r#"
        2 usage 2025-01-01T00:00:00Z sightings 1 user ana device h
    "#]],
    );
}

#[test]
fn usage_rows_are_events_and_keep_their_identity_in_another_file() {
    let mapping = Mapping::builtin(Kind::Usage, Format::Csv);
    let rows = b"id,at,product,quantity\n1,2025-01-01T00:00:00Z,api,5\n";
    let first = facts(rows, &mapping);
    let (second, _) =
        limited(rows, &mapping, &Limits::default(), &context("again.csv", "2026-02-01T00:00:00Z"));
    assert_eq!(first.facts[0].id, second.facts[0].id);
    assert_eq!(first.facts[0].document, None);
    assert_eq!(first.facts.len(), 1, "a stream of events has no version");
}

#[test]
fn usage_rows_without_an_id_are_told_apart_by_their_place() {
    let mapping = Mapping::builtin(Kind::Usage, Format::Csv);
    let rows = b"at,product,quantity\n2025-01-01T00:00:00Z,api,5\n2025-01-01T00:00:00Z,api,5\n";
    let first = facts(rows, &mapping);
    assert_ne!(first.facts[0].id, first.facts[1].id);
    let (other, _) = limited(rows, &mapping, &Limits::default(), &context("other.csv", TAKEN_AT));
    assert_ne!(first.facts[0].id, other.facts[0].id);
    assert_eq!(first.facts, facts(rows, &mapping).facts);
}
