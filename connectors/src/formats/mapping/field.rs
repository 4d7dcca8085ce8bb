//! What a table can be about, and the fields that its rows can fill.
//!
//! The names here are the headers of the built-in mappings and the keys of `[columns]` in a mapping
//! file: one word for one thing, as in the model.

use trueup_model::allocation::HolderKind;
use trueup_model::calendar::PeriodUnit;
use trueup_model::catalog::AliasKind;
use trueup_model::contract::{LineClass, LineKind};
use trueup_model::metric::Metric;
use trueup_model::org::MemberKind;
use trueup_model::proration::DayCount;
use trueup_model::usage::SeatClass;

/// What the rows of a table say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Lines that grant rights.
    Purchases,
    /// Seats that people or machines hold.
    Seats,
    /// Accounts in their places.
    Accounts,
    /// Names that mean other names.
    Aliases,
    /// Who belongs to which account.
    Memberships,
    /// Products and where they stand in the product tree.
    Products,
    /// Rights that are bound to people or machines.
    Allocations,
    /// What lines cost.
    Fees,
    /// What was billed of metered use.
    Bills,
    /// Metered quantities at instants.
    Usage,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Purchases,
        Self::Seats,
        Self::Accounts,
        Self::Aliases,
        Self::Memberships,
        Self::Products,
        Self::Allocations,
        Self::Fees,
        Self::Bills,
        Self::Usage,
    ];

    /// The kind's name in mapping files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Purchases => "purchases",
            Self::Seats => "seats",
            Self::Accounts => "accounts",
            Self::Aliases => "aliases",
            Self::Memberships => "memberships",
            Self::Products => "products",
            Self::Allocations => "allocations",
            Self::Fees => "fees",
            Self::Bills => "bills",
            Self::Usage => "usage",
        }
    }

    /// Whether its rows are events; the rows of every other kind belong to a version of a document.
    pub fn is_events(self) -> bool {
        match self {
            Self::Usage => true,
            Self::Purchases
            | Self::Seats
            | Self::Accounts
            | Self::Aliases
            | Self::Memberships
            | Self::Products
            | Self::Allocations
            | Self::Fees
            | Self::Bills => false,
        }
    }

    /// The fields that its rows can fill, the most telling first.
    pub fn fields(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Purchases => &[
                F::Line,
                F::Contract,
                F::Product,
                F::Metric,
                F::Quantity,
                F::Per,
                F::Start,
                F::End,
                F::Account,
                F::Server,
                F::Kind,
                F::Class,
                F::Base,
                F::Parent,
                F::Territory,
                F::Duplicates,
                F::SuiteDuplicates,
                F::Overdraft,
                F::MarginPercent,
                F::GraceDays,
                F::Priority,
                F::MaintenanceUntil,
                F::Cost,
                F::Currency,
                F::Version,
                F::Notice,
                F::Restricted,
            ],
            Self::Seats => &[
                F::Product,
                F::User,
                F::Device,
                F::Class,
                F::Start,
                F::End,
                F::Account,
                F::LastActive,
            ],
            Self::Accounts => &[F::Account, F::Parent, F::Start, F::End, F::TimeZone],
            Self::Aliases => &[F::Kind, F::Raw, F::Canonical, F::Start, F::End],
            Self::Memberships => &[F::Kind, F::Member, F::Account, F::Start, F::End],
            Self::Products => &[F::Product, F::Family, F::Publisher],
            Self::Allocations => &[F::Line, F::Kind, F::Holder, F::Quantity, F::Start, F::End],
            Self::Fees => &[
                F::Line,
                F::Cost,
                F::Currency,
                F::Per,
                F::Each,
                F::DayCount,
                F::Uplift,
                F::TrialDays,
                F::Base,
                F::Start,
                F::End,
            ],
            Self::Bills => &[F::Product, F::Billed, F::At, F::Account],
            Self::Usage => {
                &[F::Id, F::Source, F::At, F::Product, F::Account, F::User, F::Device, F::Quantity]
            }
        }
    }

    /// The fields without which a row says nothing.
    pub fn needs(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Purchases => &[F::Line, F::Product, F::Metric],
            Self::Seats => &[F::Product, F::User],
            Self::Accounts => &[F::Account],
            Self::Aliases => &[F::Kind, F::Raw, F::Canonical],
            Self::Memberships => &[F::Kind, F::Member, F::Account],
            Self::Products => &[F::Product],
            Self::Allocations => &[F::Line, F::Kind, F::Holder],
            Self::Fees => &[F::Line, F::Cost, F::Per],
            Self::Bills => &[F::Product, F::Billed, F::At],
            Self::Usage => &[F::At, F::Product, F::Quantity],
        }
    }

    /// The words that a field of this kind may hold, if it is one of a closed list.
    pub(crate) fn choices(self, field: Field) -> Option<Vec<&'static str>> {
        Some(match (field, self) {
            (Field::Metric, _) => Metric::ALL.map(Metric::name).to_vec(),
            (Field::Per, _) => PERIOD_UNITS.map(PeriodUnit::name).to_vec(),
            (Field::Kind, Self::Aliases) => AliasKind::ALL.map(alias_kind_name).to_vec(),
            (Field::Kind, Self::Memberships) => MemberKind::ALL.map(member_kind_name).to_vec(),
            (Field::Kind, Self::Allocations) => HolderKind::ALL.map(HolderKind::name).to_vec(),
            (Field::Restricted | Field::Each, _) => YES_OR_NO.map(yes_or_no).to_vec(),
            (Field::DayCount, _) => DayCount::ALL.map(DayCount::name).to_vec(),
            (Field::Kind, _) => LineKind::ALL.map(LineKind::name).to_vec(),
            (Field::Class, Self::Seats) => SeatClass::ALL.map(seat_class_name).to_vec(),
            (Field::Class, _) => LineClass::ALL.map(line_class_name).to_vec(),
            _ => return None,
        })
    }
}

