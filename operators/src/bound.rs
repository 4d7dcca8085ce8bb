//! Allocations: which rights are bound to whom.
//!
//! bound(a, t)  = the quantity of a, to its holder as the names mean at t, of the product p,
//!                while a is in force and its line grants rights of p
//! asked        = the products of which something is bound, or whose rights are restricted
//! in use(p, t) = the uses of p that need a right at t, and quantities that are metered at t
//!
//! An allocation binds nothing beyond the time of its line's rights, and nothing of a line that nobody has
//! heard of. It covers nothing and takes nothing away: positions are what they are without it. What
//! becomes of it is judged by itself: too much is bound (`doubled.rs`), it is not used (`unused.rs`), others
//! use what is restricted (`unlisted.rs`), and how much of it is in use now (`figures.rs`).
//!
//! A line whose rows name several products is known by the least of their names when its holders are
//! resolved; that decides only what a source must map.
//!
//! Work per change: the allocations of the changed line or holder; of a use, nothing unless its product is
//! asked for.

mod doubled;
mod figures;
mod unlisted;
mod unused;

use crate::Facts;
use crate::attribute::{Rule, Use};
use crate::dedupe::Known;
use crate::due::due;
use crate::entitle::{LineInForce, Right};
use crate::keyed::{Keyed as _, Rows as _};
use crate::segments::union;
use crate::volume::Reading;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, DeviceId, Id, LineId, NameKind, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::AllocatedUse;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// A person or machine, in resolved names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// Which of the two.
    pub kind: HolderKind,
    /// Who.
    pub id: Id,
}

impl Holder {
    /// The holder as the subject of a discrepancy.
    fn subject(self) -> Option<(NameKind, Id)> {
        Some((self.kind.names(), self.id))
    }
}

/// An allocation, while the document that says so is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AllocationInForce {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it says.
    pub allocation: Allocation<Id>,
    /// When both are.
    pub span: Span,
}

/// Rights that are bound to a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bound {
    /// Whose they are.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// The line.
    pub line: LineId,
    /// To whom they are bound.
    pub holder: Holder,
    /// The account that the holder belongs to.
    pub account: AccountId,
    /// How many.
    pub quantity: Quantity,
    /// When.
    pub span: Span,
}

/// A use, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InUse {
    /// Whose it is.
    pub tenant: TenantId,
    /// For which account.
    pub account: AccountId,
    /// By whom.
    pub user: Option<UserId>,
    /// On which machine.
    pub device: Option<DeviceId>,
    /// When.
    pub span: Span,
    /// Whether it lasts, and is not a quantity that was metered at an instant.
    pub lasts: bool,
}

impl InUse {
    fn by_user(&self) -> Option<Holder> {
        self.user.map(|user| Holder { kind: HolderKind::User, id: user.into() })
    }

    fn by_device(&self) -> Option<Holder> {
        self.device.map(|device| Holder { kind: HolderKind::Device, id: device.into() })
    }
}

/// What becomes of allocations.
pub struct Allocations<'s> {
    /// What is wrong with them.
    pub problems: Facts<'s, Discrepancy>,
    /// How much of them is in use at the horizon.
    pub figures: Facts<'s, AllocatedUse>,
}

/// The allocations of the lists in force.
pub fn in_force<'s>(rows: Facts<'s, (Known, Span)>) -> Facts<'s, AllocationInForce> {
    rows.flat_map(|(known, span)| {
        let Body::Allocation(allocation) = known.body else { return None };
        let span = allocation.span.overlap(span)?;
        Some(AllocationInForce { tenant: known.tenant, allocation, span })
    })
}

/// The allocations of known lines, each with the subject whose meaning says who its holder is.
pub fn asking<'s>(
    allocations: Facts<'s, AllocationInForce>,
    lines: Facts<'s, LineInForce>,
) -> Facts<'s, (Subject, AllocationInForce)> {
    let products = lines
        .map(|row| (LineId::from(row.line.line), ProductId::from(row.line.product)))
        .grouped("Bound: names of lines", |_line, products, named| {
            named.extend(products.first().map(|(product, _)| (**product, 1)));
        });
    allocations
        .map(|row| (LineId::from(row.allocation.line), row))
        .joined(products, |_line, row, product| (subject(row, *product), *row))
}

fn subject(row: &AllocationInForce, product: ProductId) -> Subject {
    let holder = row.allocation.holder;
    let (user, device) = match row.allocation.kind {
        HolderKind::User => (Some(holder.into()), None),
        HolderKind::Device => (None, Some(holder.into())),
    };
    Subject { tenant: row.tenant, server: None, feature: product, user, device, account: None }
}

