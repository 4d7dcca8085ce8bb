//! What the chain reads from the facts: each kind of statement where it is needed, and both trees.
//!
//! No rule stands here: a body becomes the row that an operator takes, cut to the time in which its
//! document says it.

use crate::Facts;
use crate::charges::{PriceInForce, prices};
use crate::credits::{GrantInForce, grants};
use crate::dedupe::Known;
use crate::documents::in_force;
use crate::entitle::{LineInForce, Right, lines};
use crate::hierarchy::{Hierarchy, Placement, TreeKind, hierarchy};
use crate::inclusion::Part;
use crate::installs::{Listed, listed};
use crate::keyed::{Keyed as _, Rows as _};
use crate::kinds::InForce;
use crate::machines::{FactorRow, MachineRow, factor_rows, machine_rows};
use crate::pools::Report;
use crate::resolve::Statement as Said;
use crate::seats::seats;
use crate::suites::Member;
use crate::zones::AccountZone;
use trueup_model::catalog::SuiteMember;
use trueup_model::derived::{EventCount, Resolution, Subject};
use trueup_model::fact::{Body, FactKind};
use trueup_model::id::{AccountId, Id, NameKind, ProductId, ServerId, TenantId};
use trueup_model::time::Span;

/// The facts in force, by what they are for.
pub struct Reference<'s> {
    /// Every statement, cut to the time in which its document says it.
    pub in_force: InForce<'s>,
    /// Lines of contracts.
    pub lines: Facts<'s, LineInForce>,
    /// Seats that people were given.
    pub seats: Facts<'s, (Subject, Span)>,
    /// Grants of credits.
    pub grants: Facts<'s, GrantInForce>,
    /// Prices of use.
    pub prices: Facts<'s, PriceInForce>,
    /// Accounts with a zone or a start of the year of their own.
    pub zones: Facts<'s, AccountZone>,
    /// Installations by inventory.
    pub installs: Facts<'s, Listed>,
    /// The rules of suites by inventory.
    pub members: Facts<'s, Member>,
    /// What is known of machines.
    pub machines: Facts<'s, MachineRow>,
    /// The factor tables in force.
    pub factors: Facts<'s, FactorRow>,
}

/// Parts the reference facts.
pub fn reference(known: Facts<'_, Known>) -> Reference<'_> {
    let in_force = InForce::part(in_force(known));
    let zones = in_force.of(FactKind::Account).flat_map(|(row, _)| {
        let Body::Account(account) = row.body else { return None };
        let says = account.zone.is_some() || account.anchor.is_some();
        says.then(|| AccountZone {
            account: account.account.into(),
            zone: account.zone,
            anchor: account.anchor,
        })
    });
    Reference {
        lines: lines(in_force.of(FactKind::Line)),
        seats: seats(in_force.of(FactKind::Seat)),
        installs: listed(in_force.of(FactKind::Install)),
        members: members(in_force.of(FactKind::SuiteMember)),
        machines: machine_rows(in_force.of(FactKind::Machine)),
        factors: factor_rows(in_force.of(FactKind::Factor)),
        grants: grants(in_force.of(FactKind::Grant)),
        prices: prices(in_force.of(FactKind::Price)),
        zones: zones.once(),
        in_force,
    }
}

/// The rules of suites by inventory.
fn members(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, Member> {
    in_force.flat_map(|(known, span)| {
        let Body::SuiteMember(rule) = known.body else { return None };
        let span = rule.span.overlap(span)?;
        Some(Member { tenant: known.tenant, rule: SuiteMember { span, ..rule } })
    })
}

/// What resolves names.
pub fn names<'s>(in_force: &InForce<'s>, unresolved: Facts<'s, (NameKind, Id)>) -> Facts<'s, Said> {
    let aliases = in_force.of(FactKind::Alias).flat_map(|(known, span)| {
        let Body::Alias(row) = known.body else { return None };
        Some(Said::Alias(row.kind, row.raw, row.canonical, row.span.overlap(span)?))
    });
    let members = in_force.of(FactKind::Membership).flat_map(|(known, span)| {
        let Body::Membership(row) = known.body else { return None };
        Some(Said::Member(row.kind, row.member, row.account.into(), row.span.overlap(span)?))
    });
    let accounts = in_force.of(FactKind::Account).flat_map(|(known, _)| {
        let Body::Account(row) = known.body else { return Vec::new() };
        let named = std::iter::once(row.account).chain(row.parent);
        named.map(|account| Said::Account(known.tenant, account.into())).collect()
    });
    let products = in_force.of(FactKind::Product).flat_map(|(known, _)| {
        let Body::Product(row) = known.body else { return None };
        Some(Said::Product(known.tenant, row.product.into()))
    });
    let unresolved = unresolved.map(|(kind, name)| Said::Unresolved(kind, name));
    aliases.concatenate([members, accounts, products, unresolved])
}

/// The validated tree of accounts: what accounts state, and every account that something else names.
pub fn account_tree<'s>(
    reference: &Reference<'s>,
    resolutions: &Facts<'s, (Subject, Resolution)>,
    rights: &Facts<'s, Right>,
) -> Hierarchy<'s> {
    let placements = reference.in_force.of(FactKind::Account).flat_map(|(known, span)| {
        let Body::Account(row) = known.body else { return None };
        let tenant = known.tenant;
        let root = AccountId::root(tenant);
        Some(Placement {
            tenant,
            node: row.account.0,
            parent: row.parent.map_or(root.0, |parent| parent.0),
            span: row.span.overlap(span)?,
        })
    });
    let used = resolutions.clone().map(|(subject, row)| (subject.tenant, row.account.0));
    let entitled = rights.clone().map(|right| (right.tenant, right.account.0));
    let members = reference.in_force.of(FactKind::Membership).flat_map(|(known, _)| {
        let Body::Membership(row) = known.body else { return None };
        Some((known.tenant, row.account.0))
    });
    hierarchy(TreeKind::Accounts, placements, used.concatenate([entitled, members]))
}

