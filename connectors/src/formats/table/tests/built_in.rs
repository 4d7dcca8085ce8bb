//! Tables whose headers are our own field names, and seat exports.

use super::*;

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
fn a_small_table_of_allocations_needs_no_mapping() {
    built_in(
        "line,kind,holder,quantity,start,end\nL1,user,ana,,2025-01-01,\nL1,Device,ws1,2,,2025-01-31\n\
         L1,account,IT,1,,\nL1,user,ben,0,,\nL1,user,,1,,\n",
        Kind::Allocations,
        &expect![[r#"
            2 allocation 1 of L1 to user ana [2025-01-01T00:00:00Z, open)
            3 allocation 2 of L1 to device ws1 [always, 2025-02-01T00:00:00Z)
            4 reject bad_value: column `kind`: `account` is none of user, device; translate it under [values.kind] <L1,account,IT,1,,>
            5 reject out_of_range: column `quantity` is not more than none <L1,user,ben,0,,>
            6 reject missing_value: column `holder`: no value <L1,user,,1,,>
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

#[test]
fn a_purchase_list_states_what_lines_have_to_do_with_each_other_and_what_they_tolerate() {
    built_in(
        "line,product,metric,quantity,kind,base,parent,territory,margin_percent,grace_days\n\
         L1,Mesh,concurrent,10,base,,,EU,25 %,30\n\
         L2,Mesh,concurrent,4,transfer,L1,,,,\n\
         L3,Mesh,concurrent,2,base,,L2,,,\n\
         L4,Mesh,concurrent,2,base,,,,-1,\n\
         L5,Mesh,concurrent,2,base,,,,,50000\n",
        Kind::Purchases,
        &expect![[r#"
            2 line L1 Mesh concurrent 10 base always territory EU margin 25 % grace 2592000 s
            3 line L2 Mesh concurrent 4 transfer always base L1
            4 line L3 Mesh concurrent 2 base always part of L2
            5 reject bad_value: column `margin_percent`: `-1` is below zero <L4,Mesh,concurrent,2,base,,,,-1,>
            6 reject out_of_range: column `grace_days`: `50000` is not a number of days up to 49710 <L5,Mesh,concurrent,2,base,,,,,50000>
            0 document list.csv with 3 rows from always
        "#]],
    );
}

#[test]
fn a_purchase_list_says_which_lines_are_restricted_to_those_to_whom_they_are_allocated() {
    built_in(
        "line,product,metric,quantity,restricted\nL1,Mesh,named_user,10,Yes\nL2,Mesh,named_user,4,no\n\
         L3,Mesh,named_user,4,\nL4,Mesh,named_user,4,perhaps\n",
        Kind::Purchases,
        &expect![[r#"
            2 line L1 Mesh named_user 10 base always restricted
            3 line L2 Mesh named_user 4 base always
            4 line L3 Mesh named_user 4 base always
            5 reject bad_value: column `restricted`: `perhaps` is none of no, yes; translate it under [values.restricted] <L4,Mesh,named_user,4,perhaps>
            0 document list.csv with 3 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_fees_needs_no_mapping() {
    built_in(
        "line,cost,currency,per,each,day_count,uplift,trial_days,base,start,end\n\
         L1,100,EUR,month,,,,,,2025-01-01,\nL2,9.99,EUR,year,yes,months 12,1.1,14,L1,,2025-12-31\n\
         L3,6000,,all,,,,,,,\nL4,5,,fortnight,,,,,,,\nL5,,EUR,month,,,,,,,\nL6,5,EUR,month,,,,-3,,,\n",
        Kind::Fees,
        &expect![[r#"
            2 fee 100.00 EUR of L1 per month by actual_in_period x1 after 0 days [2025-01-01T00:00:00Z, open)
            3 fee 9.99 EUR of L2 each per year by months_12 x1.1 after 14 days base L1 [always, 2026-01-01T00:00:00Z)
            4 fee 6000.00 of L3 per all by actual_in_period x1 after 0 days always
            5 reject bad_value: column `per`: `fortnight` is none of minute, hour, day, month, quarter, year, all; translate it under [values.per] <L4,5,,fortnight,,,,,,,>
            6 reject missing_value: column `cost`: no value <L5,,EUR,month,,,,,,,>
            7 reject bad_value: column `trial_days`: `-3` is below zero <L6,5,EUR,month,,,,-3,,,>
            0 document list.csv with 3 rows from always
        "#]],
    );
}

#[test]
fn a_small_table_of_bills_needs_no_mapping() {
    built_in(
        "product,billed,at,account\nCORES,19,2025-01-31,\nCORES,-2,2025-02-28T12:00:00Z,emea\n\
         CORES,many,2025-01-31,\nCORES,3,,\n",
        Kind::Bills,
        &expect![[r#"
            2 bill 19 of CORES at 2025-01-31T00:00:00Z
            3 bill -2 of CORES account emea at 2025-02-28T12:00:00Z
            4 reject bad_value: column `billed`: `many` is no number: the decimal sign is `.` and there is no thousands sign <CORES,many,2025-01-31,>
            5 reject missing_value: column `at`: no value <CORES,3,,>
            0 document list.csv with 2 rows from always
        "#]],
    );
}
