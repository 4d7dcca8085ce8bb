//! CSV as it comes.

use super::*;

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
