use super::*;

#[test]
fn a_beginning_that_is_framed_once_gives_the_same_hashes() {
    let text = [b'x'; 600];
    let mut hashes = Hash128::beginning(&[b"tenant", b"source"]);
    for length in 0..text.len() {
        let whole = hash128(&[b"tenant", b"source", &text[..length], b"7"]);
        assert_eq!(hashes.of(&[&text[..length], b"7"]), whole, "{length} bytes");
    }
}
