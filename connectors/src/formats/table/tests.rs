//! Tables from bytes to facts: the cases, the traps, and input that means harm.

use super::{Limits, column_letters, read};
use crate::formats::mapping::tests::{context, shown};
use crate::formats::mapping::{Field, Format, Kind, Mapping, Snapshot, Summary};
use crate::formats::{Collected, Context};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;
use trueup_model::contract::{EntitlementLine, LineKind};
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

const TAKEN_AT: &str = "2026-01-15T08:00:00Z";

fn taken() -> Context {
    context("list.csv", TAKEN_AT)
}

fn limited(
    bytes: &[u8],
    mapping: &Mapping,
    limits: &Limits,
    context: &Context,
) -> (Collected, Summary) {
    let mut collected = Collected::default();
    let snapshot = Snapshot::observed_at(context.received_at);
    let summary = read(bytes, mapping, &snapshot, limits, context, &mut collected);
    let rejects = collected.facts.iter().filter(|fact| reject_of(fact).is_some()).count();
    // Beyond the most that are told one by one, one reject says how many there are.
    let told = summary.rejects.min(limits.rejects_max + 1);
    assert_eq!(told, rejects as u64);
    (collected, summary)
}

fn facts(bytes: &[u8], mapping: &Mapping) -> Collected {
    limited(bytes, mapping, &Limits::default(), &taken()).0
}

fn check(text: &str, mapping: &Mapping, expected: &Expect) {
    expected.assert_eq(&shown(&facts(text.as_bytes(), mapping)));
}

fn built_in(text: &str, kind: Kind, expected: &Expect) {
    check(text, &Mapping::builtin(kind, Format::Csv), expected);
}

