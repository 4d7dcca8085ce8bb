//! The traps of real files, counted as they are laid: what a world contains is known, not hoped for.

use serde::Serialize;
use std::collections::BTreeMap;

/// Declares the traps once: variant, name, what it is.
macro_rules! traps {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// Something in real files that leads a simple reader astray.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Trap {
            $(#[doc = $meaning] $variant,)*
        }

        impl Trap {
            /// Every trap.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The trap's name in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

traps! {
    UnstampedMidnight "unstamped_midnight"
        "An OUT or IN comes after midnight and before any line with a date.";
    YearTurn "year_turn" "A checkout lasts over New Year.";
    SpringGap "spring_gap" "A checkout lasts over the hour that the clock skips.";
    AutumnOverlap "autumn_overlap" "A checkout lasts from an hour into its repetition.";
    Backstep "backstep" "A line is older than the line before it.";
    ServerRestart "server_restart" "The server starts anew; what was open never gets an IN.";
    DaemonRestart "daemon_restart" "A vendor daemon starts anew while its server goes on.";
    LostCheckout "lost_checkout" "A checkout ends without a line.";
    ShutdownReturn "shutdown_return" "One IN returns every checkout of a holder.";
    InactiveReturn "inactive_return" "The server takes a license back from an idle client.";
    CheckinFailed "checkin_failed" "The idle client's own return fails; it is no event.";
    IdenticalLines "identical_lines" "Equal OUT lines of one second are separate checkouts.";
    CountsOutOfOrder "counts_out_of_order" "A later checkout of another count ends first.";
    SuitePair "suite_pair" "One use is written as a suite and its component.";
    ComponentReturnedFirst "component_returned_first" "The pair is returned in the other order.";
    DeniedThenServed "denied_then_served" "A refused attempt is served within a minute.";
    DeniedUnmet "denied_unmet" "A refused attempt is never served.";
    DeniedByQueue "denied_by_queue" "A client is refused because others wait.";
    DeniedExpired "denied_expired" "A client is refused because the license has ended.";
    UnsupportedThenOut "unsupported_then_out"
        "A feature is not served at first, and seconds later it is.";
    QueuedThenServed "queued_then_served" "A client waits and is served.";
    QueuedGivenUp "queued_given_up" "A client waits in vain.";
    VerboseLine "verbose_line" "A line of the verbose form, with a handle.";
    CountedLine "counted_line" "One checkout of several licenses.";
    VendorData "vendor_data" "Checkout data in brackets, with an @ in it.";
    BlankInName "blank_in_name" "A user's name has blanks.";
    AccentInName "accent_in_name" "A user's name has letters beyond ASCII.";
    AtInName "at_in_name" "A user's name has an @.";
    CaseVariant "case_variant" "One name is written in capitals and in small letters.";
    ByteOrderMark "byte_order_mark" "A file begins with a byte order mark.";
    CarriageReturn "carriage_return" "Lines end in carriage return and line feed.";
    SummaryLine "summary_line" "A summary line, of no use to anyone here.";
    WrappedBanner "wrapped_banner" "The list of features at a start, over several lines.";
    BareLine "bare_line" "A line without time and daemon.";
    Echo "echo" "A rejected license line, echoed; it grants nothing.";
    Reservation "reservation" "Licenses set aside for a group.";
    ExpiredFeature "expired_feature" "The daemon says that a feature has ended.";
    Reread "reread" "The license file is read again; use is unchanged.";
    RereadListsFeatures "reread_lists_features"
        "After a reread the daemon writes its start line again, without a start.";
    TornLine "torn_line" "The last line of a file is cut.";
    RotatedFile "rotated_file" "A log goes on in another file, which begins without a date.";
    OverlappingLine "overlapping_line" "A file repeats lines of the file before.";
    Supersede "supersede" "A license line takes away earlier ones.";
    Overdraft "overdraft" "Use above the count is tolerated, and not entitled.";
    Uncounted "uncounted" "A license line without a limit.";
    FeatureRepeated "feature_repeated" "A second FEATURE line of one name, which counts nothing.";
    Continuation "continuation" "A license line that goes on in the next.";
    ReportDiffers "report_differs" "The server's answer and its log disagree.";
    ReportReservation "report_reservation" "Reserved licenses that the server calls in use.";
    ReportQueue "report_queue" "Waiting clients among the holders.";
    RepeatedUsage "repeated_usage" "A metered event is delivered twice.";
    MonthInZone "month_in_zone" "An event is in another month by UTC than in its account's zone.";
}

/// How often each trap was laid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traps(BTreeMap<Trap, u64>);

impl Traps {
    /// Notes that a trap was laid.
    pub fn add(&mut self, trap: Trap, times: u64) {
        if times > 0 {
            *self.0.entry(trap).or_default() += times;
        }
    }

    /// How often a trap was laid.
    pub fn count(&self, trap: Trap) -> u64 {
        self.0.get(&trap).copied().unwrap_or_default()
    }
}

impl Serialize for Traps {
    /// A map from names to counts, in the order of declaration; traps that were not laid are left out.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(trap, count)| (trap.name(), count)))
    }
}
