//! What can happen in a generated world, as lines of the fixture language.

use super::meters;
use super::names::{
    ACCOUNTS, DEVICES, FAMILIES, FEATURES, MASKS, ROLES, SERVERS, SLOTS, TERRITORIES, UNITS, USERS,
    ZONES, between, instant, pick, slot,
};
use proptest::prelude::*;

/// Of how many seconds times of grace are made: a third of a day, so that they end on the grid.
const GRACE_SECONDS: u32 = 28_800;

/// Something that is said once more, or taken back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    /// The same, later.
    Repeat,
    /// Something else under the same name.
    Contradict,
    /// A newer revision.
    Revise,
    /// Taken back, up to a revision.
    Retract(u8),
}

/// The ends of a time in which something holds.
type Ends = (Option<u8>, Option<u8>);

/// Who holds what where: feature, user, device, server.
pub(super) type Holder = (u8, u8, u8, u8);

/// How much a line grants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grant {
    Units(i8),
    Unlimited,
    Unknown,
}

/// What a line says besides what it grants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    metric: u8,
    ends: Ends,
    account: Option<u8>,
    server: Option<u8>,
    basis: u8,
    per: u8,
    overdraft: u8,
    priority: i8,
    cost: Option<u8>,
    mask: Option<u8>,
    kind: u8,
    margin: u8,
    grace: u8,
    parent: Option<u8>,
    territory: Option<u8>,
}

/// What a grant says besides what it grants.
#[derive(Clone, Copy, Debug)]
pub(super) struct CreditTerms {
    priority: u8,
    every: Option<u8>,
    carry: (u8, u8),
    carry_overage: bool,
    voided: Option<u8>,
}

/// Something that happens or is stated.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// A checkout and, if it ends, its return.
    Checkout {
        holder: Holder,
        count: u8,
        from: u8,
        to: Option<u8>,
        display: Option<u8>,
        handle: Option<u8>,
    },
    /// A line of a log by itself: 0 return, 1 shutdown, 2 denial, 3 unsupported, 4 queue, 5 dequeue.
    Log { verb: u8, holder: Holder, count: u8, at: u8, rank: u8 },
    /// A daemon starts or lives.
    Server { start: bool, server: u8, at: u8 },
    /// A metered quantity that arrives so many instants later.
    Usage {
        product: u8,
        quantity: i8,
        user: Option<u8>,
        device: Option<u8>,
        account: Option<u8>,
        at: u8,
        delay: u8,
    },
    /// A seat.
    Seat { product: u8, user: u8, ends: Ends, account: Option<u8>, guest: bool },
    /// A line that grants a right.
    Line { product: u8, grant: Grant, terms: Terms },
    /// An amount that may be used up.
    Credit { product: u8, amount: u8, account: Option<u8>, ends: Ends, terms: CreditTerms },
    /// Bands of prices that belong together: model, account, whether there is a second band.
    Prices { product: u8, model: u8, account: Option<u8>, ends: Ends, terms: (u8, u8, u8, bool) },
    /// An account's place.
    Account { account: u8, parent: Option<u8>, ends: Ends, zone: Option<u8>, anchor: Option<u8> },
    /// Who belongs to an account: 0 a user, 1 a device, 2 a server.
    Member { kind: u8, member: u8, account: u8, ends: Ends },
    /// A name that means another: 0 user, 1 device, 2 product, 3 account.
    Alias { kind: u8, raw: u8, canonical: u8, ends: Ends },
    /// A product's place.
    Product { product: u8, family: Option<u8>, publisher: bool },
    /// A machine takes a role.
    Role { device: u8, role: u8, at: u8 },
    /// Where a machine or an account is.
    Place { device: bool, name: u8, country: u8, ends: Ends },
    /// A country of a territory.
    Territory { territory: u8, country: u8, ends: Ends },
    /// A component of the suite.
    Component { component: u8, server: u8 },
    /// A server's report of a pool with its holders.
    Report { server: u8, feature: u8, at: u8, issued: u8, holders: Vec<(u8, u8)> },
    /// A row of a version of a document.
    Row { document: u8, version: u8, deed: Box<Deed> },
    /// A version of a document.
    Version { document: u8, version: u8, from: Option<u8> },
    /// A line of the fixture language, and what a correction of it says.
    Told { said: String, other: String },
    /// Something of the other tenant, which uses the same names.
    Other(Box<Deed>),
    /// Something about another deed.
    Again { of: u8, how: Again },
}

