//! Billing in whole units: what is due of a running total after a contract and what was billed before
//! (semantics A 2.8).
//!
//! total_k = max(0, ⌈usage_k · factor − contract⌉)
//! bill_k  = total_k − billed so far, or at least 0 where nothing is given back
//!
//! With credits, the sum of all bills depends on the usage only; without, on its maximum so far.

use crate::quantity::{ONE_UNIT, Quantity, Ratio, Rounding, divide};

/// What is billed in which units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillingTerms {
    /// Billing units of one metered unit.
    pub factor: Ratio,
    /// Billing units that a contract covers.
    pub contract: Quantity,
    /// Whether a total that falls is given back.
    pub credits: bool,
}

impl BillingTerms {
    /// The billing units that are due of a usage in all.
    pub fn total(&self, usage: Quantity) -> i128 {
        let (numerator, denominator) = (self.factor.numerator(), self.factor.denominator());
        let covered = i128::from(self.contract.0) * i128::from(denominator);
        let open = i128::from(usage.0) * i128::from(numerator) - covered;
        let unit = i128::from(denominator) * i128::from(ONE_UNIT);
        divide(open, unit, Rounding::Ceil).max(0)
    }

    /// The billing units of the next bill, after so many were billed; negative for a credit.
    pub fn bill(&self, usage: Quantity, billed: i128) -> i128 {
        let due = self.total(usage) - billed;
        if self.credits { due } else { due.max(0) }
    }

    /// Billing units as metered units, or `None` if that is none exactly or does not fit.
    pub fn metered(&self, units: i128) -> Option<Quantity> {
        let all = units.checked_mul(i128::from(self.factor.denominator()))?;
        let all = all.checked_mul(i128::from(ONE_UNIT))?;
        let numerator = i128::from(self.factor.numerator());
        (numerator > 0 && all % numerator == 0)
            .then(|| Quantity::from_sum(all / numerator))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(factor: (i64, i64), contract: i64) -> BillingTerms {
        let factor = Ratio::new(factor.0, factor.1).unwrap();
        BillingTerms { factor, contract: Quantity::units(contract), credits: false }
    }

    /// What is billed so far, in metered units, after each of (contract, usage).
    fn billed(factor: (i64, i64), months: &[(i64, i64)]) -> Vec<String> {
        let mut billed = 0;
        let mut found = Vec::new();
        for (contract, usage) in months {
            let terms = terms(factor, *contract);
            billed += terms.bill(Quantity::units(*usage), billed);
            found.push(terms.metered(billed).unwrap().to_string());
        }
        found
    }

    /// SW-core-rm and SW-inst-rm.
    #[test]
    fn a_contract_covers_its_units_first() {
        assert_eq!(billed((1, 4), &[(6, 100), (6, 200)]), ["76", "176"]);
        assert_eq!(billed((1, 1), &[(6, 100), (6, 200)]), ["94", "194"]);
    }

    /// SW-core-add and SW-inst-add: 501 - 440 = 61 cores are 16 whole units of 4.
    #[test]
    fn a_greater_contract_covers_what_comes_later() {
        let months = [(10, 100), (110, 100), (110, 200), (110, 501)];
        assert_eq!(billed((1, 4), &months), ["60", "60", "60", "64"]);
        assert_eq!(billed((1, 1), &months), ["90", "90", "90", "391"]);
    }

    /// SW-int: March 0.2; April 0.12, 0.3 more, 1.5 more.
    #[test]
    fn a_begun_unit_is_billed_once() {
        let terms = terms((1, 1), 0);
        assert_eq!(terms.bill("0.2".parse().unwrap(), 0), 1);
        let mut billed = 0;
        let mut bills = Vec::new();
        for usage in ["0.12", "0.42", "1.92"] {
            let bill = terms.bill(usage.parse().unwrap(), billed);
            billed += bill;
            bills.push(bill);
        }
        assert_eq!(bills, [1, 0, 1]);
    }

    /// SW-amend: 4 corrected to 8 bills 4 more, and nothing when it is run again.
    #[test]
    fn a_correction_bills_the_difference() {
        let terms = terms((1, 1), 0);
        assert_eq!(terms.bill(Quantity::units(4), 0), 4);
        assert_eq!(terms.bill(Quantity::units(8), 4), 4);
        assert_eq!(terms.bill(Quantity::units(8), 8), 0);
    }

    #[test]
    fn a_total_that_falls_is_given_back_where_credits_are_allowed() {
        let without = terms((1, 4), 6);
        let with = BillingTerms { credits: true, ..without };
        assert_eq!(without.bill(Quantity::units(100), 44), 0);
        assert_eq!(with.bill(Quantity::units(100), 44), 19 - 44);
        // However the total came about, what is billed in all is the same.
        let all = [200, 17, 501, 100]
            .iter()
            .fold(0, |billed, usage| billed + with.bill(Quantity::units(*usage), billed));
        assert_eq!(all, with.total(Quantity::units(100)));
        assert_eq!(with.total(Quantity::units(3)), 0);
    }

    #[test]
    fn units_that_are_no_whole_measure_have_none() {
        let terms = terms((3, 1), 0);
        assert_eq!(terms.metered(3), Some(Quantity::ONE));
        assert_eq!(terms.metered(1), None);
    }

    /// LAGO-wallet: 100 less 14.28 is 85.72, not 85.71.
    #[test]
    fn a_wallet_is_exact() {
        let spent: Quantity = "-14.28".parse().unwrap();
        let left = Quantity::units(100).checked_add(spent).unwrap();
        assert_eq!(left.to_string(), "85.72");
    }
}
