//! Factor tables: how a unit of one thing counts in units of another, dated, as rows of data.

use crate::id::NameKind;
use crate::quantity::Quantity;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What a factor converts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactorKind {
    /// A core of a processor model to processor licenses.
    Core,
    /// A core of a processor model to processor value units.
    ProcessorValue,
    /// A unit of one product to units of another, the pool that it is drawn from.
    Weight,
    /// Resources in one band of a count to value units.
    Band,
}

impl FactorKind {
    /// Every kind, in the order of [`FactorKind::code`].
    pub const ALL: [Self; 4] = [Self::Core, Self::ProcessorValue, Self::Weight, Self::Band];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Core => 0,
            Self::ProcessorValue => 1,
            Self::Weight => 2,
            Self::Band => 3,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A row of a factor table: `value / per` units for one unit, while the row holds.
///
/// A ratio such as one for thirty is `value` 1 `per` 30, so that it stays exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Factor<N> {
    /// What it converts.
    pub kind: FactorKind,
    /// The product whose use is converted: needed for weights and bands.
    pub product: Option<N>,
    /// The product that it becomes: needed for weights.
    pub pool: Option<N>,
    /// The processor model that it is for; none for every model that no other row names.
    pub model: Option<N>,
    /// The greatest count of the band, inside it; none for the last band.
    pub up_to: Option<Quantity>,
    /// How much.
    pub value: Quantity,
    /// For how much; above zero.
    pub per: Quantity,
    /// When the row holds.
    pub span: Span,
}

impl<N> Factor<N> {
    /// The same row with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Factor<M>, E> {
        Ok(Factor {
            kind: self.kind,
            product: self.product.map(|name| f(NameKind::Product, name)).transpose()?,
            pool: self.pool.map(|name| f(NameKind::Product, name)).transpose()?,
            model: self.model.map(|name| f(NameKind::Text, name)).transpose()?,
            up_to: self.up_to,
            value: self.value,
            per: self.per,
            span: self.span,
        })
    }
}
