//! Suites and their components: machines with too few components, and who needs rights of both (2.15).

use super::Right;
use super::discrepancies::plain;
use super::levels::is_credit;
use super::spans::{bounds, joined, pieces};
use super::uses::Use;
use std::collections::BTreeSet;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{DeviceId, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A component of a suite of a tenant, while a rule says so.
struct Rule {
    tenant: TenantId,
    suite: ProductId,
    component: ProductId,
    span: Span,
}

/// The rules of all suites.
pub(super) struct Suites(Vec<Rule>);

impl Suites {
    pub(super) fn new(in_force: &[(Known, Span)]) -> Self {
        let rules = in_force.iter().filter_map(|(row, span)| {
            let Body::SuiteMember(rule) = &row.body else { return None };
            Some(Rule {
                tenant: row.tenant,
                suite: rule.suite.into(),
                component: rule.component.into(),
                span: rule.span.overlap(*span)?,
            })
        });
        Self(rules.collect())
    }

    fn at(&self, at: Timestamp) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(move |rule| rule.span.contains(at))
    }
}

/// Whether something of a product is granted at an instant, by one metric or by any.
fn is_held(rights: &[Right], product: ProductId, metric: Option<Metric>, at: Timestamp) -> bool {
    rights.iter().any(|right| {
        right.product == product
            && metric.is_none_or(|metric| metric == right.metric)
            && right.span.contains(at)
            && !is_credit(right)
    })
}

/// When a statement is true, in the longest spans.
fn when(cuts: &[Span], is_true: impl Fn(Timestamp) -> bool) -> Vec<Span> {
    let told = joined(cuts.iter().map(|piece| (*piece, is_true(piece.start))));
    told.into_iter().filter(|(_, holds)| *holds).map(|(span, _)| span).collect()
}

/// What is wrong with suites: uses as they are, and as they need rights.
pub(super) fn bundles(
    suites: &Suites,
    uses: &[Use],
    needed: &[Use],
    rights: &[Right],
) -> Vec<Discrepancy> {
    let mut bounded = bounds(uses.iter().chain(needed).map(|one| one.span));
    bounded.extend(bounds(rights.iter().map(|right| right.span)));
    bounded.extend(bounds(suites.0.iter().map(|rule| rule.span)));
    let cuts = pieces(bounded);
    [incomplete(suites, uses, rights, &cuts), double(suites, needed, rights, &cuts)].concat()
}

/// Machines with components that nobody bought by themselves, of a suite that somebody did.
fn incomplete(suites: &Suites, uses: &[Use], rights: &[Right], cuts: &[Span]) -> Vec<Discrepancy> {
    let installed: Vec<&Use> = uses.iter().filter(|one| one.metric == Metric::Device).collect();
    let machines: BTreeSet<(TenantId, DeviceId)> =
        installed.iter().filter_map(|one| Some((one.tenant, one.device?))).collect();
    let named: BTreeSet<(TenantId, ProductId)> =
        suites.0.iter().map(|rule| (rule.tenant, rule.suite)).collect();
    let mut found = Vec::new();
    for (tenant, device) in machines {
        for (_, suite) in named.iter().filter(|(whose, _)| *whose == tenant) {
            let lacks = |at: Timestamp| {
                let there = |product: ProductId| {
                    installed.iter().any(|one| {
                        one.device == Some(device)
                            && one.product == product
                            && one.span.contains(at)
                    })
                };
                let mut components = suites.at(at).filter(|rule| rule.suite == *suite);
                is_held(rights, *suite, None, at)
                    && components.any(|rule| {
                        there(rule.component) && !is_held(rights, rule.component, None, at)
                    })
            };
            found.extend(when(cuts, lacks).into_iter().map(|span| Discrepancy {
                product: Some(*suite),
                subject: Some((NameKind::Device, device.into())),
                first_at: span.start,
                last_at: span.end,
                ..plain(DiscrepancyKind::BundleIncomplete, tenant)
            }));
        }
    }
    found
}

/// Who needs both a suite and a component of it, each of which was bought.
fn double(suites: &Suites, needed: &[Use], rights: &[Right], cuts: &[Span]) -> Vec<Discrepancy> {
    let by_holder =
        [Metric::NamedUser, Metric::Concurrent, Metric::Device, Metric::Token, Metric::Core];
    let held: Vec<&Use> =
        needed.iter().filter(|one| by_holder.contains(&one.metric) && !one.least).collect();
    let is_seat = |one: &Use| one.metric == Metric::NamedUser;
    let of_person = |one: &Use| Some((NameKind::User, one.user?.into()));
    let of_machine = |one: &Use| {
        one.device.filter(|_| !is_seat(one)).map(|device| (NameKind::Device, device.into()))
    };
    let mut subjects = BTreeSet::new();
    for one in &held {
        let holders = [of_person(one), of_machine(one)].into_iter().flatten();
        subjects.extend(holders.map(|holder| (one.tenant, one.part, one.metric, holder)));
    }
    let mut found = Vec::new();
    for (tenant, component, metric, subject) in subjects {
        let is_of = |one: &Use| match subject.0 {
            NameKind::User => of_person(one) == Some(subject),
            _ => of_machine(one) == Some(subject),
        };
        let consumed = |one: &Use, at: Timestamp| {
            one.span.contains(at) && is_held(rights, one.product, Some(one.metric), at)
        };
        let twice = |at: Timestamp| {
            let own = |one: &Use| one.part == component && one.metric == metric;
            held.iter().any(|one| own(one) && is_of(one) && consumed(one, at))
                && held.iter().any(|other| {
                    let apart = subject.0 == NameKind::User && metric != Metric::NamedUser;
                    let of_suite =
                        |rule: &Rule| rule.suite == other.part && rule.component == component;
                    is_of(other)
                        && (is_seat(other) || !apart)
                        && consumed(other, at)
                        && suites.at(at).any(of_suite)
                })
        };
        found.extend(when(cuts, twice).into_iter().map(|span| Discrepancy {
            product: Some(component),
            metric: Some(metric),
            subject: Some(subject),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::SuiteComponentDoubleUse, tenant)
        }));
    }
    found
}
