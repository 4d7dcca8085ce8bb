//! Facts to columns to bytes, and back: every kind of fact, every field.
//!
//! A batch body holds facts of one kind. First come the columns that every fact has, with one row for
//! each fact; then the columns of the kind's body, with one row for each fact that asserts something
//! (a retraction has no body). A field's columns are named and numbered where its kind is declared, in
//! one file of `codec/` for each family; the compiler sees to it that no field is left out, and a
//! test that `FORMAT.md` names them all.

mod values;
mod schema;
mod visit;
mod usage;
mod observation;
mod catalog;
mod contract;
mod hardware;
mod document;

use crate::bytes::Cursor;
use crate::code::Code;
use crate::error::{ColumnName, DecodeError, EncodeError};
use crate::limits::{BATCH_RECORDS_MAX, COLUMNS_BYTES_MAX};
use schema::{Common, CommonBuilder, CommonColumns, Rows, Table};
use trueup_model::fact::{Action, Fact, FactKind};

pub use visit::{Head, Visitor};

/// The version of every kind's columns, as this build writes them; it reads the earlier ones too.
pub const SCHEMA_VERSION: u16 = 3;

/// The bytes that a fact of telemetry usually takes: what is reserved before encoding.
const FACT_BYTES_USUAL: usize = 40;

/// Which columns a batch has: the kind of its facts and the version of the kind's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schema {
    /// The kind of the facts.
    pub kind: FactKind,
    /// The version of its columns.
    pub version: u16,
}

impl Schema {
    /// The columns of a kind, as this build writes them.
    pub fn current(kind: FactKind) -> Self {
        Self { kind, version: SCHEMA_VERSION }
    }

    /// The schema's number in a frame header: the kind above, the version below 16 bits.
    pub fn code(self) -> u32 {
        u32::from(self.kind.code()) << 16 | u32::from(self.version)
    }

    /// The columns, in the order in which they stand in a batch.
    pub fn columns(self) -> Vec<ColumnInfo> {
        let mut columns = CommonColumns::listed();
        columns.extend(Rows::listed(self.kind));
        columns
    }

    /// The schema of this number.
    ///
    /// # Errors
    /// If it names no kind, or a version that this build does not know.
    pub fn from_code(schema: u32) -> Result<Self, DecodeError> {
        let [low, high, kind, rest] = schema.to_le_bytes();
        let kind = FactKind::from_code(kind)
            .filter(|_| rest == 0)
            .ok_or(DecodeError::UnknownKind { schema })?;
        let version = u16::from_le_bytes([low, high]);
        if (1..=SCHEMA_VERSION).contains(&version) {
            Ok(Self { kind, version })
        } else {
            Err(DecodeError::UnknownVersion { kind, version })
        }
    }
}

/// One column of a schema: what `FORMAT.md` and an inspector of frames show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The column's code.
    pub code: u8,
    /// Its name.
    pub name: ColumnName,
    /// The type of its values.
    pub value: &'static str,
    /// Whether rows may be without a value.
    pub optional: bool,
}

/// The columns of a batch, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Which columns they are.
    pub schema: Schema,
    /// How many facts they hold.
    pub count: u32,
    /// The columns.
    pub bytes: Vec<u8>,
}

impl Columns {
    /// The columns of no facts: what a batch carries that only moves the position.
    pub fn empty() -> Self {
        Self { schema: Schema::current(FactKind::Session), count: 0, bytes: Vec::new() }
    }
}

/// Encodes facts: as few batches as kinds and limits allow, one kind in each.
///
/// Kinds stand in the order of their codes, but documents last, because a document version is
/// complete once its rows were sent. Facts of one kind keep their order. Gives nothing for no facts.
///
/// # Errors
/// If an inline text is longer than is allowed. Nothing else about a fact can be too large.
pub fn encode_batch(facts: &[Fact<Code>]) -> Result<Vec<Columns>, EncodeError> {
    let mut tables = [const { Vec::new() }; FactKind::ALL.len()];
    for fact in facts {
        tables[usize::from(fact.kind().code())].push(fact);
    }
    let mut batches = Vec::new();
    let documents_last = FactKind::ALL.into_iter().filter(|kind| *kind != FactKind::Document);
    for kind in documents_last.chain([FactKind::Document]) {
        for chunk in tables[usize::from(kind.code())].chunks(BATCH_RECORDS_MAX) {
            encode_within_limits(kind, chunk, &mut batches)?;
        }
    }
    Ok(batches)
}

