//! An engine on a bench: told facts epoch by epoch, and compared with the oracle.

use crate::oracle::{Expected, History, Input, expected};
use crate::said::{Said, Telling};
use crate::show;
use crossbeam_channel::Receiver;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use trueup_model::fact::Fact;
use trueup_model::id::{Id, NameError, NameKind, ProductId, TenantId};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;
use trueup_operators::totals::Total;
use trueup_policy::Policy;
use trueup_policy::rules::ProductSettings;
use trueup_runtime::changes::Changes;
use trueup_runtime::clock::{ManualClock, SystemClock};
use trueup_runtime::cluster::work;
use trueup_runtime::engine::Engine;
use trueup_runtime::mesh::{Member, Mesh, rules_of};
use trueup_runtime::publisher::Published;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_runtime::view::{LevelsAt, Node, Table, Views};

/// How far ahead of its arrival an event may lie on the bench; worlds stay within it.
const FUTURE_TOLERANCE_US: i64 = 3600 * 1_000_000;
/// The most differing rows of one output that are shown.
const SHOWN_MAX: usize = 12;
/// How long processes wait for each other.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most epochs that wait to be read by the bench.
const EPOCHS_MAX: usize = 1024;

/// A running engine and everything that it was told.
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// The differences of each epoch, as a subscriber gets them.
    published: Receiver<Published>,
    policy: Policy,
    told: Vec<(TenantId, Fact<Id>)>,
    settings: BTreeMap<ProductId, ProductSettings>,
    unresolved: BTreeSet<(NameKind, Id)>,
    horizon: Timestamp,
    tenants: Vec<TenantId>,
    /// What positions said when their periods closed, up to the epoch that was compared last.
    history: RefCell<History>,
}

impl Bench {
    /// Starts an engine that knows nothing.
    ///
    /// # Panics
    /// If the engine does not start.
    pub fn start(workers: usize, policy: &Policy) -> Self {
        Self::start_in(None, workers, policy)
    }

    /// The same over several processes, which here are threads that share nothing but sockets.
    ///
    /// # Panics
    /// If the processes do not find each other.
    pub fn start_over(processes: usize, workers: usize, policy: &Policy) -> Self {
        let doors = || TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let doors: Vec<TcpListener> = (0..processes).map(|_| doors()).collect();
        let address = |door: &TcpListener| door.local_addr().expect("it listens").to_string();
        let hosts: Vec<String> = doors.iter().map(address).collect();
        drop(doors);
        let member = |process| Member {
            process,
            hosts: hosts.clone(),
            workers,
            secret: b"of this test".to_vec(),
            build: [0; 32],
            rules: rules_of(policy),
            certificates: None,
            patience: PATIENCE,
        };
        for process in 1..processes {
            let (member, policy) = (member(process), policy.clone());
            std::thread::spawn(move || {
                let mesh = member.join(&SystemClock::default()).expect("all are there");
                work(&policy, mesh).expect("there are threads");
            });
        }
        let mesh = member(0).join(&SystemClock::default()).expect("all are there");
        Self::start_in(Some(mesh), workers, policy)
    }

    fn start_in(mesh: Option<Mesh>, workers: usize, policy: &Policy) -> Self {
        let settings = Settings {
            workers,
            policy: policy.clone(),
            horizon: Horizon::Fixed(Timestamp::MIN),
            future_tolerance_us: FUTURE_TOLERANCE_US,
            ..Settings::default()
        };
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let engine = Engine::start_in(mesh, settings, clock).expect("the settings are allowed");
        let published = engine.subscribe(EPOCHS_MAX);
        Self {
            engine,
            published,
            policy: policy.clone(),
            told: Vec::new(),
            settings: BTreeMap::new(),
            unresolved: BTreeSet::new(),
            horizon: Timestamp::MIN,
            tenants: Vec::new(),
            history: RefCell::default(),
        }
    }

