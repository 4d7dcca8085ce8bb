//! Which encoding is chosen, and what is refused of each.

use super::encoding::{ABSENT, BITMAP, NARROW_8, NARROW_16, NARROW_32, PLAIN, RUNS, TEXT};
use super::field::Field;
use super::{Place, read_column};
use crate::bytes::Cursor;
use crate::error::{ColumnName, DecodeError};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use trueup_model::time::Timestamp;

fn place() -> Place {
    Place { code: 9, name: ColumnName { field: "test", part: "" }, codes_defined: 10 }
}

fn encode<F: Field>(values: &[F]) -> Vec<u8> {
    let mut builder = F::builder(values.len());
    for value in values {
        value.push(&mut builder);
    }
    let mut out = Vec::new();
    F::write(&builder, place(), &mut out).unwrap();
    out
}

fn decode<F: Field>(bytes: &[u8], rows: usize) -> Result<Vec<F>, DecodeError> {
    let mut cursor = Cursor::new(bytes);
    let values = F::read(&mut cursor, rows, place())?.collect();
    assert_eq!(cursor.rest(), [] as [u8; 0]);
    Ok(values)
}

fn check_choice<F: Field + Clone + PartialEq + std::fmt::Debug>(
    values: &[F],
    encoding: u8,
    payload_bytes: usize,
) {
    let bytes = encode(values);
    let raw = read_column(&mut Cursor::new(&bytes), place()).unwrap();
    assert_eq!((raw.encoding, raw.payload.len()), (encoding, payload_bytes));
    assert_eq!(decode::<F>(&bytes, values.len()).unwrap(), values);
}

#[test]
fn the_smallest_encoding_is_chosen() {
    check_choice::<u64>(&[], PLAIN, 0);
    check_choice(&[u64::MAX], PLAIN, 8);
    check_choice(&[7_u64; 100], RUNS, 12);
    let steps = |step: u64| (0..256).map(|index| (1 << 40) + index * step).collect::<Vec<u64>>();
    check_choice(&steps(1), NARROW_8, 8 + 256);
    check_choice(&steps(2), NARROW_16, 8 + 512);
    check_choice(&steps(257), NARROW_16, 8 + 512);
    check_choice(&steps(258), NARROW_32, 8 + 1024);
    check_choice(&steps(1 << 24), NARROW_32, 8 + 1024);
    check_choice(&steps(1 << 25), PLAIN, 2048);
    check_choice(&[Timestamp::MIN, Timestamp::MAX, Timestamp(0)], PLAIN, 24);
    check_choice(&(-100..100).map(Timestamp).collect::<Vec<_>>(), NARROW_8, 8 + 200);
}

#[test]
fn optional_columns_hold_only_the_values_that_are_there() {
    check_choice::<Option<u64>>(&[None; 100], ABSENT, 0);
    check_choice(&[Some(5_u64); 100], RUNS, 12);
    let mut one = vec![None; 100];
    one[99] = Some(5_u64);
    check_choice(&one, PLAIN | BITMAP, 13 + 8);
    check_choice(&[Some("UTC".to_owned()), None], TEXT | BITMAP, 1 + 5);
    check_choice::<Option<String>>(&[None, None], ABSENT, 0);
    check_choice::<Option<String>>(&[], PLAIN, 0);
}

