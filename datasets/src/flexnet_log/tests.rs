use super::{Style, Written, write};
use crate::population::Population;
use crate::random::Random;
use crate::server::{Incident, IncidentKind, Server};
use crate::sessions::{Plan, simulate};
use crate::testing::{plan, start, world};
use crate::traps::{Trap, Traps};
use crate::wall::later;
use trueup_model::calendar::Zone;

/// Runs plans through the small world and writes its log.
fn log(
    server: &Server,
    population: &Population,
    style: &Style,
    plans: &[Plan],
) -> (Written, Traps) {
    let mut traps = Traps::default();
    let mut random = Random::new(5);
    let history = simulate(server, 0, plans, population, &mut random, &mut traps);
    let written = write(server, &[history], population, style, &mut random, &mut traps);
    (written, traps)
}

fn text(written: &Written) -> String {
    let files = written.files.iter().map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap());
    files.collect()
}

fn events(text: &str) -> Vec<&str> {
    let words = [") OUT:", ") IN:", ") DENIED:", ") UNSUPPORTED:", ") QUEUED:", ") DEQUEUED:"];
    text.lines().filter(|line| words.iter().any(|word| line.contains(word))).collect()
}

#[test]
fn events_are_written_with_the_time_of_day_and_two_blanks_at_the_end() {
    let (server, population) = world(1, "NONE");
    let counted = Plan { wants: vec![(crate::testing::FEATURE, 1)], ..plan(3_700, 0, 60) };
    let (written, _) = log(&server, &population, &Style::plain("a"), &[counted, plan(3_710, 1, 5)]);
    assert_eq!(
        events(&text(&written)),
        [
            " 9:01:40 (simvd) OUT: \"mesh\" ada@ws1  ",
            " 9:01:50 (simvd) DENIED: \"mesh\" bob@ws2  \
             (Licensed number of users already reached. (-4,342))",
            " 9:02:40 (simvd) IN: \"mesh\" ada@ws1  ",
        ]
    );
}

#[test]
fn counts_stand_in_parentheses_with_one_blank_after_them() {
    let (server, population) = world(9, "NONE");
    let counted = Plan { wants: vec![(crate::testing::FEATURE, 4)], ..plan(60, 0, 60) };
    let (written, _) = log(&server, &population, &Style::plain("a"), &[counted]);
    assert_eq!(events(&text(&written))[0], " 8:01:00 (simvd) OUT: \"mesh\" ada@ws1  (4 licenses) ");
}

#[test]
fn verbose_lines_carry_the_user_and_a_handle_in_their_tail() {
    let (server, population) = world(2, "UH");
    let style = Style { verbose: true, ..Style::plain("a") };
    let held = Plan { project: Some("job 7".to_owned()), ..plan(60, 0, 60) };
    let (written, traps) = log(&server, &population, &style, &[held, plan(70, 0, 60)]);
    let text = text(&written);
    let lines = events(&text);
    assert_eq!(
        lines[0],
        " 8:01:00 (simvd) OUT: \"mesh\" ada@ws1 (1) ^^^ 1.0 ada 10.0.0.10 4000 0x0100 1 2 job 7 11 19 \
         2-16-2026 8:01:01 NO ^^^"
    );
    assert!(lines[1].contains("OUT: \"mesh\" @ws1 (1) ^^^ 1.0 ada "), "{}", lines[1]);
    assert!(lines[1].ends_with(" YES ^^^"), "{}", lines[1]);
    assert_eq!(traps.count(Trap::VerboseLine), 4);
}

#[test]
fn dates_come_every_six_hours_and_five_minutes_later_from_the_daemon() {
    let (server, population) = world(2, "UH");
    let (written, _) = log(&server, &population, &Style::plain("a"), &[]);
    let text = text(&written);
    let stamps: Vec<&str> = text.lines().filter(|line| line.contains("TIMESTAMP")).collect();
    assert_eq!(
        stamps,
        [
            "14:00:00 (lmgrd) TIMESTAMP 2/16/2026",
            "14:05:00 (simvd) TIMESTAMP 2/16/2026",
            "20:00:00 (lmgrd) TIMESTAMP 2/16/2026",
            "20:10:00 (simvd) TIMESTAMP 2/16/2026",
            " 2:00:00 (lmgrd) TIMESTAMP 2/17/2026",
            " 2:15:00 (simvd) TIMESTAMP 2/17/2026",
        ]
    );
    assert!(text.contains(" 8:00:00 (lmgrd) FlexNet Licensing (v11.19.0.0 build 230000 x64_lsb) started on lic1 (linux) (2/16/2026)\n"));
    assert!(text.contains(" 8:00:01 (simvd) Server started on lic1 for:\t\n"));
}

