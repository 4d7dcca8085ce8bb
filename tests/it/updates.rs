//! A correction of the past changes what depends on it, and nothing else: looked at in the stream of
//! updates, not in the end result.

use std::collections::BTreeSet;
use trueup_connectors::load::File;
use trueup_model::calendar::Calendar;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::publisher::Published;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_tests::local::Local;

const ACCOUNTS: &str = "\
account,parent,start,end,time_zone
Group,,,,
North,Group,,,
South,Group,,,
";

const MEMBERS: &str = "\
kind,member,account
user,ada,North
user,bob,South
user,cyd,South
";

const ALIASES: &str = "\
kind,raw,canonical
user,ada.l,ada
product,MESH,Mesh
";

const PURCHASES: &str = "\
line,product,metric,quantity,start,end,account
P1,Mesh,concurrent,1,2025-01-01,,North
P2,Mesh,concurrent,2,2025-01-01,,Group
P3,Flow,concurrent,3,2025-02-10,,Group
";

const LICENSE: &str = "\
SERVER lic1 001122334455 27000
VENDOR simd
INCREMENT MESH simd 1.0 permanent 5 SIGN=0
INCREMENT FLOW simd 1.0 permanent 3 SIGN=0
INCREMENT TOOL simd 1.0 permanent 1 SIGN=0
";

const LOG: &str = "\
 8:00:00 (lmgrd) TIMESTAMP 1/7/2025
 8:00:00 (simd) Server started on lic1 for:	MESH FLOW TOOL
 9:00:00 (simd) OUT: \"MESH\" ada.l@pc1  
 9:00:01 (simd) OUT: \"MESH\" ada@pc2  
 9:30:00 (simd) OUT: \"Flow\" bob@pc3  
10:00:00 (simd) OUT: \"TOOL\" cyd@pc4  
11:00:00 (simd) IN: \"MESH\" ada.l@pc1  
11:00:01 (simd) IN: \"MESH\" ada@pc2  
11:30:00 (simd) IN: \"Flow\" bob@pc3  
12:00:00 (simd) IN: \"TOOL\" cyd@pc4  
 8:00:00 (lmgrd) TIMESTAMP 2/7/2025
 9:00:00 (simd) OUT: \"MESH\" bob@pc3  
 9:00:00 (simd) OUT: \"Flow\" bob@pc3  
11:00:00 (simd) IN: \"MESH\" bob@pc3  
11:00:00 (simd) IN: \"Flow\" bob@pc3  
";

/// An engine with a small group in it.
struct Group {
    local: Local,
    /// How many seconds after the first load a file is loaded.
    later: i64,
}

impl Group {
    fn start(workers: usize) -> Self {
        let horizon = "2025-02-20T00:00:00Z".parse().unwrap();
        let settings = Settings {
            workers,
            policy: Policy::default(),
            horizon: Horizon::Fixed(horizon),
            ..Settings::default()
        };
        let mut group = Self { local: Local::with(settings), later: 0 };
        group.local.load(&[
            File::new("accounts.csv", ACCOUNTS.as_bytes()),
            File::new("members.csv", MEMBERS.as_bytes()),
            File::new("aliases.csv", ALIASES.as_bytes()),
            File::new("purchases.csv", PURCHASES.as_bytes()),
            File::new("license.dat", LICENSE.as_bytes()),
            File::new("debug.log", LOG.as_bytes()),
        ]);
        group
    }

    /// Loads a later version of a file; gives the positions that changed, as the stream of updates
    /// names them, and checks the stream against the views.
    fn change(&mut self, name: &str, text: &str) -> BTreeSet<String> {
        let before: BTreeSet<String> = self.positions();
        let stream = self.local.engine.subscribe(64);
        self.later += 60;
        self.local.received_at = Timestamp::from_seconds(1_800_000_000 + self.later);
        self.local.load(&[File::new(name, text.as_bytes().to_vec())]);
        let mut touched = BTreeSet::new();
        let mut replayed = before;
        for Published { changes, .. } in stream.try_iter() {
            for (position, diff) in &changes.positions {
                touched.insert(self.name(position));
                let row = self.row(position);
                let known = if *diff > 0 { replayed.insert(row) } else { replayed.remove(&row) };
                assert!(known, "the stream takes away or adds what it cannot");
            }
        }
        assert_eq!(replayed, self.positions(), "the stream does not lead to what is read");
        touched
    }

    fn positions(&self) -> BTreeSet<String> {
        let views = self.local.engine.views();
        views.positions.values().map(|position| self.row(position)).collect()
    }

    fn row(&self, position: &trueup_model::position::LicensePosition) -> String {
        format!("{position:?}")
    }

    /// Account, product and month.
    fn name(&self, position: &trueup_model::position::LicensePosition) -> String {
        let names = self.local.engine.names();
        let shown = |id: u64| names.shown(trueup_model::id::Id(id));
        let key = position.key;
        let month = Calendar::natural(self.local.zone.clone()).label(key.period);
        format!("{} {} {month}", shown(key.account.0), shown(key.product.0))
    }
}

/// Each month by the month alone, each change by both, on one and two workers.
fn check(name: &str, text: &str, expected: &[&str]) {
    for workers in [1, 2] {
        let mut group = Group::start(workers);
        let touched = group.change(name, text);
        let months: BTreeSet<&str> =
            touched.iter().map(String::as_str).filter(|one| !one.ends_with(" all")).collect();
        assert_eq!(months, expected.iter().copied().collect(), "{name}, {workers} workers");
        // Saying the same again touches nothing.
        let again = group.change(name, text);
        assert!(again.is_empty(), "{name} said again touches {again:?}");
    }
}

#[test]
fn removing_an_alias_touches_the_person_s_account_and_where_the_use_goes_instead() {
    // Without it `ada.l` is nobody's, so one of two checkouts leaves North in January.
    check(
        "aliases.csv",
        "kind,raw,canonical\nproduct,MESH,Mesh\n",
        &["North Mesh 2025-01", "Group Mesh 2025-01", "(unattributed) Mesh 2025-01"],
    );
}

#[test]
fn a_changed_license_file_touches_the_feature_that_changed() {
    check(
        "license.dat",
        &LICENSE.replace("TOOL simd 1.0 permanent 1", "TOOL simd 1.0 permanent 2"),
        &["(all) TOOL 2025-01", "(all) TOOL 2025-02"],
    );
}

#[test]
fn back_dating_a_purchase_touches_its_product_from_then_on() {
    // February is short until the tenth, January altogether.
    check("purchases.csv", &PURCHASES.replace("2025-02-10", "2025-02-01"), &["Group Flow 2025-02"]);
    check(
        "purchases.csv",
        &PURCHASES.replace("2025-02-10", "2025-01-01"),
        &["Group Flow 2025-01", "Group Flow 2025-02"],
    );
}

#[test]
fn moving_an_affiliate_touches_what_it_uses_and_not_what_others_do() {
    // South's use of Mesh and Flow no longer reaches the group's lines.
    let moved = ACCOUNTS.replace("South,Group,,,", "South,,,,");
    check(
        "accounts.csv",
        &moved,
        &[
            "Group Flow 2025-01",
            "Group Flow 2025-02",
            "Group Mesh 2025-02",
            "South Flow 2025-01",
            "South Flow 2025-02",
            "South Mesh 2025-02",
        ],
    );
}
