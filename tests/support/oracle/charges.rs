//! Charges: who pays how much for the use of a period (2.11).
//!
//! For each payer and piece of time in which its bands stay the same: what the events in each period come
//! to, priced by definition.

use super::names::Names;
use super::spans::{bounds, joined, pieces};
use super::tree::Tree;
use super::volumes::Event;
use super::{Case, Expected};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::Period;
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::ledger::Charge;
use trueup_model::price::{Price, PriceModel};
use trueup_model::quantity::{Money, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A band that someone stated, for as long as its names mean this.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) tenant: TenantId,
    pub(super) subject: Subject,
    product: ProductId,
    account: AccountId,
    price: Price<Id>,
    span: Span,
}

/// The bands that are stated.
pub(super) fn bands(in_force: &[(Known, Span)], names: &Names) -> Vec<Band> {
    let mut found = Vec::new();
    for (row, span) in in_force {
        let Body::Price(price) = &row.body else { continue };
        let Some(span) = price.span.overlap(*span) else { continue };
        let subject = Subject {
            tenant: row.tenant,
            server: None,
            feature: price.product.into(),
            user: None,
            device: None,
            account: price.account.map(Into::into),
        };
        for means in names.resolve(&subject).0 {
            let Some(span) = span.overlap(means.span) else { continue };
            let account = price.account.map_or(AccountId::root(row.tenant), |_| means.account);
            found.push(Band {
                tenant: row.tenant,
                subject,
                product: means.product,
                account,
                price: Price { span: Span::ALWAYS, account: None, ..*price },
                span,
            });
        }
    }
    found
}

/// The bands of a payer and when they hold.
type Piece = (Span, BTreeSet<Price<Id>>);

/// The part of a period in which bands hold.
type Part = (Period, Span);

/// Prices the use of each product that has prices.
pub(super) fn evaluate(
    case: &Case<'_>,
    tenant: TenantId,
    accounts: &Tree,
    events: &[Event],
    bands: &[Band],
    found: &mut Expected,
) {
    let bands: Vec<&Band> = bands.iter().filter(|band| band.tenant == tenant).collect();
    let products: BTreeSet<ProductId> = bands.iter().map(|band| band.product).collect();
    for product in products {
        let of_product = || bands.iter().filter(|band| band.product == product);
        let payers: BTreeSet<AccountId> = of_product().map(|band| band.account).collect();
        let pays = |payer: AccountId, at: Timestamp| {
            of_product().any(|band| band.account == payer && band.span.contains(at))
        };
        let mut paid: BTreeMap<AccountId, Vec<&Event>> = BTreeMap::new();
        for event in events.iter().filter(|event| event.product == product) {
            let way = accounts.way_up(event.account.0, event.at);
            let payer = way.into_iter().map(AccountId).find(|node| pays(*node, event.at));
            paid.extend(payer.filter(|payer| !paid.contains_key(payer)).map(|one| (one, vec![])));
            if let Some(events) = payer.and_then(|payer| paid.get_mut(&payer)) {
                events.push(event);
            }
        }
        for payer in payers {
            let rows: Vec<&&Band> = of_product().filter(|band| band.account == payer).collect();
            let all = pieces(bounds(rows.iter().map(|band| band.span)));
            let set = |at: Timestamp| {
                let holds = rows.iter().filter(|band| band.span.contains(at));
                holds.map(|band| band.price).collect::<BTreeSet<_>>()
            };
            let all = joined(all.into_iter().map(|piece| (piece, set(piece.start))));
            let events = paid.get(&payer).map(Vec::as_slice).unwrap_or_default();
            for piece in all.iter().filter(|(_, bands)| !bands.is_empty()) {
                let charges = of_piece(case, payer, piece, events);
                found.charges.extend(charges.into_iter().map(|((period, span), quantity)| {
                    let (model, amount) = priced(&piece.1, quantity);
                    let account = payer;
                    Charge { tenant, account, product, period, span, quantity, model, amount }
                }));
            }
        }
    }
}

