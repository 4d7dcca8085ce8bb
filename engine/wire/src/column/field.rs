//! Fields: how the type of a fact's field becomes one or more columns, and back.
//!
//! [`Value`] is a field of one plain column; `Option` of it is that column with presence; a
//! [`Field`] of several parts (span, capacity, money) is several columns with neighboring codes.
//! Values that hold only sometimes take zero where they do not, so that every combination of columns
//! that can be read is a fact.

use super::cells::Cells;
use super::lane::{Lane, read_lanes, write_lanes};
use super::presence::{Presence, read_presence, write_presence};
use super::text::{read_texts, write_texts};
use super::{Place, read_column};
use crate::bytes::Cursor;
use crate::error::{DecodeError, EncodeError};

/// A field that is one whole number in one column.
pub(crate) trait Value: Copy {
    /// The whole number.
    type Lane: Lane;

    /// What the column's type is called in `FORMAT.md`.
    const TYPE: &'static str;

    /// The number of the value.
    fn to_lane(self) -> Self::Lane;

    /// The value of the number, if it is one.
    fn from_lane(lane: Self::Lane, place: Place) -> Option<Self>;
}

/// One column of a field, as `FORMAT.md` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnType {
    /// What is added to the field's name.
    pub(crate) part: &'static str,
    /// The type of its values.
    pub(crate) value: &'static str,
    /// Whether rows may be without a value.
    pub(crate) optional: bool,
}

/// A field of a fact.
pub(crate) trait Field: Clone + Sized {
    /// Gathers the values of many rows.
    type Builder;

    /// Its columns; the first has the field's code, each further one the next.
    const COLUMNS: &'static [ColumnType];

    /// A builder with room for this many rows.
    fn builder(rows: usize) -> Self::Builder;

    /// Adds a row.
    fn push(&self, builder: &mut Self::Builder);

