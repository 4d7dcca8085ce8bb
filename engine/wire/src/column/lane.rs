//! Lanes: columns of whole numbers of one width, and the choice of their encoding by size.

use super::cells::Cells;
use super::encoding::{NARROW_8, NARROW_16, NARROW_32, PLAIN, RUNS};
use super::{Place, write_column};
use crate::bytes::Cursor;
use crate::error::DecodeError;

/// The bytes of a run's length.
const RUN_LENGTH_BYTES: usize = 4;

/// A whole number as a column holds it.
pub(crate) trait Lane: Copy + Ord + Default + std::fmt::Debug {
    /// Its bytes in full.
    const BYTES: usize;

    /// Appends it in full.
    fn write(self, out: &mut Vec<u8>);

    /// Appends all of them in full.
    fn write_all(values: &[Self], out: &mut Vec<u8>);

    /// The values of these bytes in full; their number is a multiple of [`Lane::BYTES`].
    fn read_all(bytes: &[u8], out: &mut Vec<Self>);

    /// How far it is above `base`, which is not greater; held at the greatest 64-bit number.
    fn above(self, base: Self) -> u64;

    /// The value this far above, if it fits.
    fn plus(self, above: u32) -> Option<Self>;

    /// The value this far above, which [`Lane::plus`] found to fit.
    fn plus_fitting(self, above: u32) -> Self;

    /// Its bits, as far as 64 show: for error messages.
    fn bits(self) -> u64;
}

/// Implements [`Lane`]: for each type, distance, checked sum and unchecked sum.
macro_rules! lanes {
    ($($lane:ty: $above:expr, $plus:expr, $plus_fitting:expr;)*) => {$(
        impl Lane for $lane {
            const BYTES: usize = size_of::<$lane>();

            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn write_all(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + size_of_val(values), 0);
                let (places, _) = out[start..].as_chunks_mut::<{ size_of::<$lane>() }>();
                for (place, value) in places.iter_mut().zip(values) {
                    *place = value.to_le_bytes();
                }
            }

            fn read_all(bytes: &[u8], out: &mut Vec<Self>) {
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$lane>() }>();
                out.extend(chunks.iter().map(|chunk| Self::from_le_bytes(*chunk)));
            }

            #[inline]
            fn above(self, base: Self) -> u64 {
                let above: fn(Self, Self) -> u64 = $above;
                above(self, base)
            }

            #[inline]
            fn plus(self, above: u32) -> Option<Self> {
                let plus: fn(Self, u32) -> Option<Self> = $plus;
                plus(self, above)
            }

            #[inline]
            fn plus_fitting(self, above: u32) -> Self {
                let plus: fn(Self, u32) -> Self = $plus_fitting;
                plus(self, above)
            }

            fn bits(self) -> u64 {
                let mut bytes = [0; 8];
                for (place, byte) in bytes.iter_mut().zip(self.to_le_bytes()) {
                    *place = byte;
                }
                u64::from_le_bytes(bytes)
            }
        }
    )*};
}

lanes! {
    // A byte has no narrower form, so its sums are never asked for.
    u8: |value, base| u64::from(value.wrapping_sub(base)),
        |value, above| u8::try_from(above).ok().and_then(|above| value.checked_add(above)),
        |value, above| value.wrapping_add(above.to_le_bytes()[0]);
    u32: |value, base| u64::from(value.wrapping_sub(base)),
        u32::checked_add,
        u32::wrapping_add;
    u64: u64::wrapping_sub,
        |value, above| value.checked_add(u64::from(above)),
        |value, above| value.wrapping_add(u64::from(above));
    u128: |value, base| u64::try_from(value.wrapping_sub(base)).unwrap_or(u64::MAX),
        |value, above| value.checked_add(u128::from(above)),
        |value, above| value.wrapping_add(u128::from(above));
    i32: |value, base| u64::from(value.wrapping_sub(base).cast_unsigned()),
        i32::checked_add_unsigned,
        i32::wrapping_add_unsigned;
    i64: |value, base| value.wrapping_sub(base).cast_unsigned(),
        |value, above| value.checked_add_unsigned(u64::from(above)),
        |value, above| value.wrapping_add_unsigned(u64::from(above));
}

