use super::{Baselines, Count, Ground, Verdict, judge};
use std::collections::BTreeMap;

fn count(instructions: u64) -> Count {
    Count { units: 10, instructions }
}

fn ground(rustc: &str) -> Ground {
    Ground { rustc: rustc.to_owned(), target: "x86_64-unknown-linux-gnu, avx2".to_owned() }
}

#[test]
fn two_percent_more_pass_and_one_instruction_more_does_not() {
    let before = Some(count(100_000));
    assert_eq!(judge(count(102_000), before), Verdict::Kept(20));
    assert_eq!(judge(count(102_001), before), Verdict::Risen(20));
    assert!(!judge(count(102_001), before).passes());
    assert_eq!(judge(count(250_000), before).words(), "+150.0 %, too much");
}

#[test]
fn what_costs_less_passes_and_asks_for_a_new_baseline() {
    let before = Some(count(100_000));
    assert_eq!(judge(count(98_000), before), Verdict::Kept(-20));
    assert_eq!(judge(count(97_999), before), Verdict::Fallen(-20));
    assert!(judge(count(97_999), before).passes());
    assert_eq!(judge(count(97_900), before).words(), "-2.1 %, renew");
}

#[test]
fn another_input_is_not_compared() {
    let before = Some(Count { units: 11, instructions: 100_000 });
    assert_eq!(judge(count(100_000), before), Verdict::Changed);
    assert!(!judge(count(100_000), before).passes());
    assert_eq!(judge(count(100_000), None), Verdict::New);
}

#[test]
fn the_file_says_what_was_renewed_and_keeps_the_rest() {
    let mut baselines = Baselines::default();
    let first = BTreeMap::from([("dedupe".to_owned(), count(5)), ("wire".to_owned(), count(7))]);
    baselines.renew(&ground("1.95.0"), &first);
    baselines.renew(&ground("1.96.0"), &first);
    baselines.renew(&ground("1.95.0"), &BTreeMap::from([("wire".to_owned(), count(8))]));
    let read = Baselines::read(&baselines.written()).unwrap();
    assert_eq!(read, baselines);
    let kept = &read.of(&ground("1.95.0")).unwrap().paths;
    assert_eq!((kept["dedupe"], kept["wire"]), (count(5), count(8)));
    assert_eq!(read.of(&ground("1.96.0")).unwrap().paths["wire"], count(7));
    assert_eq!(read.of(&ground("1.97.0")), None);
}

#[test]
fn what_is_committed_can_be_read_and_holds_no_zero() {
    let text = include_str!("../../baseline.toml");
    for baseline in Baselines::read(text).unwrap().baseline {
        for (name, count) in baseline.paths {
            assert!(count.units > 0 && count.instructions > 0, "{name}");
        }
    }
}
