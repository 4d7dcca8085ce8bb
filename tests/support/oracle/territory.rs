//! Lines that may be used in some countries only, and where uses are (2.23).

use super::Right;
use super::known::{Stated, stated};
use super::levels::is_credit;
use super::spans::{bounds, joined, pieces};
use super::tree::Tree;
use super::uses::Use;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, TextId};
use trueup_model::quantity::Capacity;
use trueup_model::territory::LocatedKind;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// Where things are, and which countries territories have.
#[derive(Default)]
pub(super) struct Atlas {
    locations: BTreeMap<(LocatedKind, u64), Vec<(Span, TextId)>>,
    territories: BTreeMap<TextId, Vec<(Span, TextId)>>,
}

/// Something that is needed at an instant: by which account, in which country, how much.
pub(super) type Need = (AccountId, Option<TextId>, i128);

impl Atlas {
    pub(super) fn new(in_force: &[(Known, Span)]) -> Self {
        let mut atlas = Self::default();
        for (row, span) in in_force {
            if let Body::Location(place) = &row.body
                && let Some(span) = place.span.overlap(*span)
            {
                let rows = atlas.locations.entry((place.kind, place.located.0)).or_default();
                rows.push((span, place.country.into()));
            }
            if let Body::Territory(part) = &row.body
                && let Some(span) = part.span.overlap(*span)
            {
                let rows = atlas.territories.entry(part.territory.into()).or_default();
                rows.push((span, part.country.into()));
            }
        }
        atlas
    }

    /// The instants at which a territory changes.
    pub(super) fn bounds(&self) -> Vec<Timestamp> {
        bounds(self.territories.values().flatten().map(|(span, _)| *span))
    }

    fn stated(&self, kind: LocatedKind, name: u64, at: Timestamp) -> Option<TextId> {
        match stated(self.locations.get(&(kind, name))?, at) {
            Stated::One(country) => Some(country),
            Stated::Nothing | Stated::Several => None,
        }
    }

    /// The uses, each cut into parts in one country: that of its machine, else of its account or of
    /// the nearest account above that states one.
    pub(super) fn placed(&self, uses: &[Use], tree: &Tree) -> Vec<Use> {
        let mut cuts = bounds(self.locations.values().flatten().map(|(span, _)| *span));
        cuts.extend(tree.bounds());
        let cuts = pieces(cuts);
        let mut found = Vec::new();
        for one in uses {
            let parts = cuts.iter().filter_map(|piece| piece.overlap(one.span)).map(|piece| {
                let at = piece.start;
                let device =
                    one.device.and_then(|device| self.stated(LocatedKind::Device, device.0, at));
                let mut accounts = tree.way_up(one.account.0, at).into_iter();
                let account =
                    || accounts.find_map(|account| self.stated(LocatedKind::Account, account, at));
                (piece, device.or_else(account))
            });
            found.extend(joined(parts).into_iter().map(|(span, country)| Use {
                span,
                country,
                ..*one
            }));
        }
        found
    }

    /// Whether a right may be used in a country at an instant; where is not known, it may.
    fn allows(&self, right: &Right, country: Option<TextId>, at: Timestamp) -> bool {
        let (Some(territory), Some(country)) = (right.territory, country) else { return true };
        let rows = self.territories.get(&territory).map(Vec::as_slice).unwrap_or_default();
        territory == country || rows.iter().any(|(span, has)| *has == country && span.contains(at))
    }

    /// Whether rights in force could cover a need if it were elsewhere, and none can where it is.
    pub(super) fn is_breach(
        &self,
        rights: &[Right],
        country: Option<TextId>,
        way: &[AccountId],
        at: Timestamp,
    ) -> bool {
        let mut own = rights
            .iter()
            .filter(|right| right.span.contains(at) && way.contains(&right.account))
            .filter(|right| !is_credit(right))
            .peekable();
        own.peek().is_some() && own.all(|right| !self.allows(right, country, at))
    }

    /// What the rights of each account cover at an instant, those of lower accounts first.
    ///
    /// What some lots can cover together is the least, over every choice among them, of what the
    /// chosen ones hold and what anybody needs that the others may serve (the theorem of the least
    /// cut). An account covers as much as its lots add to those of the accounts below.
    pub(super) fn covered(
        &self,
        rights: &[Right],
        needs: &[Need],
        tree: &Tree,
        at: Timestamp,
    ) -> BTreeMap<AccountId, i128> {
        let mut lots: BTreeMap<(AccountId, Option<TextId>), Vec<&Right>> = BTreeMap::new();
        for right in rights.iter().filter(|right| right.span.contains(at)) {
            lots.entry((right.account, right.territory)).or_default().push(right);
        }
        let all: i128 = needs.iter().map(|(.., amount)| *amount).sum();
        let lots: Vec<(AccountId, i128, BTreeSet<usize>)> = lots
            .into_iter()
            .map(|((account, _), rights)| {
                let limited = |right: &&Right| matches!(right.capacity, Capacity::Limited(_));
                let sum = rights.iter().map(|right| match right.capacity {
                    Capacity::Limited(limit) => i128::from(limit.0),
                    Capacity::Unlimited | Capacity::Unknown => 0,
                });
                let holds =
                    if rights.iter().all(limited) { sum.sum::<i128>().clamp(0, all) } else { all };
                let may = needs.iter().enumerate().filter(|(_, (whose, country, _))| {
                    tree.way_up(whose.0, at).contains(&account.0)
                        && rights.iter().any(|right| self.allows(right, *country, at))
                });
                (account, holds, may.map(|(index, _)| index).collect())
            })
            .collect();
        let together = |lots: &[&(AccountId, i128, BTreeSet<usize>)]| -> i128 {
            let choices = 0_u32..1 << lots.len();
            let cut = |choice: u32| -> i128 {
                let chosen = |index: usize| choice & 1 << index != 0;
                let held = lots.iter().enumerate().filter(|(index, _)| chosen(*index));
                let others = lots.iter().enumerate().filter(|(index, _)| !chosen(*index));
                let served: BTreeSet<usize> =
                    others.flat_map(|(_, (.., may))| may.iter().copied()).collect();
                held.map(|(_, (_, holds, _))| *holds).sum::<i128>()
                    + served.into_iter().map(|index| needs[index].2).sum::<i128>()
            };
            choices.map(cut).min().unwrap_or_default()
        };
        let mut accounts: Vec<AccountId> = lots.iter().map(|(account, ..)| *account).collect();
        accounts.dedup();
        accounts.sort_by_key(|account| std::cmp::Reverse(tree.way_up(account.0, at).len()));
        let mut covered = BTreeMap::new();
        let mut before = 0;
        for count in 1..=accounts.len() {
            let asked: Vec<_> =
                lots.iter().filter(|(account, ..)| accounts[..count].contains(account)).collect();
            let sum = together(&asked);
            covered.insert(accounts[count - 1], sum - before);
            before = sum;
        }
        covered
    }
}
