use super::*;
use crate::formats::Collected;
use crate::formats::flexnet::testing::{Case, at, bodies, context, identities, rejects, shared};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::Body;
use trueup_model::observation::{
    ObservedPool, ObservedServer, ObservedSession, Reservation, ServerState,
};

fn read_with(
    context: &Context,
    options: &LmstatOptions,
    text: &[u8],
) -> (Collected, LmstatSummary) {
    let mut collected = Collected::default();
    let summary = read(context, options, text, &mut collected);
    (collected, summary)
}

fn read_text(text: &str) -> Collected {
    read_with(&context("UTC"), &LmstatOptions::default(), text.as_bytes()).0
}

/// The case's answer, read.
fn of_case(case: &Case) -> Collected {
    let hosts = case.given("/known_hosts").and_then(Value::as_array).cloned().unwrap_or_default();
    let known_hosts = hosts.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let options = LmstatOptions { known_hosts, ..LmstatOptions::default() };
    let (collected, summary) = read_with(&case.context(), &options, &case.file("lmstat.txt"));
    assert_eq!((summary.rejects, rejects(&collected)), (0, vec![]));
    collected
}

fn pools(collected: &Collected) -> Vec<&ObservedPool<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::ObservedPool(pool) = body { Some(pool) } else { None })
        .collect()
}

fn holders(collected: &Collected) -> Vec<&ObservedSession<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::ObservedSession(row) = body { Some(row) } else { None })
        .collect()
}

fn reserved(collected: &Collected) -> Vec<&Reservation<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::Reservation(row) = body { Some(row) } else { None })
        .collect()
}

fn servers(collected: &Collected) -> Vec<&ObservedServer<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::ObservedServer(row) = body { Some(row) } else { None })
        .collect()
}

/// Compares each expected figure of each feature with what the facts sum up to.
fn assert_features(collected: &Collected, expected: &Value) {
    for (feature, figures) in expected.as_object().expect("by feature") {
        let pool = pools(collected).into_iter().find(|pool| pool.product == *feature);
        let pool = pool.expect("a pool");
        let issued = match pool.issued {
            Capacity::Limited(units) => units.0 / 1_000_000,
            Capacity::Unlimited | Capacity::Unknown => -1,
        };
        let of = |queued: bool, only: &dyn Fn(&ObservedSession<String>) -> bool| {
            let rows = holders(collected).into_iter();
            let rows = rows.filter(|row| row.product == *feature && row.queued == queued);
            rows.filter(|row| only(row)).map(|row| i64::from(row.count)).sum::<i64>()
        };
        let out = of(false, &|_| true);
        let idle = reserved(collected).into_iter().filter(|row| row.product == *feature);
        let idle: i64 = idle.map(|row| i64::from(row.count)).sum();
        let mut pools_out: BTreeMap<&Option<String>, i64> = BTreeMap::new();
        let mut users = BTreeSet::new();
        for row in
            holders(collected).into_iter().filter(|row| row.product == *feature && !row.queued)
        {
            *pools_out.entry(&row.pool).or_default() += i64::from(row.count);
            users.insert(row.user.to_lowercase());
        }
        for (key, value) in figures.as_object().expect("figures") {
            let found = match key.as_str() {
                "issued" if value.is_null() => continue,
                "issued" => Value::from(issued),
                "uncounted" => Value::from(pool.issued == Capacity::Unlimited),
                "checked_out" => Value::from(out),
                "reserved_idle" => Value::from(idle),
                "free" => Value::from(issued - out - idle),
                "reported_in_use" => Value::from(pool.reported_in_use),
                "queued" => Value::from(of(true, &|_| true)),
                "over_issued" => Value::from((out - issued).max(0)),
                "borrowed_or_lingering" => {
                    Value::from(of(false, &|row| row.linger_seconds.is_some()))
                }
                "distinct_users" => Value::from(users.len()),
                "pools" => Value::from(pools_out.values().copied().collect::<Vec<_>>()),
                other => panic!("{other} is not compared"),
            };
            assert_eq!(found, *value, "{feature}: {key}");
        }
    }
}

