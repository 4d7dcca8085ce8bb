//! Who used what, for which account, in which duplicate group (2.1, 2.3, 2.15).

use super::names::Names;
use super::spans::{bounds, joined, pieces};
use super::{Case, Line, Rule};
use std::collections::BTreeMap;
use trueup_model::derived::{Resolution, Session, Subject};
use trueup_model::fact::{Body, FactId};
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, ServerId, TenantId, TextId, UserId};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::SeatClass;
use trueup_operators::dedupe::Known;
use trueup_operators::inclusion::Included;

/// What checkouts that share a license have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Nothing: a checkout of its own.
    Alone(FactId),
    /// The parts that the daemon's rule names.
    Of(ServerId, Duplicates, Parts),
    /// The person who holds the seat.
    Person(Option<UserId>),
    /// The machine that it is installed on.
    Device(DeviceId),
    /// The machine, host or cluster whose hardware counts once; for use, or for a least count.
    Hardware(Id, bool),
    /// The account that uses a feature.
    Account(AccountId),
}

/// User, host, display and vendor-defined data, as far as the rule names them.
pub(super) type Parts = (Option<UserId>, Option<DeviceId>, Option<TextId>, Option<TextId>);

/// A use of a product for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) tenant: TenantId,
    pub(super) product: ProductId,
    pub(super) account: AccountId,
    pub(super) metric: Metric,
    pub(super) group: Group,
    pub(super) span: Span,
    pub(super) units: Quantity,
    pub(super) user: Option<UserId>,
    pub(super) device: Option<DeviceId>,
    /// The product that is used, where it is drawn from a pool.
    pub(super) part: ProductId,
    /// What a unit weighs.
    pub(super) weight: (i128, i128),
    /// Whether it is a least count.
    pub(super) least: bool,
    /// What tells equal uses apart.
    pub(super) fact: FactId,
    /// Where, if that matters and is known.
    pub(super) country: Option<TextId>,
}

/// Seats of people who need a license, with when they are held.
pub(super) fn seats(in_force: &[(Known, Span)]) -> Vec<(Subject, Span)> {
    let seats = in_force.iter().filter_map(|(row, span)| {
        let Body::Seat(seat) = &row.body else { return None };
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: seat.product.into(),
            user: Some(seat.user.into()),
            device: seat.device.map(Into::into),
            account: seat.account.map(Into::into),
        };
        let held = seat.span.overlap(*span)?;
        (seat.class == SeatClass::Full).then_some((subject, held))
    });
    seats.collect()
}

/// A component of a package of a daemon, while its license file says so.
pub(super) type Part = (ServerId, ProductId, ProductId, Span);

/// The components that license files name.
pub(super) fn parts(in_force: &[(Known, Span)]) -> Vec<Part> {
    let parts = in_force.iter().filter_map(|(row, span)| {
        let Body::Component(part) = &row.body else { return None };
        Some((part.server.into(), part.package.into(), part.component.into(), *span))
    });
    parts.collect()
}

/// Whether a suite that the same holder has out covers a checkout at an instant.
fn is_covered(session: &Session, sessions: &[Session], parts: &[Part], at: Timestamp) -> bool {
    sessions.iter().any(|suite| {
        let holds = suite.subject.tenant == session.subject.tenant
            && suite.subject.server == session.subject.server
            && suite.subject.user == session.subject.user
            && suite.subject.device == session.subject.device
            && suite.span.contains(at);
        holds
            && parts.iter().any(|(server, package, component, span)| {
                Some(*server) == session.subject.server
                    && *package == suite.subject.feature
                    && *component == session.subject.feature
                    && package != component
                    && span.contains(at)
            })
    })
}

/// The parts of a session by whether a suite covers them.
pub(super) fn split(session: &Session, sessions: &[Session], parts: &[Part]) -> Vec<(Span, bool)> {
    let mut cuts = bounds(sessions.iter().map(|other| other.span));
    cuts.extend(bounds(parts.iter().map(|part| part.3)));
    let inside = pieces(cuts).into_iter().filter_map(|piece| piece.overlap(session.span));
    joined(inside.map(|piece| (piece, is_covered(session, sessions, parts, piece.start))))
}

/// What suites include.
pub(super) fn included(sessions: &[Session], parts: &[Part]) -> Vec<Included> {
    let mut found = Vec::new();
    for session in sessions {
        for (span, covered) in split(session, sessions, parts) {
            let row = Included { subject: session.subject, span, session: session.opened_by };
            found.extend(covered.then_some(row));
        }
    }
    found
}

