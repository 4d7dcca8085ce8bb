//! Suites and their components: machines that have a part of a suite only, and who holds both.
//!
//! held(p, t)       = a line of p that grants something is in force at t
//! incomplete(s, d) = { t : a component c of s is used on d and no suite there takes it, held(s, t), ¬held(c, t) }
//! double(c, h)     = { t : h needs a right of a suite of c, and one of c itself, and lines of both are in force }
//!
//! An incomplete suite is one that was bought, for a machine that has components which nobody bought by
//! themselves, but not enough of them to be taken for the suite. A component that was bought by itself, or a
//! suite that nobody bought, says nothing: the one is covered, the other is unlicensed use and no more.
//!
//! Of a person, double use is that of a seat together with any other use of the same person; of a machine,
//! that of two uses on it. What a suite takes at its machine, or includes in its checkout, is no use.
//!
//! Work per change: the uses of the holder, or of the component on its machine; lines, of the product.

use crate::Facts;
use crate::attribute::Use;
use crate::entitle::Right;
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use crate::segments::{common, outside, union};
use crate::suites::Member;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{DeviceId, Id, NameKind, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::time::Span;

/// Times in which something holds, apart and in order.
type Spans = Vec<Span>;

/// What is wrong with suites: `uses` as they are, and `needed` as they need rights.
pub fn bundles<'s>(
    uses: Facts<'s, Use>,
    needed: Facts<'s, Use>,
    members: Facts<'s, Member>,
    rights: Facts<'s, Right>,
) -> Facts<'s, Discrepancy> {
    let rules = members.map(|member| {
        let rule = member.rule;
        Rule { suite: rule.suite.into(), component: rule.component.into(), span: rule.span }
    });
    let rights = rights.filter(|right| !right.is_credit());
    let rules = rules.once();
    incomplete(uses, rules.clone(), rights.clone()).concat(double(needed, rules, rights))
}

/// A component of a suite, while a rule says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Rule {
    suite: ProductId,
    component: ProductId,
    span: Span,
}

/// Components on machines that nobody bought by themselves, of suites that someone did.
fn incomplete<'s>(
    uses: Facts<'s, Use>,
    rules: Facts<'s, Rule>,
    rights: Facts<'s, Right>,
) -> Facts<'s, Discrepancy> {
    // When lines of a product are in force; of those that rules name, even if none ever are.
    let named = rules.clone().flat_map(|rule| [rule.suite, rule.component]).once();
    let held = rights
        .map(|right| (right.product, Some(right.span)))
        .concat(named.map(|product| (product, None)))
        .grouped("Bundles: held", |_product, spans, found| {
            found.push((union(spans.iter().filter_map(|(span, _)| **span)), 1));
        });
    uses.filter(|one| one.metric == Metric::Device)
        .flat_map(|one| Some((one.product, (one.tenant, one.device?, one.span))))
        .joined(rules.map(|rule| (rule.component, rule)), |component, one, rule| {
            let (tenant, device, span) = *one;
            Some((*component, (tenant, rule.suite, device, rule.span.overlap(span)?)))
        })
        .flat_map(|found| found)
        .joined(held.clone(), |_component, (tenant, suite, device, span), own: &Spans| {
            let left = outside(*span, own.iter().copied());
            (*suite, (*tenant, *device, left))
        })
        .joined(held, |suite, (tenant, device, left), own: &Spans| {
            ((*tenant, *suite, *device), common(left, own))
        })
        .filter(|(_, spans)| !spans.is_empty())
        .grouped("Bundles: incomplete", |_machine, spans, found| {
            let all = union(spans.iter().flat_map(|(spans, _)| spans.iter().copied()));
            found.extend(all.into_iter().map(|span| (span, 1)));
        })
        .map(|((tenant, suite, device), span)| Discrepancy {
            product: Some(suite),
            subject: Some((NameKind::Device, device.into())),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::BundleIncomplete, tenant)
        })
}

/// Who holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Holder {
    Person(UserId),
    Machine(DeviceId),
}

impl Holder {
    fn subject(self) -> (NameKind, Id) {
        match self {
            Self::Person(user) => (NameKind::User, user.into()),
            Self::Machine(device) => (NameKind::Device, device.into()),
        }
    }
}

/// A use that needs a right while lines are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Consumed {
    tenant: TenantId,
    metric: Metric,
    user: Option<UserId>,
    device: Option<DeviceId>,
    span: Span,
}

