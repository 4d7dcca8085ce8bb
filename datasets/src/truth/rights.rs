//! What may be used: purchases, and what license files grant.
//!
//! A purchase list and a license file are two claims about one right. Where a product has purchases,
//! they count; the file counts for products that nobody's list names.

use crate::population::{AccountIndex, Population, ProductIndex};
use crate::world::World;
use trueup_model::contract::{Basis, LineKind};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};

/// A node of the tree over which rights and demand meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// An account of the organization.
    Account(AccountIndex),
    /// Where use goes that nothing attributes.
    Unattributed,
    /// The top, above every account.
    Root,
}

impl Node {
    /// The node and every node above it, nearest first.
    pub fn upwards(self, population: &Population) -> Vec<Self> {
        match self {
            Self::Account(account) => {
                let path = population.upwards(account).into_iter().map(Self::Account);
                path.chain([Self::Root]).collect()
            }
            Self::Unattributed => vec![self, Self::Root],
            Self::Root => vec![self],
        }
    }

    /// The node's name: the account's, or a word in parentheses.
    pub fn name(self, population: &Population) -> String {
        match self {
            Self::Account(account) => population.accounts[account.0].name.clone(),
            Self::Unattributed => "(unattributed)".to_owned(),
            Self::Root => "(all)".to_owned(),
        }
    }
}

/// A line that grants something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// Of what.
    pub product: ProductIndex,
    /// How it is counted.
    pub metric: Metric,
    /// Whose subtree may use it.
    pub node: Node,
    /// When.
    pub span: Span,
    /// How much.
    pub capacity: Capacity,
    /// Tolerated use above it.
    pub overdraft: Quantity,
    /// Who says so.
    pub basis: Basis,
    /// What it cost.
    pub cost: Option<Money>,
}

/// Every right of a world.
pub fn rights(world: &World) -> Vec<Right> {
    let mut found = Vec::new();
    for purchase in world.purchases.iter().filter(|one| one.kind == LineKind::Base) {
        found.push(Right {
            product: purchase.product,
            metric: purchase.metric,
            node: Node::Account(purchase.account),
            span: purchase.span(&world.table_zone),
            capacity: Capacity::Limited(purchase.quantity),
            overdraft: Quantity::ZERO,
            basis: Basis::Contract,
            cost: purchase.cost,
        });
    }
    for site in &world.sites {
        for daemon in &site.server.daemons {
            for (index, version) in daemon.files.iter().enumerate() {
                let next = daemon.files.get(index + 1).and_then(|next| next.effective_from);
                let in_force = Span::new(
                    version.effective_from.unwrap_or(Timestamp::MIN),
                    next.unwrap_or(Timestamp::MAX),
                );
                for feature in &daemon.features {
                    for line in version.file.counting(&feature.name) {
                        let zone = &site.server.zone;
                        let start = line.start.map_or(Timestamp::MIN, |day| zone.day_start(day));
                        let end = line.expiry.map_or(Timestamp::MAX, |day| zone.day_end(day));
                        let capacity = match line.count {
                            Some(count) => Capacity::Limited(Quantity::units(i64::from(count))),
                            None => Capacity::Unlimited,
                        };
                        found.push(Right {
                            product: feature.product,
                            metric: Metric::Concurrent,
                            node: Node::Root,
                            span: Span::new(start, end).intersect(in_force),
                            capacity,
                            overdraft: Quantity::units(i64::from(line.overdraft)),
                            basis: Basis::LicenseFile,
                            cost: None,
                        });
                    }
                }
            }
        }
    }
    found.retain(|right| !right.span.is_empty());
    found
}

/// The rights of a product under a metric.
pub fn of_product(rights: &[Right], product: ProductIndex, metric: Metric) -> Vec<&Right> {
    rights.iter().filter(|right| right.product == product && right.metric == metric).collect()
}

/// Who vouches for the rights that count: the best claim that there ever is.
pub fn best_basis(rights: &[&Right]) -> Option<Basis> {
    rights.iter().map(|right| right.basis).min()
}

/// What the rights in force at an instant grant together; `None` if none is.
pub fn granted_at(rights: &[&Right], at: Timestamp) -> Option<Capacity> {
    let in_force: Vec<&&Right> = rights.iter().filter(|right| right.span.contains(at)).collect();
    together(in_force.iter().map(|right| right.capacity))
}

/// What capacities come to; `None` if there are none.
pub fn together(capacities: impl Iterator<Item = Capacity>) -> Option<Capacity> {
    let mut sum: Option<i64> = None;
    let mut unlimited = false;
    for capacity in capacities {
        match capacity {
            Capacity::Limited(quantity) => *sum.get_or_insert(0) += quantity.0,
            Capacity::Unlimited => unlimited = true,
            Capacity::Unknown => {}
        }
    }
    if unlimited {
        return Some(Capacity::Unlimited);
    }
    sum.map(|sum| Capacity::Limited(Quantity(sum)))
}

/// What one unit cost on the newest line begun by an instant that says so.
pub fn unit_price(rights: &[&Right], at: Timestamp) -> Option<Money> {
    let priced = rights.iter().filter(|right| right.span.start <= at).filter_map(|right| {
        let Capacity::Limited(quantity) = right.capacity else { return None };
        let cost = right.cost.filter(|cost| quantity.0 > 0 && cost.amount >= 0)?;
        Some((right.span.start, quantity.0, cost))
    });
    let (_, units, cost) = priced.max_by_key(|(start, ..)| *start)?;
    let dividend = i128::from(cost.amount) * i128::from(ONE_UNIT);
    let price = divide(dividend, i128::from(units), Rounding::HalfEven);
    Some(Money { amount: i64::try_from(price).ok()?, currency: cost.currency })
}
