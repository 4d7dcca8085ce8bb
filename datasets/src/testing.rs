//! A small world for tests: one server, one feature, three people at three machines.

use crate::license_file::{FileLine, FileVersion, Keyword, LicenseFile};
use crate::population::{MachineIndex, PersonIndex, Population, ProductIndex};
use crate::server::{Daemon, Feature, FeatureIndex, Server};
use crate::sessions::Plan;
use crate::wall::later;
use trueup_model::calendar::Zone;
use trueup_model::metric::Duplicates;
use trueup_model::time::{Span, Timestamp};

/// The one feature of the small world.
pub(crate) const FEATURE: FeatureIndex = FeatureIndex(0);

/// When the small world begins: a Monday morning.
pub(crate) fn start() -> Timestamp {
    "2026-02-16T08:00:00Z".parse().unwrap()
}

/// A daemon with so many licenses of one feature, and three people on three machines.
pub(crate) fn world(count: u32, duplicates: &str) -> (Server, Population) {
    let mut population = Population::default();
    for (login, host) in [("ada", "ws1"), ("bob", "ws2"), ("cid", "ws3")] {
        population.person(&[login], None);
        population.machine(&[host], None);
    }
    let duplicates = Duplicates::parse(duplicates).unwrap();
    let line = FileLine {
        duplicates: Some(duplicates),
        ..FileLine::new(Keyword::Increment, "mesh", "1.0", count)
    };
    let daemon = Daemon {
        name: "simvd".to_owned(),
        features: vec![Feature {
            name: "mesh".to_owned(),
            version: "1.0".to_owned(),
            product: ProductIndex(0),
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
        port: 27000,
        zone: Zone::utc(),
        window: Span::new(start(), later(start(), 86_400)),
        daemons: vec![daemon],
        incidents: Vec::new(),
    };
    (server, population)
}

/// A wish of a person at their own machine, so many seconds after the start.
pub(crate) fn plan(seconds: i64, who: usize, hold_seconds: u64) -> Plan {
    let holder = (PersonIndex(who), MachineIndex(who));
    Plan::one(later(start(), seconds), holder, FEATURE, hold_seconds)
}