/// Encodes facts of one kind; halves them until they fit a frame.
fn encode_within_limits(
    kind: FactKind,
    facts: &[&Fact<Code>],
    batches: &mut Vec<Columns>,
) -> Result<(), EncodeError> {
    let bytes = encode_kind(kind, facts)?;
    if bytes.len() > COLUMNS_BYTES_MAX {
        assert!(facts.len() > 1, "one fact of {kind:?} took {} bytes", bytes.len());
        let (front, back) = facts.split_at(facts.len() / 2);
        encode_within_limits(kind, front, batches)?;
        return encode_within_limits(kind, back, batches);
    }
    let count = u32::try_from(facts.len()).expect("a batch has at most 65,536 facts");
    batches.push(Columns { schema: Schema::current(kind), count, bytes });
    Ok(())
}

/// Appends the columns of facts of one kind.
fn encode_kind(kind: FactKind, facts: &[&Fact<Code>]) -> Result<Vec<u8>, EncodeError> {
    let mut common = CommonBuilder::with_capacity(facts.len());
    let mut table = Table::with_capacity(kind, facts.len());
    for fact in facts {
        common.push(&Common::of(fact));
        if let Action::Assert(body) = &fact.action {
            table.push(body);
        }
    }
    let mut out = Vec::with_capacity(facts.len() * FACT_BYTES_USUAL);
    common.write(&mut out)?;
    table.write(&mut out)?;
    Ok(out)
}

/// Decodes the columns of a batch that its header describes.
///
/// Everything is checked before the first fact is given: what is returned yields exactly `count`
/// facts. `codes_defined` is how many codes the connection's dictionary has.
///
/// # Errors
/// The first thing that is wrong, with column and row. Nothing is allocated beyond what the bytes
/// that are there, or at most [`BATCH_RECORDS_MAX`] rows, need.
pub fn decode_batch(
    schema: u32,
    count: u32,
    bytes: &[u8],
    codes_defined: u32,
) -> Result<Facts, DecodeError> {
    let schema = Schema::from_code(schema)?;
    let rows = usize::try_from(count).unwrap_or(usize::MAX);
    if rows > BATCH_RECORDS_MAX {
        return Err(DecodeError::TooManyRecords { claimed: count });
    }
    let mut cursor = Cursor::new(bytes);
    // A batch of no facts has no columns, so that moving the position costs a header.
    if rows == 0 {
        check_end(&cursor)?;
        let body = Rows::none(schema.kind);
        return Ok(Facts { kind: schema.kind, common: CommonColumns::none(), body });
    }
    let version = schema.version;
    let common = CommonColumns::read(&mut cursor, rows, version, codes_defined)?;
    let asserted = common.retracted.count_not(&true);
    let body = Rows::read(schema.kind, &mut cursor, asserted, version, codes_defined)?;
    check_end(&cursor)?;
    Ok(Facts { kind: schema.kind, common, body })
}

fn check_end(cursor: &Cursor<'_>) -> Result<(), DecodeError> {
    match cursor.rest().len() {
        0 => Ok(()),
        count => Err(DecodeError::Trailing { count }),
    }
}

/// The facts of a batch, in their order; all checks are behind them.
///
/// `fold` and `for_each` are much faster than `next`: they look once at which kind it is.
#[derive(Debug)]
pub struct Facts {
    kind: FactKind,
    common: CommonColumns,
    body: Rows,
}

impl Facts {
    /// The kind of the facts.
    pub fn kind(&self) -> FactKind {
        self.kind
    }
}

impl Iterator for Facts {
    type Item = Fact<Code>;

    fn next(&mut self) -> Option<Fact<Code>> {
        let row = self.common.next_row()?;
        let action = if row.retracted {
            Action::Retract(self.kind)
        } else {
            Action::Assert(self.body.next_body()?)
        };
        Some(row.fact(action))
    }

    fn fold<B, F: FnMut(B, Fact<Code>) -> B>(self, initial: B, each: F) -> B {
        self.body.fold(self.kind, self.common, initial, each)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.common.id.size_hint()
    }
}

impl ExactSizeIterator for Facts {}

#[cfg(test)]
mod tests;
