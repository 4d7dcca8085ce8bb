//! The rules of time, quantity and identity, on the examples of the semantics.

use crate::calendar::{Calendar, Period, PeriodUnit, Zone};
use crate::hash::{IdMap, hash64, hash128};
use crate::id::{Dictionary, NameError, NameKind, TenantId};
use crate::identity::IdentityRules;
use crate::metric::Duplicates;
use crate::quantity::{Money, Quantity, QuantityError, Ratio, Rounding, divide, parse_decimal};
use crate::time::{Span, Timestamp};
use jiff::civil::{Date, date};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

fn calendar(name: &str, anchor: Date) -> Calendar {
    Calendar { zone: zone(name), anchor }
}

/// The local days on which the first `count` periods after the anchor begin.
fn boundaries(unit: PeriodUnit, anchor: Date, count: i64) -> Vec<String> {
    let calendar = calendar("UTC", anchor);
    let day = |index| calendar.zone.local(calendar.boundary(unit, index)).date().to_string();
    (1..=count).map(day).collect()
}

#[test]
fn a_month_series_from_the_31st_counts_from_its_original_anchor() {
    assert_eq!(
        boundaries(PeriodUnit::Month, date(2025, 1, 31), 9),
        [
            "2025-02-28",
            "2025-03-31",
            "2025-04-30",
            "2025-05-31",
            "2025-06-30",
            "2025-07-31",
            "2025-08-31",
            "2025-09-30",
            "2025-10-31"
        ]
    );
}

#[test]
fn a_year_series_from_a_leap_day_returns_to_it() {
    assert_eq!(
        boundaries(PeriodUnit::Year, date(2024, 2, 29), 4),
        ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    );
}

#[test]
fn the_period_of_13_february_from_an_anchor_on_the_30th() {
    let found =
        calendar("UTC", date(2025, 1, 30)).period(PeriodUnit::Month, at("2025-02-13T00:00:00Z"));
    assert_eq!(found.span, Span::new(at("2025-01-30T00:00:00Z"), at("2025-02-28T00:00:00Z")));
}

#[test]
fn local_days_have_23_24_or_25_hours() {
    let zone = zone("America/Los_Angeles");
    let hours = |day| Span::new(zone.day_start(day), zone.day_end(day)).length_us() / 3_600_000_000;
    assert_eq!(hours(date(2025, 3, 8)), 24);
    assert_eq!(hours(date(2025, 3, 9)), 23);
    assert_eq!(hours(date(2025, 11, 2)), 25);
}

#[test]
fn a_month_begins_at_local_midnight() {
    let month = |zone_name: &str, instant: &str| {
        Calendar::natural(zone(zone_name)).period(PeriodUnit::Month, at(instant)).span
    };
    let budapest = month("Europe/Budapest", "2025-01-15T12:00:00Z");
    assert_eq!(budapest.start, at("2024-12-31T23:00:00Z"));
    assert!(!budapest.contains(at("2024-12-31T22:59:59Z")));
    assert_eq!(month("Europe/Budapest", "2025-04-02T00:00:00Z").start, at("2025-03-31T22:00:00Z"));
    let kiritimati = month("Pacific/Kiritimati", "2025-02-10T00:00:00Z");
    assert_eq!(kiritimati.start, at("2025-01-31T10:00:00Z"));
    let vienna = Calendar::natural(zone("Europe/Vienna"));
    let day = vienna.period(PeriodUnit::Day, at("2026-01-31T22:30:00Z"));
    assert_eq!(vienna.label(day), "2026-01-31");
}

#[test]
fn a_local_time_in_a_gap_is_the_first_instant_after_it() {
    let detroit = zone("America/Detroit");
    let gap = date(2017, 3, 12).at(2, 30, 0, 0);
    assert_eq!(detroit.instant(gap), at("2017-03-12T07:00:00Z"));
    // The hole of a day: Samoa skipped 30 December 2011.
    let apia = zone("Pacific/Apia");
    assert_eq!(apia.instant(date(2011, 12, 30).at(12, 0, 0, 0)), at("2011-12-30T10:00:00Z"));
}

#[test]
fn a_local_time_in_an_overlap_is_the_earlier_one() {
    let detroit = zone("America/Detroit");
    let overlap = date(2017, 11, 5).at(1, 30, 0, 0);
    assert_eq!(detroit.instant(overlap), at("2017-11-05T05:30:00Z"));
    assert_eq!(
        detroit.instants(overlap),
        (at("2017-11-05T05:30:00Z"), Some(at("2017-11-05T06:30:00Z")))
    );
}

