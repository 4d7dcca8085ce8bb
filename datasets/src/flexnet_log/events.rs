//! What people did, as a daemon writes it: one line for each checkout, return, refusal and wait.

use super::{Entry, Kind, Style, Writer};
use crate::population::Population;
use crate::random::Random;
use crate::server::{FeatureIndex, Server};
use crate::sessions::{Checkout, End, History, Holder, Refusal, Said, Why};
use crate::traps::{Trap, Traps};
use crate::wall::{later, line_time};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::quantity::{Capacity, ONE_UNIT};
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionKind, SessionReason};

/// The lines of one daemon.
pub(super) fn entries(
    server: &Server,
    daemon_index: usize,
    history: &History,
    population: &Population,
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
) -> Vec<Entry> {
    let mut teller = Teller {
        server,
        daemon_index,
        history,
        population,
        style,
        random,
        traps,
        open: BTreeMap::new(),
        entries: Vec::new(),
    };
    let stops = server.incidents.iter().filter(|incident| incident.stops(daemon_index));
    let mut stops = stops.peekable();
    for (at, said) in &history.said {
        // After a stop nothing is open, whether a line said so or not.
        while stops.next_if(|incident| incident.back <= *at).is_some() {
            teller.open.clear();
        }
        teller.tell(*at, *said);
    }
    let mut seen = BTreeSet::new();
    for entry in teller.entries.iter().filter(|entry| entry.text.starts_with("OUT:")) {
        let repeated = !seen.insert((entry.at, &entry.text));
        teller.traps.add(Trap::IdenticalLines, u64::from(repeated));
    }
    teller.entries
}

struct Teller<'a> {
    server: &'a Server,
    daemon_index: usize,
    history: &'a History,
    population: &'a Population,
    style: &'a Style,
    random: &'a mut Random,
    traps: &'a mut Traps,
    /// Which checkouts are open, for the numbers in verbose lines.
    open: BTreeMap<FeatureIndex, Vec<usize>>,
    entries: Vec<Entry>,
}

