use super::*;
use crate::formats::Collected;
use crate::formats::flexnet::testing::{
    at, context, identities, read as read_log, sessions, shared,
};
use trueup_model::usage::{SessionEvent, SessionKind};

/// The log that these files are, as text.
fn merged(zone: &str, texts: &[&str]) -> String {
    let names: Vec<String> = (0..texts.len()).map(|n| format!("file-{n}")).collect();
    let named = names.iter().zip(texts);
    let files: Vec<LogFile<'_>> =
        named.map(|(name, text)| LogFile { name, bytes: text.as_bytes() }).collect();
    let zone = Zone::named(zone).expect("a zone");
    let merged = merge(&files, &zone);
    let pieces = merged
        .pieces
        .iter()
        .map(|piece| str::from_utf8(&files[piece.file].bytes[piece.bytes.clone()]).expect("text"));
    pieces.collect()
}

const DAY: &str = "\
10:00:00 (lmgrd) TIMESTAMP 5/2/2023
10:00:05 (vd) OUT: \"f\" a@h  
10:00:05 (vd) OUT: \"f\" a@h  
11:00:00 (vd) OUT: \"f\" b@h  
16:00:00 (lmgrd) TIMESTAMP 5/2/2023
16:00:07 (vd) IN: \"f\" a@h  
16:00:07 (vd) IN: \"f\" a@h  
22:00:00 (lmgrd) TIMESTAMP 5/2/2023
23:00:00 (vd) IN: \"f\" b@h  
 4:00:00 (lmgrd) TIMESTAMP 5/3/2023
 5:00:00 (vd) OUT: \"f\" c@h  
 6:00:00 (vd) IN: \"f\" c@h  
";

fn lines(text: &str, range: Range<usize>) -> String {
    text.split_inclusive('\n').take(range.end).skip(range.start).collect()
}

#[test]
fn a_log_that_was_rotated_at_any_line_is_itself_again() {
    let count = DAY.lines().count();
    for cut in 0..=count {
        let (a, b) = (lines(DAY, 0..cut), lines(DAY, cut..count));
        assert_eq!(merged("UTC", &[&a, &b]), DAY, "cut at line {cut}");
        for second in cut..=count {
            let (middle, end) = (lines(DAY, cut..second), lines(DAY, second..count));
            assert_eq!(merged("UTC", &[&a, &middle, &end]), DAY, "cut at lines {cut} and {second}");
        }
    }
}

#[test]
fn copies_that_overlap_contain_each_other_or_come_twice_are_one_log() {
    let count = DAY.lines().count();
    for (a, b) in [
        (0..8, 4..count),
        (0..count, 4..9),
        (0..count, 0..count),
        (0..5, 0..count),
        (0..count, 7..count),
        (0..10, 3..count),
    ] {
        let (first, second) = (lines(DAY, a.clone()), lines(DAY, b.clone()));
        assert_eq!(merged("UTC", &[&first, &second]), DAY, "{a:?} and {b:?}");
        assert_eq!(merged("UTC", &[&second, &first]), DAY, "{b:?} and {a:?}");
    }
    let thirds = [lines(DAY, 6..count), lines(DAY, 0..5), lines(DAY, 3..8)];
    let [c, a, b] = thirds.each_ref().map(String::as_str);
    assert_eq!(merged("UTC", &[c, a, b]), DAY, "in any order");
    let windows = lines(DAY, 4..count).replace('\n', "\r\n");
    let whole = merged("UTC", &[&lines(DAY, 0..8), &windows]);
    assert_eq!(whole.replace('\r', ""), DAY, "line ends do not matter");
}

#[test]
fn real_repetition_at_a_rotation_stays() {
    let a = "10:00:00 (lmgrd) TIMESTAMP 5/2/2023\n10:00:05 (vd) OUT: \"f\" a@h  \n";
    let b = "10:00:05 (vd) OUT: \"f\" a@h  \n11:00:00 (lmgrd) TIMESTAMP 5/2/2023\n";
    assert_eq!(merged("UTC", &[a, b]), format!("{a}{b}"), "one equal line is no overlap");
    let many = "10:00:05 (vd) OUT: \"f\" a@h  \n".repeat(3);
    let (a, b) = (format!("{a}{many}"), format!("{many}{b}"));
    assert_eq!(merged("UTC", &[&a, &b]), format!("{a}{b}"), "nor is one line repeated");
    let pair = "10:00:06 (vd) OUT: \"f\" a@h  \n10:00:06 (vd) OUT: \"g\" a@h  \n";
    let (a, b) = (format!("{a}{pair}"), format!("{pair}{b}"));
    assert_eq!(merged("UTC", &[&a, &b]), format!("{a}{}", &b[pair.len()..]), "two lines are");
}

#[test]
fn the_same_work_at_the_same_time_of_another_day_is_no_overlap() {
    let work = " 2:00:00 (vd) OUT: \"f\" cron@h  \n 2:10:00 (vd) IN: \"f\" cron@h  \n";
    let a = format!(" 1:00:00 (lmgrd) TIMESTAMP 5/2/2023\n{work}");
    let b = format!("{work} 7:00:00 (lmgrd) TIMESTAMP 5/3/2023\n");
    assert_eq!(merged("UTC", &[&a, &b]), format!("{a}{b}"));
    let same = format!("{work} 7:00:00 (lmgrd) TIMESTAMP 5/2/2023\n");
    assert_eq!(merged("UTC", &[&a, &same]), format!("{a} 7:00:00 (lmgrd) TIMESTAMP 5/2/2023\n"));
}

