//! Generated worlds: small alphabets, a coarse grid of instants, everything that can go wrong.
//!
//! A world is a list of epochs of small deeds, so that a failing one shrinks to the few that matter.
//! It writes itself as a script in the fixture language: what a failure prints can be pasted into a
//! test. Instants lie on a grid around the turns of months between January and April 2025, so that
//! many things happen at once, at period boundaries, and across them.

mod deeds;
mod draws;
mod names;
mod meters;
mod allocations;

use deeds::{Again, Deed};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use std::fmt::{self, Write as _};
use trueup_policy::Policy;

/// The policies that worlds are judged by.
const POLICIES: [&str; 7] = [
    "",
    r#"
    time_zone = "Europe/Berlin"
    standby_days = 2
    conflict = "last"
    further_periods = ["quarter", "all"]
    current_totals = true
    [closing]
    after_seconds = 172800
    [anomalies]
    silence_seconds = 604800
    stuck_after_seconds = 86400
    ahead_seconds = 3600
    spike_deviations = 2
    spike_periods = 2
    [[rule]]
    products = ["SIM"]
    metrics = ["named_user", "concurrent", "feature"]
    named_users = "active"
    near_percent = 50
    allocation_idle_seconds = 864000
    seat_hold_seconds = 2592000
    seat_idle_seconds = 1209600
    renewal_gap_seconds = 864000
    [[rule]]
    products = ["CAD", "APP"]
    seat_hold_counts = true
    seat_idle_seconds = 86400
    allocation_idle_seconds = 86400
    renewal_gap_seconds = 5184000
    billing_unit = "1.5"
    billing_credits = true
    seat_hold_seconds = 5184000
    "#,
    r#"
    position_period = "day"
    further_periods = ["month"]
    current_totals = true
    attempt_window_seconds = 28800
    standby_days = 0
    [closing]
    periods = { "2025-02-01" = "2025-02-02T08:00:00Z" }
    [anomalies]
    silence_seconds = 57600
    stuck_after_seconds = 2592000
    duplicate_percent = 10
    spike_deviations = 1
    spike_periods = 3
    [[rule]]
    products = ["APP", "CAD"]
    duplicates = "U"
    shelfware_percent = 30
    allocation_idle_seconds = 28800
    "#,
    r#"
    position_period = "all"
    further_periods = []
    [closing]
    after_seconds = 0
    [[rule]]
    products = ["*"]
    metrics = ["named_user", "volume"]
    billing_unit = 4
    named_users = "active"
    allocation_idle_seconds = 2592000
    suite_order = "component_first"
    "#,
    r#"
    [[rule]]
    products = ["APP"]
    session_silent_seconds = 50000
    session_drift_seconds = 3600
    linger_seconds = 28800
    [[rule]]
    products = ["CAD", "SIM"]
    session_silent_seconds = 86400
    session_longest_seconds = 200000
    "#,
    r#"
    [[rule]]
    products = ["APP"]
    metrics = ["core", "device"]
    allocation_idle_seconds = 172800
    processors = "oracle_processor"
    stale_after_seconds = 200000
    round = "up"
    users_per_core = 2
    [[rule]]
    products = ["CAD"]
    metrics = ["processor_value", "unique", "resource_value"]
    statistic = "mean"
    stale_after_seconds = 90000
    [[rule]]
    products = ["SIM", "POOL"]
    metrics = ["maximum", "token", "named_user"]
    statistic = "days"
    resource = "device"
    [[rule]]
    products = ["*"]
    metrics = ["latest", "core", "device"]
    processors = "red_hat_sockets"
    statistic = "p70"
    round = "half_up"
    round_parts = true
    "#,
    r#"
    time_zone = "America/New_York"
    position_period = "day"
    further_periods = ["month"]
    [[rule]]
    products = ["APP", "SUITE"]
    metrics = ["core", "processor_value", "resource_value", "level"]
    processors = "windows_server"
    statistic = "end"
    resource = "concurrent"
    suite_order = "component_first"
    [[rule]]
    products = ["*"]
    metrics = ["core", "level", "unique", "maximum", "latest"]
    processors = "sql_server"
    statistic = "mean"
    users_per_license = 3
    round = "half_even"
    "#,
];

