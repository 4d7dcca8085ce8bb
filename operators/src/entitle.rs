//! Rights: what the lines in force grant, of which product, to whom.
//!
//! rights = { (product, metric, account, span, capacity) : line in force, names resolved,
//!            line.kind = base }
//!
//! Maintenance and upgrades renew rights and grant none; trials and the like are rights of their own
//! (`trials.rs`). A line without an account is for everyone. Lines that stand unchanged in several
//! versions of a document are one right.
//!
//! Work per change: the changed lines.

use crate::dedupe::Known;
use crate::features;
use crate::keyed::Keyed as _;
use crate::segments::counted;
use crate::timeline::clamped;
use crate::{Diff, Facts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId, TextId};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::time::{SECOND_US, Span, Timestamp};

/// A line of a document, while it is in force.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineInForce {
    /// Whose it is.
    pub tenant: TenantId,
    /// The document that it stands in.
    pub document: Id,
    /// The line.
    pub line: EntitlementLine<Id>,
    /// When both the line and its document's version are in force.
    pub span: Span,
}

/// What a line grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Right {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// How use is counted against it.
    pub metric: Metric,
    /// The account whose subtree may use it.
    pub account: AccountId,
    /// What vouches for it.
    pub basis: Basis,
    /// For what use it is meant.
    pub class: LineClass,
    /// When.
    pub span: Span,
    /// Which line is used first: smaller first.
    pub priority: i32,
    /// The document that the line stands in.
    pub document: Id,
    /// The line.
    pub line: LineId,
    /// How much.
    pub capacity: Capacity,
    /// Per which period, for metrics that count in periods.
    pub per: PeriodUnit,
    /// Tolerated above: what the vendor tolerates, and the contract's margin.
    pub overdraft: Quantity,
    /// For how long use may stay above, or go on after the end, before it is a breach.
    pub grace_us: i64,
    /// The territory in which it may be used; `None` for everywhere.
    pub territory: Option<TextId>,
    /// What the line cost.
    pub cost: Option<Money>,
    /// Whether only those may use it to whom it is allocated.
    pub restricted: bool,
    /// Whether it is no line's, but lent by a higher product, or taken away because it is lent to a lower
    /// one; `line` is that product then.
    pub lent: bool,
}

impl Right {
    /// Whether it grants nothing, or takes rights back: nothing that could cover something, or end.
    pub(crate) fn is_credit(&self) -> bool {
        match self.capacity {
            Capacity::Limited(Quantity(units)) => units < 0 || (units == 0 && !self.lent),
            Capacity::Unlimited | Capacity::Unknown => false,
        }
    }
}

/// The rights of one account among those of one tenant, product and metric, and how often each is there.
///
/// Work: the rights of the account.
pub(crate) fn of_account(
    rights: &BTreeMap<Right, Diff>,
    account: AccountId,
) -> impl Iterator<Item = (&Right, Diff)> {
    let any = rights.keys().next();
    // They stand together, after the least that an account can have.
    let least = any.map(|any| Right {
        tenant: any.tenant,
        product: any.product,
        metric: any.metric,
        account,
        basis: Basis::Contract,
        class: LineClass::Production,
        span: Span::new(Timestamp::MIN, Timestamp::MIN),
        priority: i32::MIN,
        document: Id(0),
        line: LineId(0),
        capacity: Capacity::Limited(Quantity(i64::MIN)),
        per: PeriodUnit::Minute,
        overdraft: Quantity(i64::MIN),
        grace_us: i64::MIN,
        territory: None,
        cost: None,
        restricted: false,
        lent: false,
    });
    let from = least.into_iter().flat_map(|least| rights.range(least..));
    let own = from.take_while(move |(right, _)| right.account == account);
    own.map(|(right, count)| (right, *count))
}

/// The lines of the documents in force.
pub fn lines<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, LineInForce> {
    in_force.flat_map(|(known, span)| {
        let Body::Line(line) = known.body else { return None };
        let span = line.span.overlap(span)?;
        let document = known.document.map_or(known.provenance.document, |row| row.document);
        Some(LineInForce { tenant: known.tenant, document, line, span })
    })
}

/// The subject whose resolution says what a line's names mean.
pub fn subject(row: &LineInForce) -> Subject {
    Subject {
        tenant: row.tenant,
        server: row.line.server.map(Into::into),
        feature: row.line.product.into(),
        user: None,
        device: None,
        account: row.line.account.map(Into::into),
    }
}

/// Gives what the lines grant, in the names that their subjects resolve to.
pub fn entitle<'s>(
    lines: Facts<'s, LineInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Facts<'s, Right> {
    lines
        .filter(|row| row.line.kind == LineKind::Base && grants(row.line.class))
        .map(|row| (subject(&row), row))
        .joined(resolutions, |_subject, row, resolution| right(row, resolution))
        .flat_map(|right| right.map(|right| (Right { span: Span::ALWAYS, ..right }, right.span)))
        .grouped("Entitle: lines of several versions", |_right, spans, united| {
            united.extend(counted(spans.iter().map(|(span, count)| (**span, *count))));
        })
        .map(|(right, span)| Right { span, ..right })
}

/// Whether lines of a class grant rights: those for standbys and benchmarks name a purpose that no
/// source tells of use, so use counts as production.
fn grants(class: LineClass) -> bool {
    match class {
        LineClass::Production
        | LineClass::Trial
        | LineClass::Beta
        | LineClass::Pilot
        | LineClass::Freemium => true,
        LineClass::Recovery | LineClass::Benchmark => false,
    }
}

fn right(row: &LineInForce, resolution: &Resolution) -> Option<Right> {
    let line = &row.line;
    let account = match line.account {
        Some(_) => resolution.account,
        None => AccountId::root(row.tenant),
    };
    Some(Right {
        tenant: row.tenant,
        product: resolution.product,
        metric: line.metric,
        account,
        basis: line.basis,
        class: line.class,
        span: row.span.overlap(resolution.span)?,
        priority: line.priority,
        document: row.document,
        line: line.line.into(),
        capacity: if line.metric == Metric::Feature {
            features::granted(line.quantity)
        } else {
            line.quantity
        },
        per: line.per,
        overdraft: tolerated(line),
        grace_us: i64::from(line.grace_seconds) * SECOND_US,
        territory: line.territory.map(Into::into),
        cost: line.cost,
        restricted: line.restricted,
        lent: false,
    })
}

/// What a line tolerates above its quantity: its overdraft and its margin, which is a part of the
/// quantity, rounded down.
fn tolerated(line: &EntitlementLine<Id>) -> Quantity {
    let margin = match line.quantity {
        Capacity::Limited(limit) => {
            i128::from(limit.0.max(0)) * i128::from(line.margin_percent) / 100
        }
        Capacity::Unlimited | Capacity::Unknown => 0,
    };
    clamped(i128::from(line.overdraft.0) + margin)
}
