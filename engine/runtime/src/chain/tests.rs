//! Sums that are worked out by hand, and a chain that is broken by each thing that it stands for.

use super::row::RowBytes;
use super::{Before, Chain, Compared, Link, Pace, Sums};
use crate::changes::Changes;
use crate::publisher::Planned;
use crate::settings::Settings;
use trueup_journal::{Record, RecordKind};
use trueup_model::hash::hash128;
use trueup_model::time::Timestamp;
use trueup_operators::tally::Tally;
use trueup_wire::record;

/// What a row of a test stands for in a view, in a part of its weight.
fn term(view: &str, part: &str, row: u16) -> u128 {
    hash128(&[view.as_bytes(), part.as_bytes(), &row.to_le_bytes()])
}

/// Rows with their weights.
fn pairs<R, W>(rows: &[(R, W)]) -> impl Iterator<Item = (&R, &W)> {
    rows.iter().map(|(row, weight)| (row, weight))
}

fn sums(view: &str, rows: &[(u16, isize)]) -> u128 {
    let mut sums = Sums::default();
    sums.add(view, Pace::Epochs, pairs(rows));
    sums.views
}

#[test]
fn a_sum_is_that_of_the_hashes_of_rows_as_often_as_they_are_there() {
    let (seven, nine) = (term("uses", "0", 7), term("uses", "0", 9));
    assert_eq!(sums("uses", &[(7, 1)]), seven);
    assert_eq!(sums("uses", &[(7, -1)]), seven.wrapping_neg());
    assert_eq!(sums("uses", &[(7, 2), (9, 1)]), seven.wrapping_mul(2).wrapping_add(nine));
    assert_eq!(sums("uses", &[(9, 1), (7, 3), (7, -1)]), sums("uses", &[(7, 2), (9, 1)]));
    assert_eq!(sums("uses", &[(7, 1), (7, -1)]), 0);
    assert_ne!(sums("uses", &[(7, 1)]), sums("bills", &[(7, 1)]), "the same row of another view");
    let mut weighed = Sums::default();
    weighed.add("cells", Pace::Epochs, pairs(&[(7_u16, Tally { events: 2, quantity: -5 })]));
    let (events, quantity) = (term("cells", "0", 7), term("cells", "1", 7));
    let by_hand = events.wrapping_mul(2).wrapping_sub(quantity.wrapping_mul(5));
    assert_eq!((weighed.views, weighed.totals), (by_hand, 0));
    let mut ticked = Sums::default();
    ticked.add("rollups", Pace::Ticks, pairs(&[(7_u16, 1_isize)]));
    assert_eq!((ticked.views, ticked.totals), (0, term("rollups", "0", 7)));
    assert_eq!(Changes::default().sums(), Sums::default());
}

