//! Values and their traps: numbers, moments, money.

use super::*;

#[test]
fn a_thousands_point_is_not_a_decimal_point() {
    assert_eq!(number("1.000", GERMAN), "1000");
    assert_eq!(number("1.000", Locale::PLAIN), "1");
    assert_eq!(number("1.234,50", GERMAN), "1234.5");
    assert_eq!(number("1.234.567", GERMAN), "1234567");
    assert_eq!(number("0,1", GERMAN), "0.1");
    assert_eq!(number(",5", GERMAN), "0.5");
    assert_eq!(number("1234,5", GERMAN), "1234.5");
}

#[test]
fn signs_out_of_place_make_a_number_unreadable() {
    for text in ["1.50", "1.00", "12.34", "1.0000", "1,5,0", "1,234.50", ".500", "1..000", "1.,5"] {
        assert!(number(text, GERMAN).starts_with("bad_value"), "{text}");
    }
    for text in ["1,000", "1'000", "1 000", "ten", "0x10", "1e", "--1", "", "1_000", "٣", "NaN"] {
        assert!(number(text, Locale::PLAIN).starts_with("bad_value"), "{text}");
    }
    assert_eq!(
        number("1.50", GERMAN),
        "bad_value: `1.50` is no number: its thousands signs do not stand before three digits each"
    );
    assert_eq!(
        number("1,5", Locale::PLAIN),
        "bad_value: `1,5` is no number: the decimal sign is `.` and there is no thousands sign"
    );
}

#[test]
fn minus_signs_and_blanks_come_in_many_forms() {
    for text in ["-20", "\u{2212}20", "20-", "(20)", " - 20 ", "-20,0"] {
        assert_eq!(number(text, GERMAN), "-20", "{text}");
    }
    assert_eq!(number("+20", GERMAN), "20");
    let french = Locale { decimal: ',', thousands: Some(' ') };
    for text in ["12 345,5", "12\u{a0}345,5", "12\u{202f}345,5"] {
        assert_eq!(number(text, french), "12345.5", "{text}");
    }
    let swiss = Locale { decimal: '.', thousands: Some('\'') };
    assert_eq!(number("12\u{2019}345.5", swiss), "12345.5");
}

#[test]
fn numbers_are_exact_up_to_six_places_and_refused_beyond() {
    assert_eq!(number("0.000001", Locale::PLAIN), "0.000001");
    assert!(number("0.0000001", Locale::PLAIN).starts_with("bad_value"));
    assert_eq!(number("0.1000000000", Locale::PLAIN), "0.1");
    assert_eq!(number("1e1", Locale::PLAIN), "10");
    assert_eq!(number("1E+06", Locale::PLAIN), "1000000");
    assert_eq!(number("9223372036854.775807", Locale::PLAIN), "9223372036854.775807");
    assert!(number("9223372036854.775808", Locale::PLAIN).starts_with("out_of_range"));
}

fn reading(dates: &[&str]) -> Reading {
    Reading { dates: dates.iter().map(|date| (*date).to_owned()).collect(), ..Reading::default() }
}

fn start(text: &str, dates: &[&str], zone: &str) -> String {
    let zone = Zone::named(zone).unwrap();
    said(reading(dates).instant(Cell::text(text), &zone))
}

fn end(text: &str, dates: &[&str], zone: &str) -> String {
    let zone = Zone::named(zone).unwrap();
    said(reading(dates).end(Cell::text(text), &zone))
}