#[test]
fn idle_reservations_are_told_apart_from_use() {
    let Some(case) = Case::open("c18-lm-reservations") else { return };
    let collected = of_case(&case);
    assert_features(&collected, case.expect("/features"));
    let instant = at(case.expect("/at").as_str().expect("an instant"));
    assert!(pools(&collected).iter().all(|pool| pool.at == instant));
    assert!(reserved(&collected).iter().all(|row| row.at == Some(instant)));
    for (host, state) in case.expect("/servers").as_object().expect("by host") {
        let found = servers(&collected).into_iter().find(|row| row.server == *host);
        assert_eq!(found.expect("a server").state.name(), state, "{host}");
    }
    let masters: Vec<&str> = servers(&collected)
        .into_iter()
        .filter(|row| row.master)
        .map(|row| row.server.as_str())
        .collect();
    assert_eq!(masters, ["lic4.example.org"]);
    let daemon = servers(&collected).into_iter().find(|row| row.daemon).expect("a daemon");
    assert_eq!((daemon.server.as_str(), daemon.state), ("SIMVD@lic4.example.org", ServerState::Up));
    assert_eq!(*case.expect("/vendor_up"), daemon.state == ServerState::Up);
    assert!(pools(&collected).iter().all(|pool| pool.server == daemon.server));
}

#[test]
fn queues_lingering_and_version_blocks_are_told_apart() {
    let Some(case) = Case::open("c19-lm-queued-linger-case") else { return };
    let collected = of_case(&case);
    assert_features(&collected, case.expect("/features"));
    let users: BTreeSet<String> = holders(&collected)
        .into_iter()
        .filter(|row| !row.queued)
        .map(|row| row.user.to_lowercase())
        .collect();
    let expected = case.expect("/users").as_array().expect("a list").iter();
    let expected: BTreeSet<String> =
        expected.filter_map(Value::as_str).map(str::to_lowercase).collect();
    assert_eq!(users, expected);
    for (user, process) in case.expect("/pids").as_object().expect("by user") {
        let row = holders(&collected).into_iter().find(|row| row.user == *user).expect("a holder");
        assert_eq!(*process, row.process.expect("a process"));
    }
    let kim = holders(&collected).into_iter().find(|row| row.user == "kim").expect("a holder");
    assert_eq!(kim.start, Some(at("2018-09-24T07:10:00Z")), "of the report's year, in its zone");
    let sue = holders(&collected).into_iter().find(|row| row.user == "sue").expect("a holder");
    assert_eq!(sue.pool.as_deref(), Some("2016.0831"));
}

#[test]
fn displays_of_any_text_do_not_hide_users_and_hosts() {
    let Some(case) = Case::open("c20-lm-display-garbage") else { return };
    let collected = of_case(&case);
    assert_features(&collected, case.expect("/features"));
    let found: BTreeMap<&str, &str> = holders(&collected)
        .into_iter()
        .map(|row| (row.user.as_str(), row.device.as_str()))
        .collect();
    let expected = case.expect("/users").as_object().expect("by user").iter();
    assert_eq!(found, expected.map(|(u, h)| (u.as_str(), h.as_str().expect("a host"))).collect());
    let host = case.expect("/server_host").as_str().expect("a host");
    for row in holders(&collected) {
        assert_eq!(row.server.to_lowercase(), format!("gisvd@{host}"), "one server in any case");
    }
    assert_eq!(collected.notes, [], "nothing is uncertain with the hosts given");
}

#[test]
fn real_answers_add_up_to_what_the_server_says_is_in_use() {
    // The first and the fifth were changed by hand when they were published, and do not add up.
    for (number, pools_told, holders_told, adds_up) in [
        (1, 54, 129, false),
        (2, 10, 38, true),
        (3, 46, 168, true),
        (4, 60, 5, true),
        (5, 122, 85, false),
        (6, 53, 106, true),
    ] {
        let Some(bytes) = shared(&format!("data/lmstat/lmstat_app{number}.txt")) else { return };
        let (collected, summary) = read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
        let told = (summary.pools, summary.sessions, summary.rejects);
        assert_eq!(told, (pools_told, holders_told, 0), "app{number}");
        assert_eq!(identities(&collected).len(), collected.facts.len(), "app{number}");
        for pool in pools(&collected).into_iter().filter(|_| adds_up) {
            let mine =
                |server: &str, feature: &str| server == pool.server && feature == pool.product;
            let out = holders(&collected).into_iter().filter(|row| !row.queued);
            let out = out.filter(|row| mine(&row.server, &row.product)).map(|row| row.count);
            let idle = reserved(&collected).into_iter();
            let idle = idle.filter(|row| mine(&row.server, &row.product)).map(|row| row.count);
            let sum = out.chain(idle).sum::<u32>();
            let in_use = pool.reported_in_use.unwrap_or(sum);
            assert_eq!(sum, in_use, "app{number}: {}", pool.product);
        }
    }
}

