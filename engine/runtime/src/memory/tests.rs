use super::{Gauge, Pressure, Reading, field, given, resident};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn pressure(used: u64, most: u64, before: Pressure) -> Pressure {
    Reading { used, most: Some(most) }.pressure(before)
}

#[test]
fn memory_is_high_from_eight_tenths_and_full_from_nine() {
    for before in [Pressure::Low, Pressure::High] {
        assert_eq!(pressure(799, 1000, before), Pressure::Low);
        assert_eq!(pressure(800, 1000, before), Pressure::High);
        assert_eq!(pressure(899, 1000, before), Pressure::High);
        assert_eq!(pressure(900, 1000, before), Pressure::Full);
    }
    assert_eq!(pressure(u64::MAX, 1, Pressure::Low), Pressure::Full);
    assert_eq!(pressure(0, 0, Pressure::Low), Pressure::Low);
    assert_eq!(Reading { used: u64::MAX, most: None }.pressure(Pressure::Full), Pressure::Low);
}

#[test]
fn what_is_full_stays_so_until_less_than_eighty_five_percent_is_used() {
    assert_eq!(pressure(899, 1000, Pressure::Full), Pressure::Full);
    assert_eq!(pressure(850, 1000, Pressure::Full), Pressure::Full);
    assert_eq!(pressure(849, 1000, Pressure::Full), Pressure::High);
    assert_eq!(pressure(100, 1000, Pressure::Full), Pressure::Low);
}

#[test]
fn the_system_says_what_is_used_and_given() {
    let (used, most) = (resident().unwrap(), given().unwrap());
    assert!(used > 100_000 && used < most, "{used} of {most}");
    assert_eq!(Gauge::new(Some(used / 2)).read().pressure(Pressure::Low), Pressure::Full);
    assert_eq!(Gauge::new(Some(used * 100)).read().pressure(Pressure::Low), Pressure::Low);
    assert_eq!(Gauge::new(None).read().most, Some(most / 100 * 90));
}

#[test]
fn a_planted_gauge_shows_what_it_is_told() {
    let used = Arc::new(AtomicU64::new(7));
    let gauge = Gauge::planted(10, Arc::clone(&used));
    assert_eq!(gauge.read(), Reading { used: 7, most: Some(10) });
    used.store(9, Ordering::SeqCst);
    assert_eq!(gauge.read().pressure(Pressure::Low), Pressure::Full);
}

#[test]
fn what_is_no_number_of_kibibytes_is_nothing() {
    let text = "Name:\ttrueup\nVmRSS:\t  181600 kB\nVmSwap: lots\n";
    assert_eq!(field(text, "VmRSS:"), Some(181_600 * 1024));
    assert_eq!(field(text, "VmSwap:"), None);
    assert_eq!(field(text, "VmHWM:"), None);
    assert_eq!(field("VmRSS: 99999999999999999999 kB", "VmRSS:"), None);
}