/// What stands in a world from the start: nothing; a group whose accounts buy for themselves and for
/// those below them, so that what one does not cover goes to another; rights that are allocated; editions
/// of which the higher ones cover the lower, and their use; or suites, whole and in part.
const BEGINNINGS: [&str; 5] = [
    "",
    "\
[id=g1] account emea under group
[id=g2] account london under emea
[id=g3] account paris under emea
[id=g4] member user ada in london
[id=g5] member user bob in paris
[id=g6] member user cyd in emea
[id=g7] line APP 1 name g7 metric concurrent basis contract account london
[id=g8] line APP 2 name g8 metric concurrent basis contract account emea
[id=g9] line APP 3 name g9 metric concurrent basis contract account group
[id=g10] line CAD 1 name g10 metric volume basis contract account london
[id=g11] line CAD 2 name g11 metric volume basis contract account group
[id=g12] line SIM 1 name g12 metric named_user basis contract account emea
[id=g13] line SIM 1 name g13 metric concurrent basis contract account group
",
    "\
[id=g1] member user ada in london
[id=g2] member device ws1 in paris
[id=g3] line APP 2 name g7 metric concurrent basis contract restricted
[id=g4] line CAD 1 name g9 metric named_user basis contract restricted from 2025-01-31
[id=g5] line SIM 3 name g12 metric level basis contract
[id=g6] allocate g7 to user ada
[id=g7] allocate g7 to device ws1 from 2025-02-01 2
[id=g8] allocate g9 to user bob from 2025-01-30
[id=g9] allocate g12 to user cyd from 2025-02-28 to 2025-04-01
",
    "\
[id=g1] account emea under group
[id=g2] account london under emea
[id=g3] account paris under emea
[id=g4] member user ada in london
[id=g5] member user bob in paris
[id=g6] member user cyd in emea
[id=g7] line APP 2 name g7 metric concurrent basis contract account london
[id=g8] line APP 3 name g8 metric concurrent basis contract account emea from 2025-02-01
[id=g9] line CAD 1 name g9 metric concurrent basis contract account group
[id=g10] line SIM 4 name g10 metric named_user basis license_file account emea
[id=g11] line SUITE 3 name g11 metric device basis contract account group to 2025-03-15
[id=g12] downgrade APP to CAD
[id=g13] downgrade CAD to SIM from 2025-01-31
[id=g14] downgrade SUITE to APP
[id=g15] downgrade SIM to POOL
[id=g16] 2025-01-30T08:00 out CAD ada@ws1 x4 on lic1
[id=g17] 2025-02-02T08:00 out SIM bob@ws2 x2 on lic1
[id=g18] install APP ws1 from 2025-02-01
[id=g19] install CAD ws2 from 2025-01-31 to 2025-03-30
[id=g20] seat POOL ada from 2025-02-01
[id=g21] seat POOL bob from 2025-01-31 to 2025-03-15
[id=g22] seat SIM cyd from 2025-02-02
[id=g23] install POOL ws1 from 2025-02-01
[id=g27] member device ws1 in london
[id=g28] member device ws2 in emea
[id=g24] install POOL ws2 to 2025-04-01
[id=g25] line SUITE unlimited name g25 metric concurrent basis contract account group from 2025-03-31
[id=g26] line APP unknown name g26 metric named_user basis contract account emea from 2025-04-01
",
    "\
[id=g1] account emea under group
[id=g2] member user ada in emea
[id=g3] suite_rule SUITE has APP 60
[id=g4] suite_rule SUITE has CAD mandatory 60
[id=g5] suite_rule SUITE has SIM 60 from 2025-01-31
[id=g6] line SUITE 2 name g6 metric device basis contract account group
[id=g7] line SUITE 2 name g7 metric named_user basis contract account group to 2025-03-30
[id=g8] line APP 2 name g8 metric named_user basis contract account emea from 2025-02-01
[id=g9] line SIM 1 name g9 metric concurrent basis contract account group to 2025-03-02
[id=g10] install APP ws1 from 2025-02-01
[id=g11] install SIM ws1 from 2025-02-01
[id=g12] install CAD ws2 from 2025-01-31
[id=g13] install SUITE 10.0.0.7 from 2025-02-02
[id=g14] seat SUITE ada from 2025-01-31
[id=g15] seat APP ada from 2025-02-02 to 2025-03-15
[id=g16] seat APP bob from 2025-02-01
[id=g17] 2025-02-01T08:00 out SIM bob@10.0.0.7 x1 on lic1
[id=g18] 2025-02-02T08:00 out SIM ada@ws2 x1 on lic1
",
];