#[test]
fn a_line_that_was_cut_in_a_copy_gives_way_to_the_whole_one() {
    let count = DAY.lines().count();
    let whole = lines(DAY, 0..9);
    let cut = &whole[..whole.len() - 6];
    assert_eq!(merged("UTC", &[cut, &lines(DAY, 4..count)]), DAY);
    assert_eq!(merged("UTC", &[DAY, cut]), DAY, "also if it is contained");
    assert_eq!(merged("UTC", &[cut]), cut, "alone it stays");
}

#[test]
fn a_file_without_a_date_stays_behind_the_one_it_was_given_after() {
    let a = lines(DAY, 0..5);
    let undated = " 5:00:00 (vd) OUT: \"f\" x@h  \n 5:10:00 (vd) IN: \"f\" x@h  \n";
    let b = "10:00:00 (lmgrd) TIMESTAMP 6/2/2023\n";
    assert_eq!(merged("UTC", &[&a, undated, b]), format!("{a}{undated}{b}"));
    assert_eq!(merged("UTC", &[b, &a, undated]), format!("{a}{undated}{b}"));
}

#[test]
fn files_are_read_as_one_log_with_the_provenance_of_each() {
    let count = DAY.lines().count();
    let (a, b) = (lines(DAY, 0..8), lines(DAY, 4..count));
    let files = [
        LogFile { name: "new.log", bytes: b.as_bytes() },
        LogFile { name: "old.log", bytes: a.as_bytes() },
    ];
    let mut together = Collected::default();
    let summary = read(context("UTC"), LogOptions::default(), &files, &mut together);
    let (whole, expected) = read_log(context("UTC"), DAY.as_bytes());
    assert_eq!(summary, expected);
    assert_eq!(identities(&together), identities(&whole));
    assert_eq!(sessions(&together), sessions(&whole));
    let places: Vec<(&str, u64)> = together
        .facts
        .iter()
        .map(|fact| (fact.provenance.document.as_str(), fact.provenance.position))
        .collect();
    assert!(places.contains(&("old.log", 2)) && places.contains(&("new.log", 5)));
    assert!(!places.contains(&("new.log", 1)), "the repeated lines are not told");
    assert_eq!(together.notes, [(0, "new.log: 4 lines that another file has too".to_owned())]);
}

#[test]
fn the_host_of_any_file_is_the_host_of_the_log() {
    let files = [
        LogFile { name: "a", bytes: DAY.as_bytes() },
        LogFile {
            name: "b",
            bytes: b" 9:00:00 (lmgrd) FlexNet Licensing (v11) started on lic7 (linux) (5/3/2023)\n",
        },
    ];
    let mut together = Collected::default();
    read(context("UTC"), LogOptions::default(), &files, &mut together);
    assert!(sessions(&together).iter().all(|event| event.server == "vd@lic7"));
    assert_eq!(together.notes, []);
}

#[test]
fn a_real_log_in_overlapping_pieces_is_itself_again() {
    let Some(bytes) = shared("data/flexnet/autodesk-2016.log") else { return };
    let zone = "Europe/Paris";
    let (whole, _) = read_log(context(zone), &bytes);
    let text = str::from_utf8(&bytes).expect("this one is ASCII");
    let count = text.lines().count();
    for step in [700, 4_001] {
        let pieces: Vec<String> = (0..count)
            .step_by(step)
            .map(|from| lines(text, from..(from + step + step / 3).min(count)))
            .collect();
        // The newest first, as a directory may list them; one of them twice.
        let mut files: Vec<LogFile<'_>> = pieces
            .iter()
            .rev()
            .map(|piece| LogFile { name: "debug.log", bytes: piece.as_bytes() })
            .collect();
        files.push(files[files.len() / 2]);
        let mut together = Collected::default();
        read(context(zone), LogOptions::default(), &files, &mut together);
        assert_eq!(identities(&together), identities(&whole), "pieces of {step} lines");
        let events = |collected: &Collected| -> Vec<SessionEvent<String>> {
            sessions(collected).into_iter().cloned().collect()
        };
        assert_eq!(events(&together), events(&whole));
    }
}

#[test]
fn three_real_logs_of_one_server_join_at_their_restarts() {
    let names = ["ansys-2017-06.log", "ansys-2017-01.log", "ansys-2017-02.log"];
    let mut bytes = Vec::new();
    for name in names {
        let Some(file) = shared(&format!("data/flexnet/{name}")) else { return };
        bytes.push(file);
    }
    let files: Vec<LogFile<'_>> =
        names.iter().zip(&bytes).map(|(name, bytes)| LogFile { name, bytes }).collect();
    let mut together = Collected::default();
    let context = context("America/Detroit");
    let summary = read(context, LogOptions::default(), &files, &mut together);
    assert_eq!(summary.events, 1_196 + 18_051 + 4_900);
    let first = sessions(&together)[0].at;
    assert!(first < at("2017-01-10T00:00:00Z"), "the oldest is first");
    assert_eq!(together.notes, []);
    let opens = sessions(&together).iter().filter(|e| e.kind == SessionKind::Open).count();
    assert_eq!(opens, 598 + 9_038 + 2_455);
}

#[test]
fn no_files_and_empty_files_are_an_empty_log() {
    assert_eq!(merged("UTC", &[]), "");
    assert_eq!(merged("UTC", &["", ""]), "");
    let summary = read(context("UTC"), LogOptions::default(), &[], &mut Collected::default());
    assert_eq!((summary.lines, summary.span), (0, None));
}
