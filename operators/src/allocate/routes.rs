//! Where demand goes: the nearest account at or above that has lines.

use crate::segments::outside;
use crate::tree::Tree;
use std::collections::BTreeSet;
use trueup_model::hash::IdSet;
use trueup_model::id::AccountId;
use trueup_model::time::Span;

/// For each time, the account that takes demand; `None` where no account has lines.
pub(super) type Route = Vec<(Span, Option<AccountId>)>;

/// Whether any account that moved and is routed goes elsewhere than before.
///
/// Work: the accounts that moved or those that are routed, whichever are fewer.
pub(super) fn any_moved<'r>(
    moved: &IdSet<AccountId>,
    routed: usize,
    accounts: impl Iterator<Item = &'r AccountId>,
    turned: impl Fn(&AccountId) -> bool,
) -> bool {
    match moved.len() < routed {
        true => moved.iter().any(turned),
        false => accounts.filter(|account| moved.contains(account)).any(turned),
    }
}

/// The nearest account with lines that is at least `distance` edges above.
///
/// The route covers all of time, in order, in the longest pieces.
pub(super) fn nearest(
    tree: &Tree,
    account: AccountId,
    pools: &BTreeSet<AccountId>,
    distance: u32,
) -> Route {
    let mut above = tree.above(account.0, Span::ALWAYS);
    above.retain(|one| one.distance >= distance && pools.contains(&AccountId(one.node)));
    above.sort_unstable_by_key(|one| (one.distance, one.span));
    let mut open = vec![Span::ALWAYS];
    let mut route: Route = Vec::new();
    for one in above {
        let mut left = Vec::with_capacity(open.len() + 1);
        for span in open {
            if let Some(taken) = span.overlap(one.span) {
                route.push((taken, Some(AccountId(one.node))));
                left.extend(outside(span, [taken]));
            } else {
                left.push(span);
            }
        }
        open = left;
    }
    route.extend(open.into_iter().map(|span| (span, None)));
    route.sort_unstable();
    route.dedup_by(|next, last| {
        let same = last.1 == next.1 && last.0.end == next.0.start;
        if same {
            last.0.end = next.0.end;
        }
        same
    });
    route
}
