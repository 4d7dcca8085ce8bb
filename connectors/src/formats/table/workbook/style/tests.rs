//! Which format codes show dates.

use super::{is_built_in_date, shows_date};

#[test]
fn a_code_shows_a_date_if_a_day_or_year_stands_in_it() {
    for code in
        ["dd/mm/yyyy", "yyyy\\-mm\\-dd", "[$-407]d. mmmm yyyy", "m/d/yy h:mm", "D-MMM", "yyyy"]
    {
        assert!(shows_date(code), "{code}");
    }
    for code in [
        "General",
        "0.00",
        "#,##0 \"days\"",
        "[Red]0;[Blue]-0",
        "h:mm:ss",
        "[h]:mm",
        "0\\d",
        "_d0",
        "*y0",
        "0;dd",
        "\"dd",
        "",
    ] {
        assert!(!shows_date(code), "{code}");
    }
    assert!(!shows_date(&"x".repeat(5000)));
}

#[test]
fn built_in_dates_are_known_by_their_number() {
    let dates: Vec<u32> = (0..60).filter(|id| is_built_in_date(*id)).collect();
    assert_eq!(
        dates,
        [14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 57, 58]
    );
}