/// The seed of the worlds of every day.
const SEED: u64 = 1;

/// For how long a failing world is made smaller, in milliseconds, so that it prints itself in time.
const SHRINK_MS_MAX: u32 = 240_000;

/// So many worlds that are the same in every run, so that a change that breaks one is the change that is
/// blamed; or as many others as `PROPTEST_CASES` asks for.
pub fn config(cases: u32) -> Config {
    let usual = Config { max_shrink_time: SHRINK_MS_MAX, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return usual;
    }
    Config { cases, rng_seed: RngSeed::Fixed(SEED), ..usual }
}

/// What happens in one epoch.
#[derive(Clone, Debug)]
struct Chapter {
    deeds: Vec<Deed>,
    /// Where the horizon moves to on the grid, if it moves; it never goes back.
    horizon: Option<u8>,
}

/// A world: epochs of deeds, the policy by which they are judged, and how many workers judge.
#[derive(Clone)]
pub struct World {
    chapters: Vec<Chapter>,
    beginning: usize,
    policy: usize,
    /// The engine's workers.
    pub workers: usize,
}

impl World {
    /// The policy's text.
    pub fn policy_text(&self) -> &'static str {
        POLICIES[self.policy]
    }

    /// The policy.
    ///
    /// # Panics
    /// Never: the policies are constants that a test reads.
    pub fn policy(&self) -> Policy {
        Policy::from_toml(self.policy_text()).expect("the policies of worlds are right")
    }

    /// The world in the fixture language.
    pub fn script(&self) -> String {
        let mut script = BEGINNINGS[self.beginning].to_owned();
        let all: Vec<&Deed> = self.chapters.iter().flat_map(|chapter| &chapter.deeds).collect();
        let mut index = 0;
        for chapter in &self.chapters {
            for deed in &chapter.deeds {
                match deed {
                    Deed::Again { of, how } => again(&mut script, &all, *of, *how),
                    _ => script += &deed.lines(&format!("d{index}"), ""),
                }
                index += 1;
            }
            match chapter.horizon {
                Some(at) => script += &format!("settle {}\n", names::instant(at)),
                None => script += "settle\n",
            }
        }
        script
    }
}

/// Says something about a fact that was said before, or will be.
fn again(script: &mut String, all: &[&Deed], of: u8, how: Again) {
    let index = usize::from(of) % all.len();
    let deed = all[index];
    let name = format!("d{index}");
    if matches!(deed, Deed::Again { .. }) {
        return;
    }
    match how {
        Again::Repeat => *script += &deed.lines(&name, "arrived=2025-04-20"),
        Again::Contradict => *script += &deed.altered().lines(&name, ""),
        Again::Revise => *script += &deed.altered().lines(&name, "rev=1"),
        Again::Retract(revision) => {
            // Writing to a string cannot fail.
            let _ = writeln!(script, "{}retract {name} rev {revision}", deed.tenant());
        }
    }
}

impl fmt::Debug for World {
    /// As a script, to be pasted into a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} workers, policy {}\n{}", self.workers, self.policy_text(), self.script())
    }
}

/// Worlds of up to `epochs_max` epochs of up to `deeds_max` deeds each.
pub fn worlds(epochs_max: usize, deeds_max: usize) -> impl Strategy<Value = World> {
    let horizon = prop::option::weighted(0.7, names::slot());
    let chapter = (prop::collection::vec(draws::deed(), 0..=deeds_max), horizon)
        .prop_map(|(deeds, horizon)| Chapter { deeds, horizon });
    let chapters = prop::collection::vec(chapter, 1..=epochs_max);
    let workers = prop_oneof![4 => Just(1_usize), 3 => Just(2_usize), 1 => Just(4_usize)];
    (chapters, 0..BEGINNINGS.len(), 0..POLICIES.len(), workers).prop_map(
        |(chapters, beginning, policy, workers)| World { chapters, beginning, policy, workers },
    )
}
