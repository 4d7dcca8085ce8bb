//! The floor of one daemon: what is open, who waits, what happens next.

use super::{Checkout, End, History, Holder, Plan, Refusal, Said, Wait, Why};
use crate::population::Population;
use crate::random::Random;
use crate::server::{Daemon, FeatureIndex, Incident, IncidentKind, Server};
use crate::traps::{Trap, Traps};
use crate::wall::later;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, ONE_UNIT};
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionKind, SessionReason};

/// How long after a start a daemon serves no one, in seconds.
const WARM_UP_SECONDS: i64 = 5;

/// What happens next, in the order in which it happens within a second: returns make room before
/// anyone asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Return { checkouts: Vec<usize>, idle: bool },
    Incident(usize),
    Ask { plan: usize, attempt: usize },
    GiveUp { wait: usize },
}

/// A client in the queue.
struct Waiting {
    wait: usize,
    plan: usize,
}

pub(super) struct Floor<'a> {
    server: &'a Server,
    daemon_index: usize,
    daemon: &'a Daemon,
    population: &'a Population,
    random: &'a mut Random,
    traps: &'a mut Traps,
    agenda: BTreeSet<(Timestamp, Turn)>,
    /// The open checkouts of each feature.
    open: BTreeMap<FeatureIndex, Vec<usize>>,
    /// The counts of the open checkouts of each group.
    groups: BTreeMap<(FeatureIndex, Vec<usize>), Vec<u32>>,
    /// What the open checkouts of each feature cost.
    used: BTreeMap<FeatureIndex, i64>,
    queues: BTreeMap<FeatureIndex, Vec<Waiting>>,
    history: History,
}

impl<'a> Floor<'a> {
    pub(super) fn new(
        server: &'a Server,
        daemon_index: usize,
        population: &'a Population,
        random: &'a mut Random,
        traps: &'a mut Traps,
    ) -> Self {
        Self {
            server,
            daemon_index,
            daemon: &server.daemons[daemon_index],
            population,
            random,
            traps,
            agenda: BTreeSet::new(),
            open: BTreeMap::new(),
            groups: BTreeMap::new(),
            used: BTreeMap::new(),
            queues: BTreeMap::new(),
            history: History::default(),
        }
    }

    pub(super) fn run(mut self, plans: &[Plan]) -> History {
        for (index, plan) in plans.iter().enumerate() {
            self.agenda.insert((plan.at, Turn::Ask { plan: index, attempt: 0 }));
        }
        for (index, incident) in self.server.incidents.iter().enumerate() {
            if incident.stops(self.daemon_index) {
                self.agenda.insert((incident.at, Turn::Incident(index)));
            }
        }
        while let Some((at, turn)) = self.agenda.pop_first() {
            if at >= self.server.window.end {
                break;
            }
            match turn {
                Turn::Return { checkouts, idle } => self.give_back(at, &checkouts, idle, plans),
                Turn::Incident(index) => self.fall(&self.server.incidents[index]),
                Turn::Ask { plan, attempt } => self.ask(at, plan, attempt, &plans[plan]),
                Turn::GiveUp { wait } => self.give_up(at, wait, plans),
            }
        }
        self.history
    }

    /// Whether the daemon serves anyone at an instant.
    fn serves(&self, at: Timestamp) -> bool {
        let stops = |incident: &Incident| {
            incident.stops(self.daemon_index)
                && incident.at <= at
                && at < later(incident.back, WARM_UP_SECONDS)
        };
        at >= later(self.server.window.start, WARM_UP_SECONDS)
            && !self.server.incidents.iter().any(stops)
    }

    fn ask(&mut self, at: Timestamp, index: usize, attempt: usize, plan: &Plan) {
        if !self.serves(at) {
            return;
        }
        let holder = self.spell(plan);
        if let (Some(feature), 0) = (&plan.unsupported, attempt) {
            self.refuse(at, holder, vec![feature.clone()], Why::NoSuchFeature);
            self.agenda.insert((later(at, 3), Turn::Ask { plan: index, attempt: 1 }));
            return;
        }
        let wanted = plan.wants[0].0;
        match self.refusal(wanted, holder, plan.wants[0].1, at) {
            None => self.grant(at, holder, &plan.wants, plan),
            Some(why) => self.turn_away(at, index, attempt, holder, plan, why),
        }
    }

    /// How this line spells the names of a plan; now and then another way than the usual.
    fn spell(&mut self, plan: &Plan) -> Holder {
        let people = self.population.people[plan.person.0].spellings.len();
        let machines = self.population.machines[plan.machine.0].spellings.len();
        Holder {
            person: plan.person,
            machine: plan.machine,
            person_spelling: self.random.index(people),
            machine_spelling: self.random.index(machines),
        }
    }