/// ` word NAME` for a name that is given.
fn given<const N: usize>(word: &str, names: [&str; N], index: Option<u8>) -> String {
    index.map(|index| format!(" {word} {}", pick(names, index))).unwrap_or_default()
}

/// ` anchor WHEN` for an anchor that is given.
fn anchored(anchor: Option<u8>) -> String {
    anchor.map(|at| format!(" anchor {}", instant(at))).unwrap_or_default()
}

fn holder((feature, user, device, server): Holder) -> (String, String) {
    let who =
        format!("{} {}@{}", pick(FEATURES, feature), pick(USERS, user), pick(DEVICES, device));
    (who, format!(" on {}", pick(SERVERS, server)))
}

impl Deed {
    /// The prefix that gives a retraction its tenant; empty for the first tenant.
    pub(super) fn tenant(&self) -> &'static str {
        match self {
            Self::Other(_) => "[tenant=u] ",
            _ => "",
        }
    }

    /// The lines of the deed, whose facts are called `name`, with more options for the brackets.
    pub(super) fn lines(&self, name: &str, options: &str) -> String {
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        self.write(name, &options)
    }

    fn write(&self, name: &str, options: &str) -> String {
        match self {
            Self::Checkout { holder: who, count, from, to, display, handle } => {
                let (who, server) = holder(*who);
                let display = display.map(|one| format!(" display :{one}")).unwrap_or_default();
                let handle = handle.map(|one| format!(" handle {one}")).unwrap_or_default();
                let out = format!(
                    "[id={name}{options}] {} out {who} x{count}{server}{display}{handle}\n",
                    instant(*from)
                );
                let back = to.map(|to| {
                    let at = instant(to);
                    format!("[id={name}b{options}] {at} in {who} x{count}{server}{handle}\n")
                });
                out + &back.unwrap_or_default()
            }
            Self::Log { verb, holder: who, count, at, rank } => {
                let verbs = ["in", "shutdown", "deny", "unsupported", "queue", "dequeue"];
                let (who, server) = holder(*who);
                let verb = pick(verbs, *verb);
                let at = instant(*at);
                format!("[id={name} rank={rank}{options}] {at} {verb} {who} x{count}{server}\n")
            }
            Self::Server { start, server, at } => {
                let verb = if *start { "start" } else { "alive" };
                let (at, server) = (instant(*at), pick(SERVERS, *server));
                format!("[id={name}{options}] {at} {verb} {server}\n")
            }
            Self::Usage { product, quantity, user, device, account, at, delay } => {
                let arrived = instant((at + delay).min(SLOTS - 1));
                let arrived = match options.contains("arrived") {
                    true => String::new(),
                    false => format!(" arrived={arrived}"),
                };
                format!(
                    "[id={name}{options}{arrived}] {} use {} {quantity}.5{}{}{}\n",
                    instant(*at),
                    pick(FEATURES, *product),
                    given("by", USERS, *user),
                    given("at", DEVICES, *device),
                    given("for", ACCOUNTS, *account),
                )
            }
            Self::Told { said, .. } => format!("[id={name}{options}] {said}\n"),
            Self::Role { device, role, at } => {
                let (device, role) = (pick(DEVICES, *device), pick(ROLES, *role));
                format!("[id={name}{options}] {} role {device} {role}\n", instant(*at))
            }
            Self::Row { document, version, deed } => {
                deed.write(name, &format!("{options} doc=doc{document}@{version}"))
            }
            Self::Other(deed) => deed.write(name, &format!("{options} tenant=u")),
            _ => format!("[id={name}{options}] {}\n", self.statement(name, options)),
        }
    }

    /// What a deed states that is neither an event nor wraps another.
    fn statement(&self, name: &str, options: &str) -> String {
        match self {
            Self::Seat { product, user, ends, account, guest } => format!(
                "seat {} {}{}{}{}",
                pick(FEATURES, *product),
                pick(USERS, *user),
                between(ends.0, ends.1),
                given("for", ACCOUNTS, *account),
                if *guest { " guest" } else { "" },
            ),
            Self::Line { product, grant, terms } => line(pick(FEATURES, *product), *grant, terms),
            Self::Credit { .. } => self.credit(),
            Self::Prices { .. } => self.bands(name, options),
            Self::Account { account, parent, ends, zone, anchor } => format!(
                "account {}{}{}{}",
                pick(ACCOUNTS, *account),
                given("under", ACCOUNTS, *parent),
                between(ends.0, ends.1),
                given("zone", ZONES, *zone) + &anchored(*anchor),
            ),
            Self::Member { kind, member, account, ends } => {
                let (kind, member) = match kind % 3 {
                    0 => ("user", pick(USERS, *member)),
                    1 => ("device", pick(DEVICES, *member)),
                    _ => ("server", pick(SERVERS, *member)),
                };
                let account = pick(ACCOUNTS, *account);
                format!("member {kind} {member} in {account}{}", between(ends.0, ends.1))
            }
            Self::Alias { kind, raw, canonical, ends } => {
                let (kind, raw, canonical) = match kind % 4 {
                    0 => ("user", pick(USERS, *raw), pick(USERS, *canonical)),
                    1 => ("device", pick(DEVICES, *raw), pick(DEVICES, *canonical)),
                    2 => ("product", pick(FEATURES, *raw), pick(FEATURES, *canonical)),
                    _ => ("account", pick(ACCOUNTS, *raw), pick(ACCOUNTS, *canonical)),
                };
                format!("alias {kind} {raw} = {canonical}{}", between(ends.0, ends.1))
            }
            Self::Product { product, family, publisher } => format!(
                "product {}{}{}",
                pick(FEATURES, *product),
                given("family", FAMILIES, *family),
                if *publisher { " publisher acme" } else { "" },
            ),
            Self::Place { device, name, country, ends } => place(*device, *name, *country, *ends),
            Self::Territory { territory, country, ends } => reach(*territory, *country, *ends),
            Self::Component { component, server } => format!(
                "suite SUITE has {} on {}",
                pick(FEATURES, component % 3),
                pick(SERVERS, *server)
            ),
            Self::Report { server, feature, at, issued, holders } => {
                let pool = (*server, *feature);
                report(name, options, pool, *at, *issued, holders)
            }
            Self::Version { document, version, from } => {
                let from = from.map_or(" always".to_owned(), |from| between(Some(from), None));
                format!("version doc{document} {version}{from}")
            }
            Self::Row { .. }
            | Self::Other(_)
            | Self::Checkout { .. }
            | Self::Log { .. }
            | Self::Server { .. }
            | Self::Usage { .. }
            | Self::Told { .. }
            | Self::Role { .. }
            | Self::Again { .. } => String::new(),
        }
    }

    /// A grant.
    fn credit(&self) -> String {
        let Self::Credit { product, amount, account, ends, terms } = self else {
            return String::new();
        };
        format!(
            "grant c{} {} {amount}.5{}{}{}",
            terms.priority,
            pick(FEATURES, *product),
            between(ends.0, ends.1),
            given("account", ACCOUNTS, *account),
            credit_terms(terms),
        )
    }

    /// The bands of prices, each a line of its own.
    fn bands(&self, name: &str, options: &str) -> String {
        let Self::Prices { product, model, account, ends, terms } = self else {
            return String::new();
        };
        let (unit, flat, block, second) = *terms;
        let head = format!(
            "price {} {}{}{}",
            pick(FEATURES, *product),
            pick(["graduated", "volume", "package", "top_tier"], *model),
            between(ends.0, ends.1),
            given("account", ACCOUNTS, *account),
        );
        let first = if second { " up_to 3" } else { "" };
        let block = pick(["1", "2", "0.5", "3"], block);
        let mut text = format!("{head}{first} unit {unit}.25 flat {flat} block {block}");
        if second {
            text += &format!("\n[id={name}b{options}] {head} unit 0.000001 flat 5");
        }
        text
    }

    /// The same deed, a little different: what a correction or a contradiction says.
    pub(super) fn altered(&self) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Checkout { count, .. } | Self::Log { count, .. } => *count += 1,
            Self::Usage { quantity, .. } => *quantity += 2,
            Self::Role { at, .. } | Self::Server { at, .. } | Self::Report { at, .. } => {
                *at = (*at + 1) % SLOTS;
            }
            Self::Seat { ends, .. }
            | Self::Account { ends, .. }
            | Self::Member { ends, .. }
            | Self::Place { ends, .. }
            | Self::Territory { ends, .. }
            | Self::Alias { ends, .. } => ends.0 = Some(7),
            Self::Credit { amount, .. } => *amount += 2,
            Self::Prices { terms, .. } => terms.0 += 2,
            Self::Line { grant, .. } => *grant = Grant::Units(2),
            Self::Product { family, .. } => *family = Some(1),
            Self::Component { component, .. } => *component += 1,
            Self::Version { from, .. } => *from = Some(9),
            Self::Told { said, other } => std::mem::swap(said, other),
            Self::Row { deed, .. } | Self::Other(deed) => **deed = deed.altered(),
            Self::Again { .. } => {}
        }
        other
    }
}