#[test]
fn excerpts_of_answers_are_read_as_far_as_they_go() {
    for (file, sum, count) in [
        ("flexlm_output.txt", 93, 3),
        ("flexlm_output_2.txt", 1_600, 3),
        ("flexlm_output_3.txt", 3, 3),
        ("flexlm_output_4.txt", 18, 6),
        ("flexlm_output_5.txt", 1, 1),
        ("flexlm_output_no_licenses.txt", 0, 0),
    ] {
        let Some(bytes) = shared(&format!("data/floating-managers/{file}")) else { return };
        let (collected, summary) = read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
        let out: u32 = holders(&collected).iter().map(|row| row.count).sum();
        assert_eq!((out, holders(&collected).len()), (sum, count), "{file}");
        assert_eq!(pools(&collected)[0].reported_in_use, Some(sum), "{file}");
        assert_eq!((summary.rejects, pools(&collected).len()), (0, 1), "{file}");
    }
}

#[test]
fn a_question_that_failed_is_unknown_and_not_zero() {
    let Some(bytes) = shared("data/floating-managers/flexlm_output_bad.txt") else { return };
    let (collected, _) = read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
    let [server] = servers(&collected)[..] else { panic!("one server") };
    assert_eq!((server.server.as_str(), server.state), ("unknown", ServerState::Unknown));
    assert_eq!(server.at, at("2021-03-31T09:12:00Z"), "a zero before the month");
    assert_eq!(pools(&collected).len(), 0);
}

#[test]
fn of_several_servers_only_those_without_an_answer_are_unknown() {
    let collected = read_text(
        "License server status: 1@a,1@b\n\na: license server UP v11\n\nError getting status: x (-15,570)\n",
    );
    let states: Vec<_> =
        servers(&collected).iter().map(|row| (row.server.as_str(), row.state)).collect();
    assert_eq!(states, [("a", ServerState::Up), ("b", ServerState::Unknown)]);
}

#[test]
fn servers_and_daemons_are_up_down_or_unknown() {
    let Some(bytes) = shared("data/lmstat/lmstat_server_down.txt") else { return };
    let (collected, _) = read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
    let states: Vec<_> = servers(&collected)
        .iter()
        .map(|row| (row.server.as_str(), row.state.name(), row.master))
        .collect();
    let expected = [
        ("host1", "up", false),
        ("host2", "up", true),
        ("host3", "down", false),
        ("daemon@host2", "up", false),
    ];
    assert_eq!(states, expected);
}

#[test]
fn a_machine_in_two_spellings_is_one_server() {
    let Some(bytes) = shared("data/lmstat/lmstat_server_up_win.txt") else { return };
    let (collected, _) = read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
    let states: Vec<_> =
        servers(&collected).iter().map(|row| (row.server.as_str(), row.master)).collect();
    assert_eq!(
        states,
        [("BVS15004", true), ("ptc_d@BVS15004", false)],
        "one machine, two spellings"
    );
}

#[test]
fn daemons_are_down_or_unknown_by_what_is_said_of_them() {
    let collected = read_text(
        "License server status: 1@a\n\na: license server UP (MASTER) v11\n\nVendor daemon status (on a):\n\n  \
         vd: The desired vendor daemon is down. (-97,121)\n  wd: Something odd\n",
    );
    let states: Vec<_> = servers(&collected).iter().map(|row| row.state).collect();
    assert_eq!(states, [ServerState::Up, ServerState::Down, ServerState::Unknown]);
}

#[test]
fn pools_that_the_server_could_not_speak_of_are_unknown() {
    let collected = read_text(
        "Vendor daemon status (on a):\n\n  vd: UP v11\n\n\
         Users of one:  (Error: 21 licenses, unsupported by licensed server)\n\n\
         Users of two:  (Uncounted, node-locked)\n\n\
         Cannot get users of three: No such feature exists. (-5,222)\n\n\
         Users of four:  (Total of 1 license issued;  Total of 0 licenses in use)\n\n\
         Users of five:  nonsense\n",
    );
    let told: Vec<_> = pools(&collected)
        .iter()
        .map(|pool| (pool.product.as_str(), pool.issued, pool.reported_in_use))
        .collect();
    let one = Capacity::Limited(Quantity::units(1));
    let expected = [
        ("one", Capacity::Unknown, None),
        ("two", Capacity::Unlimited, None),
        ("three", Capacity::Unknown, None),
        ("four", one, Some(0)),
    ];
    assert_eq!(told, expected);
    let [(13, reject)] = rejects(&collected)[..] else { panic!("one reject") };
    assert_eq!(reject.reason, RejectReason::Malformed);
    assert!(pools(&collected).iter().all(|pool| pool.server == "vd@a"));
}

const ANSWER: &str = "\
Flexible License Manager status on Fri 10/20/2017 17:02

License server status: 27002@lic3
lic3: license server UP (MASTER) v11.7