/// Gives what is bound to whom.
pub fn bound<'s>(
    asking: Facts<'s, (Subject, AllocationInForce)>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    rights: Facts<'s, Right>,
) -> Facts<'s, Bound> {
    let granted = rights.map(|right| (right.line, (right.product, right.span))).grouped(
        "Bound: lines in force",
        |_line, rows, granted| {
            let mut spans: BTreeMap<ProductId, Vec<Span>> = BTreeMap::new();
            for ((product, span), _) in rows {
                spans.entry(*product).or_default().push(*span);
            }
            for (product, times) in spans {
                granted.extend(union(times).into_iter().map(|span| ((product, span), 1)));
            }
        },
    );
    asking
        .joined(resolutions, |_subject, row, means| {
            let kind = row.allocation.kind;
            let id = match kind {
                HolderKind::User => means.user?.into(),
                HolderKind::Device => means.device?.into(),
            };
            let span = row.span.overlap(means.span)?;
            let line = LineId::from(row.allocation.line);
            Some((line, (AllocationInForce { span, ..*row }, Holder { kind, id }, means.account)))
        })
        .flat_map(|row| row)
        .joined(granted, |line, (row, holder, account), (product, span)| {
            Some(Bound {
                tenant: row.tenant,
                product: *product,
                line: *line,
                holder: *holder,
                account: *account,
                quantity: row.allocation.quantity,
                span: row.span.overlap(*span)?,
            })
        })
        .flat_map(|row| row)
}

/// When the rights of a product serve only those to whom they are allocated.
///
/// Of several sources the best vouches for the rights, as everywhere.
pub fn restricted(rights: Facts<'_, Right>) -> Facts<'_, (ProductId, Span)> {
    rights.map(|right| (right.product, (right.basis, right.restricted, right.span))).grouped(
        "Bound: restricted",
        |_product, rows, found| {
            let Some(((best, ..), _)) = rows.first() else { return };
            let of = |restricted: bool| {
                let counts = rows.iter().filter(|(row, _)| row.0 == *best && row.1 == restricted);
                counts.map(|(row, _)| row.2).collect::<Vec<_>>()
            };
            let open = of(false);
            for whole in union(of(true)) {
                let spans = crate::segments::outside(whole, open.iter().copied());
                found.extend(spans.into_iter().map(|span| (span, 1)));
            }
        },
    )
}

/// The products of which it matters who uses them.
pub fn asked<'s>(
    bound: Facts<'s, Bound>,
    restricted: Facts<'s, (ProductId, Span)>,
) -> Facts<'s, ProductId> {
    bound.map(|row| row.product).concat(restricted.map(|(product, _)| product)).once()
}

/// Who uses the products that are asked for.
pub fn in_use<'s>(
    uses: Facts<'s, Use>,
    readings: Facts<'s, Reading>,
    asked: Facts<'s, ProductId>,
) -> Facts<'s, (ProductId, InUse)> {
    let lasting = uses.flat_map(|one| {
        let counts = match one.metric {
            Metric::Concurrent | Metric::NamedUser | Metric::Device | Metric::Level => true,
            // What a machine needs is no further use of what is installed on it.
            Metric::Core
            | Metric::ProcessorValue
            | Metric::ResourceValue
            | Metric::Token
            | Metric::Feature
            | Metric::Volume
            | Metric::Unique
            | Metric::Maximum
            | Metric::Latest => false,
        };
        let held = counts && (one.user.is_some() || one.device.is_some());
        (held && !one.span.is_empty()).then_some((
            one.product,
            InUse {
                tenant: one.tenant,
                account: one.account,
                user: one.user,
                device: one.device,
                span: one.span,
                lasts: true,
            },
        ))
    });
    let metered = readings.flat_map(|one| {
        let held = one.user.is_some() || one.device.is_some();
        held.then_some((
            one.product,
            InUse {
                tenant: one.tenant,
                account: one.account,
                user: one.user,
                device: one.device,
                span: Span::new(one.at, one.at.plus_us(1)),
                lasts: false,
            },
        ))
    });
    lasting.kept_by(asked).concat(metered)
}

/// Judges allocations by what is used.
pub fn allocations<'s>(
    bound: Facts<'s, Bound>,
    rights: Facts<'s, Right>,
    restricted: Facts<'s, (ProductId, Span)>,
    in_use: Facts<'s, (ProductId, InUse)>,
    rules: Facts<'s, (ProductId, Rule)>,
    horizon: Facts<'s, Timestamp>,
) -> Allocations<'s> {
    let free = unlisted::free(bound.clone(), in_use.clone());
    let problems = doubled::doubled(bound.clone(), rights, horizon.clone()).concatenate([
        unused::unused(bound.clone(), in_use.clone(), rules, horizon.clone()),
        unlisted::unlisted(free.clone(), restricted, horizon.clone()),
    ]);
    Allocations { problems, figures: figures::figures(bound, in_use, free, horizon) }
}

/// Discrepancies of the greatest amount among those that have begun by the horizon.
///
/// Each row is an amount and when it begins to be that much.
fn greatest<'s>(
    rows: Facts<'s, (Timestamp, (Discrepancy, Quantity))>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Discrepancy> {
    due(rows, horizon)
        .grouped("Bound: greatest", |_row, amounts, found| {
            found.extend(amounts.last().map(|(amount, _)| (**amount, 1)));
        })
        .map(|(row, magnitude)| Discrepancy { magnitude, ..row })
}

/// When an amount is more than it was before in the same time, and how much it is.
///
/// The pieces touch each other, in order.
fn rising(pieces: impl IntoIterator<Item = (Timestamp, i128)>) -> Vec<(Timestamp, Quantity)> {
    let mut most = 0;
    let mut found = Vec::new();
    for (at, amount) in pieces {
        if amount > most {
            most = amount;
            found.push((at, crate::timeline::clamped(amount)));
        }
    }
    found
}
