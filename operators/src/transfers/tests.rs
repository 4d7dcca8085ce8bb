//! What scripts cannot show: chains of a size that nobody has.

use super::*;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::id::TenantId;

/// A purchase of many units, and transfers of one unit each, one after another.
fn rows(count: u64, chained: bool) -> Vec<LineInForce> {
    let row = |number: u64| {
        let quantity = Quantity::units(if number == 0 { 1_000_000 } else { 1 });
        let granted = Capacity::Limited(quantity);
        let mut line = EntitlementLine::base(
            Id(number),
            Id(u64::MAX),
            Metric::Concurrent,
            granted,
            Basis::Contract,
        );
        if number > 0 {
            line.kind = LineKind::Transfer;
            line.base = Some(Id(if chained { number - 1 } else { 0 }));
        }
        let start = Timestamp::RECORDED.plus_us(i64::try_from(number).unwrap());
        let span = Span::new(start, Timestamp::MAX);
        LineInForce { tenant: TenantId::default(), document: Id(0), line, span }
    };
    (0..count).map(row).collect()
}

#[test]
fn a_chain_of_any_size_ends_and_what_is_beyond_the_limit_is_reported() {
    for chained in [false, true] {
        let mut families = families(rows(20_000, chained));
        assert_eq!(families.len(), 1);
        let beyond = families[0].split_off(ROWS_MAX);
        let found = Titles::of(&families[0], TransferExpiry::Keep).evaluate();
        let is_gap = |row: &&Found| matches!(row, Found::Problem(_));
        let gaps = found.iter().filter(is_gap).count();
        assert_eq!(gaps, if chained { ROWS_MAX - 1 - DEPTH_MAX } else { 0 });
        assert!(beyond.into_iter().map(untitled).all(|row| is_gap(&&row)));
    }
}