/// The period units that a quantity can be granted per, shortest first.
pub(crate) const PERIOD_UNITS: [PeriodUnit; 7] = [
    PeriodUnit::Minute,
    PeriodUnit::Hour,
    PeriodUnit::Day,
    PeriodUnit::Month,
    PeriodUnit::Quarter,
    PeriodUnit::Year,
    PeriodUnit::All,
];

/// The answers to a question of a table.
pub(crate) const YES_OR_NO: [bool; 2] = [false, true];

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The name of an alias kind in tables.
pub(crate) fn alias_kind_name(kind: AliasKind) -> &'static str {
    match kind {
        AliasKind::Device => "device",
        AliasKind::User => "user",
        AliasKind::Product => "product",
        AliasKind::Account => "account",
    }
}

/// The name of a member kind in tables.
pub(crate) fn member_kind_name(kind: MemberKind) -> &'static str {
    match kind {
        MemberKind::User => "user",
        MemberKind::Device => "device",
        MemberKind::Server => "server",
    }
}

/// The name of a seat class in tables.
pub(crate) fn seat_class_name(class: SeatClass) -> &'static str {
    match class {
        SeatClass::Full => "full",
        SeatClass::Guest => "guest",
        SeatClass::Service => "service",
    }
}

/// The name of a line class in tables.
pub(crate) fn line_class_name(class: LineClass) -> &'static str {
    match class {
        LineClass::Production => "production",
        LineClass::Trial => "trial",
        LineClass::Beta => "beta",
        LineClass::Pilot => "pilot",
        LineClass::Recovery => "recovery",
        LineClass::Benchmark => "benchmark",
        LineClass::Freemium => "freemium",
    }
}

/// Declares the fields, their names and their order from one list.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// Something that a row can say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// Every field, in the order of their declaration.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$name,)*];
            /// How many fields there are.
            pub const COUNT: usize = [$(Self::$name,)*].len();

            /// The field's name in mapping files and in the headers of the built-in mappings.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

fields! {
    /// The account.
    Account "account"
    /// When it happened.
    At "at"
    /// The line that maintenance or an upgrade belongs to, that a transfer takes from, or for whose term a
    /// cost is.
    Base "base"
    /// How many billing units were billed.
    Billed "billed"
    /// The name that an alias means.
    Canonical "canonical"
    /// For what use a line is meant, or what kind of seat it is.
    Class "class"
    /// The contract or order.
    Contract "contract"
    /// What a line cost, or costs each period.
    Cost "cost"
    /// The currency of the cost.
    Currency "currency"
    /// How a part of a period is counted.
    DayCount "day_count"
    /// The machine.
    Device "device"
    /// How checkouts share a right.
    Duplicates "duplicates"
    /// Whether a cost is for each unit of the line.
    Each "each"
    /// The last day, or the instant after the last.
    End "end"
    /// The product's family.
    Family "family"
    /// For how many days use may stay above before it is a breach.
    GraceDays "grace_days"
    /// The person or machine to which rights are bound.
    Holder "holder"
    /// The source's own name of an event.
    Id "id"
    /// What a line does, or what an alias, membership or allocation is about.
    Kind "kind"
    /// The last sign of use of a seat.
    LastActive "last_active"
    /// The line's own name: an order number.
    Line "line"
    /// The last day of paid maintenance.
    MaintenanceUntil "maintenance_until"
    /// Use above the quantity that the contract tolerates, in percent of it.
    MarginPercent "margin_percent"
    /// The person, machine or server that belongs to an account.
    Member "member"
    /// How use is counted.
    Metric "metric"
    /// Words that the vendor wrote on a line.
    Notice "notice"
    /// Use above the quantity that the vendor tolerates.
    Overdraft "overdraft"
    /// The account above, or the line that a sublicense is a part of.
    Parent "parent"
    /// Per which period a quantity is granted, or a cost is due.
    Per "per"
    /// Which line is used first: smaller first.
    Priority "priority"
    /// The product, feature or SKU.
    Product "product"
    /// Who publishes the product.
    Publisher "publisher"
    /// How many.
    Quantity "quantity"
    /// The name as a source spells it.
    Raw "raw"
    /// Whether only those may use a line to whom it is allocated.
    Restricted "restricted"
    /// The license server daemon.
    Server "server"
    /// The source of an event, where one stream carries several.
    Source "source"
    /// The first day or instant.
    Start "start"
    /// How checkouts of a suite's components share a right.
    SuiteDuplicates "suite_duplicates"
    /// The territory in which a line may be used.
    Territory "territory"
    /// The account's time zone.
    TimeZone "time_zone"
    /// For how many days from the beginning nothing is paid.
    TrialDays "trial_days"
    /// What a cost is multiplied by.
    Uplift "uplift"
    /// The person.
    User "user"
    /// The version that a line is bound to.
    Version "version"
}

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field's place in tables by field.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
