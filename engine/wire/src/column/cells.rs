//! The values of a column once it is read: each by itself, or one that all rows share.
//!
//! Most columns of most batches say the same of every row, or nothing. Such a column takes no room.

/// The values of a column, row by row.
#[derive(Debug)]
pub(crate) enum Cells<T> {
    /// The same in each of the rows that are left.
    Same {
        /// What it is.
        value: T,
        /// How many rows are left.
        left: usize,
    },
    /// Each by itself.
    Each(std::vec::IntoIter<T>),
}

impl<T> Cells<T> {
    /// The values of no rows.
    pub(crate) fn none() -> Self {
        Self::Each(Vec::new().into_iter())
    }
}

impl<T: Clone> Cells<T> {
    /// The same value in so many rows.
    pub(crate) fn same(value: T, rows: usize) -> Self {
        Self::Same { value, left: rows }
    }

    /// The values made of these, each by the same rule.
    pub(crate) fn map<U>(self, rule: impl Fn(T) -> U) -> Cells<U> {
        match self {
            Self::Same { value, left } => Cells::Same { value: rule(value), left },
            Self::Each(each) => Cells::Each(each.map(rule).collect::<Vec<_>>().into_iter()),
        }
    }

    /// What these and others make of each row together, of which there are as many.
    pub(crate) fn zip<O: Clone, U>(self, other: Cells<O>, rule: impl Fn(T, O) -> U) -> Cells<U> {
        match (self, other) {
            (Self::Same { value, left }, Cells::Same { value: with, .. }) => {
                Cells::Same { value: rule(value, with), left }
            }
            (cells, others) => {
                let together = cells.zip_rows(others).map(|(one, with)| rule(one, with));
                Cells::Each(together.collect::<Vec<_>>().into_iter())
            }
        }
    }

    fn zip_rows<O: Clone>(self, other: Cells<O>) -> impl Iterator<Item = (T, O)> {
        Iterator::zip(self, other)
    }

    /// How many rows are not `value`.
    pub(crate) fn count_not(&self, value: &T) -> usize
    where
        T: PartialEq,
    {
        match self {
            Self::Same { value: one, left } => usize::from(one != value) * left,
            Self::Each(each) => each.as_slice().iter().filter(|one| *one != value).count(),
        }
    }
}

impl<T: Clone> Iterator for Cells<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self {
            Self::Same { value, left } => {
                *left = left.checked_sub(1)?;
                Some(value.clone())
            }
            Self::Each(each) => each.next(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Same { left, .. } => (*left, Some(*left)),
            Self::Each(each) => each.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn what_all_rows_share_is_said_once_and_given_as_often_as_there_are_rows() {
        let shared = Cells::same(7_u32, 3).zip(Cells::same(1_u32, 3), |one, with| one + with);
        assert!(matches!(shared, Cells::Same { value: 8, left: 3 }));
        assert_eq!(shared.count_not(&7), 3);
        assert_eq!(shared.size_hint(), (3, Some(3)));
        assert_eq!(shared.map(u64::from).collect::<Vec<_>>(), [8, 8, 8]);
    }

    #[test]
    fn rows_that_differ_are_put_together_with_one_that_all_share() {
        let each = || Cells::Each(vec![1_u32, 2, 3].into_iter());
        assert_eq!(each().count_not(&2), 2);
        let times = each().zip(Cells::same(10_u32, 3), |one, with| one * with);
        assert_eq!(times.collect::<Vec<_>>(), [10, 20, 30]);
        let less = Cells::same(10_u32, 3).zip(each(), |one, with| one - with);
        assert_eq!(less.collect::<Vec<_>>(), [9, 8, 7]);
        assert_eq!(Cells::<u32>::none().next(), None);
    }
}
