//! Rights that are bound to people and machines: too many, unused, and use by others (3.3, 3.6).

use super::discrepancies::plain;
use super::names::Names;
use super::rights::quantity;
use super::spans::{bounds, joined, pieces, together};
use super::uses::Use;
use super::volumes::Event;
use super::{Case, Evidence, Expected, Line, Right};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::derived::Subject;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, LineId, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::AllocatedUse;
use trueup_model::quantity::Capacity;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A person or a machine.
type Holder = (NameKind, Id);

/// An allocation of a known line.
struct Stated {
    subject: Subject,
    allocation: Allocation<Id>,
    span: Span,
}

/// Rights of a product that are bound.
struct Bound {
    tenant: TenantId,
    product: ProductId,
    line: LineId,
    holder: Holder,
    account: AccountId,
    units: i128,
    span: Span,
}

/// A use by someone who is known.
struct Used {
    tenant: TenantId,
    product: ProductId,
    account: AccountId,
    /// The person, then the machine.
    by: Vec<Holder>,
    span: Span,
    lasts: bool,
}

/// The allocations of the lists in force whose line somebody has heard of.
fn stated(in_force: &[(Known, Span)], lines: &[Line]) -> Vec<Stated> {
    let mut found = Vec::new();
    for (row, span) in in_force {
        let Body::Allocation(allocation) = row.body else { continue };
        let Some(span) = allocation.span.overlap(*span) else { continue };
        let named = lines.iter().filter(|line| line.line.line == allocation.line);
        let Some(feature) = named.map(|line| line.line.product).min() else { continue };
        let holder = allocation.holder;
        let is_user = allocation.kind == HolderKind::User;
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: feature.into(),
            user: is_user.then_some(holder.into()),
            device: (!is_user).then_some(holder.into()),
            account: None,
        };
        found.push(Stated { subject, allocation, span });
    }
    found
}

/// Whose meaning says to whom something is bound.
pub(super) fn subjects(in_force: &[(Known, Span)], lines: &[Line]) -> Vec<Subject> {
    stated(in_force, lines).into_iter().map(|one| one.subject).collect()
}

/// What is bound to whom, for as long as the line grants the product.
fn bound(
    in_force: &[(Known, Span)],
    lines: &[Line],
    rights: &[Right],
    names: &Names,
) -> Vec<Bound> {
    let mut found = Vec::new();
    for one in stated(in_force, lines) {
        let line = LineId::from(one.allocation.line);
        let granted: Vec<&Right> = rights.iter().filter(|right| right.line == line).collect();
        let products: BTreeSet<ProductId> = granted.iter().map(|right| right.product).collect();
        for means in names.resolve(&one.subject).0 {
            let holder = match one.allocation.kind {
                HolderKind::User => means.user.map(|user| (NameKind::User, user.into())),
                HolderKind::Device => means.device.map(|at| (NameKind::Device, at.into())),
            };
            let Some(holder) = holder else { continue };
            for product in &products {
                let of = granted.iter().filter(|right| right.product == *product);
                for span in together(of.map(|right| right.span).collect()) {
                    let span = span.overlap(one.span).and_then(|span| span.overlap(means.span));
                    let Some(span) = span else { continue };
                    found.push(Bound {
                        tenant: one.subject.tenant,
                        product: *product,
                        line,
                        holder,
                        account: means.account,
                        units: i128::from(one.allocation.quantity.0),
                        span,
                    });
                }
            }
        }
    }
    found
}

/// Every use that has a holder: what counts at instants, and what is metered.
fn used(uses: &[Use], events: &[Event]) -> Vec<Used> {
    let natural = [Metric::Concurrent, Metric::NamedUser, Metric::Device, Metric::Level];
    let by = |user: Option<Id>, device: Option<Id>| -> Vec<Holder> {
        let user = user.map(|user| (NameKind::User, user));
        let device = device.map(|device| (NameKind::Device, device));
        user.into_iter().chain(device).collect()
    };
    let lasting = uses.iter().filter(|one| natural.contains(&one.metric) && !one.least);
    let lasting = lasting.map(|one| Used {
        tenant: one.tenant,
        product: one.product,
        account: one.account,
        by: by(one.user.map(Into::into), one.device.map(Into::into)),
        span: one.span,
        lasts: true,
    });
    let metered = events.iter().map(|one| Used {
        tenant: one.tenant,
        product: one.product,
        account: one.account,
        by: by(one.user.map(Into::into), one.device.map(Into::into)),
        span: Span::new(one.at, Timestamp(one.at.0 + 1)),
        lasts: false,
    });
    lasting.chain(metered).filter(|one| !one.by.is_empty() && !one.span.is_empty()).collect()
}