    /// Appends the columns.
    fn write(builder: &Self::Builder, place: Place, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Reads the columns: one value for each of `rows`.
    fn read(cursor: &mut Cursor<'_>, rows: usize, place: Place)
    -> Result<Cells<Self>, DecodeError>;
}

impl<V: Value> Field for V {
    type Builder = Vec<V::Lane>;

    const COLUMNS: &'static [ColumnType] =
        &[ColumnType { part: "", value: V::TYPE, optional: false }];

    fn builder(rows: usize) -> Self::Builder {
        Vec::with_capacity(rows)
    }

    #[inline]
    fn push(&self, builder: &mut Self::Builder) {
        builder.push(self.to_lane());
    }

    fn write(builder: &Self::Builder, place: Place, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_lanes(builder, place.code, 0, &[], out);
        Ok(())
    }

    fn read(
        cursor: &mut Cursor<'_>,
        rows: usize,
        place: Place,
    ) -> Result<Cells<Self>, DecodeError> {
        let raw = read_column(cursor, place)?;
        let lanes = read_lanes(raw.payload, raw.encoding, rows, place)?;
        read_values(lanes, place)
    }
}

/// The values of these numbers, each through its type.
fn read_values<V: Value>(lanes: Cells<V::Lane>, place: Place) -> Result<Cells<V>, DecodeError> {
    let mut unknown = None;
    let each = match lanes {
        Cells::Same { value: lane, left } => {
            let wrong =
                || DecodeError::UnknownValue { column: place.name, row: 0, found: lane.bits() };
            return Ok(Cells::same(V::from_lane(lane, place).ok_or_else(wrong)?, left));
        }
        Cells::Each(each) => each,
    };
    let rows = each.enumerate();
    let values = rows.map_while(|(row, lane)| {
        let value = V::from_lane(lane, place);
        if value.is_none() {
            unknown = Some((row, lane.bits()));
        }
        value
    });
    let values: Vec<V> = values.collect();
    match unknown {
        None => Ok(Cells::Each(values.into_iter())),
        Some((row, found)) => Err(DecodeError::UnknownValue { column: place.name, row, found }),
    }
}

/// Gathers the values of an optional field.
#[derive(Debug)]
pub(crate) struct OptionalBuilder<T> {
    present: Vec<bool>,
    values: Vec<T>,
}

impl<T> OptionalBuilder<T> {
    /// Values get room when they come: many optional columns have none.
    fn with_capacity(rows: usize) -> Self {
        Self { present: Vec::with_capacity(rows), values: Vec::new() }
    }

    #[inline]
    fn push(&mut self, value: Option<T>) {
        self.present.push(value.is_some());
        if let Some(value) = value {
            self.values.push(value);
        }
    }
}

impl<V: Value> Field for Option<V> {
    type Builder = OptionalBuilder<V::Lane>;

    const COLUMNS: &'static [ColumnType] =
        &[ColumnType { part: "", value: V::TYPE, optional: true }];

    fn builder(rows: usize) -> Self::Builder {
        OptionalBuilder::with_capacity(rows)
    }

    #[inline]
    fn push(&self, builder: &mut Self::Builder) {
        builder.push(self.map(V::to_lane));
    }

    fn write(builder: &Self::Builder, place: Place, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (presence, bitmap) = write_presence(&builder.present, builder.values.len());
        if builder.values.is_empty() {
            super::write_column(out, place.code, presence, |_| {});
        } else {
            write_lanes(&builder.values, place.code, presence, &bitmap, out);
        }
        Ok(())
    }

    fn read(
        cursor: &mut Cursor<'_>,
        rows: usize,
        place: Place,
    ) -> Result<Cells<Self>, DecodeError> {
        let raw = read_column(cursor, place)?;
        let (presence, encoding, payload) = read_presence(raw, rows, place)?;
        let count = presence.count(rows);
        if count == 0 {
            check_empty(payload, place)?;
            return Ok(Cells::same(None, rows));
        }
        let lanes = read_lanes(payload, encoding, count, place)?;
        let mut values = read_values::<V>(lanes, place)?;
        if matches!(presence, Presence::Every) {
            return Ok(values.map(Some));
        }
        let spread = (0..rows).map(|row| if presence.has(row) { values.next() } else { None });
        Ok(Cells::Each(spread.collect::<Vec<_>>().into_iter()))
    }
}

fn check_empty(payload: &[u8], place: Place) -> Result<(), DecodeError> {
    if payload.is_empty() { Ok(()) } else { Err(place.length_error(payload.len(), 0)) }
}

impl Field for Option<String> {
    type Builder = OptionalBuilder<String>;

    const COLUMNS: &'static [ColumnType] =
        &[ColumnType { part: "", value: "text", optional: true }];

    fn builder(rows: usize) -> Self::Builder {
        OptionalBuilder::with_capacity(rows)
    }

    fn push(&self, builder: &mut Self::Builder) {
        builder.push(self.clone());
    }

    fn write(builder: &Self::Builder, place: Place, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (presence, bitmap) = write_presence(&builder.present, builder.values.len());
        if builder.values.is_empty() {
            super::write_column(out, place.code, presence, |_| {});
            return Ok(());
        }
        write_texts(&builder.values, place, presence, &bitmap, out)
    }

    fn read(
        cursor: &mut Cursor<'_>,
        rows: usize,
        place: Place,
    ) -> Result<Cells<Self>, DecodeError> {
        let raw = read_column(cursor, place)?;
        let (presence, encoding, payload) = read_presence(raw, rows, place)?;
        let count = presence.count(rows);
        if count == 0 {
            check_empty(payload, place)?;
            return Ok(Cells::same(None, rows));
        }
        let mut texts = read_texts(payload, encoding, count, place)?.into_iter();
        let spread = (0..rows).map(|row| if presence.has(row) { texts.next() } else { None });
        Ok(Cells::Each(spread.collect::<Vec<_>>().into_iter()))
    }
}

/// A field that comes apart into two, each of one column.
pub(crate) trait Pair: Clone + Sized {
    /// The field of the first column.
    type First: Field;
    /// The field of the second column.
    type Second: Field;

    /// What is added to the field's name for each of the two.
    const PARTS: [&'static str; 2];

    /// The two parts.
    fn apart(&self) -> (Self::First, Self::Second);

    /// The whole of two parts; every two parts are one.
    fn together(first: Self::First, second: Self::Second) -> Self;
}

/// Implements [`Field`] for types that are a [`Pair`].
macro_rules! pairs {
    ($($pair:ty),+ $(,)?) => {$(
        impl Field for $pair {
            type Builder =
                (<<Self as Pair>::First as Field>::Builder, <<Self as Pair>::Second as Field>::Builder);

            const COLUMNS: &'static [ColumnType] = &[
                ColumnType {
                    part: <Self as Pair>::PARTS[0],
                    ..<<Self as Pair>::First as Field>::COLUMNS[0]
                },
                ColumnType {
                    part: <Self as Pair>::PARTS[1],
                    ..<<Self as Pair>::Second as Field>::COLUMNS[0]
                },
            ];

            fn builder(rows: usize) -> Self::Builder {
                let first = <Self as Pair>::First::builder(rows);
                (first, <Self as Pair>::Second::builder(rows))
            }

            #[inline]
            fn push(&self, builder: &mut Self::Builder) {
                let (first, second) = self.apart();
                first.push(&mut builder.0);
                second.push(&mut builder.1);
            }

            fn write(
                builder: &Self::Builder,
                place: Place,
                out: &mut Vec<u8>,
            ) -> Result<(), EncodeError> {
                let [first, second] = <Self as Pair>::PARTS;
                <Self as Pair>::First::write(&builder.0, place.part(0, first), out)?;
                <Self as Pair>::Second::write(&builder.1, place.part(1, second), out)
            }

            fn read(
                cursor: &mut Cursor<'_>,
                rows: usize,
                place: Place,
            ) -> Result<$crate::column::cells::Cells<Self>, DecodeError> {
                let [first, second] = <Self as Pair>::PARTS;
                let firsts = <Self as Pair>::First::read(cursor, rows, place.part(0, first))?;
                let seconds = <Self as Pair>::Second::read(cursor, rows, place.part(1, second))?;
                Ok(firsts.zip(seconds, Self::together))
            }
        }
    )+};
}

pub(crate) use pairs;
