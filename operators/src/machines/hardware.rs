//! Every machine and factor table that inventories name, and which machine stands near which.

use super::{FactorRow, MachineRow};
use crate::Diff;
use crate::rows::add;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::factor::FactorKind;
use trueup_model::hash::IdMap;
use trueup_model::id::{DeviceId, Id, TenantId};
use trueup_model::processors::Weight;
use trueup_model::time::Timestamp;

/// A cluster of a tenant.
type Cluster = (TenantId, Id);

/// Machines by name, by host and by cluster, and the factors of their processor models.
#[derive(Default)]
pub(super) struct Hardware {
    rows: IdMap<DeviceId, BTreeMap<MachineRow, Diff>>,
    guests: IdMap<DeviceId, BTreeMap<DeviceId, Diff>>,
    clusters: IdMap<Cluster, BTreeMap<DeviceId, Diff>>,
    factors: BTreeMap<FactorRow, Diff>,
}

/// What a processor model counts, and whether a table says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModelFactor {
    pub(super) weight: Weight,
    pub(super) known: bool,
}

impl Hardware {
    pub(super) fn hear(&mut self, row: MachineRow, diff: Diff) {
        let device: DeviceId = row.machine.device.into();
        put(&mut self.rows, device, row, diff);
        if let Some(host) = row.machine.host {
            put(&mut self.guests, host.into(), device, diff);
        }
        if let Some(cluster) = row.machine.cluster {
            put(&mut self.clusters, (row.tenant, cluster), device, diff);
        }
    }

    pub(super) fn hear_factor(&mut self, row: FactorRow, diff: Diff) {
        add(&mut self.factors, row, diff);
    }

    /// The machines whose installs a row concerns: itself, its guests and its cluster with theirs.
    pub(super) fn concerned(&self, row: &MachineRow) -> BTreeSet<DeviceId> {
        let device: DeviceId = row.machine.device.into();
        let mut found: BTreeSet<DeviceId> = [device].into();
        found.extend(row.machine.host.map(DeviceId::from));
        let clusters = self.rows_of(device).filter_map(|held| held.machine.cluster);
        let clusters: BTreeSet<Id> = clusters.chain(row.machine.cluster).collect();
        for cluster in clusters {
            found.extend(self.members(row.tenant, cluster));
        }
        let guests: Vec<DeviceId> = found.iter().flat_map(|one| self.guests_of(*one)).collect();
        found.extend(guests);
        found
    }

    /// The rows of a machine.
    pub(super) fn rows_of(&self, device: DeviceId) -> impl Iterator<Item = &MachineRow> {
        self.rows.get(&device).into_iter().flat_map(BTreeMap::keys)
    }

    /// The row of a machine at an instant; of several, the last in their order.
    pub(super) fn at(&self, device: DeviceId, at: Timestamp) -> Option<&MachineRow> {
        self.rows_of(device).filter(|row| row.span.contains(at)).last()
    }

    /// The machines that ever run on a host.
    pub(super) fn guests_of(&self, host: DeviceId) -> impl Iterator<Item = DeviceId> {
        self.guests.get(&host).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// The machines that are ever in a cluster.
    pub(super) fn members(&self, tenant: TenantId, cluster: Id) -> impl Iterator<Item = DeviceId> {
        self.clusters.get(&(tenant, cluster)).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// The machines that stand for a machine where shares of a host are counted: the hosts that it
    /// ever runs on, and itself.
    pub(super) fn hosts_of(&self, device: DeviceId) -> BTreeSet<DeviceId> {
        let hosts = self.rows_of(device).filter_map(|row| row.machine.host).map(DeviceId::from);
        std::iter::once(device).chain(hosts).collect()
    }

    /// Whether one of the machines runs, or ran until this epoch, on a host.
    pub(super) fn is_near(&self, host: DeviceId, devices: &BTreeSet<DeviceId>) -> bool {
        self.guests_of(host).any(|guest| devices.contains(&guest))
    }

    /// What a core of a processor model counts at an instant: by the row of the model, else by the row
    /// for any model, else the given weight.
    pub(super) fn factor(
        &self,
        kind: FactorKind,
        tenant: TenantId,
        model: Option<Id>,
        at: Timestamp,
        usual: Weight,
    ) -> ModelFactor {
        let stated = |wanted: Option<Id>| {
            let rows = self.factors.keys().filter(|row| {
                row.tenant == tenant
                    && row.factor.kind == kind
                    && row.factor.model == wanted
                    && row.span.contains(at)
            });
            // Of several rows, the last in their order: the one that says most.
            rows.rev().find_map(|row| Weight::new(row.factor.value, row.factor.per))
        };
        let named = model.and_then(|model| stated(Some(model)));
        match named.or_else(|| stated(None)) {
            Some(weight) => ModelFactor { weight, known: true },
            None => ModelFactor { weight: usual, known: false },
        }
    }

    /// When factors of a kind change for a tenant.
    pub(super) fn factor_bounds(&self, kind: FactorKind) -> impl Iterator<Item = Timestamp> {
        let rows = self.factors.keys().filter(move |row| row.factor.kind == kind);
        rows.flat_map(|row| [row.span.start, row.span.end])
    }
}

fn put<K: Eq + std::hash::Hash + Copy, V: Ord>(
    table: &mut IdMap<K, BTreeMap<V, Diff>>,
    key: K,
    row: V,
    diff: Diff,
) {
    let rows = table.entry(key).or_default();
    add(rows, row, diff);
    if rows.is_empty() {
        table.remove(&key);
    }
}