    /// Tells the engine what an epoch brings, and waits until it is published.
    ///
    /// # Panics
    /// If the engine stopped or names collide.
    pub fn tell(&mut self, telling: &Telling) {
        let facts: Vec<_> = telling.facts.iter().map(|said| self.named(said)).collect();
        self.told.extend(facts.iter().cloned());
        self.engine.submit(facts).expect("the engine runs");
        self.engine.settle(telling.horizon).expect("the engine runs");
        self.horizon = self.horizon.max(telling.horizon.unwrap_or(Timestamp::MIN));
    }

    /// What the next epoch changed, with its totals, which are published by themselves.
    ///
    /// # Panics
    /// If the engine stopped.
    pub fn next_changes(&self) -> Changes {
        let next = || self.published.recv().expect("each epoch is published, and its totals are");
        let (answers, ticked) = (next(), next());
        assert!(!answers.totals && ticked.totals, "totals come after the rest of their epoch");
        assert_eq!(answers.epoch, ticked.epoch);
        let Changes { peaks, peaks_current, sums, sums_current, .. } = (*ticked.changes).clone();
        Changes { peaks, peaks_current, sums, sums_current, ..(*answers.changes).clone() }
    }

    /// The fact in the engine's identifiers; notes what its names bring with them.
    fn named(&mut self, said: &Said) -> (TenantId, Fact<Id>) {
        let tenant = said.tenant_id();
        if !self.tenants.contains(&tenant) {
            self.tenants.push(tenant);
        }
        let intake = self.engine.intake();
        let rules = &self.policy.identity;
        let named = said.fact.clone().try_map(&mut |kind, text: String| {
            let id = intake.define(kind, tenant, &text)?;
            if kind == NameKind::Product {
                let settings = self.policy.product(&text);
                self.settings.entry(ProductId::from(id)).or_insert(settings);
            }
            if !rules.normalize(kind, &text).resolved {
                self.unresolved.insert((kind, id));
            }
            Ok::<Id, NameError>(id)
        });
        let fact = named.expect("the names of a test do not collide");
        (tenant, intake.checked(tenant, fact))
    }

    /// What the engine must answer.
    fn expected(&self) -> Expected {
        expected(Input {
            facts: &self.told,
            policy: &self.policy,
            settings: &self.settings,
            unresolved: &self.unresolved,
            horizon: self.horizon,
            history: &self.history.borrow(),
        })
    }

    /// A row in names and dates.
    pub fn shown(&self, row: &impl Debug) -> String {
        show::row(&self.engine.names(), &self.tenants, row)
    }

    /// The name of an identifier.
    pub fn name(&self, id: impl Into<Id>) -> String {
        let id = id.into();
        let name = show::name(&self.engine.names(), &self.tenants, id.0);
        name.unwrap_or_else(|| id.to_string())
    }

    /// Where the engine's answers differ from the oracle's; empty if they agree. To be asked in each epoch.
    pub fn differences(&self) -> String {
        let mut expected = self.expected();
        self.history.replace(std::mem::take(&mut expected.history));
        let views = self.engine.views();
        let mut found = Differences { bench: self, text: String::new() };
        found.rows("positions", expected.positions, views.positions.values().copied());
        found.table("allocations", expected.allocations, &views.allocations);
        found.rows("rollups", expected.rollups, views.rollups.iter());
        found.rows("current rollups", expected.rollups_current, views.rollups_current.iter());
        found.table("discrepancies", expected.discrepancies, &views.discrepancies);
        found.table("statements", expected.statements, &views.statements);
        found.table("adjustments", expected.adjustments, &views.adjustments);
        found.rows("issued", expected.issued, views.issued.values().copied());
        found.table("credits", expected.credits, &views.credits);
        found.table("overages", expected.overages, &views.overages);
        found.table("charges", expected.charges, &views.charges);
        found.table("allocated", expected.allocated, &views.allocated);
        found.table("true_ups", expected.true_ups, &views.true_ups);
        found.table("fees", expected.fees, &views.fees);
        found.table("bills", expected.bills, &views.bills);
        found.table("sessions", expected.sessions, &views.sessions);
        found.table("attempts", expected.attempts, &views.attempts);
        found.table("waits", expected.waits, &views.waits);
        found.table("included", expected.included, &views.included);
        found.table("pools", expected.pools, &views.pools);
        found.table("counts", expected.counts, &views.counts);
        found.table("lines", expected.lines, &views.lines);
        found.table("rights", expected.rights, &views.rights);
        found.table("resolutions", expected.resolutions, &views.resolutions);
        found.table("shown", expected.shown, &views.shown);
        found.table("repeated", expected.repeated, &views.repeated);
        found.table("accounts", expected.accounts, &views.accounts);
        found.levels(&expected.levels, &views);
        found.text
    }
}