impl Teller<'_> {
    fn tell(&mut self, at: Timestamp, said: Said) {
        match said {
            Said::Out(index) => {
                let checkout = &self.history.checkouts[index];
                self.open.entry(checkout.feature).or_default().push(index);
                self.checkout(at, "OUT", checkout, checkout.holder, "");
            }
            Said::In(index) => {
                let checkout = &self.history.checkouts[index];
                let open = self.open.entry(checkout.feature).or_default();
                open.retain(|one| *one != index);
                let idle =
                    matches!(checkout.end, End::Returned { reason: SessionReason::Inactive, .. });
                let holder = self.respelled(checkout.holder, index);
                self.checkout(at, "IN", checkout, holder, if idle { "(INACTIVE)" } else { "" });
                if idle {
                    self.failed_return(at, checkout);
                }
            }
            Said::ShutdownIn(index) => self.shutdown_return(at, index),
            Said::Refused(index) => self.refusal(index),
            Said::Queued(index) | Said::Dequeued(index) => {
                let wait = &self.history.waits[index];
                let ended = matches!(said, Said::Dequeued(_));
                let word = if ended { "DEQUEUED" } else { "QUEUED" };
                self.traps.add(Trap::QueuedGivenUp, u64::from(ended && !wait.served));
                self.traps.add(Trap::QueuedThenServed, u64::from(ended && wait.served));
                let feature = &self.server.daemons[self.daemon_index].features[wait.feature.0];
                let text = format!("{word}: \"{}\" {}  ", feature.name, self.who(wait.holder));
                self.push(at, Kind::Refusal, text);
            }
        }
    }

    fn push(&mut self, at: Timestamp, kind: Kind, text: String) {
        self.entries.push(Entry::new(at, Writer::Daemon(self.daemon_index), kind, text));
    }

    /// `user@host`, spelled as this line does.
    fn who(&mut self, holder: Holder) -> String {
        let user = &self.population.people[holder.person.0].spellings[holder.person_spelling];
        let host = &self.population.machines[holder.machine.0].spellings[holder.machine_spelling];
        self.traps.add(Trap::BlankInName, u64::from(user.contains(' ')));
        self.traps.add(Trap::AccentInName, u64::from(!user.is_ascii()));
        self.traps.add(Trap::AtInName, u64::from(user.contains('@')));
        let varied = holder.person_spelling > 0 || holder.machine_spelling > 0;
        self.traps.add(Trap::CaseVariant, u64::from(varied));
        format!("{user}@{host}")
    }

    /// The same holder as a return spells it, which may be another way than the checkout's.
    fn respelled(&self, holder: Holder, index: usize) -> Holder {
        let people = self.population.people[holder.person.0].spellings.len();
        let machines = self.population.machines[holder.machine.0].spellings.len();
        Holder {
            person_spelling: (holder.person_spelling + index) % people,
            machine_spelling: (holder.machine_spelling + index) % machines,
            ..holder
        }
    }

    fn checkout(
        &mut self,
        at: Timestamp,
        word: &str,
        checkout: &Checkout,
        holder: Holder,
        reason: &str,
    ) {
        let daemon = &self.server.daemons[self.daemon_index];
        let feature = &daemon.features[checkout.feature.0];
        let text = if self.style.verbose {
            self.verbose(at, word, checkout, holder)
        } else {
            let mut tail: Vec<String> = Vec::new();
            if let Some(data) = &checkout.data {
                tail.push(format!("[{data}]"));
                self.traps.add(Trap::VendorData, 1);
            }
            if checkout.count > 1 {
                tail.push(format!("({} licenses)", checkout.count));
                self.traps.add(Trap::CountedLine, 1);
            }
            if !reason.is_empty() {
                tail.push(reason.to_owned());
            }
            let mut tail = tail.join(" ");
            if !tail.is_empty() && reason.is_empty() {
                tail.push(' ');
            }
            format!("{word}: \"{}\" {}  {tail}", feature.name, self.who(holder))
        };
        self.push(at, Kind::Use, text);
    }

    /// A line of the verbose form.
    fn verbose(
        &mut self,
        at: Timestamp,
        word: &str,
        checkout: &Checkout,
        holder: Holder,
    ) -> String {
        let daemon = &self.server.daemons[self.daemon_index];
        let name = daemon.features[checkout.feature.0].name.clone();
        let who = match checkout.handle % 2 {
            0 => self.who(holder),
            _ => self.at_host(holder),
        };
        let count = match checkout.count {
            1 if checkout.handle.is_multiple_of(3) => String::new(),
            count => format!(" ({count})"),
        };
        self.traps.add(Trap::CountedLine, u64::from(checkout.count > 1));
        let shared = self.open_checkouts(checkout.feature).iter().any(|index| {
            let other = &self.history.checkouts[*index];
            other.handle != checkout.handle && other.holder.is_same(&holder)
        });
        let numbers = Numbers {
            handle: Some(checkout.handle),
            project: checkout.project.as_deref().unwrap_or("none"),
            shared,
        };
        let tail = self.verbose_tail(at, checkout.feature, holder, numbers);
        format!("{word}: \"{name}\" {who}{count} {tail}")
    }

    /// `@host`, as most verbose lines write the holder, whose name stands in the tail.
    fn at_host(&self, holder: Holder) -> String {
        let machine = &self.population.machines[holder.machine.0];
        format!("@{}", machine.spellings[holder.machine_spelling])
    }

    fn open_checkouts(&self, feature: FeatureIndex) -> &[usize] {
        self.open.get(&feature).map(Vec::as_slice).unwrap_or_default()
    }

    /// What stands between the `^^^` of a verbose line, whose own clock may run a second late.
    fn verbose_tail(
        &mut self,
        at: Timestamp,
        feature: FeatureIndex,
        holder: Holder,
        numbers: Numbers<'_>,
    ) -> String {
        self.traps.add(Trap::VerboseLine, 1);
        let daemon = &self.server.daemons[self.daemon_index];
        let user = &self.population.people[holder.person.0].spellings[holder.person_spelling];
        let open = self.open_checkouts(feature);
        let in_use: u64 =
            open.iter().map(|index| u64::from(self.history.checkouts[*index].count)).sum();
        let granted = daemon.granted(feature, at, &self.server.zone);
        let of = match granted.map(|granted| granted.capacity) {
            Some(Capacity::Limited(limit)) => (limit.0 / ONE_UNIT).to_string(),
            Some(Capacity::Unlimited | Capacity::Unknown) | None => "uncounted".to_owned(),
        };
        let (handle, late) = match numbers.handle {
            Some(handle) => (format!("0x{handle:04X}"), i64::from(handle % 3 == 1)),
            None => ("N/A".to_owned(), 0),
        };
        let clock = self.server.zone.local(later(at, late));
        let (day, time) = (clock.date(), line_time(clock));
        format!(
            "^^^ {} {user} 10.0.{}.{} {} {handle} {in_use} {of} {} 11 19 {}-{}-{} {} {} ^^^",
            daemon.features[feature.0].version,
            holder.machine.0 / 200,
            holder.machine.0 % 200 + 10,
            4000 + (holder.person.0 * 7 + holder.machine.0 * 13) % 28_000,
            numbers.project,
            day.month(),
            day.day(),
            day.year(),
            time.trim_start(),
            if numbers.shared { "YES" } else { "NO" },
        )
    }

    /// The idle client's own return, later, which fails.
    fn failed_return(&mut self, at: Timestamp, checkout: &Checkout) {
        let pause = i64::try_from(self.random.between(300, 3_000)).unwrap_or(300);
        let daemon = &self.server.daemons[self.daemon_index];
        let feature = daemon.features[checkout.feature.0].name.clone();
        let who = self.who(checkout.holder);
        let (user, host) = who.rsplit_once('@').unwrap_or((&who, "unknown"));
        let first = format!("Checkin failed feature \"{feature}\": {user} {host} {host}");
        let when = later(at, pause);
        self.push(when, Kind::Other, first);
        self.push(when, Kind::Other, "\t\" (0,353:10054 \"\")\"".to_owned());
        self.traps.add(Trap::CheckinFailed, 1);
    }

    fn shutdown_return(&mut self, at: Timestamp, index: usize) {
        let first = &self.history.checkouts[index];
        let open = self.open.entry(first.feature).or_default();
        let ended: Vec<usize> = open
            .iter()
            .copied()
            .filter(|one| self.history.checkouts[*one].holder.is_same(&first.holder))
            .collect();
        open.retain(|one| !ended.contains(one));
        if self.style.verbose {
            // Handles pair exactly, so each checkout has a line of its own.
            for one in ended {
                let checkout = &self.history.checkouts[one];
                self.checkout(at, "IN", checkout, checkout.holder, "");
            }
            return;
        }
        let daemon = &self.server.daemons[self.daemon_index];
        let name = &daemon.features[first.feature.0].name;
        let text = format!("IN: \"{name}\" {}  (SHUTDOWN)", self.who(first.holder));
        self.push(at, Kind::Use, text);
    }

    fn refusal(&mut self, index: usize) {
        let refusal: &Refusal = &self.history.refusals[index];
        let words = match refusal.why {
            // Some servers add a third number now and then.
            Why::AllInUse if index % 10 == 9 => {
                "(Licensed number of users already reached. (-4,342:10054 ))"
            }
            Why::AllInUse => "(Licensed number of users already reached. (-4,342))",
            Why::UsersQueued => "(Users are queued for this feature. (-24,332))",
            Why::Expired => "(Feature has expired. (-10,32))",
            Why::NoSuchFeature => "(No such feature exists. (-5,346))",
        };
        self.traps.add(Trap::DeniedByQueue, u64::from(refusal.why == Why::UsersQueued));
        self.traps.add(Trap::DeniedExpired, u64::from(refusal.why == Why::Expired));
        let who = self.who(refusal.holder);
        let text = if refusal.kind == SessionKind::Unsupported {
            let signed = self.random.below(1 << 32);
            let (high, low) = (signed >> 16, signed & 0xFFFF);
            format!("UNSUPPORTED: \"{}\" ({high:04X} {low:04X} ) {who}  {words}", refusal.feature)
        } else if let Some(feature) = self.verbose_feature(&refusal.feature) {
            let numbers = Numbers { handle: None, project: "none", shared: false };
            let tail = self.verbose_tail(refusal.at, feature, refusal.holder, numbers);
            let host = self.at_host(refusal.holder);
            format!("DENIED: \"{}\" {host} {words} {tail}", refusal.feature)
        } else {
            format!("DENIED: \"{}\" {who}  {words}", refusal.feature)
        };
        self.push(refusal.at, Kind::Refusal, text);
    }

    /// The feature of this name, if lines are verbose.
    fn verbose_feature(&self, name: &str) -> Option<FeatureIndex> {
        let features = &self.server.daemons[self.daemon_index].features;
        let place = features.iter().position(|feature| feature.name == name)?;
        self.style.verbose.then_some(FeatureIndex(place))
    }
}

/// The numbers of a verbose line.
struct Numbers<'a> {
    /// The checkout's; none for a refusal.
    handle: Option<u64>,
    project: &'a str,
    /// Whether the holder has another checkout of the feature.
    shared: bool,
}
