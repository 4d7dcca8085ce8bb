//! Pairing against a plain pass over the lines in order, after every change.

use super::{Heard, Line, Outcome, State};
use crate::Diff;
use crate::sessions::pairing::Place;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::{Id, ServerId, TenantId};
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{ServerEventKind, SessionEvent, SessionKind, SessionReason};

const WINDOW: i64 = 60 * SECOND_US;

fn line(fact: u128, second: i64, rank: u32, kind: SessionKind, count: u32) -> Line {
    Line {
        tenant: TenantId(1),
        fact: FactId(fact),
        provenance: Provenance { document: Id(9), position: 1 },
        event: SessionEvent {
            at: Timestamp(second * SECOND_US),
            rank,
            kind,
            reason: SessionReason::None,
            server: Id(10),
            product: Id(20),
            user: Id(30),
            device: Id(40),
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: None,
            count,
            until: None,
        },
    }
}

fn started(second: i64) -> Heard {
    life(second, ServerEventKind::Started)
}

fn life(second: i64, kind: ServerEventKind) -> Heard {
    let fact = FactId(1_000_000 + u128::from(second.unsigned_abs()) * 2 + u128::from(kind.code()));
    let place = Place { at: Timestamp(second * SECOND_US), rank: 0, fact };
    Heard::Life(ServerId(10), place, kind)
}

/// The outcomes of a state after steps, each shown in one line.
struct World {
    state: State,
    outcomes: BTreeMap<Outcome, Diff>,
}

impl World {
    fn new() -> Self {
        let state = State { attempt_window_us: WINDOW, ..State::default() };
        Self { state, outcomes: BTreeMap::new() }
    }

    fn step(&mut self, updates: Vec<(Heard, Diff)>) {
        let mut changes = Vec::new();
        self.state.step(updates, &mut changes);
        for (outcome, diff) in changes {
            *self.outcomes.entry(outcome).or_default() += diff;
        }
        self.outcomes.retain(|_, diff| *diff != 0);
    }

    fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for (outcome, diff) in &self.outcomes {
            assert!(*diff > 0, "{outcome:?} is there {diff} times");
            for _ in 0..*diff {
                shown.push(show(outcome));
            }
        }
        shown.sort();
        shown
    }
}

fn seconds(at: Timestamp) -> String {
    if at == Timestamp::MAX { "open".to_owned() } else { (at.0 / SECOND_US).to_string() }
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Session(session) => {
            let estimated = session.ended_after.map(|at| format!(" after {}", seconds(at)));
            let (start, end) = (seconds(session.span.start), seconds(session.span.end));
            format!(
                "{} x{}: {start}..{end}{}",
                session.opened_by.0,
                session.count,
                estimated.unwrap_or_default()
            )
        }
        Outcome::Orphan(orphan) => format!("orphan {}", orphan.fact.0),
        Outcome::Attempt(attempt) => format!("attempt {} {}", seconds(attempt.at), attempt.unmet),
        Outcome::Wait(wait) => {
            format!("wait {}..{}", seconds(wait.span.start), seconds(wait.span.end))
        }
    }
}

/// One pass over all lines and starts in order.
fn plain(lines: &BTreeMap<Place, Line>, lives: &[Heard]) -> Vec<String> {
    let mut starts: Vec<Place> = Vec::new();
    let mut alive: Vec<Timestamp> = Vec::new();
    for heard in lives {
        match heard {
            Heard::Life(_, place, ServerEventKind::Started) => starts.push(*place),
            Heard::Life(_, place, _) => alive.push(place.at),
            Heard::Line(_) | Heard::Lifetime(..) => {}
        }
    }
    starts.sort_unstable();
    let mut shown = Vec::new();
    let mut open: Vec<Line> = Vec::new();
    let mut last_line = Timestamp::MIN;
    let mut starts = starts.into_iter().peekable();
    let mut restart = |held: &mut Vec<Line>, start: Place, before: Timestamp| {
        let seen = alive.iter().copied().filter(|at| *at < start.at).max();
        let after = seen.unwrap_or(before).max(before).min(start.at);
        for line in held.drain(..) {
            let (from, to) = (seconds(line.event.at), seconds(start.at));
            let text = format!(
                "{} x{}: {from}..{to} after {}",
                line.fact.0,
                line.event.count,
                seconds(after)
            );
            shown.push(text);
        }
    };
    let mut closed = Vec::new();
    for (place, line) in lines {
        while let Some(start) = starts.next_if(|start| start < place) {
            restart(&mut open, start, last_line);
        }
        last_line = place.at;
        if line.event.kind == SessionKind::Open {
            open.push(*line);
        } else if open.is_empty() {
            closed.push(format!("orphan {}", line.fact.0));
        } else {
            let all = line.event.reason == SessionReason::Shutdown;
            let same = open.iter().position(|other| other.event.count == line.event.count);
            let gone =
                if all { std::mem::take(&mut open) } else { vec![open.remove(same.unwrap_or(0))] };
            for other in gone {
                let (from, to) = (seconds(other.event.at), seconds(place.at));
                closed.push(format!("{} x{}: {from}..{to}", other.fact.0, other.event.count));
            }
        }
    }
    for start in starts {
        restart(&mut open, start, last_line);
    }
    shown.extend(closed);
    for line in open {
        let text =
            format!("{} x{}: {}..open", line.fact.0, line.event.count, seconds(line.event.at));
        shown.push(text);
    }
    shown.sort();
    shown
}

