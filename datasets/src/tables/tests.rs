use super::{Table, quoted};

#[test]
fn cells_with_commas_and_quotes_are_quoted() {
    assert_eq!(quoted("plain"), "plain");
    assert_eq!(quoted("a,b"), "\"a,b\"");
    assert_eq!(quoted("say \"a\""), "\"say \"\"a\"\"\"");
}

#[test]
fn a_table_begins_with_its_header() {
    let mut table = Table::new(&["line", "end"]);
    table.row(vec!["L-1, first".to_owned(), String::new()]);
    assert_eq!(table.bytes(), b"line,end\n\"L-1, first\",\n");
}
