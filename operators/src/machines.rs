//! Machines: what the hardware under an install needs, by the product's processor rule.
//!
//! device(p, d, t)    = 1 while p is installed on d
//! core(p, d, t)      = rule(p)(shape of d at t); of a soft partition, the shape of its whole cluster
//! value(p, h, t)     = min( Σ { virtual cores of d : d runs on h, p installed on d }, cores of h )
//!                      · value units of a core of h's model
//! least users(p, d)  = each · cores of d, or each · core(p, d, t)
//!
//! A machine without a host stands for itself with all of its cores. Where a snapshot of a virtual
//! machine is too old to prove its share, it counts with all cores of its host. Models that no table
//! names count 1 core for one license and 120 value units, and are said to be unknown.
//!
//! Work per change: for a machine, its installs, those of its guests, and those of its cluster; for an
//! install, its own rows and the host's.

mod hardware;
mod needs;

use crate::attribute::{Rule, Use};
use crate::dedupe::Known;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::installs::{Installed, device_use, taken_at};
use crate::keyed::Keyed as _;
use crate::rows::add;
use crate::segments::union;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use hardware::Hardware;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::fact::Body;
use trueup_model::factor::{Factor, FactorKind};
use trueup_model::hardware::Machine;
use trueup_model::hash::IdMap;
use trueup_model::id::{DeviceId, Id, ProductId, TenantId};
use trueup_model::time::{Span, Timestamp};

/// A machine's hardware, while an inventory in force says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MachineRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// The hardware.
    pub machine: Machine<Id>,
    /// When.
    pub span: Span,
    /// When the inventory that says so was taken, if it is dated.
    pub taken_at: Option<Timestamp>,
}

/// A row of a factor table, of a tenant, while it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactorRow {
    /// Whose table it is.
    pub tenant: TenantId,
    /// The row.
    pub factor: Factor<Id>,
    /// When.
    pub span: Span,
}

/// Something about a machine that is not known, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lack {
    /// Whose it is.
    pub tenant: TenantId,
    /// What is missing.
    pub kind: DiscrepancyKind,
    /// The product that it concerns.
    pub product: ProductId,
    /// The machine.
    pub device: DeviceId,
    /// When.
    pub span: Span,
}

/// What installs need.
pub struct Machines<'s> {
    /// Uses under the metrics device, core and processor value, and the least counts of users.
    pub uses: Facts<'s, Use>,
    /// What is not known.
    pub lacks: Facts<'s, Lack>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Installed(Installed),
    Rule(ProductId, Rule),
    Machine(MachineRow),
    Factor(FactorRow),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Use(Use),
    Lack(Lack),
}

/// The machines of the inventories in force.
pub fn machine_rows<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, MachineRow> {
    in_force.flat_map(|(known, span)| {
        let Body::Machine(machine) = known.body else { return None };
        let taken_at = taken_at(&known.document, span);
        let span = machine.span.overlap(span)?;
        Some(MachineRow { tenant: known.tenant, machine, span, taken_at })
    })
}

/// The factor tables in force.
pub fn factor_rows<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, FactorRow> {
    in_force.flat_map(|(known, span)| {
        let Body::Factor(factor) = known.body else { return None };
        let span = factor.span.overlap(span)?;
        Some(FactorRow { tenant: known.tenant, factor, span })
    })
}

/// Finds what installs need.
pub fn machines<'s>(
    installs: Facts<'s, Installed>,
    rules: Facts<'s, (ProductId, Rule)>,
    machines: Facts<'s, MachineRow>,
    factors: Facts<'s, FactorRow>,
) -> Machines<'s> {
    let rows = installs.map(Heard::Installed);
    let rows = rows.concat(rules.map(|(product, rule)| Heard::Rule(product, rule)));
    let rows = by_key(rows, |heard| match heard {
        Heard::Installed(one) => one.product.0,
        Heard::Rule(product, _) => product.0,
        Heard::Machine(_) | Heard::Factor(_) => 0,
    });
    let of_cores = |row: &FactorRow| match row.factor.kind {
        FactorKind::Core | FactorKind::ProcessorValue => true,
        FactorKind::Weight | FactorKind::Band => false,
    };
    let tables = machines.map(Heard::Machine);
    let tables = tables.concat(factors.filter(of_cores).map(Heard::Factor));
    let mut state = State::default();
    let found = each_epoch(rows.concat(everywhere(tables)), "Machines", move |updates, changes| {
        state.step(updates, changes);
    });
    let uses = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Use(one) => Some((one, epoch, diff)),
        Found::Lack(_) => None,
    });
    let lacks = found.flat_map(|(found, epoch, diff)| match found {
        Found::Lack(lack) => Some((lack, epoch, diff)),
        Found::Use(_) => None,
    });
    Machines { uses: uses.as_collection(), lacks: united(lacks.as_collection()) }
}

