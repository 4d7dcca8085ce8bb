//! How a kind of fact declares its columns, and the tables of all kinds.

use super::ColumnInfo;
use super::catalog::{AccountBuilder, AccountColumns, MembershipBuilder, MembershipColumns};
use super::catalog::{AliasBuilder, AliasColumns, ComponentBuilder, ComponentColumns};
use super::catalog::{DowngradeBuilder, DowngradeColumns, ProductBuilder, ProductColumns};
use super::catalog::{SuiteMemberBuilder, SuiteMemberColumns};
use super::contract::{AllocationBuilder, AllocationColumns};
use super::contract::{
    BillBuilder, BillColumns, FeeBuilder, FeeColumns, GrantBuilder, GrantColumns, LineBuilder,
    LineColumns,
};
use super::contract::{LocationBuilder, LocationColumns, PriceBuilder, PriceColumns};
use super::contract::{TerritoryBuilder, TerritoryColumns};
use super::document::{DocumentBuilder, DocumentColumns, RejectBuilder, RejectColumns};
use super::hardware::{FactorBuilder, FactorColumns, InstallBuilder, InstallColumns};
use super::hardware::{MachineBuilder, MachineColumns, RoleBuilder, RoleColumns};
use super::observation::{ObservedPoolBuilder, ObservedPoolColumns};
use super::observation::{ObservedServerBuilder, ObservedServerColumns};
use super::observation::{ObservedSessionBuilder, ObservedSessionColumns};
use super::observation::{ReservationBuilder, ReservationColumns};
use super::usage::{SeatBuilder, SeatColumns, ServerBuilder, ServerColumns};
use super::usage::{SessionBuilder, SessionColumns, UsageBuilder, UsageColumns};
use crate::bytes::Cursor;
use crate::code::Code;
use crate::error::{DecodeError, EncodeError};
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::time::Timestamp;

/// Declares the columns of a struct: a builder that gathers rows, and columns that give them back.
///
/// Each line is the code of a field's first column, the field, its type, and the version of the schema
/// that brought it, if not the first: bytes of earlier versions have its default there. Codes rise; a
/// field of two columns takes two. The struct is taken apart and put together by all of its fields, so a field
/// that is not declared does not compile.
macro_rules! columns {
    ($of:ident $(<$name:ty>)? => $builder:ident, $columns:ident {
        $($code:literal $field:ident: $type:ty $(, since $since:literal)?;)+
    }) => {
        /// Gathers the rows of a batch, column by column.
        pub(super) struct $builder {
            $($field: <$type as crate::column::field::Field>::Builder,)+
        }

        impl $builder {
            /// A builder of no rows, with room for this many.
            pub(super) fn with_capacity(rows: usize) -> Self {
                Self { $($field: <$type as crate::column::field::Field>::builder(rows),)+ }
            }

            /// Adds a row.
            #[inline]
            pub(super) fn push(&mut self, row: &$of $(<$name>)?) {
                let $of { $($field,)+ } = row;
                $(crate::column::field::Field::push($field, &mut self.$field);)+
            }

            /// Appends the columns.
            pub(super) fn write(
                &self,
                out: &mut Vec<u8>,
            ) -> Result<(), crate::error::EncodeError> {
                $(<$type as crate::column::field::Field>::write(
                    &self.$field,
                    crate::codec::schema::place($code, stringify!($field), 0),
                    out,
                )?;)+
                Ok(())
            }
        }

        /// The columns of a batch, each with a value for every row that is left.
        #[derive(Debug)]
        pub(super) struct $columns {
            $(pub(super) $field: crate::column::cells::Cells<$type>,)+
        }

        impl $columns {
            /// The columns of no rows.
            pub(super) fn none() -> Self {
                Self { $($field: crate::column::cells::Cells::none(),)+ }
            }

            /// Reads and checks the columns.
            pub(super) fn read(
                cursor: &mut crate::bytes::Cursor<'_>,
                rows: usize,
                version: u16,
                codes_defined: u32,
            ) -> Result<Self, crate::error::DecodeError> {
                // Kinds that never changed have no use for the version.
                let _ = version;
                Ok(Self {
                    $($field: {
                        $(if version < $since {
                            crate::column::cells::Cells::same(<$type>::default(), rows)
                        } else)? {
                            let name = stringify!($field);
                            let place = crate::codec::schema::place($code, name, codes_defined);
                            <$type as crate::column::field::Field>::read(cursor, rows, place)?
                        }
                    },)+
                })
            }

            /// The next row.
            #[inline]
            pub(super) fn next_row(&mut self) -> Option<$of $(<$name>)?> {
                Some($of { $($field: self.$field.next()?,)+ })
            }

            /// Every column, in its order.
            pub(super) fn listed() -> Vec<crate::codec::ColumnInfo> {
                let mut listed = Vec::new();
                $({
                    let parts = <$type as crate::column::field::Field>::COLUMNS;
                    for (code, part) in ($code..).zip(parts) {
                        let name = crate::error::ColumnName {
                            field: stringify!($field),
                            part: part.part,
                        };
                        let (value, optional) = (part.value, part.optional);
                        listed.push(crate::codec::ColumnInfo { code, name, value, optional });
                    }
                })+
                listed
            }
        }
    };
}

pub(super) use columns;

/// The place of a field.
pub(super) fn place(code: u8, field: &'static str, codes_defined: u32) -> crate::column::Place {
    let name = crate::error::ColumnName { field, part: "" };
    crate::column::Place { code, name, codes_defined }
}

/// What every fact has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) id: FactId,
    pub(super) revision: u32,
    pub(super) arrived_at: Timestamp,
    pub(super) document: Code,
    pub(super) position: u64,
    pub(super) row_of: Option<DocumentRef<Code>>,
    pub(super) retracted: bool,
}

