//! What lending leaves short though it could be covered (2.15, 3.3): a greatest flow on a matrix.

use super::downgrades::{Ladder, Member, Short, Stock};
use super::levels::direct;
use super::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::id::{AccountId, ProductId};
use trueup_model::time::{Span, Timestamp};

/// Those that could ever lend to each other, by what connects them.
pub(super) fn families<'m>(ladder: &Ladder, members: &'m [Member]) -> Vec<Vec<&'m Member>> {
    let above =
        |one: &Member, other: &Member| ladder.is_above(one.product, other.product, Span::ALWAYS);
    let linked = members
        .iter()
        .filter(|one| members.iter().any(|other| above(one, other) || above(other, one)));
    let mut found: BTreeMap<ProductId, Vec<&Member>> = BTreeMap::new();
    for member in linked {
        let mut family = BTreeSet::from([member.product]);
        loop {
            let touched =
                ladder.0.iter().filter(|row| family.contains(&row.0) || family.contains(&row.1));
            let all: BTreeSet<ProductId> = touched.flat_map(|row| [row.0, row.1]).collect();
            if all.is_subset(&family) {
                break;
            }
            family.extend(all);
        }
        let first = family.first().copied().unwrap_or(member.product);
        found.entry(first).or_default().push(member);
    }
    found.into_values().collect()
}

/// By how much each position that is short could be short less, if nobody else were short more.
pub(super) fn suboptimal(
    ladder: &Ladder,
    members: &[&Member],
    tree: &Tree,
    at: Timestamp,
    short: &Short,
) -> Short {
    let up = |account: AccountId| tree.way_up(account.0, at).into_iter().map(AccountId);
    // The rights of each product at each account, and the needs where they look for rights.
    let mut rights: Vec<(&Member, AccountId, Stock)> = Vec::new();
    let mut needs: Vec<(&Member, AccountId, i128, (ProductId, AccountId))> = Vec::new();
    for member in members {
        let member: &Member = member;
        for account in &member.pools {
            rights.push((member, *account, Stock::new(member, *account, at, 0)));
        }
        for (node, need) in direct(tree, &member.uses, &member.pools, &member.conversion, at) {
            let Some(last) = up(node).rfind(|above| member.pools.contains(above)) else {
                continue;
            };
            if need > 0 && member.pools.contains(&node) {
                needs.push((member, node, need, (member.product, last)));
            }
        }
    }
    if rights.iter().any(|(.., stock)| stock.granted < 0) {
        return Short::new();
    }
    let total: i128 = needs.iter().map(|(_, _, need, _)| *need).sum();
    let of_family = |place: &(ProductId, AccountId)| needs.iter().any(|need| need.3 == *place);
    let left: i128 = short.iter().filter(|row| of_family(row.0)).map(|row| *row.1).sum();
    let places: BTreeSet<(ProductId, AccountId)> = needs.iter().map(|need| need.3).collect();
    let places: Vec<(ProductId, AccountId)> = places.into_iter().collect();
    // A matrix of what may flow: the source, the rights, the needs, the positions, the sink.
    let (first_need, first_place) = (1 + rights.len(), 1 + rights.len() + needs.len());
    let sink = first_place + places.len();
    let mut room = vec![vec![0_i128; sink + 1]; sink + 1];
    for (r, (lender, account, stock)) in rights.iter().enumerate() {
        room[0][1 + r] = if stock.endless.is_some() { total } else { stock.granted };
        for (n, (member, node, ..)) in needs.iter().enumerate() {
            let own = lender.product == member.product;
            let may =
                own || stock.bought && ladder.steps(lender.product, member.product, at).is_some();
            if may && up(*node).any(|above| above == *account) {
                room[1 + r][first_need + n] = total;
            }
        }
    }
    for (n, (_, _, need, place)) in needs.iter().enumerate() {
        let p = places.iter().position(|one| one == place).expect("it was gathered");
        room[first_need + n][first_place + p] = *need;
        room[first_place + p][sink] += *need;
    }
    for (p, place) in places.iter().enumerate() {
        room[first_place + p][sink] -= short.get(place).copied().unwrap_or_default();
    }
    let mut found = Short::new();
    for (p, place) in places.iter().enumerate() {
        let Some(lacks) = short.get(place) else { continue };
        let mut room = room.clone();
        room[first_place + p][sink] += *lacks;
        let more = greatest(&mut room) - (total - left);
        if more > 0 {
            found.insert(*place, more);
        }
    }
    found
}

/// As much as can flow from the first joint to the last, found by going as far as there is room.
fn greatest(room: &mut [Vec<i128>]) -> i128 {
    fn push(room: &mut [Vec<i128>], at: usize, most: i128, seen: &mut BTreeSet<usize>) -> i128 {
        if at + 1 == room.len() {
            return most;
        }
        seen.insert(at);
        for next in 0..room.len() {
            if room[at][next] == 0 || seen.contains(&next) {
                continue;
            }
            let amount = push(room, next, most.min(room[at][next]), seen);
            if amount > 0 {
                room[at][next] -= amount;
                room[next][at] += amount;
                return amount;
            }
        }
        0
    }
    let mut total = 0;
    loop {
        match push(room, 0, i128::MAX, &mut BTreeSet::new()) {
            0 => return total,
            amount => total += amount,
        }
    }
}
