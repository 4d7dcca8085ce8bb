//! The purchase list (case c48), versions of it, and what is taken back.

use super::*;

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
            2 reject bad_value: column `Metric`: `CPU` is none of concurrent, named_user, device, volume, token, core, processor_value, resource_value, level, feature, unique, maximum, latest; translate it under [values.metric] <4711;;;Mesh;CPU;Base;5;;;;IT;>
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