#[test]
fn a_crash_is_silent_and_the_last_line_before_it_is_known() {
    let (mut server, population) = world(2, "NONE");
    let (down, back) = (later(start(), 1_000), later(start(), 1_500));
    server.incidents.push(Incident { kind: IncidentKind::Crash, at: down, back });
    let (written, traps) = log(&server, &population, &Style::plain("a"), &[plan(600, 0, 9_000)]);
    let text = text(&written);
    assert_eq!(events(&text), [" 8:10:00 (simvd) OUT: \"mesh\" ada@ws1  "]);
    assert_eq!(written.last_lines[&(0, 0)], later(start(), 600));
    assert_eq!(text.matches(" started on lic1 ").count(), 3 + 1);
    assert_eq!((traps.count(Trap::ServerRestart), traps.count(Trap::LostCheckout)), (1, 1));
}

#[test]
fn an_idle_clients_own_return_fails_later_and_is_no_event() {
    let (server, population) = world(2, "NONE");
    let idle = Plan { idle: true, ..plan(600, 0, 60) };
    let (written, _) = log(&server, &population, &Style::plain("a"), &[idle]);
    let text = text(&written);
    assert_eq!(events(&text)[1], " 8:11:00 (simvd) IN: \"mesh\" ada@ws1  (INACTIVE)");
    assert!(text.contains(" (simvd) Checkin failed feature \"mesh\": ada ws1 ws1\n"));
    assert!(text.contains(" (simvd) \t\" (0,353:10054 \"\")\"\n"));
}

#[test]
fn a_shutdown_writes_one_return_for_each_holder() {
    let (mut server, population) = world(5, "NONE");
    let (down, back) = (later(start(), 1_000), later(start(), 1_500));
    server.incidents.push(Incident { kind: IncidentKind::Shutdown, at: down, back });
    let plans = [plan(600, 0, 9_000), plan(610, 0, 9_000), plan(620, 1, 9_000)];
    let (written, _) = log(&server, &population, &Style::plain("a"), &plans);
    assert_eq!(
        events(&text(&written))[3..],
        [
            " 8:16:40 (simvd) IN: \"mesh\" ada@ws1  (SHUTDOWN)",
            " 8:16:40 (simvd) IN: \"mesh\" bob@ws2  (SHUTDOWN)",
        ]
    );
}

#[test]
fn rotated_files_together_are_the_whole_and_the_last_repeats_some_lines() {
    let (server, population) = world(5, "NONE");
    let plans: Vec<Plan> = (0..40)
        .map(|number| plan(600 + number * 1_800, usize::try_from(number % 3).unwrap(), 900))
        .collect();
    let whole = log(&server, &population, &Style::plain("a"), &plans).0;
    let cut = [6 * 3_600, 12 * 3_600].map(|seconds| later(start(), seconds));
    let style = Style { rotations: cut.to_vec(), overlap_lines: 7, ..Style::plain("a") };
    let (parts, traps) = log(&server, &population, &style, &plans);
    let names: Vec<&str> = parts.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a-2026-02-16.log", "a-2026-02-16-2.log", "a-2026-02-16-3.log"]);
    assert_eq!((traps.count(Trap::RotatedFile), traps.count(Trap::OverlappingLine)), (2, 7));
    let lines = |written: &Written| text(written).lines().map(str::to_owned).collect::<Vec<_>>();
    let (one, mut many) = (lines(&whole), lines(&parts));
    let third = String::from_utf8(parts.files[2].1.clone()).unwrap().lines().count();
    let repeated = many.len() - third;
    assert_eq!(many[repeated - 7..repeated], many[repeated..repeated + 7]);
    many.drain(repeated..repeated + 7);
    assert_eq!(many, one);
}

