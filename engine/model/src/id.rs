//! Identifiers: one newtype for each kind of thing, and the dictionary that made them.
//!
//! An identifier is a seeded 64-bit hash of (kind, tenant, normalized name): the same in every
//! process, without coordination. [`Dictionary`] keeps the name that each identifier stands for and
//! finds collisions, so that no two names ever share one.

use crate::hash::{IdMap, hash64};
use crate::identity::IdentityRules;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a name names; part of its identity, so a user and a host of one name are two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NameKind {
    /// A connector's source of facts.
    Source,
    /// A vendor daemon on a license server, `daemon@host`.
    Server,
    /// A product, feature or SKU.
    Product,
    /// A person or service that uses licenses.
    User,
    /// A machine.
    Device,
    /// A node of the organization.
    Account,
    /// An entitlement line.
    Line,
    /// A contract or order.
    Contract,
    /// A table or file of a source.
    Document,
    /// Words that are only shown: versions, projects, excerpts.
    Text,
}

impl NameKind {
    /// Every kind, in the order of [`NameKind::code`].
    pub const ALL: [Self; 10] = [
        Self::Source,
        Self::Server,
        Self::Product,
        Self::User,
        Self::Device,
        Self::Account,
        Self::Line,
        Self::Contract,
        Self::Document,
        Self::Text,
    ];

    /// The kind's stable number, used on the wire and in identifiers.
    pub fn code(self) -> u8 {
        match self {
            Self::Source => 0,
            Self::Server => 1,
            Self::Product => 2,
            Self::User => 3,
            Self::Device => 4,
            Self::Account => 5,
            Self::Line => 6,
            Self::Contract => 7,
            Self::Document => 8,
            Self::Text => 9,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// An identifier of any kind; what kind is known from where it stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Id(pub u64);

/// Makes one newtype around [`Id`] for each kind.
macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u64);

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id.0)
            }
        }

        impl From<$name> for Id {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}

identifiers! {
    /// A customer of the engine, whose data never mixes with another's.
    TenantId
    /// A connector's source of facts.
    SourceId
    /// A vendor daemon on a license server.
    ServerId
    /// A product, feature or SKU.
    ProductId
    /// A person or service.
    UserId
    /// A machine.
    DeviceId
    /// A node of the organization.
    AccountId
    /// An entitlement line.
    LineId
    /// A contract or order.
    ContractId
    /// A table or file of a source.
    DocumentId
    /// Words that are only shown.
    TextId
}

impl TenantId {
    /// The identifier of a tenant by its name.
    pub fn named(name: &str) -> Self {
        Self(hash64(&[b"tenant", name.trim().to_lowercase().as_bytes()]))
    }
}

impl AccountId {
    /// The top of a tenant's account tree, which every account stands under.
    pub fn root(tenant: TenantId) -> Self {
        Self(hash64(&[b"account-root", &tenant.0.to_le_bytes()]))
    }

    /// Where a tenant's use goes that no rule attributes to an account.
    pub fn unattributed(tenant: TenantId) -> Self {
        Self(hash64(&[b"account-unattributed", &tenant.0.to_le_bytes()]))
    }
}

impl ProductId {
    /// The top of a tenant's product tree.
    pub fn root(tenant: TenantId) -> Self {
        Self(hash64(&[b"product-root", &tenant.0.to_le_bytes()]))
    }
}

/// Why a name got no identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two names of one kind hash alike.
    #[error("name `{new}` has the identifier of `{old}`; rename one of them")]
    Collision {
        /// The name that came first and keeps the identifier.
        old: String,
        /// The name that was refused.
        new: String,
    },
    /// The dictionary holds as many names as it may.
    #[error("the dictionary already holds {limit} names; raise its limit or check the source")]
    Full {
        /// The most names that it may hold.
        limit: usize,
    },
}

