use super::*;
use crate::formats::flexnet::testing::{Case, shared};
use proptest::prelude::*;

fn of(text: &str) -> Option<FlexnetFormat> {
    detect(text.as_bytes()).format
}

#[test]
fn the_problem_inputs_are_told_apart() {
    let log = FlexnetFormat::DebugLog;
    let license = FlexnetFormat::LicenseFile;
    for (case, file, expected) in [
        ("c01-fn-midnight-unstamped", "debug.log", log),
        ("c02-fn-year-rollover", "debug.log", log),
        ("c05-fn-restart-implicit-return", "a-2017-06-08.log", log),
        ("c06-fn-dup-group", "uh.lic", license),
        ("c07-fn-package-suite", "cad.lic", license),
        ("c11-fn-names-bom-crlf", "debug.log", log),
        ("c12-fn-checkin-failed", "debug.log", log),
        ("c14-fn-verbose", "debug.log", log),
        ("c17-fn-noise", "debug.log", log),
        ("c18-lm-reservations", "lmstat.txt", FlexnetFormat::Lmstat),
        ("c20-lm-display-garbage", "lmstat.txt", FlexnetFormat::Lmstat),
        ("c21-lm-expiry-table", "a.txt", FlexnetFormat::Expiry),
        ("c21-lm-expiry-table", "b.txt", FlexnetFormat::Expiry),
        ("c22-lic-supersede", "a.lic", license),
        ("c23-lic-syntax", "a.lic", license),
    ] {
        let Some(case_file) = Case::open(case).map(|opened| opened.file(file)) else { return };
        let found = detect(&case_file);
        assert_eq!(found.format, Some(expected), "{case}/{file}: {}", found.reason);
    }
}

#[test]
fn real_files_are_told_apart_and_other_managers_are_not_taken() {
    let family = [
        ("flexnet/matlab-2022.log", Some(FlexnetFormat::DebugLog)),
        ("flexnet/maple-2022.log", Some(FlexnetFormat::DebugLog)),
        ("lmstat/lmstat_app4.txt", Some(FlexnetFormat::Lmstat)),
        ("lmstat/lmstat_server_down.txt", Some(FlexnetFormat::Lmstat)),
        ("lmstat/lmstat_i_app2.txt", Some(FlexnetFormat::Expiry)),
        ("floating-managers/flexlm_output_3.txt", Some(FlexnetFormat::Lmstat)),
        ("floating-managers/flexlm_output_bad.txt", Some(FlexnetFormat::Lmstat)),
        ("floating-managers/rlm_output.txt", None),
        ("floating-managers/lmx_output.txt", None),
        ("floating-managers/dsls_output.txt", None),
        ("floating-managers/lsdyna_output.txt", None),
        ("floating-managers/olicense_output.txt", None),
        ("floating-managers/scontrol_show_lic_output_flexlm.txt", None),
        ("ibm/pvu_sub_capacity.csv", None),
        ("focus/focus_sample.csv", None),
    ];
    for (file, expected) in family {
        let Some(bytes) = shared(&format!("data/{file}")) else { return };
        let found = detect(&bytes);
        assert_eq!(found.format, expected, "{file}: {}", found.reason);
    }
    for case in ["c25-rlm-newyear/r.rl", "c26-rlm-reread-restates/r.rl"] {
        let Some(bytes) = shared(&format!("cases/{case}")) else { return };
        assert_eq!(detect(&bytes).format, None, "{case}");
    }
}

#[test]
fn what_only_looks_alike_is_not_taken() {
    for text in [
        "",
        "\n \n",
        "10:00:00 (app) hello\n10:00:01 (app) world\n",
        "the FEATURE list of the VENDOR\nSERVER down\n",
        "SERVER lic1 ANY 27000\n",
        "GROUP x\nsome other text\nand more of it\n",
        "a,b,c\n1,2,3\n",
        "{\"feature\": \"mesh\"}\n",
        "Users of the library:  (all)\n",
    ] {
        assert_eq!(of(text), None, "{text}");
    }
    assert_eq!(detect(b"\xff\xfeF\0E\0").format, None);
    assert!(detect(b"\xff\xfeF\0E\0").reason.contains("UTF-16"));
}

#[test]
fn a_single_telling_line_is_enough() {
    for (text, expected) in [
        ("10:00:00 (vd) OUT: \"f\" a@h  \n", FlexnetFormat::DebugLog),
        ("SERVER lic1 ANY 27000\nVENDOR vd\n", FlexnetFormat::LicenseFile),
        ("VENDOR vd\nSERVER lic1 ANY 27000\n", FlexnetFormat::LicenseFile),
        ("increment f v 1.0 permanent 1", FlexnetFormat::LicenseFile),
        ("# mine\nRESERVE 1 f USER a\n", FlexnetFormat::OptionsFile),
        ("Error getting status: Cannot connect to license server\n", FlexnetFormat::Lmstat),
    ] {
        assert_eq!(of(text), Some(expected), "{text}");
        assert!(detect(text.as_bytes()).reason.contains("line"), "the reason names a line");
    }
}

#[test]
fn only_the_head_is_looked_at() {
    let mut bytes = vec![b'x'; HEAD_BYTES_MAX];
    bytes.extend_from_slice(b"\nINCREMENT f v 1.0 permanent 1\n");
    assert_eq!(detect(&bytes).format, None);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        detect(&bytes);
    }
}