    /// Why the daemon cannot give this many more licenses to a holder; `None` if it can.
    fn refusal(
        &self,
        feature: FeatureIndex,
        holder: Holder,
        count: u32,
        at: Timestamp,
    ) -> Option<Why> {
        let granted = self.daemon.granted(feature, at, &self.server.zone)?;
        let Capacity::Limited(limit) = granted.capacity else { return None };
        if limit.0 == 0 {
            return Some(Why::Expired);
        }
        if self.queues.get(&feature).is_some_and(|queue| !queue.is_empty()) {
            return Some(Why::UsersQueued);
        }
        let most = limit.0 / ONE_UNIT + i64::from(granted.overdraft);
        (self.cost_with(feature, holder, count) > most).then_some(Why::AllInUse)
    }

    /// What the open checkouts of a feature cost once a holder has this many more.
    fn cost_with(&self, feature: FeatureIndex, holder: Holder, count: u32) -> i64 {
        let used = self.used.get(&feature).copied().unwrap_or(0);
        let counts = self.groups.get(&self.group(feature, holder));
        let before = counts.map_or(0, |counts| largest(counts));
        used + i64::from(count.max(before)) - i64::from(before)
    }

    /// The group of a holder; nobody's if each checkout is charged by itself.
    fn group(&self, feature: FeatureIndex, holder: Holder) -> (FeatureIndex, Vec<usize>) {
        let Duplicates::Grouped(mask) = self.daemon.features[feature.0].duplicates else {
            return (feature, Vec::new());
        };
        let account = self.population.account_of(holder.person, holder.machine);
        let part = |named: bool, part: usize| if named { part } else { 0 };
        let parts = vec![
            part(mask.user, holder.person.0),
            part(mask.host, holder.machine.0),
            part(mask.vendor, account.map_or(0, |account| account.0 + 1)),
        ];
        (feature, parts)
    }

    /// Charges a checkout that opens, or no longer charges one that ends.
    fn charge(&mut self, index: usize, opens: bool) {
        let checkout = &self.history.checkouts[index];
        let (feature, count) = (checkout.feature, checkout.count);
        let key = self.group(feature, checkout.holder);
        let used = self.used.entry(feature).or_default();
        if key.1.is_empty() {
            *used += if opens { i64::from(count) } else { -i64::from(count) };
            return;
        }
        let counts = self.groups.entry(key).or_default();
        let before = largest(counts);
        if opens {
            counts.push(count);
        } else if let Some(place) = counts.iter().position(|one| *one == count) {
            counts.remove(place);
        }
        *used += i64::from(largest(counts)) - i64::from(before);
    }

    fn grant(&mut self, at: Timestamp, holder: Holder, wants: &[(FeatureIndex, u32)], plan: &Plan) {
        let mut opened = Vec::new();
        for (feature, count) in wants {
            let served = &self.daemon.features[feature.0];
            let account = self.population.account_of(plan.person, plan.machine);
            let team = account.map_or(0, |account| account.0 + 1);
            let index = self.history.checkouts.len();
            self.history.checkouts.push(Checkout {
                feature: *feature,
                holder,
                count: *count,
                opened: at,
                end: End::Open,
                handle: 0x100 + index as u64,
                data: served.vendor_data.then(|| format!("team@{team:02}")),
                project: plan.project.clone(),
            });
            self.open.entry(*feature).or_default().push(index);
            self.charge(index, true);
            self.say(at, Said::Out(index));
            opened.push(index);
        }
        if wants.len() > 1 {
            self.traps.add(Trap::SuitePair, 1);
            // Clients return the pair in either order.
            if self.random.chance(500) {
                opened.reverse();
                self.traps.add(Trap::ComponentReturnedFirst, 1);
            }
        }
        let held = i64::try_from(plan.hold_seconds.max(1)).unwrap_or(i64::MAX);
        let turn = Turn::Return { checkouts: opened, idle: plan.idle };
        self.agenda.insert((later(at, held), turn));
    }

    /// Refuses, offers something else, queues, or lets the client ask again.
    fn turn_away(
        &mut self,
        at: Timestamp,
        index: usize,
        attempt: usize,
        holder: Holder,
        plan: &Plan,
        why: Why,
    ) {
        let wanted = plan.wants[0].0;
        if let (Some(patience), Why::AllInUse | Why::UsersQueued) = (plan.patience_seconds, why) {
            let wait = self.history.waits.len();
            self.history.waits.push(Wait {
                feature: wanted,
                holder,
                from: at,
                until: None,
                served: false,
            });
            self.queues.entry(wanted).or_default().push(Waiting { wait, plan: index });
            self.say(at, Said::Queued(wait));
            let until = later(at, i64::try_from(patience).unwrap_or(i64::MAX));
            self.agenda.insert((until, Turn::GiveUp { wait }));
            return;
        }
        let name = |feature: &FeatureIndex| self.daemon.features[feature.0].name.clone();
        let names = plan.wants.iter().map(|(feature, _)| name(feature)).collect();
        self.refuse(at, holder, names, why);
        if let Some(other) = plan.otherwise
            && self.refusal(other, holder, plan.wants[0].1, at).is_none()
        {
            let mut wants = plan.wants.clone();
            wants[0].0 = other;
            self.grant(at, holder, &wants, plan);
            return;
        }
        let tried = attempt - usize::from(plan.unsupported.is_some() && attempt > 0);
        if let Some(pause) = plan.retries_seconds.get(tried) {
            let again = later(at, i64::try_from(*pause).unwrap_or(i64::MAX));
            self.agenda.insert((again, Turn::Ask { plan: index, attempt: attempt + 1 }));
        }
    }

