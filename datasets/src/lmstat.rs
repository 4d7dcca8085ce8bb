//! What a license server answers when it is asked (`lmstat -a`): its pools and their holders.
//!
//! One line for each duplicate group, not for each checkout, as servers do; licenses set aside count
//! as in use; who waits stands among the holders. An answer can be told to differ from the truth.

use crate::server::FeatureIndex;
use crate::sessions::Holder;
use crate::traps::{Trap, Traps};
use crate::truth::usage::group;
use crate::wall::{file_date, weekday_name};
use crate::world::{Difference, Report, Site, World};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use trueup_model::quantity::{Capacity, ONE_UNIT};
use trueup_model::time::Timestamp;

/// A holder in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Who, where.
    pub holder: Holder,
    /// Since when.
    pub since: Timestamp,
    /// How many licenses.
    pub count: u32,
    /// The server's number of the checkout.
    pub handle: u64,
}

/// What a server says of one feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It counts it.
    Pool {
        /// Licenses issued.
        issued: u32,
        /// Who holds them, in the order in which they came.
        holders: Vec<Listed>,
        /// Who waits, and for how many.
        queued: Vec<(Holder, u32)>,
        /// Licenses set aside and idle: how many, for which group.
        reserved: Vec<(u32, String)>,
    },
    /// It serves it without counting.
    Uncounted,
    /// It serves it no more.
    NoSuchFeature,
}

/// The answer for a feature.
pub fn answer(world: &World, site: &Site, report: &Report, feature: FeatureIndex) -> Answer {
    let daemon = &site.server.daemons[report.daemon];
    let history = &site.histories[report.daemon];
    let granted = daemon.granted(feature, report.at, &site.server.zone);
    let mut issued = match granted.map(|granted| granted.capacity) {
        Some(Capacity::Limited(limit)) if limit.0 <= 0 => return Answer::NoSuchFeature,
        Some(Capacity::Limited(limit)) => u32::try_from(limit.0 / ONE_UNIT).unwrap_or(u32::MAX),
        Some(Capacity::Unlimited | Capacity::Unknown) => return Answer::Uncounted,
        None => suite_count(site, report, feature),
    };
    let mut groups: BTreeMap<Vec<usize>, Listed> = BTreeMap::new();
    for (index, checkout) in history.checkouts.iter().enumerate() {
        let held = site.held(report.daemon, index).most.contains(report.at);
        if checkout.feature != feature || !held {
            continue;
        }
        let rule = daemon.features[feature.0].duplicates;
        let key = group(world, rule, index, checkout.holder, checkout.data.is_some());
        let listed = Listed {
            holder: checkout.holder,
            since: checkout.opened,
            count: checkout.count,
            handle: checkout.handle,
        };
        let first = groups.entry(key).or_insert(listed);
        first.count = first.count.max(checkout.count);
    }
    let mut holders: Vec<Listed> = groups.into_values().collect();
    holders.sort_by_key(|listed| (listed.since, listed.handle));
    for difference in &report.differences {
        match difference {
            Difference::HolderLeftOut(other) if *other == feature => {
                holders.pop();
            }
            Difference::Issued(other, count) if *other == feature => issued = *count,
            Difference::HolderLeftOut(_) | Difference::Issued(..) => {}
        }
    }
    let waiting = history.waits.iter().filter(|wait| {
        let until = wait.until.unwrap_or(Timestamp::MAX);
        wait.feature == feature && wait.from <= report.at && report.at < until
    });
    let reserved = report.idle_reservations.iter().filter(|(other, ..)| *other == feature);
    Answer::Pool {
        issued,
        holders,
        queued: waiting.map(|wait| (wait.holder, 1)).collect(),
        reserved: reserved.map(|(_, count, name)| (*count, name.clone())).collect(),
    }
}

/// How many licenses of a component are issued: as many as of the suites that contain it.
fn suite_count(site: &Site, report: &Report, feature: FeatureIndex) -> u32 {
    let daemon = &site.server.daemons[report.daemon];
    let name = &daemon.features[feature.0].name;
    let file = daemon.file_at(report.at);
    let packages = file.packages.iter().filter(|package| package.components.contains(name));
    let counts = packages.filter_map(|package| {
        let granted = file.granted(&package.name, report.at, &site.server.zone)?;
        let Capacity::Limited(limit) = granted.capacity else { return None };
        u32::try_from(limit.0 / ONE_UNIT).ok()
    });
    counts.sum()
}

