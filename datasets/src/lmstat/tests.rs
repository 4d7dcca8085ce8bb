use super::{Answer, answer, write};
use crate::flexnet_log::{self, Style};
use crate::population::Population;
use crate::random::Random;
use crate::server::Server;
use crate::sessions::{Plan, simulate};
use crate::testing::{FEATURE, plan, start, world as small};
use crate::traps::{Trap, Traps};
use crate::wall::later;
use crate::world::{Difference, Report, Site, World};
use trueup_model::calendar::Zone;

/// A world of one server, asked once.
fn world(server: Server, population: Population, plans: &[Plan], report: Report) -> World {
    let (mut random, mut traps) = (Random::new(1), Traps::default());
    let histories = vec![simulate(&server, 0, plans, &population, &mut random, &mut traps)];
    let style = Style::plain("a");
    let written =
        flexnet_log::write(&server, &histories, &population, &style, &mut random, &mut traps);
    let site = Site { server, histories, style, written, reports: vec![report] };
    World {
        zone: Zone::utc(),
        table_zone: Zone::utc(),
        horizon: site.server.window.end,
        population,
        sites: vec![site],
        purchases: Vec::new(),
        seats: Vec::new(),
        usage: Vec::new(),
    }
}

fn asked(seconds: i64) -> Report {
    Report {
        daemon: 0,
        at: later(start(), seconds),
        differences: Vec::new(),
        idle_reservations: Vec::new(),
    }
}

fn text(world: &World) -> (String, Traps) {
    let mut traps = Traps::default();
    let site = &world.sites[0];
    let bytes = write(world, site, &site.reports[0], &mut traps);
    (String::from_utf8(bytes).unwrap(), traps)
}

#[test]
fn holders_of_one_group_are_one_line_and_reservations_count_as_in_use() {
    let (server, population) = small(5, "UH");
    let plans = [plan(60, 0, 9_000), plan(90, 0, 9_000), plan(3_630, 1, 9_000)];
    let mut report = asked(3_660);
    report.idle_reservations.push((FEATURE, 2, "TEACHING".to_owned()));
    let world = world(server, population, &plans, report);
    let (text, traps) = text(&world);
    for part in [
        "Flexible License Manager status on Mon 2/16/2026 09:01\n",
        "License server status: 27000@lic1\n",
        "  simvd: UP v11.19.0\n",
        "Users of mesh:  (Total of 5 licenses issued;  Total of 4 licenses in use)\n",
        "  \"mesh\" v1.0, vendor: simvd\n  floating license\n",
        "\t2 RESERVATIONs for GROUP TEACHING (lic1/27000)\n",
        "    ada ws1 ws1 (v1.0) (lic1/27000 256), start Mon 2/16 8:01\n",
        "    bob ws2 ws2 (v1.0) (lic1/27000 258), start Mon 2/16 9:00\n",
    ] {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
    assert_eq!(text.matches("    ada ws1 ").count(), 1);
    assert_eq!(traps.count(Trap::ReportReservation), 1);
}

#[test]
fn who_waits_is_listed_and_holds_nothing() {
    let (server, population) = small(1, "NONE");
    let patient = Plan { patience_seconds: Some(5_000), ..plan(90, 1, 60) };
    let world = world(server, population, &[plan(60, 0, 9_000), patient], asked(120));
    let (text, _) = text(&world);
    assert!(text.contains("Total of 1 license issued;  Total of 1 license in use"), "{text}");
    assert!(text.contains("    bob ws2 ws2 (v1.0) (lic1/27000 9000) queued for 1 license\n"));
}

#[test]
fn an_answer_can_be_told_to_differ() {
    let (server, population) = small(5, "NONE");
    let mut report = asked(120);
    report.differences.push(Difference::HolderLeftOut(FEATURE));
    report.differences.push(Difference::Issued(FEATURE, 3));
    let world = world(server, population, &[plan(60, 0, 900), plan(61, 1, 900)], report);
    let site = &world.sites[0];
    let Answer::Pool { issued, holders, .. } = answer(&world, site, &site.reports[0], FEATURE)
    else {
        panic!("the daemon counts the feature");
    };
    assert_eq!((issued, holders.len()), (3, 1));
}

#[test]
fn an_ended_license_is_no_feature_any_more() {
    let (mut server, population) = small(5, "NONE");
    server.daemons[0].files[0].file.lines[0].expiry = Some(jiff::civil::date(2026, 2, 15));
    let world = world(server, population, &[], asked(120));
    let (text, _) = text(&world);
    assert!(text.contains("Cannot get users of mesh: No such feature exists. (-5,222)\n"));
}
