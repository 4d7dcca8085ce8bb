//! Limits, each with its last good size and the first bad one, and input that means harm.

use super::*;

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