/// A server's report of a pool, and who holds it.
fn report(
    name: &str,
    options: &str,
    (server, feature): (u8, u8),
    at: u8,
    issued: u8,
    holders: &[(u8, u8)],
) -> String {
    let place = format!("{} {}", pick(SERVERS, server), pick(FEATURES, feature));
    let at = instant(at);
    let mut text = format!("{at} report {place} issued {issued}");
    for (index, (user, count)) in holders.iter().enumerate() {
        let user = pick(USERS, *user);
        text += &format!("\n[id={name}h{index}{options}] {at} holder {place} {user}@ws1 x{count}");
    }
    text
}

/// Where a machine or an account is.
fn place(device: bool, name: u8, country: u8, ends: Ends) -> String {
    let thing = match device {
        true => format!("device {}", pick(DEVICES, name)),
        false => format!("account {}", pick(ACCOUNTS, name)),
    };
    format!("place {thing} in {}{}", pick(TERRITORIES, country % 3), between(ends.0, ends.1))
}

/// A country of a territory, which may be a country itself.
fn reach(territory: u8, country: u8, ends: Ends) -> String {
    let (territory, country) = (pick(["EU", "DE"], territory), pick(TERRITORIES, country % 3));
    format!("territory {territory} has {country}{}", between(ends.0, ends.1))
}