#[test]
fn the_bytes_of_a_row_are_its_fields_and_tell_lists_apart() {
    let mut bytes = RowBytes::default();
    bytes.of(&(0x0102_u16, -2_i64, true));
    assert_eq!(bytes.bytes(), [2, 1, 254, 255, 255, 255, 255, 255, 255, 255, 1]);
    bytes.of(&(Some(3_u32), 4_usize));
    assert_eq!(bytes.bytes(), [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    bytes.of(&("ab", "c"));
    let one = bytes.bytes().to_vec();
    bytes.of(&("a", "bc"));
    assert_ne!(bytes.bytes(), one);
    bytes.of(&vec![1_u8, 2]);
    assert_eq!(bytes.bytes(), [2, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
}

/// Sums of a view that changes by these rows, and of totals that do.
fn changed(rows: &[u16]) -> Sums {
    let mut changed = Sums::default();
    for row in rows {
        changed.add("uses", Pace::Epochs, pairs(&[(*row, 1_isize)]));
        changed.add("rollups", Pace::Ticks, pairs(&[(*row, 1_isize)]));
    }
    changed
}

fn plan(epoch: u64) -> Planned {
    Planned {
        epoch,
        horizon: Timestamp(i64::try_from(epoch).unwrap() * 10),
        totals: epoch.is_multiple_of(2),
    }
}

/// Adds an epoch, and totals of all rows since the last ones if it has some; gives what of both differs.
fn add(chain: &mut Chain, epoch: u64, rows: &[u16], since: &[u16]) -> (Link, Compared) {
    let planned = plan(epoch);
    let (link, how) = chain.extend(&planned, changed(rows));
    if !planned.totals {
        return (link, how);
    }
    match chain.extend_totals(link, changed(since)) {
        (with_totals, Compared::Unknown | Compared::Same) => (with_totals, how),
        other => other,
    }
}

/// The link of epochs that each change the row of this number.
fn run(chain: &mut Chain, first: u64, rows: &[u16]) -> (Link, Vec<Compared>) {
    let mut compared = Vec::new();
    let mut last = Link::default();
    let mut since = Vec::new();
    for (epoch, row) in (first..).zip(rows) {
        since.push(*row);
        let (link, how) = add(chain, epoch, &[*row], &since);
        (last, compared) = (link, [compared, vec![how]].concat());
        if link.totals.is_some() {
            since.clear();
        }
    }
    (last, compared)
}

fn chain() -> Chain {
    Chain::new(&Settings::default())
}

#[test]
fn a_chain_is_the_hash_of_the_one_before_and_knows_the_order_of_epochs_and_views_do_not() {
    let (one, _) = run(&mut chain(), 1, &[7]);
    let parts = [&[0; 16][..], &1_u64.to_le_bytes(), &10_i64.to_le_bytes()];
    let sum = term("uses", "0", 7);
    assert_eq!(one.chain, hash128(&[parts[0], parts[1], parts[2], &sum.to_le_bytes()]));
    assert_eq!((one.epoch, one.views, one.totals), (1, sum, None));
    let (two, _) = run(&mut chain(), 1, &[7, 9]);
    let both = |view| term(view, "0", 7).wrapping_add(term(view, "0", 9));
    assert_eq!((two.views, two.totals), (both("uses"), Some(both("rollups"))));
    let (turned, _) = run(&mut chain(), 1, &[9, 7]);
    assert_eq!((turned.views, turned.totals), (two.views, two.totals));
    assert_ne!(turned.chain, two.chain);
}

#[test]
fn a_link_comes_back_as_it_went_and_no_part_of_it_does() {
    for rows in [&[7, 9][..], &[7]] {
        let (link, _) = run(&mut chain(), 1, rows);
        let bytes = link.encode();
        assert_eq!(bytes.len(), if link.totals.is_some() { 88 } else { 72 });
        assert_eq!(Link::decode(&bytes), Some(link));
        for end in (0..bytes.len()).filter(|end| *end != 72) {
            assert_eq!(Link::decode(&bytes[..end]), None, "{end}");
        }
        assert_eq!(Link::decode(&[bytes.as_slice(), b"x"].concat()), None);
    }
}

/// What a journal says that has these records, each in an epoch.
fn before(records: &[(u64, u8, Vec<u8>)]) -> Before {
    let mut before = Before::default();
    for (epoch, kind, content) in records {
        let kind = RecordKind::Data(*kind);
        before.note(&Record { number: 1, generation: 1, epoch: *epoch, kind, content });
    }
    before
}

#[test]
fn what_is_computed_again_is_compared_with_what_had_been_published() {
    let (link, _) = run(&mut chain(), 1, &[7, 9]);
    let compare = |kept: Link, more: &[(u64, u8, Vec<u8>)]| {
        let said = [&[(3, record::PUBLISHED, kept.encode())], more].concat();
        let mut again = chain();
        again.expect(before(&said));
        run(&mut again, 1, &[7, 9]).1
    };
    let same = [Compared::Unknown, Compared::Same];
    assert_eq!(compare(link, &[]), same);
    assert_eq!(compare(Link { totals: None, ..link }, &[]), same, "there was no tick");
    let differs = |what| [Compared::Unknown, Compared::Differs(what)];
    assert_eq!(compare(Link { views: 1, ..link }, &[]), differs("answers"));
    assert_eq!(compare(Link { totals: Some(1), ..link }, &[]), differs("totals"));
    assert_eq!(compare(Link { chain: 1, ..link }, &[]), differs("answers in an epoch before it"));
    // Other rules may answer otherwise; answers that are the same are the same.
    let other = Link { lineage: 1, chain: 1, ..link };
    assert_eq!(compare(other, &[]), same);
    assert_eq!(compare(Link { views: 1, ..other }, &[]), [Compared::Unknown, Compared::Other]);
    let false_one = Link { views: 1, ..link };
    for kind in [record::LEFT_OUT, record::ACCEPTED] {
        assert_eq!(compare(false_one, &[(3, kind, Vec::new())]), [Compared::Unknown; 2]);
        let later = (3, record::PUBLISHED, false_one.encode());
        assert_eq!(compare(link, &[(3, kind, Vec::new()), later]), differs("answers"));
    }
}

#[test]
fn a_snapshot_is_compared_as_a_whole_and_the_chain_goes_on_behind_it() {
    let (straight, _) = run(&mut chain(), 1, &[7, 9, 11]);
    let (link, _) = run(&mut chain(), 1, &[7, 9]);
    let begin = |kept: Option<Link>, said: &[(u64, u8, Vec<u8>)]| {
        let mut chain = chain();
        chain.expect(before(said));
        chain.begin(2, kept);
        let (_, root) = add(&mut chain, 2, &[7, 9], &[7, 9]);
        let (last, compared) = run(&mut chain, 3, &[11]);
        (root, last, compared[0])
    };
    let said = [(4, record::PUBLISHED, straight.encode())];
    assert_eq!(begin(Some(link), &said), (Compared::Same, straight, Compared::Same));
    let false_one = Some(Link { views: 1, ..link });
    assert_eq!(begin(false_one, &said).0, Compared::Differs("answers"));
    let left_out = |epoch| [(epoch, record::LEFT_OUT, Vec::new())];
    assert_eq!(begin(false_one, &left_out(5)).0, Compared::Unknown, "a fact was left out later");
    assert_eq!(begin(false_one, &left_out(1)).0, Compared::Differs("answers"), "and before");
    // One of other rules begins another chain; one that says nothing, too.
    for (kept, expected) in
        [(Some(Link { fingerprint: 1, ..link }), Compared::Same), (None, Compared::Unknown)]
    {
        let (root, last, compared) = begin(kept, &said);
        assert_ne!(last.lineage, straight.lineage);
        assert_ne!(last.chain, straight.chain);
        assert_eq!((last.views, compared), (straight.views, Compared::Same));
        assert_eq!(root, expected);
    }
}

#[test]
fn pieces_of_a_snapshot_count_as_one_epoch_and_are_not_compared() {
    let begun = || {
        let mut chain = chain();
        // What was published of the epochs whose numbers the pieces have is something else.
        let other = |epoch| Link { epoch, views: 1, ..Link::default() };
        let said = [1, 2].map(|epoch| (4, record::PUBLISHED, other(epoch).encode()));
        chain.expect(before(&said));
        chain.begin(6, None);
        chain
    };
    let mut whole = begun();
    let all = [7, 9, 11];
    let (expected, how) = add(&mut whole, 6, &all, &all);
    assert_eq!(how, Compared::Unknown);
    let mut parted = begun();
    let (_, compared) = run(&mut parted, 1, &[7, 9]);
    assert_eq!(compared, [Compared::Unknown; 2]);
    assert_eq!(add(&mut parted, 6, &[11], &[11]), (expected, Compared::Unknown));
    assert_eq!(run(&mut parted, 7, &[13, 15]).0, run(&mut whole, 7, &[13, 15]).0);
}

#[test]
fn builds_policies_and_limits_tell_chains_apart_and_workers_do_not() {
    let of = |settings: &Settings| Chain::new(settings).last.lineage;
    let plain = Settings::default();
    assert_eq!(of(&Settings { workers: 4, ..plain.clone() }), of(&plain));
    let mut policy = plain.policy.clone();
    policy.name.push('x');
    for other in [
        Settings { build: 1, ..plain.clone() },
        Settings { policy, ..plain.clone() },
        Settings { names_max: 5, ..plain.clone() },
        Settings { future_tolerance_us: 5, ..plain.clone() },
    ] {
        assert_ne!(of(&other), of(&plain));
    }
}
