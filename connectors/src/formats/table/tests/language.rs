//! What a mapping can say.

use super::*;

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