fn line(product: &str, grant: Grant, terms: &Terms) -> String {
    let grant = match grant {
        Grant::Units(units) => units.to_string(),
        Grant::Unlimited => "unlimited".to_owned(),
        Grant::Unknown => "unknown".to_owned(),
    };
    let Terms { metric, ends, account, server, basis, per, overdraft, priority, .. } = *terms;
    let mut text = format!(
        "line {product} {grant} name l{} metric {} basis {} per {}",
        priority.unsigned_abs(),
        pick(["concurrent", "named_user", "volume", "feature"], metric),
        pick(["contract", "license_file", "server_report"], basis),
        pick(UNITS, per),
    );
    text += &between(ends.0, ends.1);
    text += &given("account", ACCOUNTS, account);
    text += &given("server", SERVERS, server);
    text += &given("dup", MASKS, terms.mask);
    if overdraft > 0 {
        text += &format!(" overdraft {overdraft}");
    }
    if terms.margin > 0 {
        text += &format!(" margin {}", u32::from(terms.margin) * 50);
    }
    if terms.grace > 0 {
        text += &format!(" grace {}", u32::from(terms.grace) * GRACE_SECONDS);
    }
    if priority != 0 {
        text += &format!(" priority {priority}");
    }
    text += &terms.cost.map(|cost| format!(" cost {cost}")).unwrap_or_default();
    let (upkeep, upgrade);
    let base = pick(["l0", "l1", "g9"], terms.parent.unwrap_or_default());
    let kind = match terms.kind {
        0..5 => "",
        5 => {
            upkeep = format!(" maintenance base {base}");
            &upkeep
        }
        6 => {
            upgrade = format!(" upgrade base {base}");
            &upgrade
        }
        7 | 8 => " trial",
        9 => " beta",
        10 => " pilot",
        11 => " freemium",
        _ => " benchmark",
    };
    if let Some(parent) = terms.parent {
        text += &format!(" parent {}", pick(["l0", "l1", "g9"], parent));
    }
    text += &given("territory", TERRITORIES, terms.territory);
    text + kind
}

fn credit_terms(terms: &CreditTerms) -> String {
    let CreditTerms { priority, every, carry, carry_overage, voided } = *terms;
    let mut text = given("every", UNITS, every);
    if priority > 0 {
        text += &format!(" priority {priority}");
    }
    if carry != (0, 0) {
        text += &format!(" carry {} {}", carry.0, carry.1);
    }
    if carry_overage {
        text += " carry_overage";
    }
    text + &voided.map(|at| format!(" void {}", instant(at))).unwrap_or_default()
}