/// What the dictionary knows of an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// What kind of thing it is.
    pub kind: NameKind,
    /// Whose it is.
    pub tenant: TenantId,
    /// The spelling for people: the greatest in byte order of those that were seen, so that it does
    /// not depend on which came first.
    pub shown: Box<str>,
    /// The normalized spelling that the identifier is made of.
    pub normalized: Box<str>,
    /// Whether the naming rules could resolve it.
    pub resolved: bool,
}

/// The names behind identifiers, and the rules that make one of many spellings.
#[derive(Debug)]
pub struct Dictionary {
    rules: IdentityRules,
    entries: IdMap<u64, NameEntry>,
    tenants: IdMap<u64, Box<str>>,
    names_max: usize,
}

impl Dictionary {
    /// An empty dictionary that holds at most `names_max` names.
    pub fn new(rules: IdentityRules, names_max: usize) -> Self {
        Self { rules, entries: IdMap::default(), tenants: IdMap::default(), names_max }
    }

    /// The identifier of a tenant, with words for the ends of its trees from now on.
    pub fn open_tenant(&mut self, name: &str) -> TenantId {
        let tenant = TenantId::named(name);
        let ends = [
            (NameKind::Account, AccountId::root(tenant).0, "(all)"),
            (NameKind::Account, AccountId::unattributed(tenant).0, "(unattributed)"),
            (NameKind::Product, ProductId::root(tenant).0, "(all products)"),
        ];
        for (kind, id, words) in ends {
            let entry = NameEntry {
                kind,
                tenant,
                shown: words.into(),
                normalized: words.into(),
                resolved: true,
            };
            self.entries.insert(id, entry);
        }
        self.tenants.insert(tenant.0, name.trim().into());
        tenant
    }

    /// The name to show for a tenant.
    pub fn tenant(&self, tenant: TenantId) -> String {
        let name = self.tenants.get(&tenant.0).map(ToString::to_string);
        name.unwrap_or_else(|| Id(tenant.0).to_string())
    }

    /// The identifier of a name, remembered from now on.
    ///
    /// # Errors
    /// If another name has the identifier already, or the dictionary is full.
    pub fn intern(&mut self, kind: NameKind, tenant: TenantId, raw: &str) -> Result<Id, NameError> {
        let normalized = self.rules.normalize(kind, raw);
        let id = name_id(kind, tenant, &normalized.name);
        if let Some(entry) = self.entries.get_mut(&id.0) {
            let same = entry.kind == kind
                && entry.tenant == tenant
                && *entry.normalized == *normalized.name;
            if !same {
                let old = entry.shown.to_string();
                return Err(NameError::Collision { old, new: raw.to_owned() });
            }
            if raw.trim() > &*entry.shown {
                entry.shown = raw.trim().into();
            }
            return Ok(id);
        }
        if self.entries.len() >= self.names_max {
            return Err(NameError::Full { limit: self.names_max });
        }
        let entry = NameEntry {
            kind,
            tenant,
            shown: raw.trim().into(),
            normalized: normalized.name.into(),
            resolved: normalized.resolved,
        };
        self.entries.insert(id.0, entry);
        Ok(id)
    }

    /// The identifier that a name would have, whether or not it was seen.
    pub fn id_of(&self, kind: NameKind, tenant: TenantId, raw: &str) -> Id {
        name_id(kind, tenant, &self.rules.normalize(kind, raw).name)
    }

    /// What is known of an identifier.
    pub fn entry(&self, id: Id) -> Option<&NameEntry> {
        self.entries.get(&id.0)
    }

    /// The name to show for an identifier; its number if the name never came.
    pub fn shown(&self, id: Id) -> String {
        self.entry(id).map_or_else(|| format!("#{:016x}", id.0), |entry| entry.shown.to_string())
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no name is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:016x}", self.0)
    }
}

fn name_id(kind: NameKind, tenant: TenantId, normalized: &str) -> Id {
    Id(hash64(&[&[kind.code()], &tenant.0.to_le_bytes(), normalized.as_bytes()]))
}
