//! What the four daemons serve, and how their servers write.

use super::Place;
use super::people::People;
use crate::flexnet_log::Style;
use crate::license_file::{FileLine, FileVersion, Keyword, LicenseFile, Package, Supersedes};
use crate::population::ProductIndex;
use crate::server::{Daemon, Feature, FeatureIndex};
use jiff::civil::date;
use trueup_model::metric::Duplicates;
use trueup_model::time::Timestamp;

/// Features of the matrix daemon, by place.
pub(super) const CORE: FeatureIndex = FeatureIndex(0);
pub(super) const SIGNAL: FeatureIndex = FeatureIndex(1);
pub(super) const ALGEBRA: FeatureIndex = FeatureIndex(2);
pub(super) const LIBRARY: FeatureIndex = FeatureIndex(3);
pub(super) const STATISTICS: FeatureIndex = FeatureIndex(4);
/// Features of the drafting daemon, by place.
pub(super) const CAD_S: FeatureIndex = FeatureIndex(0);
pub(super) const COLL_S: FeatureIndex = FeatureIndex(1);
pub(super) const MODEL_2026: FeatureIndex = FeatureIndex(2);
pub(super) const MODEL_2025: FeatureIndex = FeatureIndex(3);
pub(super) const VIEW_2026: FeatureIndex = FeatureIndex(4);
/// Features of the simulation daemon, by place.
pub(super) const SIM: FeatureIndex = FeatureIndex(0);
pub(super) const POST: FeatureIndex = FeatureIndex(1);
pub(super) const CORE_AU: FeatureIndex = FeatureIndex(2);
/// Features of the computation daemon, by place.
pub(super) const HPC: FeatureIndex = FeatureIndex(0);
pub(super) const ENGINE: FeatureIndex = FeatureIndex(1);

/// How many licenses of the simulation there are at scale 1.
pub(super) const SIM_COUNT: u32 = 6;

fn rule(text: &str) -> Duplicates {
    Duplicates::parse(text).expect("the rule is written as license files do")
}

fn feature(name: &str, product: ProductIndex, duplicates: &str, vendor_data: bool) -> Feature {
    Feature {
        name: name.to_owned(),
        version: "26.0".to_owned(),
        product,
        duplicates: rule(duplicates),
        vendor_data,
    }
}

fn line(feature: &Feature, count: u32) -> FileLine {
    let says = feature.duplicates != Duplicates::Each;
    FileLine {
        duplicates: says.then_some(feature.duplicates),
        issued: Some(date(2025, 9, 1)),
        ..FileLine::new(Keyword::Increment, &feature.name, &feature.version, count)
    }
}

fn first_version(file: LicenseFile) -> FileVersion {
    FileVersion { effective_from: None, file }
}

/// Computer algebra, with toolboxes that are charged in different ways.
pub(super) fn matrix(people: &People, scale: u32, reread_at: Timestamp) -> Daemon {
    let products = &people.products;
    let features = vec![
        feature("CORE", products.core, "UH", false),
        feature("SIGNAL", products.signal, "UHV", true),
        feature("ALGEBRA", products.algebra, "U", false),
        feature("SITE_LIB", products.library, "SITE", false),
        feature("STATS", products.statistics, "H", false),
    ];
    let file = |core: FileLine| {
        let keyword = Keyword::Feature;
        let repeated = FileLine { keyword, ..line(&features[2], 99) };
        let tolerant = FileLine { overdraft: 2 * scale, ..line(&features[4], 4 * scale) };
        let lines = vec![
            FileLine { issued: Some(date(2024, 9, 1)), ..line(&features[0], 30 * scale) },
            core,
            line(&features[1], 20 * scale),
            FileLine { keyword, ..line(&features[2], 12 * scale) },
            repeated,
            FileLine { count: None, ..line(&features[3], 0) },
            tolerant,
        ];
        LicenseFile { packages: Vec::new(), lines }
    };
    let replacing = |count| FileLine {
        supersedes: Supersedes::Same,
        notice: Some("replaces the lines of the year before, all of them".to_owned()),
        ..line(&features[0], count)
    };
    let files = vec![
        first_version(file(replacing(36 * scale))),
        FileVersion {
            effective_from: Some(reread_at),
            file: file(FileLine { issued: Some(date(2026, 9, 1)), ..replacing(40 * scale) }),
        },
    ];
    Daemon { name: "matvd".to_owned(), features, files }
}