fn credits() -> BoxedStrategy<Deed> {
    let carry = prop_oneof![2 => Just((0_u8, 0_u8)), 2 => (0..3_u8, 0..4_u8)];
    let terms =
        (0..3_u8, prop::option::of(0..4_u8), carry, prop::bool::weighted(0.3), rarely(slot()));
    let terms = terms.prop_map(|(priority, every, carry, carry_overage, voided)| CreditTerms {
        priority,
        every,
        carry,
        carry_overage,
        voided,
    });
    let credit = (0..4_u8, 0..6_u8, rarely(0..4_u8), ends(), terms);
    let credit = credit.prop_map(|(product, amount, account, ends, terms)| Deed::Credit {
        product,
        amount,
        account,
        ends,
        terms,
    });
    credit.boxed()
}

fn prices() -> BoxedStrategy<Deed> {
    let terms = (0..4_u8, prop_oneof![2 => Just(0_u8), 1 => 1..4_u8], 0..4_u8, prop::bool::ANY);
    let prices = (0..4_u8, 0..4_u8, rarely(0..4_u8), ends(), terms);
    let prices = prices.prop_map(|(product, model, account, ends, terms)| Deed::Prices {
        product,
        model,
        account,
        ends,
        terms,
    });
    prices.boxed()
}

fn ends() -> impl Strategy<Value = Ends> {
    let end = || prop::option::weighted(0.6, slot());
    (end(), end()).prop_map(|(one, other)| match (one, other) {
        (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
        _ => (one, other),
    })
}

fn holders() -> impl Strategy<Value = Holder> {
    (0..4_u8, 0..3_u8, 0..3_u8, prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)])
}

fn rarely<S: Strategy<Value = u8>>(one: S) -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.3, one)
}

fn terms() -> impl Strategy<Value = Terms> {
    let first = (
        prop_oneof![6 => Just(0_u8), 2 => Just(1_u8), 2 => Just(2_u8), 1 => Just(3_u8)],
        ends(),
        prop::option::weighted(0.5, 0..4_u8),
        rarely(0..2_u8),
        prop_oneof![4 => Just(0_u8), 2 => Just(1_u8), 1 => Just(2_u8)],
        prop_oneof![1 => Just(0_u8), 4 => Just(1_u8), 1 => Just(2_u8), 1 => Just(3_u8)],
    );
    let second = (
        prop_oneof![3 => Just(0_u8), 1 => 1..3_u8],
        prop_oneof![3 => Just(0_i8), 1 => -1..2_i8],
        rarely(1..9_u8),
        rarely(0..5_u8),
        0..13_u8,
    );
    let third = (
        prop_oneof![3 => Just(0_u8), 1 => 1..3_u8],
        prop_oneof![3 => Just(0_u8), 1 => 1..5_u8],
        prop::option::weighted(0.2, 0..3_u8),
        prop::option::weighted(0.2, 0..4_u8),
    );
    (first, second, third).prop_map(|(first, second, (margin, grace, parent, territory))| {
        let (metric, ends, account, server, basis, per) = first;
        let (overdraft, priority, cost, mask, kind) = second;
        Terms {
            metric,
            ends,
            account,
            server,
            basis,
            per,
            overdraft,
            priority,
            cost,
            mask,
            kind,
            margin,
            grace,
            parent,
            territory,
        }
    })
}

fn lines() -> BoxedStrategy<Deed> {
    let grant = prop_oneof![
        8 => (-1..5_i8).prop_map(Grant::Units),
        1 => Just(Grant::Unlimited),
        1 => Just(Grant::Unknown),
    ];
    let line = (0..4_u8, grant, terms());
    line.prop_map(|(product, grant, terms)| Deed::Line { product, grant, terms }).boxed()
}