/// Gathers what differs.
struct Differences<'b> {
    bench: &'b Bench,
    text: String,
}

impl Differences<'_> {
    fn table<R: Ord + Clone + Debug>(&mut self, what: &str, expected: Vec<R>, found: &Table<R>) {
        for row in found.negative() {
            self.note(what, "less than once", row);
        }
        self.rows(what, expected, found.iter().cloned());
    }

    fn rows<R: Ord + Clone + Debug>(
        &mut self,
        what: &str,
        expected: Vec<R>,
        found: impl Iterator<Item = R>,
    ) {
        let mut counts: BTreeMap<R, i64> = BTreeMap::new();
        for row in expected {
            *counts.entry(row).or_default() += 1;
        }
        for row in found {
            *counts.entry(row).or_default() -= 1;
        }
        counts.retain(|_, count| *count != 0);
        for (row, count) in counts.iter().take(SHOWN_MAX) {
            let verdict = if *count > 0 { "missing" } else { "wrong" };
            self.note(what, &format!("{verdict} {}", count.abs()), row);
        }
    }

    /// Compares levels at every instant at which either side changes, and just before it.
    fn levels(
        &mut self,
        expected: &BTreeMap<Node, Vec<(trueup_model::time::Span, LevelsAt)>>,
        views: &Views,
    ) {
        let nothing = LevelsAt {
            demand: Quantity::ZERO,
            entitled: Capacity::Limited(Quantity::ZERO),
            overdraft: Quantity::ZERO,
        };
        let nodes: BTreeSet<Node> = expected.keys().chain(views.steps.keys()).copied().collect();
        for node in nodes {
            let pieces = expected.get(&node).map(Vec::as_slice).unwrap_or_default();
            let mut instants: BTreeSet<Timestamp> =
                pieces.iter().map(|(span, _)| span.start).collect();
            instants.extend(views.steps.get(&node).into_iter().flat_map(|steps| steps.keys()));
            let before: Vec<Timestamp> =
                instants.iter().map(|at| Timestamp(at.0.saturating_sub(1))).collect();
            instants.extend(before);
            for at in instants {
                let must = pieces.iter().find(|(span, _)| span.contains(at));
                let must = must.map_or(nothing, |(_, levels)| *levels);
                let is = views.levels_at(&node, at);
                if must != is {
                    self.note("levels", "differ", &(node, at, must, is));
                    break;
                }
            }
        }
    }

    fn note(&mut self, what: &str, verdict: &str, row: &impl Debug) {
        let row = self.bench.shown(row);
        self.text.push_str(&format!("{what}: {verdict}: {row}\n"));
    }
}

