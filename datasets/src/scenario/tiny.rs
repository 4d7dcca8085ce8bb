//! Four checkouts on one morning: small enough to check every figure by hand.
//!
//! One license of `APP` is bought, two are in the license file, and it is charged once for each user
//! and host. Ada opens it twice on one machine, from 9:00 to 10:00 and from 9:30 to 10:30; Bob has it
//! from 9:45 to 9:50; Cleo from 11:00 on, until the server dies at 11:20. It is back at 11:30.

use super::{Draft, Settings, SiteDraft};
use crate::flexnet_log::Style;
use crate::license_file::{FileLine, FileVersion, Keyword, LicenseFile};
use crate::population::Population;
use crate::random::Random;
use crate::server::{Daemon, Feature, FeatureIndex, Incident, IncidentKind, Server};
use crate::sessions::Plan;
use crate::traps::Traps;
use crate::wall::local;
use crate::world::{Purchase, World};
use jiff::civil::date;
use trueup_model::calendar::Zone;
use trueup_model::contract::LineKind;
use trueup_model::metric::{DuplicateMask, Duplicates, Metric};
use trueup_model::quantity::{Money, Quantity};
use trueup_model::time::Span;

pub(super) fn draft(_settings: &Settings, _random: &Random, _traps: &mut Traps) -> Draft {
    let zone = Zone::utc();
    let day = date(2026, 2, 16);
    let at = |hour, minute| local(&zone, day, hour, minute, 0);
    let mut population = Population::default();
    let company = population.account("Example Ltd", None, "UTC");
    let product = population.product("App", "Apps", "Example Software");
    let feature = FeatureIndex(0);
    let mut plans = Vec::new();
    let ada = (population.person(&["ada"], None), population.machine(&["ws1"], Some(company)));
    let bob = (population.person(&["bob"], None), population.machine(&["ws2"], Some(company)));
    let cleo = (population.person(&["cleo"], None), population.machine(&["ws3"], Some(company)));
    plans.push(Plan::one(at(9, 0), ada, feature, 3_600));
    plans.push(Plan::one(at(9, 30), ada, feature, 3_600));
    plans.push(Plan::one(at(9, 45), bob, feature, 300));
    plans.push(Plan::one(at(11, 0), cleo, feature, 36_000));
    let duplicates =
        Duplicates::Grouped(DuplicateMask { user: true, host: true, ..DuplicateMask::default() });
    let line = FileLine {
        duplicates: Some(duplicates),
        ..FileLine::new(Keyword::Increment, "APP", "1.0", 2)
    };
    let daemon = Daemon {
        name: "exampled".to_owned(),
        features: vec![Feature {
            name: "APP".to_owned(),
            version: "1.0".to_owned(),
            product,
            duplicates,
            vendor_data: false,
        }],
        files: vec![FileVersion {
            effective_from: None,
            file: LicenseFile { packages: Vec::new(), lines: vec![line] },
        }],
    };
    let server = Server {
        host: "lic1".to_owned(),
        port: 27_000,
        zone: zone.clone(),
        window: Span::new(at(8, 0), at(16, 0)),
        daemons: vec![daemon],
        incidents: vec![Incident { kind: IncidentKind::Crash, at: at(11, 20), back: at(11, 30) }],
    };
    let purchase = Purchase {
        line: "PO-1".to_owned(),
        contract: "EX-2026".to_owned(),
        product,
        metric: Metric::Concurrent,
        quantity: Quantity::ONE,
        start: Some(date(2026, 1, 1)),
        end: None,
        account: company,
        cost: Some(Money { amount: 900_000_000, currency: *b"EUR" }),
        kind: LineKind::Base,
    };
    let world = World {
        zone: zone.clone(),
        table_zone: zone.clone(),
        horizon: at(18, 0),
        population,
        sites: Vec::new(),
        purchases: vec![purchase],
        seats: Vec::new(),
        usage: Vec::new(),
    };
    let utc = || "UTC".to_owned();
    let style = Style { zone_names: (utc(), utc()), ..Style::plain("exampled") };
    let site = SiteDraft { server, plans: vec![plans], style, reports: Vec::new() };
    Draft { world, sites: vec![site] }
}
