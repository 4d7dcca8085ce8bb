//! What must not matter, or matter only in one way: order, batches, what was taken back, how an event is
//! split, what things are called, when all of it happens, and who else is there.
//!
//! Generated worlds, each told twice, in two ways; `PROPTEST_CASES` asks for more of them.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt;
use trueup_model::fact::{Action, Body, FactId};
use trueup_model::hash::mix;
use trueup_model::id::NameKind;
use trueup_model::quantity::Quantity;
use trueup_model::time::{DAY_US, Timestamp};
use trueup_policy::Policy;
use trueup_tests::bench::{Bench, Content, content};
use trueup_tests::said::{Said, Telling};
use trueup_tests::script::Script;
use trueup_tests::world::{World, config, worlds};

fn tellings(script: &str) -> Vec<Telling> {
    let script = Script::read(script);
    script.unwrap_or_else(|error| panic!("{error}")).tellings
}

/// An engine that was told all of it.
fn told(workers: usize, policy: &Policy, tellings: &[Telling]) -> Bench {
    let mut bench = Bench::start(workers, policy);
    for telling in tellings {
        bench.tell(telling);
    }
    bench
}

fn answers(bench: &Bench) -> Content {
    content(&bench.engine.views())
}

/// The same without what was issued of closed periods, which depends on what was known when.
fn timeless(bench: &Bench) -> Content {
    let mut all = answers(bench);
    all.retain(|(output, row), _| *output != "issued" && !row.contains("StatementDrift"));
    all
}

fn facts(tellings: &[Telling]) -> Vec<Said> {
    tellings.iter().flat_map(|telling| telling.facts.iter().cloned()).collect()
}

/// The same facts under other identities.
fn renumbered(facts: Vec<Said>, by: u128) -> Vec<Said> {
    let other = |mut said: Said| {
        said.fact.id = FactId(said.fact.id.0 ^ by);
        said
    };
    facts.into_iter().map(other).collect()
}

/// Text that shows itself.
struct Raw<'t>(&'t str);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The rows that a filter keeps, by name and date.
fn shown(bench: &Bench, keep: impl Fn(&str, &str) -> bool) -> BTreeMap<(String, String), i128> {
    let mut rows = BTreeMap::new();
    for ((output, row), count) in answers(bench) {
        let row = bench.shown(&Raw(&row));
        if keep(output, &row) {
            *rows.entry((output.to_owned(), row)).or_default() += count;
        }
    }
    rows
}

/// What is in one and not as often in the other.
fn differences<K: Ord + fmt::Debug + Clone>(
    expected: &BTreeMap<K, i128>,
    found: &BTreeMap<K, i128>,
) -> String {
    let mut counts: BTreeMap<K, i128> = found.clone();
    for (row, count) in expected {
        *counts.entry(row.clone()).or_default() -= count;
    }
    let wrong = counts.iter().filter(|(_, count)| **count != 0).take(8);
    wrong.map(|(row, count)| format!("{count:+} {row:?}\n")).collect()
}

/// Says the facts in another order and in other epochs, with the horizon moving on in between.
fn shuffled(tellings: &[Telling], seed: u64) -> Vec<Telling> {
    let mut facts: Vec<(u64, Said)> = facts(tellings)
        .into_iter()
        .enumerate()
        .map(|(index, said)| (mix(&[seed, index as u64]), said))
        .collect();
    facts.sort_by_key(|(place, _)| *place);
    let mut horizons: Vec<Timestamp> = tellings.iter().filter_map(|one| one.horizon).collect();
    horizons.sort_unstable();
    let mut epochs = vec![Telling::default()];
    for (place, said) in facts {
        if place % 4 == 0 {
            let horizon = if place % 8 == 0 && !horizons.is_empty() {
                Some(horizons.remove(0))
            } else {
                None
            };
            let last = epochs.len() - 1;
            epochs[last].horizon = horizon;
            epochs.push(Telling::default());
        }
        let last = epochs.len() - 1;
        epochs[last].facts.push(said);
    }
    let last = epochs.len() - 1;
    epochs[last].horizon = horizons.last().copied();
    epochs
}

