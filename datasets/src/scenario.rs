//! Scenarios: worlds put together, as files and right answers.

mod campus;
mod demo;
mod tiny;

use crate::expected::{Expected, FileGiven, FileKind, Given};
use crate::flexnet_log::{self, Style, Written};
use crate::license_file::{self, Header};
use crate::lmstat;
use crate::random::Random;
use crate::server::Server;
use crate::sessions::{Plan, simulate};
use crate::tables::{SEATS, tables};
use crate::traps::{Trap, Traps};
use crate::truth::answers::{daemon_answers, entitled_answers, judged};
use crate::world::{Report, Site, World};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Days of logs, where the scenario leaves it open.
    pub days: Option<u32>,
    /// How many times the usual number of people, where the scenario leaves it open.
    pub scale: Option<u32>,
}

/// Days of logs if nothing is said.
pub const DAYS_USUAL: u32 = 30;
/// The most days that a world may have.
pub const DAYS_MAX: u32 = 1_500;
/// The most that a world may be scaled by.
pub const SCALE_MAX: u32 = 50;
/// The most that days times scale may be: about four hundred thousand checkouts and 140 MB of logs,
/// all of which is held in memory.
pub const SIZE_MAX: u32 = 1_500;

/// Files and their right answers.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The files by name, in the order in which the answers list them.
    pub files: Vec<(String, Vec<u8>)>,
    /// The right answers.
    pub expected: Expected,
    /// A page for people, for scenarios that tell a story.
    pub readme: Option<String>,
}

/// A scenario by name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// Whether days and scale can be chosen.
    pub is_sizable: bool,
    build: fn(&Settings, &Random, &mut Traps) -> Draft,
    story: Option<fn(&Expected) -> String>,
}

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "demo",
        summary: "Helios Engineering: a small group, two servers, seven products, three weeks",
        is_sizable: false,
        build: demo::draft,
        story: Some(demo::story::story),
    },
    Scenario {
        name: "campus",
        summary: "a university: three servers on three continents, every trap of real logs",
        is_sizable: true,
        build: campus::draft,
        story: None,
    },
    Scenario {
        name: "tiny",
        summary: "four checkouts on one morning; every figure can be checked by hand",
        is_sizable: false,
        build: tiny::draft,
        story: None,
    },
];

/// Why a world cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// No scenario has this name.
    #[error("there is no scenario `{name}`; there are {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The scenario has a size of its own.
    #[error("scenario `{name}` has a size of its own; leave out days and scale")]
    FixedSize {
        /// The scenario.
        name: String,
    },
    /// Nothing, or more than can be made.
    #[error("{what} is {value}; give a number from 1 to {most}")]
    OutOfRange {
        /// Days, scale, or both together.
        what: &'static str,
        /// What was asked for.
        value: u32,
        /// The most.
        most: u32,
    },
}

fn names() -> String {
    SCENARIOS.iter().map(|one| format!("`{}`", one.name)).collect::<Vec<_>>().join(", ")
}

/// A world before anything has happened in it.
pub(crate) struct Draft {
    pub(crate) world: World,
    pub(crate) sites: Vec<SiteDraft>,
}

/// A license server, what people will ask of it, and how it will write that down.
pub(crate) struct SiteDraft {
    pub(crate) server: Server,
    /// What is asked of each daemon.
    pub(crate) plans: Vec<Vec<Plan>>,
    pub(crate) style: Style,
    pub(crate) reports: Vec<Report>,
}

/// Makes a world: the same name and settings give the same bytes.
///
/// # Errors
/// If there is no such scenario, or its size cannot be what the settings say.
pub fn generate(name: &str, settings: &Settings) -> Result<Generated, ScenarioError> {
    let scenario = SCENARIOS
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(|| ScenarioError::Unknown { name: name.to_owned() })?;
    if !scenario.is_sizable && (settings.days.is_some() || settings.scale.is_some()) {
        return Err(ScenarioError::FixedSize { name: name.to_owned() });
    }
    for (what, value, most) in
        [("days", settings.days, DAYS_MAX), ("scale", settings.scale, SCALE_MAX)]
    {
        if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
            return Err(ScenarioError::OutOfRange { what, value, most });
        }
    }
    let days = settings.days.unwrap_or(DAYS_USUAL);
    let size = days.saturating_mul(settings.scale.unwrap_or(1));
    if size > SIZE_MAX {
        let what = "days times scale";
        return Err(ScenarioError::OutOfRange { what, value: size, most: SIZE_MAX });
    }
    let random = Random::new(settings.seed);
    let mut traps = Traps::default();
    let draft = (scenario.build)(settings, &random, &mut traps);
    Ok(finish(scenario, settings, &random, draft, traps))
}