/// The same lacks in the longest times in which they last, whoever the machine belongs to then.
fn united(lacks: Facts<'_, Lack>) -> Facts<'_, Lack> {
    lacks
        .map(|lack| (Lack { span: Span::default(), ..lack }, lack.span))
        .grouped("Machines: lacks", |_lack, spans, united| {
            let spans = union(spans.iter().map(|(span, _)| **span));
            united.extend(spans.into_iter().map(|span| (span, 1)));
        })
        .map(|(lack, span)| Lack { span, ..lack })
}

/// The installs of one product, and what they come to.
#[derive(Default)]
struct Product {
    rule: Option<Rule>,
    installs: BTreeMap<DeviceId, BTreeMap<Installed, Diff>>,
    given: BTreeMap<Unit, BTreeMap<Found, Diff>>,
}

/// What is computed by itself: a machine's own installs, or everything that runs on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Machine(DeviceId),
    Host(DeviceId),
}

#[derive(Default)]
struct State {
    hardware: Hardware,
    products: IdMap<ProductId, Product>,
    /// Which products are on a machine, by the name that inventories give it.
    on: IdMap<DeviceId, BTreeMap<ProductId, Diff>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Found>) {
        let mut touched: BTreeMap<ProductId, BTreeSet<DeviceId>> = BTreeMap::new();
        let mut whole: BTreeSet<ProductId> = BTreeSet::new();
        let mut moved: BTreeSet<DeviceId> = BTreeSet::new();
        let mut refactored = false;
        for (heard, diff) in updates {
            match heard {
                Heard::Installed(one) => {
                    touched.entry(one.product).or_default().insert(one.raw_device);
                    self.install(one, diff);
                }
                Heard::Rule(product, rule) => {
                    let entry = self.products.entry(product).or_default();
                    match (diff > 0, entry.rule) {
                        (true, _) => entry.rule = Some(rule),
                        (false, Some(old)) if old == rule => entry.rule = None,
                        (false, _) => {}
                    }
                    whole.insert(product);
                }
                Heard::Machine(row) => {
                    moved.extend(self.hardware.concerned(&row));
                    self.hardware.hear(row, diff);
                    moved.extend(self.hardware.concerned(&row));
                }
                Heard::Factor(row) => {
                    self.hardware.hear_factor(row, diff);
                    refactored = true;
                }
            }
        }
        if refactored {
            whole.extend(self.products.keys());
        }
        for device in moved {
            for product in self.on.get(&device).into_iter().flat_map(BTreeMap::keys) {
                touched.entry(*product).or_default().insert(device);
            }
        }
        for product in whole {
            let devices = self.products.get(&product).map(|one| one.installs.keys().copied());
            touched.entry(product).or_default().extend(devices.into_iter().flatten());
        }
        for (product, devices) in touched {
            self.settle(product, &devices, changes);
        }
    }

    fn install(&mut self, one: Installed, diff: Diff) {
        let product = self.products.entry(one.product).or_default();
        let rows = product.installs.entry(one.raw_device).or_default();
        add(rows, one, diff);
        if rows.is_empty() {
            product.installs.remove(&one.raw_device);
        }
        let on = self.on.entry(one.raw_device).or_default();
        add(on, one.product, diff);
        if on.is_empty() {
            self.on.remove(&one.raw_device);
        }
    }

    /// Gives what changed for a product on some machines and on their hosts.
    fn settle(
        &mut self,
        key: ProductId,
        devices: &BTreeSet<DeviceId>,
        changes: &mut Updates<Found>,
    ) {
        let Some(product) = self.products.get_mut(&key) else { return };
        let mut units: BTreeSet<Unit> = devices.iter().map(|one| Unit::Machine(*one)).collect();
        units.extend(devices.iter().flat_map(|one| self.hardware.hosts_of(*one)).map(Unit::Host));
        let before: Vec<Unit> =
            product.given.keys().filter(|unit| matches!(unit, Unit::Host(_))).copied().collect();
        // A machine that left its host is no longer found there.
        units.extend(before.into_iter().filter(|unit| match unit {
            Unit::Host(host) => devices.contains(host) || self.hardware.is_near(*host, devices),
            Unit::Machine(_) => false,
        }));
        for unit in units {
            let now = product.found(unit, &self.hardware);
            let old = match now.is_empty() {
                true => product.given.remove(&unit).unwrap_or_default(),
                false => product.given.insert(unit, now.clone()).unwrap_or_default(),
            };
            let mut difference = now;
            for (found, count) in old {
                add(&mut difference, found, -count);
            }
            changes.extend(difference);
        }
        if product.installs.is_empty() && product.given.is_empty() && product.rule.is_none() {
            self.products.remove(&key);
        }
    }
}

impl Product {
    /// What a unit comes to.
    fn found(&self, unit: Unit, hardware: &Hardware) -> BTreeMap<Found, Diff> {
        let mut found = BTreeMap::new();
        let Some(rule) = &self.rule else { return found };
        match unit {
            Unit::Machine(device) => {
                for (one, count) in self.installs.get(&device).into_iter().flatten() {
                    let counted = device_use(one, rule).map(Found::Use);
                    let lack = needs::stale(one, rule).map(Found::Lack);
                    for row in counted.into_iter().chain(lack) {
                        add(&mut found, row, *count);
                    }
                    for row in needs::of_install(one, rule, hardware) {
                        add(&mut found, row, *count);
                    }
                }
            }
            Unit::Host(host) => {
                for row in needs::of_host(host, &self.installs, rule, hardware) {
                    add(&mut found, row, 1);
                }
            }
        }
        found
    }
}
