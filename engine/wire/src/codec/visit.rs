//! Facts one after the other, telemetry in the form of its own kind.
//!
//! What comes by the million is checkouts and metered quantities. Making each a fact of any kind first costs several
//! copies of room for the largest; a [`Visitor`] is given what such a fact says as it stands.

use super::Facts;
use super::schema::{Common, CommonColumns, Rows};
use crate::code::Code;
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionEvent, UsageEvent};

/// What every fact has besides what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which fact it is.
    pub id: FactId,
    /// Its revision.
    pub revision: u32,
    /// When the connector received it.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Code>,
    /// The document version whose row it is, if it is a row.
    pub document: Option<DocumentRef<Code>>,
}

impl Head {
    /// The fact that says this.
    pub fn fact(self, body: Body<Code>) -> Fact<Code> {
        let Self { id, revision, arrived_at, provenance, document } = self;
        Fact { id, revision, arrived_at, provenance, document, action: Action::Assert(body) }
    }
}

impl From<Common> for Head {
    #[inline]
    fn from(row: Common) -> Self {
        Self {
            id: row.id,
            revision: row.revision,
            arrived_at: row.arrived_at,
            provenance: Provenance { document: row.document, position: row.position },
            document: row.row_of,
        }
    }
}

/// Takes the facts of a batch in their order.
pub trait Visitor {
    /// Why it takes no more.
    type Error;

    /// Takes a metered quantity.
    ///
    /// # Errors
    /// If no more are to come.
    fn usage(&mut self, head: Head, event: UsageEvent<Code>) -> Result<(), Self::Error>;

    /// Takes what happened to a checkout.
    ///
    /// # Errors
    /// If no more are to come.
    fn session(&mut self, head: Head, event: SessionEvent<Code>) -> Result<(), Self::Error>;

    /// Takes any other fact, and whatever takes one back.
    ///
    /// # Errors
    /// If no more are to come.
    fn other(&mut self, fact: Fact<Code>) -> Result<(), Self::Error>;
}

impl Facts {
    /// Gives each fact to a visitor, until it takes no more.
    ///
    /// # Errors
    /// What the visitor says.
    pub fn visit<V: Visitor>(self, visitor: &mut V) -> Result<(), V::Error> {
        let Self { kind, common, body } = self;
        if let Rows::Usage(mut rows) = body {
            return each(kind, common, || rows.next_row(), visitor, V::usage);
        }
        if let Rows::Session(mut rows) = body {
            return each(kind, common, || rows.next_row(), visitor, V::session);
        }
        body.fold(kind, common, Ok(()), |done, fact| done.and_then(|()| visitor.other(fact)))
    }
}

/// Gives what facts of one kind say to `take`, and those that take something back to the visitor.
#[inline]
fn each<V: Visitor, B>(
    kind: FactKind,
    mut common: CommonColumns,
    mut next: impl FnMut() -> Option<B>,
    visitor: &mut V,
    take: impl Fn(&mut V, Head, B) -> Result<(), V::Error>,
) -> Result<(), V::Error> {
    while let Some(row) = common.next_row() {
        if row.retracted {
            visitor.other(row.fact(Action::Retract(kind)))?;
        } else {
            // The rows of bodies were read as many as are asserted.
            let Some(body) = next() else { break };
            take(visitor, row.into(), body)?;
        }
    }
    Ok(())
}