/// What decides how values are encoded.
#[derive(Clone, Copy, Debug)]
struct Survey<L> {
    minimum: L,
    maximum: L,
    /// How many stretches of equal values there are.
    runs: usize,
}

impl<L: Lane> Survey<L> {
    fn of(values: &[L]) -> Self {
        let Some(&first) = values.first() else {
            return Self { minimum: L::default(), maximum: L::default(), runs: 0 };
        };
        let (mut minimum, mut maximum) = (first, first);
        for &value in values {
            minimum = minimum.min(value);
            maximum = maximum.max(value);
        }
        let turns = values.windows(2).map(|pair| usize::from(pair[0] != pair[1])).sum::<usize>();
        Self { minimum, maximum, runs: 1 + turns }
    }

    /// The encoding that takes the fewest bytes; of equals, the one that is read fastest.
    fn choice(&self, count: usize) -> u8 {
        let above = self.maximum.above(self.minimum);
        let narrow = |bytes: usize, limit: u64| {
            (L::BYTES > bytes && above <= limit).then_some(L::BYTES + bytes * count)
        };
        let sizes = [
            (PLAIN, Some(L::BYTES * count)),
            (NARROW_8, narrow(1, u64::from(u8::MAX))),
            (NARROW_16, narrow(2, u64::from(u16::MAX))),
            (NARROW_32, narrow(4, u64::from(u32::MAX))),
            (RUNS, Some((RUN_LENGTH_BYTES + L::BYTES) * self.runs)),
        ];
        let sizes = sizes.into_iter().filter_map(|(code, size)| size.map(|size| (size, code)));
        sizes.min().map_or(PLAIN, |(_, code)| code)
    }
}

/// Appends the column of these values, with `presence` (an encoding flag and its bytes) before them.
pub(crate) fn write_lanes<L: Lane>(
    values: &[L],
    code: u8,
    presence: u8,
    bitmap: &[u8],
    out: &mut Vec<u8>,
) {
    let survey = Survey::of(values);
    let choice = survey.choice(values.len());
    write_column(out, code, choice | presence, |payload| {
        payload.extend_from_slice(bitmap);
        match choice {
            NARROW_8 => write_narrow::<L, 1>(values, survey.minimum, payload),
            NARROW_16 => write_narrow::<L, 2>(values, survey.minimum, payload),
            NARROW_32 => write_narrow::<L, 4>(values, survey.minimum, payload),
            RUNS => write_runs(values, payload),
            _ => L::write_all(values, payload),
        }
    });
}

fn write_narrow<L: Lane, const BYTES: usize>(values: &[L], minimum: L, out: &mut Vec<u8>) {
    minimum.write(out);
    let start = out.len();
    out.resize(start + BYTES * values.len(), 0);
    let (places, _) = out[start..].as_chunks_mut::<BYTES>();
    for (place, value) in places.iter_mut().zip(values) {
        let above = value.above(minimum).to_le_bytes();
        place.copy_from_slice(&above[..BYTES]);
    }
}

fn write_runs<L: Lane>(values: &[L], out: &mut Vec<u8>) {
    for run in values.chunk_by(|left, right| left == right) {
        let length = u32::try_from(run.len()).expect("a batch has far fewer rows than 32 bits");
        out.extend_from_slice(&length.to_le_bytes());
        run[0].write(out);
    }
}

