//! What a snapshot has besides facts: names, sources, conversations, the horizon.

use super::texts::{Name, Tenant, Texts};
use super::{Trouble, define, frames, utf8};
use crate::chain::Link;
use crate::sources::Sources;
use crate::suspects::Suspect;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use trueup_journal::snapshot::{Part, SnapshotWriter};
use trueup_journal::{File, Storage};
use trueup_model::id::NameKind;
use trueup_model::position::IssuedPosition;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_wire::CodeTable;
use trueup_wire::record::{self, ConversationId};
use trueup_wire::snapshot::{
    HEAD, Head, ISSUED, LEFT_OUT, NAMES, PUBLISHED, SOURCE, SourceState, TALK, TENANT,
    encode_issued,
};

/// The names of a conversation.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) tenant: Tenant,
    pub(super) codes: CodeTable<Name>,
    /// The names in the order of their codes.
    pub(super) order: Vec<Name>,
}

/// What a snapshot has besides facts.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The last epoch.
    pub(super) epoch: Epoch,
    /// The last record.
    pub(super) through: u64,
    pub(super) horizon: Option<Timestamp>,
    pub(super) texts: Texts,
    pub(super) sources: Sources,
    pub(super) talks: BTreeMap<ConversationId, Talk>,
    /// Facts that stopped the engine once.
    pub(super) left_out: BTreeSet<Suspect>,
}

impl Talk {
    /// Gives the names of a frame their codes.
    pub(super) fn define(&mut self, frame: &[u8], texts: &mut Texts) -> Result<(), Trouble> {
        let defined = record::with_names(frame, |definitions| {
            if definitions.first == 0 {
                self.codes.clear();
                self.order.clear();
            }
            for (kind, text) in definitions.entries() {
                let name = texts.name(self.tenant, kind, text);
                self.codes.define(kind, name).map_err(|error| error.to_string())?;
                self.order.push(name);
            }
            Ok(())
        });
        defined.map_err(Trouble::Content)
    }
}

impl Tables {
    /// Reads the first part of a snapshot.
    pub(super) fn read<F: File>(mut part: Part<F>) -> Result<Self, Trouble> {
        let mut tables = Self::default();
        let mut tenant = Tenant::default();
        let mut talk: Option<ConversationId> = None;
        while let Some((kind, content)) = part.next()? {
            match kind {
                HEAD => {
                    let head = Head::decode(content).ok_or("its head is cut")?;
                    tables.epoch = head.epoch;
                    tables.through = head.through;
                    tables.horizon = head.horizon;
                }
                TENANT => {
                    tenant = tables.texts.tenant(utf8(content)?);
                    talk = None;
                }
                NAMES => match talk.and_then(|talk| tables.talks.get_mut(&talk)) {
                    Some(talk) => talk.define(content, &mut tables.texts)?,
                    None => {
                        define(content, tenant, &mut tables.texts, &mut CodeTable::new())?;
                    }
                },
                SOURCE => {
                    let state = SourceState::decode(content).ok_or("a source is cut")?;
                    tables.sources.restore(&state);
                }
                TALK => {
                    let (conversation, _) = record::number(content).ok_or("a talk is cut")?;
                    tables.talks.insert(conversation, Talk { tenant, ..Talk::default() });
                    talk = Some(conversation);
                }
                ISSUED | PUBLISHED => {}
                LEFT_OUT => {
                    let fact = record::left_out(content).ok_or("a fact is cut")?;
                    tables.left_out.insert(fact);
                }
                other => return Err(Trouble::unknown(other)),
            }
        }
        Ok(tables)
    }

    /// Writes them as the first part.
    pub(super) fn write<S: Storage + Debug>(
        &self,
        link: &Link,
        issued: &[IssuedPosition],
        to: &mut SnapshotWriter<S>,
    ) -> Result<(), Trouble> {
        to.begin_part()?;
        let Self { epoch, through, horizon, .. } = *self;
        to.push(HEAD, &[&Head { epoch, through, horizon }.encode()])?;
        to.push(PUBLISHED, &[&link.encode()])?;
        for tenant in self.texts.tenants() {
            to.push(TENANT, &[tenant.as_bytes()])?;
        }
        for (tenant, names) in self.texts.runs() {
            to.push(TENANT, &[self.texts.tenant_name(tenant).as_bytes()])?;
            let name = self.texts.tenant_name(tenant);
            frames(0, &names, |frame| Ok(to.push_of(name, NAMES, &[frame])?))?;
        }
        for fact in &self.left_out {
            to.push(LEFT_OUT, &[&record::left_out_content(*fact)])?;
        }
        for state in self.sources.states() {
            to.push_of(state.tenant, SOURCE, &[&state.encode()])?;
        }
        for (conversation, talk) in &self.talks {
            let tenant = self.texts.tenant_name(talk.tenant);
            to.push(TENANT, &[tenant.as_bytes()])?;
            to.push_of(tenant, TALK, &[&conversation.to_le_bytes()])?;
            let named = talk.order.iter().map(|name| self.texts.named(*name));
            let names: Option<Vec<(NameKind, &str)>> = named.collect();
            let names = names.ok_or("a name is missing")?;
            frames(0, &names, |frame| Ok(to.push_of(tenant, NAMES, &[frame])?))?;
        }
        for row in issued {
            to.push(ISSUED, &[&encode_issued(row)])?;
        }
        Ok(())
    }
}
