//! What a quantity costs by bands of prices, exactly.
//!
//! Bands are `(lo, hi]`: the boundary unit belongs to the lower band (semantics A 2.11). The sum is a whole
//! number of millionths of millionths and divided once, a half upwards. A band's flat price is due when
//! the band is entered; that of the first band also at zero. Single units are priced pro rata; where a
//! block is anything but one unit, a begun block costs a whole one.

use crate::price::{Price, PriceModel};
use crate::quantity::{Money, ONE_UNIT, Quantity, Rounding, divide};
use std::collections::BTreeMap;

/// One band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Band {
    up_to: Option<Quantity>,
    unit: i64,
    flat: i64,
    block: Quantity,
}

/// Bands that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    model: PriceModel,
    currency: [u8; 3],
    bands: Vec<Band>,
}

/// Why bands do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// There are none.
    #[error("there is no band")]
    Empty,
    /// They apply in several ways.
    #[error("the bands name several price models")]
    SeveralModels,
    /// They are in several currencies.
    #[error("the bands name several currencies")]
    SeveralCurrencies,
    /// Two of them end at one quantity, or there are several packages.
    #[error("two bands say what the same quantity costs")]
    SameBand,
    /// A block holds nothing.
    #[error("a block holds no units")]
    EmptyBlock,
}

impl Tariff {
    /// The tariff that bands make.
    ///
    /// # Errors
    /// If the bands do not belong together.
    pub fn new<'p, N: 'p>(
        prices: impl IntoIterator<Item = &'p Price<N>>,
    ) -> Result<Self, TariffError> {
        // Bands without an end come last.
        let mut bands: BTreeMap<(bool, Option<Quantity>), Band> = BTreeMap::new();
        let mut common: Option<(PriceModel, [u8; 3])> = None;
        for price in prices {
            let (model, currency) = *common.get_or_insert((price.model, price.unit.currency));
            if model != price.model {
                return Err(TariffError::SeveralModels);
            }
            if currency != price.unit.currency || currency != price.flat.currency {
                return Err(TariffError::SeveralCurrencies);
            }
            if price.block.0 <= 0 {
                return Err(TariffError::EmptyBlock);
            }
            let band = Band {
                up_to: price.up_to,
                unit: price.unit.amount,
                flat: price.flat.amount,
                block: price.block,
            };
            if bands.insert((price.up_to.is_none(), price.up_to), band).is_some() {
                return Err(TariffError::SameBand);
            }
        }
        let (model, currency) = common.ok_or(TariffError::Empty)?;
        if model == PriceModel::Package && bands.len() > 1 {
            return Err(TariffError::SameBand);
        }
        Ok(Self { model, currency, bands: bands.into_values().collect() })
    }

    /// How the bands apply.
    pub fn model(&self) -> PriceModel {
        self.model
    }

    /// What a quantity costs; one below zero costs what nothing does. `None` where no band reaches it or
    /// the amount does not fit.
    pub fn amount(&self, quantity: Quantity) -> Option<Money> {
        let quantity = quantity.max(Quantity::ZERO);
        let parts = match self.model {
            PriceModel::Graduated => self.graduated(quantity)?,
            PriceModel::Volume => self.whole(quantity, Band::units)?,
            PriceModel::TopTier => self.whole(quantity, Band::blocks)?,
            PriceModel::Package => self.package(quantity)?,
        };
        let amount = divide(parts, i128::from(ONE_UNIT), Rounding::HalfUp);
        Some(Money { amount: i64::try_from(amount).ok()?, currency: self.currency })
    }

    /// What each of several quantities adds, one after the other in this order: they add up to what all
    /// of them cost, beyond what nothing costs.
    pub fn marginal(&self, quantities: &[Quantity]) -> Option<Vec<Money>> {
        let mut total = Quantity::ZERO;
        let mut before = self.amount(total)?;
        let mut found = Vec::with_capacity(quantities.len());
        for quantity in quantities {
            total = total.checked_add(*quantity)?;
            let after = self.amount(total)?;
            let amount = after.amount.checked_sub(before.amount)?;
            found.push(Money { amount, currency: self.currency });
            before = after;
        }
        Some(found)
    }

    /// Every band that is entered, each for its own part.
    fn graduated(&self, quantity: Quantity) -> Option<i128> {
        let mut sum: i128 = 0;
        let mut low = Quantity::ZERO;
        for (place, band) in self.bands.iter().enumerate() {
            if quantity <= low && place > 0 {
                return Some(sum);
            }
            let high = band.up_to.map_or(quantity, |up_to| up_to.min(quantity));
            let inside = Quantity(high.0.saturating_sub(low.0).max(0));
            sum = sum.checked_add(band.units(inside)?)?.checked_add(band.flat())?;
            match band.up_to {
                Some(up_to) => low = up_to.max(low),
                None => return Some(sum),
            }
        }
        (quantity <= low).then_some(sum)
    }

    /// The whole quantity at the prices of the band that holds it.
    fn whole(
        &self,
        quantity: Quantity,
        count: impl Fn(&Band, Quantity) -> Option<i128>,
    ) -> Option<i128> {
        let holds = |band: &&Band| band.up_to.is_none_or(|up_to| quantity <= up_to);
        let band = self.bands.iter().find(holds)?;
        count(band, quantity)?.checked_add(band.flat())
    }

    /// Each begun package beyond the free units.
    fn package(&self, quantity: Quantity) -> Option<i128> {
        let band = self.bands.first()?;
        let free = band.up_to.unwrap_or(Quantity::ZERO).max(Quantity::ZERO);
        let beyond = Quantity(quantity.0.saturating_sub(free.0).max(0));
        band.blocks(beyond)?.checked_add(band.flat())
    }
}

impl Band {
    /// What units cost, in millionths of millionths.
    fn units(&self, quantity: Quantity) -> Option<i128> {
        if self.block != Quantity::ONE {
            return self.blocks(quantity);
        }
        i128::from(self.unit).checked_mul(i128::from(quantity.0))
    }

    /// What begun blocks cost, in millionths of millionths.
    fn blocks(&self, quantity: Quantity) -> Option<i128> {
        let blocks = divide(i128::from(quantity.0), i128::from(self.block.0), Rounding::Ceil);
        i128::from(self.unit).checked_mul(blocks)?.checked_mul(i128::from(ONE_UNIT))
    }

    fn flat(&self) -> i128 {
        i128::from(self.flat) * i128::from(ONE_UNIT)
    }
}

#[cfg(test)]
mod tests;
