//! What is lent at an instant: the accounts from the lowest up, and at each the pairs in their order.

use super::missed::{Leavings, Spot};
use super::nodes::{Loan, Member, lends};
use crate::downgrades::Way;
use crate::entitle::Right;
use crate::timeline::clamped;
use crate::tree::{Above, Tree};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::id::{AccountId, ProductId};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// An account and those above it, the nearest first.
pub(super) struct Place(Vec<Above>);

impl Place {
    pub(super) fn of(account: AccountId, tree: &Tree) -> Self {
        let mut above = tree.above(account.0, Span::ALWAYS);
        above.sort_unstable_by_key(|row| row.distance);
        Self(above)
    }

    /// When each of them is above.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> {
        self.0.iter().map(|row| row.span)
    }

    /// The account itself and those above it at an instant.
    fn way_up(&self, at: Timestamp) -> impl Iterator<Item = AccountId> {
        self.0.iter().filter(move |row| row.span.contains(at)).map(|row| AccountId(row.node))
    }
}

/// What is evaluated at an instant.
pub(super) struct Instant<'i> {
    pub(super) at: Timestamp,
    pub(super) members: &'i BTreeMap<ProductId, Member>,
    pub(super) ways: &'i [Way],
    pub(super) places: &'i BTreeMap<AccountId, Place>,
}

/// What is needed and granted of a product at an account.
#[derive(Clone, Copy)]
pub(super) struct Left {
    inflow: i128,
    /// By own rights, and those that are lent, which others lack.
    pub(super) granted: i128,
    /// Own rights that have no limit, or do not say it.
    pub(super) endless: Option<Capacity>,
    /// Whether another product's have none.
    helped: bool,
    /// Whether own rights that were bought are in force.
    pub(super) bought: bool,
}

impl Left {
    /// Needed, and covered by nothing so far.
    fn open(&self) -> i128 {
        match self.helped || self.endless.is_some() {
            true => 0,
            false => (self.inflow - self.granted.max(0)).max(0),
        }
    }

    /// What would cover it: what was taken back beyond what was bought comes on top.
    fn wanted(&self) -> i128 {
        if self.open() > 0 { self.inflow - self.granted } else { 0 }
    }

    /// Granted, and not needed.
    fn free(&self) -> i128 {
        (self.granted.max(0) - self.inflow.max(0)).max(0)
    }
}

impl Instant<'_> {
    /// What is lent, where something can be, and what that leaves.
    pub(super) fn loans(
        &self,
        needs: &BTreeMap<Spot, i128>,
    ) -> (BTreeMap<Loan, Capacity>, Leavings) {
        let pairs = self.pairs();
        let mut inflow: BTreeMap<(AccountId, ProductId), i128> = needs
            .iter()
            .map(|((product, account), amount)| ((*account, *product), *amount))
            .collect();
        let mut order: Vec<AccountId> = self.places.keys().copied().collect();
        order.sort_by_key(|account| {
            let place = self.places.get(account);
            std::cmp::Reverse(place.map_or(0, |place| place.way_up(self.at).count()))
        });
        let mut loans = BTreeMap::new();
        let mut leavings = Leavings::default();
        for account in order {
            let mut left: BTreeMap<ProductId, Left> = BTreeMap::new();
            for (product, member) in
                self.members.iter().filter(|one| one.1.pools.contains(&account))
            {
                let flows_in = inflow.get(&(account, *product)).copied().unwrap_or_default();
                let own = self.own(member, account, flows_in);
                left.insert(*product, own);
                leavings.own.insert((*product, account), own);
            }
            for (higher, lower) in &pairs {
                let loan = serve(&mut left, *higher, *lower);
                loans.extend(loan.map(|capacity| ((*higher, *lower, account), capacity)));
            }
            for (product, one) in left {
                leavings.spare |= one.endless.is_some() || one.free() > 0;
                let open = one.open();
                match self.taker(account, product) {
                    _ if open == 0 => {}
                    Some(above) => *inflow.entry((above, product)).or_default() += open,
                    None => drop(leavings.short.insert((product, account), open)),
                }
            }
        }
        (loans, leavings)
    }

    /// Who may serve whom, in the order in which they do.
    pub(super) fn pairs(&self) -> Vec<(ProductId, ProductId)> {
        let held: Vec<&Way> = self.ways.iter().filter(|way| way.span.contains(self.at)).collect();
        let mut serves: BTreeMap<ProductId, BTreeSet<ProductId>> = BTreeMap::new();
        for way in &held {
            serves.entry(way.higher).or_default().insert(way.lower);
        }
        let scope = |way: &Way| serves.get(&way.higher).map_or(0, BTreeSet::len);
        let mut pairs: Vec<(usize, u32, ProductId, ProductId)> =
            held.iter().map(|way| (scope(way), way.distance, way.higher, way.lower)).collect();
        pairs.sort_unstable();
        pairs.into_iter().map(|(_, _, higher, lower)| (higher, lower)).collect()
    }

    /// What is needed and granted of a product at an account, before anything is lent.
    fn own(&self, member: &Member, account: AccountId, inflow: i128) -> Left {
        let mut left = Left { inflow, granted: 0, endless: None, helped: false, bought: false };
        let in_force = |right: &Right| right.account == account && right.span.contains(self.at);
        for (right, count) in member.rights.iter().filter(|(right, _)| in_force(right)) {
            left.bought |= lends(right);
            match right.capacity {
                Capacity::Limited(limit) => left.granted += i128::from(limit.0) * *count as i128,
                Capacity::Unlimited => left.endless = Some(Capacity::Unlimited),
                Capacity::Unknown => left.endless = left.endless.or(Some(Capacity::Unknown)),
            }
        }
        left
    }

    /// Whether an account is another, or above it.
    pub(super) fn is_at_or_above(&self, above: AccountId, account: AccountId) -> bool {
        let place = self.places.get(&account);
        above == account || place.is_some_and(|place| place.way_up(self.at).any(|one| one == above))
    }

    /// The nearest account above with rights of a product.
    pub(super) fn taker(&self, account: AccountId, product: ProductId) -> Option<AccountId> {
        let pools = &self.members.get(&product)?.pools;
        self.places.get(&account)?.way_up(self.at).skip(1).find(|above| pools.contains(above))
    }
}

/// Lends of one product to another; `None` if the first has nothing in force that was bought.
fn serve(
    left: &mut BTreeMap<ProductId, Left>,
    higher: ProductId,
    lower: ProductId,
) -> Option<Capacity> {
    let lender = left.get(&higher).copied().filter(|lender| lender.bought)?;
    let borrower = left.get_mut(&lower)?;
    if lender.endless.is_some() {
        borrower.helped = true;
        return lender.endless;
    }
    let amount = lender.free().min(borrower.wanted()).min(i128::from(Quantity::MAX.0));
    borrower.granted += amount;
    left.get_mut(&higher)?.granted -= amount;
    Some(Capacity::Limited(clamped(amount)))
}
