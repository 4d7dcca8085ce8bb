//! A university: many people, four daemons on three servers on three continents, every trap.
//!
//! Each server's log lies around the day of its own calendar trap, so that a world of any length has
//! them all: Madrid's clock is turned back in October, Sydney's forward, and the old server in Boston
//! is read over New Year. The longer the world, the more of everything; `scale` multiplies people and
//! licenses.

mod people;
mod plans;
mod servers;
mod tables;

use super::{DAYS_USUAL, Draft, Settings, SiteDraft};
use crate::random::Random;
use crate::server::{FeatureIndex, Incident, IncidentKind, Server};
use crate::traps::Traps;
use crate::wall::{DAY_SECONDS, days_later, later, local, seconds_between};
use crate::world::{Difference, Report, World};
use people::People;
use trueup_model::calendar::Zone;
use trueup_model::time::{Span, Timestamp};

/// Where the university has its seat, and where its other servers stand.
const MADRID: &str = "Europe/Madrid";
const SYDNEY: &str = "Australia/Sydney";
const BOSTON: &str = "America/New_York";

/// Around when each server's log lies: a turn of its clock, or of the year.
const MADRID_CENTER: &str = "2026-10-25T01:00:00Z";
const SYDNEY_CENTER: &str = "2026-10-03T16:00:00Z";
const BOSTON_CENTER: &str = "2026-01-01T05:00:00Z";

pub(super) fn draft(settings: &Settings, random: &Random, traps: &mut Traps) -> Draft {
    let days = settings.days.unwrap_or(DAYS_USUAL);
    let scale = settings.scale.unwrap_or(1);
    let people = People::new(scale, &mut random.fork("campus people"));
    let madrid = Place::new(MADRID, MADRID_CENTER, days);
    let sydney = Place::new(SYDNEY, SYDNEY_CENTER, days);
    let boston = Place::new(BOSTON, BOSTON_CENTER, days);
    let horizon = madrid.zone.day_end(madrid.zone.local(madrid.window.end).date());
    let sites = vec![
        first(&people, &madrid, scale, random),
        second(&people, &sydney, scale, random),
        third(&people, &boston, scale, random),
    ];
    let world = World {
        zone: Zone::utc(),
        table_zone: madrid.zone.clone(),
        horizon,
        purchases: tables::purchases(&people, scale, madrid.window),
        seats: tables::seats(&people, madrid.window, &madrid.zone),
        usage: tables::usage(&people, scale, &madrid, &mut random.fork("campus usage"), traps),
        population: people.population,
        sites: Vec::new(),
    };
    Draft { world, sites }
}

/// A place with a wall clock, and the time of its log.
pub(super) struct Place {
    zone: Zone,
    /// The instant around which the log lies.
    center: Timestamp,
    window: Span,
}

impl Place {
    fn new(zone: &str, center: &str, days: u32) -> Self {
        let zone = Zone::named(zone).expect("the zone is in the database that is compiled in");
        let center: Timestamp = center.parse().expect("the instant is written in RFC 3339");
        let half = i64::from(days) * DAY_SECONDS / 2;
        let window = Span::new(later(center, -half), later(center, half));
        Self { zone, center, window }
    }

    /// A local time on the day that lies this share of the window, in hundredths, after its start.
    fn at(&self, percent: u64, hour: i8, minute: i8, second: i8) -> Timestamp {
        let whole = seconds_between(self.window.start, self.window.end);
        let days = i64::try_from(whole * percent / 100).unwrap_or(0) / DAY_SECONDS;
        let day = days_later(self.zone.local(self.window.start).date(), days);
        local(&self.zone, day, hour, minute, second)
    }
}

/// Incidents that lie in the window and do not touch each other, in order.
fn fitting(window: Span, mut incidents: Vec<Incident>) -> Vec<Incident> {
    incidents.sort_by_key(|incident| incident.at);
    let mut free_from = later(window.start, 3_600);
    incidents.retain(|incident| {
        let fits = incident.at >= free_from && later(incident.back, 3_600) < window.end;
        if fits {
            free_from = later(incident.back, 3_600);
        }
        fits
    });
    incidents
}