fn parsed(text: &str) -> Mapping {
    Mapping::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn reject_of(fact: &Fact<String>) -> Option<(u64, RejectReason, &str)> {
    match &fact.action {
        Action::Assert(Body::Reject(reject)) => {
            let detail = reject.detail.as_deref().unwrap_or_default();
            Some((fact.provenance.position, reject.reason, detail))
        }
        Action::Assert(_) | Action::Retract(_) => None,
    }
}

fn rejects(collected: &Collected) -> Vec<(u64, RejectReason)> {
    let found = collected.facts.iter().filter_map(reject_of);
    found.map(|(position, reason, _)| (position, reason)).collect()
}

/// How many facts say something; a table that was read whole also takes an old refusal back.
fn said_count(collected: &Collected) -> usize {
    collected.facts.iter().filter(|fact| matches!(fact.action, Action::Assert(_))).count()
}

fn declares_a_version(collected: &Collected) -> bool {
    collected.facts.iter().any(|fact| matches!(&fact.action, Action::Assert(Body::Document(_))))
}

fn shipped(name: &str) -> Mapping {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings").join(name);
    parsed(&std::fs::read_to_string(path).unwrap())
}

/// A file of a case, or `None` with a printed reason.
fn case(path: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases").join(path);
    let found = std::fs::read(&path);
    if found.is_err() {
        println!("skipped: there is no {}", path.display());
    }
    found.ok()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

// The purchase list (case c48).

const PURCHASES: &str = "\u{feff}PO Number;Publisher;SKU;Product;Metric;EntitlementType;Quantity;\
    AvailableStartDate;ExpiryDate;MaintenanceEndDate;Legal Organization;Cost\r\n";

/// The distinct lines by identity: what the engine makes of repeated rows.
fn distinct_lines(collected: &Collected) -> Vec<EntitlementLine<String>> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for fact in &collected.facts {
        if let Action::Assert(Body::Line(line)) = &fact.action
            && seen.insert(fact.id)
        {
            lines.push(line.clone());
        }
    }
    lines
}

fn entitled(lines: &[EntitlementLine<String>], product: &str, instant: &str) -> String {
    let granted = lines
        .iter()
        .filter(|line| line.product == product && line.kind == LineKind::Base)
        .filter(|line| line.span.contains(at(instant)));
    let sum = granted.map(|line| match line.quantity {
        Capacity::Limited(quantity) => i128::from(quantity.0),
        Capacity::Unlimited | Capacity::Unknown => panic!("{} has a quantity", line.line),
    });
    Quantity::from_sum(sum.sum()).unwrap().to_string()
}

#[test]
fn a_purchase_list_is_not_a_list_of_rights() {
    let Some(bytes) = case("c48-entitlement-purchases/purchases.csv") else { return };
    let (collected, summary) =
        limited(&bytes, &shipped("purchases-german.toml"), &Limits::default(), &taken());
    assert_eq!((summary.facts, summary.rejects, summary.skipped), (6, 1, 1));
    let lines = distinct_lines(&collected);
    assert_eq!(lines.len(), 5, "the repeated line is the same fact");
    for (instant, expected) in [
        ("2023-05-01T00:00:00Z", "1000"),
        ("2024-07-01T00:00:00Z", "980"),
        ("2025-01-15T00:00:00Z", "1030"),
        ("2026-01-15T00:00:00Z", "980"),
        ("2030-06-01T00:00:00Z", "1480"),
        // The first instant of 3 April 2023 in Berlin, and the last one before.
        ("2023-04-02T22:00:00Z", "1000"),
        ("2023-04-02T21:59:59.999999Z", "0"),
        // 30 November 2025 is the last day of 50 of them.
        ("2025-11-30T22:59:59.999999Z", "1030"),
        ("2025-11-30T23:00:00Z", "980"),
    ] {
        assert_eq!(entitled(&lines, "Mesh", instant), expected, "{instant}");
    }
    let cost: i64 = lines.iter().filter_map(|line| line.cost).map(|cost| cost.amount).sum();
    assert_eq!(cost, 2_199_800_000);
    let until = lines.iter().find_map(|line| line.maintenance_until);
    assert_eq!(until, Some(at("2025-04-02T22:00:00Z")), "through 2 April in Berlin");
    let incomplete: Vec<_> = collected.facts.iter().filter_map(reject_of).collect();
    assert_eq!(
        incomplete,
        [(
            7,
            RejectReason::Incomplete,
            "no account; not counted: line 4716, product Mesh, quantity 10, cost 12,00"
        )]
    );
    assert!(declares_a_version(&collected));
}

#[test]
fn the_same_order_number_with_other_content_has_the_same_identity() {
    let rows = format!(
        "{PURCHASES}4711;;;Mesh;Named User;Base;5;;;;IT;\r\n\
         4711;;;Mesh;Named User;Base;6;;;;IT;\r\n4712;;;Mesh;Named User;Base;6;;;;IT;\r\n"
    );
    let collected = facts(rows.as_bytes(), &shipped("purchases-german.toml"));
    let ids: Vec<_> = collected.facts.iter().map(|fact| fact.id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_ne!(collected.facts[0].action, collected.facts[1].action);
}

#[test]
fn rows_of_another_version_are_other_facts_of_the_same_lines() {
    let rows = format!("{PURCHASES}4711;;;Mesh;Named User;Base;5;;;;IT;\n");
    let mapping = shipped("purchases-german.toml");
    let first = facts(rows.as_bytes(), &mapping);
    let context = context("renamed.csv", "2026-02-15T08:00:00Z");
    let (second, _) = limited(rows.as_bytes(), &mapping, &Limits::default(), &context);
    assert_ne!(first.facts[0].id, second.facts[0].id);
    assert_eq!(first.facts[0].action, second.facts[0].action);
    let document = |collected: &Collected| {
        let row = collected.facts[0].document.clone().unwrap();
        (row.document, row.version)
    };
    assert_eq!(document(&first), ("purchases".to_owned(), 1_768_464_000_000_000));
    assert_eq!(document(&second).0, "purchases");
    assert!(document(&second).1 > document(&first).1);
    // Reading the same version again gives the same facts.
    assert_eq!(first.facts, facts(rows.as_bytes(), &mapping).facts);
}

#[test]
fn a_reject_belongs_to_its_version_so_that_a_corrected_list_takes_it_back() {
    let rows = format!("{PURCHASES}4711;;;Mesh;CPU;Base;5;;;;IT;\n");
    let collected = facts(rows.as_bytes(), &shipped("purchases-german.toml"));
    check(
        &rows,
        &shipped("purchases-german.toml"),
        &expect![[r#"
        2 reject bad_value: column `Metric`: `CPU` is none of concurrent, named_user, device, volume, token, core, processor_value, resource_value, level, feature; translate it under [values.metric] <4711;;;Mesh;CPU;Base;5;;;;IT;>
        0 document purchases with 0 rows from always
    "#]],
    );
    assert_eq!(collected.facts[0].document.as_ref().unwrap().document, "purchases");
}

#[test]
fn a_list_that_could_not_be_taken_says_so_until_a_whole_one_comes() {
    let mapping = shipped("purchases-german.toml");
    let at_time = |text: &str, received_at: &str| {
        let context = context("list.csv", received_at);
        limited(text.as_bytes(), &mapping, &Limits::default(), &context).0.facts
    };
    let row = "4711;;;Mesh;Named User;Base;5;;;;IT;\n";
    let torn = at_time(&format!("{PURCHASES}{row}4712;;;\"Mesh"), "2026-01-01T00:00:00Z");
    let refused = torn.last().unwrap();
    assert_eq!(reject_of(refused).unwrap().1, RejectReason::Torn);
    assert_eq!(refused.document, None, "a row of this version would never be in force");
    let worse = at_time("PO;Product\n", "2026-01-02T00:00:00Z");
    assert_eq!((worse.len(), worse[0].id), (1, refused.id));
    assert!(worse[0].revision > refused.revision, "the newest refusal counts");
    let whole = at_time(&format!("{PURCHASES}{row}"), "2026-01-03T00:00:00Z");
    let cleared = whole.last().unwrap();
    assert_eq!(cleared.action, Action::Retract(FactKind::Reject));
    assert_eq!((cleared.id, cleared.document.as_ref()), (refused.id, None));
    assert!(cleared.revision > worse[0].revision);
}

#[test]
fn mistakes_beyond_the_limit_are_counted_in_one() {
    let limits = Limits { rejects_max: 2, ..Limits::default() };
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    let told = |rows: usize| {
        let text = format!("product,family\n{}Mesh,Sim\n", "x\n".repeat(rows));
        let mut collected = Collected::default();
        let snapshot = Snapshot::observed_at(at(TAKEN_AT));
        let summary = read(text.as_bytes(), &mapping, &snapshot, &limits, &taken(), &mut collected);
        (summary.rejects, rejects(&collected).len(), shown(&collected))
    };
    assert_eq!((told(2).0, told(2).1), (2, 2));
    assert_eq!((told(3).0, told(3).1), (3, 3));
    assert_eq!((told(500).0, told(500).1), (500, 3));
    assert!(
        told(500)
            .2
            .contains("4 reject malformed: 498 more were set aside from here on <(and more)>")
    );
}

// Identities (case c46).

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

// Built-in mappings.

#[test]
fn a_small_table_of_accounts_needs_no_mapping() {
    built_in(
        "account,parent,start,end,time_zone\nIT,Root,2024-01-01,2024-12-31,Europe/Madrid\nHR,,,,\n",
        Kind::Accounts,
        &expect![[r#"
            2 account IT [2024-01-01T00:00:00Z, 2025-01-01T00:00:00Z) parent Root zone Europe/Madrid
            3 account HR always
            0 document list.csv with 2 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_aliases_needs_no_mapping() {
    built_in(
        "canonical;raw;kind\nana;ANA DIAZ;User\nbvs;10.9.8.7;device\nx;y;planet\n",
        Kind::Aliases,
        &expect![[r#"
            2 alias User ANA DIAZ = ana always
            3 alias Device 10.9.8.7 = bvs always
            4 reject bad_value: column `kind`: `planet` is none of device, user, product, account; translate it under [values.kind] <x;y;planet>
            0 document list.csv with 2 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_memberships_needs_no_mapping() {
    built_in(
        "kind,member,account\nuser,ana,IT\nserver,lm@h,IT\n",
        Kind::Memberships,
        &expect![[r#"
            2 member User ana of IT always
            3 member Server lm@h of IT always
            0 document list.csv with 2 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_products_needs_no_mapping() {
    built_in(
        "product\tfamily\tpublisher\nMesh\tSim\tSim GmbH\nSolo\t\t\n",
        Kind::Products,
        &expect![[r#"
            2 product Mesh family Sim publisher Sim GmbH
            3 product Solo
            0 document list.csv with 2 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_purchases_needs_no_mapping() {
    built_in(
        "line,product,metric,quantity,per,cost,currency,class,priority,duplicates\n\
         1,Mesh,Named User,Unlimited,,,,,,\n2,API,volume,0.5,day,3,EUR,trial,-1,UH\n\
         3,Mesh,device,,,,,,,\n4,Mesh,device,5,week,,,,,\n5,Mesh,device,5,,1,euro,,,\n\
         6,Mesh,device,5,,,,,1.5,\n",
        Kind::Purchases,
        &expect![[r#"
            2 line 1 Mesh named_user unlimited base always
            3 line 2 API volume 0.5 base always cost 3.00 EUR
            4 line 3 Mesh device unknown base always
            5 reject bad_value: column `per`: `week` is none of minute, hour, day, month, quarter, year, all; translate it under [values.per] <4,Mesh,device,5,week,,,,,>
            6 reject bad_value: column `currency`: `euro` is not a currency code of three letters, such as EUR <5,Mesh,device,5,,1,euro,,,>
            7 reject out_of_range: column `priority`: `1.5` is not a whole number of nine digits <6,Mesh,device,5,,,,,1.5,>
            0 document list.csv with 3 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_seats_needs_no_mapping() {
    built_in(
        "product,user,class,start,end,account,last_active\nIDE,ana,guest,2025-01-01,,IT,2025-06-01T10:00:00Z\n\
         IDE,ben,,,2025-01-31,,\nIDE,,,,,,\n",
        Kind::Seats,
        &expect![[r#"
            2 seat IDE ana Guest [2025-01-01T00:00:00Z, open) account IT last active 2025-06-01T10:00:00Z
            3 seat IDE ben Full [always, 2025-02-01T00:00:00Z)
            4 reject missing_value: column `user`: no value <IDE,,,,,,>
            0 document list.csv with 2 rows from 2026-01-15T08:00:00Z
        "#]],
    );
}

#[test]
fn a_small_table_of_usage_needs_no_mapping() {
    built_in(
        "id,at,product,account,user,device,quantity\n1,2025-01-01T00:00:00Z,api,a,u,d,-0.5\n\
         2,,api,,,,1\n3,2025-01-01T00:00:00Z,api,,,,\n,2025-01-01T00:00:00Z,api,,,,1\n",
        Kind::Usage,
        &expect![[r#"
            2 usage 2025-01-01T00:00:00Z api -0.5 account a user u device d
            3 reject missing_value: column `at`: no value <2,,api,,,,1>
            4 reject missing_value: column `quantity`: no value <3,2025-01-01T00:00:00Z,api,,,,>
            5 reject missing_value: nothing in the columns of the key <,2025-01-01T00:00:00Z,api,,,,1>
        "#]],
    );
}

#[test]
fn a_seat_export_holds_from_the_day_on_which_it_was_taken() {
    let text = "Product,User principal name,User type,Status,Assigned on,Last activity\n\
        IDE,ana@example.org,Member,Active,2025-02-01,2026/01/11 09:15:22\n\
        IDE,bot@example.org,Service account,Active,,Never logged in\n\
        IDE,old@example.org,Member,DELETED,,\n\
        IDE,eve@example.org,Robot,Active,,\n";
    check(
        text,
        &shipped("seats-export.toml"),
        &expect![[r#"
            2 seat IDE ana@example.org Full [2025-02-01T00:00:00Z, open) last active 2026-01-11T09:15:22Z
            3 seat IDE bot@example.org Service always
            5 reject bad_value: column `User type`: `Robot` is none of full, guest, service; translate it under [values.class] <IDE,eve@example.org,Robot,Active,,>
            0 document seats with 2 rows from 2026-01-15T08:00:00Z
            0 note: rows left out as [skip] says: 1
        "#]],
    );
    let mut collected = Collected::default();
    let snapshot = Snapshot {
        document: Some("seats of IDE".to_owned()),
        version: 7,
        taken_at: Some(at("2026-01-01T00:00:00Z")),
    };
    let mapping = shipped("seats-export.toml");
    let limits = Limits::default();
    read(text.as_bytes(), &mapping, &snapshot, &limits, &taken(), &mut collected);
    let version = collected.facts.iter().find_map(|fact| match &fact.action {
        Action::Assert(Body::Document(version)) => Some(version),
        Action::Assert(_) | Action::Retract(_) => None,
    });
    let version = version.unwrap();
    assert_eq!(version.document, "seats of IDE");
    assert_eq!((version.version, version.rows), (7, 2));
    assert_eq!(version.effective_from, at("2026-01-01T00:00:00Z"));
}

// The language of mappings.

#[test]
fn columns_join_defaults_fill_and_words_mean_nothing() {
    let mapping = parsed(
        r#"
kind = "purchases"
format = "csv"
require = ["account"]
[locale]
decimal = ","
dates = ["%d.%m.%Y"]
[words]
empty = ["n/a", "-"]
unlimited = ["unbegrenzt"]
open = ["unbefristet"]
[columns]
product = "Artikel"
quantity = "Menge"
end = "Ende"
account = "Firma"
currency = "W"
cost = "Preis"
[joins.line]
columns = ["Bestellung", "Pos"]
separator = "/"
[constants]
metric = "named_user"
start = "2024-01-01"
[defaults]
currency = "EUR"
account = "Zentrale"
[values.product]
"SM-100" = "Mesh"
[values.account]
"IT GmbH" = "IT"
"alt" = ""
[key]
columns = ["Bestellung", "Pos"]
"#,
    );
    check(
        "Bestellung;Pos;Artikel;Menge;Ende;Firma;W;Preis\n\
         4711;10;sm-100;5,5;30.06.2025;it gmbh;;3,50\n\
         4711;20;Other;UNBEGRENZT;unbefristet;N/A;USD;1\n\
         4711;;Other;-;-;alt;;\n\
         ;;Other;1;;IT;;\n",
        &mapping,
        &expect![[r#"
            2 line 4711/10 Mesh named_user 5.5 base [2024-01-01T00:00:00Z, 2025-07-01T00:00:00Z) account IT cost 3.50 EUR
            3 line 4711/20 Other named_user unlimited base [2024-01-01T00:00:00Z, open) account Zentrale cost 1.00 USD
            4 line 4711 Other named_user unknown base [2024-01-01T00:00:00Z, open) account Zentrale
            5 reject missing_value: columns `Bestellung` + `Pos`: no value <;;Other;1;;IT;;>
            0 document list.csv with 3 rows from always
        "#]],
    );
}

#[test]
fn a_missing_column_refuses_the_table_unless_it_is_optional() {
    let text = |optional: &str| {
        format!(
            "kind = \"purchases\"\nformat = \"csv\"\n{optional}\n[columns]\nline = \"PO\"\n\
             product = \"Product\"\nmetric = \"Metric\"\naccount = \"Organization\"\n"
        )
    };
    let rows = "po,PRODUCT, Metric ,Organisation\n1,Mesh,device,IT\n";
    check(
        rows,
        &parsed(&text("")),
        &expect![[r#"
        1 reject missing_value: the header lacks `Organization`, which mapping test.toml names; it has `po`, `PRODUCT`, `Metric`, `Organisation` <po,PRODUCT, Metric ,Organisation>
    "#]],
    );
    check(
        rows,
        &parsed(&text("optional = [\"account\"]")),
        &expect![[r#"
        2 line 1 Mesh device unknown base always
        0 document list.csv with 1 rows from always
    "#]],
    );
    let twice = "po,product,metric,organization,PO\n1,Mesh,device,IT,2\n";
    check(
        twice,
        &parsed(&text("")),
        &expect![[r#"
        1 reject malformed: the header has `PO` more than once <po,product,metric,organization,PO>
    "#]],
    );
}

#[test]
fn a_table_without_header_has_columns_by_letter() {
    let mapping = parsed(
        "kind = \"products\"\nformat = \"csv\"\n[table]\nheader = false\nskip_rows = 1\n\
         [columns]\nproduct = \"B\"\nfamily = \"A\"\n",
    );
    check(
        "exported today\nSim,Mesh\nSim,Solver\n",
        &mapping,
        &expect![[r#"
        2 product Mesh family Sim
        3 product Solver family Sim
        0 document list.csv with 2 rows from always
    "#]],
    );
    assert_eq!([0, 25, 26, 701, 702].map(column_letters), ["A", "Z", "AA", "ZZ", "AAA"]);
}

#[test]
fn words_in_a_date_column_and_rows_of_no_interest_are_no_mistakes() {
    let Some(bytes) = case("c49-workspace-users/users.csv") else { return };
    let mapping = parsed(
        r#"
kind = "seats"
format = "csv"
time_zone = "UTC"
[locale]
dates = ["%Y/%m/%d %H:%M:%S"]
[words]
empty = ["never logged in"]
[columns]
user = "Email Address [Required]"
last_active = "Last Sign In [READ ONLY]"
[constants]
product = "Workspace"
[skip]
"Status [READ ONLY]" = ["suspended"]
"#,
    );
    expect![[r#"
        2 seat Workspace ana@example.org Full always last active 2026-08-11T09:15:22Z
        3 seat Workspace BEN@example.org Full always
        5 seat Workspace ben@example.org Full always
        0 document list.csv with 3 rows from 2026-01-15T08:00:00Z
        0 note: rows left out as [skip] says: 1
    "#]]
    .assert_eq(&shown(&facts(&bytes, &mapping)));
}

// CSV as it comes.

#[test]
fn quotes_line_breaks_and_blank_rows_are_read() {
    built_in(
        "product,family\r\n\"Mesh, \"\"Pro\"\"\",\"Sim\nand\r\nmore\"\r\n\r\n,\r\n5\" disk,Hardware\r\n\
         \" padded \",x\r\n",
        Kind::Products,
        &expect![[r#"
            2 product Mesh, "Pro" family Sim\nand\r\nmore
            7 product 5" disk family Hardware
            8 product padded family x
            0 document list.csv with 3 rows from always
        "#]],
    );
    built_in(
        "product;family\rMesh;Sim\rSolver;Sim\r",
        Kind::Products,
        &expect![[r#"
        1 product Mesh family Sim
        1 product Solver family Sim
        0 document list.csv with 2 rows from always
    "#]],
    );
    built_in(
        "sep=;\nproduct;family\nMesh;\"a;b\"",
        Kind::Products,
        &expect![[r#"
        3 product Mesh family a;b
        0 document list.csv with 1 rows from always
    "#]],
    );
}

#[test]
fn ragged_rows_are_set_aside_and_cost_no_other() {
    built_in(
        "product,family\nMesh\nSolver,Sim,extra\nPost,Sim,\nPre,Sim\n",
        Kind::Products,
        &expect![[r#"
            2 reject malformed: it has 1 of the header's 2 cells <Mesh>
            3 reject malformed: it has 3 cells, the header 2; `extra` has no column <Solver,Sim,extra>
            4 product Post family Sim
            5 product Pre family Sim
            0 document list.csv with 2 rows from always
        "#]],
    );
}

#[test]
fn a_wrong_quote_costs_its_own_line_only() {
    built_in(
        "product,family\nMesh,Sim\n\"Solver,Sim\nPost,Sim\nPre,\"Sim\"\nView,Sim\n",
        Kind::Products,
        &expect![[r#"
            2 product Mesh family Sim
            3 reject malformed: a quote inside a quoted cell is not doubled <"Solver,Sim>
            4 product Post family Sim
            5 product Pre family Sim
            6 product View family Sim
            0 document list.csv with 4 rows from always
        "#]],
    );
    built_in(
        "product,family\n\"the \"Mesh\" thing\",Sim\nPost,\"a\nb\"\n\"Pre\",\"Sim",
        Kind::Products,
        &expect![[r#"
            2 reject malformed: a quote inside a quoted cell is not doubled <"the "Mesh" thing",Sim>
            3 product Post family a\nb
            5 reject torn: the file ends inside a quoted cell <"Pre","Sim>
        "#]],
    );
}

#[test]
fn wrong_bytes_cost_their_own_row_only() {
    let rows = b"product,family\nM\xfcller,Sim\nMesh,Sim\n";
    let collected = facts(rows, &Mapping::builtin(Kind::Products, Format::Csv));
    expect![[r#"
        2 reject not_text: it is not in the file's encoding <M�ller,Sim>
        3 product Mesh family Sim
        0 document list.csv with 1 rows from always
    "#]]
    .assert_eq(&shown(&collected));
    let latin = parsed(
        "kind = \"products\"\nformat = \"csv\"\n[table]\nencoding = \"windows-1252\"\n\
         [columns]\nproduct = \"product\"\n",
    );
    expect![[r#"
        2 product Müller
        3 product Mesh
        0 document list.csv with 2 rows from always
    "#]]
    .assert_eq(&shown(&facts(rows, &latin)));
    let holes = b"product,family\nM\x81ller,Sim\nM\xfcller \x80,Sim\n";
    expect![[r#"
        2 reject not_text: it is not in the file's encoding <M�ller,Sim>
        3 product Müller €
        0 document list.csv with 1 rows from always
    "#]]
    .assert_eq(&shown(&facts(holes, &latin)));
}

#[test]
fn utf_16_from_a_spreadsheet_is_read_by_its_mark() {
    let text = "product\tfamily\r\nMüller €\tSim\r\nMesh\t\u{1F600}\r\n";
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    // A half of a pair in the last row, instead of its first unit.
    let whole = facts(&bytes, &Mapping::builtin(Kind::Products, Format::Csv));
    expect![[r#"
        2 product Müller € family Sim
        3 product Mesh family 😀
        0 document list.csv with 2 rows from always
    "#]]
    .assert_eq(&shown(&whole));
    let at = bytes.len() - 8;
    bytes.drain(at..at + 2);
    let damaged = facts(&bytes, &Mapping::builtin(Kind::Products, Format::Csv));
    assert_eq!(rejects(&damaged), [(3, RejectReason::NotText)]);
    assert!(declares_a_version(&damaged));
}

#[test]
fn an_empty_file_and_a_header_alone_are_two_things() {
    built_in(
        "",
        Kind::Products,
        &expect![[r#"
        0 reject missing_value: the table has no header row <>
    "#]],
    );
    built_in(
        "\n\n ,\n",
        Kind::Products,
        &expect![[r#"
        0 reject missing_value: the table has no header row <�� ,�>
    "#]],
    );
    built_in(
        "product\n",
        Kind::Products,
        &expect![[r#"
        0 document list.csv with 0 rows from always
    "#]],
    );
}

#[test]
fn rows_that_end_before_they_start_are_out_of_range() {
    built_in(
        "account,start,end\nA,2025-01-02,2025-01-01\nB,2025-01-01,2025-01-01\n",
        Kind::Accounts,
        &expect![[r#"
            2 reject out_of_range: column `end` is not after 2025-01-02T00:00:00Z <A,2025-01-02,2025-01-01>
            3 account B [2025-01-01T00:00:00Z, 2025-01-02T00:00:00Z)
            0 document list.csv with 1 rows from always
        "#]],
    );
}

// Limits, each with its last good size and the first bad one.

const SMALL: Limits = Limits {
    file_bytes_max: 1000,
    row_bytes_max: 40,
    cell_bytes_max: 20,
    columns_max: 3,
    rows_max: 2,
    rejects_max: 1000,
    cells_max: 10,
    sheet_bytes_max: 1000,
    part_bytes_max: 1000,
};

fn within(text: &str) -> (Vec<(u64, RejectReason)>, bool) {
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    let (collected, summary) = limited(text.as_bytes(), &mapping, &SMALL, &taken());
    assert_eq!(summary.complete, declares_a_version(&collected));
    (rejects(&collected), summary.complete)
}

#[test]
fn each_limit_lets_its_last_size_pass_and_names_the_next() {
    let too_long = |position| (vec![(position, RejectReason::TooLong)], true);
    let nothing = (vec![], true);
    let row = |cell: usize| format!("product,family,publisher\n{},b,c\n", "x".repeat(cell));
    assert_eq!(within(&row(20)), nothing);
    assert_eq!(within(&row(21)), too_long(2));
    let pair = |cell: usize| format!("product,family,publisher\n{0},{0},\n", "x".repeat(cell));
    assert_eq!(within(&pair(19)), nothing);
    assert_eq!(within(&pair(20)), too_long(2));
    let rows = |count: usize| format!("product\n{}", "x\n".repeat(count));
    assert_eq!(within(&rows(2)), nothing);
    assert_eq!(within(&rows(3)), (vec![(4, RejectReason::TooLong)], false));
    assert_eq!(within("product,family,publisher\na,b,c\n"), nothing);
    assert_eq!(
        within("product,family,publisher,x\na,b,c,d\n"),
        (vec![(1, RejectReason::TooLong)], false)
    );
    let file = |bytes: usize| format!("product\n{}", "\n".repeat(bytes - 8));
    assert_eq!(within(&file(1000)), nothing);
    assert_eq!(within(&file(1001)), (vec![(0, RejectReason::TooLong)], false));
    // A name has a limit of its own.
    let name = |bytes: usize| format!("product\n{}\nMesh\n", "n".repeat(bytes));
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    assert_eq!(rejects(&facts(name(1024).as_bytes(), &mapping)), []);
    let long = facts(name(1025).as_bytes(), &mapping);
    assert_eq!(rejects(&long), [(2, RejectReason::TooLong)]);
    assert_eq!(said_count(&long), 3);
}

// Input that means harm.

#[test]
fn a_cell_of_ten_megabytes_costs_its_row() {
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    let huge = "x".repeat(10 * 1024 * 1024);
    for cell in
        [huge.clone(), format!("\"{huge}\""), format!("\"{}\"", huge.replace("xxxx", "xxx\n"))]
    {
        let collected = facts(format!("product\n{cell}\nMesh\n").as_bytes(), &mapping);
        assert_eq!(rejects(&collected), [(2, RejectReason::TooLong)]);
        assert!(shown(&collected).contains(" product Mesh\n"));
        assert_eq!(said_count(&collected), 3);
    }
}

#[test]
fn a_million_columns_are_refused() {
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    let wide = format!("product{}\nMesh\n", ",x".repeat(1_000_000));
    assert_eq!(rejects(&facts(wide.as_bytes(), &mapping)), [(1, RejectReason::TooLong)]);
    let many = format!("product{}\nMesh\n", ",x".repeat(100_000));
    assert_eq!(rejects(&facts(many.as_bytes(), &mapping)), [(1, RejectReason::TooLong)]);
    let row = format!("product\nMesh{}\nSolver\n", ",".repeat(500_000));
    assert_eq!(said_count(&facts(row.as_bytes(), &mapping)), 3, "empty cells say nothing");
}

#[test]
fn quotes_that_are_never_closed_cost_time_in_proportion() {
    let mapping = Mapping::builtin(Kind::Products, Format::Csv);
    for line in [",\"\nx\",", "\"x\n", "\"\"x\n", "\"x\"\"\n", "\"\"\"\n", "a,\"b\n", "\"\n"] {
        let text = format!("product,family\n{}", line.repeat(200_000));
        let _ = facts(text.as_bytes(), &mapping);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_table_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in Kind::ALL {
            let mapping = Mapping::builtin(kind, Format::Csv);
            let _ = limited(&bytes, &mapping, &SMALL, &taken());
            let _ = limited(&bytes, &mapping, &Limits::default(), &taken());
        }
    }

    #[test]
    fn no_rows_make_a_table_panic(rows in "([a-z0-9.,;\"\\-/: \n\r]|unlimited|2025-01-01|UTC){0,120}") {
        let header = "id,at,product,account,user,device,quantity\n";
        let text = format!("{header}{rows}");
        let _ = facts(text.as_bytes(), &Mapping::builtin(Kind::Usage, Format::Csv));
        let purchases = format!("{PURCHASES}{rows}");
        let _ = facts(purchases.as_bytes(), &shipped("purchases-german.toml"));
    }

    /// What a CSV writer writes is read back, and a damaged line between costs nothing else.
    #[test]
    fn sound_rows_survive_whatever_stands_between(
        rows in prop::collection::vec(("[a-z,;\"\n]{1,8}x", "[a-z,;\" \n]{0,8}"), 1..20),
        damage in prop::sample::select(vec!["", "\"open,x\n", "a \"b\" c\n", "\"loose\"q,x\n", "\"\"\"\n"]),
        place in 0_usize..20,
    ) {
        let mut text = b"product,family\n".to_vec();
        let mut expected = BTreeSet::new();
        for (index, (product, family)) in rows.iter().enumerate() {
            if index == place {
                text.extend_from_slice(damage.as_bytes());
            }
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            // Each row stands on a line of its own, so that damage before it ends where it begins.
            let flat = |cell: &str| if damage.is_empty() { cell.to_owned() } else { cell.replace('\n', " ") };
            writer.write_record([flat(product), flat(family)]).unwrap();
            text.extend(writer.into_inner().unwrap());
            expected.insert(flat(product).trim().to_owned());
        }
        let collected = facts(&text, &Mapping::builtin(Kind::Products, Format::Csv));
        let found: BTreeSet<String> = collected.facts.iter().filter_map(|fact| match &fact.action {
            Action::Assert(Body::Product(product)) => Some(product.product.clone()),
            Action::Assert(_) | Action::Retract(_) => None,
        }).collect();
        prop_assert!(expected.is_subset(&found), "{expected:?} {found:?} in {}", String::from_utf8_lossy(&text));
    }
}
