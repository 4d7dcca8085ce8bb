//! Values by small numbers that are given again.

use crate::lists::Lists;

/// Values by number.
#[derive(Debug)]
pub(super) struct Slab<T> {
    lists: Lists<T>,
    /// Numbers whose values nobody needs.
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { lists: Lists::default(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Keeps a value; gives its number.
    ///
    /// # Panics
    /// If there are two thousand million already.
    pub(super) fn put(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            *self.get_mut(number) = value;
            return number;
        }
        let number = self.lists.len();
        self.lists.push(value);
        u32::try_from(number)
            .ok()
            .filter(|number| number.leading_zeros() > 0)
            .expect("memory holds fewer than two thousand million")
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &T {
        &self.lists[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.lists[number as usize]
    }

    /// Gives a number away again: its value stands until then.
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn values_stand_where_they_were_put_and_numbers_are_given_again() {
        let mut slab = Slab::default();
        let numbers: Vec<u32> = (0..9000).map(|value| slab.put(value)).collect();
        for (value, number) in numbers.iter().enumerate() {
            assert_eq!((*slab.get(*number), *number as usize), (value, value));
        }
        slab.free(numbers[7]);
        assert_eq!(slab.put(70), numbers[7]);
        assert_eq!(*slab.get(numbers[7]), 70);
        assert_eq!(slab.put(71) as usize, 9000);
    }
}