fn column(encoding: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![9, encoding];
    bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn check_refused<F: Field + std::fmt::Debug>(bytes: &[u8], rows: usize, expected: Expect) {
    expected.assert_eq(&decode::<F>(bytes, rows).unwrap_err().to_string());
}

#[test]
fn a_column_that_is_not_whole_or_another_one_is_refused() {
    check_refused::<u32>(&[], 1, expect!["the columns end at byte 0, inside `test`"]);
    check_refused::<u32>(&[9, 0, 1], 1, expect!["the columns end at byte 2, inside `test`"]);
    check_refused::<u32>(
        &[8, 0, 0, 0, 0, 0],
        1,
        expect!["column 8 stands where `test` (9) belongs"],
    );
    // A length of 4 GiB is not there, and nothing is allocated for it.
    check_refused::<u32>(
        &[9, 0, 255, 255, 255, 255],
        1,
        expect!["the columns end at byte 6, inside `test`"],
    );
}

#[test]
fn a_length_that_does_not_fit_the_rows_is_refused() {
    check_refused::<u32>(
        &column(PLAIN, &[0; 7]),
        2,
        expect!["`test` has 7 bytes, and its encoding needs 8"],
    );
    check_refused::<u64>(
        &column(NARROW_8, &[0; 9]),
        2,
        expect!["`test` has 9 bytes, and its encoding needs 10"],
    );
    check_refused::<u32>(
        &column(RUNS, &[0; 9]),
        2,
        expect!["`test` has 9 bytes, and its encoding needs 8"],
    );
    check_refused::<Option<u32>>(
        &column(ABSENT, &[0]),
        2,
        expect!["`test` has 1 bytes, and its encoding needs 0"],
    );
    check_refused::<Option<u32>>(
        &column(BITMAP, &[1]),
        9,
        expect!["`test` has 1 bytes, and its encoding needs 2"],
    );
    check_refused::<Option<u32>>(
        &column(BITMAP, &[0, 1]),
        1,
        expect!["`test` has 1 bytes, and its encoding needs 0"],
    );
    check_refused::<Option<String>>(
        &column(TEXT, &[3, 0, b'a', b'b']),
        1,
        expect!["`test` has 4 bytes, and its encoding needs 5"],
    );
    check_refused::<Option<String>>(
        &column(TEXT, &[1, 0, b'a', b'b']),
        1,
        expect!["`test` has 4 bytes, and its encoding needs 3"],
    );
}

#[test]
fn an_encoding_that_the_column_cannot_have_is_refused() {
    check_refused::<u32>(
        &column(NARROW_32, &[0; 8]),
        1,
        expect!["`test` has encoding 0x03, which it cannot have"],
    );
    check_refused::<bool>(
        &column(NARROW_8, &[0; 2]),
        1,
        expect!["`test` has encoding 0x01, which it cannot have"],
    );
    check_refused::<u32>(
        &column(TEXT, &[0; 8]),
        1,
        expect!["`test` has encoding 0x05, which it cannot have"],
    );
    // A column that always has values has no presence bits.
    check_refused::<u32>(
        &column(BITMAP, &[1, 0, 0, 0, 0]),
        1,
        expect!["`test` has encoding 0x10, which it cannot have"],
    );
    check_refused::<Option<u32>>(
        &column(0x40, &[0; 4]),
        1,
        expect!["`test` has encoding 0x40, which it cannot have"],
    );
    check_refused::<Option<String>>(
        &column(PLAIN, &[0; 4]),
        1,
        expect!["`test` has encoding 0x00, which it cannot have"],
    );
}

fn runs(runs: &[(u32, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (length, value) in runs {
        payload.extend_from_slice(&length.to_le_bytes());
        payload.extend_from_slice(&value.to_le_bytes());
    }
    column(RUNS, &payload)
}

#[test]
fn runs_that_do_not_add_up_are_refused_before_anything_is_allocated() {
    assert_eq!(decode::<u32>(&runs(&[(2, 5), (1, 6)]), 3).unwrap(), [5, 5, 6]);
    check_refused::<u32>(
        &runs(&[(2, 5)]),
        3,
        expect!["the runs of `test` give 2 rows, and it has 3"],
    );
    check_refused::<u32>(
        &runs(&[(u32::MAX, 5), (u32::MAX, 5)]),
        3,
        expect!["the runs of `test` give 4294967295 rows, and it has 3"],
    );
    check_refused::<u32>(
        &runs(&[(3, 5), (0, 6)]),
        3,
        expect!["the runs of `test` give 3 rows, and it has 3"],
    );
}

#[test]
fn a_sum_beyond_the_type_is_refused_with_its_row() {
    let mut payload = u64::MAX.to_le_bytes().to_vec();
    payload.extend_from_slice(&[0, 0, 1]);
    check_refused::<u64>(
        &column(NARROW_8, &payload),
        3,
        expect!["row 2 of `test` goes beyond the column's type"],
    );
    let mut near = (i32::MAX - 1).to_le_bytes().to_vec();
    near.extend_from_slice(&[1, 2]);
    check_refused::<i32>(
        &column(NARROW_8, &near),
        2,
        expect!["row 1 of `test` goes beyond the column's type"],
    );
}

#[test]
fn presence_bits_after_the_last_row_are_refused() {
    let bits = |byte: u8| column(BITMAP | RUNS, &[byte, 1, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(decode::<Option<u32>>(&bits(2), 2).unwrap(), [None, Some(7)]);
    check_refused::<Option<u32>>(
        &bits(4),
        2,
        expect!["the presence bits of `test` go on after its last row"],
    );
}

#[test]
fn values_that_are_none_of_their_type_are_refused() {
    check_refused::<bool>(
        &column(PLAIN, &[0, 1, 2]),
        3,
        expect!["row 2 of `test` is 2, which is no value of it"],
    );
    check_refused::<Option<crate::code::Code>>(
        &column(PLAIN, &[9, 0, 0, 0, 10, 0, 0, 0]),
        2,
        expect!["row 1 of `test` is 10, which is no value of it"],
    );
    check_refused::<Option<String>>(
        &column(TEXT, &[1, 0, 255]),
        1,
        expect!["row 0 of `test` is not UTF-8"],
    );
    check_refused::<Option<String>>(
        &column(TEXT, &[1, 4]),
        1,
        expect!["row 0 of `test` has 1025 bytes, and 1024 are allowed"],
    );
}

proptest! {
    #[test]
    fn any_numbers_come_back(values in proptest::collection::vec(any::<u64>(), 0..200)) {
        prop_assert_eq!(decode::<u64>(&encode(&values), values.len()).unwrap(), values);
    }

    #[test]
    fn any_near_numbers_come_back(
        base in any::<i32>(),
        steps in proptest::collection::vec(any::<u16>(), 0..200),
    ) {
        let values: Vec<i32> = steps.iter().map(|step| base.wrapping_add(i32::from(*step))).collect();
        prop_assert_eq!(decode::<i32>(&encode(&values), values.len()).unwrap(), values);
    }

    #[test]
    fn any_optional_numbers_come_back(
        values in proptest::collection::vec(any::<Option<u32>>(), 0..200),
    ) {
        let encoded = encode(&values);
        prop_assert_eq!(decode::<Option<u32>>(&encoded, values.len()).unwrap(), values);
    }
}