/// Writes an answer.
pub fn write(world: &World, site: &Site, report: &Report, traps: &mut Traps) -> Vec<u8> {
    let daemon = &site.server.daemons[report.daemon];
    let (host, port) = (&site.server.host, site.server.port);
    let clock = site.server.zone.local(report.at);
    let mut text = String::new();
    let _ = writeln!(text, "lmutil - as generated for Trueup's data sets");
    let _ = writeln!(
        text,
        "Flexible License Manager status on {} {}/{}/{} {:02}:{:02}\n",
        weekday_name(clock.date()),
        clock.month(),
        clock.day(),
        clock.year(),
        clock.hour(),
        clock.minute()
    );
    let _ = writeln!(text, "License server status: {port}@{host}");
    let _ = writeln!(text, "    License file(s) on {host}: /srv/licenses/{}.lic:\n", daemon.name);
    let _ = writeln!(text, "{host}: license server UP (MASTER) v11.19.0\n");
    let _ = writeln!(text, "Vendor daemon status (on {host}):\n\n  {}: UP v11.19.0\n", daemon.name);
    let _ = writeln!(text, "Feature usage info:\n");
    for feature in 0..daemon.features.len() {
        pool(world, site, report, FeatureIndex(feature), &mut text, traps);
    }
    traps.add(Trap::ReportDiffers, report.differences.len() as u64);
    text.into_bytes()
}

fn pool(
    world: &World,
    site: &Site,
    report: &Report,
    index: FeatureIndex,
    text: &mut String,
    traps: &mut Traps,
) {
    let daemon = &site.server.daemons[report.daemon];
    let feature = &daemon.features[index.0];
    let (issued, holders, queued, reserved) = match answer(world, site, report, index) {
        Answer::Uncounted => {
            let _ = writeln!(text, "Users of {}:  (Uncounted, node-locked)\n", feature.name);
            return;
        }
        Answer::NoSuchFeature => {
            let gone = "No such feature exists. (-5,222)";
            let _ = writeln!(text, "Cannot get users of {}: {gone}\n", feature.name);
            return;
        }
        Answer::Pool { issued, holders, queued, reserved } => (issued, holders, queued, reserved),
    };
    let set_aside: u32 = reserved.iter().map(|(count, _)| count).sum();
    let in_use = holders.iter().map(|listed| listed.count).sum::<u32>() + set_aside;
    let plural = |count: u32| if count == 1 { "" } else { "s" };
    let _ = writeln!(
        text,
        "Users of {}:  (Total of {issued} license{} issued;  Total of {in_use} license{} in use)\n",
        feature.name,
        plural(issued),
        plural(in_use)
    );
    if holders.is_empty() && queued.is_empty() && reserved.is_empty() {
        return;
    }
    let file = daemon.file_at(report.at);
    let expiry = file.counting(&feature.name).iter().find_map(|line| line.expiry);
    let expiry = expiry.map_or_else(String::new, |day| format!(", expiry: {}", file_date(day)));
    let (name, version) = (&feature.name, &feature.version);
    let _ = writeln!(text, "  \"{name}\" v{version}, vendor: {}{expiry}", daemon.name);
    let _ = writeln!(text, "  floating license\n");
    let place = format!("{}/{}", site.server.host, site.server.port);
    for (count, group) in &reserved {
        let plural = plural(*count);
        let _ = writeln!(text, "\t{count} RESERVATION{plural} for GROUP {group} ({place})");
        traps.add(Trap::ReportReservation, 1);
    }
    for listed in &holders {
        let start = site.server.zone.local(listed.since);
        let count = match listed.count {
            1 => String::new(),
            count => format!(", {count} licenses"),
        };
        let _ = writeln!(
            text,
            "    {} (v{version}) ({place} {}), start {} {}/{} {}:{:02}{count}",
            who(world, listed.holder),
            listed.handle,
            weekday_name(start.date()),
            start.month(),
            start.day(),
            start.hour(),
            start.minute()
        );
    }
    for (number, (holder, count)) in queued.iter().enumerate() {
        let _ = writeln!(
            text,
            "    {} (v{version}) ({place} {}) queued for {count} license{}",
            who(world, *holder),
            9_000 + number,
            plural(*count)
        );
        traps.add(Trap::ReportQueue, 1);
    }
    text.push('\n');
}

/// `user host display`, as holders are listed.
fn who(world: &World, holder: Holder) -> String {
    let person = &world.population.people[holder.person.0].spellings[holder.person_spelling];
    let machine = &world.population.machines[holder.machine.0].spellings[holder.machine_spelling];
    format!("{person} {machine} {machine}")
}

#[cfg(test)]
mod tests;
