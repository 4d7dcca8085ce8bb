//! Inventories, factors, credits, prices and territories, as lines of the fixture language.

use super::read::unit;
use super::words::Words;
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::catalog::{Downgrade, SuiteMember};
use trueup_model::credit::Grant;
use trueup_model::fact::Body;
use trueup_model::factor::{Factor, FactorKind};
use trueup_model::fee::{Bill, Fee};
use trueup_model::hardware::{Install, Machine, MachineRole, Partition, RoleSignal};
use trueup_model::price::{Price, PriceModel};
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Money, Quantity, parse_decimal};
use trueup_model::territory::{LocatedKind, Location, Territory};
use trueup_model::time::{Span, Timestamp};

/// A line that begins with what it states.
pub(super) fn statement(verb: &str, words: &mut Words<'_>) -> Result<Body<String>, String> {
    match verb {
        "machine" => machine(words),
        "install" => install(words),
        "factor" | "weight" | "band" => factor(verb, words),
        "grant" => grant(words),
        "price" => price(words),
        "fee" => fee(words),
        "place" => {
            let kind = match words.word()? {
                "device" => LocatedKind::Device,
                "account" => LocatedKind::Account,
                word => return Err(format!("`{word}` is nothing that is located")),
            };
            let located = words.word()?.to_owned();
            words.must("in")?;
            let country = words.word()?.to_owned();
            Ok(Body::Location(Location { kind, located, country, span: words.span()? }))
        }
        "territory" => {
            let territory = words.word()?.to_owned();
            words.must("has")?;
            let country = words.word()?.to_owned();
            Ok(Body::Territory(Territory { territory, country, span: words.span()? }))
        }
        "suite_rule" => {
            let suite = words.word()?.to_owned();
            words.must("has")?;
            let component = words.word()?.to_owned();
            let mandatory = words.skip("mandatory");
            let percent = words.number()?;
            let span = words.span()?;
            Ok(Body::SuiteMember(SuiteMember { suite, component, mandatory, percent, span }))
        }
        "allocate" => allocation(words),
        "downgrade" => {
            let higher = words.word()?.to_owned();
            words.must("to")?;
            let lower = words.word()?.to_owned();
            Ok(Body::Downgrade(Downgrade { higher, lower, span: words.span()? }))
        }
        _ => Err(format!("`{verb}` is not a kind of line")),
    }
}

/// `allocate LINE to user|device NAME [from WHEN] [to WHEN] [QUANTITY]`
fn allocation(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let line = words.word()?.to_owned();
    words.must("to")?;
    let word = words.word()?;
    let kind = HolderKind::ALL.into_iter().find(|kind| kind.name() == word);
    let kind = kind.ok_or(format!("`{word}` is no kind of holder"))?;
    let holder = words.word()?.to_owned();
    let span = words.span()?;
    let quantity = if words.is_empty() { Quantity::ONE } else { words.number()? };
    Ok(Body::Allocation(Allocation { line, kind, holder, quantity, span }))
}

/// `role HOST active|passive|failover|test`
pub(super) fn role(at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let device = words.word()?.to_owned();
    let word = words.word()?;
    let role = MachineRole::ALL.into_iter().find(|role| role.name() == word);
    let role = role.ok_or(format!("`{word}` is no role"))?;
    Ok(Body::Role(RoleSignal { at, device, role }))
}

