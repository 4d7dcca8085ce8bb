//! Every case by its name, and what it needs beside its files.

use super::{Setting, run};

/// Declares a test for each case.
macro_rules! cases {
    ($($(#[$doc:meta])* $test:ident $name:literal $setting:expr;)*) => {
        $($(#[$doc])* #[test] fn $test() { run($name, $setting); })*
    };
}

/// One license for each user on a host, where no license file says so.
const BY_USER_AND_HOST: &str = "[[rule]]\nproducts = [\"*\"]\nduplicates = \"UH\"\n";

fn plain() -> Setting {
    Setting::default()
}

cases! {
    c01_midnight_without_a_stamp "c01" plain();
    c02_a_year_rolls_over "c02" Setting { policy: "further_periods = [\"day\", \"all\"]", ..plain() };
    c03_a_spring_forward "c03" plain();
    c04_a_small_backstep "c04" plain();
    c05_a_restart_returns_everything "c05" plain();
    c06_duplicate_groups "c06" plain();
    c07_a_package_and_a_suite "c07" plain();
    c08_denied_then_served "c08" plain();
    c09_unsupported_then_out "c09" plain();
    c10_counts_out_of_order "c10" plain();
    c11_names_with_marks_and_ends "c11" Setting { policy: BY_USER_AND_HOST, ..plain() };
    c12_a_checkin_that_failed "c12" plain();
    c13_identical_lines "c13" plain();
    c14_verbose_lines "c14" Setting { policy: BY_USER_AND_HOST, ..plain() };
    c15_a_queue "c15" plain();
    c16_a_reread_changes_capacity "c16" plain();
    c17_noise "c17" plain();
    c18_reservations "c18" plain();
    c19_queued_lingering_and_case "c19" plain();
    c20_garbage_in_displays "c20" Setting {
        table: Some(
            "kind,member,account\ndevice,pc-1,gis\ndevice,PC-2,gis\ndevice,pc-3,gis\ndevice,pc-4,gis\n",
        ),
        ..plain()
    };
    c21_a_table_of_expiry_dates "c21" Setting { horizon: Some("2041-01-01T00:00:00Z"), ..plain() };
    c22_supersede "c22" Setting { horizon: Some("2024-06-01T00:00:00Z"), ..plain() };
    c23_syntax "c23" Setting { horizon: Some("2031-01-01T12:00:00Z"), ..plain() };
    c24_overdraft "c24" plain();
    c35_events_are_unique_by_id_and_source "c35" Setting {
        policy: "further_periods = [\"minute\", \"all\"]",
        mapping: Some(include_str!("../../../connectors/mappings/cloudevents-duration.toml")),
        received_at: Some("2023-01-01T00:02:00Z"),
        ..plain()
    };
    c36_a_month_in_the_zone_of_its_account "c36" Setting {
        mapping: Some("kind = \"usage\"\nformat = \"cloudevents\"\n[columns]\nquantity = \"data.n\"\n"),
        accounts: Some("account,time_zone\nbud,Europe/Budapest\nkir,Pacific/Kiritimati\n"),
        ..plain()
    };
    c37_a_late_arrival "c37" Setting {
        policy: "[closing]\nperiods = { \"2025-06\" = \"2025-07-01T06:00:00Z\" }\n",
        mapping: Some(
            "kind = \"usage\"\nformat = \"cloudevents\"\n[columns]\nquantity = \"data.n\"\n\
             [events]\nevent = \"/event\"\nreceived_at = \"/received_at\"\n",
        ),
        horizon: Some("2025-07-05T09:00:00Z"),
        ..plain()
    };
    c46_one_host_in_four_spellings "c46" Setting {
        policy: "[identity]\ndefault_domain = \"corp.example.org\"\nuser_domain = \"example.org\"\n",
        mapping: Some(
            "kind = \"usage\"\nformat = \"csv\"\n[columns]\nuser = \"user\"\ndevice = \"host\"\n\
             [key]\nrow_number = true\n[constants]\nproduct = \"any\"\nquantity = \"1\"\nat = \"2024-01-01T00:00:00Z\"\n",
        ),
        ..plain()
    };
    c48_a_purchase_list_is_no_list_of_rights "c48" Setting {
        mapping: Some(include_str!("../../../connectors/mappings/purchases-german.toml")),
        horizon: Some("2030-06-01T00:00:00Z"),
        ..plain()
    };
}