/// Every quantity in two halves, each an event of its own.
fn split(tellings: &[Telling]) -> Vec<Telling> {
    let halves = |said: &Said| -> Vec<Said> {
        let half = |number: u128, of: &dyn Fn(i64) -> i64| {
            let mut said = renumbered(vec![said.clone()], number).remove(0);
            if let Action::Assert(Body::Usage(event)) = &mut said.fact.action {
                event.quantity = Quantity(of(event.quantity.0));
            }
            said
        };
        let first = half(1, &|all| all.div_euclid(2));
        let second = half(2, &|all| all - all.div_euclid(2));
        match &said.fact.action {
            Action::Assert(Body::Usage(_)) => vec![first, second],
            Action::Assert(_) => vec![said.clone()],
            Action::Retract(_) => vec![said.clone(), first, second],
        }
    };
    let split = |telling: &Telling| Telling {
        facts: telling.facts.iter().flat_map(halves).collect(),
        horizon: telling.horizon,
    };
    tellings.iter().map(split).collect()
}

/// The accounts and people by other names.
fn renamed(tellings: &[Telling]) -> Vec<Telling> {
    let rename = |said: &Said| {
        let fact = said.fact.clone().try_map(&mut |kind, name: String| {
            let renamed = match kind {
                NameKind::Account | NameKind::User => format!("re-{name}"),
                _ => name,
            };
            Ok::<_, std::convert::Infallible>(renamed)
        });
        Said { tenant: said.tenant.clone(), fact: fact.unwrap() }
    };
    let rename = |telling: &Telling| Telling {
        facts: telling.facts.iter().map(rename).collect(),
        horizon: telling.horizon,
    };
    tellings.iter().map(rename).collect()
}

/// Text of a script in which every day is so many days later.
fn later(text: &str, days: i64) -> String {
    let mut shifted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("2025-") {
        let (before, from) = rest.split_at(at);
        let day: Timestamp = format!("{}T00:00:00Z", &from[..10]).parse().unwrap();
        shifted.push_str(before);
        shifted.push_str(&day.plus_us(days * DAY_US).to_string()[..10]);
        rest = &from[10..];
    }
    shifted + rest
}

/// A row in which every instant is so many days later.
fn row_later(row: &str, days: i64) -> String {
    let mut parts = row.split("Timestamp(");
    let mut shifted = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(')').unwrap();
        let at = Timestamp(number.parse().unwrap());
        let moved = if at.is_calendar() { at.plus_us(days * DAY_US) } else { at };
        shifted += &format!("Timestamp({}){rest}", moved.0);
    }
    shifted
}

/// A world without months and zones, in which one day is like another.
fn of_days(world: &World) -> String {
    let mut script = world.script();
    for zone in ["UTC", "America/New_York", "Asia/Tokyo"] {
        script = script.replace(&format!(" zone {zone}"), "");
    }
    let script = script.replace(" per month", " per day").replace(" per quarter", " per day");
    let script =
        script.replace(" every month", " every day").replace(" every quarter", " every day");
    let usual = |line: &str| line.contains("] line ") && !line.contains(" per ");
    let by_day = |line| if usual(line) { format!("{line} per day\n") } else { format!("{line}\n") };
    script.lines().map(by_day).collect()
}

/// Weeks after which dates, days of the week and leap years are the same again: 28 years.
const CALENDAR_REPEATS: i64 = 1461;

/// The policy of worlds without months.
const DAYS: &str = r#"
    position_period = "day"
    further_periods = []
    current_totals = true
    [closing]
    after_seconds = 172800
    [anomalies]
    silence_seconds = 604800
    stuck_after_seconds = 604800
    spike_deviations = 1
    spike_periods = 3
    [[rule]]
    products = ["SIM"]
    metrics = ["named_user", "concurrent"]
    named_users = "active"
