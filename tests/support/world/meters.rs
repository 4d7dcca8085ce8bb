//! What generated worlds say beside checkouts and seats: signs of life, loans, levels, inventories,
//! factor tables, and lines under the metrics that these feed.

use super::allocations;
use super::deeds::Deed;
use super::names::{
    ACCOUNTS, DEVICES, FEATURES, SERVERS, SLOTS, UNITS, USERS, between, instant, pick, slot,
};
use proptest::prelude::*;

/// Physical machines; the first one is a workstation as well.
const HOSTS: [&str; 3] = ["ws1", "esx1", "esx2"];
const CLUSTERS: [&str; 2] = ["c1", "c2"];
const MODELS: [&str; 2] = ["xeon", "epyc"];
const METRICS: [&str; 9] = [
    "token",
    "core",
    "processor_value",
    "resource_value",
    "level",
    "device",
    "unique",
    "maximum",
    "latest",
];

/// Anything that is told as a line of its own.
pub(super) fn told() -> BoxedStrategy<Deed> {
    prop_oneof![
        2 => sign_of_life(),
        1 => loan(),
        4 => level(),
        3 => machine(),
        4 => install(),
        3 => factor(),
        3 => suite_rule(),
        3 => downgrade(),
        3 => line(),
        3 => in_a_snapshot(),
        2 => fee(),
        1 => bill(),
        4 => allocations::allocation(),
    ]
    .boxed()
}

fn deed(said: String, other: String) -> Deed {
    Deed::Told { said, other }
}

fn ends() -> impl Strategy<Value = (Option<u8>, Option<u8>)> {
    let from = prop::option::weighted(0.5, 0..20_u8);
    let to = prop::option::weighted(0.3, 12..SLOTS);
    (from, to)
}

/// Feature, user, device and server of a checkout.
fn holder() -> impl Strategy<Value = (String, String)> {
    (0..4_u8, 0..3_u8, 0..2_u8, 0..2_u8).prop_map(|(feature, user, device, server)| {
        let (feature, user) = (pick(FEATURES, feature), pick(USERS, user));
        let who = format!("{feature} {user}@{}", pick(DEVICES, device));
        (who, format!("on {}", pick(SERVERS, server)))
    })
}

fn sign_of_life() -> BoxedStrategy<Deed> {
    let beat = |((who, server), at): ((String, String), u8)| {
        let said = format!("{} beat {who} {server}", instant(at));
        let other = format!("{} beat {who} {server}", instant(at + 1));
        deed(said, other)
    };
    (holder(), slot()).prop_map(beat).boxed()
}

fn loan() -> BoxedStrategy<Deed> {
    let loan = |((who, server), at, long): ((String, String), u8, u8)| {
        let out = |until: u8| {
            format!("{} out {who} {server} until {}", instant(at), instant(at.max(until)))
        };
        deed(out(at + long), out(at + long + 1))
    };
    (holder(), 0..24_u8, 0..9_u8).prop_map(loan).boxed()
}

fn level() -> BoxedStrategy<Deed> {
    let by = prop::option::weighted(0.5, 0..3_u8);
    let account = prop::option::weighted(0.4, 0..4_u8);
    let level = (0..3_u8, 0..4_u8, 0..6_u8, by, account, slot());
    let told =
        |(verb, product, quantity, by, account, at): (u8, u8, u8, Option<u8>, Option<u8>, u8)| {
            let verb = pick(["set", "enter", "leave"], verb);
            let by = by.map(|user| format!(" by {}", pick(USERS, user))).unwrap_or_default();
            let account =
                account.map(|at| format!(" for {}", pick(ACCOUNTS, at))).unwrap_or_default();
            let say = |quantity: u8| {
                let quantity =
                    if verb == "set" { format!(" {quantity}.25") } else { String::new() };
                format!("{} {verb} {}{quantity}{by}{account}", instant(at), pick(FEATURES, product))
            };
            deed(say(quantity), say(quantity + 1))
        };
    level.prop_map(told).boxed()
}

/// Whether it is physical, and on which device, host and cluster.
type Place = (u8, u8, Option<u8>, Option<u8>);
/// Processors, cores, virtual cores and cap.
type Size = (u8, u8, u8, Option<u8>);
/// Model, partition and ends.
type Rest = (Option<u8>, u8, (Option<u8>, Option<u8>));