/// Lets everything happen, writes it down, and answers.
fn finish(
    scenario: &Scenario,
    settings: &Settings,
    random: &Random,
    draft: Draft,
    mut traps: Traps,
) -> Generated {
    let mut world = draft.world;
    for (number, site) in draft.sites.into_iter().enumerate() {
        let mut own = random.fork(&format!("site {number}"));
        let written = happen(site, &world, &mut own, &mut traps);
        world.sites.push(written);
    }
    let mut files: Vec<(FileGiven, Vec<u8>)> = Vec::new();
    for site in &world.sites {
        let mut own = random.fork(&format!("files of {}", site.server.host));
        site_files(&world, site, &mut own, &mut traps, &mut files);
    }
    for (name, bytes) in tables(&world) {
        let zone = world.table_zone.name().to_owned();
        let mut table = given(name, FileKind::Table, zone);
        if table.name == SEATS {
            // A list of seats speaks from some day on; this one from that of its first row.
            let starts = world.seats.iter().filter_map(|seat| seat.start).min();
            table.effective_from = starts.map(|day| world.table_zone.day_start(day));
        }
        files.push((table, bytes));
    }
    count_refusals(&world, &mut traps);
    let (positions, discrepancies) = judged(&world);
    let expected = Expected {
        scenario: scenario.name.to_owned(),
        seed: settings.seed,
        given: Given {
            zone: world.zone.name().to_owned(),
            table_zone: world.table_zone.name().to_owned(),
            horizon: world.horizon,
            files: files.iter().map(|(given, _)| given.clone()).collect(),
            rules: RULES.iter().map(|rule| (*rule).to_owned()).collect(),
        },
        traps,
        daemons: daemon_answers(&world),
        entitled: entitled_answers(&world),
        positions,
        discrepancies,
    };
    let files = files.into_iter().map(|(given, bytes)| (given.name, bytes)).collect();
    let readme = scenario.story.map(|story| story(&expected));
    Generated { files, expected, readme }
}

/// The rules that the answers go by.
const RULES: [&str; 9] = [
    "intervals are half-open; what begins and ends at one instant is taken together",
    "user and host names compare without regard to case; runs of blanks are one blank",
    "use counts for the account of the user's membership, else of the machine's",
    "a component's checkout is not charged while its holder holds the suite on the same daemon",
    "checkouts of one duplicate group cost the largest single count among them",
    "a license and a purchase are valid through their last day",
    "where a product has purchases these are entitled, and the license file is a second claim",
    "near the limit is 90 % of entitled; shelfware is a surplus of 50 % in the current month",
    "a denied attempt is met by a checkout of one of its features within 60 seconds",
];

fn happen(site: SiteDraft, world: &World, random: &mut Random, traps: &mut Traps) -> Site {
    let SiteDraft { server, plans, style, reports } = site;
    let mut histories = Vec::new();
    for (daemon, asked) in plans.iter().enumerate() {
        histories.push(simulate(&server, daemon, asked, &world.population, random, traps));
    }
    let written = flexnet_log::write(&server, &histories, &world.population, &style, random, traps);
    Site { server, histories, style, written, reports }
}

/// The files of a license server: its log, its license files, its answers.
fn site_files(
    world: &World,
    site: &Site,
    random: &mut Random,
    traps: &mut Traps,
    files: &mut Vec<(FileGiven, Vec<u8>)>,
) {
    let zone = || site.server.zone.name().to_owned();
    let Written { files: parts, .. } = &site.written;
    for (name, bytes) in parts {
        let mut part = given(name.clone(), FileKind::FlexnetLog, zone());
        part.log = Some(site.style.file_stem.clone());
        files.push((part, bytes.clone()));
    }
    let (host, port) = (site.server.host.as_str(), site.server.port);
    for daemon in &site.server.daemons {
        for (number, version) in daemon.files.iter().enumerate() {
            let header = Header { host, port, daemon: &daemon.name };
            let bytes = license_file::write(header, &version.file, site.style.crlf, random, traps);
            let name = match (daemon.files.len(), number) {
                (1, _) => format!("{}.lic", daemon.name),
                _ => format!("{}-{}.lic", daemon.name, number + 1),
            };
            let mut file = given(name, FileKind::FlexnetLicense, zone());
            file.daemon = Some(daemon.server_name(host));
            file.effective_from = version.effective_from;
            files.push((file, bytes));
        }
    }
    for report in &site.reports {
        let daemon = &site.server.daemons[report.daemon];
        let bytes = lmstat::write(world, site, report, traps);
        let name = format!("{}-{}.lmstat", daemon.name, stamp(&site.server.zone, report.at));
        let mut file = given(name, FileKind::FlexnetLmstat, zone());
        file.daemon = Some(daemon.server_name(host));
        files.push((file, bytes));
    }
}

/// `2026-03-06-1030`.
fn stamp(zone: &Zone, at: Timestamp) -> String {
    let clock = zone.local(at);
    format!("{}-{:02}{:02}", clock.date(), clock.hour(), clock.minute())
}

fn given(name: String, kind: FileKind, zone: String) -> FileGiven {
    FileGiven { name, kind, zone, daemon: None, log: None, effective_from: None }
}

/// Counts which refusals were met.
fn count_refusals(world: &World, traps: &mut Traps) {
    use crate::truth::refusals::attempts;
    use trueup_model::usage::SessionKind;
    for site in &world.sites {
        for daemon in 0..site.server.daemons.len() {
            let denied = attempts(site, daemon, SessionKind::Deny);
            traps.add(Trap::DeniedUnmet, denied.unmet);
            traps.add(Trap::DeniedThenServed, denied.attempts - denied.unmet);
            let unsupported = attempts(site, daemon, SessionKind::Unsupported);
            traps.add(Trap::UnsupportedThenOut, unsupported.attempts - unsupported.unmet);
        }
    }
}

#[cfg(test)]
mod tests;
