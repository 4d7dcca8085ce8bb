//! Trials, betas, pilots and free allowances: rights of their own that never offset production.
//!
//! counting = production rights and free allowances of volumes, as they are
//!          ∪ { other rights, outside of the times in which a production right of the product is in
//!              force for the same account or for everyone }
//!
//! So a trial serves while nobody has bought, with its own quantity; from the instant of its end, use is
//! demand that nothing covers. A free allowance of a volume is used up first, so many units for its
//! account in each of its periods. Of several sources of trials, the best counts; it stands with what
//! vouches for the product's production lines, so that one does not hide the other.
//!
//! A second trial of one product and account, apart from those before it, is a discrepancy.
//!
//! Work per change: the rights of the products that have trials.

use crate::Facts;
use crate::entitle::Right;
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use crate::segments::outside;
use std::collections::BTreeMap;
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, NameKind};
use trueup_model::metric::Metric;
use trueup_model::time::Span;

/// Whether a right serves only where nobody has bought.
pub(crate) fn is_provisional(right: &Right) -> bool {
    match right.class {
        LineClass::Trial | LineClass::Beta | LineClass::Pilot => true,
        LineClass::Freemium => right.metric != Metric::Volume,
        LineClass::Production | LineClass::Recovery | LineClass::Benchmark => false,
    }
}

/// The rights that count, when they do.
pub fn counting(rights: Facts<'_, Right>) -> Facts<'_, Right> {
    let keyed = rights.map(|right| ((right.tenant, right.product), right));
    let mixed = keyed
        .clone()
        .filter(|(_, right)| right.class != LineClass::Production)
        .map(|(product, _)| product)
        .once();
    let plain = keyed.clone().dropped_by(mixed.clone()).map(|(_, right)| right);
    let counting = keyed
        .kept_by(mixed)
        .grouped("Trials: counting", |_product, rows, counting| {
            let bought = |right: &Right| right.class == LineClass::Production;
            let best = |of: &mut dyn Iterator<Item = &Right>| of.map(|right| right.basis).min();
            let mut others = rows.iter().map(|(right, _)| *right).filter(|right| !bought(right));
            let other_basis = best(&mut others);
            let mut found: BTreeMap<Right, isize> = BTreeMap::new();
            for (right, count) in rows {
                if bought(right) {
                    *found.entry(**right).or_default() += count;
                    continue;
                }
                if Some(right.basis) != other_basis {
                    continue;
                }
                let everyone = AccountId::root(right.tenant);
                let production = || rows.iter().map(|(one, _)| *one).filter(|one| bought(one));
                let same = &mut production().filter(|one| one.metric == right.metric);
                let basis: Basis = best(same).unwrap_or(right.basis);
                let replaces =
                    |one: &&Right| one.account == right.account || one.account == everyone;
                let taken: Vec<Span> = match is_provisional(right) {
                    true => production().filter(replaces).map(|one| one.span).collect(),
                    false => Vec::new(),
                };
                for span in outside(right.span, taken) {
                    *found.entry(Right { span, basis, ..**right }).or_default() += count;
                }
            }
            counting.extend(found);
        })
        .map(|(_, right)| right);
    plain.concat(counting)
}

/// Trials that follow another one of the same product and account after a gap.
pub fn repeats(rights: Facts<'_, Right>) -> Facts<'_, Discrepancy> {
    rights
        .filter(|right| right.class == LineClass::Trial)
        .map(|right| ((right.tenant, right.product, right.account), (right.span, right.line)))
        .grouped("Trials: repeated", |_key, trials, repeated| {
            let mut until = None;
            for ((span, line), _) in trials {
                if until.is_some_and(|until| span.start > until) {
                    repeated.push(((*span, *line), 1));
                }
                until = until.max(Some(span.end));
            }
        })
        .map(|((tenant, product, account), (span, line))| Discrepancy {
            account: Some(account),
            product: Some(product),
            subject: Some((NameKind::Line, line.into())),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::TrialRepeat, tenant)
        })
}
