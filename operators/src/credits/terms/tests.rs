use super::*;
use trueup_model::calendar::PeriodUnit;
use trueup_model::credit::Grant;
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::quantity::Quantity;

fn terms(amount: i64, carry_min: i64, carry_max: i64, carry_overage: bool) -> Terms {
    let grant = Grant {
        grant: Id(1),
        product: Id(2),
        account: None,
        amount: Quantity(amount),
        span: Span::from(Timestamp(0)),
        priority: 0,
        every: Some(PeriodUnit::Day),
        carry_min: Quantity(carry_min),
        carry_max: Quantity(carry_max),
        carry_overage,
        voided_at: None,
    };
    let (tenant, product, account) = (TenantId(1), ProductId(2), AccountId(3));
    Terms::new(Granted { tenant, product, account, grant }, vec![Span::ALWAYS], Zone::utc())
}

#[test]
fn many_turns_at_once_come_to_what_they_come_to_one_by_one() {
    for amount in 0..4 {
        for (carry_min, carry_max) in [(0, 0), (0, 3), (2, 5), (1, 100), (5, 2), (7, 7)] {
            let terms = terms(amount, carry_min, carry_max, true);
            for carried in -9..9 {
                for (used, overdrawn) in [(0, 0), (2, 0), (1, 4)] {
                    let from = Balance { turn: 3, carried, used, overdrawn };
                    let mut slow = from;
                    for turns in 0..40 {
                        let mut fast = from;
                        let mut left = 0;
                        terms.advance(&mut fast, from.turn + turns, |_| left += 1);
                        assert_eq!(fast, slow, "{turns} turns of {amount} after {from:?}");
                        assert_eq!(left, i64::from(turns > 0 && from.is_used()));
                        slow = terms.next(&slow);
                    }
                }
            }
        }
    }
}

#[test]
fn a_million_years_of_turns_are_passed_at_once() {
    let terms = terms(1, 0, i64::MAX, false);
    let mut balance = Balance::default();
    terms.advance(&mut balance, 365_000_000, |_| {});
    assert_eq!(balance.carried, 365_000_000);
}
