//! Every kind of line, and the fact that it says.

use super::Reader;
use super::terms;
use super::words::{Words, zone};
use crate::said::Said;
use trueup_model::calendar::PeriodUnit;
use trueup_model::catalog::{Alias, AliasKind, Component, Product};
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::fact::{Action, Body, DocumentVersion, FactId, FactKind};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::observation::{ObservedPool, ObservedSession, Reservation, ReservedFor};
use trueup_model::org::{Account, MemberKind, Membership};
use trueup_model::quantity::{Capacity, Money, Quantity, parse_decimal};
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{
    Seat, SeatClass, ServerEvent, ServerEventKind, SessionEvent, SessionKind, SessionReason,
    UsageEvent, UsageOp,
};

/// When facts arrive that are no events: 2025-01-01.
const EARLY: Timestamp = Timestamp(1_735_689_600_000_000);
/// The daemon that a checkout is from if it names none.
const SERVER: &str = "lic";

impl Reader {
    /// Reads a line that says a fact.
    pub(super) fn fact(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let tenant = self.tenant.clone();
        if let Some(other) = words.option("tenant") {
            self.tenant = other.to_owned();
        }
        let read = self.fact_of_tenant(words);
        self.tenant = tenant;
        read
    }

    fn fact_of_tenant(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        if words.skip("retract") {
            return self.retract(words);
        }
        if words.skip("move") {
            return self.moved(words);
        }
        self.count += 1;
        let at = words.moment_if_any()?;
        let verb = words.word()?;
        let body = match at {
            Some(at) => self.event(verb, at, words)?,
            None => statement(verb, words)?,
        };
        let name = words.option("id").map_or_else(|| format!("#{}", self.count), str::to_owned);
        if let Body::Account(account) = &body {
            let key = (self.tenant.clone(), account.account.clone());
            self.places.insert(key, (name.clone(), 0, account.clone()));
        }
        self.say(&name, words, at.unwrap_or(EARLY), body)
    }

    /// Says a body with what the brackets say of it.
    fn say(
        &mut self,
        name: &str,
        words: &Words<'_>,
        arrives: Timestamp,
        body: Body<String>,
    ) -> Result<(), String> {
        let arrived_at = words.option_moment("arrived")?.unwrap_or(arrives);
        let kind = body.kind();
        let mut said = Said::new(&self.tenant, "script", name, arrived_at, body);
        said = said.at_position(self.count);
        if let Some(revision) = words.option("rev") {
            said.fact.revision = revision.parse().map_err(|_| "`rev` is not a number")?;
        }
        if let Some(document) = words.option("doc") {
            let (document, version) =
                document.split_once('@').ok_or("`doc` is not name@version")?;
            let version = version.parse().map_err(|_| "a version is a number")?;
            said = said.in_document(document, version);
        }
        self.kinds.insert(name.to_owned(), kind);
        self.facts.push(said);
        Ok(())
    }

    /// `retract NAME [rev N]`
    fn retract(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let name = words.word()?;
        let revision = if words.skip("rev") { words.number()? } else { 0 };
        let kind = self.kinds.get(name).copied().unwrap_or(FactKind::Usage);
        let taken = Body::Document(DocumentVersion {
            document: "taken back".to_owned(),
            version: 0,
            effective_from: Timestamp::MIN,
            rows: 0,
        });
        let arrived_at = words.option_moment("arrived")?.unwrap_or(EARLY);
        let mut said = Said::new(&self.tenant, "script", name, arrived_at, taken);
        said.fact.id = FactId::of(&self.tenant, "script", &[name.as_bytes()]);
        said.fact.revision = revision;
        said.fact.action = Action::Retract(kind);
        self.facts.push(said);
        Ok(())
    }

    /// `move ACCOUNT under PARENT from WHEN`: ends its last place and begins another.
    fn moved(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let node = words.word()?.to_owned();
        words.must("under")?;
        let parent = words.word()?.to_owned();
        words.must("from")?;
        let from = words.moment()?;
        let key = (self.tenant.clone(), node.clone());
        let place = self.places.get(&key).cloned();
        let (name, revision, mut old) = place.ok_or(format!("`{node}` has no place yet"))?;
        let new =
            Account { parent: Some(parent), span: Span::new(from, old.span.end), ..old.clone() };
        old.span.end = from;
        self.count += 1;
        let arrives = words.option_moment("arrived")?.unwrap_or(EARLY);
        let ended = Said::new(&self.tenant, "script", &name, arrives, Body::Account(old));
        self.facts.push(Said {
            fact: trueup_model::fact::Fact { revision: revision + 1, ..ended.fact },
            tenant: ended.tenant,
        });
        let name = format!("{node} from {from}");
        self.places.insert(key, (name.clone(), 0, new.clone()));
        self.facts.push(Said::new(&self.tenant, "script", &name, arrives, Body::Account(new)));
        Ok(())
    }