/// The values of a column: `count` of them, from a payload without its presence bits.
pub(crate) fn read_lanes<L: Lane>(
    payload: &[u8],
    encoding: u8,
    count: usize,
    place: Place,
) -> Result<Cells<L>, DecodeError> {
    let each = match encoding {
        PLAIN => {
            expect_length(payload, L::BYTES * count, place)?;
            let mut values = Vec::with_capacity(count);
            L::read_all(payload, &mut values);
            values
        }
        NARROW_8 if L::BYTES > 1 => read_narrow::<L, 1>(payload, count, place)?,
        NARROW_16 if L::BYTES > 2 => read_narrow::<L, 2>(payload, count, place)?,
        NARROW_32 if L::BYTES > 4 => read_narrow::<L, 4>(payload, count, place)?,
        RUNS => return read_runs(payload, count, place),
        found => return Err(DecodeError::Encoding { column: place.name, found }),
    };
    Ok(Cells::Each(each.into_iter()))
}

fn expect_length(payload: &[u8], needed: usize, place: Place) -> Result<(), DecodeError> {
    if payload.len() == needed { Ok(()) } else { Err(place.length_error(payload.len(), needed)) }
}

fn read_narrow<L: Lane, const BYTES: usize>(
    payload: &[u8],
    count: usize,
    place: Place,
) -> Result<Vec<L>, DecodeError> {
    expect_length(payload, L::BYTES + BYTES * count, place)?;
    let (minimum, rest) = payload.split_at(L::BYTES);
    let base: L = one(minimum);
    let (chunks, _) = rest.as_chunks::<BYTES>();
    let wide = |chunk: &[u8; BYTES]| {
        let mut bytes = [0; 4];
        bytes[..BYTES].copy_from_slice(chunk);
        u32::from_le_bytes(bytes)
    };
    // If the greatest fits, all do.
    let greatest = chunks.iter().map(wide).max().unwrap_or(0);
    if base.plus(greatest).is_none() {
        let row = chunks.iter().position(|chunk| base.plus(wide(chunk)).is_none()).unwrap_or(0);
        return Err(DecodeError::Overflow { column: place.name, row });
    }
    Ok(chunks.iter().map(|chunk| base.plus_fitting(wide(chunk))).collect())
}

fn read_runs<L: Lane>(payload: &[u8], count: usize, place: Place) -> Result<Cells<L>, DecodeError> {
    let run_bytes = RUN_LENGTH_BYTES + L::BYTES;
    let runs = payload.len() / run_bytes;
    expect_length(payload, runs * run_bytes, place)?;
    let wrong = |found: u64| DecodeError::Runs { column: place.name, found, rows: count };
    // The lengths are added up before anything is allocated for them.
    let mut cursor = Cursor::new(payload);
    let mut lengths: u64 = 0;
    for _ in 0..runs {
        let length = cursor.u32().map_err(|_| wrong(lengths))?;
        cursor.take(L::BYTES).map_err(|_| wrong(lengths))?;
        lengths += u64::from(length);
        // A run of no rows is never written; accepting it would give one column many spellings.
        if length == 0 || lengths > count as u64 {
            return Err(wrong(lengths));
        }
    }
    if lengths != count as u64 {
        return Err(wrong(lengths));
    }
    if let (1, Some((_, bytes))) = (runs, payload.split_at_checked(RUN_LENGTH_BYTES)) {
        return Ok(Cells::same(one(bytes), count));
    }
    let mut values: Vec<L> = Vec::with_capacity(count);
    for run in payload.chunks_exact(run_bytes) {
        let (length, bytes) = run.split_at(RUN_LENGTH_BYTES);
        let length = length.try_into().map_or(0, u32::from_le_bytes);
        L::read_all(bytes, &mut values);
        let value = values.last().copied().unwrap_or_default();
        // One is there already; no run is empty.
        values.resize(values.len() + length as usize - 1, value);
    }
    Ok(Cells::Each(values.into_iter()))
}

/// The value of these bytes in full.
fn one<L: Lane>(bytes: &[u8]) -> L {
    let mut values = Vec::with_capacity(1);
    L::read_all(bytes, &mut values);
    values.first().copied().unwrap_or_default()
}
