//! What generated worlds say beside checkouts and seats: signs of life, loans.

use super::deeds::Deed;
use super::names::{DEVICES, FEATURES, SERVERS, USERS, instant, pick, slot};
use proptest::prelude::*;

/// Anything that is told as a line of its own.
pub(super) fn told() -> BoxedStrategy<Deed> {
    prop_oneof![2 => sign_of_life(), 1 => loan()].boxed()
}

fn deed(said: String, other: String) -> Deed {
    Deed::Told { said, other }
}

/// Feature, user, device and server of a checkout.
fn holder() -> impl Strategy<Value = (String, String)> {
    (0..4_u8, 0..3_u8, 0..2_u8, 0..2_u8).prop_map(|(feature, user, device, server)| {
        let (feature, user) = (pick(FEATURES, feature), pick(USERS, user));
        let who = format!("{feature} {user}@{}", pick(DEVICES, device));
        (who, format!("on {}", pick(SERVERS, server)))
    })
}

fn sign_of_life() -> BoxedStrategy<Deed> {
    let beat = |((who, server), at): ((String, String), u8)| {
        let said = format!("{} beat {who} {server}", instant(at));
        let other = format!("{} beat {who} {server}", instant(at + 1));
        deed(said, other)
    };
    (holder(), slot()).prop_map(beat).boxed()
}

fn loan() -> BoxedStrategy<Deed> {
    let loan = |((who, server), at, long): ((String, String), u8, u8)| {
        let out = |until: u8| {
            format!("{} out {who} {server} until {}", instant(at), instant(at.max(until)))
        };
        deed(out(at + long), out(at + long + 1))
    };
    (holder(), 0..24_u8, 0..9_u8).prop_map(loan).boxed()
}