#[test]
fn the_offset_of_a_date_is_that_date_s() {
    // In 1970 Lisbon was an hour ahead of UTC all year, today only in summer.
    let lisbon = zone("Europe/Lisbon");
    assert_eq!(lisbon.day_start(date(1970, 1, 15)), at("1970-01-14T23:00:00Z"));
    assert_eq!(lisbon.day_start(date(2025, 1, 15)), at("2025-01-15T00:00:00Z"));
}

#[test]
fn the_last_microsecond_is_inside_and_the_end_is_not() {
    let day = Calendar::natural(Zone::utc()).period(PeriodUnit::Day, at("2025-06-30T12:00:00Z"));
    assert!(day.span.contains(at("2025-06-30T23:59:59.999999Z")));
    assert!(!day.span.contains(at("2025-07-01T00:00:00Z")));
}

#[test]
fn minutes_and_hours_align_to_the_local_clock() {
    let kolkata = Calendar::natural(zone("Asia/Kolkata"));
    let instant = at("2025-01-01T00:10:30Z");
    let hour = kolkata.period(PeriodUnit::Hour, instant).span;
    assert_eq!(hour, Span::new(at("2024-12-31T23:30:00Z"), at("2025-01-01T00:30:00Z")));
    let minute = kolkata.period(PeriodUnit::Minute, instant).span;
    assert_eq!(minute, Span::new(at("2025-01-01T00:10:00Z"), at("2025-01-01T00:11:00Z")));
}

#[test]
fn periods_have_names_for_people() {
    let utc = Calendar::natural(Zone::utc());
    let label = |unit| utc.label(utc.period(unit, at("2025-05-06T07:08:09Z")));
    assert_eq!(label(PeriodUnit::Month), "2025-05");
    assert_eq!(label(PeriodUnit::Quarter), "2025-Q2");
    assert_eq!(label(PeriodUnit::Year), "2025");
    assert_eq!(label(PeriodUnit::Day), "2025-05-06");
    assert_eq!(label(PeriodUnit::Minute), "2025-05-06T07:08");
    assert_eq!(utc.label(Period::ALL), "all");
}

#[test]
fn instants_are_read_with_their_offset_and_floored_to_microseconds() {
    assert_eq!(at("2023-01-01T00:59:59.999+01:00"), at("2022-12-31T23:59:59.999Z"));
    assert_eq!(at("2025-01-01T00:00:00.0000019Z").0 % 10, 1);
    assert_eq!(at("1969-12-31T23:59:59.9999999Z"), Timestamp(-1));
    for refused in
        ["2023-01-01T00:00:00", "2023-01-01T00:00", "yesterday", "", "9999-01-01T00:00:00Z"]
    {
        assert!(refused.parse::<Timestamp>().is_err(), "{refused}");
    }
}

#[test]
fn quantities_are_exact() {
    let read = |text: &str| text.parse::<Quantity>();
    assert_eq!(read("1e1"), Ok(Quantity::units(10)));
    assert_eq!(read("5.001").unwrap().0, 5_001_000);
    assert_eq!(read("-0.5").unwrap().to_string(), "-0.5");
    assert_eq!(read("1000.000000000").unwrap(), Quantity::units(1000));
    assert_eq!(read("0e999999999"), Ok(Quantity::ZERO));
    assert_eq!(read("0.0000001"), Err(QuantityError::TooPrecise("0.0000001".into())));
    assert_eq!(read("1e30"), Err(QuantityError::TooLarge("1e30".into())));
    for refused in ["", " ", "-", ".", "1,5", "0x10", "NaN", "1e", "１"] {
        assert!(matches!(read(refused), Err(QuantityError::NotANumber(_))), "{refused}");
    }
    assert_eq!(parse_decimal("9223372036854775807", 0), Ok(i64::MAX));
    assert!(parse_decimal("9223372036854775808", 0).is_err());
}

/// LAGO-wallet: 100 less 14.28 is 85.72, not 85.71.
#[test]
fn a_wallet_is_exact() {
    let spent: Quantity = "-14.28".parse().unwrap();
    let left = Quantity::units(100).checked_add(spent).unwrap();
    assert_eq!(left.to_string(), "85.72");
}

#[test]
fn money_shows_at_least_two_places() {
    let money = |amount, currency| Money { amount, currency }.to_string();
    assert_eq!(money(2_199_800_000, Money::NO_CURRENCY), "2199.80");
    assert_eq!(money(-24_700_000, *b"EUR"), "-24.70 EUR");
    assert_eq!(money(1_234_567, *b"USD"), "1.234567 USD");
}

