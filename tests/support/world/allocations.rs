//! Allocations of lines in generated worlds, by themselves and as rows of lists that are replaced.

use super::deeds::Deed;
use super::names::{DEVICES, SLOTS, USERS, between, pick};
use proptest::prelude::*;

/// Lines that may be allocated; the last one is never heard of.
const ALLOCATED: [&str; 8] = ["l0", "l1", "g7", "g9", "g12", "m0", "m1", "x"];

/// Rights of a line that are bound to someone.
pub(super) fn allocation() -> BoxedStrategy<Deed> {
    let row = (0..2_u8, 1..4_u8, by_itself()).prop_map(|(document, version, deed)| Deed::Row {
        document,
        version,
        deed: Box::new(deed),
    });
    prop_oneof![3 => by_itself(), 1 => row].boxed()
}

fn by_itself() -> BoxedStrategy<Deed> {
    let told = |(line, device, holder, units, (from, to)): (u8, bool, u8, u8, _)| {
        let line = pick(ALLOCATED, line);
        let holder = match device {
            true => format!("device {}", pick(DEVICES, holder)),
            false => format!("user {}", pick(USERS, holder)),
        };
        let say = |span: String, units: u8| format!("allocate {line} to {holder}{span} {units}");
        Deed::Told {
            said: say(between(from, to), units),
            other: say(between(Some(6), to), units + 1),
        }
    };
    let from = prop::option::weighted(0.5, 0..20_u8);
    let to = prop::option::weighted(0.3, 12..SLOTS);
    let holder = (prop::bool::weighted(0.3), 0..3_u8);
    let all = (0..8_u8, holder, 1..4_u8, (from, to));
    all.prop_map(|(line, (device, holder), units, ends)| (line, device, holder, units, ends))
        .prop_map(told)
        .boxed()
}
