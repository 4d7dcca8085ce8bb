//! Installs: which product is on which machine, when, and for whom.
//!
//! installed(i) = i.span ∩ (the time in which the inventory that lists it is the newest)
//!                       ∩ [its beginning, its beginning + stale after), for rows of dated inventories
//!
//! A machine that no later inventory mentions leaves demand at the deadline, without an event.
//!
//! Work per change: the changed rows.

use crate::Facts;
use crate::attribute::{Place, Rule, Use};
use crate::dedupe::Known;
use crate::keyed::Keyed as _;
use serde::{Deserialize, Serialize};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::{Body, FactId};
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// A product on a machine, in resolved names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Installed {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// The machine.
    pub device: DeviceId,
    /// The machine as the inventory spells it: how its hardware is found.
    pub raw_device: DeviceId,
    /// For which account.
    pub account: AccountId,
    /// Who mainly uses it there.
    pub user: Option<UserId>,
    /// When.
    pub span: Span,
    /// When the inventory that says so was taken, if it is dated.
    pub taken_at: Option<Timestamp>,
}

/// An install as an inventory says it.
pub type Listed = (Subject, (Span, Option<Timestamp>));

/// The installs of the inventories in force.
pub fn listed<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, Listed> {
    in_force.flat_map(|(known, span)| {
        let Body::Install(install) = known.body else { return None };
        let subject = Subject {
            tenant: known.tenant,
            server: None,
            feature: install.product.into(),
            user: install.user.map(Into::into),
            device: Some(install.device.into()),
            account: install.account.map(Into::into),
        };
        Some((subject, (install.span.overlap(span)?, taken_at(&known.document, span))))
    })
}

/// When a row was seen: where the version of its inventory begins, if that has a date.
pub(crate) fn taken_at<D>(document: &Option<D>, span: Span) -> Option<Timestamp> {
    (document.is_some() && span.start.is_calendar()).then_some(span.start)
}

/// What is left of a span when what was seen counts only for a time; empty at its start if nothing is.
pub(crate) fn fresh(span: Span, taken_at: Option<Timestamp>, after_us: Option<i64>) -> Span {
    match (taken_at, after_us) {
        (Some(taken), Some(after)) => {
            Span::new(span.start, span.end.min(taken.plus_us(after)).max(span.start))
        }
        _ => span,
    }
}

/// Resolves what inventories list.
pub fn installs<'s>(
    listed: Facts<'s, Listed>,
    resolutions: Facts<'s, (Subject, Resolution)>,
) -> Facts<'s, Installed> {
    listed
        .joined(resolutions, |subject, (span, taken_at), resolution| {
            let raw_device = subject.device?;
            Some(Installed {
                tenant: subject.tenant,
                product: resolution.product,
                device: resolution.device.unwrap_or(raw_device),
                raw_device,
                account: resolution.account,
                user: resolution.user,
                span: span.overlap(resolution.span)?,
                taken_at: *taken_at,
            })
        })
        .flat_map(|installed| installed)
}

/// An install as a use of its machine; several versions on one machine count once.
pub(crate) fn device_use(one: &Installed, rule: &Rule) -> Option<Use> {
    let span = fresh(one.span, one.taken_at, rule.settings.stale_after_us);
    (!span.is_empty()).then(|| Use {
        tenant: one.tenant,
        product: one.product,
        account: one.account,
        metric: Metric::Device,
        group: Some(mix(&[one.product.0, one.device.0])),
        span,
        units: Quantity::ONE,
        user: one.user,
        device: Some(one.device),
        place: Place::Anywhere,
        session: FactId::default(),
        weight: Weight::ONE,
        part: one.product,
        least: false,
    })
}