    /// A line that begins with a time.
    fn event(
        &self,
        verb: &str,
        at: Timestamp,
        words: &mut Words<'_>,
    ) -> Result<Body<String>, String> {
        let rank = words.option("rank").map_or(Ok(self.count), str::parse);
        let rank = rank.map_err(|_| "`rank` is not a number")?;
        let rank = u32::try_from(rank).map_err(|_| "too many lines")?;
        let (kind, reason) = match verb {
            "out" => (SessionKind::Open, SessionReason::None),
            "in" => (SessionKind::Close, SessionReason::None),
            "shutdown" => (SessionKind::Close, SessionReason::Shutdown),
            "beat" => (SessionKind::Heartbeat, SessionReason::None),
            "deny" => (SessionKind::Deny, SessionReason::AllInUse),
            "unsupported" => (SessionKind::Unsupported, SessionReason::NoSuchFeature),
            "queue" => (SessionKind::Queue, SessionReason::None),
            "dequeue" => (SessionKind::Dequeue, SessionReason::None),
            "use" => return usage(UsageOp::Add, at, words),
            "set" => return usage(UsageOp::Set, at, words),
            "enter" => return usage(UsageOp::Enter, at, words),
            "leave" => return usage(UsageOp::Leave, at, words),
            "role" => return terms::role(at, words),
            "bill" => return terms::bill(at, words),
            "start" | "alive" => {
                let kind = match verb {
                    "start" => ServerEventKind::Started,
                    _ => ServerEventKind::Alive,
                };
                let server =
                    if words.is_empty() { SERVER.to_owned() } else { words.word()?.to_owned() };
                return Ok(Body::Server(ServerEvent { at, rank, kind, server, product: None }));
            }
            "report" => return report(at, words),
            "holder" => return holder(at, words),
            "reserved" => return reserved(at, words),
            _ => return Err(format!("`{verb}` is not something that happens")),
        };
        let product = words.word()?.to_owned();
        let (user, device) = user_at_host(words)?;
        let mut event = SessionEvent {
            at,
            rank,
            kind,
            reason,
            server: SERVER.to_owned(),
            product,
            user,
            device,
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: None,
            count: 1,
            until: None,
        };
        while !words.is_empty() {
            match words.word()? {
                "until" => event.until = Some(words.moment()?),
                "on" => event.server = words.word()?.to_owned(),
                "display" => event.display = Some(words.word()?.to_owned()),
                "vendor" => event.vendor_data = Some(words.word()?.to_owned()),
                "handle" => event.handle = Some(words.number()?),
                word => event.count = times(word)?,
            }
        }
        Ok(Body::Session(event))
    }
}

/// `USER@HOST`
fn user_at_host(words: &mut Words<'_>) -> Result<(String, String), String> {
    let word = words.word()?;
    let (user, host) = word.split_once('@').ok_or(format!("`{word}` is not user@host"))?;
    Ok((user.to_owned(), host.to_owned()))
}

/// `x3`
fn times(word: &str) -> Result<u32, String> {
    let count = word.strip_prefix('x').and_then(|count| count.parse().ok());
    count.ok_or(format!("`{word}` is not expected"))
}