fn machine() -> BoxedStrategy<Deed> {
    let place = (0..2_u8, 0..3_u8, prop::option::of(0..3_u8), prop::option::of(0..2_u8));
    let size = (1..3_u8, 1..20_u8, 0..9_u8, prop::option::weighted(0.3, 1..6_u8));
    let rest = (prop::option::of(0..2_u8), 0..3_u8, ends());
    let told = |(place, size, rest): (Place, Size, Rest)| {
        let (physical, device, host, cluster) = place;
        let (processors, cores, virtual_cores, cap) = size;
        let (model, partition, ends) = rest;
        let cluster = cluster.map(|one| format!(" cluster {}", pick(CLUSTERS, one)));
        let model = model.map(|one| format!(" model {}", pick(MODELS, one)));
        let common = cluster.unwrap_or_default() + &model.unwrap_or_default();
        let partition = pick(["", " hard", " soft"], partition);
        let span = between(ends.0, ends.1);
        let say = |cores: u8| match physical {
            0 => {
                let host = pick(HOSTS, device);
                format!("machine {host} processors {processors} cores {cores}{common}{span}")
            }
            _ => {
                let host = host.map(|one| format!(" on {}", pick(HOSTS, one))).unwrap_or_default();
                let cap = cap.map(|cap| format!(" cap {cap}")).unwrap_or_default();
                format!(
                    "machine {} threads {cores} vcores {virtual_cores}{cap}{host}{common}{partition}{span}",
                    pick(DEVICES, device)
                )
            }
        };
        deed(say(cores), say(cores + 3))
    };
    (place, size, rest).prop_map(told).boxed()
}

fn install() -> BoxedStrategy<Deed> {
    let told =
        |(product, device, user, account, (from, to)): (u8, u8, Option<u8>, Option<u8>, _)| {
            let device = pick(["ws1", "ws2", "10.0.0.7", "esx1"], device);
            let user = user.map(|user| format!(" by {}", pick(USERS, user))).unwrap_or_default();
            let account =
                account.map(|at| format!(" for {}", pick(ACCOUNTS, at))).unwrap_or_default();
            let say = |span: String| {
                format!("install {} {device}{span}{user}{account}", pick(FEATURES, product))
            };
            deed(say(between(from, to)), say(between(Some(6), to)))
        };
    let by = prop::option::weighted(0.3, 0..3_u8);
    let account = prop::option::weighted(0.3, 0..4_u8);
    (0..4_u8, 0..4_u8, by, account, ends()).prop_map(told).boxed()
}

fn factor() -> BoxedStrategy<Deed> {
    let told = |(kind, one, other, value, per, (from, to)): (u8, u8, u8, u8, u8, _)| {
        let span = between(from, to);
        let say = |value: u8| match kind {
            0 => format!("factor core {} 0.{value}{span}", pick(["xeon", "epyc", "any"], one)),
            1 => format!("factor value {} {value}0{span}", pick(["xeon", "epyc", "any"], one)),
            2 | 3 => {
                let (part, pool) = (pick(FEATURES, one), pick(["SIM", "POOL"], other));
                format!("weight {part} = {pool} {value} per {per}{span}")
            }
            _ => {
                let up_to = pick([" up_to 1", " up_to 3", " up_to 6", ""], other);
                format!("band {}{up_to} {value} per {per}{span}", pick(FEATURES, one))
            }
        };
        deed(say(value), say(value + 1))
    };
    (0..5_u8, 0..4_u8, 0..4_u8, 1..8_u8, 1..4_u8, ends()).prop_map(told).boxed()
}

fn suite_rule() -> BoxedStrategy<Deed> {
    let told = |(component, mandatory, percent, (from, to)): (u8, bool, u8, _)| {
        let mandatory = if mandatory { " mandatory" } else { "" };
        let span = between(from, to);
        let say = |percent: &str| {
            format!("suite_rule SUITE has {}{mandatory} {percent}{span}", pick(FEATURES, component))
        };
        deed(say(pick(["50", "75", "100"], percent)), say("60"))
    };
    (0..3_u8, prop::bool::weighted(0.3), 0..3_u8, ends()).prop_map(told).boxed()
}

