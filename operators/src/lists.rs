//! A list in pieces that never move: what grows to millions is not copied each time it has grown.

use std::ops::{Index, IndexMut};

/// How many values a piece holds, as a power of two.
const PIECE_BITS: u32 = 12;
const PIECE: usize = 1 << PIECE_BITS;

/// Values in their order, by how many stand before each.
#[derive(Clone, Debug)]
pub(crate) struct Lists<T> {
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { pieces: Vec::new() }
    }
}

const fn place(number: usize) -> (usize, usize) {
    (number >> PIECE_BITS, number & (PIECE - 1))
}

impl<T> Lists<T> {
    pub(crate) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    pub(crate) fn push(&mut self, value: T) {
        if let Some(last) = self.pieces.last_mut().filter(|last| last.len() < PIECE) {
            last.push(value);
            return;
        }
        // What stays small takes little room.
        let room = if self.pieces.is_empty() { 1 } else { PIECE };
        let mut piece = Vec::with_capacity(room);
        piece.push(value);
        self.pieces.push(piece);
    }

    /// Makes it at least so long.
    pub(crate) fn grow(&mut self, length: usize, mut make: impl FnMut() -> T) {
        for _ in self.len()..length {
            self.push(make());
        }
    }

    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        let (piece, place) = place(number);
        self.pieces.get(piece)?.get(place)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        let (piece, place) = place(number);
        self.pieces.get_mut(piece)?.get_mut(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pieces.iter_mut().flatten()
    }
}

impl<T> Index<usize> for Lists<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: usize) -> &T {
        let (piece, place) = place(number);
        &self.pieces[piece][place]
    }
}

impl<T> IndexMut<usize> for Lists<T> {
    #[inline]
    fn index_mut(&mut self, number: usize) -> &mut T {
        let (piece, place) = place(number);
        &mut self.pieces[piece][place]
    }
}

#[cfg(test)]
mod tests {
    use super::{Lists, PIECE};

    #[test]
    fn values_stand_where_they_were_put() {
        let mut lists = Lists::default();
        let all = PIECE * 2 + 3;
        for value in 0..all {
            assert_eq!((lists.len(), lists.get(value)), (value, None));
            lists.push(value);
            assert_eq!((lists[value], lists.get(value)), (value, Some(&value)));
        }
        lists[7] = 70;
        lists.iter_mut().filter(|value| **value == PIECE).for_each(|value| *value = 71);
        lists.grow(3, || 1);
        lists.grow(all + PIECE, || 72);
        let expected = (0..all).map(|value| match value {
            7 => 70,
            PIECE => 71,
            value => value,
        });
        assert!(lists.iter().copied().eq(expected.chain(std::iter::repeat_n(72, PIECE))));
        assert_eq!(lists.get_mut(all + PIECE), None);
    }
}