/// Whether a product's rights serve only those whom allocations name.
fn is_restricted(rights: &[Right], product: ProductId, at: Timestamp) -> bool {
    let own = || rights.iter().filter(|right| right.product == product);
    let best = own().map(|right| right.basis).min();
    let mut counting =
        own().filter(|right| Some(right.basis) == best && right.span.contains(at)).peekable();
    counting.peek().is_some() && counting.all(|right| right.restricted)
}

/// Judges what is bound by what is used.
pub(super) fn judge(
    case: &Case<'_>,
    names: &Names,
    lines: &[Line],
    evidence: &Evidence<'_>,
    found: &mut Expected,
) {
    let rights = evidence.rights;
    let bound = bound(evidence.reference, lines, rights, names);
    let used = used(evidence.weighed, evidence.events);
    found.discrepancies.extend(doubled(case, &bound, rights));
    let mut products: BTreeSet<ProductId> = bound.iter().map(|row| row.product).collect();
    products.extend(rights.iter().filter(|right| right.restricted).map(|right| right.product));
    for product in products {
        let bound: Vec<&Bound> = bound.iter().filter(|row| row.product == product).collect();
        let used: Vec<&Used> = used.iter().filter(|one| one.product == product).collect();
        let limit = case.settings.get(&product).and_then(|one| one.allocation_idle_us);
        if let Some(limit) = limit {
            found.discrepancies.extend(unused(case, &bound, &used, limit));
        }
        found.discrepancies.extend(unlisted(case, product, &bound, &used, rights));
        let own = rights.iter().filter(|right| right.product == product);
        let turns = bounds(own.map(|right| right.span));
        let restricted = turns.into_iter().any(|at| is_restricted(rights, product, at));
        if restricted || !bound.is_empty() {
            found.allocated.extend(figures(case, product, &bound, &used));
        }
    }
}

/// Gives a discrepancy for each time in which an amount is above zero, once it has begun.
fn above_zero(
    case: &Case<'_>,
    cuts: Vec<Timestamp>,
    amount: impl Fn(Timestamp) -> i128,
    row: &Discrepancy,
) -> Vec<Discrepancy> {
    let amounts: Vec<(Span, i128)> =
        pieces(cuts).into_iter().map(|piece| (piece, amount(piece.start))).collect();
    let times = joined(amounts.iter().map(|(piece, amount)| (*piece, *amount > 0)));
    let begun = times.into_iter().filter(|(time, above)| *above && time.start <= case.horizon);
    let found = begun.map(|(time, _)| {
        let heard = amounts
            .iter()
            .filter(|(piece, _)| time.contains(piece.start) && piece.start <= case.horizon);
        Discrepancy {
            magnitude: quantity(heard.map(|(_, amount)| *amount).max().unwrap_or_default()),
            first_at: time.start,
            last_at: time.end,
            ..*row
        }
    });
    found.collect()
}

/// Lines of which more is bound than they grant.
fn doubled(case: &Case<'_>, bound: &[Bound], rights: &[Right]) -> Vec<Discrepancy> {
    let keys: BTreeSet<(TenantId, LineId, ProductId)> =
        bound.iter().map(|row| (row.tenant, row.line, row.product)).collect();
    let mut found = Vec::new();
    for (tenant, line, product) in keys {
        let of_line = |row: &&Bound| (row.tenant, row.line, row.product) == (tenant, line, product);
        let bound: Vec<&Bound> = bound.iter().filter(of_line).collect();
        let granted: Vec<&Right> =
            rights.iter().filter(|row| (row.line, row.product) == (line, product)).collect();
        let mut cuts = bounds(bound.iter().map(|row| row.span));
        cuts.extend(bounds(granted.iter().map(|row| row.span)));
        let excess = |at: Timestamp| {
            let there = granted.iter().filter(|row| row.span.contains(at));
            let limits: Option<Vec<i128>> = there
                .map(|row| match row.capacity {
                    Capacity::Limited(limit) => Some(i128::from(limit.0)),
                    Capacity::Unlimited | Capacity::Unknown => None,
                })
                .collect();
            let Some(limits) = limits.filter(|limits| !limits.is_empty()) else { return 0 };
            let units = bound.iter().filter(|row| row.span.contains(at)).map(|row| row.units);
            units.sum::<i128>() - limits.iter().sum::<i128>().max(0)
        };
        let row = Discrepancy {
            account: granted.iter().map(|row| row.account).min(),
            product: Some(product),
            subject: Some((NameKind::Line, line.into())),
            ..plain(DiscrepancyKind::DoubleAllocation, tenant)
        };
        found.extend(above_zero(case, cuts, excess, &row));
    }
    found
}

