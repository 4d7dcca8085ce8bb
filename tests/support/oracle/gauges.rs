//! Levels and memberships that events set (2.9, 2.10).

use super::names::Names;
use super::uses::{Group, Use};
use std::collections::BTreeMap;
use trueup_model::derived::Subject;
use trueup_model::fact::{Body, FactId};
use trueup_model::metric::Metric;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::UsageOp;
use trueup_operators::dedupe::Known;

/// What each subject was set to, in the order of time.
type Said = BTreeMap<(Subject, bool), BTreeMap<(Timestamp, FactId), Quantity>>;

fn said(known: &[Known]) -> Said {
    let mut said = Said::new();
    for row in known {
        let Body::Usage(event) = &row.body else { continue };
        let (member, level) = match event.op {
            UsageOp::Add => continue,
            UsageOp::Set => (false, event.quantity),
            UsageOp::Enter => (true, Quantity::ONE),
            UsageOp::Leave => (true, Quantity::ZERO),
        };
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: event.product.into(),
            user: event.user.map(Into::into),
            device: event.device.map(Into::into),
            account: event.account.map(Into::into),
        };
        said.entry((subject, member)).or_default().insert((event.at, row.id), level);
    }
    said
}

/// Whose meaning says for whom a level counts.
pub(super) fn subjects(known: &[Known]) -> Vec<Subject> {
    said(known).into_keys().map(|(subject, _)| subject).collect()
}

/// Who left what was not entered, once for each.
pub(super) fn orphans(known: &[Known]) -> Vec<(Subject, usize)> {
    let memberships = said(known).into_iter().filter(|((_, member), _)| *member);
    let count = |((subject, _), events): ((Subject, bool), BTreeMap<_, Quantity>)| {
        let levels: Vec<Quantity> = events.into_values().collect();
        let alone = |at: usize| levels[at].0 == 0 && (at == 0 || levels[at - 1].0 == 0);
        (subject, (0..levels.len()).filter(|at| alone(*at)).count())
    };
    memberships.map(count).collect()
}

/// Levels and memberships as uses.
pub(super) fn uses(known: &[Known], names: &Names) -> Vec<Use> {
    let mut uses = Vec::new();
    for ((subject, member), events) in said(known) {
        for ((at, fact), level) in &events {
            let later = events.keys().filter(|(next, id)| (*next, *id) > (*at, *fact)).min();
            let until = later.map_or(Timestamp::MAX, |(next, _)| *next);
            for means in names.resolve(&subject).0 {
                let Some(span) = means.span.overlap(Span::new(*at, until)) else { continue };
                if level.0 <= 0 {
                    continue;
                }
                uses.push(Use {
                    tenant: subject.tenant,
                    product: means.product,
                    account: means.account,
                    metric: if member { Metric::NamedUser } else { Metric::Level },
                    group: if member { Group::Person(means.user) } else { Group::Alone(*fact) },
                    span,
                    units: *level,
                    user: means.user,
                    device: means.device,
                    country: None,
                    part: means.product,
                    weight: (1, 1),
                    least: false,
                    fact: *fact,
                });
            }
        }
    }
    uses
}