/// The rows of every output as text, with how often each is there.
pub type Content = BTreeMap<(&'static str, String), i128>;

/// Everything that views hold.
pub fn content(views: &Views) -> Content {
    let mut content = Content::new();
    let steps = views.steps.values().flat_map(BTreeMap::values);
    add(&mut content, "positions", views.positions.values().map(|row| (row, 1)));
    add(&mut content, "issued", views.issued.values().map(|row| (row, 1)));
    add(&mut content, "steps", steps.map(|row| (row, 1)));
    add(&mut content, "cells", views.cells.iter().map(|(cell, tally)| (cell, tally.events)));
    let quantities = views.cells.iter().map(|(cell, tally)| (cell, tally.quantity));
    add(&mut content, "cell quantities", quantities);
    table(&mut content, "allocations", &views.allocations);
    add(&mut content, "rollups", views.rollups.peaks().map(|row| (row, 1)));
    add(&mut content, "current rollups", views.rollups_current.peaks().map(|row| (row, 1)));
    for (names, rollups) in [(VOLUMES, &views.rollups), (CURRENT_VOLUMES, &views.rollups_current)] {
        for (key, total) in rollups.sums() {
            let rows = names.into_iter().zip(parts(total));
            rows.for_each(|(what, part)| add(&mut content, what, std::iter::once((key, part))));
        }
    }
    table(&mut content, "discrepancies", &views.discrepancies);
    table(&mut content, "statements", &views.statements);
    table(&mut content, "adjustments", &views.adjustments);
    table(&mut content, "credits", &views.credits);
    table(&mut content, "overages", &views.overages);
    table(&mut content, "charges", &views.charges);
    table(&mut content, "allocated", &views.allocated);
    table(&mut content, "true_ups", &views.true_ups);
    table(&mut content, "fees", &views.fees);
    table(&mut content, "bills", &views.bills);
    table(&mut content, "sessions", &views.sessions);
    table(&mut content, "uses", &views.uses);
    table(&mut content, "included", &views.included);
    table(&mut content, "attempts", &views.attempts);
    table(&mut content, "waits", &views.waits);
    table(&mut content, "pools", &views.pools);
    table(&mut content, "counts", &views.counts);
    table(&mut content, "lines", &views.lines);
    table(&mut content, "rights", &views.rights);
    table(&mut content, "resolutions", &views.resolutions);
    table(&mut content, "shown", &views.shown);
    table(&mut content, "repeated", &views.repeated);
    table(&mut content, "accounts", &views.accounts);
    content
}

/// What totals of volumes are made of.
const VOLUMES: [&str; 4] = ["volume events", "volume quantities", "volume users", "volume devices"];
/// The same by the tree of the horizon.
const CURRENT_VOLUMES: [&str; 4] = [
    "current volume events",
    "current volume quantities",
    "current volume users",
    "current volume devices",
];

fn parts(total: &Total) -> [i128; 4] {
    let Total { tally, users, devices } = *total;
    [tally.events, tally.quantity, users.into(), devices.into()]
}

/// Adds the differences of a published epoch.
pub fn apply(content: &mut Content, changes: &Changes) {
    let rows = |row: (&'static str, String), count: i128, content: &mut Content| {
        let sum = content.entry(row).or_default();
        *sum += count;
    };
    macro_rules! outputs {
        ($($name:ident $what:literal),* $(,)?) => {$(
            for (row, diff) in &changes.$name {
                rows(($what, format!("{row:?}")), *diff as i128, content);
            }
        )*};
    }
    outputs! {
        positions "positions", allocations "allocations", steps "steps", peaks "rollups",
        peaks_current "current rollups",
        discrepancies "discrepancies", statements "statements", adjustments "adjustments",
        issued "issued",
        credits "credits", overages "overages", charges "charges", true_ups "true_ups",
        fees "fees", bills "bills",
        allocated "allocated",
        sessions "sessions", uses "uses", included "included", attempts "attempts",
        waits "waits", pools "pools", counts "counts", lines "lines", rights "rights",
        resolutions "resolutions", shown "shown", repeated "repeated", accounts "accounts",
    }
    for (cell, tally) in changes.cells.iter() {
        rows(("cells", format!("{cell:?}")), tally.events, content);
        rows(("cell quantities", format!("{cell:?}")), tally.quantity, content);
    }
    for (names, sums) in [(VOLUMES, &changes.sums), (CURRENT_VOLUMES, &changes.sums_current)] {
        for (key, total) in sums.iter() {
            let all = names.into_iter().zip(parts(total));
            all.for_each(|(what, part)| rows((what, format!("{key:?}")), part, content));
        }
    }
    content.retain(|_, count| *count != 0);
}

fn table<R: Ord + Clone + Debug>(content: &mut Content, what: &'static str, rows: &Table<R>) {
    add(content, what, rows.counted().map(|(row, count)| (row, count as i128)));
}

fn add<R: Debug>(content: &mut Content, what: &'static str, rows: impl Iterator<Item = (R, i128)>) {
    content.extend(rows.filter(|(_, n)| *n != 0).map(|(row, n)| ((what, format!("{row:?}")), n)));
}