fn incident(kind: IncidentKind, at: Timestamp, seconds: i64) -> Incident {
    Incident { kind, at, back: later(at, seconds) }
}

fn reread(at: Timestamp, by: &str) -> Incident {
    incident(IncidentKind::Reread { by: by.to_owned() }, at, 0)
}

fn report(daemon: usize, at: Timestamp) -> Report {
    Report { daemon, at, differences: Vec::new(), idle_reservations: Vec::new() }
}

/// Madrid: a license server with two daemons, one of suites.
fn first(people: &People, place: &Place, scale: u32, random: &Random) -> SiteDraft {
    let reread_at = place.at(35, 11, 20, 0);
    let incidents = vec![
        incident(IncidentKind::Shutdown, place.at(20, 13, 5, 0), 480),
        reread(reread_at, "root@lic1.northgate.example"),
        incident(IncidentKind::DaemonCrash { daemon: 1 }, place.at(65, 11, 48, 31), 40),
    ];
    let server = Server {
        host: "lic1.northgate.example".to_owned(),
        port: 27_000,
        zone: place.zone.clone(),
        window: place.window,
        daemons: vec![servers::matrix(people, scale, reread_at), servers::drafting(people, scale)],
        incidents: fitting(place.window, incidents),
    };
    let mut own = random.fork("campus plans, Madrid");
    let plans =
        vec![plans::matrix(people, place, &mut own), plans::drafting(people, place, &mut own)];
    let reserved = (servers::CORE, 3 * scale, "TEACHING".to_owned());
    let asked_at = place.at(80, 11, 30, 0);
    let differing = Difference::HolderLeftOut(servers::CAD_S);
    let issued = Difference::Issued(servers::COLL_S, 2 * scale);
    let reports = vec![
        Report { idle_reservations: vec![reserved], ..report(0, asked_at) },
        Report { differences: vec![differing, issued], ..report(1, asked_at) },
    ];
    SiteDraft { server, plans, style: servers::first_style(place, scale), reports }
}

/// Sydney: one daemon, verbose, with a queue.
fn second(people: &People, place: &Place, scale: u32, random: &Random) -> SiteDraft {
    let incidents = vec![
        incident(IncidentKind::Crash, place.at(30, 15, 12, 9), 1_500),
        incident(IncidentKind::Shutdown, place.at(60, 12, 30, 0), 300),
    ];
    let server = Server {
        host: "lic2.northgate.example".to_owned(),
        port: 27_020,
        zone: place.zone.clone(),
        window: place.window,
        daemons: vec![servers::simulation(people, scale)],
        incidents: fitting(place.window, incidents),
    };
    let crowded = place.at(75, 15, 0, 0);
    let mut own = random.fork("campus plans, Sydney");
    let plans = vec![plans::simulation(people, place, crowded, scale, &mut own)];
    let reports = vec![report(0, later(crowded, 600))];
    SiteDraft { server, plans, style: servers::second_style(), reports }
}

/// Boston: an old server for computation, over New Year.
fn third(people: &People, place: &Place, scale: u32, random: &Random) -> SiteDraft {
    let incidents = vec![
        incident(IncidentKind::Crash, place.at(25, 10, 41, 53), 5_400),
        incident(IncidentKind::Crash, place.at(70, 16, 2, 11), 900),
    ];
    let server = Server {
        host: "old1.northgate.example".to_owned(),
        port: 1_055,
        zone: place.zone.clone(),
        window: place.window,
        daemons: vec![servers::computation(people, scale, place)],
        incidents: fitting(place.window, incidents),
    };
    let mut own = random.fork("campus plans, Boston");
    let plans = vec![plans::computation(people, place, &mut own)];
    SiteDraft { server, plans, style: servers::third_style(place), reports: Vec::new() }
}

/// The feature and the count of one license of it.
fn one_of(feature: FeatureIndex) -> Vec<(FeatureIndex, u32)> {
    vec![(feature, 1)]
}
