//! Products, how they contain each other, and the names by which sources call things.

use crate::id::NameKind;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A product and its place in the product tree: publisher, family, product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Product<N> {
    /// The product.
    pub product: N,
    /// The family that it belongs to, itself a node of the product tree.
    pub family: Option<N>,
    /// Who publishes it, the node above the family.
    pub publisher: Option<N>,
}

impl<N> Product<N> {
    /// The same product with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Product<M>, E> {
        Ok(Product {
            product: f(NameKind::Product, self.product)?,
            family: self.family.map(|name| f(NameKind::Product, name)).transpose()?,
            publisher: self.publisher.map(|name| f(NameKind::Product, name)).transpose()?,
        })
    }
}

/// A component of a package: a checkout of it is included while its holder also holds the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Component<N> {
    /// The daemon whose license file says so.
    pub server: N,
    /// The package.
    pub package: N,
    /// The component.
    pub component: N,
    /// True if one right of the package covers all components at once (`OPTIONS=SUITE`).
    pub suite: bool,
}

impl<N> Component<N> {
    /// The same component with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Component<M>, E> {
        Ok(Component {
            server: f(NameKind::Server, self.server)?,
            package: f(NameKind::Product, self.package)?,
            component: f(NameKind::Product, self.component)?,
            suite: self.suite,
        })
    }
}

/// What kind of name an alias translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AliasKind {
    /// A machine.
    Device,
    /// A person.
    User,
    /// A product, feature or SKU.
    Product,
    /// A node of the organization.
    Account,
}

impl AliasKind {
    /// Every kind, in the order of [`AliasKind::code`].
    pub const ALL: [Self; 4] = [Self::Device, Self::User, Self::Product, Self::Account];

    /// The kind's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Device => 0,
            Self::User => 1,
            Self::Product => 2,
            Self::Account => 3,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind of the names on both sides.
    pub fn names(self) -> NameKind {
        match self {
            Self::Device => NameKind::Device,
            Self::User => NameKind::User,
            Self::Product => NameKind::Product,
            Self::Account => NameKind::Account,
        }
    }
}

/// A statement that one name means another, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias<N> {
    /// What kind of names.
    pub kind: AliasKind,
    /// The name as a source spells it.
    pub raw: N,
    /// The name that it means.
    pub canonical: N,
    /// When it holds.
    pub span: Span,
}

impl<N> Alias<N> {
    /// The same alias with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Alias<M>, E> {
        Ok(Alias {
            kind: self.kind,
            raw: f(self.kind.names(), self.raw)?,
            canonical: f(self.kind.names(), self.canonical)?,
            span: self.span,
        })
    }
}

/// A component of a suite by inventory: a machine that has enough of them is taken to have the suite.
///
/// The rows of one suite belong together; of several percentages the least counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SuiteMember<N> {
    /// The suite.
    pub suite: N,
    /// The component.
    pub component: N,
    /// Whether there is no suite without it.
    pub mandatory: bool,
    /// How many percent of the other components must be there.
    pub percent: u32,
    /// When the row holds.
    pub span: Span,
}

impl<N> SuiteMember<N> {
    /// The same row with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<SuiteMember<M>, E> {
        Ok(SuiteMember {
            suite: f(NameKind::Product, self.suite)?,
            component: f(NameKind::Product, self.component)?,
            mandatory: self.mandatory,
            percent: self.percent,
            span: self.span,
        })
    }
}

/// A downgrade right: rights of a product may also cover use of a lower edition or version of it.
///
/// Such statements follow each other: what a product may cover, the products above it may too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Downgrade<N> {
    /// The product whose rights they are.
    pub higher: N,
    /// The product whose use they may cover.
    pub lower: N,
    /// When they may.
    pub span: Span,
}

impl<N> Downgrade<N> {
    /// The same statement with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Downgrade<M>, E> {
        Ok(Downgrade {
            higher: f(NameKind::Product, self.higher)?,
            lower: f(NameKind::Product, self.lower)?,
            span: self.span,
        })
    }
}