/// `machine HOST` and what it has, in any order.
fn machine(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let mut machine = Machine {
        device: words.word()?.to_owned(),
        processors: 0,
        cores: 0,
        threads: 0,
        virtual_cores: 0,
        cap: None,
        model: None,
        host: None,
        cluster: None,
        partition: Partition::None,
        span: Span::ALWAYS,
    };
    while !words.is_empty() {
        if matches!(words.peek(), "from" | "to") {
            machine.span = machine.span.intersect(words.span()?);
            continue;
        }
        match words.word()? {
            "processors" => machine.processors = words.number()?,
            "cores" => machine.cores = words.number()?,
            "threads" => machine.threads = words.number()?,
            "vcores" => machine.virtual_cores = words.number()?,
            "cap" => machine.cap = Some(words.number()?),
            "model" => machine.model = Some(words.word()?.to_owned()),
            "on" => machine.host = Some(words.word()?.to_owned()),
            "cluster" => machine.cluster = Some(words.word()?.to_owned()),
            "hard" => machine.partition = Partition::Hard,
            "soft" => machine.partition = Partition::Soft,
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Machine(machine))
}

/// `install PRODUCT HOST [from WHEN] [to WHEN] [by USER] [for ACCOUNT]`
fn install(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (product, device) = (words.word()?.to_owned(), words.word()?.to_owned());
    let span = words.span()?;
    let user = if words.skip("by") { Some(words.word()?.to_owned()) } else { None };
    let account = if words.skip("for") { Some(words.word()?.to_owned()) } else { None };
    Ok(Body::Install(Install { product, device, user, account, span, last_used: None }))
}

/// `factor core|value MODEL|any VALUE [per N]`, `weight PRODUCT = POOL VALUE [per N]`,
/// `band PRODUCT [up_to COUNT] VALUE [per N]`, each with `[from WHEN] [to WHEN]`.
fn factor(verb: &str, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let mut factor = Factor {
        kind: FactorKind::Weight,
        product: None,
        pool: None,
        model: None,
        up_to: None,
        value: Quantity::ZERO,
        per: Quantity::ONE,
        span: Span::ALWAYS,
    };
    match verb {
        "factor" => {
            factor.kind = match words.word()? {
                "core" => FactorKind::Core,
                "value" => FactorKind::ProcessorValue,
                word => return Err(format!("`{word}` is no kind of factor")),
            };
            let model = words.word()?;
            factor.model = (model != "any").then(|| model.to_owned());
        }
        "weight" => {
            factor.product = Some(words.word()?.to_owned());
            words.must("=")?;
            factor.pool = Some(words.word()?.to_owned());
        }
        _ => {
            factor.kind = FactorKind::Band;
            factor.product = Some(words.word()?.to_owned());
            factor.up_to = if words.skip("up_to") { Some(words.number()?) } else { None };
        }
    }
    factor.value = words.number()?;
    if words.skip("per") {
        factor.per = words.number()?;
    }
    factor.span = words.span()?;
    Ok(Body::Factor(factor))
}

/// `grant NAME PRODUCT AMOUNT` and its terms, in any order.
fn grant(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let mut grant = Grant {
        grant: words.word()?.to_owned(),
        product: words.word()?.to_owned(),
        account: None,
        amount: words.number()?,
        span: Span::ALWAYS,
        priority: 0,
        every: None,
        carry_min: Quantity::ZERO,
        carry_max: Quantity::ZERO,
        carry_overage: false,
        voided_at: None,
    };
    while !words.is_empty() {
        if matches!(words.peek(), "from" | "to") {
            grant.span = grant.span.intersect(words.span()?);
            continue;
        }
        match words.word()? {
            "account" => grant.account = Some(words.word()?.to_owned()),
            "priority" => grant.priority = words.number()?,
            "every" => grant.every = Some(unit(words.word()?)?),
            "carry" => (grant.carry_min, grant.carry_max) = (words.number()?, words.number()?),
            "carry_overage" => grant.carry_overage = true,
            "void" => grant.voided_at = Some(words.moment()?),
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Grant(grant))
}

/// `price PRODUCT MODEL` and one band, in any order.
fn price(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let product = words.word()?.to_owned();
    let word = words.word()?;
    let model = PriceModel::ALL.into_iter().find(|model| model.name() == word);
    let model = model.ok_or(format!("`{word}` is no price model"))?;
    let none = Money { amount: 0, currency: *b"EUR" };
    let mut price = Price {
        product,
        account: None,
        model,
        up_to: None,
        unit: none,
        flat: none,
        block: Quantity::ONE,
        span: Span::ALWAYS,
    };
    while !words.is_empty() {
        if matches!(words.peek(), "from" | "to") {
            price.span = price.span.intersect(words.span()?);
            continue;
        }
        match words.word()? {
            "account" => price.account = Some(words.word()?.to_owned()),
            "up_to" => price.up_to = Some(words.number()?),
            "unit" => price.unit = money(words)?,
            "flat" => price.flat = money(words)?,
            "block" => price.block = words.number()?,
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Price(price))
}

/// `fee LINE AMOUNT per UNIT|all` and its terms, in any order.
fn fee(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let line = words.word()?.to_owned();
    let amount = money(words)?;
    words.must("per")?;
    let mut fee = Fee {
        line,
        amount,
        per: unit(words.word()?)?,
        each: false,
        day_count: DayCount::default(),
        uplift: Quantity::ONE,
        trial_days: 0,
        base: None,
        span: Span::ALWAYS,
    };
    while !words.is_empty() {
        if matches!(words.peek(), "from" | "to") {
            fee.span = fee.span.intersect(words.span()?);
            continue;
        }
        match words.word()? {
            "each" => fee.each = true,
            "uplift" => fee.uplift = words.number()?,
            "trial" => fee.trial_days = words.number()?,
            "base" => fee.base = Some(words.word()?.to_owned()),
            "count" => {
                let word = words.word()?;
                let known = DayCount::ALL.into_iter().find(|count| count.name() == word);
                fee.day_count = known.ok_or(format!("`{word}` counts no days"))?;
            }
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Fee(fee))
}

/// `bill PRODUCT UNITS [for ACCOUNT]`
pub(super) fn bill(at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (product, units) = (words.word()?.to_owned(), words.number()?);
    let account = if words.skip("for") { Some(words.word()?.to_owned()) } else { None };
    Ok(Body::Bill(Bill { product, account, units, at }))
}

fn money(words: &mut Words<'_>) -> Result<Money, String> {
    let amount = parse_decimal(words.word()?, 6).map_err(|error| error.to_string())?;
    Ok(Money { amount, currency: *b"EUR" })
}
