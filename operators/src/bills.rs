//! Bills: what is still to be billed of metered use, in whole billing units.
//!
//! total(P) = ⌈ shortfall(P) / unit ⌉, of the position of a volume, for the account's position periods
//! due(P)   = total(P) − Σ { units of bills in P }, at least 0 where nothing is given back
//!
//! What lines grant is not billed. Use that is corrected after it was billed is due, or given back, by
//! the difference, however often it is computed.
//!
//! Work per change: the period of the position or the bill; of a calendar, the account's.

use crate::dedupe::Known;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::given::Given;
use crate::judge::Judged;
use crate::keyed::Keyed as _;
use crate::rows::add;
use crate::timeline::clamped;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::Period;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::Body;
use trueup_model::fee::Bill;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::ledger::BillDue;
use trueup_model::metric::Metric;
use trueup_model::position::LicensePosition;
use trueup_model::quantity::{ONE_UNIT, Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;
use trueup_policy::rules::{Billing, ProductSettings};

/// A bill, of a tenant.
pub type BillInForce = (TenantId, Bill<Id>);

/// The bills of the documents in force; a bill speaks of its own time.
pub fn bills_in_force<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, BillInForce> {
    in_force.flat_map(|(known, span)| {
        let Body::Bill(bill) = known.body else { return None };
        span.contains(bill.at).then_some((known.tenant, bill))
    })
}

/// The subject whose resolution says what a bill's names mean.
pub fn subject((tenant, bill): &BillInForce) -> Subject {
    Subject {
        tenant: *tenant,
        server: None,
        feature: bill.product.into(),
        user: None,
        device: None,
        account: bill.account.map(Into::into),
    }
}

/// Who is billed for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Payer {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Used { payer: Payer, billing: Billing, period: Period, beyond: Quantity },
    Billed { payer: Payer, billing: Billing, at: Timestamp, units: Quantity },
    Zone(AccountZone),
}

