use super::*;
use jiff::civil;

#[test]
fn the_spellings_of_an_expiry_are_read_and_others_are_not() {
    let on = |year, month, day| Some(Expiry::On(civil::date(year, month, day)));
    let cases = [
        ("31-dec-2030", on(2030, 12, 31)),
        ("1-Jan-2031", on(2031, 1, 1)),
        ("30-Apr-20202", on(2020, 4, 30)),
        ("30-apr-2020vendor", on(2020, 4, 30)),
        ("31-dec-99", on(1999, 12, 31)),
        ("29-feb-2024", on(2024, 2, 29)),
        ("1-jan-0", Some(Expiry::Never)),
        ("01-jan-0000", Some(Expiry::Never)),
        ("1-jan-00", Some(Expiry::Never)),
        ("Permanent", Some(Expiry::Never)),
        ("permanent(no expiration date)", Some(Expiry::Never)),
        ("29-feb-2023", None),
        ("31-dec-", None),
        ("31-decem-2030", None),
        ("31.12.2030", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(expiry(text), expected, "{text}");
    }
}

#[test]
fn dates_are_month_first_and_refused_when_there_is_no_such_day() {
    assert_eq!(month_day_year("1/8/2017"), Some((civil::date(2017, 1, 8), "")));
    assert_eq!(month_day_year("12/31/99)"), Some((civil::date(1999, 12, 31), ")")));
    for text in ["13/1/2017", "2/30/2017", "1/8/", "1/8/201", "1-8-2017", "1/8/99999999999", "x"] {
        assert_eq!(month_day_year(text), None, "{text}");
    }
}

#[test]
fn a_long_date_is_read_up_to_its_time_and_the_zone_is_ignored() {
    let expected = civil::date(2022, 6, 9).at(10, 25, 31, 0);
    for text in ["Thu Jun 09 2022 10:25:31 Hora de verano romance", "Thu Jun 9 2022 10:25:31"] {
        assert_eq!(weekday_date_time(text), Some(expected), "{text}");
    }
    for text in ["Thu Jun 09 10:25:31 2022", "Do Jun 09 2022 10:25:31", "Thu Jun 09 2022 25:00:00"]
    {
        assert_eq!(weekday_date_time(text), None, "{text}");
    }
}