/// Times in which what is bound to someone was not used for longer than the limit.
fn unused(case: &Case<'_>, bound: &[&Bound], used: &[&Used], limit: i64) -> Vec<Discrepancy> {
    let holders: BTreeSet<Holder> = bound.iter().map(|row| row.holder).collect();
    let mut found = Vec::new();
    for holder in holders {
        let held: Vec<&&Bound> = bound.iter().filter(|row| row.holder == holder).collect();
        let uses: Vec<Span> =
            used.iter().filter(|one| one.by.contains(&holder)).map(|one| one.span).collect();
        let whole = together(held.iter().map(|row| row.span).collect());
        let mut cuts = bounds(held.iter().map(|row| row.span));
        cuts.extend(bounds(uses.iter().copied()));
        cuts.extend(cuts.clone().into_iter().map(|at| at.plus_us(limit)));
        // The last instant at which it was used or given, and whether either is known.
        let is_idle = |at: Timestamp| {
            let Some(piece) = whole.iter().find(|piece| piece.contains(at)) else { return false };
            let ends = uses.iter().filter(|span| span.start <= at).map(|span| span.end).max();
            let given = Some(piece.start).filter(|start| *start != Timestamp::MIN);
            let since = ends.max(given);
            since.is_some_and(|since| since <= at && since.plus_us(limit) <= at)
        };
        let accounts: BTreeSet<AccountId> = held.iter().map(|row| row.account).collect();
        for account in accounts {
            let own: Vec<&&&Bound> = held.iter().filter(|row| row.account == account).collect();
            let amount = |at: Timestamp| {
                let there = own.iter().filter(|row| row.span.contains(at)).map(|row| row.units);
                if is_idle(at) { there.sum() } else { 0 }
            };
            let row = Discrepancy {
                account: Some(account),
                product: Some(held[0].product),
                subject: Some(holder),
                ..plain(DiscrepancyKind::AllocatedNotUsed, held[0].tenant)
            };
            found.extend(above_zero(case, cuts.clone(), amount, &row));
        }
    }
    found
}

/// Whether something is bound at an instant to one of those by whom a use is.
fn is_listed(one: &Used, bound: &[&Bound], at: Timestamp) -> bool {
    bound.iter().any(|row| one.by.contains(&row.holder) && row.span.contains(at))
}

/// Who uses a restricted product without an allocation, from the first to the last time.
fn unlisted(
    case: &Case<'_>,
    product: ProductId,
    bound: &[&Bound],
    used: &[&Used],
    rights: &[Right],
) -> Vec<Discrepancy> {
    let mut cuts = bounds(bound.iter().map(|row| row.span));
    let own = rights.iter().filter(|right| right.product == product);
    cuts.extend(bounds(own.map(|right| right.span)));
    let mut spans: BTreeMap<(AccountId, Holder), Vec<Span>> = BTreeMap::new();
    for one in used {
        for piece in pieces(cuts.iter().copied()) {
            let Some(span) = piece.overlap(one.span) else { continue };
            if is_restricted(rights, product, span.start) && !is_listed(one, bound, span.start) {
                spans.entry((one.account, one.by[0])).or_default().push(span);
            }
        }
    }
    let mut found = Vec::new();
    for ((account, holder), spans) in spans {
        let begun: Vec<Span> =
            together(spans).into_iter().filter(|span| span.start <= case.horizon).collect();
        let (Some(first), Some(last)) = (begun.first(), begun.last()) else { continue };
        found.push(Discrepancy {
            account: Some(account),
            product: Some(product),
            subject: Some(holder),
            first_at: first.start,
            last_at: last.end,
            ..plain(DiscrepancyKind::UsedNotAllocated, used[0].tenant)
        });
    }
    found
}

/// How much is in use at the horizon, by account.
fn figures(
    case: &Case<'_>,
    product: ProductId,
    bound: &[&Bound],
    used: &[&Used],
) -> Vec<AllocatedUse> {
    let now = |span: Span| span.contains(case.horizon);
    let users: Vec<&&Used> = used.iter().filter(|one| one.lasts && now(one.span)).collect();
    let held: Vec<&&Bound> = bound.iter().filter(|row| now(row.span)).collect();
    let free: Vec<_> = users.iter().filter(|one| !is_listed(one, bound, case.horizon)).collect();
    let mut accounts: BTreeSet<(TenantId, AccountId)> =
        held.iter().map(|row| (row.tenant, row.account)).collect();
    accounts.extend(free.iter().map(|one| (one.tenant, one.account)));
    let figure = |(tenant, account)| {
        let own = || held.iter().filter(|row| row.account == account);
        let is_used = |row: &Bound| users.iter().any(|one| one.by.contains(&row.holder));
        let all: i128 = own().map(|row| row.units).sum();
        let in_use: i128 = own().filter(|row| is_used(row)).map(|row| row.units).sum();
        let others: BTreeSet<Holder> =
            free.iter().filter(|one| one.account == account).map(|one| one.by[0]).collect();
        AllocatedUse {
            tenant,
            account,
            product,
            allocated_in_use: quantity(in_use),
            allocated_not_in_use: quantity(all - in_use),
            in_use_not_allocated: quantity(others.len() as i128 * 1_000_000),
        }
    };
    accounts.into_iter().map(figure).collect()
}