/// Drawing, sold as suites that contain the same components.
pub(super) fn drafting(people: &People, scale: u32) -> Daemon {
    let products = &people.products;
    let features = vec![
        feature("64300CAD_F", products.cad, "UH", false),
        feature("86815COLL_F", products.collection, "UH", false),
        feature("87545MODEL_2026_0F", products.modeling, "NONE", false),
        feature("87393MODEL_2025_0F", products.modeling, "NONE", false),
        feature("87600VIEW_2026_0F", products.viewing, "NONE", false),
    ];
    let package = |suite: &Feature, components: &[usize]| Package {
        name: suite.name.clone(),
        version: suite.version.clone(),
        components: components.iter().map(|index| features[*index].name.clone()).collect(),
    };
    let suite = |index: usize, count| FileLine {
        suite_duplicates: Some(rule("UH")),
        ..line(&features[index], count)
    };
    let file = LicenseFile {
        packages: vec![package(&features[0], &[2, 3]), package(&features[1], &[2, 3, 4])],
        lines: vec![suite(0, 10 * scale), suite(1, 3 * scale)],
    };
    Daemon { name: "draftvd".to_owned(), features, files: vec![first_version(file)] }
}

/// Simulation, with a queue.
pub(super) fn simulation(people: &People, scale: u32) -> Daemon {
    let products = &people.products;
    let features = vec![
        feature("SIM", products.simulation, "NONE", false),
        feature("SIM_POST", products.post, "UH", false),
        feature("CORE_AU", products.core, "UH", false),
    ];
    let lines = vec![
        line(&features[0], SIM_COUNT * scale),
        line(&features[1], 4 * scale),
        line(&features[2], 8 * scale),
    ];
    let file = LicenseFile { packages: Vec::new(), lines };
    Daemon { name: "simvd".to_owned(), features, files: vec![first_version(file)] }
}

/// Computation in many pieces; one of the two ends in the middle.
pub(super) fn computation(people: &People, scale: u32, place: &Place) -> Daemon {
    let products = &people.products;
    let features = vec![
        feature("hpc", products.computing, "NONE", false),
        feature("distrib_engine", products.engine, "NONE", false),
    ];
    let last_day = place.zone.local(place.at(60, 12, 0, 0)).date();
    let lines = vec![
        line(&features[0], 128 * scale),
        FileLine { expiry: Some(last_day), ..line(&features[1], 48 * scale) },
    ];
    let file = LicenseFile { packages: Vec::new(), lines };
    Daemon { name: "fieldvd".to_owned(), features, files: vec![first_version(file)] }
}

/// When a log is rotated: on the days so many hundredths into it, at five in the morning.
fn rotations(place: &Place, percents: &[u64]) -> Vec<Timestamp> {
    percents.iter().map(|percent| place.at(*percent, 5, 0, 0)).collect()
}

pub(super) fn first_style(place: &Place, scale: u32) -> Style {
    Style {
        summary_percent: 45,
        backsteps_per_mille: 400,
        rotations: rotations(place, &[25, 50, 75]),
        overlap_lines: 120,
        echoes: true,
        reread_lists_features: true,
        reservations: vec![(0, "CORE".to_owned(), 3 * scale, "TEACHING".to_owned())],
        ..Style::plain("lic1")
    }
}

pub(super) fn second_style() -> Style {
    Style {
        zone_names: ("AEST".to_owned(), "AEDT".to_owned()),
        verbose: true,
        summary_percent: 70,
        backsteps_per_mille: 200,
        ..Style::plain("lic2")
    }
}

pub(super) fn third_style(place: &Place) -> Style {
    Style {
        zone_names: ("Eastern Standard Time".to_owned(), "Eastern Daylight Time".to_owned()),
        byte_order_mark: true,
        crlf: true,
        summary_percent: 30,
        backsteps_per_mille: 300,
        rotations: rotations(place, &[50]),
        torn: true,
        ..Style::plain("old1")
    }
}