#[derive(Clone, Debug)]
enum Step {
    Line(i64, u32, bool, u32, bool),
    Start(i64),
    Alive(i64),
    Undo(usize),
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        12 => (0_i64..30, 0_u32..3, any::<bool>(), 1_u32..3, prop::bool::weighted(0.1))
            .prop_map(|(at, rank, open, count, shutdown)| Step::Line(at, rank, open, count, shutdown)),
        1 => (0_i64..30).prop_map(Step::Start),
        1 => (0_i64..30).prop_map(Step::Alive),
        5 => (0_usize..40).prop_map(Step::Undo),
    ];
    prop::collection::vec(prop::collection::vec(step, 1..6), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_pairing_is_that_of_one_pass_over_all_lines(steps in steps()) {
        let mut world = World::new();
        let mut said: Vec<Heard> = Vec::new();
        let mut fact = 0;
        for step in steps {
            let mut updates = Vec::new();
            for one in step {
                let heard = match one {
                    Step::Line(at, rank, open, count, shutdown) => {
                        fact += 1;
                        let kind = if open { SessionKind::Open } else { SessionKind::Close };
                        let mut line = line(fact, at, rank, kind, count);
                        if shutdown && !open {
                            line.event.reason = SessionReason::Shutdown;
                        }
                        Heard::Line(line)
                    }
                    Step::Start(at) => started(at),
                    Step::Alive(at) => life(at, ServerEventKind::Alive),
                    Step::Undo(pick) => {
                        if !said.is_empty() {
                            let gone = said.swap_remove(pick % said.len());
                            updates.push((gone, -1));
                        }
                        continue;
                    }
                };
                if !said.contains(&heard) {
                    said.push(heard.clone());
                    updates.push((heard, 1));
                }
            }
            world.step(updates);
            let lines: BTreeMap<Place, Line> = said
                .iter()
                .filter_map(|heard| match heard {
                    Heard::Line(line) => Some((line.place(), *line)),
                    Heard::Life(..) | Heard::Lifetime(..) => None,
                })
                .collect();
            prop_assert_eq!(world.shown(), plain(&lines, &said));
        }
    }
}

#[test]
fn a_denial_is_met_by_a_checkout_within_a_minute_and_unmet_again_without_it() {
    let mut world = World::new();
    world.step(vec![(Heard::Line(line(1, 100, 0, SessionKind::Deny, 1)), 1)]);
    assert_eq!(world.shown(), ["attempt 100 true"]);
    let late = line(2, 161, 0, SessionKind::Open, 1);
    world.step(vec![(Heard::Line(late), 1)]);
    assert_eq!(world.shown(), ["2 x1: 161..open", "attempt 100 true"]);
    let served = line(3, 160, 0, SessionKind::Open, 1);
    world.step(vec![(Heard::Line(late), -1), (Heard::Line(served), 1)]);
    assert_eq!(world.shown(), ["3 x1: 160..open", "attempt 100 false"]);
    world.step(vec![(Heard::Line(served), -1)]);
    assert_eq!(world.shown(), ["attempt 100 true"]);
}

#[test]
fn lines_of_one_second_are_one_attempt() {
    let mut world = World::new();
    let first = line(1, 100, 0, SessionKind::Deny, 1);
    let mut second = line(2, 100, 1, SessionKind::Deny, 1);
    second.event.product = Id(21);
    second.event.at = second.event.at.plus_us(400_000);
    world.step(vec![(Heard::Line(first), 1), (Heard::Line(second), 1)]);
    assert_eq!(world.shown(), ["attempt 100 true"]);
    let mut open = line(3, 130, 0, SessionKind::Open, 1);
    open.event.product = Id(21);
    world.step(vec![(Heard::Line(open), 1)]);
    assert_eq!(world.shown(), ["3 x1: 130..open", "attempt 100 false"]);
}

#[test]
fn who_queues_twice_at_one_instant_waits_twice() {
    let mut world = World::new();
    let queued = |fact| (Heard::Line(line(fact, 100, 0, SessionKind::Queue, 1)), 1);
    world.step(vec![queued(1), queued(2)]);
    assert_eq!(world.shown(), ["wait 100..open", "wait 100..open"]);
    world.step(vec![(Heard::Line(line(3, 200, 0, SessionKind::Dequeue, 1)), 1)]);
    assert_eq!(world.shown(), ["wait 100..200", "wait 100..open"]);
    let (first, _) = queued(1);
    world.step(vec![(first, -1)]);
    assert_eq!(world.shown(), ["wait 100..200"]);
}

#[test]
fn a_wait_ends_with_its_line_a_checkout_or_a_start() {
    let mut world = World::new();
    let queued = line(1, 100, 0, SessionKind::Queue, 1);
    world.step(vec![(Heard::Line(queued), 1)]);
    assert_eq!(world.shown(), ["wait 100..open"]);
    world.step(vec![(started(400), 1)]);
    assert_eq!(world.shown(), ["wait 100..400"]);
    world.step(vec![(Heard::Line(line(2, 300, 0, SessionKind::Open, 1)), 1)]);
    assert_eq!(world.shown(), ["2 x1: 300..400 after 300", "wait 100..300"]);
    world.step(vec![(Heard::Line(line(3, 200, 0, SessionKind::Dequeue, 1)), 1)]);
    assert_eq!(world.shown(), ["2 x1: 300..400 after 300", "wait 100..200"]);
}