#[test]
fn rounding_follows_its_name_on_both_sides_of_zero() {
    use Rounding::{Ceil, Floor, HalfEven, HalfUp};
    let rows = [
        (5, [2, 3, 3, 2]),
        (7, [3, 4, 4, 4]),
        (-5, [-3, -2, -3, -2]),
        (-7, [-4, -3, -4, -4]),
        (4, [2, 2, 2, 2]),
    ];
    for (dividend, expected) in rows {
        let found = [Floor, Ceil, HalfUp, HalfEven].map(|mode| divide(dividend, 2, mode));
        assert_eq!(found, expected, "{dividend}/2");
    }
    let third = Ratio::new(2, -6).unwrap();
    assert_eq!((third.numerator(), third.denominator()), (-1, 3));
    assert_eq!(third.of(Quantity::ONE, Floor), Some(Quantity(-333_334)));
    assert_eq!(Ratio::new(1, 0), None);
}

#[test]
fn duplicate_groups_are_read_as_license_files_write_them() {
    for text in ["NONE", "SITE", "U", "UH", "UHD", "UHDV", "HV"] {
        assert_eq!(Duplicates::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Duplicates::parse("uh"), Duplicates::parse("UH"));
    assert_eq!(Duplicates::parse("X"), None);
    assert_eq!(Duplicates::parse(""), None);
}

#[test]
fn one_machine_in_four_spellings_is_one_name() {
    let rules = IdentityRules {
        case_sensitive: false,
        default_domain: Some("corp.example.org".into()),
        user_domain: Some("example.org".into()),
    };
    let host = |raw| rules.normalize(NameKind::Device, raw);
    for raw in ["BVS15004", "bvs15004", "bvs15004.corp.example.org", "BVS15004.CORP.EXAMPLE.ORG."] {
        assert_eq!((host(raw).name.as_str(), host(raw).resolved), ("bvs15004", true), "{raw}");
    }
    assert_eq!((host("10.9.8.7").name.as_str(), host("10.9.8.7").resolved), ("10.9.8.7", false));
    assert!(!host("fe80::1").resolved);
    assert_eq!(host("xcorp.example.org").name, "xcorp.example.org");
    assert_eq!(host(".corp.example.org").name, ".corp.example.org");
    let user = |raw| rules.normalize(NameKind::User, raw);
    assert_eq!(user("ana@example.org").name, "ana");
    assert_eq!(user("ANA").name, "ana");
    assert_eq!(user("ana@elsewhere.org").name, "ana@elsewhere.org");
    assert!(!user("Ana  Maria").resolved);
    assert_eq!(user("Ana  Maria").name, "ana maria");
}

#[test]
fn the_dictionary_shows_a_spelling_that_does_not_depend_on_the_order() {
    let tenant = TenantId::named("t");
    for order in [["UPM", "upm", "Upm"], ["upm", "Upm", "UPM"]] {
        let mut names = Dictionary::new(IdentityRules::default(), 10);
        let ids = order.map(|raw| names.intern(NameKind::User, tenant, raw).unwrap());
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(names.shown(ids[0]), "upm");
        assert_eq!(names.len(), 1);
    }
}

#[test]
fn the_dictionary_keeps_kinds_and_tenants_apart_and_has_a_limit() {
    let mut names = Dictionary::new(IdentityRules::default(), 3);
    let (one, two) = (TenantId::named("one"), TenantId::named("two"));
    let user = names.intern(NameKind::User, one, "ana").unwrap();
    let device = names.intern(NameKind::Device, one, "ana").unwrap();
    let other = names.intern(NameKind::User, two, "ana").unwrap();
    assert!(user != device && user != other);
    assert_eq!(names.intern(NameKind::User, one, "bob"), Err(NameError::Full { limit: 3 }));
    assert_eq!(names.intern(NameKind::User, one, "ana"), Ok(user));
}

#[test]
fn hashes_are_framed_and_stable() {
    assert_ne!(hash64(&[b"ab", b"c"]), hash64(&[b"a", b"bc"]));
    // Stored in journals: a change here is a change of format.
    assert_eq!(format!("{:016x}", hash64(&[b"user", b"ana"])), STABLE_64);
    assert_eq!(format!("{:032x}", hash128(&[b"user", b"ana"])), STABLE_128);
    let table: IdMap<u64, u8> = (0..1000).map(|key| (key, 1)).collect();
    assert_eq!(table.len(), 1000);
}

/// By another implementation of XXH3 over the framed parts.
const STABLE_64: &str = "0a9560c69609547f";
/// By another implementation of XXH3 over the framed parts.
const STABLE_128: &str = "eab9b018455d19b5c5b8cdb4b5f72cf0";

fn units() -> impl Strategy<Value = PeriodUnit> {
    prop::sample::select(vec![
        PeriodUnit::Minute,
        PeriodUnit::Hour,
        PeriodUnit::Day,
        PeriodUnit::Month,
        PeriodUnit::Quarter,
        PeriodUnit::Year,
    ])
}

proptest! {
    #[test]
    fn every_instant_is_in_the_period_that_is_found_for_it_and_the_next_one_touches(
        seconds in -2_000_000_000_i64..4_000_000_000,
        unit in units(),
        anchor_day in 1_i8..=31,
        name in prop::sample::select(vec![
            "UTC", "America/Los_Angeles", "Europe/Budapest", "Pacific/Apia", "Australia/Lord_Howe",
        ]),
    ) {
        let anchor = Date::new(2024, 1, anchor_day).unwrap();
        let calendar = calendar(name, anchor);
        let instant = Timestamp::from_seconds(seconds);
        let found = calendar.period(unit, instant);
        prop_assert!(found.span.contains(instant), "{found:?} misses {instant}");
        let next = calendar.period(unit, found.span.end);
        prop_assert_eq!(next.span.start, found.span.end);
        prop_assert_eq!(calendar.period(unit, found.span.start), found);
    }

    #[test]
    fn a_shown_quantity_reads_back(millionths in any::<i64>()) {
        let quantity = Quantity(millionths);
        prop_assert_eq!(quantity.to_string().parse::<Quantity>(), Ok(quantity));
    }

    #[test]
    fn reading_never_panics(text in "\\PC*") {
        let _ = text.parse::<Quantity>();
        let _ = text.parse::<Timestamp>();
        let _ = Zone::named(&text);
        let _ = IdentityRules::default().normalize(NameKind::Device, &text);
    }
}

#[test]
fn periods_at_the_ends_of_time_are_found_at_once() {
    let units = [PeriodUnit::Minute, PeriodUnit::Hour, PeriodUnit::Day, PeriodUnit::Month];
    for unit in units.into_iter().chain([PeriodUnit::Quarter, PeriodUnit::Year, PeriodUnit::All]) {
        let calendar = calendar("America/New_York", date(2025, 1, 31));
        for at in [Timestamp::MIN, Timestamp::EARLIEST, Timestamp::LATEST, Timestamp(i64::MAX - 1)]
        {
            let span = calendar.period(unit, at).span;
            assert!(span.contains(at), "{unit:?} at {at:?} is {span:?}");
        }
    }
}

#[test]
fn periods_are_counted_as_a_walk_over_them_counts() {
    let spans = [
        ("2025-03-30T00:59:59.999999Z", "2025-03-30T01:00:00.000001Z"),
        ("2025-03-28T10:30:00Z", "2025-04-02T10:00:00Z"),
        ("2024-02-28T00:00:00Z", "2024-03-31T23:00:00Z"),
        ("2025-10-26T00:00:00Z", "2025-10-27T00:00:00Z"),
        ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ];
    let units = [
        PeriodUnit::Minute,
        PeriodUnit::Hour,
        PeriodUnit::Day,
        PeriodUnit::Month,
        PeriodUnit::Quarter,
        PeriodUnit::Year,
        PeriodUnit::All,
    ];
    for name in ["UTC", "Europe/Vienna", "America/Los_Angeles", "Asia/Kolkata"] {
        for calendar in [Calendar::natural(zone(name)), calendar(name, date(2023, 10, 31))] {
            for span in spans.map(|(start, end)| Span::new(at(start), at(end))) {
                for unit in units {
                    let ends = |from: Timestamp| calendar.period(unit, from).span.end;
                    let begun = std::iter::successors(Some(span.start), |from| Some(ends(*from)));
                    let walked = begun.take_while(|from| *from < span.end).count();
                    let counted = calendar.periods_in(unit, span);
                    assert_eq!(
                        usize::try_from(counted),
                        Ok(walked),
                        "{unit:?} in {span:?}, {calendar:?}"
                    );
                }
            }
        }
    }
    let ages = Span::new(Timestamp::EARLIEST, at("2026-01-01T00:00:00Z"));
    let minutes = Calendar::natural(Zone::utc()).periods_in(PeriodUnit::Minute, ages);
    assert_eq!(minutes, 1_065_047_040);
}
