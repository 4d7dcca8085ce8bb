//! Prices: what a quantity costs, by bands.

use crate::id::NameKind;
use crate::quantity::{Money, Quantity};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// How bands of prices apply to a quantity (semantics A 2.11).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum PriceModel {
    /// Each unit costs what its own band says.
    #[default]
    Graduated,
    /// All units cost what the band of the total says.
    Volume,
    /// Each begun package beyond the free units costs the same.
    Package,
    /// Blocks are counted in each band, and those of the highest band that is reached cost its price.
    TopTier,
}

impl PriceModel {
    /// Every model, in the order of [`PriceModel::code`].
    pub const ALL: [Self; 4] = [Self::Graduated, Self::Volume, Self::Package, Self::TopTier];

    /// The model's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Graduated => 0,
            Self::Volume => 1,
            Self::Package => 2,
            Self::TopTier => 3,
        }
    }

    /// The model of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The model's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graduated => "graduated",
            Self::Volume => "volume",
            Self::Package => "package",
            Self::TopTier => "top_tier",
        }
    }
}

/// One band of a product's prices, for a time.
///
/// The bands of one product, account and time belong together; they must agree in their model. A band
/// holds the quantities above the band before it, up to and including `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Price<N> {
    /// What is priced.
    pub product: N,
    /// For whom; none for everyone who has no prices of their own.
    pub account: Option<N>,
    /// How the bands apply.
    pub model: PriceModel,
    /// The greatest quantity of the band, inside it; none for the last band. For packages: the free
    /// units.
    pub up_to: Option<Quantity>,
    /// What one unit, or one block, costs.
    pub unit: Money,
    /// What is due once the band is entered.
    pub flat: Money,
    /// How many units one block or package has; above zero.
    pub block: Quantity,
    /// When the band holds.
    pub span: Span,
}

impl<N> Price<N> {
    /// The same band with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Price<M>, E> {
        Ok(Price {
            product: f(NameKind::Product, self.product)?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            model: self.model,
            up_to: self.up_to,
            unit: self.unit,
            flat: self.flat,
            block: self.block,
            span: self.span,
        })
    }
}
