//! The names in a snapshot: each tenant's, in the order in which they first came.
//!
//! Names are kept as they were written, because what a spelling means is for the policy of the run to
//! say, and in their order, because the limits of the dictionary take the first ones.

use std::collections::BTreeMap;
use trueup_model::id::NameKind;

/// A tenant's place among the tenants.
pub(super) type Tenant = u32;
/// A name's place among the names of all tenants.
pub(super) type Name = u32;

/// The names of all tenants.
#[derive(Debug, Default)]
pub(super) struct Texts {
    tenants: Vec<Box<str>>,
    names: Vec<(Tenant, NameKind, Box<str>)>,
    known: BTreeMap<(Tenant, u8), BTreeMap<Box<str>, Name>>,
}

impl Texts {
    /// The place of a tenant.
    pub(super) fn tenant(&mut self, name: &str) -> Tenant {
        let found = self.tenants.iter().position(|known| **known == *name);
        let place = found.unwrap_or_else(|| {
            self.tenants.push(name.into());
            self.tenants.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The name of a tenant.
    pub(super) fn tenant_name(&self, tenant: Tenant) -> &str {
        let place = usize::try_from(tenant).unwrap_or(usize::MAX);
        self.tenants.get(place).map_or("", |name| name)
    }

    /// The place of a name.
    pub(super) fn name(&mut self, tenant: Tenant, kind: NameKind, text: &str) -> Name {
        let known = self.known.entry((tenant, kind.code())).or_default();
        if let Some(place) = known.get(text) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        known.insert(text.into(), place);
        self.names.push((tenant, kind, text.into()));
        place
    }

    /// What a name is.
    pub(super) fn named(&self, name: Name) -> Option<(NameKind, &str)> {
        let place = usize::try_from(name).unwrap_or(usize::MAX);
        self.names.get(place).map(|(_, kind, text)| (*kind, &**text))
    }

    /// All tenants, in their order.
    pub(super) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().map(|name| &**name)
    }

    /// All names in their order, cut where the tenant changes.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Tenant, Vec<(NameKind, &str)>)> {
        self.names.chunk_by(|one, next| one.0 == next.0).filter_map(|run| {
            let tenant = run.first()?.0;
            Some((tenant, run.iter().map(|(_, kind, text)| (*kind, &**text)).collect()))
        })
    }
}
