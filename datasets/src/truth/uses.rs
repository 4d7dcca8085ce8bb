//! Who used what of which product for which account: checkouts after suites, and seats.
//!
//! A component's checkout is not a use of its own while its holder holds the suite on the same
//! daemon.

use super::levels::Groups;
use super::rights::Node;
use super::usage::group;
use crate::population::{MachineIndex, PersonIndex, ProductIndex};
use crate::world::{Site, World};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::SeatClass;

/// A use that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Of what.
    pub product: ProductIndex,
    /// How it is counted.
    pub metric: Metric,
    /// For whom.
    pub node: Node,
    /// The number of the group with which it shares.
    pub group: usize,
    /// When.
    pub span: Span,
    /// How many licenses.
    pub count: u32,
}

/// Every use of a world up to its horizon; `longest` says which of the possible ends counts.
pub fn uses(world: &World, longest: bool) -> Vec<Use> {
    let mut groups = Groups::default();
    let mut found = Vec::new();
    for (site_index, site) in world.sites.iter().enumerate() {
        for daemon in 0..site.server.daemons.len() {
            let suites = Suites::of(site, daemon, longest);
            for index in 0..site.histories[daemon].checkouts.len() {
                let parts = suites.charged(index);
                let place = (site_index, site, daemon);
                add_checkout(world, place, index, &parts, &mut groups, &mut found);
            }
        }
    }
    for seat in world.seats.iter().filter(|seat| seat.class == SeatClass::Full) {
        found.push(Use {
            product: seat.product,
            metric: Metric::NamedUser,
            node: Node::Account(seat.account),
            group: groups.number(vec![usize::MAX, seat.product.0, seat.person.0]),
            span: seat.span(&world.table_zone),
            count: 1,
        });
    }
    found.retain(|one| !one.span.is_empty());
    found
}

fn add_checkout(
    world: &World,
    (site_index, site, daemon): (usize, &Site, usize),
    index: usize,
    parts: &[Span],
    groups: &mut Groups,
    found: &mut Vec<Use>,
) {
    let checkout = &site.histories[daemon].checkouts[index];
    let feature = &site.server.daemons[daemon].features[checkout.feature.0];
    let holder = checkout.holder;
    let account = world.population.account_of(holder.person, holder.machine);
    let node = account.map_or(Node::Unattributed, Node::Account);
    let shared = group(world, feature.duplicates, index, holder, checkout.data.is_some());
    let mut key = vec![site_index, daemon, feature.product.0];
    key.extend(shared);
    let group = groups.number(key);
    for span in parts {
        found.push(Use {
            product: feature.product,
            metric: Metric::Concurrent,
            node,
            group,
            span: *span,
            count: checkout.count,
        });
    }
}

/// The checkouts of suites, by who holds them.
pub struct Suites<'a> {
    site: &'a Site,
    daemon: usize,
    longest: bool,
    held: BTreeMap<(PersonIndex, MachineIndex), Vec<(&'a str, Span)>>,
}

impl<'a> Suites<'a> {
    /// The suites of a daemon.
    pub fn of(site: &'a Site, daemon: usize, longest: bool) -> Self {
        let served = &site.server.daemons[daemon];
        let packages = served.files.iter().flat_map(|version| &version.file.packages);
        let names: BTreeSet<&str> = packages.map(|package| package.name.as_str()).collect();
        let mut suites = Self { site, daemon, longest, held: BTreeMap::new() };
        for (index, checkout) in site.histories[daemon].checkouts.iter().enumerate() {
            let name = served.features[checkout.feature.0].name.as_str();
            if names.contains(name) {
                let holder = (checkout.holder.person, checkout.holder.machine);
                let span = suites.span_of(index);
                suites.held.entry(holder).or_default().push((name, span));
            }
        }
        suites
    }

    fn span_of(&self, index: usize) -> Span {
        let held = self.site.held(self.daemon, index);
        if self.longest { held.most } else { held.least }
    }

    /// The parts of a checkout during which its holder does not hold a suite that contains it.
    pub fn charged(&self, index: usize) -> Vec<Span> {
        let served = &self.site.server.daemons[self.daemon];
        let checkout = &self.site.histories[self.daemon].checkouts[index];
        let name = &served.features[checkout.feature.0].name;
        let containing: Vec<&str> = served
            .files
            .iter()
            .flat_map(|version| &version.file.packages)
            .filter(|package| package.components.contains(name))
            .map(|package| package.name.as_str())
            .collect();
        let mut parts = vec![self.span_of(index)];
        let holder = (checkout.holder.person, checkout.holder.machine);
        for (suite, covered) in self.held.get(&holder).into_iter().flatten() {
            if containing.contains(suite) {
                parts = parts.into_iter().flat_map(|part| without(part, *covered)).collect();
            }
        }
        parts
    }
}

/// What is left of a span when another is taken out.
fn without(span: Span, taken: Span) -> Vec<Span> {
    if !span.overlaps(taken) {
        return vec![span];
    }
    let before = Span::new(span.start, taken.start.min(span.end));
    let after = Span::new(taken.end.max(span.start), span.end);
    [before, after].into_iter().filter(|part| !part.is_empty()).collect()
}

/// The first instant at which any of these uses begins.
pub fn first_instant(uses: &[&Use]) -> Option<Timestamp> {
    uses.iter().map(|one| one.span.start).min()
}
