use super::*;

#[test]
fn a_list_hashes_alike_whether_it_fits_one_piece_or_not() {
    let text = vec![b'x'; PIECE_BYTES_MAX + 40];
    for length in 0..text.len() {
        let parts: [&[u8]; 3] = [b"tenant", &text[..length], b"7"];
        let mut state = Xxh3::with_seed(FACT_SEED);
        feed(&mut state, parts.iter().copied());
        assert_eq!(hash128(&parts), state.digest128(), "{length} bytes");
    }
}
