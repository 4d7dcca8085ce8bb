//! The two license servers: what they serve and what befalls them.

use super::people::People;
use super::{Clock, day_of, window};
use crate::flexnet_log::Style;
use crate::license_file::{FileLine, FileVersion, Keyword, LicenseFile, Package};
use crate::population::ProductIndex;
use crate::server::{Daemon, Feature, Incident, IncidentKind, Server};
use jiff::civil::date;
use trueup_model::metric::{DuplicateMask, Duplicates};

/// One license for each user and host.
const USER_AND_HOST: Duplicates =
    Duplicates::Grouped(DuplicateMask { user: true, host: true, display: false, vendor: false });

fn feature(name: &str, version: &str, product: ProductIndex, duplicates: Duplicates) -> Feature {
    Feature {
        name: name.to_owned(),
        version: version.to_owned(),
        product,
        duplicates,
        vendor_data: false,
    }
}

/// The server in Frankfurt: the order of its features is that of the constants in `demo.rs`.
pub(super) fn first(people: &People, clock: &Clock) -> Server {
    let each = Duplicates::Each;
    let reread = clock.at(3, 3, 6, 30, 0);
    let daemon = Daemon {
        name: "meridvd".to_owned(),
        features: vec![
            feature("MESH", "9.1", people.mesh, USER_AND_HOST),
            feature("STUDIO_S", "2.0", people.studio, USER_AND_HOST),
            feature("MODELER_2026", "2.0", people.modeler, each),
            feature("MODELER_2025", "2.0", people.modeler, each),
            feature("FLOW", "4.2", people.flow, each),
        ],
        files: vec![
            FileVersion { effective_from: None, file: first_file(8, "order PO-1002") },
            FileVersion {
                effective_from: Some(reread),
                file: first_file(10, "order PO-1002, and two by mistake"),
            },
        ],
    };
    Server {
        host: "lic1.helios.example".to_owned(),
        port: 27_000,
        zone: clock.0.clone(),
        window: window(clock, 40),
        daemons: vec![daemon],
        incidents: vec![Incident {
            kind: IncidentKind::Reread { by: "admin@lic1.helios.example".to_owned() },
            at: reread,
            back: reread,
        }],
    }
}

/// The license file of the first server, with so many licenses of the suite.
fn first_file(suites: u32, notice: &str) -> LicenseFile {
    let issued = Some(date(2024, 1, 2));
    let line = |feature, version, count| FileLine {
        issued,
        ..FileLine::new(Keyword::Increment, feature, version, count)
    };
    LicenseFile {
        packages: vec![Package {
            name: "STUDIO_S".to_owned(),
            version: "2.0".to_owned(),
            components: vec!["MODELER_2026".to_owned(), "MODELER_2025".to_owned()],
        }],
        lines: vec![
            FileLine { duplicates: Some(USER_AND_HOST), ..line("MESH", "9.1", 12) },
            FileLine {
                duplicates: Some(USER_AND_HOST),
                suite_duplicates: Some(USER_AND_HOST),
                notice: Some(notice.to_owned()),
                ..line("STUDIO_S", "2.0", suites)
            },
            line("FLOW", "4.2", 10),
        ],
    }
}

/// The server in Bilbao, on Windows.
pub(super) fn second(people: &People, clock: &Clock) -> Server {
    let issued = Some(date(2025, 2, 20));
    let line = |feature, version, count| FileLine {
        issued,
        ..FileLine::new(Keyword::Increment, feature, version, count)
    };
    let lines = vec![
        FileLine { expiry: Some(day_of(2, 28)), ..line("CFD", "12.0", 5) },
        line("RENDER", "3.3", 50),
    ];
    let daemon = Daemon {
        name: "aurovd".to_owned(),
        features: vec![
            feature("CFD", "12.0", people.cfd, Duplicates::Each),
            feature("RENDER", "3.3", people.render, Duplicates::Each),
        ],
        files: vec![FileVersion {
            effective_from: None,
            file: LicenseFile { packages: Vec::new(), lines },
        }],
    };
    Server {
        host: "lic2.helios.example".to_owned(),
        port: 27_010,
        zone: clock.0.clone(),
        window: window(clock, 52),
        daemons: vec![daemon],
        incidents: vec![Incident {
            kind: IncidentKind::Crash,
            at: clock.at(2, 25, 11, 42, 17),
            back: clock.at(2, 25, 12, 5, 0),
        }],
    }
}

/// The first log: rotated every Monday, its last part copied with some lines of the part before.
pub(super) fn first_style(clock: &Clock) -> Style {
    Style {
        summary_hours: 24,
        summary_percent: 25,
        backsteps_per_mille: 1000,
        rotations: vec![clock.at(2, 23, 0, 0, 0), clock.at(3, 2, 0, 0, 0)],
        overlap_lines: 30,
        echoes: true,
        ..Style::plain("meridvd")
    }
}

/// The second log: one file, as Windows writes it, copied while it was being written.
pub(super) fn second_style() -> Style {
    Style {
        zone_names: ("Romance Standard Time".to_owned(), "Romance Daylight Time".to_owned()),
        byte_order_mark: true,
        crlf: true,
        summary_hours: 24,
        summary_percent: 25,
        torn: true,
        ..Style::plain("aurovd")
    }
}