/// How a daemon charges checkouts of a feature at an instant: as the policy says, else as the
/// license file does, else each by itself. Of several rules, the one that charges most.
pub(super) fn duplicates(
    case: &Case<'_>,
    lines: &[Line],
    server: ServerId,
    feature: ProductId,
    product: ProductId,
    at: Timestamp,
) -> Duplicates {
    let policy = |of: ProductId| case.settings.get(&of).and_then(|one| one.duplicates);
    let stated = lines.iter().filter(|line| {
        line.span.contains(at)
            && line.line.server.map(ServerId::from) == Some(server)
            && ProductId::from(line.line.product) == feature
    });
    let rules = stated.filter_map(|line| line.line.suite_duplicates.or(line.line.duplicates));
    let by_file = rules.reduce(charging_more).unwrap_or(Duplicates::Each);
    policy(product).or(policy(feature)).unwrap_or(by_file)
}

/// Of two rules the one that charges more: by itself each, else the one that tells more apart.
fn charging_more(one: Duplicates, other: Duplicates) -> Duplicates {
    match (one, other) {
        (Duplicates::Each, _) | (_, Duplicates::Each) => Duplicates::Each,
        (Duplicates::Grouped(one), Duplicates::Grouped(other)) => {
            Duplicates::Grouped(one.max(other))
        }
    }
}

/// Everything that was used, in the longest pieces of time in which nothing about a use changes.
pub(super) fn uses(
    case: &Case<'_>,
    names: &Names,
    lines: &[Line],
    sessions: &[Session],
    parts: &[Part],
    seats: &[(Subject, Span)],
) -> Vec<Use> {
    let mut found = Vec::new();
    let rules = bounds(lines.iter().map(|line| line.span));
    for session in sessions {
        let meanings = names.resolve(&session.subject).0;
        let cuts = rules.iter().copied().chain(bounds(meanings.iter().map(|row| row.span)));
        let cuts = pieces(cuts);
        for (charged, covered) in split(session, sessions, parts) {
            if covered {
                continue;
            }
            let inside = cuts.iter().filter_map(|piece| piece.overlap(charged));
            let uses = inside.map(|span| {
                let (means, _) = names.at(&session.subject, span.start);
                (span, session_use(case, lines, session, &means, span.start))
            });
            found.extend(joined(uses).into_iter().map(|(span, one)| Use { span, ..one }));
        }
    }
    for (subject, held) in seats {
        for means in names.resolve(subject).0 {
            let Some(span) = means.span.overlap(*held) else { continue };
            found.push(Use {
                tenant: subject.tenant,
                product: means.product,
                account: means.account,
                metric: Metric::NamedUser,
                group: Group::Person(means.user),
                span,
                units: Quantity::ONE,
                user: means.user,
                device: means.device,
                part: means.product,
                weight: (1, 1),
                least: false,
                fact: FactId::default(),
                country: None,
            });
        }
    }
    found
}

/// A checkout as it counts at an instant; its span is left to say by the caller.
fn session_use(
    case: &Case<'_>,
    lines: &[Line],
    session: &Session,
    means: &Resolution,
    at: Timestamp,
) -> Use {
    let server = session.subject.server.unwrap_or_default();
    let rule = duplicates(case, lines, server, session.subject.feature, means.product, at);
    Use {
        tenant: session.subject.tenant,
        product: means.product,
        account: means.account,
        metric: Metric::Concurrent,
        group: group(session, server, rule, means.user, means.device),
        span: Span::ALWAYS,
        units: Quantity::units(i64::from(session.count)),
        user: means.user,
        device: means.device,
        part: means.product,
        weight: (1, 1),
        least: false,
        fact: session.opened_by,
        country: None,
    }
}

fn group(
    session: &Session,
    server: ServerId,
    rule: Duplicates,
    user: Option<UserId>,
    device: Option<DeviceId>,
) -> Group {
    let Duplicates::Grouped(mask) = rule else { return Group::Alone(session.opened_by) };
    let parts = (
        user.filter(|_| mask.user),
        device.filter(|_| mask.host),
        session.display.filter(|_| mask.display),
        session.vendor_data.filter(|_| mask.vendor),
    );
    Group::Of(server, rule, parts)
}

/// A checkout as a use of a feature, which an account has or has not (2.14).
pub(super) fn of_feature(one: Use) -> Use {
    let group = Group::Account(one.account);
    Use { metric: Metric::Feature, group, units: Quantity::ONE, ..one }
}

/// The metrics by which a product is counted.
pub(super) fn rules(case: &Case<'_>, rights: &[super::Right]) -> BTreeMap<ProductId, Rule> {
    let mut rules: BTreeMap<ProductId, Rule> = BTreeMap::new();
    for (product, settings) in case.settings {
        rules.insert(*product, Rule { settings: *settings, licensed: Vec::new() });
    }
    for right in rights {
        let rule = rules.entry(right.product).or_default();
        if !rule.licensed.contains(&right.metric) {
            rule.licensed.push(right.metric);
        }
    }
    // What nobody bought is counted as what was bought of the products above it.
    for (product, rule) in rules.iter_mut().filter(|(_, rule)| rule.licensed.is_empty()) {
        rule.licensed = case.ladder.metrics_above(*product, rights);
    }
    rules
}
