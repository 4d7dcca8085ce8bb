//! Suites by inventory: a machine that has enough of a suite's components is taken to have the suite.
//!
//! suite(d, t) = it is installed on d at t, or
//!               all mandatory components are, and |others there| · 100 ≥ percent · |others|
//! installs'   = installs outside of the spans in which a suite of theirs is there
//!             + the suites that are inferred
//!
//! So one right of the suite covers its components, and neither counts twice. Of several suites that
//! hold at once, the one with most components there, then the smallest, takes the components.
//!
//! Where the policy puts components first, a suite is not inferred at instants at which each of its components
//! there has a line of its own in force: then they count by themselves.
//!
//! Work per change: the installs of the machine; a rule that changes, or a line of a component that may come
//! first, all machines with a component.

use crate::entitle::Right;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::installs::Installed;
use crate::keyed::{Keyed as _, Rows as _};
use crate::rows::add;
use crate::segments::{outside, union};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::catalog::SuiteMember;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{DeviceId, Id, ProductId, TenantId};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::{ProductSettings, SuiteOrder};

/// A member of a suite, of a tenant, while its statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// Whose rule it is.
    pub tenant: TenantId,
    /// The rule.
    pub rule: SuiteMember<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Installed(Installed),
    Member(Member),
    /// A suite whose components come first.
    Yields(ProductId),
    /// A line of a component of such a suite is in force.
    Held(TenantId, ProductId, Span),
}

/// Replaces components by the suites that they make up.
pub fn suites<'s>(
    installs: Facts<'s, Installed>,
    members: Facts<'s, Member>,
    settings: Facts<'s, (ProductId, ProductSettings)>,
    rights: Facts<'s, Right>,
) -> Facts<'s, Installed> {
    let yielding = settings
        .filter(|(_, settings)| settings.suite_order == SuiteOrder::ComponentFirst)
        .map(|(product, _)| product);
    let of_yielding = members.clone().map(|member| (member.rule.suite.into(), member.rule));
    let of_yielding = of_yielding.kept_by(yielding.clone());
    let components = of_yielding.map(|(_, rule)| ProductId::from(rule.component)).once();
    let held = rights
        .filter(|right| !right.is_credit())
        .map(|right| (right.product, (right.tenant, right.span)))
        .kept_by(components)
        .map(|(product, (tenant, span))| Heard::Held(tenant, product, span));
    let rows = by_key(installs.map(Heard::Installed), |heard| match heard {
        Heard::Installed(one) => mix(&[one.tenant.0, one.device.0]),
        Heard::Member(_) | Heard::Yields(_) | Heard::Held(..) => 0,
    });
    let members = members.map(Heard::Member).concatenate([yielding.map(Heard::Yields), held]);
    let members = everywhere(members);
    let mut state = State::default();
    each_epoch(rows.concat(members), "Suites", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// A machine of a tenant.
type Place = (TenantId, DeviceId);

#[derive(Default)]
struct State {
    members: BTreeMap<Member, Diff>,
    yielding: BTreeMap<ProductId, Diff>,
    held: BTreeMap<ProductId, BTreeMap<Span, Diff>>,
    machines: IdMap<Place, BTreeMap<Installed, Diff>>,
    given: IdMap<Place, BTreeMap<Installed, Diff>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Installed>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        let mut ruled: BTreeSet<(TenantId, ProductId)> = BTreeSet::new();
        let mut yields: BTreeSet<ProductId> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Installed(one) => {
                    let place = (one.tenant, one.device);
                    add(self.machines.entry(place).or_default(), one, diff);
                    touched.insert(place);
                }
                Heard::Member(member) => {
                    add(&mut self.members, member, diff);
                    ruled.insert((member.tenant, member.rule.component.into()));
                    ruled.insert((member.tenant, member.rule.suite.into()));
                }
                Heard::Yields(suite) => {
                    add(&mut self.yielding, suite, diff);
                    yields.insert(suite);
                }
                Heard::Held(tenant, component, span) => {
                    add(self.held.entry(component).or_default(), span, diff);
                    ruled.insert((tenant, component));
                }
            }
        }
        self.held.retain(|_, spans| !spans.is_empty());
        let rules = self.members.keys().map(|member| (member.tenant, member.rule.suite.into()));
        ruled.extend(rules.filter(|(_, suite)| yields.contains(suite)));
        if !ruled.is_empty() {
            // What one component needs for a suite depends on all the others.
            let of_suites = self.members.keys().map(|member| (member.tenant, &member.rule));
            let others: Vec<(TenantId, ProductId)> = of_suites
                .filter(|(tenant, rule)| ruled.contains(&(*tenant, rule.suite.into())))
                .map(|(tenant, rule)| (tenant, rule.component.into()))
                .collect();
            ruled.extend(others);
            let concerned = |rows: &BTreeMap<Installed, Diff>| {
                rows.keys().any(|one| ruled.contains(&(one.tenant, one.product)))
            };
            let all = self.machines.iter().filter(|(_, rows)| concerned(rows));
            touched.extend(all.map(|(place, _)| *place));
        }
        for place in touched {
            let rows = self.machines.remove(&place).unwrap_or_default();
            let now = self.replaced(place, &rows);
            let before = match now.is_empty() {
                true => self.given.remove(&place).unwrap_or_default(),
                false => self.given.insert(place, now.clone()).unwrap_or_default(),
            };
            if !rows.is_empty() {
                self.machines.insert(place, rows);
            }
            let mut difference = now;
            for (one, count) in before {
                add(&mut difference, one, -count);
            }
            changes.extend(difference);
        }
    }

    /// The installs of a machine with components replaced by suites.
    fn replaced(
        &self,
        place: Place,
        rows: &BTreeMap<Installed, Diff>,
    ) -> BTreeMap<Installed, Diff> {
        let products: BTreeSet<ProductId> = rows.keys().map(|one| one.product).collect();
        let rules: Vec<SuiteMember<Id>> = self
            .members
            .keys()
            .filter(|member| member.tenant == place.0)
            .map(|member| member.rule)
            .collect();
        let named = |rule: &SuiteMember<Id>| {
            products.contains(&rule.component.into()) || products.contains(&rule.suite.into())
        };
        if !rules.iter().any(named) {
            return rows.clone();
        }
        let mut cuts: BTreeSet<Timestamp> = [Timestamp::MIN, Timestamp::MAX].into();
        cuts.extend(rules.iter().flat_map(|rule| [rule.span.start, rule.span.end]));
        cuts.extend(rows.keys().flat_map(|one| [one.span.start, one.span.end]));
        let held = products.iter().filter_map(|product| self.held.get(product));
        cuts.extend(held.flat_map(BTreeMap::keys).flat_map(|span| [span.start, span.end]));
        let cuts: Vec<Timestamp> = cuts.into_iter().collect();
        let mut taken: BTreeMap<ProductId, Vec<Span>> = BTreeMap::new();
        let mut inferred: BTreeMap<Installed, Vec<Span>> = BTreeMap::new();
        for pair in cuts.windows(2) {
            let piece = Span::new(pair[0], pair[1]);
            for (suite, components) in self.suites_at(&rules, rows, piece.start) {
                for component in &components {
                    taken.entry(*component).or_default().push(piece);
                }
                let direct =
                    |one: &&Installed| one.product == suite && one.span.contains(piece.start);
                if rows.keys().any(|one| direct(&one)) {
                    continue;
                }
                let first = rows.keys().find(|one| {
                    components.contains(&one.product) && one.span.contains(piece.start)
                });
                if let Some(first) = first {
                    let one = Installed { product: suite, span: Span::default(), ..*first };
                    inferred.entry(one).or_default().push(piece);
                }
            }
        }
        let mut found: BTreeMap<Installed, Diff> = BTreeMap::new();
        for (one, pieces) in inferred {
            for span in union(pieces) {
                add(&mut found, Installed { span, ..one }, 1);
            }
        }
        for (one, count) in rows {
            let parts = taken.get(&one.product).into_iter().flatten().copied();
            for span in outside(one.span, parts) {
                add(&mut found, Installed { span, ..*one }, *count);
            }
        }
        found
    }
}