/// The validated tree of products, families and publishers.
pub fn product_tree<'s>(
    reference: &Reference<'s>,
    resolutions: &Facts<'s, (Subject, Resolution)>,
) -> Hierarchy<'s> {
    let placements = reference.in_force.of(FactKind::Product).flat_map(|(known, span)| {
        let Body::Product(row) = known.body else { return Vec::new() };
        let tenant = known.tenant;
        let root = ProductId::root(tenant).0;
        let publisher = row.publisher.map_or(root, |publisher| publisher.0);
        let family = row.family.map_or(publisher, |family| family.0);
        let under = |node: u64, parent: u64| Placement { tenant, node, parent, span };
        let mut places = vec![under(row.product.0, family)];
        if family != publisher {
            places.push(under(family, publisher));
        }
        if publisher != root {
            places.push(under(publisher, root));
        }
        places
    });
    let used = resolutions.clone().map(|(subject, row)| (subject.tenant, row.product.0));
    let suites = reference.members.clone().map(|member| (member.tenant, member.rule.suite.0));
    let used = used.concat(suites);
    // A family stands under its publisher once, however many of its products say so.
    hierarchy(TreeKind::Products, placements.once(), used)
}

/// What packages of license servers consist of.
pub fn parts(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, Part> {
    in_force.flat_map(|(known, span)| {
        let Body::Component(row) = known.body else { return None };
        Some(Part {
            server: ServerId::from(row.server),
            package: row.package.into(),
            component: row.component.into(),
            span,
        })
    })
}

/// What sources say of pools, sessions and reservations.
pub fn reports(known: Facts<'_, Known>) -> Facts<'_, (TenantId, Report)> {
    let pools = known.clone().flat_map(|known| {
        let Body::ObservedPool(row) = known.body else { return None };
        Some((known.tenant, Report::Pool(row)))
    });
    let holders = known.clone().flat_map(|known| {
        let Body::ObservedSession(row) = known.body else { return None };
        Some((known.tenant, Report::Session(row)))
    });
    let reservations = known.flat_map(|known| {
        let Body::Reservation(row) = known.body else { return None };
        row.at.is_some().then_some((known.tenant, Report::Reservation(row)))
    });
    pools.concatenate([holders, reservations])
}

/// From when to when the log of each daemon speaks.
pub fn covered(known: Facts<'_, Known>) -> Facts<'_, (ServerId, Span)> {
    known
        .flat_map(|known| {
            let Body::Server(event) = known.body else { return None };
            Some((ServerId::from(event.server), event.at))
        })
        .grouped("Pools: covered", |_server, instants, covered| {
            if let (Some((first, _)), Some((last, _))) = (instants.first(), instants.last()) {
                covered.push((Span::new(**first, **last), 1));
            }
        })
}

/// How often servers said each kind of thing.
pub fn counts(known: Facts<'_, Known>) -> Facts<'_, EventCount> {
    known
        .flat_map(|known| {
            let Body::Session(event) = known.body else { return None };
            Some((ServerId::from(event.server), event.kind, event.reason))
        })
        .counts()
        .map(|((server, kind, reason), count)| EventCount {
            server,
            kind,
            reason,
            count: u64::try_from(count).unwrap_or(0),
        })
}
