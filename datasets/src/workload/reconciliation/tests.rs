use super::{Line, Reconciliation, Row, Scale, plain, write};
use trueup_model::fact::Action;
use trueup_model::time::Timestamp;

fn drawn(rows: u32) -> (Reconciliation, Vec<Row>) {
    let mut stream = Reconciliation::new(Scale::of(rows), 7);
    let mut all = Vec::new();
    while all.len() < rows as usize {
        all.extend(stream.draw());
    }
    (stream, all)
}

#[test]
fn rows_come_twice_and_are_said_anew_in_known_shares() {
    let (_, rows) = drawn(50_000);
    let taken = rows.iter().filter(|row| row.is_taken_back).count();
    assert!((350..550).contains(&taken), "one draw in a hundred: {taken}");
    let mut standing: Vec<(u64, u32)> =
        rows.iter().filter(|row| !row.is_taken_back).map(|row| (row.id, row.revision)).collect();
    let said = standing.len();
    standing.sort_unstable();
    standing.dedup();
    let twice = said - standing.len();
    assert!((350..550).contains(&twice), "one draw in a hundred: {twice}");
}

#[test]
fn what_takes_a_row_back_names_it_as_it_was() {
    let (_, rows) = drawn(20_000);
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.is_taken_back) {
        let said = Row { is_taken_back: false, ..*row };
        assert!(rows[..place].contains(&said), "{row:?}");
        let anew = rows[place + 1];
        assert_eq!((anew.id, anew.revision, anew.at), (row.id, 1, row.at));
    }
}

#[test]
fn accounts_stand_under_the_level_above_and_every_one_has_a_name() {
    let (mut stream, _) = drawn(20_000);
    for _ in 0..50 {
        stream.change();
    }
    let tables = stream.tables();
    assert_eq!(tables.parents.iter().filter(|parent| parent.is_none()).count(), 2);
    for (account, parent) in tables.parents.iter().enumerate() {
        assert!(parent.is_none_or(|parent| (parent as usize) < account), "no circles: {account}");
        assert!(!tables.names[account].is_empty(), "{account} has a name");
    }
}

#[test]
fn lines_of_one_product_name_accounts_of_one_level() {
    let (stream, _) = drawn(20_000);
    let tables = stream.tables();
    for line in &tables.lines {
        let depth = u32::from(tables.parents[line.account as usize].is_some());
        assert_eq!(depth, line.product % 2, "{line:?}");
        assert!(line.months.contains(&true) && line.quantity > 0, "{line:?}");
    }
}

/// Three rows, one of them twice and one said anew; one line that does not suffice and one that does.
#[test]
fn the_answers_of_a_few_rows_are_those_by_hand() {
    let (mut stream, _) = drawn(1);
    let scale = stream.scale();
    let tables = &mut stream.tables;
    let parent = tables.parents[5].expect("it has one");
    tables.parents[parent as usize] = None;
    let alias = tables.names[5][0];
    let above = Line { account: parent, product: 3, quantity: 10, months: [true, false] };
    let own = Line { account: 5, product: 3, quantity: 100, months: [true, true] };
    tables.lines = vec![above, own];
    let january = Timestamp(1_768_003_200_000_000);
    let row = |id, user, quantity| Row {
        id,
        revision: 0,
        at: january,
        alias,
        sku: 3,
        user,
        device: 9,
        quantity,
        is_taken_back: false,
    };
    let old = row(3, 2, 50);
    let rows = [
        row(1, 1, 20),
        row(1, 1, 20),
        row(2, 2, 4),
        old,
        Row { is_taken_back: true, ..old },
        Row { revision: 1, quantity: 6, ..old },
    ];
    let answers = plain(&stream, &rows);
    assert_eq!((answers.used.rows, answers.used.sum), (1, 20 + 4 + 6));
    // Account 5, product 3, January: 5 · 31 + 3 · 7.
    assert_eq!(answers.used.mixed, 30 * 176);
    // At the account and above it, for the product and its family.
    assert_eq!((answers.totals.rows, answers.totals.sum), (4, 4 * 30));
    assert_eq!((answers.users.rows, answers.users.sum), (4, 4 * 2));
    assert_eq!((answers.devices.rows, answers.devices.sum), (4, 4));
    // 30 are needed: 10 do not suffice, 100 do.
    assert_eq!((answers.short.rows, answers.short.sum), (1, 20));
    assert_eq!(scale.families, 1);
}

#[test]
fn a_row_said_anew_is_one_fact_of_a_higher_revision() {
    let (stream, rows) = drawn(20_000);
    let place = rows.iter().position(|row| row.is_taken_back).expect("some are");
    assert_eq!(stream.fact_of(&rows[place]), None);
    let anew = stream.fact_of(&rows[place + 1]).expect("it is said");
    let old = Row { is_taken_back: false, ..rows[place] };
    let old = stream.fact_of(&old).expect("it was said");
    assert_eq!((anew.id, anew.revision, old.revision), (old.id, 1, 0));
    assert!(matches!(anew.action, Action::Assert(_)));
}

#[test]
fn what_changes_is_said_anew() {
    let (mut stream, _) = drawn(1000);
    let before = stream.contracts();
    let change = stream.change();
    let facts = stream.facts_of(&change);
    assert_eq!(facts.len(), 1 + change.lines.len());
    for fact in facts {
        let old = before.iter().find(|old| old.id == fact.id).expect("it was said before");
        assert!(fact.revision > old.revision);
    }
}

#[test]
fn files_hold_every_row_and_line() {
    let (stream, rows) = drawn(2000);
    let folder = tempfile::tempdir().unwrap();
    write(&stream, &rows, folder.path()).unwrap();
    let lines = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().count() - 1
    };
    assert_eq!(lines("rows.csv"), rows.len());
    assert_eq!(lines("accounts.csv"), stream.tables().parents.len());
    let families = std::fs::read_to_string(folder.path().join("families.csv")).unwrap();
    // Ten products; their one family is the node after them.
    assert!(families.starts_with("product,family\n0,10\n1,10\n"), "{families}");
    let months = |line: &Line| line.months.iter().filter(|month| **month).count();
    assert_eq!(lines("lines.csv"), stream.tables().lines.iter().map(months).sum::<usize>());
}
