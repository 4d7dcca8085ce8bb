use super::{Axis, Plot, Series, along, shown, sweep};
use crate::record::{Figure, Run};

fn run(epoch: u64, workers: u64, rate: u64) -> Run {
    Run {
        machine: "one".to_owned(),
        commit: "abc".to_owned(),
        rustc: "1.95".to_owned(),
        at: "today".to_owned(),
        command: "flow".to_owned(),
        bench: "flow p".to_owned(),
        settings: [("epoch".to_owned(), epoch), ("workers".to_owned(), workers)].into(),
        figures: vec![Figure::new("throughput", "events/s", rate)],
    }
}

#[test]
fn runs_that_differ_in_one_setting_are_a_line() {
    let runs = [run(1000, 1, 50), run(10_000, 1, 70), run(1000, 2, 90), run(100_000, 1, 80)];
    let lines = sweep(&runs, "epoch", &["throughput"]);
    assert_eq!(lines.len(), 1, "with two workers there is one run only");
    assert_eq!(lines[0].points, [(1000, 50), (10_000, 70), (100_000, 80)].into());
    let by_workers = sweep(&runs, "workers", &["throughput"]);
    assert_eq!(by_workers[0].points, [(1, 50), (2, 90)].into());
    assert_eq!(sweep(&runs, "epoch", &["memory"]), []);
}

#[test]
fn the_windows_of_a_long_run_are_a_line() {
    let figures = [("memory 1", 70), ("memory 2", 80), ("p99 1", 5), ("left by an event", 9)];
    let long = Run {
        settings: [("rate".to_owned(), 300), ("live".to_owned(), 20)].into(),
        figures: figures.map(|(what, value)| Figure::new(what, "", value)).into(),
        ..run(1, 1, 1)
    };
    let lines = along(&[long, run(1, 1, 50)], "memory");
    let expected =
        Series { name: "rate 300, live 20".to_owned(), points: [(1, 70), (2, 80)].into() };
    assert_eq!(lines, [expected]);
    assert_eq!(along(&[run(1, 1, 50)], "throughput"), [], "no window is named");
}

#[test]
fn an_axis_holds_its_numbers_and_is_logarithmic() {
    let axis = Axis::over([1000, 70_000].into_iter());
    assert_eq!(axis, Axis { from: 1000, to: 100_000 });
    assert!((axis.share(1000)).abs() < 1e-9);
    assert!((axis.share(10_000) - 0.5).abs() < 1e-9);
    assert!((axis.share(100_000) - 1.0).abs() < 1e-9);
    assert_eq!(
        axis.marks().collect::<Vec<_>>(),
        [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]
    );
    assert_eq!(Axis::over([3].into_iter()), Axis { from: 2, to: 5 });
}

#[test]
fn numbers_are_shown_short() {
    assert_eq!([7, 2000, 50_000, 1_000_000].map(shown), ["7", "2 k", "50 k", "1 M"]);
}

#[test]
fn a_drawing_names_its_axes_and_where_it_is_from() {
    let plot = Plot {
        title: "Throughput & size".to_owned(),
        from: "one machine, commit abc".to_owned(),
        across: "events in an epoch".to_owned(),
        upward: "events/s".to_owned(),
        series: vec![Series {
            name: "flow p".to_owned(),
            points: [(1000, 50), (10_000, 500)].into(),
        }],
    };
    let svg = plot.svg();
    for words in ["Throughput &amp; size", "commit abc", "events in an epoch", "events/s", "flow p"]
    {
        assert!(svg.contains(words), "{words} is missing:\n{svg}");
    }
    // From the lower left corner to the upper right one.
    assert!(svg.contains("points=\"90.0,360.0 560.0,50.0\""), "{svg}");
}
