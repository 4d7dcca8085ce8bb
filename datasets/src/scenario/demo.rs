//! Helios Engineering: a group with three affiliates, two license servers and seven products, in
//! three weeks of February and March 2026. Small enough to read, with one of everything.
//!
//! `people` says who there is, `servers` what is served and what befalls the servers, `plans` what
//! people do, `tables` what was bought, assigned and metered, `story` tells it all to a reader.

mod people;
mod plans;
mod servers;
mod tables;
pub(crate) mod story;

use super::{Draft, Settings, SiteDraft};
use crate::random::Random;
use crate::server::FeatureIndex;
use crate::traps::Traps;
use crate::wall::local;
use crate::world::{Report, World};
use jiff::civil::{Date, date};
use people::People;
use trueup_model::calendar::Zone;
use trueup_model::time::{Span, Timestamp};

/// The features of the first server's daemon, by place.
const MESH: FeatureIndex = FeatureIndex(0);
const STUDIO: FeatureIndex = FeatureIndex(1);
const MODELER_2026: FeatureIndex = FeatureIndex(2);
const MODELER_2025: FeatureIndex = FeatureIndex(3);
const FLOW: FeatureIndex = FeatureIndex(4);
/// The features of the second server's daemon, by place.
const CFD: FeatureIndex = FeatureIndex(0);
const RENDER: FeatureIndex = FeatureIndex(1);

/// Where the group has its seat; the first server stands there.
const BERLIN: &str = "Europe/Berlin";
/// Where the second server stands.
const MADRID: &str = "Europe/Madrid";

/// Wall clocks of one zone.
#[derive(Clone, Debug)]
struct Clock(Zone);

impl Clock {
    fn new(name: &str) -> Self {
        Self(Zone::named(name).expect("the zone is in the database that is compiled in"))
    }

    /// An instant of 2026 on the wall.
    fn at(&self, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Timestamp {
        local(&self.0, day_of(month, day), hour, minute, second)
    }
}

/// A day of 2026.
fn day_of(month: i8, day: i8) -> Date {
    date(2026, month, day)
}

pub(super) fn draft(_settings: &Settings, random: &Random, traps: &mut Traps) -> Draft {
    let people = People::new();
    let (berlin, madrid) = (Clock::new(BERLIN), Clock::new(MADRID));
    let first = servers::first(&people, &berlin);
    let second = servers::second(&people, &madrid);
    let mut own = random.fork("demo plans");
    let first_plans = plans::first(&people, &berlin, first.window, &mut own);
    let second_plans = plans::second(&people, &madrid, second.window, &mut own);
    let asked_at = berlin.at(3, 6, 10, 30, 0);
    let report = |daemon| Report {
        daemon,
        at: asked_at,
        differences: Vec::new(),
        idle_reservations: Vec::new(),
    };
    let sites = vec![
        SiteDraft {
            style: servers::first_style(&berlin),
            server: first,
            plans: vec![first_plans],
            reports: vec![report(0)],
        },
        SiteDraft {
            style: servers::second_style(),
            server: second,
            plans: vec![second_plans],
            reports: vec![report(0)],
        },
    ];
    let world = World {
        zone: Zone::utc(),
        table_zone: berlin.0.clone(),
        horizon: berlin.at(3, 9, 0, 0, 0),
        purchases: tables::purchases(&people),
        seats: tables::seats(&people),
        usage: tables::usage(&people, &mut random.fork("demo usage"), traps),
        population: people.population,
        sites: Vec::new(),
    };
    Draft { world, sites }
}

/// The time of a server's log: from its first start to the evening of the last Sunday.
fn window(clock: &Clock, minute: i8) -> Span {
    Span::new(clock.at(2, 16, 6, minute, 0), clock.at(3, 8, 20, 0, 0))
}
