//! The terms of a line besides how much and when, in words.

use trueup_model::contract::{EntitlementLine, LineClass, LineKind};
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;

/// What a line says about how it may be used, as far as it is not the usual, and through whose hands a
/// transferred right came.
pub(super) fn of(
    line: &EntitlementLine<Id>,
    title: &[EntitlementLine<Id>],
    name: impl Fn(Id) -> String,
) -> Vec<String> {
    let class = match line.class {
        LineClass::Production => None,
        LineClass::Trial => Some("a trial, which adds nothing to what was bought"),
        LineClass::Beta => Some("a beta, which adds nothing to what was bought"),
        LineClass::Pilot => Some("a pilot"),
        LineClass::Recovery => Some("for disaster recovery only"),
        LineClass::Benchmark => Some("for benchmarks only"),
        LineClass::Freemium => Some("free of charge"),
    };
    let kind = match line.kind {
        LineKind::Base => None,
        LineKind::Maintenance => Some("maintenance, grants nothing by itself"),
        LineKind::Upgrade => Some("an upgrade, grants nothing by itself"),
        LineKind::Transfer => Some("a transfer"),
    };
    let tolerated = (line.overdraft != Quantity::ZERO)
        .then(|| format!("the vendor tolerates {} above", line.overdraft));
    let margin = (line.margin_percent > 0)
        .then(|| format!("a margin of {} % above is tolerated", line.margin_percent));
    let grace = (line.grace_seconds > 0)
        .then(|| format!("use above is no breach for {}", duration(line.grace_seconds)));
    let territory = line.territory.map(|place| format!("only in {}", name(place)));
    let parent = line.parent.map(|parent| format!("passed on from {}", name(parent)));
    let base = line.base.map(|base| match line.kind {
        LineKind::Transfer => taken_over(base, title, &name),
        LineKind::Base | LineKind::Maintenance | LineKind::Upgrade => {
            format!("belongs to {}", name(base))
        }
    });
    let restricted = line.restricted.then_some("only for those to whom it is allocated");
    let words = [class, kind, restricted].into_iter().flatten().map(str::to_owned);
    words.chain([tolerated, margin, grace, territory, parent, base].into_iter().flatten()).collect()
}

/// The chain of title: `taken over from B (of Lyon), from A (of Paris, bought in order 7)`.
fn taken_over(base: Id, title: &[EntitlementLine<Id>], name: impl Fn(Id) -> String) -> String {
    if title.is_empty() {
        return format!("taken over from {}, which is not known", name(base));
    }
    let links = title.iter().map(|line| {
        let holder = line.account.map_or("everyone".to_owned(), &name);
        let bought = match (line.kind, line.contract) {
            (LineKind::Base, Some(contract)) => format!(", bought in {}", name(contract)),
            (LineKind::Base, None) => ", bought".to_owned(),
            _ => String::new(),
        };
        format!("from {} (of {holder}{bought})", name(line.line))
    });
    format!("taken over {}", links.collect::<Vec<_>>().join(", "))
}

/// A length of time in the greatest unit that divides it.
fn duration(seconds: u32) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (count, unit) = units
        .into_iter()
        .find(|(length, _)| seconds.is_multiple_of(*length))
        .map_or((seconds, "second"), |(length, unit)| (seconds / length, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_model::contract::Basis;
    use trueup_model::metric::Metric;
    use trueup_model::quantity::Capacity;

    fn line() -> EntitlementLine<Id> {
        let granted = Capacity::Limited(Quantity::units(16));
        EntitlementLine::base(Id(1), Id(2), Metric::Concurrent, granted, Basis::Contract)
    }

    #[test]
    fn a_line_says_what_is_not_the_usual() {
        let name = |id: Id| format!("name {}", id.0);
        assert!(of(&line(), &[], name).is_empty());
        let said = EntitlementLine {
            class: LineClass::Recovery,
            overdraft: Quantity::units(2),
            margin_percent: 25,
            grace_seconds: 7200,
            territory: Some(Id(7)),
            parent: Some(Id(8)),
            restricted: true,
            ..line()
        };
        let expected = [
            "for disaster recovery only",
            "only for those to whom it is allocated",
            "the vendor tolerates 2 above",
            "a margin of 25 % above is tolerated",
            "use above is no breach for 2 hours",
            "only in name 7",
            "passed on from name 8",
        ];
        assert_eq!(of(&said, &[], name), expected);
    }

    #[test]
    fn a_transferred_line_says_through_whose_hands_it_came() {
        let name = |id: Id| format!("name {}", id.0);
        let taken =
            |base| EntitlementLine { kind: LineKind::Transfer, base: Some(Id(base)), ..line() };
        let second = EntitlementLine { line: Id(20), account: Some(Id(5)), ..taken(30) };
        let bought = EntitlementLine { line: Id(30), contract: Some(Id(7)), ..line() };
        let said = of(&taken(20), &[second, bought], name);
        let chain =
            "taken over from name 20 (of name 5), from name 30 (of everyone, bought in name 7)";
        assert_eq!(said, ["a transfer", chain]);
        let unknown = "taken over from name 20, which is not known";
        assert_eq!(of(&taken(20), &[], name), ["a transfer", unknown]);
    }

    #[test]
    fn a_length_of_time_is_said_in_its_greatest_unit() {
        let said = [1, 60, 5400, 7200, 2_592_000].map(duration);
        assert_eq!(said, ["1 second", "1 minute", "90 minutes", "2 hours", "30 days"]);
    }
}
