use super::{FileLine, Granted, Header, Keyword, LicenseFile, Package, Supersedes, write};
use crate::random::Random;
use crate::traps::{Trap, Traps};
use jiff::civil::date;
use trueup_model::calendar::Zone;
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, Quantity};

fn granted(lines: Vec<FileLine>, feature: &str, at: &str) -> Option<Granted> {
    let file = LicenseFile { packages: Vec::new(), lines };
    let zone = Zone::named("Europe/Berlin").unwrap();
    file.granted(feature, at.parse().unwrap(), &zone)
}

fn limited(units: i64) -> Option<Capacity> {
    Some(Capacity::Limited(Quantity::units(units)))
}

fn line(count: u32) -> FileLine {
    FileLine::new(Keyword::Increment, "mesh", "5.0", count)
}

#[test]
fn increments_add_and_only_the_first_feature_line_counts() {
    let feature = |count| FileLine { keyword: Keyword::Feature, ..line(count) };
    let found = granted(vec![feature(10), feature(99), line(5)], "mesh", "2026-01-01T12:00:00Z");
    assert_eq!(found.map(|granted| granted.capacity), limited(15));
}

#[test]
fn an_expiry_day_is_the_last_valid_one_in_the_servers_zone() {
    let until = FileLine { expiry: Some(date(2026, 2, 28)), ..line(3) };
    let at = |text| granted(vec![until.clone()], "mesh", text).map(|granted| granted.capacity);
    assert_eq!(at("2026-02-28T22:59:59Z"), limited(3));
    assert_eq!(at("2026-02-28T23:00:00Z"), limited(0));
}

#[test]
fn a_line_grants_nothing_before_its_start() {
    let from = FileLine { start: Some(date(2030, 1, 1)), ..line(7) };
    let at = |text| granted(vec![from.clone()], "mesh", text).map(|granted| granted.capacity);
    assert_eq!(at("2029-12-31T22:59:59Z"), limited(0));
    assert_eq!(at("2029-12-31T23:00:00Z"), limited(7));
}

#[test]
fn a_superseding_line_takes_away_what_was_issued_before() {
    let issued = |year, count| FileLine { issued: Some(date(year, 1, 1)), ..line(count) };
    let newer = |count| FileLine { supersedes: Supersedes::Same, ..issued(2009, count) };
    let at = "2026-01-01T12:00:00Z";
    let both = granted(vec![issued(2008, 1), newer(4), newer(3)], "mesh", at);
    assert_eq!(both.map(|granted| granted.capacity), limited(7));
    let older = granted(vec![issued(2010, 6), newer(2)], "mesh", at);
    assert_eq!(older.map(|granted| granted.capacity), limited(8));
}

#[test]
fn tolerated_use_is_no_right_and_uncounted_is_no_limit() {
    let tolerant = FileLine { overdraft: 2, ..line(3) };
    let found = granted(vec![tolerant], "mesh", "2026-01-01T12:00:00Z").unwrap();
    assert_eq!(Some(found.capacity), limited(3));
    assert_eq!(found.overdraft, 2);
    let uncounted = FileLine { count: None, ..line(0) };
    let unlimited = granted(vec![uncounted], "mesh", "2026-01-01T12:00:00Z").unwrap();
    assert_eq!(unlimited.capacity, Capacity::Unlimited);
    assert_eq!(granted(vec![line(1)], "other", "2026-01-01T12:00:00Z"), None);
}

#[test]
fn long_lines_are_continued_and_everything_is_written() {
    let full = FileLine {
        duplicates: Duplicates::parse("UH"),
        suite_duplicates: Duplicates::parse("UHV"),
        overdraft: 1,
        issued: Some(date(2026, 1, 2)),
        expiry: Some(date(2027, 12, 31)),
        notice: Some("two words, and a third".to_owned()),
        ..line(4)
    };
    let package = Package {
        name: "mesh".to_owned(),
        version: "5.0".to_owned(),
        components: (0..6).map(|number| format!("component_{number}")).collect(),
    };
    let file = LicenseFile { packages: vec![package], lines: vec![full] };
    let header = Header { host: "lic1", port: 27000, daemon: "simvd" };
    let mut traps = Traps::default();
    let bytes = write(header, &file, false, &mut Random::new(1), &mut traps);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.lines().all(|line| line.len() <= 90), "{text}");
    assert!(traps.count(Trap::Continuation) > 1);
    let joined = text.replace(" \\\n\t", " ");
    for part in [
        "SERVER lic1 ",
        " 27000\nVENDOR simvd\nUSE_SERVER\n",
        "COMPONENTS=\"component_0 component_1 ",
        "INCREMENT mesh simvd 5.0 31-dec-2027 4 SUITE_DUP_GROUP=UHV DUP_GROUP=UH OVERDRAFT=1",
        " ISSUED=2-jan-2026 NOTICE=\"two words, and a third\" SIGN=\"",
    ] {
        assert!(joined.contains(part), "`{part}` is missing in\n{joined}");
    }
}
