use super::*;

fn span(from: &str, to: &str) -> Span {
    let at = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
    Span::new(at(from), at(to))
}

fn money(text: &str) -> Money {
    let amount = crate::quantity::parse_decimal(text, 6).unwrap();
    Money { amount, currency: Money::NO_CURRENCY }
}

/// The part of a price, in cents, a half upwards.
fn part(count: DayCount, price: &str, of: Span, period: Span) -> String {
    let share = count.share(of, period, &Zone::utc()).unwrap();
    share.of_money(money(price), 2, Rounding::HalfUp).unwrap().to_string()
}

/// LAGO-up: the day of the change is the new plan's, and the days add up to 31.
#[test]
fn an_upgrade_on_the_15th_splits_a_month_of_31_days() {
    let month = span("2025-01-01", "2025-02-01");
    let days = DayCount::ActualInPeriod;
    assert_eq!(part(days, "100", span("2025-01-01", "2025-01-15"), month), "45.16");
    assert_eq!(part(days, "200", span("2025-01-15", "2025-02-01"), month), "109.68");
    // The same if it happens during the day.
    let noon = "2025-01-15T12:00:00Z".parse().unwrap();
    assert_eq!(part(days, "100", Span::new(month.start, noon), month), "45.16");
    assert_eq!(part(days, "200", Span::new(noon, month.end), month), "109.68");
}

/// LAGO-seat: July has 31 days.
#[test]
fn a_seat_for_22_days_of_july_costs_22_of_31() {
    let july = span("2025-07-01", "2025-08-01");
    let seat = span("2025-07-10", "2025-08-01");
    assert_eq!(part(DayCount::ActualInPeriod, "10", seat, july), "7.10");
}

/// LAGO-denom: the denominator is the whole quarter.
#[test]
fn a_start_within_a_quarter_is_a_part_of_the_whole_quarter() {
    let quarter = span("2024-04-01", "2024-07-01");
    let share =
        DayCount::ActualInPeriod.share(span("2024-05-20", "2024-07-01"), quarter, &Zone::utc());
    assert_eq!(share, Share::new(42, 91));
    assert_eq!(days(span("2024-04-15", "2024-07-15"), &Zone::utc()), 91);
}

/// STRIPE-up: half a period at 10 is given back, half a period at 20 is due.
#[test]
fn an_upgrade_in_the_middle_counts_to_the_second() {
    let month = span("2025-04-01", "2025-05-01");
    let rest = span("2025-04-16", "2025-05-01");
    assert_eq!(part(DayCount::Seconds, "-10", rest, month), "-5.00");
    assert_eq!(part(DayCount::Seconds, "20", rest, month), "10.00");
}

/// SOCOTRA.
#[test]
fn half_a_year_is_six_months_or_181_days() {
    let year = span("2025-01-01", "2026-01-01");
    let half = span("2025-01-01", "2025-07-01");
    assert_eq!(part(DayCount::Months12, "1000", half, year), "500.00");
    assert_eq!(part(DayCount::Actual365, "1000", half, year), "495.89");
    let months = |from, to| months(span(from, to), &Zone::utc());
    assert_eq!(months("2025-01-31", "2025-02-28"), 1);
    assert_eq!(months("2025-01-15", "2025-03-14"), 1);
    assert_eq!(months("2025-01-15", "2025-03-15"), 2);
}

/// SF-grant: 17 of 31 days, rounded down.
#[test]
fn a_grant_within_a_month_is_a_part_rounded_down() {
    let month = span("2025-01-01", "2025-02-01");
    let rest = span("2025-01-15", "2025-02-01");
    let share = DayCount::ActualInPeriod.share(rest, month, &Zone::utc()).unwrap();
    let granted = share.of_quantity(Quantity::units(4000), 0, Rounding::Floor);
    assert_eq!(granted, Some(Quantity::units(2193)));
}

/// GHAE: 25 of 31 days at 39.
#[test]
fn a_user_for_25_days_costs_25_of_31() {
    let month = span("2025-01-01", "2025-02-01");
    assert_eq!(
        part(DayCount::ActualInPeriod, "39", span("2025-01-07", "2025-02-01"), month),
        "31.45"
    );
}

/// LAGO-uniq: five places, upwards.
#[test]
fn people_count_for_their_days() {
    let month = span("2025-01-01", "2025-02-01");
    let whole = days(month, &Zone::utc());
    let counted = |days: i64| {
        let share = Share::new(days.into(), whole.into()).unwrap();
        share.of_quantity(Quantity::ONE, 5, Rounding::Ceil).unwrap().to_string()
    };
    assert_eq!(counted(31 + 21), "1.67742");
    assert_eq!(counted(16), "0.51613");
    assert_eq!(counted(29), "0.93549");
    // Added and removed on one day.
    let hour = |text: &str| format!("2025-01-10T{text}:00Z").parse().unwrap();
    let touched = days_touched(Span::new(hour("09:00"), hour("10:00")), &Zone::utc());
    assert_eq!(touched, 1);
    assert_eq!(counted(touched), "0.03226");
    assert_eq!(days_touched(month, &Zone::utc()), 31);
}

/// KB-trial: what is added on 6 August has the trial of what began on the 1st.
#[test]
fn an_addition_has_the_trial_of_its_bundle() {
    let days = span("2015-08-01", "2015-08-06");
    let end = trial_end(days.end, Some(days.start), 14, &Zone::utc());
    assert_eq!(end.to_string(), "2015-08-15T00:00:00Z");
}

#[test]
fn days_are_local() {
    let zone = Zone::named("America/Los_Angeles").unwrap();
    // From midnight to midnight across the change to summer time, 23 hours.
    let day =
        Span::new("2025-03-09T08:00:00Z".parse().unwrap(), "2025-03-10T07:00:00Z".parse().unwrap());
    assert_eq!(days(day, &zone), 1);
    assert_eq!(DayCount::ActualInPeriod.share(day, Span::new(day.start, day.start), &zone), None);
}
