//! The README of the demo set: what happened at Helios, and what someone who looks after its licenses
//! should find. Every figure is taken from the right answers.

use super::{BERLIN, Clock};
use crate::expected::{DiscrepancyAnswer, Expected, FileKind, PositionAnswer, capacity_words};
use crate::traps::Trap;
use std::fmt::Write as _;
use trueup_model::time::Timestamp;

/// Tells the story.
pub(crate) fn story(expected: &Expected) -> String {
    let facts = Facts { expected, berlin: Clock::new(BERLIN) };
    let mut text = String::new();
    facts.opening(&mut text);
    facts.files(&mut text);
    facts.findings(&mut text);
    facts.illusions(&mut text);
    facts.positions(&mut text);
    facts.traps(&mut text);
    text
}

struct Facts<'a> {
    expected: &'a Expected,
    berlin: Clock,
}

impl Facts<'_> {
    fn opening(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "# Helios Engineering: three weeks, {} findings\n",
            self.expected.discrepancies.len()
        );
        let _ = writeln!(
            text,
            "Helios Engineering is a group with three affiliates: Helios GmbH in Germany, Helios UK Ltd \
             in the United Kingdom,\nHelios Iberia SL in Spain. It runs two license servers, in Frankfurt \
             and on a Windows machine in Bilbao, buys some\nlicenses for the group and some for an \
             affiliate, and writes all of it down in tables. The files are from Monday,\n16 February 2026, \
             to Sunday, 8 March; figures are as of {} ({} by UTC).\n",
            self.clock(self.expected.given.horizon),
            self.expected.given.horizon
        );
        let _ = writeln!(
            text,
            "Everything here is invented. `trueup-generate --scenario demo --seed 1 --out DIR` writes it \
             again, byte by byte;\nthis page too, so that no figure on it is older than the files. \
             `expected.json` has every right answer.\n"
        );
    }

    fn files(&self, text: &mut String) {
        text.push_str("## The files\n\n| file | what it is | what to know |\n|---|---|---|\n");
        for file in &self.expected.given.files {
            let daemon = file.daemon.as_deref().unwrap_or_default();
            let since = file.effective_from.map(|from| self.clock(from));
            let (what, know) = match file.kind {
                FileKind::FlexnetLog => {
                    ("debug log".to_owned(), format!("wall clock of {}", file.zone))
                }
                FileKind::FlexnetLicense => {
                    let since = since.map_or_else(String::new, |from| format!("; read on {from}"));
                    (format!("license file of `{daemon}`"), format!("days of {}{since}", file.zone))
                }
                FileKind::FlexnetLmstat => {
                    (format!("answer of `{daemon}`"), format!("wall clock of {}", file.zone))
                }
                FileKind::Table => {
                    let since =
                        since.map_or_else(String::new, |from| format!("; holds from {from}"));
                    ("table".to_owned(), format!("days of {}{since}", file.zone))
                }
            };
            let _ = writeln!(text, "| `{}` | {what} | {know} |", file.name);
        }
        text.push_str(
            "\nThe three parts of the first log are one log; the last part begins with lines of the part \
             before. The last line of\nthe second log is cut, because the copy was made while the server \
             wrote.\n\n",
        );
    }

    fn findings(&self, text: &mut String) {
        text.push_str("## What to find\n\n");
        let flow = self.finding("over_use");
        let _ = writeln!(
            text,
            "1. **{} needed {} more licenses of {} than it bought**, worth {}:\n   from {} to {}, six people \
             with four licenses. The server did not mind: it has ten,\n   and six of them are the German \
             affiliate's.",
            owner(flow),
            flow.magnitude,
            product(flow),
            money(flow),
            self.clock(flow.first_at),
            self.clock(flow.last_at)
        );
        let cfd = self.finding("expired_in_use");
        let _ = writeln!(
            text,
            "2. **{} ended with February and went on being used**: {} licenses in two jobs that had begun\n   \
             before, the last until {}. The server refuses new checkouts, one on 2 March.",
            product(cfd),
            cfd.magnitude,
            self.clock(cfd.last_at)
        );
        let render = self.finding("shelfware");
        let position = self.position(product(render), owner(render), &render.period);
        let _ = writeln!(
            text,
            "3. **{} is shelfware**: {} bought, never more than {} in use;\n   {} were spent on the other {}.",
            product(render),
            capacity_words(position.entitled),
            position.peak,
            money(render),
            render.magnitude
        );
        let studio = self.finding("source_disagreement");
        let claim = |number: usize| studio.claims.get(number).map_or("", |(_, says)| says.as_str());
        let _ = writeln!(
            text,
            "4. **The license file grants {} of {}, the purchase list {}**: since it was read again on \
             3 March.\n   The purchase list counts; who uses the other {} will owe them.",
            claim(1),
            product(studio),
            claim(0),
            studio.magnitude
        );
        self.findings_about_names_and_seats(text);
    }

    fn findings_about_names_and_seats(&self, text: &mut String) {
        let machine = self.finding("unmapped_device");
        let unlicensed = self.finding("unlicensed_use");
        let _ = writeln!(
            text,
            "5. **Machine `{}` belongs to no one**, so its use of {} counts for nobody's licenses\n   \
             ({} from {} on). One row in `memberships.csv` clears this and the next.",
            machine.subject.as_deref().unwrap_or_default(),
            product(unlicensed),
            unlicensed.magnitude,
            self.clock(unlicensed.first_at)
        );
        let _ = writeln!(
            text,
            "6. **{} is used without a license at `{}`**: the same use, seen from the product.",
            product(unlicensed),
            owner(unlicensed)
        );
        let docs = self.finding("near_limit");
        let seats = self.position(product(docs), owner(docs), &docs.period);
        let _ = writeln!(
            text,
            "7. **{} is close to its limit**: {} of {} seats are assigned since {}.\n",
            product(docs),
            docs.magnitude,
            capacity_words(seats.entitled),
            self.clock(docs.first_at)
        );
    }

    /// Figures that look right and are not.
    fn illusions(&self, text: &mut String) {
        text.push_str("## What is not to find\n\n");
        let raw = self.feature_peak("MESH", "NONE");
        let charged = self.feature_peak("MESH", "UH");
        let _ = writeln!(
            text,
            "- Meridian Mesh is not over: the log shows {raw} checkouts at once, of 12 licenses, but a user \
             on one machine is charged\n  once (`DUP_GROUP=UH`), which makes {charged}."
        );
        let suite = self.feature_peak("STUDIO_S", "UH");
        let parts =
            self.feature_peak("MODELER_2026", "NONE") + self.feature_peak("MODELER_2025", "NONE");
        let _ = writeln!(
            text,
            "- Meridian Studio is not over: each use is written as suite and component, {suite} and {parts} \
             at the peak,\n  and is one license of 8."
        );
        let april =
            self.position("Borealis API", "Helios Engineering", &Some("2026-03".to_owned()));
        let february =
            self.position("Borealis API", "Helios Engineering", &Some("2026-02".to_owned()));
        let _ = writeln!(
            text,
            "- Borealis API is within its 120000 calls a month: {} in February, {} so far in March. Two \
             events were\n  delivered twice, and the one of 28 February, 23:30 in London, is March's, as \
             the group's days are Berlin's.",
            february.demand, april.demand
        );
        let restart = self.expected.daemons.iter().flat_map(|daemon| &daemon.features);
        let estimated: u64 = restart.map(|feature| feature.estimated_ends).sum();
        let render = self.feature_seconds("RENDER");
        let _ = writeln!(
            text,
            "- Nothing is open for ever: the second server died on 25 February; {estimated} checkouts have no \
             end in its log. Aurora Render was\n  used for {} to {} license-seconds, depending on when \
             they ended.",
            render.0, render.1
        );
        let denied: (u64, u64, u64) =
            self.expected.daemons.iter().fold((0, 0, 0), |sum, daemon| {
                let found = daemon.denials;
                (sum.0 + found.raw_lines, sum.1 + found.attempts, sum.2 + found.unmet)
            });
        let _ = writeln!(
            text,
            "- {} lines deny a license: {} attempts, of which {} were never met. One was served 40 seconds \
             later, one came after the\n  contract's end.",
            denied.0, denied.1, denied.2
        );
        text.push_str(
            "- The maintenance of Meridian Mesh (PO-1005) adds no licenses, the guest and the service account \
             hold no seats, and the\n  person who has seats in two affiliates holds one.\n\n",
        );
    }

    fn positions(&self, text: &mut String) {
        text.push_str(
            "## Positions\n\n| product | account | month | entitled | peak | at | shortfall | surplus | state |\n\
             |---|---|---|--:|--:|---|--:|--:|---|\n",
        );
        for position in self.expected.positions.iter().filter(|one| one.period != "all") {
            let at = if position.metric == "volume" {
                "whole month".to_owned()
            } else {
                self.clock(position.peak_at)
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {at} | {} | {} | {} |",
                position.product,
                position.account,
                position.period,
                capacity_words(position.entitled),
                position.peak,
                position.shortfall,
                position.surplus,
                position.state
            );
        }
        text.push_str(
            "\nTimes are Berlin's. The last day of a purchase is its last valid one.\n\n",
        );
    }

    fn traps(&self, text: &mut String) {
        text.push_str("## Traps in the files\n\n| how often | what |\n|--:|---|\n");
        for trap in Trap::ALL {
            let count = self.expected.traps.count(*trap);
            if count > 0 {
                let _ = writeln!(text, "| {count} | {} |", trap.meaning());
            }
        }
    }

    /// The finding of a kind; each kind occurs once in this set.
    fn finding(&self, kind: &str) -> &DiscrepancyAnswer {
        let found = self.expected.discrepancies.iter().find(|one| one.kind == kind);
        found.expect("the demo's plans lead to a finding of each kind that its story tells")
    }

    fn position(&self, product: &str, account: &str, period: &Option<String>) -> &PositionAnswer {
        let found = self.expected.positions.iter().find(|one| {
            one.product == product && one.account == account && Some(&one.period) == period.as_ref()
        });
        found.expect("the demo's products are used in each month that its story tells")
    }

    fn feature_peak(&self, feature: &str, rule: &str) -> u64 {
        let features = self.expected.daemons.iter().flat_map(|daemon| &daemon.features);
        let rules = features.filter(|one| one.feature == feature).flat_map(|one| &one.rules);
        rules.filter(|one| one.rule == rule).map(|one| one.whole.peak).sum()
    }

    fn feature_seconds(&self, feature: &str) -> (u64, u64) {
        let features = self.expected.daemons.iter().flat_map(|daemon| &daemon.features);
        let rules = features.filter(|one| one.feature == feature).flat_map(|one| &one.rules);
        let charged = rules.filter(|one| one.charged).map(|one| one.whole.license_seconds);
        charged.fold((0, 0), |sum, range| (sum.0 + range.least, sum.1 + range.most))
    }

    /// `5 March, 14:20`, by Berlin's clock.
    fn clock(&self, at: Timestamp) -> String {
        let local = self.berlin.0.local(at);
        let month = match local.month() {
            2 => "February".to_owned(),
            3 => "March".to_owned(),
            other => format!("month {other}"),
        };
        format!("{} {month}, {:02}:{:02}", local.day(), local.hour(), local.minute())
    }
}

fn product(found: &DiscrepancyAnswer) -> &str {
    found.product.as_deref().unwrap_or_default()
}

fn owner(found: &DiscrepancyAnswer) -> &str {
    found.account.as_deref().unwrap_or_default()
}

fn money(found: &DiscrepancyAnswer) -> String {
    found.money.map(|money| money.to_string()).unwrap_or_default()
}
