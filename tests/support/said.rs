//! Facts with their names as text, and the epochs in which they are told to an engine.

use std::convert::Infallible;
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, Provenance};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::time::Timestamp;

/// A fact of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The tenant's name.
    pub tenant: String,
    /// What is said.
    pub fact: Fact<String>,
}

/// What is told to an engine at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// The facts, in the order in which they come.
    pub facts: Vec<Said>,
    /// Where the horizon moves to, if it moves.
    pub horizon: Option<Timestamp>,
}

impl Said {
    /// What `source` of a tenant says in its event `event`, at revision 0, in no document.
    pub fn new(
        tenant: &str,
        source: &str,
        event: &str,
        arrived_at: Timestamp,
        body: Body<String>,
    ) -> Self {
        let fact = Fact {
            id: FactId::of(tenant, source, &[event.as_bytes()]),
            revision: 0,
            arrived_at,
            provenance: Provenance { document: source.to_owned(), position: 1 },
            document: None,
            action: Action::Assert(body),
        };
        Self { tenant: tenant.to_owned(), fact }
    }

    /// The same as a row of a version of a document.
    #[must_use]
    pub fn in_document(mut self, document: &str, version: u64) -> Self {
        self.fact.document = Some(DocumentRef { document: document.to_owned(), version });
        self
    }

    /// The same at another place of its source.
    #[must_use]
    pub fn at_position(mut self, position: u64) -> Self {
        self.fact.provenance.position = position;
        self
    }

    /// Whose it is.
    pub fn tenant_id(&self) -> TenantId {
        TenantId::named(&self.tenant)
    }

    /// Every name in it, with its kind.
    pub fn names(&self) -> Vec<(NameKind, String)> {
        let mut names = Vec::new();
        let named = self.fact.clone().try_map(&mut |kind, name: String| {
            names.push((kind, name));
            Ok::<Id, Infallible>(Id::default())
        });
        match named {
            Ok(_) => names,
            Err(never) => match never {},
        }
    }
}