impl State {
    /// The suites that a machine has at an instant, each with the components that it takes.
    fn suites_at(
        &self,
        rules: &[SuiteMember<Id>],
        rows: &BTreeMap<Installed, Diff>,
        at: Timestamp,
    ) -> Vec<(ProductId, BTreeSet<ProductId>)> {
        let there: BTreeSet<ProductId> =
            rows.keys().filter(|one| one.span.contains(at)).map(|one| one.product).collect();
        let mut by_suite: BTreeMap<ProductId, BTreeMap<ProductId, SuiteMember<Id>>> =
            BTreeMap::new();
        for rule in rules.iter().filter(|rule| rule.span.contains(at)) {
            let members = by_suite.entry(rule.suite.into()).or_default();
            let kept = members.entry(rule.component.into()).or_insert(*rule);
            // Of several rows of one component, the one that asks for less.
            *kept = (*kept).min(*rule);
        }
        let mut held: Vec<(ProductId, BTreeSet<ProductId>)> = Vec::new();
        for (suite, members) in by_suite {
            let present: BTreeSet<ProductId> =
                members.keys().filter(|component| there.contains(component)).copied().collect();
            let inferred = is_inferred(&members, &present) && !self.yields(suite, &present, at);
            if there.contains(&suite) || inferred {
                held.push((suite, present));
            }
        }
        held.sort_by_key(|(suite, present)| (std::cmp::Reverse(present.len()), *suite));
        let mut free = there;
        for (_, present) in &mut held {
            present.retain(|component| free.remove(component));
        }
        held.retain(|(suite, present)| !present.is_empty() || free.contains(suite));
        held
    }

    /// Whether a suite leaves its components to their own lines.
    fn yields(&self, suite: ProductId, present: &BTreeSet<ProductId>, at: Timestamp) -> bool {
        let is_held = |component: &ProductId| {
            let spans = self.held.get(component);
            spans.is_some_and(|spans| spans.keys().any(|span| span.contains(at)))
        };
        self.yielding.contains_key(&suite) && present.iter().all(is_held)
    }
}

fn is_inferred(
    members: &BTreeMap<ProductId, SuiteMember<Id>>,
    present: &BTreeSet<ProductId>,
) -> bool {
    let mandatory = members.iter().filter(|(_, rule)| rule.mandatory);
    if present.is_empty() || mandatory.clone().any(|(component, _)| !present.contains(component)) {
        return false;
    }
    let others = members.len() - mandatory.clone().count();
    let there = present.len() - mandatory.count();
    let percent = members.values().map(|rule| rule.percent).min().unwrap_or(100);
    there as u64 * 100 >= u64::from(percent) * others as u64
}
