//! Values by small numbers, in lists that never move: what grows to millions is not copied each time it has grown.

/// How many values a list holds, as a power of two.
const LIST_BITS: u32 = 12;
const LIST: usize = 1 << LIST_BITS;

/// Values by number.
#[derive(Debug)]
pub(super) struct Slab<T> {
    lists: Vec<Vec<T>>,
    /// Numbers whose values nobody needs.
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { lists: Vec::new(), free: Vec::new() }
    }
}

const fn place(number: u32) -> (usize, usize) {
    let number = number as usize;
    (number >> LIST_BITS, number & (LIST - 1))
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
        let lists = self.lists.len();
        let number = match self.lists.last_mut().filter(|list| list.len() < LIST) {
            Some(list) => {
                list.push(value);
                (lists - 1) * LIST + list.len() - 1
            }
            None => {
                let mut list = Vec::with_capacity(LIST);
                list.push(value);
                self.lists.push(list);
                lists * LIST
            }
        };
        u32::try_from(number)
            .ok()
            .filter(|number| number.leading_zeros() > 0)
            .expect("memory holds fewer than two thousand million")
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &T {
        let (list, place) = place(number);
        &self.lists[list][place]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        let (list, place) = place(number);
        &mut self.lists[list][place]
    }

    /// Gives a number away again: its value stands until then.
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::{LIST, Slab};

    #[test]
    fn values_stand_where_they_were_put_and_numbers_are_given_again() {
        let mut slab = Slab::default();
        let numbers: Vec<u32> = (0..LIST * 2 + 3).map(|value| slab.put(value)).collect();
        for (value, number) in numbers.iter().enumerate() {
            assert_eq!((*slab.get(*number), *number as usize), (value, value));
        }
        slab.free(numbers[7]);
        assert_eq!(slab.put(70), numbers[7]);
        assert_eq!(*slab.get(numbers[7]), 70);
        assert_eq!(slab.put(71) as usize, LIST * 2 + 3);
    }
}