    fn refuse(&mut self, at: Timestamp, holder: Holder, features: Vec<String>, why: Why) {
        let kind = match why {
            Why::NoSuchFeature => SessionKind::Unsupported,
            Why::AllInUse | Why::UsersQueued | Why::Expired => SessionKind::Deny,
        };
        for feature in features {
            let index = self.history.refusals.len();
            self.history.refusals.push(Refusal { at, holder, feature, kind, why });
            self.say(at, Said::Refused(index));
        }
    }

    fn give_back(&mut self, at: Timestamp, checkouts: &[usize], idle: bool, plans: &[Plan]) {
        let reason = if idle { SessionReason::Inactive } else { SessionReason::None };
        let mut features = BTreeSet::new();
        for index in checkouts {
            let feature = self.history.checkouts[*index].feature;
            let open = self.open.get(&feature).map(Vec::as_slice).unwrap_or_default();
            // What the daemon lost when it died cannot be returned.
            if !open.contains(index) {
                continue;
            }
            self.note_order(feature, *index);
            self.open.entry(feature).or_default().retain(|one| one != index);
            self.charge(*index, false);
            self.history.checkouts[*index].end = End::Returned { at, reason };
            self.say(at, Said::In(*index));
            if idle {
                self.traps.add(Trap::InactiveReturn, 1);
            }
            features.insert(feature);
        }
        for feature in features {
            self.serve_queue(at, feature, plans);
        }
    }

    /// Notes a return that comes before that of an earlier checkout of another count.
    fn note_order(&mut self, feature: FeatureIndex, index: usize) {
        let checkout = &self.history.checkouts[index];
        let earlier = self.open.get(&feature).into_iter().flatten().any(|other| {
            let other_checkout = &self.history.checkouts[*other];
            other_checkout.holder.is_same(&checkout.holder)
                && other_checkout.count != checkout.count
                && *other < index
        });
        self.traps.add(Trap::CountsOutOfOrder, u64::from(earlier));
    }

    /// Gives what became free to those who waited longest.
    fn serve_queue(&mut self, at: Timestamp, feature: FeatureIndex, plans: &[Plan]) {
        while let Some(waiting) = self.queues.get_mut(&feature).filter(|queue| !queue.is_empty()) {
            let first = waiting.remove(0);
            let (plan, holder) = (&plans[first.plan], self.history.waits[first.wait].holder);
            let others = self.queues.remove(&feature).unwrap_or_default();
            let refused = self.refusal(feature, holder, plan.wants[0].1, at);
            self.queues.insert(feature, others);
            if refused.is_some() {
                if let Some(queue) = self.queues.get_mut(&feature) {
                    queue.insert(0, first);
                }
                return;
            }
            self.history.waits[first.wait].until = Some(at);
            self.history.waits[first.wait].served = true;
            self.say(at, Said::Dequeued(first.wait));
            self.grant(at, holder, &plan.wants, plan);
        }
    }

    fn give_up(&mut self, at: Timestamp, wait: usize, plans: &[Plan]) {
        let feature = self.history.waits[wait].feature;
        let Some(queue) = self.queues.get_mut(&feature) else { return };
        let Some(place) = queue.iter().position(|waiting| waiting.wait == wait) else { return };
        queue.remove(place);
        self.history.waits[wait].until = Some(at);
        self.say(at, Said::Dequeued(wait));
        self.serve_queue(at, feature, plans);
    }

    /// Ends everything that is open when the daemon stops.
    fn fall(&mut self, incident: &Incident) {
        for waiting in std::mem::take(&mut self.queues).into_values().flatten() {
            self.history.waits[waiting.wait].until = Some(incident.back);
        }
        let open = std::mem::take(&mut self.open);
        self.groups.clear();
        self.used.clear();
        for (_, checkouts) in open {
            let mut returned: Vec<Holder> = Vec::new();
            for index in checkouts {
                let holder = self.history.checkouts[index].holder;
                if incident.kind == IncidentKind::Shutdown {
                    let (at, reason) = (incident.at, SessionReason::Shutdown);
                    self.history.checkouts[index].end = End::Returned { at, reason };
                    if !returned.iter().any(|other| other.is_same(&holder)) {
                        returned.push(holder);
                        self.traps.add(Trap::ShutdownReturn, 1);
                        self.say(incident.at, Said::ShutdownIn(index));
                    }
                } else {
                    let end = End::Lost { at: incident.at, back: incident.back };
                    self.history.checkouts[index].end = end;
                    self.traps.add(Trap::LostCheckout, 1);
                }
            }
        }
    }

    fn say(&mut self, at: Timestamp, said: Said) {
        self.history.said.push((at, said));
    }
}

/// What a group costs.
fn largest(counts: &[u32]) -> u32 {
    counts.iter().copied().max().unwrap_or(0)
}
