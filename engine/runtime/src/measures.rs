//! What each operator costs: how often and how long it ran, how long at most, and how many rows came to it;
//! and how long epochs are on their way (`measures/stages.rs`).
//!
//! The dataflow library says when an operator starts and stops and what passes through each channel; it
//! is added up on the worker and handed over now and then. An operator that contains others is
//! counted without them. Operators of one name are one row, of all workers together.

pub mod stages;
pub mod times;

use crate::clock::Clock;
use crate::settings::Settings;
use stages::Stages;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use timely::logging::{MessagesEvent, ScheduleEvent, StartStop, TimelyEvent, TimelyEventBuilder};
use timely::worker::Worker;

/// What the operators of one name cost since the engine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperatorCost {
    /// How many operators have the name, on all workers.
    pub operators: u64,
    /// How often they ran.
    pub runs: u64,
    /// How long they ran.
    pub busy: Duration,
    /// The longest run.
    pub longest: Duration,
    /// How many rows came to them.
    pub rows: u64,
}

/// What is measured of an engine, shared by its threads.
#[derive(Clone)]
pub struct Measures {
    costs: Costs,
    stages: Arc<Stages>,
    operators: bool,
}

impl Measures {
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let stages = Arc::new(Stages::new(clock, settings.workers));
        Self { costs: Costs::default(), stages, operators: settings.measure_operators }
    }

    /// The costs so far, by the name of the operator; nothing if operators are not measured.
    pub fn costs(&self) -> BTreeMap<String, OperatorCost> {
        self.costs.all()
    }

    /// How long epochs are on their way.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// Begins to measure a worker; to be called before it builds its dataflow.
    pub(crate) fn observe(&self, worker: &Worker) {
        let register = worker.log_register().filter(|_| self.operators);
        let Some(mut register) = register else { return };
        let mut observer = Observer { measures: self.costs.clone(), ..Observer::default() };
        register.insert::<TimelyEventBuilder, _>("timely", move |_until, events| {
            if let Some(events) = events {
                for (at, event) in events.drain(..) {
                    observer.hear(at, event);
                }
            }
            observer.hand_over();
        });
    }
}

/// The costs of operators by name.
#[derive(Clone, Debug, Default)]
struct Costs(Arc<Mutex<BTreeMap<String, OperatorCost>>>);

impl Costs {
    fn all(&self) -> BTreeMap<String, OperatorCost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, name: &str, cost: &OperatorCost) {
        let mut costs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !costs.contains_key(name) {
            costs.insert(name.to_owned(), OperatorCost::default());
        }
        let Some(sum) = costs.get_mut(name) else { return };
        sum.operators += cost.operators;
        sum.runs += cost.runs;
        sum.busy += cost.busy;
        sum.longest = sum.longest.max(cost.longest);
        sum.rows += cost.rows;
    }
}

/// An operator that runs.
struct Run {
    id: usize,
    since: Duration,
    /// How long operators ran that it contains.
    inside: Duration,
}

/// One worker's operators.
#[derive(Default)]
struct Observer {
    measures: Costs,
    names: BTreeMap<usize, String>,
    ids: BTreeMap<Vec<usize>, usize>,
    /// Where each channel leads.
    targets: BTreeMap<usize, Vec<usize>>,
    running: Vec<Run>,
    costs: BTreeMap<usize, OperatorCost>,
    changed: BTreeSet<usize>,
}

impl Observer {
    fn hear(&mut self, at: Duration, event: TimelyEvent) {
        match event {
            TimelyEvent::Operates(operator) => {
                self.costs.entry(operator.id).or_default().operators = 1;
                self.changed.insert(operator.id);
                self.ids.insert(operator.addr, operator.id);
                self.names.insert(operator.id, operator.name);
            }
            TimelyEvent::Channels(channel) => {
                let mut target = channel.scope_addr;
                target.push(channel.target.0);
                self.targets.insert(channel.id, target);
            }
            TimelyEvent::Messages(message) => self.message(&message),
            TimelyEvent::Schedule(schedule) => self.schedule(at, schedule),
            TimelyEvent::PushProgress(_)
            | TimelyEvent::Shutdown(_)
            | TimelyEvent::CommChannels(_)
            | TimelyEvent::Park(_)
            | TimelyEvent::Text(_) => {}
        }
    }

    fn message(&mut self, message: &MessagesEvent) {
        if message.is_send {
            return;
        }
        let target = self.targets.get(&message.channel);
        let Some(id) = target.and_then(|target| self.ids.get(target)).copied() else { return };
        let rows = u64::try_from(message.record_count).unwrap_or(0);
        self.costs.entry(id).or_default().rows += rows;
        self.changed.insert(id);
    }

    fn schedule(&mut self, at: Duration, schedule: ScheduleEvent) {
        match schedule.start_stop {
            StartStop::Start => {
                self.running.push(Run { id: schedule.id, since: at, inside: Duration::ZERO });
            }
            StartStop::Stop => {
                let Some(run) = self.running.pop() else { return };
                let took = at.saturating_sub(run.since);
                if let Some(around) = self.running.last_mut() {
                    around.inside += took;
                }
                let busy = took.saturating_sub(run.inside);
                let cost = self.costs.entry(run.id).or_default();
                cost.runs += 1;
                cost.busy += busy;
                cost.longest = cost.longest.max(busy);
                self.changed.insert(run.id);
            }
        }
    }

    fn hand_over(&mut self) {
        for id in std::mem::take(&mut self.changed) {
            let name = self.names.get(&id).map_or("unnamed", String::as_str);
            if let Some(cost) = self.costs.get_mut(&id) {
                self.measures.add(name, &std::mem::take(cost));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Costs, Observer};
    use std::time::Duration;
    use timely::logging::{ChannelsEvent, MessagesEvent, OperatesEvent, ScheduleEvent};

    #[test]
    fn an_operator_is_counted_without_those_that_it_contains() {
        let measures = Costs::default();
        let mut observer = Observer { measures: measures.clone(), ..Observer::default() };
        let at = Duration::from_millis;
        let operator = |id, addr: &[usize], name: &str| OperatesEvent {
            id,
            addr: addr.to_vec(),
            name: name.to_owned(),
        };
        observer.hear(at(0), operator(1, &[0], "Dataflow").into());
        observer.hear(at(0), operator(2, &[0, 1], "Map").into());
        let channel = ChannelsEvent {
            id: 7,
            scope_addr: vec![0],
            source: (3, 0),
            target: (1, 0),
            typ: String::new(),
        };
        observer.hear(at(0), channel.into());
        observer.hear(at(1), ScheduleEvent::start(1).into());
        observer.hear(at(2), ScheduleEvent::start(2).into());
        let message = |is_send| MessagesEvent {
            is_send,
            channel: 7,
            source: 0,
            target: 0,
            seq_no: 0,
            record_count: 5,
        };
        observer.hear(at(3), message(false).into());
        observer.hear(at(3), message(true).into());
        observer.hear(at(6), ScheduleEvent::stop(2).into());
        observer.hear(at(7), ScheduleEvent::stop(1).into());
        observer.hand_over();
        let costs = measures.all();
        let [outer, inner] = ["Dataflow", "Map"].map(|name| costs[name]);
        assert_eq!((outer.busy, outer.runs, outer.rows), (at(2), 1, 0));
        assert_eq!((inner.busy, inner.longest, inner.rows, inner.operators), (at(4), at(4), 5, 1));
    }
}
