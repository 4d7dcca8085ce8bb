//! Rights that never offset production: trials, betas, pilots and free allowances (2.17).

use super::Right;
use super::discrepancies::plain;
use super::spans::{bounds, joined, pieces};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, LineId, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::time::Span;

/// Whether a right serves only while nobody has bought.
pub(super) fn is_provisional(right: &Right) -> bool {
    let free_volume = right.class == LineClass::Freemium && right.metric == Metric::Volume;
    right.class != LineClass::Production && !free_volume
}

/// The rights that count, when they do.
pub(super) fn counting(rights: &[Right]) -> Vec<Right> {
    let bought = |right: &&Right| right.class == LineClass::Production;
    let best = |test: &dyn Fn(&&Right) -> bool| -> Option<Basis> {
        rights.iter().filter(test).map(|right| right.basis).min()
    };
    let mut found: Vec<Right> = rights.iter().filter(bought).copied().collect();
    for right in rights.iter().filter(|right| !bought(right)) {
        let same = |one: &&Right| one.tenant == right.tenant && one.product == right.product;
        if best(&|one| same(one) && !bought(one)) != Some(right.basis) {
            continue;
        }
        let production = best(&|one| same(one) && bought(one) && one.metric == right.metric);
        let basis = production.unwrap_or(right.basis);
        let rivals: Vec<&Right> = rights
            .iter()
            .filter(|one| same(one) && bought(one))
            .filter(|one| [right.account, AccountId::root(right.tenant)].contains(&one.account))
            .filter(|_| is_provisional(right))
            .collect();
        let cuts = pieces(bounds(rivals.iter().map(|one| one.span).chain([right.span])));
        let serves = cuts.into_iter().map(|piece| {
            let at = piece.start;
            (piece, right.span.contains(at) && !rivals.iter().any(|one| one.span.contains(at)))
        });
        let serves = joined(serves).into_iter().filter(|(_, serves)| *serves);
        found.extend(serves.map(|(span, _)| Right { span, basis, ..*right }));
    }
    found
}

/// Trials that begin after every earlier trial of the same product and account has ended.
pub(super) fn repeats(rights: &[Right]) -> Vec<Discrepancy> {
    type Trials = BTreeSet<(Span, LineId)>;
    let mut trials: BTreeMap<(TenantId, AccountId, ProductId), Trials> = BTreeMap::new();
    for right in rights.iter().filter(|right| right.class == LineClass::Trial) {
        let key = (right.tenant, right.account, right.product);
        trials.entry(key).or_default().insert((right.span, right.line));
    }
    let mut found = Vec::new();
    for ((tenant, account, product), rows) in trials {
        for (span, line) in &rows {
            let mut earlier = rows.iter().filter(|(other, _)| other.start < span.start).peekable();
            if earlier.peek().is_some() && earlier.all(|(other, _)| other.end < span.start) {
                found.push(Discrepancy {
                    account: Some(account),
                    product: Some(product),
                    subject: Some((NameKind::Line, (*line).into())),
                    first_at: span.start,
                    last_at: span.end,
                    ..plain(DiscrepancyKind::TrialRepeat, tenant)
                });
            }
        }
    }
    found
}
