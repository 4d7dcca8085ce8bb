//! Small steps back: forked children of a daemon write a line a few seconds late.

use super::{Entry, Kind, Style, Writer};
use crate::random::Random;
use crate::server::Server;
use crate::traps::{Trap, Traps};
use crate::wall::{later, seconds_between};

/// How far a line may stand behind its time, in seconds.
const BACKSTEP_SECONDS_MAX: u64 = 5;
/// How long before and after a turn of the clock lines keep their order, in seconds.
const CALM_SECONDS: i64 = 3 * 3_600;

/// Swaps some lines of different seconds that follow each other closely.
///
/// Never across midnight and never near a turn of the clock, where the time of day alone says what
/// day or hour it is.
pub(super) fn backsteps(
    server: &Server,
    entries: &mut [Entry],
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
) {
    let mut index = 0;
    while index + 1 < entries.len() {
        let (one, next) = (&entries[index], &entries[index + 1]);
        let Writer::Daemon(daemon) = one.writer else {
            index += 1;
            continue;
        };
        let close = one.at < next.at && seconds_between(one.at, next.at) <= BACKSTEP_SECONDS_MAX;
        let events = one.kind == Kind::Use && next.kind == Kind::Use && one.writer == next.writer;
        if close && events && is_calm(server, one, next) && random.chance(style.backsteps_per_mille)
        {
            entries.swap(index, index + 1);
            entries[index + 1].writer = Writer::Child(daemon);
            traps.add(Trap::Backstep, 1);
            index += 1;
        }
        index += 1;
    }
}

/// Whether two lines are of one day, and the clock is not turned near them.
fn is_calm(server: &Server, one: &Entry, next: &Entry) -> bool {
    let local = |at| server.zone.local(at);
    let same_day = local(one.at).date() == local(next.at).date();
    let elapsed =
        local(later(next.at, CALM_SECONDS)).duration_since(local(later(one.at, -CALM_SECONDS)));
    let real = 2 * CALM_SECONDS + i64::try_from(seconds_between(one.at, next.at)).unwrap_or(0);
    same_day && elapsed.as_secs() == real
}