"#;

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn order_and_batches_do_not_matter(world in worlds(3, 10), seed in any::<u64>()) {
        let tellings = tellings(&world.script());
        let usual = told(world.workers, &world.policy(), &tellings);
        let other = told(1, &world.policy(), &shuffled(&tellings, seed));
        let found = differences(&timeless(&usual), &timeless(&other));
        prop_assert!(found.is_empty(), "{}", found);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(world in worlds(3, 8), extra in worlds(2, 8)) {
        let mut bench = told(world.workers, &world.policy(), &tellings(&world.script()));
        let before = answers(&bench);
        let mut facts = renumbered(facts(&tellings(&extra.script())), 1 << 64);
        facts.retain(|said| matches!(said.fact.action, Action::Assert(_)));
        bench.tell(&Telling { facts: facts.clone(), horizon: None });
        for said in &mut facts {
            let Action::Assert(body) = &said.fact.action else { continue };
            said.fact.action = Action::Retract(body.kind());
            said.fact.revision = 9;
        }
        bench.tell(&Telling { facts, horizon: None });
        let found = differences(&before, &answers(&bench));
        prop_assert!(found.is_empty(), "{}\n{:?}", found, extra);
    }

    #[test]
    fn an_event_in_two_halves_gives_the_same_volumes(world in worlds(3, 10)) {
        let tellings = tellings(&world.script());
        let volumes = |output: &str, row: &str| match output {
            "positions" | "allocations" => row.contains("Volume"),
            "statements" | "cell quantities" | "volume quantities" | "volume users" => true,
            "volume devices" | "current volume quantities" | "current volume users" => true,
            _ => false,
        };
        let whole = told(world.workers, &world.policy(), &tellings);
        let halves = told(world.workers, &world.policy(), &split(&tellings));
        let found = differences(&shown(&whole, volumes), &shown(&halves, volumes));
        prop_assert!(found.is_empty(), "{}", found);
    }

    #[test]
    fn other_names_give_the_same_figures(world in worlds(3, 10)) {
        // Where two are alike the one whose name comes first decides for which account a level counts;
        // volumes and totals have no such ties.
        let figures = |output: &str, row: &str| match output {
            "positions" => row.contains("Volume"),
            "rollups" | "current rollups" | "sessions" | "attempts" | "waits" | "included" => true,
            "cells" | "cell quantities" | "statements" | "resolutions" => true,
            "volume events" | "volume quantities" | "volume users" | "volume devices" => true,
            "current volume quantities" | "current volume users" => true,
            _ => false,
        };
        let tellings = tellings(&world.script());
        let usual = told(world.workers, &world.policy(), &tellings);
        let other = told(world.workers, &world.policy(), &renamed(&tellings));
        let mut by_name = BTreeMap::new();
        for ((output, row), count) in shown(&other, figures) {
            *by_name.entry((output, row.replace("re-", ""))).or_default() += count;
        }
        let found = differences(&shown(&usual, figures), &by_name);
        prop_assert!(found.is_empty(), "{}", found);
    }

    #[test]
    fn all_of_it_some_weeks_later_gives_the_same_some_weeks_later(
        world in worlds(2, 6),
        weeks in prop_oneof![1..60_i64, Just(CALENDAR_REPEATS)],
    ) {
        let policy = Policy::from_toml(DAYS).unwrap();
        let script = of_days(&world);
        // What a fact says of its arrival is shown as it is, and what is owed depends on where years begin.
        let figures = |bench: &Bench| {
            let mut all = answers(bench);
            all.retain(|(output, _), _| match *output {
                "shown" | "lines" | "rights" => false,
                "true_ups" | "fees" | "bills" => weeks == CALENDAR_REPEATS,
                _ => true,
            });
            all
        };
        let usual = told(world.workers, &policy, &tellings(&script));
        let other = told(world.workers, &policy, &tellings(&later(&script, weeks * 7)));
        let mut expected = BTreeMap::new();
        for ((output, row), count) in figures(&usual) {
            *expected.entry((output, row_later(&row, weeks * 7))).or_default() += count;
        }
        let found = differences(&expected, &figures(&other));
        prop_assert!(found.is_empty(), "{}\n{}", found, script);
    }

    #[test]
    fn another_tenant_adds_its_own_answers_and_changes_no_others(
        world in worlds(3, 8),
        other in worlds(3, 8),
    ) {
        let ours = tellings(&world.script());
        let horizon = ours.iter().filter_map(|telling| telling.horizon).max();
        let mut theirs = renumbered(facts(&tellings(&other.script())), 1 << 64);
        for said in &mut theirs {
            said.tenant = "v".to_owned();
        }
        let theirs = Telling { facts: theirs, horizon };
        let mut together = told(world.workers, &world.policy(), &ours);
        let alone = told(1, &world.policy(), std::slice::from_ref(&theirs));
        // Where time is cut into cells is no figure, and one cut serves all. What the other tenant tells after
        // its periods closed was not issued.
        let figures = |bench: &Bench| {
            let mut all = timeless(bench);
            all.retain(|(output, _), _| !output.starts_with("cell"));
            all
        };
        let mut expected = figures(&together);
        for (row, count) in figures(&alone) {
            *expected.entry(row).or_default() += count;
        }
        together.tell(&theirs);
        let found = differences(&expected, &figures(&together));
        prop_assert!(found.is_empty(), "{}\n{:?}", found, other);
    }
}