/// Something that a telemetry source says.
fn event() -> BoxedStrategy<Deed> {
    let count = || prop_oneof![3 => Just(1_u8), 1 => 2..4_u8];
    let checkout = (holders(), count(), ends(), rarely(0..2_u8), rarely(0..2_u8));
    let checkout = checkout.prop_map(|(holder, count, ends, display, handle)| Deed::Checkout {
        holder,
        count,
        from: ends.0.unwrap_or(0),
        to: ends.1,
        display,
        handle,
    });
    let log = (0..6_u8, holders(), count(), slot(), 0..3_u8);
    let log =
        log.prop_map(|(verb, holder, count, at, rank)| Deed::Log { verb, holder, count, at, rank });
    let server = (prop::bool::ANY, 0..2_u8, slot()).prop_map(|(start, server, at)| Deed::Server {
        start,
        server,
        at,
    });
    let usage = (
        (0..4_u8, prop_oneof![5 => 0..5_i8, 1 => -3..0_i8], slot()),
        (rarely(0..3_u8), rarely(0..3_u8), rarely(0..4_u8)),
        prop_oneof![2 => Just(0_u8), 1 => 0..12_u8],
    );
    let usage = usage.prop_map(|((product, quantity, at), (user, device, account), delay)| {
        Deed::Usage { product, quantity, user, device, account, at, delay }
    });
    let held = prop::collection::vec((0..3_u8, 1..3_u8), 0..3);
    let report = (0..2_u8, 0..4_u8, slot(), 0..5_u8, held);
    let report = report.prop_map(|(server, feature, at, issued, holders)| Deed::Report {
        server,
        feature,
        at,
        issued,
        holders,
    });
    let role = (0..3_u8, 0..4_u8, slot());
    let role = role.prop_map(|(device, role, at)| Deed::Role { device, role, at });
    prop_oneof![
        2 => role.boxed(),
        10 => checkout.boxed(),
        4 => log.boxed(),
        2 => server.boxed(),
        5 => usage.boxed(),
        2 => report.boxed(),
    ]
    .boxed()
}

/// Something that a list or table says.
fn stated() -> BoxedStrategy<Deed> {
    let seat = (0..4_u8, 0..3_u8, ends(), rarely(0..4_u8), prop::bool::weighted(0.1));
    let seat = seat.prop_map(|(product, user, ends, account, guest)| Deed::Seat {
        product,
        user,
        ends,
        account,
        guest,
    });
    let anchor = prop::option::weighted(0.2, slot());
    let account = (0..4_u8, prop::option::weighted(0.7, 0..4_u8), ends(), rarely(0..3_u8), anchor);
    let account = account.prop_map(|(account, parent, ends, zone, anchor)| Deed::Account {
        account,
        parent,
        ends,
        zone,
        anchor,
    });
    let member = (0..3_u8, 0..3_u8, 0..4_u8, ends());
    let member = member.prop_map(|(kind, member, account, ends)| Deed::Member {
        kind,
        member,
        account,
        ends,
    });
    let alias = (0..4_u8, 0..4_u8, 0..4_u8, ends());
    let alias =
        alias.prop_map(|(kind, raw, canonical, ends)| Deed::Alias { kind, raw, canonical, ends });
    let product = (0..4_u8, prop::option::of(0..2_u8), prop::bool::ANY);
    let product = product.prop_map(|(product, family, publisher)| Deed::Product {
        product,
        family,
        publisher,
    });
    let component =
        (0..3_u8, 0..2_u8).prop_map(|(component, server)| Deed::Component { component, server });
    let place = (prop::bool::ANY, 0..4_u8, 0..3_u8, ends());
    let place =
        place.prop_map(|(device, name, country, ends)| Deed::Place { device, name, country, ends });
    let territory = (0..2_u8, 0..3_u8, ends());
    let territory = territory.prop_map(|(territory, country, ends)| Deed::Territory {
        territory,
        country,
        ends,
    });
    prop_oneof![
        2 => place.boxed(),
        1 => territory.boxed(),
        6 => lines(),
        5 => credits(),
        3 => prices(),
        3 => seat.boxed(),
        4 => account.boxed(),
        3 => member.boxed(),
        3 => alias.boxed(),
        2 => product.boxed(),
        2 => component.boxed(),
    ]
    .boxed()
}

/// Anything that happens in a world.
pub(super) fn deed() -> BoxedStrategy<Deed> {
    let row = (0..2_u8, 1..4_u8, stated()).prop_map(|(document, version, deed)| Deed::Row {
        document,
        version,
        deed: Box::new(deed),
    });
    let version = (0..2_u8, 1..4_u8, prop::option::weighted(0.7, slot()))
        .prop_map(|(document, version, from)| Deed::Version { document, version, from });
    let other = prop_oneof![event(), stated()].prop_map(|deed| Deed::Other(Box::new(deed)));
    let how = prop_oneof![
        2 => Just(Again::Repeat),
        1 => Just(Again::Contradict),
        1 => Just(Again::Revise),
        2 => (0..2_u8).prop_map(Again::Retract),
    ];
    let again = (any::<u8>(), how).prop_map(|(of, how)| Deed::Again { of, how });
    prop_oneof![
        12 => event(),
        10 => stated(),
        9 => meters::told(),
        3 => row.boxed(),
        2 => version.boxed(),
        1 => other.boxed(),
        4 => again.boxed(),
    ]
    .boxed()
}
