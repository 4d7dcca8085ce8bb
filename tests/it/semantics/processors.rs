//! What processors need, by the vendors' rules (A 2.5, 2.6): facts of inventories in, positions out.

use expect_test::expect;
use trueup_tests::check::check_by;

/// A rule for the product `P`.
fn by(processors: &str) -> String {
    format!("[[rule]]\nproducts = [\"P*\"]\nprocessors = \"{processors}\"\nmetrics = [\"core\"]\n")
}

#[test]
fn windows_server_needs_eight_cores_a_processor_and_sixteen_a_machine() {
    check_by(
        &by("windows_server"),
        "
        machine h1 processors 1 cores 4
        machine h2 processors 1 cores 8
        machine h3 processors 2 cores 8
        machine h4 processors 2 cores 20
        machine h5 processors 4 cores 24
        install P1 h1 from 2025-03-01
        install P2 h2 from 2025-03-01
        install P3 h3 from 2025-03-01
        install P4 h4 from 2025-03-01
        install P5 h5 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P2 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P3 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P3 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P4 core 2025-03: unlicensed entitled 0 demand 20 peak 20 at 2025-03-01 short 20 2025-03-01..open
            + position everyone P4 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P5 core 2025-03: unlicensed entitled 0 demand 32 peak 32 at 2025-03-01 short 32 2025-03-01..open
            + position everyone P5 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 20 2025-03-01..open
            + problem unlicensed_use everyone P5 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P5 2025-03 32 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_hybrid_benefit_counts_virtual_cores_in_eights_and_at_most_the_cap() {
    check_by(
        &by("azure_hybrid"),
        "
        machine v1 vcores 1
        machine v2 vcores 8
        machine v3 vcores 10
        machine v4 vcores 20
        machine v5 vcores 16 cap 8
        install P1 v1 from 2025-03-01
        install P2 v2 from 2025-03-01
        install P3 v3 from 2025-03-01
        install P4 v4 from 2025-03-01
        install P5 v5 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P2 core 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + position everyone P2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P3 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P3 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P4 core 2025-03: unlicensed entitled 0 demand 24 peak 24 at 2025-03-01 short 24 2025-03-01..open
            + position everyone P4 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P5 core 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + position everyone P5 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 8 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 8 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 24 2025-03-01..open
            + problem unlicensed_use everyone P5 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P5 2025-03 8 2025-03-01..open
        "#]],
    );
}

#[test]
fn an_oracle_processor_is_rounded_up_after_the_cores_of_the_server_are_summed() {
    check_by(
        &by("oracle_processor"),
        "
        factor core xeon 0.5
        factor core old 0.1
        machine h1 processors 2 cores 8 model xeon
        machine h2 processors 1 cores 81 model old
        machine h3 processors 2 cores 32 model xeon
        machine h4 processors 1 cores 3 model riddle
        install P1 h1 from 2025-03-01
        install P2 h2 from 2025-03-01
        install P3 h3 from 2025-03-01
        install P4 h4 from 2025-03-01
        settle 12:00
        factor core riddle 0.75
        settle
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P2 core 2025-03: unlicensed entitled 0 demand 9 peak 9 at 2025-03-01 short 9 2025-03-01..open
            + position everyone P2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P3 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P3 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P4 core 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + position everyone P4 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem missing_core_factor P4 h4 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 9 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P3 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P4 2025-03 3 2025-03-01..open
            settle
            - problem missing_core_factor P4 h4 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_soft_partition_counts_the_whole_cluster_once_and_a_hard_one_what_it_has() {
    check_by(
        &by("oracle_processor"),
        "
        factor core any 0.5
        machine h1 processors 2 cores 16 cluster c1
        machine h2 processors 2 cores 16 cluster c1
        machine v1 vcores 2 on h1 cluster c1 soft
        machine v2 vcores 2 on h2 cluster c1 soft
        machine v3 vcores 2 on h1 cluster c1 hard
        install P1 v1 from 2025-03-01
        install P1 v2 from 2025-03-01
        install P2 v3 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + position everyone P2 core 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone P2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 16 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 2 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn cores_that_are_added_count_from_that_instant() {
    check_by(
        &by("windows_server"),
        "
        line P1 16 metric core
        machine h1 processors 1 cores 8 to 2025-03-03T10:00
        machine h1 processors 2 cores 20 from 2025-03-03T10:00
        install P1 h1 from 2025-03-01
        settle 2025-03-03T09:59
        settle 2025-03-03T10:00
        ",
        &expect![[r#"
            settle 2025-03-03T09:59:00Z
            + position everyone P1 core 2025-03: near entitled 16 demand 16 peak 16 at 2025-03-01
            + problem near_limit everyone P1 2025-03 16 2025-03-01..open
            settle 2025-03-03T10:00:00Z
            - position everyone P1 core 2025-03: near entitled 16 demand 16 peak 16 at 2025-03-01
            + position everyone P1 core 2025-03: over entitled 16 demand 20 peak 20 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            - problem near_limit everyone P1 2025-03 16 2025-03-01..open
            + problem over_use everyone P1 2025-03 4 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn of_users_at_least_so_many_for_each_core_or_license_are_needed() {
    check_by(
        r#"
        [[rule]]
        products = ["C"]
        processors = "oracle_processor"
        users_per_core = 25
        [[rule]]
        products = ["L"]
        processors = "oracle_processor"
        users_per_license = 25
        "#,
        "
        factor core any 0.5
        machine h1 processors 2 cores 8
        install C h1 from 2025-03-01
        install L h1 from 2025-03-01
        seat C ada from 2025-03-01
        seat L ada from 2025-03-01
        seat L bob from 2025-03-01
        line C 150 metric named_user
        line L 100 metric named_user
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone C named_user 2025-03: over entitled 150 demand 200 peak 200 at 2025-03-01 short 50 2025-03-01..open
            + position everyone L named_user 2025-03: near entitled 100 demand 100 peak 100 at 2025-03-01
            + problem near_limit everyone L 2025-03 100 2025-03-01..open
            + problem over_use everyone C 2025-03 50 2025-03-01..open
        "#]],
    );
}

#[test]
fn processor_values_count_the_lower_of_what_is_assigned_and_what_the_host_has() {
    check_by(
        "",
        "
        factor value xeon 120
        line DB2 300 metric processor_value
        machine h1 processors 4 cores 32 model xeon
        machine v1 vcores 4 on h1
        install DB2 v1 from 2025-03-01
        settle 2025-03-01T12:00
        machine v2 vcores 40 on h1
        install DB2 v2 from 2025-03-02
        settle 2025-03-02T12:00
        ",
        &expect![[r#"
            settle 2025-03-01T12:00:00Z
            + position everyone DB2 processor_value 2025-03: over entitled 300 demand 480 peak 480 at 2025-03-01 short 180 2025-03-01..open
            + problem over_use everyone DB2 2025-03 180 2025-03-01..open
            settle 2025-03-02T12:00:00Z
            + position everyone DB2 processor_value 2025-03: over entitled 300 demand 3840 peak 3840 at 2025-03-02 short 3540 2025-03-01..open
            - position everyone DB2 processor_value 2025-03: over entitled 300 demand 480 peak 480 at 2025-03-01 short 180 2025-03-01..open
            - problem over_use everyone DB2 2025-03 180 2025-03-01..open
            + problem over_use everyone DB2 2025-03 3540 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_machine_that_moves_between_hosts_counts_once_at_every_instant() {
    check_by(
        "",
        "
        factor value any 100
        line DB2 400 metric processor_value
        machine h1 processors 1 cores 8
        machine h2 processors 1 cores 8
        machine v1 vcores 4 on h1 to 2025-03-02
        machine v1 vcores 4 on h2 from 2025-03-02
        install DB2 v1 from 2025-03-01
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone DB2 processor_value 2025-03: near entitled 400 demand 400 peak 400 at 2025-03-01
            + problem near_limit everyone DB2 2025-03 400 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_model_that_no_table_names_counts_120_value_units_a_core_and_is_reported() {
    check_by(
        r#"
        [[rule]]
        products = ["DB2"]
        metrics = ["processor_value"]
        "#,
        "
        machine h1 processors 1 cores 8 model riddle
        install DB2 h1 from 2025-03-01
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone DB2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone DB2 processor_value 2025-03: unlicensed entitled 0 demand 960 peak 960 at 2025-03-01 short 960 2025-03-01..open
            + problem unknown_cpu_model DB2 h1 1 2025-03-01..open
            + problem unlicensed_use everyone DB2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone DB2 2025-03 960 2025-03-01..open
        "#]],
    );
}

#[test]
fn where_scans_stop_the_share_is_no_longer_proven_and_the_host_counts() {
    check_by(
        r#"
        [[rule]]
        products = ["DB2"]
        stale_after_seconds = 172800
        "#,
        "
        factor value any 100
        line DB2 400 metric processor_value
        [doc=scan@1] machine v1 vcores 4 on h1
        version scan 1 from 2025-03-01
        machine h1 processors 1 cores 8
        install DB2 v1 from 2025-03-01
        settle 2025-03-02
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone DB2 processor_value 2025-03: near entitled 400 demand 400 peak 400 at 2025-03-01
            + problem near_limit everyone DB2 2025-03 400 2025-03-01..open
            settle 2025-03-04T00:00:00Z
            - position everyone DB2 processor_value 2025-03: near entitled 400 demand 400 peak 400 at 2025-03-01
            + position everyone DB2 processor_value 2025-03: over entitled 400 demand 800 peak 800 at 2025-03-03 short 400 2025-03-03..open
            - problem near_limit everyone DB2 2025-03 400 2025-03-01..open
            + problem over_use everyone DB2 2025-03 400 2025-03-03..open
            + problem subcapacity_evidence_gap DB2 v1 1 2025-03-03..open
        "#]],
    );
}

#[test]
fn vmware_red_hat_and_cloud_rules_count_as_published() {
    check_by(
        r#"
        [[rule]]
        products = ["PV"]
        processors = "vmware_processor"
        metrics = ["core"]
        [[rule]]
        products = ["PR"]
        processors = "red_hat_sockets"
        metrics = ["core"]
        [[rule]]
        products = ["PS"]
        processors = "red_hat_sockets"
        metrics = ["core"]
        [[rule]]
        products = ["PO"]
        processors = "oracle_cloud_standard"
        metrics = ["core"]
        [[rule]]
        products = ["PT"]
        processors = "red_hat_virtual"
        metrics = ["core"]
        "#,
        "
        machine h1 processors 2 cores 66
        machine h2 processors 3 cores 12
        machine v1 vcores 10 threads 7
        install PV h1 from 2025-03-01
        install PR h2 from 2025-03-01
        install PS v1 from 2025-03-01
        install PO v1 from 2025-03-01
        install PT v1 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone PO core 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + position everyone PO device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone PR core 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone PR device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone PS core 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone PS device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone PT core 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone PT device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone PV core 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone PV device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone PO 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PO 2025-03 3 2025-03-01..open
            + problem unlicensed_use everyone PR 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PR 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone PS 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PS 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PT 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PT 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone PV 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone PV 2025-03 4 2025-03-01..open
        "#]],
    );
}

#[test]
fn pairs_of_sockets_are_rounded_for_each_host() {
    check_by(
        &by("red_hat_pairs"),
        "
        machine h1 processors 1 cores 4
        machine h2 processors 1 cores 4
        machine h3 processors 10 cores 40
        install P1 h1 from 2025-03-01
        install P1 h2 from 2025-03-01
        install P2 h3 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + position everyone P2 core 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position everyone P2 device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 2 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 2 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone P2 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn the_sockets_of_hypervisors_add_up() {
    check_by(
        &by("processors"),
        "
        machine h1 processors 4 cores 32
        machine h2 processors 4 cores 32
        machine h3 processors 2 cores 16
        install P1 h1 from 2025-03-01
        install P1 h2 from 2025-03-01
        install P1 h3 from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone P1 core 2025-03: unlicensed entitled 0 demand 10 peak 10 at 2025-03-01 short 10 2025-03-01..open
            + position everyone P1 device 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 10 2025-03-01..open
            + problem unlicensed_use everyone P1 2025-03 3 2025-03-01..open
        "#]],
    );
}
