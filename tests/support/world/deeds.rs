//! What can happen in a generated world, as lines of the fixture language.

use super::names::{
    ACCOUNTS, DEVICES, FAMILIES, FEATURES, MASKS, ROLES, SERVERS, SLOTS, TERRITORIES, UNITS, USERS,
    ZONES, between, instant, pick,
};

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
pub(super) type Ends = (Option<u8>, Option<u8>);

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
    pub(super) metric: u8,
    pub(super) ends: Ends,
    pub(super) account: Option<u8>,
    pub(super) server: Option<u8>,
    pub(super) basis: u8,
    pub(super) per: u8,
    pub(super) overdraft: u8,
    pub(super) priority: i8,
    pub(super) cost: Option<u8>,
    pub(super) mask: Option<u8>,
    pub(super) kind: u8,
    pub(super) margin: u8,
    pub(super) grace: u8,
    pub(super) parent: Option<u8>,
    pub(super) territory: Option<u8>,
    pub(super) restricted: bool,
}

/// What a grant says besides what it grants.
#[derive(Clone, Copy, Debug)]
pub(super) struct CreditTerms {
    pub(super) priority: u8,
    pub(super) every: Option<u8>,
    pub(super) carry: (u8, u8),
    pub(super) carry_overage: bool,
    pub(super) voided: Option<u8>,
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
    Seat { product: u8, user: u8, ends: Ends, account: Option<u8>, guest: bool, active: Option<u8> },
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
            Self::Seat { product, user, ends, account, guest, active } => format!(
                "seat {} {}{}{}{}{}",
                pick(FEATURES, *product),
                pick(USERS, *user),
                between(ends.0, ends.1),
                given("for", ACCOUNTS, *account),
                if *guest { " guest" } else { "" },
                active.map(|at| format!(" active {}", instant(at))).unwrap_or_default(),
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
    let mut transfer = String::new();
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
        12 | 13 => {
            transfer = format!(" transfer base {base}");
            &transfer
        }
        7 | 8 => " trial",
        9 => " beta",
        10 => " pilot",
        11 => " freemium",
        _ => " benchmark",
    };
    if let Some(parent) = terms.parent.filter(|_| transfer.is_empty()) {
        text += &format!(" parent {}", pick(["l0", "l1", "g9"], parent));
    }
    text += &given("territory", TERRITORIES, terms.territory);
    text += if terms.restricted { " restricted" } else { "" };
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
