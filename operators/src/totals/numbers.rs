//! Small numbers for what is otherwise known by long names, and for nodes of both trees in a time.
//!
//! A number is close to others, so what is kept by numbers is an array. It is held by those that need it; one
//! that nobody holds stays what it is until it is freed, and is given away again after that.

use super::Spot;
use crate::lists::Lists;
use std::hash::Hash;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId, TenantId};

/// Names by number.
pub(super) struct Numbers<K> {
    numbers: IdMap<K, u32>,
    /// Each name, and how many hold it.
    rows: Lists<(K, u32)>,
    free: Vec<u32>,
}

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self { numbers: IdMap::default(), rows: Lists::default(), free: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash> Numbers<K> {
    /// The number of a name, and whether it was given to it just now; of itself it holds nothing.
    pub(super) fn number(&mut self, key: K) -> (u32, bool) {
        let Self { numbers, rows, free } = self;
        let mut is_new = false;
        let number = *numbers.entry(key).or_insert_with(|| {
            is_new = true;
            let Some(number) = free.pop() else {
                rows.push((key, 0));
                return next(rows.len());
            };
            rows[number as usize] = (key, 0);
            number
        });
        (number, is_new)
    }

    /// The number of a name that has one.
    pub(super) fn get(&self, key: &K) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// The name of a number.
    pub(super) fn key(&self, number: u32) -> K {
        self.rows[number as usize].0
    }

    pub(super) fn hold(&mut self, number: u32) {
        self.rows[number as usize].1 += 1;
    }

    /// Holds a number no longer; true if nobody else does.
    pub(super) fn release(&mut self, number: u32) -> bool {
        let holders = &mut self.rows[number as usize].1;
        *holders -= 1;
        *holders == 0
    }

    /// Whether someone holds a number.
    pub(super) fn is_held(&self, number: u32) -> bool {
        self.rows[number as usize].1 > 0
    }

    /// Takes a number that nobody holds from its name; once for each time that it was given.
    pub(super) fn free(&mut self, number: u32) {
        self.numbers.remove(&self.rows[number as usize].0);
        self.free.push(number);
    }

    /// How many numbers there have been at most at a time.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no name has a number.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// The number of the last of so many.
pub(super) fn next(length: usize) -> u32 {
    u32::try_from(length - 1).expect("memory holds fewer than four thousand million")
}

/// A node in a time, by the numbers of its account, its product and the time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    account: u32,
    product: u32,
    time: u32,
}

/// Nodes of both trees in a time, by number: a period, or a piece of time.
pub(super) struct Grid<T> {
    accounts: Numbers<AccountId>,
    products: Numbers<(TenantId, ProductId)>,
    times: Numbers<T>,
    places: Numbers<Place>,
    /// The node that was asked for last, with the numbers of its account and product: many ask in a row.
    last: Option<(Spot, [u32; 2])>,
}

impl<T> Default for Grid<T> {
    fn default() -> Self {
        let (accounts, products) = (Numbers::default(), Numbers::default());
        let (times, places) = (Numbers::default(), Numbers::default());
        Self { accounts, products, times, places, last: None }
    }
}

impl<T: Copy + Eq + Hash> Grid<T> {
    /// The number of a node in a time, and whether it was given to it just now.
    pub(super) fn number(&mut self, spot: Spot, time: T) -> (u32, bool) {
        let sides = self.last.filter(|(last, _)| *last == spot).map(|(_, sides)| sides);
        let [account, product] = sides.unwrap_or_else(|| {
            let (account, _) = self.accounts.number(spot.account);
            let (product, _) = self.products.number((spot.tenant, spot.product));
            [account, product]
        });
        self.last = Some((spot, [account, product]));
        let (moment, _) = self.times.number(time);
        let (number, is_new) = self.places.number(Place { account, product, time: moment });
        if is_new {
            self.accounts.hold(account);
            self.products.hold(product);
            self.times.hold(moment);
        }
        (number, is_new)
    }

    /// The number of a node in a time, if it has one.
    pub(super) fn find(&self, spot: Spot, time: T) -> Option<u32> {
        let account = self.accounts.get(&spot.account)?;
        let product = self.products.get(&(spot.tenant, spot.product))?;
        let time = self.times.get(&time)?;
        self.places.get(&Place { account, product, time })
    }

    /// Which node in which time it is.
    pub(super) fn node(&self, number: u32) -> (Spot, T) {
        let Place { account, product, time } = self.places.key(number);
        let (tenant, product) = self.products.key(product);
        let account = self.accounts.key(account);
        (Spot { tenant, account, product }, self.times.key(time))
    }

    /// The numbers of its account and of its product.
    pub(super) fn sides(&self, number: u32) -> [u32; 2] {
        let Place { account, product, .. } = self.places.key(number);
        [account, product]
    }

    /// The number of an account, if some node has it.
    pub(super) fn account(&self, account: AccountId) -> Option<u32> {
        self.accounts.get(&account)
    }

    /// The number of a product, if some node has it.
    pub(super) fn product(&self, tenant: TenantId, product: ProductId) -> Option<u32> {
        self.products.get(&(tenant, product))
    }

    pub(super) fn hold(&mut self, number: u32) {
        self.places.hold(number);
    }

    /// Holds a number no longer; true if nobody else does.
    pub(super) fn release(&mut self, number: u32) -> bool {
        self.places.release(number)
    }

    pub(super) fn is_held(&self, number: u32) -> bool {
        self.places.is_held(number)
    }

    /// Takes a number that nobody holds from its node; once for each time that it was given.
    pub(super) fn free(&mut self, number: u32) {
        let Place { account, product, time } = self.places.key(number);
        self.places.free(number);
        self.last = None;
        if self.accounts.release(account) {
            self.accounts.free(account);
        }
        if self.products.release(product) {
            self.products.free(product);
        }
        if self.times.release(time) {
            self.times.free(time);
        }
    }

    /// How many numbers there have been at most at a time.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing has a number.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let sides = self.accounts.is_empty() && self.products.is_empty();
        sides && self.times.is_empty() && self.places.is_empty()
    }
}
