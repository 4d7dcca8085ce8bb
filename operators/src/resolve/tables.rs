//! The statements in force, and what they make of one subject.

use super::{Statement, Unmapped};
use crate::Diff;
use crate::segments::{Said, said};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::catalog::AliasKind;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, DeviceId, Id, NameKind, ProductId, TenantId, UserId};
use trueup_model::org::MemberKind;
use trueup_model::time::Span;

/// Something that can be asked of the tables; a change of the answer concerns whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    /// What a name of this alias kind means.
    Alias(u8, u64),
    /// Which account a member of this kind belongs to.
    Member(u8, u64),
    /// Whether the tenant describes its organization.
    Organized(TenantId),
    /// Whether the tenant has a catalog.
    Cataloged(TenantId),
    /// Whether the account has a place.
    Account(AccountId),
    /// Whether the product stands in the catalog.
    Product(ProductId),
    /// Whether the naming rules could resolve a name.
    Unresolved(u8, u64),
}

/// Values with the time for which each is stated, and how often.
type Dated = IdMap<(u8, u64), BTreeMap<(Span, u64), Diff>>;

/// Every statement that is known.
#[derive(Default)]
pub(super) struct Tables {
    aliases: Dated,
    members: Dated,
    counts: IdMap<Topic, Diff>,
}

/// What is made of a subject.
#[derive(Default)]
pub(super) struct Meaning {
    pub(super) resolutions: Vec<Resolution>,
    pub(super) unmapped: BTreeSet<Unmapped>,
    pub(super) consulted: Vec<Topic>,
}

/// A piece of time in which the names of a subject are resolved.
#[derive(Clone, Copy)]
struct Piece {
    span: Span,
    product: u64,
    user: Option<u64>,
    device: Option<u64>,
    named_account: Option<u64>,
}

impl Tables {
    /// Takes in a statement; gives the topics whose answer it may change.
    pub(super) fn hear(&mut self, statement: Statement, diff: Diff) -> Vec<Topic> {
        match statement {
            Statement::Alias(kind, raw, canonical, span) => {
                put(&mut self.aliases, (kind.code(), raw.0), (span, canonical.0), diff);
                vec![Topic::Alias(kind.code(), raw.0)]
            }
            Statement::Member(kind, member, account, span) => {
                put(&mut self.members, (kind.code(), member.0), (span, account.0), diff);
                vec![Topic::Member(kind.code(), member.0)]
            }
            Statement::Account(tenant, account) => {
                let topics = [Topic::Organized(tenant), Topic::Account(account)];
                topics.into_iter().filter(|topic| self.count(*topic, diff)).collect()
            }
            Statement::Product(tenant, product) => {
                let topics = [Topic::Cataloged(tenant), Topic::Product(product)];
                topics.into_iter().filter(|topic| self.count(*topic, diff)).collect()
            }
            Statement::Unresolved(kind, name) => {
                let topic = Topic::Unresolved(kind.code(), name.0);
                Some(topic).into_iter().filter(|topic| self.count(*topic, diff)).collect()
            }
        }
    }

    /// Counts a topic; true if it turned from never to ever, or back.
    fn count(&mut self, topic: Topic, diff: Diff) -> bool {
        let count = self.counts.entry(topic).or_default();
        let before = *count;
        *count += diff;
        let after = *count;
        if after == 0 {
            self.counts.remove(&topic);
        }
        (before == 0) != (after == 0)
    }

    /// What is made of a subject, and what was asked to find it.
    pub(super) fn meaning(&self, subject: &Subject) -> Meaning {
        let mut asked = Asked { tables: self, meaning: Meaning::default(), tenant: subject.tenant };
        let pieces = asked.names(subject);
        let resolutions = asked.accounts(subject, &pieces);
        let mut meaning = asked.meaning;
        for resolution in resolutions {
            match meaning.resolutions.last_mut() {
                Some(last) if same(last, &resolution) => last.span.end = resolution.span.end,
                _ => meaning.resolutions.push(resolution),
            }
        }
        meaning.consulted.sort_unstable();
        meaning.consulted.dedup();
        meaning
    }
}