impl Consumed {
    /// A seat is the person's, on whichever machine.
    fn is_seat(self) -> bool {
        self.metric == Metric::NamedUser
    }

    fn holders(self) -> impl Iterator<Item = Holder> {
        let machine = self.device.filter(|_| !self.is_seat()).map(Holder::Machine);
        self.user.map(Holder::Person).into_iter().chain(machine)
    }
}

/// A use of one holder: of the component, or of a suite while a rule names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Side {
    /// The metric, and when.
    Component(Metric, Span),
    /// Whether it is a seat, and when.
    Suite(bool, Span),
}

/// Whether a metric counts what one person or machine holds.
fn is_held(metric: Metric) -> bool {
    match metric {
        Metric::NamedUser | Metric::Concurrent | Metric::Device | Metric::Token | Metric::Core => {
            true
        }
        Metric::Volume
        | Metric::ProcessorValue
        | Metric::ResourceValue
        | Metric::Level
        | Metric::Feature
        | Metric::Unique
        | Metric::Maximum
        | Metric::Latest => false,
    }
}

/// Holders that need a right of a component and of a suite that has it.
fn double<'s>(
    needed: Facts<'s, Use>,
    rules: Facts<'s, Rule>,
    rights: Facts<'s, Right>,
) -> Facts<'s, Discrepancy> {
    let held = rights.map(|right| ((right.product, right.metric), right.span)).grouped(
        "Bundles: held by metric",
        |_key, spans, found| {
            let all = union(spans.iter().map(|(span, _)| **span));
            found.extend(all.into_iter().map(|span| (span, 1)));
        },
    );
    let named = rules.clone().flat_map(|rule| [rule.suite, rule.component]).once();
    // What is kept of a use is what matters here, for nothing says yet which products rules will name.
    let consumed = needed
        .filter(|one| is_held(one.metric) && !one.least)
        .map(|one| {
            let Use { tenant, metric, user, device, span, .. } = one;
            (one.part, (one.product, Consumed { tenant, metric, user, device, span }))
        })
        .kept_by(named)
        .map(|(part, (product, one))| ((product, one.metric), (part, one)))
        .joined(held, |_key, (part, one), span| {
            let span = one.span.overlap(*span)?;
            Some((*part, Consumed { span, ..*one }))
        })
        .flat_map(|found| found);
    let components = rules.clone().map(|rule| rule.component).once();
    let of_component = consumed.clone().kept_by(components).flat_map(|(component, one)| {
        let side = Side::Component(one.metric, one.span);
        one.holders().map(move |holder| ((one.tenant, holder, component), side))
    });
    let of_suite = consumed
        .joined(rules.map(|rule| (rule.suite, rule)), |_suite, one, rule| {
            let side = Side::Suite(one.is_seat(), one.span.overlap(rule.span)?);
            let found = one.holders().map(|holder| ((one.tenant, holder, rule.component), side));
            Some(found.collect::<Vec<_>>())
        })
        .flat_map(|found| found.into_iter().flatten());
    of_component
        .concat(of_suite)
        .grouped("Bundles: double use", |(_, holder, _), sides, found| {
            let sides = sides.iter().map(|(side, _)| **side);
            found.extend(both(*holder, sides).into_iter().map(|row| (row, 1)));
        })
        .map(|((tenant, holder, component), (metric, span))| Discrepancy {
            product: Some(component),
            metric: Some(metric),
            subject: Some(holder.subject()),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::SuiteComponentDoubleUse, tenant)
        })
}

/// When a holder needs both, by the metric of the component.
fn both(holder: Holder, sides: impl Iterator<Item = Side>) -> Vec<(Metric, Span)> {
    let mut components: BTreeMap<Metric, Spans> = BTreeMap::new();
    let (mut suites, mut seats) = (Spans::new(), Spans::new());
    for side in sides {
        match side {
            Side::Component(metric, span) => components.entry(metric).or_default().push(span),
            Side::Suite(seat, span) => {
                suites.push(span);
                if seat {
                    seats.push(span);
                }
            }
        }
    }
    let (suites, seats) = (union(suites), union(seats));
    let mut found = Vec::new();
    for (metric, spans) in components {
        // What a person has on different machines is apart, unless one of both is a seat.
        let others = match holder {
            Holder::Person(_) if metric != Metric::NamedUser => &seats,
            Holder::Person(_) | Holder::Machine(_) => &suites,
        };
        found.extend(common(&union(spans), others).into_iter().map(|span| (metric, span)));
    }
    found
}