Vendor daemon status (on lic3):

  avd: UP v11.6
  bvd: UP v11.6

Feature usage info:

Users of mesh:  (Total of 4 licenses issued;  Total of 3 licenses in use)

  \"mesh\" v1.0, vendor: avd
  vendor_string: x
  floating license

    ada n1 /dev/tty (v1.0) (lic3/27002 1), start Fri 10/20 14:12
    ada n1 /dev/tty (v1.0) (lic3/27002 1), start Fri 10/20 14:12

  \"mesh\" v1.0, vendor: avd
  floating license

    bob n2 /dev/tty (v1.0) (lic3/27002 2), start Mon 2/29 0:12

Users of view:  (Total of 4 licenses issued;  Total of 0 licenses in use)

";

#[test]
fn equal_holders_and_equal_version_blocks_stay_apart() {
    let collected = read_text(ANSWER);
    let rows: Vec<_> = holders(&collected)
        .iter()
        .map(|row| (row.user.as_str(), row.pool.as_deref().expect("a block")))
        .collect();
    assert_eq!(rows, [("ada", "1.0"), ("ada", "1.0"), ("bob", "1.0 (2)")]);
    assert_eq!(identities(&collected).len(), collected.facts.len());
    let bob = holders(&collected)[2].start;
    assert_eq!(bob, Some(at("2016-02-29T00:12:00Z")), "the last leap day was a Monday");
}

#[test]
fn an_answer_that_is_read_twice_gives_the_same_facts() {
    let once = read_text(ANSWER);
    let twice = read_text(&format!("{ANSWER}{ANSWER}"));
    assert_eq!(identities(&once), identities(&twice));
    let later = read_text(&format!("{ANSWER}{}", ANSWER.replace("17:02", "17:12")));
    assert_eq!(identities(&later).len(), 2 * identities(&once).len());
    assert_eq!(pools(&later)[2].at, at("2017-10-20T17:12:00Z"));
}

#[test]
fn several_servers_in_one_answer_keep_their_own_daemons() {
    let second = ANSWER
        .replace("Flexible License Manager status on Fri 10/20/2017 17:02\n", "----\n")
        .replace("lic3", "lic9");
    let collected = read_text(&format!("{ANSWER}{second}"));
    let told: Vec<&str> = pools(&collected).iter().map(|pool| pool.server.as_str()).collect();
    assert_eq!(told, ["avd@lic3", "unknown@lic3", "avd@lic9", "unknown@lic9"]);
    let words = "several daemons answer, and a pool without users does not name its own";
    let remarks = collected.notes.iter().filter(|(_, said)| said == words).count();
    assert_eq!(remarks, 2, "once for each server");
    let given = LmstatOptions { host: Some("main".to_owned()), ..LmstatOptions::default() };
    let (renamed, _) = read_with(&context("UTC"), &given, ANSWER.as_bytes());
    assert_eq!(pools(&renamed)[0].server, "avd@main");
}

#[test]
fn an_answer_without_a_header_is_of_when_it_was_received() {
    let text = "Users of f:  (Total of 1 license issued;  Total of 0 licenses in use)\n";
    assert_eq!(pools(&read_text(text))[0].at, at("2030-01-01T00:00:00Z"));
    let given = LmstatOptions { at: Some(at("2020-01-01T00:00:00Z")), ..LmstatOptions::default() };
    let (collected, _) = read_with(&context("UTC"), &given, text.as_bytes());
    assert_eq!(pools(&collected)[0].at, at("2020-01-01T00:00:00Z"));
    assert_eq!(pools(&collected)[0].server, "unknown@unknown");
}

#[test]
fn lines_that_are_not_understood_are_told_and_lose_nothing_else() {
    let damaged = ANSWER
        .replacen("(lic3/27002 1), start Fri", "(lic3/27002 1, start Fri", 1)
        .replace("  vendor_string: x", "\t8 RESERVATIONs for GROUP");
    let collected = read_text(&damaged);
    let found: Vec<_> = rejects(&collected)
        .iter()
        .map(|(line, reject)| (*line, reject.detail.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(found, [(16, "an unclear reservation"), (19, "a holder without its anchors")]);
    assert_eq!(holders(&collected).len(), 2);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_with(&context("UTC"), &LmstatOptions::default(), &bytes);
    }

    #[test]
    fn no_damaged_answer_panics(places in proptest::collection::vec((0..ANSWER.len(), any::<u8>()), 0..12)) {
        let mut text = ANSWER.as_bytes().to_vec();
        for (place, byte) in places {
            text[place] = byte;
        }
        read_with(&context("Europe/Madrid"), &LmstatOptions::default(), &text);
    }
}