fn put(table: &mut Dated, key: (u8, u64), row: (Span, u64), diff: Diff) {
    let rows = table.entry(key).or_default();
    let count = rows.entry(row).or_default();
    *count += diff;
    if *count == 0 {
        rows.remove(&row);
    }
    if rows.is_empty() {
        table.remove(&key);
    }
}

/// Whether two resolutions differ in their time only, and touch.
fn same(before: &Resolution, after: &Resolution) -> bool {
    before.span.end == after.span.start && Resolution { span: before.span, ..*after } == *before
}

/// The tables while one subject's questions are answered, and what was asked.
struct Asked<'t> {
    tables: &'t Tables,
    meaning: Meaning,
    tenant: TenantId,
}

impl Asked<'_> {
    /// Cuts time into pieces in which each name has one meaning.
    fn names(&mut self, subject: &Subject) -> Vec<Piece> {
        let mut pieces = vec![Piece {
            span: Span::ALWAYS,
            product: subject.feature.0,
            user: subject.user.map(|user| user.0),
            device: subject.device.map(|device| device.0),
            named_account: subject.account.map(|account| account.0),
        }];
        let product = self.alias(AliasKind::Product, subject.feature.0);
        pieces = refine(&pieces, &product, |piece, value| piece.product = value);
        if let Some(user) = subject.user {
            let alias = self.person(AliasKind::User, user.0, DiscrepancyKind::UnmappedUser);
            pieces = refine(&pieces, &alias, |piece, value| piece.user = Some(value));
        }
        if let Some(device) = subject.device {
            let alias = self.person(AliasKind::Device, device.0, DiscrepancyKind::UnmappedDevice);
            pieces = refine(&pieces, &alias, |piece, value| piece.device = Some(value));
        }
        if let Some(account) = subject.account {
            let alias = self.alias(AliasKind::Account, account.0);
            pieces = refine(&pieces, &alias, |piece, value| piece.named_account = Some(value));
        }
        pieces
    }

    /// Finds the account of each piece.
    fn accounts(&mut self, subject: &Subject, pieces: &[Piece]) -> Vec<Resolution> {
        let mut resolutions = Vec::new();
        for piece in pieces {
            self.product(ProductId(piece.product));
            let mut found: Vec<(Span, AccountId)> = Vec::new();
            let mut open = vec![piece.span];
            if let Some(account) = piece.named_account {
                self.account(AccountId(account));
                found.push((piece.span, AccountId(account)));
                open.clear();
            }
            let members = [
                (MemberKind::User, piece.user),
                (MemberKind::Device, piece.device),
                (MemberKind::Server, subject.server.map(|server| server.0)),
            ];
            for (kind, member) in members {
                let Some(member) = member.filter(|_| !open.is_empty()) else { continue };
                open = self.membership(kind, member, &open, &mut found);
            }
            if !open.is_empty() {
                let nobody = self.nobody(piece);
                found.extend(open.into_iter().map(|span| (span, nobody)));
            }
            found.sort_unstable();
            resolutions.extend(found.into_iter().map(|(span, account)| Resolution {
                span,
                product: ProductId(piece.product),
                user: piece.user.map(UserId),
                device: piece.device.map(DeviceId),
                account,
            }));
        }
        resolutions
    }

    /// Adds what a member's account is to `found`; gives the spans for which it is not known.
    fn membership(
        &mut self,
        kind: MemberKind,
        member: u64,
        open: &[Span],
        found: &mut Vec<(Span, AccountId)>,
    ) -> Vec<Span> {
        self.meaning.consulted.push(Topic::Member(kind.code(), member));
        let Some(rows) = self.tables.members.get(&(kind.code(), member)) else {
            return open.to_vec();
        };
        let mut left = Vec::new();
        let mut ambiguous = false;
        for (segment, said) in said(rows.keys().copied()) {
            for span in open.iter().filter_map(|span| span.overlap(segment)) {
                match said {
                    Said::One(account) => found.push((span, AccountId(account))),
                    Said::Nothing => left.push(span),
                    Said::Several => {
                        ambiguous = true;
                        left.push(span);
                    }
                }
            }
        }
        if ambiguous {
            self.report(DiscrepancyKind::CoverageAmbiguous, kind.names(), member);
        }
        left
    }

    /// Where use counts that no statement attributes.
    fn nobody(&mut self, piece: &Piece) -> AccountId {
        self.meaning.consulted.push(Topic::Organized(self.tenant));
        if !self.tables.counts.contains_key(&Topic::Organized(self.tenant)) {
            return AccountId::root(self.tenant);
        }
        match (piece.device, piece.user) {
            (Some(device), _) => {
                self.report(DiscrepancyKind::UnmappedDevice, NameKind::Device, device);
            }
            (None, Some(user)) => {
                self.report(DiscrepancyKind::UnmappedUser, NameKind::User, user);
            }
            (None, None) => {}
        }
        AccountId::unattributed(self.tenant)
    }

    /// Notes an account that the organization does not have.
    fn account(&mut self, account: AccountId) {
        let organized = Topic::Organized(self.tenant);
        self.meaning.consulted.extend([organized, Topic::Account(account)]);
        let counts = &self.tables.counts;
        if counts.contains_key(&organized) && !counts.contains_key(&Topic::Account(account)) {
            self.report(DiscrepancyKind::UnmappedAccount, NameKind::Account, account.0);
        }
    }

    /// Notes a product that the catalog does not have.
    fn product(&mut self, product: ProductId) {
        let cataloged = Topic::Cataloged(self.tenant);
        self.meaning.consulted.extend([cataloged, Topic::Product(product)]);
        let counts = &self.tables.counts;
        if counts.contains_key(&cataloged) && !counts.contains_key(&Topic::Product(product)) {
            self.report(DiscrepancyKind::UnmappedSku, NameKind::Product, product.0);
        }
    }

    /// What the name of a person or machine means; notes one that the rules could not resolve.
    fn person(&mut self, kind: AliasKind, raw: u64, missing: DiscrepancyKind) -> Vec<(Span, u64)> {
        let unresolved = Topic::Unresolved(kind.names().code(), raw);
        self.meaning.consulted.push(unresolved);
        let has_alias = self.tables.aliases.contains_key(&(kind.code(), raw));
        if !has_alias && self.tables.counts.contains_key(&unresolved) {
            self.report(missing, kind.names(), raw);
        }
        self.alias(kind, raw)
    }

    /// What a name means at each time; itself where nothing, or no one thing, is said.
    fn alias(&mut self, kind: AliasKind, raw: u64) -> Vec<(Span, u64)> {
        self.meaning.consulted.push(Topic::Alias(kind.code(), raw));
        let Some(rows) = self.tables.aliases.get(&(kind.code(), raw)) else {
            return vec![(Span::ALWAYS, raw)];
        };
        let segments = said(rows.keys().copied());
        if segments.iter().any(|(_, said)| *said == Said::Several) {
            self.report(DiscrepancyKind::AliasConflict, kind.names(), raw);
        }
        segments
            .into_iter()
            .map(|(span, said)| match said {
                Said::One(canonical) => (span, canonical),
                Said::Nothing | Said::Several => (span, raw),
            })
            .collect()
    }

    fn report(&mut self, kind: DiscrepancyKind, name_kind: NameKind, name: u64) {
        let row = Unmapped { tenant: self.tenant, kind, name_kind, name: Id(name) };
        self.meaning.unmapped.insert(row);
    }
}

/// Cuts pieces at the bounds of segments that cover all of time, and sets each one's value.
fn refine(pieces: &[Piece], segments: &[(Span, u64)], set: impl Fn(&mut Piece, u64)) -> Vec<Piece> {
    let mut refined = Vec::with_capacity(pieces.len().max(segments.len()));
    for piece in pieces {
        for (segment, value) in segments {
            if let Some(span) = piece.span.overlap(*segment) {
                let mut cut = Piece { span, ..*piece };
                set(&mut cut, *value);
                refined.push(cut);
            }
        }
    }
    refined
}