fn downgrade() -> BoxedStrategy<Deed> {
    let told = |(higher, below, (from, to)): (u8, u8, _)| {
        let products = ["APP", "CAD", "SIM", "SUITE", "POOL"];
        let say = |lower: u8, span: String| {
            format!("downgrade {} to {}{span}", pick(products, higher), pick(products, lower))
        };
        let lower = higher + below;
        deed(say(lower, between(from, to)), say(lower + 1, between(Some(5), to)))
    };
    // Mostly down one list, so that ways are long; now and then up, so that some are circles.
    (0..5_u8, prop_oneof![4 => Just(1_u8), 2 => Just(2_u8), 1 => 3..6_u8], ends())
        .prop_map(told)
        .boxed()
}

fn line() -> BoxedStrategy<Deed> {
    let told = |(metric, product, units, account, (from, to), name): (
        u8,
        u8,
        u8,
        Option<u8>,
        _,
        u8,
    )| {
        let product = pick(["APP", "CAD", "SIM", "SUITE", "POOL"], product);
        let account = account.map(|at| format!(" account {}", pick(ACCOUNTS, at)));
        let terms = account.unwrap_or_default() + &between(from, to);
        let metric = pick(METRICS, metric);
        let only = if name % 2 == 0 { " restricted" } else { "" };
        let say = |units: u8| {
            format!(
                "line {product} {units} name m{name} metric {metric} basis contract{terms}{only}"
            )
        };
        deed(say(units), say(units + 2))
    };
    let account = prop::option::weighted(0.4, 0..4_u8);
    (0..9_u8, 0..5_u8, 0..9_u8, account, ends(), 0..4_u8).prop_map(told).boxed()
}

/// What a line costs.
fn fee() -> BoxedStrategy<Deed> {
    const LINES: [&str; 6] = ["l0", "l1", "m0", "m1", "m2", "g9"];
    const COUNTS: [&str; 4] = ["actual_in_period", "actual_365", "months_12", "seconds"];
    type Terms = (u8, bool, Option<u8>, Option<u8>, bool);
    let told = |(line, per, (count, each, trial, base, raised), (from, to)): (u8, u8, Terms, _)| {
        let trial = trial.map(|days| format!(" trial {days}")).unwrap_or_default();
        let base = base.map(|at| format!(" base {}", pick(LINES, at))).unwrap_or_default();
        let raised = if raised { " uplift 1.1" } else { "" };
        let each = if each { " each" } else { "" };
        let (line, per) = (pick(LINES, line), pick(UNITS, per));
        let count = pick(COUNTS, count);
        let ends = between(from, to);
        let say = |amount: &str| {
            format!("fee {line} {amount} per {per} count {count}{each}{trial}{base}{raised}{ends}")
        };
        deed(say("100"), say("59.99"))
    };
    let rarely = |values| prop::option::weighted(0.3, values);
    let terms = (0..4_u8, any::<bool>(), rarely(1..40_u8), rarely(0..6_u8), any::<bool>());
    (0..6_u8, 0..4_u8, terms, ends()).prop_map(told).boxed()
}

/// What was billed.
fn bill() -> BoxedStrategy<Deed> {
    let told = |(product, units, account, at): (u8, i8, Option<u8>, u8)| {
        let product = pick(FEATURES, product);
        let account = account.map(|at| format!(" for {}", pick(ACCOUNTS, at)));
        let (account, at) = (account.unwrap_or_default(), instant(at));
        let say = |units: i8| format!("{at} bill {product} {units}{account}");
        deed(say(units), say(units + 1))
    };
    let account = prop::option::weighted(0.4, 0..4_u8);
    (0..4_u8, -2..5_i8, account, slot()).prop_map(told).boxed()
}

/// A row of an inventory that is dated, and so grows old.
fn in_a_snapshot() -> BoxedStrategy<Deed> {
    let row = (0..2_u8, 1..4_u8, prop_oneof![install(), machine()]);
    let row = row.prop_map(|(document, version, deed)| Deed::Row {
        document,
        version,
        deed: Box::new(deed),
    });
    row.boxed()
}