#[test]
fn a_torn_last_line_and_windows_line_ends_are_written_as_such() {
    let (server, population) = world(5, "NONE");
    let style = Style { torn: true, crlf: true, byte_order_mark: true, ..Style::plain("a") };
    let (written, _) = log(&server, &population, &style, &[plan(600, 0, 60)]);
    let bytes = &written.files[0].1;
    assert!(bytes.starts_with(b"\xEF\xBB\xBF 8:00:00 (lmgrd) "));
    assert!(bytes.ends_with(b" (simvd) OUT: \"me"), "{:?}", &bytes[bytes.len() - 40..]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    assert_eq!(written.torn_lines, 1);
}

#[test]
fn close_lines_may_stand_in_the_wrong_order_but_never_over_midnight() {
    let (server, population) = world(50, "NONE");
    let pairs = [1_000, 2_000, 57_598];
    let plans: Vec<Plan> = pairs
        .into_iter()
        .flat_map(|second| [plan(second, 0, 100), plan(second + 2, 1, 200)])
        .collect();
    let style = Style { backsteps_per_mille: 1000, ..Style::plain("a") };
    let (written, traps) = log(&server, &population, &style, &plans);
    let text = text(&written);
    let lines = events(&text);
    assert_eq!(lines[0], " 8:16:42 (simvd) OUT: \"mesh\" bob@ws2  ");
    assert_eq!(lines[1], " 8:16:40 (simvd_1) OUT: \"mesh\" ada@ws1  ");
    assert!(text.contains("23:59:58 (simvd) OUT: \"mesh\" ada@ws1  \n 0:00:00 (simvd) OUT:"));
    assert_eq!(traps.count(Trap::Backstep), 2);
    assert_eq!(traps.count(Trap::UnstampedMidnight), 1);
}

#[test]
fn clock_changes_move_the_hours_of_stamps_and_are_counted() {
    let (mut server, population) = world(5, "NONE");
    server.zone = Zone::named("Europe/Madrid").unwrap();
    server.window.start = "2026-03-28T20:00:00Z".parse().unwrap();
    server.window.end = "2026-03-29T12:00:00Z".parse().unwrap();
    let night = Plan { at: "2026-03-29T00:30:00Z".parse().unwrap(), ..plan(0, 0, 3_600) };
    let (written, traps) = log(&server, &population, &Style::plain("a"), &[night]);
    let text = text(&written);
    assert_eq!(
        events(&text),
        [" 1:30:00 (simvd) OUT: \"mesh\" ada@ws1  ", " 3:30:00 (simvd) IN: \"mesh\" ada@ws1  "]
    );
    // Six hours of elapsed time are seven on the wall.
    assert!(text.contains("21:00:00 (lmgrd) FlexNet Licensing ("));
    assert!(text.contains(" 4:00:00 (lmgrd) TIMESTAMP 3/29/2026\n"));
    assert_eq!(traps.count(Trap::SpringGap), 1);
}

#[test]
fn summaries_have_about_the_wanted_share_of_the_lines() {
    let (server, population) = world(500, "NONE");
    let plans: Vec<Plan> = (0..2_000).map(|number| plan(600 + number * 40, 0, 30)).collect();
    for percent in [25, 50, 88] {
        let style = Style { summary_percent: percent, ..Style::plain("a") };
        let (written, _) = log(&server, &population, &style, &plans);
        let share = written.summary_lines * 100 / written.lines;
        assert!(share.abs_diff(percent) <= 6, "{share} for {percent}");
    }
}

#[test]
fn a_verbose_shutdown_returns_what_is_open_and_not_what_an_earlier_crash_lost() {
    let (mut server, population) = world(5, "NONE");
    let stop =
        |kind, at, back| Incident { kind, at: later(start(), at), back: later(start(), back) };
    server.incidents.push(stop(IncidentKind::Crash, 1_000, 1_500));
    server.incidents.push(stop(IncidentKind::Shutdown, 3_000, 3_500));
    let style = Style { verbose: true, ..Style::plain("a") };
    let plans = [plan(600, 0, 50_000), plan(2_000, 0, 50_000)];
    let (written, _) = log(&server, &population, &style, &plans);
    let text = text(&written);
    let lines = events(&text);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].starts_with(" 8:50:00 (simvd) IN: \"mesh\" "), "{}", lines[2]);
    assert!(lines[2].contains(" 0x0101 "), "{}", lines[2]);
}
