//! Facts do not depend on how the bytes come, or how often.

use crate::formats::Collected;
use crate::formats::flexnet::log::{LogOptions, LogReader};
use crate::formats::flexnet::testing::{context, identities, read, shared};
use proptest::prelude::*;

fn in_pieces<'a>(zone: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Collected {
    let mut collected = Collected::default();
    let mut reader = LogReader::new(context(zone), LogOptions::default());
    for piece in pieces {
        reader.push(piece, &mut collected);
    }
    reader.finish(&mut collected);
    collected
}

#[test]
fn a_real_log_gives_the_same_facts_in_any_pieces() {
    for (file, zone) in
        [("ansys-2017-06.log", "America/Detroit"), ("maple-2022.log", "Europe/Madrid")]
    {
        let Some(bytes) = shared(&format!("data/flexnet/{file}")) else { return };
        let (whole, _) = read(context(zone), &bytes);
        let lines = in_pieces(zone, bytes.split_inclusive(|byte| *byte == b'\n'));
        assert_eq!(lines.facts, whole.facts, "{file}: line by line");
        for size in [1, 7, 4096] {
            let chunks = in_pieces(zone, bytes.chunks(size));
            assert_eq!(chunks.facts, whole.facts, "{file}: in {size} bytes");
        }
    }
}

#[test]
fn a_log_that_is_read_twice_gives_the_same_identities() {
    let Some(bytes) = shared("data/flexnet/matlab-2022.log") else { return };
    let (once, _) = read(context("Europe/Madrid"), &bytes);
    let (again, _) = read(context("Europe/Madrid"), &bytes);
    assert_eq!(once.facts, again.facts);
    assert_eq!(identities(&once).len(), once.facts.len(), "and no two facts share one");
    let crlf: Vec<u8> = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
    let (windows, _) = read(context("Europe/Madrid"), &crlf);
    assert_eq!(identities(&windows), identities(&once), "line ends do not matter");
}

/// Lines of every kind, in an order that makes sense.
fn line() -> impl Strategy<Value = String> {
    let clock =
        (0_u32..24, 0_u32..60, 0_u32..60).prop_map(|(h, m, s)| format!("{h:2}:{m:02}:{s:02}"));
    let message = prop_oneof![
        4 => Just("(vd) OUT: \"f\" ada@ws1  ".to_owned()),
        4 => Just("(vd_1) IN: \"f\" ada@ws1  (2 licenses) ".to_owned()),
        1 => Just("(vd) DENIED: \"f\" u@h  (All in use. (-4,342))".to_owned()),
        1 => Just("(vd) Server started on lic1 for:\tf".to_owned()),
        1 => Just("(lmgrd) TIMESTAMP 3/26/2023".to_owned()),
        1 => Just("(lmgrd) FlexNet Licensing (v11) started on lic1 (linux) (3/27/2023)".to_owned()),
        1 => Just("(vd) (@vd-SLOG@) ====".to_owned()),
        1 => Just("(vd) OUT: \"f\" torn".to_owned()),
        1 => Just("(vd) EXPIRED: g".to_owned()),
    ];
    (clock, message).prop_map(|(clock, message)| format!("{clock} {message}\n"))
}

proptest! {
    #[test]
    fn invented_logs_give_the_same_facts_in_any_pieces(
        lines in proptest::collection::vec(line(), 0..40),
        cuts in proptest::collection::vec(1_usize..90, 1..20),
    ) {
        let log = lines.concat();
        let (whole, _) = read(context("Europe/Berlin"), log.as_bytes());
        let mut rest = log.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let cut = in_pieces("Europe/Berlin", pieces.into_iter());
        prop_assert_eq!(cut.facts, whole.facts);
        prop_assert_eq!(cut.notes, whole.notes);
    }
}
