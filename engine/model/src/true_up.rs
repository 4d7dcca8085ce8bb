//! True-up: what is owed for use above what was entitled, once (semantics A 2.19).
//!
//! owed_k = max(0, shortfall_k − max { shortfall_j : j < k in the term })
//!
//! The shortfall of a period is `max_t (usage(t) − entitled(t))`, compared at each instant. What was owed
//! once counts as entitled until the term ends, so that only what goes above it is owed again.

use crate::quantity::Quantity;

/// What is owed for each period of a term, given the shortfall of each against what was entitled at its
/// beginning.
pub fn owed(shortfalls: impl IntoIterator<Item = Quantity>) -> Vec<Quantity> {
    let mut settled = Quantity::ZERO;
    let step = |shortfall: Quantity| {
        let owed = Quantity(shortfall.0.saturating_sub(settled.0).max(0));
        settled = settled.max(shortfall);
        owed
    };
    shortfalls.into_iter().map(step).collect()
}

/// What each period's true-up costs, when a unit has a price for each period that is left in the term.
///
/// `None` if an amount does not fit.
pub fn amounts(owed: &[Quantity], price_per_period: i64) -> Option<Vec<i64>> {
    let price = |(index, quantity): (usize, &Quantity)| {
        let left = i128::try_from(owed.len() - index - 1).ok()?;
        let amount = i128::from(quantity.0) * i128::from(price_per_period);
        let unit = i128::from(crate::quantity::ONE_UNIT);
        let amount = amount.checked_mul(left)?;
        let rounding = crate::quantity::Rounding::HalfUp;
        i64::try_from(crate::quantity::divide(amount, unit, rounding)).ok()
    };
    owed.iter().enumerate().map(price).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(all: &[i64]) -> Vec<Quantity> {
        all.iter().map(|units| Quantity::units(*units)).collect()
    }

    /// GL-q: 100 seats paid, 110 used in the first half of the year and 120 in the second, at 25 a quarter:
    /// 1,000 in all, against 2,000 with one true-up a year.
    #[test]
    fn a_quarterly_true_up_pays_for_the_quarters_that_are_left() {
        let used = units(&[110, 110, 120, 120]);
        let shortfalls = used.iter().map(|used| Quantity(used.0 - Quantity::units(100).0));
        let owed = owed(shortfalls);
        assert_eq!(owed, units(&[10, 0, 10, 0]));
        let amounts = amounts(&owed, 25_000_000).unwrap();
        assert_eq!(amounts, [750_000_000, 0, 250_000_000, 0]);
    }

    #[test]
    fn what_was_owed_once_is_entitled_until_the_term_ends() {
        assert_eq!(owed(units(&[5, 3, 8, 8, 0, 9])), units(&[5, 0, 3, 0, 0, 1]));
        assert_eq!(owed(units(&[0, 0])), units(&[0, 0]));
    }
}
