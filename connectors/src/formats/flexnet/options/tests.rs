use super::*;
use crate::formats::Collected;
use crate::formats::flexnet::testing::{at, bodies, context, identities, rejects};
use proptest::prelude::*;

fn source() -> OptionsSource {
    OptionsSource {
        document: DocumentOptions::observed_at("vd.opt", at("2022-05-01T00:00:00Z")),
        server: "vd@lic1".to_owned(),
    }
}

fn read_text(text: &str) -> (ServerOptions, DocumentSummary, Collected) {
    let mut collected = Collected::default();
    let (options, summary) = read(&context("UTC"), &source(), text.as_bytes(), &mut collected);
    (options, summary, collected)
}

fn spec(feature: &str, selector: Option<&str>) -> FeatureSpec {
    FeatureSpec { feature: feature.to_owned(), selector: selector.map(str::to_owned) }
}

const FILE: &str = "\
# who may use what
GROUP Stars ada bob
group Stars cid
GROUP stars other
HOST_GROUP lab pc1 \\
	pc2
RESERVE 2 mesh GROUP Stars
RESERVE 1 \"mesh:VERSION=2.0\" USER Jane Doe
RESERVE 3 view HOST_GROUP lab
RESERVE 1 view PROJECT north
MAX 5 mesh USER jan
INCLUDE mesh GROUP Stars
EXCLUDE_BORROW mesh USER jan
EXCLUDEALL HOST pc9
LINGER mesh 3600
TIMEOUT mesh 7200
TIMEOUTALL 9000
MAX_BORROW_HOURS mesh 100
MAX_BORROW_HOURS mesh 48
BORROW_LOWWATER mesh 3
DEBUGLOG +/var/log/vd.log
NOLOG QUEUED
";

#[test]
fn options_are_read_with_groups_that_add_up_and_limits_whose_last_line_counts() {
    let (options, summary, collected) = read_text(FILE);
    assert_eq!((summary.rows, summary.rejects, summary.taken), (4, 0, true));
    let members = |groups: &BTreeMap<String, BTreeSet<String>>, name: &str| {
        groups[name].iter().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(members(&options.groups, "Stars"), "ada bob cid");
    assert_eq!(members(&options.groups, "stars"), "other", "names of groups are case-sensitive");
    assert_eq!(members(&options.host_groups, "lab"), "pc1 pc2");
    assert_eq!(options.reserves.len(), 4);
    assert_eq!(options.reserves[1].feature, spec("mesh", Some("VERSION=2.0")));
    assert_eq!(options.reserves[1].holder.name, "Jane Doe");
    assert_eq!((options.maximums[0].count, options.maximums[0].holder.kind), (5, HolderKind::User));
    let [include, borrow, all] = &options.access[..] else { panic!("three rules") };
    assert!(include.included && !include.borrow && include.feature == Some(spec("mesh", None)));
    assert!(!borrow.included && borrow.borrow);
    assert!(!all.included && all.feature.is_none() && all.holder.kind == HolderKind::Host);
    let mesh = spec("mesh", None);
    assert_eq!((options.linger_seconds[&mesh], options.timeout_seconds[&mesh]), (3600, 7200));
    assert_eq!(options.timeout_all_seconds, Some(9000));
    assert_eq!((options.max_borrow_hours[&mesh], options.borrow_lowwater[&mesh]), (48, 3));
    assert_eq!(collected.notes, []);
}

#[test]
fn reservations_are_rows_of_the_version() {
    let (_, _, collected) = read_text(FILE);
    let told: Vec<_> = bodies(&collected)
        .filter_map(|body| if let Body::Reservation(row) = body { Some(row) } else { None })
        .map(|row| {
            assert_eq!((row.at, row.server.as_str()), (None, "vd@lic1"));
            (row.count, row.product.as_str(), row.holder_kind, row.holder.as_str())
        })
        .collect();
    let expected = [
        (2, "mesh", ReservedFor::UserGroup, "Stars"),
        (1, "mesh", ReservedFor::User, "Jane Doe"),
        (3, "view", ReservedFor::HostGroup, "lab"),
        (1, "view", ReservedFor::Other, "north"),
    ];
    assert_eq!(told, expected);
    assert_eq!(identities(&collected), identities(&read_text(FILE).2));
    let twice = read_text("RESERVE 1 f USER a\nRESERVE 1 f USER a\n").2;
    assert_eq!(identities(&twice).len(), 4, "equal lines set aside twice as much");
}

#[test]
fn lines_that_are_not_understood_are_told_and_lose_nothing_else() {
    let (options, summary, collected) = read_text(
        "RESERVE two mesh USER a\nRESERVE 1 mesh PLANET a\nMAX 1 mesh USER\nWOBBLE x\nLINGER mesh 5\n",
    );
    let found: Vec<_> = rejects(&collected)
        .iter()
        .map(|(line, reject)| (*line, reject.reason, reject.detail.as_deref().unwrap_or_default()))
        .collect();
    let expected = [
        (1, RejectReason::BadValue, "`two` is not a number"),
        (2, RejectReason::BadValue, "`PLANET` is not a type of holder"),
        (3, RejectReason::MissingValue, "MAX without a holder"),
    ];
    assert_eq!(found, expected);
    assert_eq!(collected.notes, [(4, "unknown option WOBBLE".to_owned())]);
    assert_eq!(options.linger_seconds[&spec("mesh", None)], 5);
    assert_eq!((summary.rejects, summary.taken), (3, true));
}

#[test]
fn an_empty_file_has_no_options_and_another_file_is_refused() {
    let (options, summary, _) = read_text("# nothing\n");
    assert_eq!((options, summary.taken), (ServerOptions::default(), true));
    let (_, other, collected) = read_text("VENDOR v\nINCREMENT f v 1.0 permanent 1\n");
    assert!(!other.taken);
    let refused = rejects(&collected);
    assert_eq!(refused[refused.len() - 1].1.reason, RejectReason::UnknownFormat);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut collected = Collected::default();
        read(&context("UTC"), &source(), &bytes, &mut collected);
        first_line(&bytes);
    }

    #[test]
    fn no_damaged_file_panics(places in proptest::collection::vec((0..FILE.len(), any::<u8>()), 0..9)) {
        let mut file = FILE.as_bytes().to_vec();
        for (place, byte) in places {
            file[place] = byte;
        }
        let mut collected = Collected::default();
        read(&context("UTC"), &source(), &file, &mut collected);
    }
}