/// What was used in each part of a piece that has a charge.
fn of_piece(
    case: &Case<'_>,
    payer: AccountId,
    (span, bands): &Piece,
    events: &[&Event],
) -> BTreeMap<Part, Quantity> {
    let part = |at: Timestamp| {
        let period = case.calendar(payer).period(case.policy.position_period, at);
        (period, period.span.intersect(*span))
    };
    let events: Vec<&&Event> = events.iter().filter(|event| span.contains(event.at)).collect();
    let mut sums: BTreeMap<Part, i128> = BTreeMap::new();
    for event in &events {
        *sums.entry(part(event.at)).or_default() += i128::from(event.quantity.0);
    }
    let nothing = priced(bands, Quantity::ZERO).1;
    if nothing.is_some_and(|money| money.amount != 0) && case.horizon != Timestamp::MIN {
        // A price without a beginning is due from the first use on.
        let first = events.iter().map(|event| event.at).min().unwrap_or(Timestamp::MAX);
        let mut at = if span.start == Timestamp::MIN { first } else { span.start };
        while at <= case.horizon && at < span.end {
            let begun = part(at);
            sums.entry(begun).or_default();
            at = begun.1.end;
        }
    }
    sums.into_iter().map(|(part, sum)| (part, super::rights::quantity(sum))).collect()
}

/// How bands apply and what a quantity costs by them.
fn priced(bands: &BTreeSet<Price<Id>>, quantity: Quantity) -> (Option<PriceModel>, Option<Money>) {
    let models: BTreeSet<PriceModel> = bands.iter().map(|band| band.model).collect();
    let ends: BTreeSet<Option<Quantity>> = bands.iter().map(|band| band.up_to).collect();
    let model = *models.first().expect("a piece has bands");
    let several = models.len() > 1 || ends.len() < bands.len();
    if several || (model == PriceModel::Package && bands.len() > 1) {
        return (None, None);
    }
    let mut ordered: Vec<&Price<Id>> = bands.iter().collect();
    ordered.sort_by_key(|band| band.up_to.unwrap_or(Quantity::MAX));
    let all = i128::from(quantity.0.max(0));
    let end = |band: &Price<Id>| band.up_to.map(|up_to| i128::from(up_to.0));
    let reaches = |band: &Price<Id>| end(band).is_none_or(|end| all <= end);
    // A price of many units is one for each begun block of them.
    let begun = |units: i128, block: Quantity| {
        let block = i128::from(block.0);
        (units / block + i128::from(units % block != 0)) * 1_000_000
    };
    let counted = |units: i128, band: &Price<Id>| match band.block {
        Quantity::ONE => units,
        block => begun(units, block),
    };
    let cost = |units: i128, band: &Price<Id>| {
        units * i128::from(band.unit.amount) + i128::from(band.flat.amount) * 1_000_000
    };
    let parts = match model {
        PriceModel::Graduated => {
            if !ordered.iter().any(|band| reaches(band)) {
                return (Some(model), None);
            }
            let mut sum = 0;
            for (place, band) in ordered.iter().enumerate() {
                let below = ordered[..place].iter().filter_map(|lower| end(lower)).max();
                let low = below.unwrap_or(0).max(0);
                if place > 0 && all <= low {
                    continue;
                }
                let high = end(band).map_or(all, |end| end.min(all));
                sum += cost(counted((high - low).max(0), band), band);
            }
            sum
        }
        PriceModel::Volume | PriceModel::TopTier => {
            let Some(band) = ordered.iter().find(|band| reaches(band)) else {
                return (Some(model), None);
            };
            let whole = model == PriceModel::TopTier;
            let units = if whole { begun(all, band.block) } else { counted(all, band) };
            cost(units, band)
        }
        PriceModel::Package => {
            let free = end(ordered[0]).unwrap_or(0).max(0);
            cost(begun((all - free).max(0), ordered[0].block), ordered[0])
        }
    };
    let (whole, rest) = (parts.div_euclid(1_000_000), parts.rem_euclid(1_000_000));
    let up = if parts < 0 { rest > 500_000 } else { rest >= 500_000 };
    let amount = i64::try_from(whole + i128::from(up)).ok();
    let currency = ordered[0].unit.currency;
    (Some(model), amount.map(|amount| Money { amount, currency }))
}
