//! What names mean at an instant, and for which account a use counts.

use super::Case;
use super::known::{Stated, stated};
use super::spans::{bounds, joined, pieces};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::catalog::AliasKind;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, NameKind, ProductId, TenantId};
use trueup_model::org::MemberKind;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// Something that a name lacks.
pub(super) type Missing = (TenantId, DiscrepancyKind, NameKind, Id);

/// Every statement about names.
#[derive(Default)]
pub(super) struct Names {
    aliases: BTreeMap<(AliasKind, Id), Vec<(Span, Id)>>,
    members: BTreeMap<(MemberKind, Id), Vec<(Span, Id)>>,
    organization: BTreeMap<TenantId, BTreeSet<Id>>,
    catalog: BTreeMap<TenantId, BTreeSet<Id>>,
    unresolved: BTreeSet<(NameKind, Id)>,
}

impl Names {
    pub(super) fn new(case: &Case<'_>, in_force: &[(Known, Span)]) -> Self {
        let mut names = Self { unresolved: case.unresolved.clone(), ..Self::default() };
        for (row, span) in in_force {
            if let Body::Alias(alias) = &row.body
                && let Some(span) = alias.span.overlap(*span)
            {
                let rows = names.aliases.entry((alias.kind, alias.raw)).or_default();
                rows.push((span, alias.canonical));
            }
            if let Body::Membership(member) = &row.body
                && let Some(span) = member.span.overlap(*span)
            {
                let rows = names.members.entry((member.kind, member.member)).or_default();
                rows.push((span, member.account));
            }
            if let Body::Account(account) = &row.body {
                let known = names.organization.entry(row.tenant).or_default();
                known.insert(account.account);
                known.extend(account.parent);
            }
            if let Body::Product(product) = &row.body {
                names.catalog.entry(row.tenant).or_default().insert(product.product);
            }
        }
        names
    }

    fn alias(&self, kind: AliasKind, raw: Id, at: Timestamp) -> Stated<Id> {
        self.aliases.get(&(kind, raw)).map_or(Stated::Nothing, |rows| stated(rows, at))
    }

    /// What a name means: itself, unless exactly one other thing is stated.
    fn canonical(&self, kind: AliasKind, raw: Id, at: Timestamp) -> Id {
        match self.alias(kind, raw, at) {
            Stated::One(canonical) => canonical,
            Stated::Nothing | Stated::Several => raw,
        }
    }

    fn member(&self, kind: MemberKind, member: Id, at: Timestamp) -> Stated<Id> {
        self.members.get(&(kind, member)).map_or(Stated::Nothing, |rows| stated(rows, at))
    }

    /// What a subject means at an instant; its span is left to say by the caller.
    pub(super) fn at(&self, subject: &Subject, at: Timestamp) -> (Resolution, BTreeSet<Missing>) {
        let mut missing = BTreeSet::new();
        let tenant = subject.tenant;
        let product = self.canonical(AliasKind::Product, subject.feature.into(), at);
        let user = subject.user.map(|user| self.canonical(AliasKind::User, user.into(), at));
        let device =
            subject.device.map(|device| self.canonical(AliasKind::Device, device.into(), at));
        if let Some(catalog) = self.catalog.get(&tenant)
            && !catalog.contains(&product)
        {
            missing.insert((tenant, DiscrepancyKind::UnmappedSku, NameKind::Product, product));
        }
        let named =
            subject.account.map(|account| self.canonical(AliasKind::Account, account.into(), at));
        let account = match named {
            Some(account) => {
                if let Some(organization) = self.organization.get(&tenant)
                    && !organization.contains(&account)
                {
                    let kind = DiscrepancyKind::UnmappedAccount;
                    missing.insert((tenant, kind, NameKind::Account, account));
                }
                AccountId::from(account)
            }
            None => self.account_of(subject, user, device, at, &mut missing),
        };
        let resolution = Resolution {
            span: Span::ALWAYS,
            product: ProductId::from(product),
            user: user.map(Into::into),
            device: device.map(Into::into),
            account,
        };
        (resolution, missing)
    }

    /// The account of the person, else of the machine, else of the server, else nobody's.
    fn account_of(
        &self,
        subject: &Subject,
        user: Option<Id>,
        device: Option<Id>,
        at: Timestamp,
        missing: &mut BTreeSet<Missing>,
    ) -> AccountId {
        let tenant = subject.tenant;
        let members = [
            (MemberKind::User, user),
            (MemberKind::Device, device),
            (MemberKind::Server, subject.server.map(Into::into)),
        ];
        for (kind, member) in members {
            let Some(member) = member else { continue };
            match self.member(kind, member, at) {
                Stated::One(account) => return account.into(),
                Stated::Nothing => {}
                Stated::Several => {
                    let ambiguous = DiscrepancyKind::CoverageAmbiguous;
                    missing.insert((tenant, ambiguous, kind.names(), member));
                }
            }
        }
        if !self.organization.contains_key(&tenant) {
            return AccountId::root(tenant);
        }
        if let Some(device) = device {
            missing.insert((tenant, DiscrepancyKind::UnmappedDevice, NameKind::Device, device));
        } else if let Some(user) = user {
            missing.insert((tenant, DiscrepancyKind::UnmappedUser, NameKind::User, user));
        }
        AccountId::unattributed(tenant)
    }

    /// What a subject means over all of time, and what its names lack.
    pub(super) fn resolve(&self, subject: &Subject) -> (Vec<Resolution>, BTreeSet<Missing>) {
        let mut missing = self.timeless(subject);
        let all = self.aliases.values().chain(self.members.values()).flatten();
        let mut rows = Vec::new();
        for piece in pieces(bounds(all.map(|(span, _)| *span))) {
            let (resolution, lacks) = self.at(subject, piece.start);
            missing.extend(lacks);
            rows.push((piece, resolution));
        }
        let rows = joined(rows).into_iter();
        (rows.map(|(span, resolution)| Resolution { span, ..resolution }).collect(), missing)
    }

    /// What the names of a subject lack whatever the time: one meaning, or a resolvable spelling.
    fn timeless(&self, subject: &Subject) -> BTreeSet<Missing> {
        let mut missing = BTreeSet::new();
        let names = [
            (AliasKind::Product, Some(Id::from(subject.feature)), None),
            (AliasKind::User, subject.user.map(Into::into), Some(DiscrepancyKind::UnmappedUser)),
            (
                AliasKind::Device,
                subject.device.map(Into::into),
                Some(DiscrepancyKind::UnmappedDevice),
            ),
            (AliasKind::Account, subject.account.map(Into::into), None),
        ];
        for (kind, raw, unmapped) in names {
            let Some(raw) = raw else { continue };
            let rows = self.aliases.get(&(kind, raw)).map(Vec::as_slice).unwrap_or_default();
            let conflict = pieces(bounds(rows.iter().map(|(span, _)| *span)))
                .into_iter()
                .any(|piece| stated(rows, piece.start) == Stated::Several);
            if conflict {
                let kind_of = DiscrepancyKind::AliasConflict;
                missing.insert((subject.tenant, kind_of, kind.names(), raw));
            }
            let unresolved = rows.is_empty() && self.unresolved.contains(&(kind.names(), raw));
            if let Some(unmapped) = unmapped.filter(|_| unresolved) {
                missing.insert((subject.tenant, unmapped, kind.names(), raw));
            }
        }
        missing
    }
}