/// `use|set PRODUCT QUANTITY [by USER] [at HOST] [for ACCOUNT]`; `enter|leave PRODUCT`, of one unit.
fn usage(op: UsageOp, at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let product = words.word()?.to_owned();
    let quantity = match op {
        UsageOp::Add | UsageOp::Set => words.number()?,
        UsageOp::Enter | UsageOp::Leave => Quantity::ONE,
    };
    let mut event =
        UsageEvent { at, product, account: None, user: None, device: None, quantity, op };
    while !words.is_empty() {
        match words.word()? {
            "by" => event.user = Some(words.word()?.to_owned()),
            "at" => event.device = Some(words.word()?.to_owned()),
            "for" => event.account = Some(words.word()?.to_owned()),
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Usage(event))
}

/// `report SERVER FEATURE issued COUNT|unlimited|unknown [in_use COUNT]`
fn report(at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (server, product) = (words.word()?.to_owned(), words.word()?.to_owned());
    words.must("issued")?;
    let issued = capacity(words.word()?)?;
    let reported_in_use = if words.skip("in_use") { Some(words.number()?) } else { None };
    Ok(Body::ObservedPool(ObservedPool { at, server, product, issued, reported_in_use }))
}

/// `holder SERVER FEATURE USER@HOST [xCOUNT] [queued] [lingers SECONDS]`
fn holder(at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (server, product) = (words.word()?.to_owned(), words.word()?.to_owned());
    let (user, device) = user_at_host(words)?;
    let mut row = ObservedSession {
        at,
        server,
        product,
        pool: None,
        user,
        device,
        display: None,
        start: None,
        count: 1,
        handle: None,
        process: None,
        linger_seconds: None,
        queued: false,
    };
    while !words.is_empty() {
        match words.word()? {
            "queued" => row.queued = true,
            "lingers" => row.linger_seconds = Some(words.number()?),
            word => row.count = times(word)?,
        }
    }
    Ok(Body::ObservedSession(row))
}

/// `reserved SERVER FEATURE COUNT for GROUP`
fn reserved(at: Timestamp, words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (server, product) = (words.word()?.to_owned(), words.word()?.to_owned());
    let count = words.number()?;
    words.must("for")?;
    let (holder_kind, holder) = (ReservedFor::UserGroup, words.word()?.to_owned());
    let at = Some(at);
    Ok(Body::Reservation(Reservation { at, server, product, count, holder_kind, holder }))
}

/// A line that begins with what it states.
fn statement(verb: &str, words: &mut Words<'_>) -> Result<Body<String>, String> {
    match verb {
        "line" => line(words),
        "seat" => seat(words),
        "account" => {
            let account = words.word()?.to_owned();
            let parent = if words.skip("under") { Some(words.word()?.to_owned()) } else { None };
            let span = words.span()?;
            let zone = if words.skip("zone") { Some(zone(words.word()?)?) } else { None };
            let anchor = if words.skip("anchor") { Some(words.moment()?) } else { None };
            Ok(Body::Account(Account { account, parent, span, zone, anchor }))
        }
        "member" => {
            let kind = match words.word()? {
                "user" => MemberKind::User,
                "device" => MemberKind::Device,
                "server" => MemberKind::Server,
                word => return Err(format!("`{word}` is no kind of member")),
            };
            let member = words.word()?.to_owned();
            words.must("in")?;
            let account = words.word()?.to_owned();
            Ok(Body::Membership(Membership { kind, member, account, span: words.span()? }))
        }
        "alias" => {
            let kind = match words.word()? {
                "user" => AliasKind::User,
                "device" => AliasKind::Device,
                "product" => AliasKind::Product,
                "account" => AliasKind::Account,
                word => return Err(format!("`{word}` is no kind of name")),
            };
            let raw = words.word()?.to_owned();
            words.must("=")?;
            let canonical = words.word()?.to_owned();
            Ok(Body::Alias(Alias { kind, raw, canonical, span: words.span()? }))
        }
        "product" => {
            let product = words.word()?.to_owned();
            let family = if words.skip("family") { Some(words.word()?.to_owned()) } else { None };
            let publisher =
                if words.skip("publisher") { Some(words.word()?.to_owned()) } else { None };
            Ok(Body::Product(Product { product, family, publisher }))
        }
        "suite" => {
            let package = words.word()?.to_owned();
            words.must("has")?;
            let component = words.word()?.to_owned();
            let server =
                if words.skip("on") { words.word()?.to_owned() } else { SERVER.to_owned() };
            Ok(Body::Component(Component { server, package, component, suite: true }))
        }
        "version" => {
            let document = words.word()?.to_owned();
            let version = words.number()?;
            let effective_from =
                if words.skip("always") { Timestamp::MIN } else { words.span()?.start };
            Ok(Body::Document(DocumentVersion { document, version, effective_from, rows: 0 }))
        }
        _ => terms::statement(verb, words),
    }
}

/// `5`, `unlimited` or `unknown`.
fn capacity(word: &str) -> Result<Capacity, String> {
    match word {
        "unlimited" => Ok(Capacity::Unlimited),
        "unknown" => Ok(Capacity::Unknown),
        _ => word.parse().map(Capacity::Limited).map_err(|_| format!("`{word}` is no quantity")),
    }
}

/// `seat PRODUCT USER [from WHEN] [to WHEN] [for ACCOUNT] [at HOST] [guest]`
fn seat(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let (product, user) = (words.word()?.to_owned(), words.word()?.to_owned());
    let span = words.span()?;
    let account = if words.skip("for") { Some(words.word()?.to_owned()) } else { None };
    let device = if words.skip("at") { Some(words.word()?.to_owned()) } else { None };
    let class = if words.skip("guest") { SeatClass::Guest } else { SeatClass::Full };
    let last_active = if words.skip("active") { Some(words.moment()?) } else { None };
    Ok(Body::Seat(Seat { product, user, device, account, class, span, last_active }))
}

/// `line PRODUCT QUANTITY` and what else it says, in any order.
fn line(words: &mut Words<'_>) -> Result<Body<String>, String> {
    let product = words.word()?.to_owned();
    let quantity = capacity(words.word()?)?;
    let name = format!("line {product}");
    let mut line =
        EntitlementLine::base(name, product, Metric::Concurrent, quantity, Basis::Contract);
    while !words.is_empty() {
        if matches!(words.peek(), "from" | "to") {
            let span = words.span()?;
            line.span = line.span.intersect(span);
            continue;
        }
        match words.word()? {
            "name" => line.line = words.word()?.to_owned(),
            "account" => line.account = Some(words.word()?.to_owned()),
            "server" => line.server = Some(words.word()?.to_owned()),
            "priority" => line.priority = words.number()?,
            "overdraft" => line.overdraft = words.number()?,
            "margin" => line.margin_percent = words.number()?,
            "grace" => line.grace_seconds = words.number()?,
            "territory" => line.territory = Some(words.word()?.to_owned()),
            "parent" => line.parent = Some(words.word()?.to_owned()),
            "restricted" => line.restricted = true,
            "base" => line.base = Some(words.word()?.to_owned()),
            "metric" => {
                let word = words.word()?;
                line.metric = Metric::named(word).ok_or(format!("`{word}` is no metric"))?;
            }
            "basis" => {
                let word = words.word()?;
                let known = Basis::ALL.into_iter().find(|basis| basis.name() == word);
                line.basis = known.ok_or(format!("`{word}` is no basis"))?;
            }
            "per" => line.per = unit(words.word()?)?,
            "dup" => {
                let word = words.word()?;
                let rule = Duplicates::parse(word).ok_or(format!("`{word}` is no mask"))?;
                line.duplicates = Some(rule);
            }
            "cost" => {
                let amount = parse_decimal(words.word()?, 6).map_err(|error| error.to_string())?;
                line.cost = Some(Money { amount, currency: *b"EUR" });
            }
            "suite_dup" => {
                let word = words.word()?;
                let rule = Duplicates::parse(word).ok_or(format!("`{word}` is no mask"))?;
                line.suite_duplicates = Some(rule);
            }
            "maintenance" => line.kind = LineKind::Maintenance,
            "upgrade" => line.kind = LineKind::Upgrade,
            "transfer" => line.kind = LineKind::Transfer,
            "trial" => line.class = LineClass::Trial,
            "beta" => line.class = LineClass::Beta,
            "pilot" => line.class = LineClass::Pilot,
            "recovery" => line.class = LineClass::Recovery,
            "benchmark" => line.class = LineClass::Benchmark,
            "freemium" => line.class = LineClass::Freemium,
            word => return Err(format!("`{word}` is not expected")),
        }
    }
    Ok(Body::Line(line))
}

pub(super) fn unit(word: &str) -> Result<PeriodUnit, String> {
    let units = [
        PeriodUnit::Minute,
        PeriodUnit::Hour,
        PeriodUnit::Day,
        PeriodUnit::Month,
        PeriodUnit::Quarter,
        PeriodUnit::Year,
        PeriodUnit::All,
    ];
    units.into_iter().find(|unit| unit.name() == word).ok_or(format!("`{word}` is no period"))
}
