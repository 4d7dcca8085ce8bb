//! Rights that are bound to people and machines: too many, unused, used by others (3.3, 3.6, 2.21).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn of_a_line_of_two_rights_three_are_bound_until_one_is_released() {
    check(
        "
        line APP 2 name L1 metric named_user from 2025-01-01
        [id=a] allocate L1 to user ada from 2025-01-01
        [id=b] allocate L1 to user bob from 2025-01-10
        [id=c] allocate L1 to user cyd from 2025-02-01 2
        settle 2025-01-31
        settle 2025-02-10
        [id=c rev=1] allocate L1 to user cyd from 2025-02-01 to 2025-02-05
        settle
        retract c rev 1
        settle
        ",
        &expect![[r#"
            settle 2025-01-31T00:00:00Z
            + position everyone APP named_user 2025-01: covered entitled 2 demand 0 peak 0
            + problem shelfware everyone APP 2025-01 2 2025-01-01..open
            settle 2025-02-10T00:00:00Z
            - position everyone APP named_user 2025-01: covered entitled 2 demand 0 peak 0
            + position everyone APP named_user 2025-02: covered entitled 2 demand 0 peak 0
            + problem double_allocation everyone APP L1 2 2025-02-01..open
            - problem shelfware everyone APP 2025-01 2 2025-01-01..open
            + problem shelfware everyone APP 2025-02 2 2025-02-01..open
            settle
            + problem double_allocation everyone APP L1 1 2025-02-01..2025-02-05
            - problem double_allocation everyone APP L1 2 2025-02-01..open
            settle
            - problem double_allocation everyone APP L1 1 2025-02-01..2025-02-05
        "#]],
    );
}

#[test]
fn too_much_is_bound_by_as_much_as_it_has_been_so_far_and_never_of_a_line_without_a_limit() {
    check(
        "
        [id=l] line APP 1 name L1 from 2025-01-01 to 2025-06-01
        line CAD unlimited name L2 from 2025-01-01
        line SIM unknown name L3 from 2025-01-01
        allocate L1 to user ada
        allocate L1 to device ws1 from 2025-01-10
        allocate L1 to user bob from 2025-02-01 1.5
        allocate L2 to user ada 1000
        allocate L3 to user ada 1000
        settle 2025-01-15
        settle 2025-02-02
        settle 2025-06-02
        [id=l rev=1] line APP 3 name L1 from 2025-01-01 to 2025-06-01
        settle
        [id=l rev=2] line APP 4 name L1 from 2025-01-01 to 2025-06-01
        settle
        ",
        &expect![[r#"
            settle 2025-01-15T00:00:00Z
            + position everyone APP concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone CAD concurrent 2025-01: covered entitled unlimited demand 0 peak 0
            + position everyone SIM concurrent 2025-01: covered entitled unknown demand 0 peak 0
            + problem double_allocation everyone APP L1 1 2025-01-10..2025-06-01
            + problem shelfware everyone APP 2025-01 1 2025-01-01..open
            settle 2025-02-02T00:00:00Z
            - position everyone APP concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            - position everyone CAD concurrent 2025-01: covered entitled unlimited demand 0 peak 0
            + position everyone CAD concurrent 2025-02: covered entitled unlimited demand 0 peak 0
            - position everyone SIM concurrent 2025-01: covered entitled unknown demand 0 peak 0
            + position everyone SIM concurrent 2025-02: covered entitled unknown demand 0 peak 0
            - problem double_allocation everyone APP L1 1 2025-01-10..2025-06-01
            + problem double_allocation everyone APP L1 2.5 2025-01-10..2025-06-01
            - problem shelfware everyone APP 2025-01 1 2025-01-01..open
            + problem shelfware everyone APP 2025-02 1 2025-02-01..open
            settle 2025-06-02T00:00:00Z
            - position everyone APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            - position everyone CAD concurrent 2025-02: covered entitled unlimited demand 0 peak 0
            + position everyone CAD concurrent 2025-06: covered entitled unlimited demand 0 peak 0
            - position everyone SIM concurrent 2025-02: covered entitled unknown demand 0 peak 0
            + position everyone SIM concurrent 2025-06: covered entitled unknown demand 0 peak 0
            - problem shelfware everyone APP 2025-02 1 2025-02-01..open
            settle
            + problem double_allocation everyone APP L1 0.5 2025-02-01..2025-06-01
            - problem double_allocation everyone APP L1 2.5 2025-01-10..2025-06-01
            settle
            - problem double_allocation everyone APP L1 0.5 2025-02-01..2025-06-01
        "#]],
    );
}

#[test]
fn an_allocation_of_a_line_that_nobody_knows_waits_for_it() {
    check(
        "
        show allocated
        [doc=list@1] allocate L1 to user ada
        [doc=list@1] allocate L1 to user bob
        version list 1 from 2025-01-01
        settle 2025-01-15
        line APP 1 name L1 from 2025-01-05
        settle
        [doc=list@2] allocate L1 to user bob
        version list 2 from 2025-01-20
        settle 2025-01-21
        ",
        &expect![[r#"
            settle 2025-01-15T00:00:00Z
            settle
            + allocated everyone APP: in use 0 not in use 2 others 0
            + position everyone APP concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + problem double_allocation everyone APP L1 1 2025-01-05..open
            + problem shelfware everyone APP 2025-01 1 2025-01-01..open
            settle 2025-01-21T00:00:00Z
            + allocated everyone APP: in use 0 not in use 1 others 0
            - allocated everyone APP: in use 0 not in use 2 others 0
            + problem double_allocation everyone APP L1 1 2025-01-05..2025-01-20
            - problem double_allocation everyone APP L1 1 2025-01-05..open
        "#]],
    );
}

#[test]
fn use_by_someone_to_whom_no_restricted_right_is_allocated_is_covered_and_reported_while_it_lasts()
{
    check(
        "
        line APP 5 name L1 from 2025-01-01 restricted
        allocate L1 to user ada
        allocate L1 to device ws9 from 2025-03-01 to 2025-03-04
        day 2025-03-03
        08:00 out APP ada@ws1
        09:00 out APP bob@ws1
        10:00 in APP bob@ws1
        11:00 out APP cyd@ws9
        settle 2025-03-03T12:00
        settle 2025-03-04T06:00
        2025-03-05T09:00 out APP bob@ws1
        settle 2025-03-05T09:30
        line APP 1 name L2 from 2025-03-05T10:00
        settle 2025-03-05T12:00
        [id=late] allocate L1 to user bob from 2025-03-01
        settle
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T09:00
            + problem shelfware everyone APP 2025-03 3 2025-03-01..open
            + problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..2025-03-03T10:00
            settle 2025-03-04T06:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T09:00
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T09:00
            + problem used_not_allocated everyone APP cyd 1 2025-03-04..open
            settle 2025-03-05T09:30:00Z
            - position everyone APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T09:00
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 3 peak 3 at 2025-03-05T09:00
            - problem shelfware everyone APP 2025-03 3 2025-03-01..open
            - problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..2025-03-03T10:00
            + problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..open
            settle 2025-03-05T12:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 5 demand 3 peak 3 at 2025-03-05T09:00
            + position everyone APP concurrent 2025-03: covered entitled 6 demand 3 peak 3 at 2025-03-05T09:00
            + problem shelfware everyone APP 2025-03 3 2025-03-01..open
            + problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..2025-03-05T10:00
            - problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..open
            + problem used_not_allocated everyone APP cyd 1 2025-03-04..2025-03-05T10:00
            - problem used_not_allocated everyone APP cyd 1 2025-03-04..open
            settle
            - problem used_not_allocated everyone APP bob 1 2025-03-03T09:00..2025-03-05T10:00
        "#]],
    );
}

#[test]
fn the_rights_that_count_decide_whether_a_product_is_restricted() {
    check(
        "
        line API 10 name L1 metric volume restricted
        line API 10 name F1 metric volume basis license_file
        allocate L1 to user a.smith
        [id=n] alias user a.smith = ada from 2025-03-02
        2025-03-01T10:00 use API 1 by ada for london
        2025-03-02T10:00 use API 1 by ada for london
        2025-03-02T11:00 use API 1 for london
        2025-03-02T12:00 use API 1 by bob at ws1 for london
        2025-03-03T12:00 use API 1 at ws1 for london
        settle 2025-03-04
        retract n
        settle
        ",
        &expect![[r#"
            settle 2025-03-04T00:00:00Z
            + position everyone API volume 2025-03: covered entitled 10 demand 5 peak 5 at 2025-03-01
            + problem shelfware everyone API 2025-03 5 2025-03-01..open
            + problem used_not_allocated london API ada 1 2025-03-01T10:00..2025-03-01T10:00:00.000001
            + problem used_not_allocated london API bob 1 2025-03-02T12:00..2025-03-02T12:00:00.000001
            + problem used_not_allocated london API ws1 1 2025-03-03T12:00..2025-03-03T12:00:00.000001
            settle
            - problem used_not_allocated london API ada 1 2025-03-01T10:00..2025-03-01T10:00:00.000001
            + problem used_not_allocated london API ada 1 2025-03-01T10:00..2025-03-02T10:00:00.000001
        "#]],
    );
}

const IDLE: &str = r#"
    [[rule]]
    products = ["APP", "API"]
    allocation_idle_seconds = 2592000
    shelfware_percent = 100
"#;

#[test]
fn an_allocation_without_use_for_thirty_days_is_reported_without_an_event_until_a_use_is_heard_of()
{
    check_by(
        IDLE,
        "
        line APP 5 name L1 metric named_user from 2025-01-01
        line CAD 5 name L2 from 2025-01-01
        allocate L1 to user ada from 2025-01-10
        allocate L1 to device ws1 2
        allocate L2 to user ada
        2025-01-20T08:00 out APP bob@ws1
        2025-01-20T09:00 in APP bob@ws1
        settle 2025-02-08
        settle 2025-02-09
        settle 2025-02-20
        [arrived=2025-02-21] 2025-02-01T10:00 out APP ada@ws3
        [arrived=2025-02-21] 2025-02-01T11:00 in APP ada@ws3
        settle 2025-02-21
        settle 2025-03-04
        2025-03-05T09:00 out APP ada@ws3
        settle 2025-03-05T10:00
        ",
        &expect![[r#"
            settle 2025-02-08T00:00:00Z
            + position everyone APP named_user 2025-02: covered entitled 5 demand 0 peak 0
            + position everyone CAD concurrent 2025-02: covered entitled 5 demand 0 peak 0
            + problem shelfware everyone APP 2025-02 5 2025-02-01..open
            + problem shelfware everyone CAD 2025-02 5 2025-02-01..open
            settle 2025-02-09T00:00:00Z
            + problem allocated_not_used everyone APP ada 1 2025-02-09..open
            settle 2025-02-20T00:00:00Z
            + problem allocated_not_used everyone APP ws1 2 2025-02-19T09:00..open
            settle 2025-02-21T00:00:00Z
            - problem allocated_not_used everyone APP ada 1 2025-02-09..open
            settle 2025-03-04T00:00:00Z
            - position everyone APP named_user 2025-02: covered entitled 5 demand 0 peak 0
            + position everyone APP named_user 2025-03: covered entitled 5 demand 0 peak 0
            - position everyone CAD concurrent 2025-02: covered entitled 5 demand 0 peak 0
            + position everyone CAD concurrent 2025-03: covered entitled 5 demand 0 peak 0
            + problem allocated_not_used everyone APP ada 1 2025-03-03T11:00..open
            - problem shelfware everyone APP 2025-02 5 2025-02-01..open
            + problem shelfware everyone APP 2025-03 5 2025-03-01..open
            - problem shelfware everyone CAD 2025-02 5 2025-02-01..open
            + problem shelfware everyone CAD 2025-03 5 2025-03-01..open
            settle 2025-03-05T10:00:00Z
            + problem allocated_not_used everyone APP ada 1 2025-03-03T11:00..2025-03-05T09:00
            - problem allocated_not_used everyone APP ada 1 2025-03-03T11:00..open
        "#]],
    );
}

#[test]
fn before_the_first_use_of_an_allocation_that_has_no_beginning_nothing_is_said() {
    check_by(
        IDLE,
        "
        line API 100 name L1 metric volume per all
        allocate L1 to user ada
        allocate L1 to user bob
        allocate L1 to user cyd from 2025-02-01
        2025-01-10T10:00 use API 1 by ada for london
        2025-02-01T10:00 use API 1 by ada for london
        settle 2025-03-02
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            settle 2025-03-04T00:00:00Z
            + problem allocated_not_used everyone API ada 1 2025-03-03T10:00:00.000001..open
            + problem allocated_not_used everyone API cyd 1 2025-03-03..open
        "#]],
    );
}

#[test]
fn what_is_allocated_is_in_use_or_not_at_the_horizon_for_the_account_of_its_holder() {
    check(
        "
        show allocated
        account london under group
        account paris under group
        member user ada in london
        member user bob in london
        member user cyd in paris
        member device ws9 in paris
        line APP 5 name L1 account group from 2025-01-01
        allocate L1 to user ada
        allocate L1 to user bob 2
        allocate L1 to device ws9 to 2025-03-05
        day 2025-03-03
        08:00 out APP ada@ws1
        08:00 out APP ada@ws2
        09:00 out APP cyd@ws3
        10:00 out APP cyd@ws9
        settle 2025-03-03T12:00
        13:00 in APP ada@ws1
        13:00 in APP ada@ws2
        settle 2025-03-03T14:00
        settle 2025-03-06
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + allocated london APP: in use 1 not in use 2 others 0
            + allocated paris APP: in use 1 not in use 0 others 1
            + position group APP concurrent 2025-03: covered entitled 5 demand 4 peak 4 at 2025-03-03T10:00
            settle 2025-03-03T14:00:00Z
            + allocated london APP: in use 0 not in use 3 others 0
            - allocated london APP: in use 1 not in use 2 others 0
            + position group APP concurrent 2025-03: covered entitled 5 demand 2 peak 4 at 2025-03-03T10:00
            - position group APP concurrent 2025-03: covered entitled 5 demand 4 peak 4 at 2025-03-03T10:00
            settle 2025-03-06T00:00:00Z
            + allocated paris APP: in use 0 not in use 0 others 1
            - allocated paris APP: in use 1 not in use 0 others 1
            - position group APP concurrent 2025-03: covered entitled 5 demand 2 peak 4 at 2025-03-03T10:00
            + position group APP concurrent 2025-03: covered entitled 5 demand 2 peak 4 at 2025-03-03T10:00
        "#]],
    );
}