fn said(read: Result<Timestamp, Fault>) -> String {
    match read {
        Ok(at) => at.to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

#[test]
fn a_date_is_read_by_the_stated_pattern_only() {
    assert_eq!(start("03/04/2023", &["%d/%m/%Y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(start("03/04/2023", &["%m/%d/%Y"], "UTC"), "2023-03-04T00:00:00Z");
    assert_eq!(
        start("03/04/2023", &[], "UTC"),
        "bad_value: `03/04/2023` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z"
    );
    assert_eq!(
        start("13/13/2023", &["%d/%m/%Y"], "UTC"),
        "bad_value: `13/13/2023` is no date by `%d/%m/%Y`"
    );
    assert!(start("31/02/2023", &["%d/%m/%Y"], "UTC").starts_with("bad_value"));
    assert!(start("03/04/2023 extra", &["%d/%m/%Y"], "UTC").starts_with("bad_value"));
    // The first pattern that fits counts.
    assert_eq!(start("3.4.2023", &["%d/%m/%Y", "%d.%m.%Y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(start("2023-04-03", &["%d/%m/%Y"], "UTC"), "2023-04-03T00:00:00Z");
}

#[test]
fn a_short_year_needs_its_own_pattern() {
    assert_eq!(start("03/04/23", &["%d/%m/%y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(
        start("03/04/23", &["%d/%m/%Y"], "UTC"),
        "out_of_range: the year 23 is not between 1900 and 8999"
    );
}

#[test]
fn a_last_day_ends_when_the_next_local_day_begins() {
    assert_eq!(end("2025-11-30", &[], "Europe/Berlin"), "2025-11-30T23:00:00Z");
    // Days of 23 and 25 hours.
    assert_eq!(start("2025-03-09", &[], "America/Los_Angeles"), "2025-03-09T08:00:00Z");
    assert_eq!(end("2025-03-09", &[], "America/Los_Angeles"), "2025-03-10T07:00:00Z");
    assert_eq!(end("2025-11-02", &[], "America/Los_Angeles"), "2025-11-03T08:00:00Z");
    // A day whose midnight does not exist begins after the gap.
    assert_eq!(start("2018-11-04", &[], "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
    assert_eq!(end("2018-11-03", &[], "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
}

#[test]
fn an_end_with_a_time_of_day_is_that_instant_and_midnight_is_the_day() {
    assert_eq!(end("2025-06-30T12:00", &[], "Europe/Berlin"), "2025-06-30T10:00:00Z");
    assert_eq!(end("2025-06-30T12:00:00+01:00", &[], "Europe/Berlin"), "2025-06-30T11:00:00Z");
    assert_eq!(end("2025-06-30 00:00:00", &[], "UTC"), "2025-07-01T00:00:00Z");
    assert_eq!(end("30/06/2025 00:00", &["%d/%m/%Y %H:%M"], "UTC"), "2025-07-01T00:00:00Z");
    let exclusive = Reading { end_day_included: false, ..Reading::default() };
    let read = exclusive.end(Cell::text("2025-06-30"), &Zone::utc());
    assert_eq!(said(read), "2025-06-30T00:00:00Z");
}

#[test]
fn an_end_beyond_the_calendar_is_open() {
    assert_eq!(end("9999-12-31", &[], "UTC"), "open");
    assert_eq!(end("31.12.9999", &["%d.%m.%Y"], "UTC"), "open");
    assert_eq!(end("Perpetual", &[], "UTC"), "open");
    assert_eq!(end("8998-12-31", &[], "UTC"), "8999-01-01T00:00:00Z");
    assert!(start("9999-12-31", &[], "UTC").starts_with("out_of_range"));
}

#[test]
fn instants_may_be_seconds_of_the_epoch_and_are_floored_to_microseconds() {
    assert_eq!(start("1690000000", &["%s"], "Europe/Berlin"), "2023-07-22T04:26:40Z");
    assert_eq!(start("2023-01-01T00:59:59.999+01:00", &[], "UTC"), "2022-12-31T23:59:59.999Z");
    let fine = "2023-01-01T00:00:00.0000019Z";
    assert_eq!(start(fine, &[], "UTC"), "2023-01-01T00:00:00.000001Z");
}

fn money(text: &str, currency: Option<&[u8; 3]>) -> String {
    let reading = Reading { locale: GERMAN, ..Reading::default() };
    match reading.money(Cell::text(text), currency.copied()) {
        Ok(money) => money.to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

#[test]
fn money_may_carry_its_currency_and_never_guesses_one() {
    assert_eq!(money("1.234,50", None), "1234.50");
    assert_eq!(money("1.234,50", Some(b"EUR")), "1234.50 EUR");
    assert_eq!(money("1.234,50 €", None), "1234.50 EUR");
    assert_eq!(money("EUR 1.234,50", None), "1234.50 EUR");
    assert_eq!(money("-$24,70", Some(b"USD")), "-24.70 USD");
    assert_eq!(money("$24,70", None), "bad_value: `$` names no one currency; map `currency`");
    assert_eq!(money("24,70 USD", Some(b"EUR")), "bad_value: `24,70 USD` is not in EUR");
    assert_eq!(
        money("AB 5", Some(b"EUR")),
        "bad_value: `AB` names no one currency; map `currency`"
    );
    assert_eq!(money("1E3", None), "1000.00");
    assert!(money("gratis", None).starts_with("bad_value"));
}