/// Gives what is due of each period.
pub fn bills<'s>(
    stated: Facts<'s, BillInForce>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    short: Facts<'s, Judged>,
    settings: Facts<'s, (ProductId, ProductSettings)>,
    zones: Facts<'s, AccountZone>,
    policy: &Policy,
) -> Facts<'s, BillDue> {
    let unit = policy.position_period;
    // Positions that are short are many, and most policies bill nothing.
    let used = match policy.rules.iter().any(|rule| rule.settings.billing.is_some()) {
        true => short.flat_map(move |(row, judged_by)| {
            let counts = row.key.metric == Metric::Volume && row.key.period.unit == unit;
            counts.then(|| used(&row, &judged_by)).flatten()
        }),
        false => zones.clone().flat_map(|_| None),
    };
    let billing = settings.flat_map(|(product, said)| Some((product, said.billing?)));
    let billed = stated
        .map(|row| (subject(&row), row))
        .joined(resolutions, |_subject, (tenant, bill), resolution| {
            let account = match bill.account {
                Some(_) => resolution.account,
                None => AccountId::root(*tenant),
            };
            let payer = Payer { tenant: *tenant, account, product: resolution.product };
            resolution.span.contains(bill.at).then_some((payer.product, (payer, *bill)))
        })
        .flat_map(|row| row)
        .joined(billing, |_product, (payer, bill), billing| Heard::Billed {
            payer: *payer,
            billing: *billing,
            at: bill.at,
            units: bill.units,
        });
    let rows = by_key(used.concat(billed), |heard| match heard {
        Heard::Used { payer, .. } | Heard::Billed { payer, .. } => {
            mix(&[payer.account.0, payer.product.0])
        }
        Heard::Zone(_) => 0,
    });
    let zones = everywhere(zones.map(Heard::Zone));
    let mut state = State {
        policy: policy.clone(),
        calendars: Calendars::new(policy.zone.clone()),
        payers: IdMap::default(),
    };
    each_epoch(rows.concat(zones), "Bills", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

fn used(row: &LicensePosition, settings: &ProductSettings) -> Option<Heard> {
    let billing = settings.billing?;
    let payer =
        Payer { tenant: row.key.tenant, account: row.key.account, product: row.key.product };
    let (period, beyond) = (row.key.period, row.shortfall);
    (beyond > Quantity::ZERO).then_some(Heard::Used { payer, billing, period, beyond })
}

#[derive(Default)]
struct Entry {
    used: BTreeMap<Period, BTreeMap<(Quantity, Billing), Diff>>,
    billed: BTreeMap<Timestamp, BTreeMap<(Quantity, Billing), Diff>>,
    given: Given<Period, BillDue>,
}

struct State {
    policy: Policy,
    calendars: Calendars,
    payers: IdMap<Payer, Entry>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<BillDue>) {
        let mut dirty: BTreeMap<Payer, BTreeSet<Period>> = BTreeMap::new();
        let mut rezoned: BTreeSet<AccountId> = BTreeSet::new();
        let mut billed: Vec<(Payer, Timestamp)> = Vec::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Used { payer, billing, period, beyond } => {
                    let entry = self.payers.entry(payer).or_default();
                    let of_period = entry.used.entry(period).or_default();
                    add(of_period, (beyond, billing), diff);
                    if of_period.is_empty() {
                        entry.used.remove(&period);
                    }
                    dirty.entry(payer).or_default().insert(period);
                }
                Heard::Billed { payer, billing, at, units } => {
                    let entry = self.payers.entry(payer).or_default();
                    let at_once = entry.billed.entry(at).or_default();
                    add(at_once, (units, billing), diff);
                    if at_once.is_empty() {
                        entry.billed.remove(&at);
                    }
                    billed.push((payer, at));
                }
                Heard::Zone(zone) => {
                    let account = zone.account;
                    if self.calendars.hear(zone, diff) {
                        rezoned.insert(account);
                    }
                }
            }
        }
        // The calendars are known now.
        let unit = self.policy.position_period;
        for (payer, at) in billed {
            let period = self.calendars.period(payer.account, unit, at);
            dirty.entry(payer).or_default().insert(period);
        }
        for (payer, entry) in &self.payers {
            if rezoned.contains(&payer.account) {
                let calendar = self.calendars.of(payer.account);
                let again = entry.billed.keys().map(|at| calendar.period(unit, *at));
                let known = entry.given.keys(..).into_iter().chain(entry.used.keys().copied());
                dirty.entry(*payer).or_default().extend(known.chain(again));
            }
        }
        for (payer, periods) in dirty {
            let calendar = self.calendars.of(payer.account);
            let Some(entry) = self.payers.get_mut(&payer) else { continue };
            for period in periods {
                // By another calendar it is no period any more.
                let stands = calendar.period(unit, period.span.start) == period;
                let row = stands.then(|| entry.due(payer, period)).flatten();
                entry.given.set(period, row);
            }
            entry.given.flush(changes, |row| row);
            if entry.used.is_empty() && entry.billed.is_empty() {
                self.payers.remove(&payer);
            }
        }
    }
}

impl Entry {
    /// What is due of a period; `None` if nothing was used or billed in it.
    fn due(&self, payer: Payer, period: Period) -> Option<BillDue> {
        let used = self.used.get(&period).into_iter().flatten();
        let billed = self.billed.range(period.span.start..period.span.end);
        let sum = |quantity: Quantity, times: Diff| i128::from(quantity.0) * times as i128;
        let (mut beyond, mut units, mut terms) = (0, 0, None);
        for ((quantity, billing), times) in used {
            beyond += sum(*quantity, *times);
            terms = Some(*billing);
        }
        for ((quantity, billing), times) in billed.flat_map(|(_, rows)| rows) {
            units += sum(*quantity, *times);
            terms = terms.or(Some(*billing));
        }
        let billing = terms?;
        let total = divide(beyond, i128::from(billing.unit.0), Rounding::Ceil);
        let total = total.saturating_mul(i128::from(ONE_UNIT));
        let due = if billing.credits { total - units } else { (total - units).max(0) };
        let Payer { tenant, account, product } = payer;
        Some(BillDue {
            tenant,
            account,
            product,
            period,
            beyond: clamped(beyond),
            total: clamped(total),
            billed: clamped(units),
            due: clamped(due),
        })
    }
}
