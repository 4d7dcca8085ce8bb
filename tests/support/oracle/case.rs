//! What everything is judged by: the facts, the policy, and what holds for a product.

use super::{Input, downgrades};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Zone};
use trueup_model::fact::{Body, Fact};
use trueup_model::id::{AccountId, Id, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;
use trueup_policy::Policy;
use trueup_policy::rules::{NamedUsers, ProductSettings};

/// A product under a metric: what is evaluated by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) product: ProductId,
    pub(super) metric: Metric,
}

/// What holds for a product: its settings, and the metrics of its lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) settings: ProductSettings,
    pub(super) licensed: Vec<Metric>,
}

impl Rule {
    /// Whether use that counts by this metric of itself needs rights: lines and policy say by what
    /// a product is licensed; without lines, everything that was seen needs rights.
    pub(super) fn demands(&self, metric: Metric) -> bool {
        self.settings.metrics.contains(metric)
            || self.licensed.contains(&metric)
            || self.licensed.is_empty()
    }

    /// Whether lines or policy ask for a metric.
    pub(super) fn counts(&self, metric: Metric) -> bool {
        self.settings.metrics.contains(metric) || self.licensed.contains(&metric)
    }

    /// Whether named users are those who were active, and not those who hold a seat.
    pub(super) fn counts_active_users(&self) -> bool {
        let named = Metric::NamedUser;
        self.settings.named_users == NamedUsers::Active
            && (self.licensed.contains(&named) || self.settings.metrics.contains(named))
    }
}

/// What everything is judged by.
pub(super) struct Case<'i> {
    pub(super) facts: &'i [(TenantId, Fact<Id>)],
    pub(super) policy: &'i Policy,
    pub(super) settings: &'i BTreeMap<ProductId, ProductSettings>,
    pub(super) unresolved: &'i BTreeSet<(NameKind, Id)>,
    pub(super) horizon: Timestamp,
    pub(super) usual: Calendar,
    pub(super) calendars: BTreeMap<AccountId, Calendar>,
    pub(super) ladder: downgrades::Ladder,
}

impl<'i> Case<'i> {
    pub(super) fn new(input: Input<'i>) -> Self {
        let Input { facts, policy, settings, unresolved, horizon, history: _ } = input;
        let usual = Calendar::natural(policy.zone.clone());
        Self {
            facts,
            policy,
            settings,
            unresolved,
            horizon,
            usual,
            calendars: BTreeMap::new(),
            ladder: downgrades::Ladder::default(),
        }
    }

    /// Takes in which products stand above which, and the zones and anchors that accounts state; of
    /// several, the first zone by name and the earliest anchor.
    pub(super) fn learn(&mut self, in_force: &[(Known, Span)]) {
        self.ladder = downgrades::Ladder::new(in_force);
        let mut names: BTreeMap<AccountId, BTreeSet<&str>> = BTreeMap::new();
        let mut anchors: BTreeMap<AccountId, Timestamp> = BTreeMap::new();
        for (row, _) in in_force {
            let Body::Account(account) = &row.body else { continue };
            if let Some(at) = account.anchor {
                let first = anchors.entry(account.account.into()).or_insert(at);
                *first = (*first).min(at);
            }
            let Some(zone) = &account.zone else { continue };
            names.entry(account.account.into()).or_default().insert(zone);
        }
        for (account, zones) in names {
            let zone = zones.into_iter().find_map(|name| Zone::named(name).ok());
            if let Some(zone) = zone {
                self.calendars.insert(account, Calendar::natural(zone));
            }
        }
        for (account, at) in anchors {
            let zone = self.calendar(account).zone.clone();
            let anchor = zone.local(at).date();
            self.calendars.insert(account, Calendar { zone, anchor });
        }
    }

    /// The calendar of an account.
    pub(super) fn calendar(&self, account: AccountId) -> &Calendar {
        self.calendars.get(&account).unwrap_or(&self.usual)
    }
}