columns! {
    Common => CommonBuilder, CommonColumns {
        0 id: FactId;
        1 revision: u32;
        2 arrived_at: Timestamp;
        3 document: Code;
        4 position: u64;
        5 row_of: Option<DocumentRef<Code>>;
        7 retracted: bool;
    }
}

impl Common {
    /// The common part of a fact.
    #[inline]
    pub(super) fn of(fact: &Fact<Code>) -> Self {
        Self {
            id: fact.id,
            revision: fact.revision,
            arrived_at: fact.arrived_at,
            document: fact.provenance.document,
            position: fact.provenance.position,
            row_of: fact.document,
            retracted: matches!(fact.action, Action::Retract(_)),
        }
    }

    /// The fact of this common part and this action.
    #[inline]
    pub(super) fn fact(self, action: Action<Code>) -> Fact<Code> {
        Fact {
            id: self.id,
            revision: self.revision,
            arrived_at: self.arrived_at,
            provenance: Provenance { document: self.document, position: self.position },
            document: self.row_of,
            action,
        }
    }
}

/// Declares the tables of all kinds.
macro_rules! tables {
    ($($kind:ident: $builder:ident, $columns:ident;)+) => {
        /// Gathers the bodies of one kind.
        #[expect(clippy::large_enum_variant, reason = "there is one a batch, and it stays there")]
        pub(super) enum Table {
            $($kind($builder),)+
        }

        impl Table {
            pub(super) fn with_capacity(kind: FactKind, rows: usize) -> Self {
                match kind {
                    $(FactKind::$kind => Self::$kind($builder::with_capacity(rows)),)+
                }
            }

            /// Adds a body of the table's kind.
            #[inline]
            pub(super) fn push(&mut self, body: &Body<Code>) {
                match (self, body) {
                    $((Self::$kind(builder), Body::$kind(row)) => builder.push(row),)+
                    // Facts are sorted by the kind of their bodies before they come here.
                    (_, other) => unreachable!("a body of {:?} among others", other.kind()),
                }
            }

            pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$kind(builder) => builder.write(out),)+
                }
            }
        }

        /// The bodies of one kind, read.
        #[derive(Debug)]
        #[expect(clippy::large_enum_variant, reason = "there is one a batch, and it stays there")]
        pub(super) enum Rows {
            $($kind($columns),)+
        }

        impl Rows {
            pub(super) fn none(kind: FactKind) -> Self {
                match kind {
                    $(FactKind::$kind => Self::$kind($columns::none()),)+
                }
            }

            pub(super) fn read(
                kind: FactKind,
                cursor: &mut Cursor<'_>,
                rows: usize,
                version: u16,
                codes_defined: u32,
            ) -> Result<Self, DecodeError> {
                Ok(match kind {
                    $(FactKind::$kind => {
                        Self::$kind($columns::read(cursor, rows, version, codes_defined)?)
                    })+
                })
            }

            /// Gives each fact to `each`: one loop for each kind, with no copy of its body.
            pub(super) fn fold<B>(
                self,
                kind: FactKind,
                mut common: CommonColumns,
                initial: B,
                mut each: impl FnMut(B, Fact<Code>) -> B,
            ) -> B {
                let mut sum = initial;
                match self {
                    $(Self::$kind(mut columns) => {
                        while let Some(row) = common.next_row() {
                            let action = if row.retracted {
                                Action::Retract(kind)
                            } else {
                                // The rows of bodies were read as many as are asserted.
                                let Some(body) = columns.next_row() else { break };
                                Action::Assert(Body::$kind(body))
                            };
                            sum = each(sum, row.fact(action));
                        }
                    })+
                }
                sum
            }

            pub(super) fn next_body(&mut self) -> Option<Body<Code>> {
                Some(match self {
                    $(Self::$kind(columns) => Body::$kind(columns.next_row()?),)+
                })
            }

            /// The columns of a kind.
            pub(super) fn listed(kind: FactKind) -> Vec<ColumnInfo> {
                match kind {
                    $(FactKind::$kind => $columns::listed(),)+
                }
            }
        }
    };
}

tables! {
    Session: SessionBuilder, SessionColumns;
    Usage: UsageBuilder, UsageColumns;
    Server: ServerBuilder, ServerColumns;
    Seat: SeatBuilder, SeatColumns;
    ObservedPool: ObservedPoolBuilder, ObservedPoolColumns;
    ObservedSession: ObservedSessionBuilder, ObservedSessionColumns;
    ObservedServer: ObservedServerBuilder, ObservedServerColumns;
    Reservation: ReservationBuilder, ReservationColumns;
    Product: ProductBuilder, ProductColumns;
    Component: ComponentBuilder, ComponentColumns;
    Alias: AliasBuilder, AliasColumns;
    Account: AccountBuilder, AccountColumns;
    Membership: MembershipBuilder, MembershipColumns;
    Line: LineBuilder, LineColumns;
    Document: DocumentBuilder, DocumentColumns;
    Reject: RejectBuilder, RejectColumns;
    Machine: MachineBuilder, MachineColumns;
    Install: InstallBuilder, InstallColumns;
    Role: RoleBuilder, RoleColumns;
    Factor: FactorBuilder, FactorColumns;
    Grant: GrantBuilder, GrantColumns;
    Price: PriceBuilder, PriceColumns;
    Location: LocationBuilder, LocationColumns;
    Territory: TerritoryBuilder, TerritoryColumns;
    SuiteMember: SuiteMemberBuilder, SuiteMemberColumns;
    Fee: FeeBuilder, FeeColumns;
    Bill: BillBuilder, BillColumns;
    Allocation: AllocationBuilder, AllocationColumns;
    Downgrade: DowngradeBuilder, DowngradeColumns;
}
