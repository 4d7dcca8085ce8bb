//! Use of each feature of each daemon: what its log says under each rule of charging.

use super::levels::{Charge, Figures, Groups, figures, levels};
use crate::server::FeatureIndex;
use crate::sessions::Holder;
use crate::world::{Site, World};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::metric::Duplicates;
use trueup_model::time::{Span, Timestamp};

/// The rules under which use is counted: those that a debug log can tell apart, which never names
/// the display.
pub const RULES: [&str; 9] = ["NONE", "SITE", "U", "H", "UH", "V", "UV", "HV", "UHV"];

/// A figure that is known up to the ends that no line tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The least that it can be.
    pub least: u64,
    /// The most; the same if every end is known.
    pub most: u64,
}

/// Use in a span of time under one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanUse {
    /// The peak, with its first instant.
    pub peak: u64,
    /// Its first instant; `None` if there is no use.
    pub peak_at: Option<Timestamp>,
    /// Licenses times seconds.
    pub license_seconds: Range,
    /// What is charged at the end of the span, or at the horizon if that is earlier.
    pub at_end: u64,
}

/// Use under one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleUse {
    /// The rule as license files write it.
    pub rule: &'static str,
    /// Over all of time up to the horizon.
    pub whole: SpanUse,
    /// Month by month of the server's zone, those with any use.
    pub months: Vec<(String, SpanUse)>,
}

/// The checkouts of a feature as they are charged under a rule; `longest` says which of the possible
/// ends counts.
pub fn charges(
    world: &World,
    site: &Site,
    daemon: usize,
    feature: FeatureIndex,
    rule: Duplicates,
    longest: bool,
) -> Vec<Charge> {
    let mut groups = Groups::default();
    let mut found = Vec::new();
    for (index, checkout) in site.histories[daemon].checkouts.iter().enumerate() {
        if checkout.feature != feature {
            continue;
        }
        let held = site.held(daemon, index);
        let span = if longest { held.most } else { held.least };
        found.push(Charge {
            group: groups.number(group(
                world,
                rule,
                index,
                checkout.holder,
                checkout.data.is_some(),
            )),
            span: span.intersect(Span::new(Timestamp::MIN, world.horizon)),
            count: checkout.count,
        });
    }
    found
}

/// With whom a checkout shares licenses.
pub fn group(
    world: &World,
    rule: Duplicates,
    number: usize,
    holder: Holder,
    has_data: bool,
) -> Vec<usize> {
    let Duplicates::Grouped(mask) = rule else { return vec![0, number] };
    let account = world.population.account_of(holder.person, holder.machine);
    // Clients send the team along: the account, or nothing.
    let team = if has_data { account.map_or(1, |account| account.0 + 2) } else { 0 };
    let part = |named: bool, part: usize| if named { part } else { 0 };
    vec![
        1,
        part(mask.user, holder.person.0),
        part(mask.host, holder.machine.0),
        part(mask.vendor, team),
    ]
}

/// Use of a feature under one rule, one of [`RULES`].
///
/// # Panics
/// If the rule is none that a license file could name.
pub fn under_rule(
    world: &World,
    site: &Site,
    daemon: usize,
    feature: FeatureIndex,
    rule: &'static str,
) -> RuleUse {
    let duplicates = Duplicates::parse(rule).expect("the rules are written as license files do");
    let most = levels(&charges(world, site, daemon, feature, duplicates, true));
    let least = levels(&charges(world, site, daemon, feature, duplicates, false));
    let in_span = |span: Span| {
        let longest: Figures = figures(&most, span);
        let shortest: Figures = figures(&least, span);
        SpanUse {
            peak: longest.peak,
            peak_at: longest.peak_at,
            license_seconds: Range {
                least: shortest.license_seconds,
                most: longest.license_seconds,
            },
            at_end: super::levels::level_at(&most, Timestamp(span.end.0.saturating_sub(1))),
        }
    };
    let calendar = Calendar::natural(site.server.zone.clone());
    let months = months(&calendar, Span::new(site.server.window.start, world.horizon));
    let months = months.into_iter().map(|month| (calendar.label(month), in_span(month.span)));
    RuleUse {
        rule,
        whole: in_span(Span::new(Timestamp::MIN, world.horizon)),
        months: months.filter(|(_, month)| month.peak > 0).collect(),
    }
}

/// The months of a calendar that a span touches.
pub fn months(calendar: &Calendar, span: Span) -> Vec<Period> {
    let mut found = Vec::new();
    let mut at = span.start;
    while at < span.end {
        let month = calendar.period(PeriodUnit::Month, at);
        found.push(month);
        at = month.span.end;
    }
    found
}
