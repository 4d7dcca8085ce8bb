//! What enters the workers: facts, small enough to be handed on by the million.
//!
//! A metered quantity has a few words of its own and comes in numbers; other facts are larger and rarer.
//! Both travel behind a pointer, so that what moves through channels and tables is two words, and what
//! is remembered of a metered fact is what it says and not room for what others could say.

use crate::volume::Metered;
use serde::{Deserialize, Serialize};
use trueup_model::derived::Subject;
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::id::{Id, TenantId};
use trueup_model::time::Timestamp;
use trueup_model::usage::{UsageEvent, UsageOp};

/// A fact of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Entered {
    /// A metered quantity, stated by itself.
    Usage(Box<Said>),
    /// Any other.
    Other(Box<(TenantId, Fact<Id>)>),
}

/// A metered quantity as a source states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Said {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which fact.
    pub id: FactId,
    /// Its revision.
    pub revision: u32,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
    /// What it says.
    pub event: UsageEvent<Id>,
}

impl From<(TenantId, Fact<Id>)> for Entered {
    fn from((tenant, fact): (TenantId, Fact<Id>)) -> Self {
        match fact {
            Fact {
                id,
                revision,
                arrived_at,
                provenance,
                document: None,
                action: Action::Assert(Body::Usage(event)),
            } => {
                Self::Usage(Box::new(Said { tenant, id, revision, arrived_at, provenance, event }))
            }
            fact => Self::Other(Box::new((tenant, fact))),
        }
    }
}

impl From<Said> for Fact<Id> {
    fn from(said: Said) -> Self {
        let Said { tenant: _, id, revision, arrived_at, provenance, event } = said;
        let action = Action::Assert(Body::Usage(event));
        Self { id, revision, arrived_at, provenance, document: None, action }
    }
}

impl Entered {
    /// Which fact.
    pub fn id(&self) -> FactId {
        match self {
            Self::Usage(said) => said.id,
            Self::Other(other) => other.1.id,
        }
    }

    /// The fact and whose it is.
    pub fn into_fact(self) -> (TenantId, Fact<Id>) {
        match self {
            Self::Usage(said) => (said.tenant, (*said).into()),
            Self::Other(other) => *other,
        }
    }
}

impl Metered {
    /// What a usage event adds to a volume; `None` if it sets a level or says who takes part.
    pub(crate) fn of(
        tenant: TenantId,
        (fact, arrived_at, provenance): (FactId, Timestamp, Provenance<Id>),
        event: &UsageEvent<Id>,
    ) -> Option<Self> {
        if event.op != UsageOp::Add {
            return None;
        }
        let subject = Subject {
            tenant,
            server: None,
            feature: event.product.into(),
            user: event.user.map(Into::into),
            device: event.device.map(Into::into),
            account: event.account.map(Into::into),
        };
        let (at, quantity) = (event.at, event.quantity);
        Some(Self { subject, at, quantity, fact, arrived_at, provenance })
    }
}

#[cfg(test)]
mod tests {
    use super::{Entered, Said};
    use std::mem::size_of;
    use trueup_model::fact::Fact;
    use trueup_model::id::Id;

    #[test]
    fn a_metered_fact_is_small_and_what_travels_is_two_words() {
        assert_eq!(size_of::<Entered>(), 2 * size_of::<usize>());
        assert!(size_of::<Said>() * 2 <= size_of::<Fact<Id>>());
    }
}
