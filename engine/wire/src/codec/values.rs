//! The types of the model as columns: each enum by its stable code, each amount by its number.
//!
//! Codes that the model does not number are numbered here, and only here.

use crate::bytes::Cursor;
use crate::code::Code;
use crate::column::Place;
use crate::column::field::{ColumnType, Field, Pair, Value, pairs};
use crate::error::{DecodeError, EncodeError};
use trueup_model::allocation::HolderKind;
use trueup_model::calendar::PeriodUnit;
use trueup_model::catalog::AliasKind;
use trueup_model::contract::{Basis, LineClass, LineKind};
use trueup_model::fact::{DocumentRef, FactId};
use trueup_model::factor::FactorKind;
use trueup_model::hardware::{MachineRole, Partition};
use trueup_model::metric::{DuplicateMask, Duplicates, Metric};
use trueup_model::observation::{ReservedFor, ServerState};
use trueup_model::org::MemberKind;
use trueup_model::price::PriceModel;
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::territory::LocatedKind;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{SeatClass, ServerEventKind, SessionKind, SessionReason, UsageOp};

/// Implements [`Value`] for whole numbers, and for newtypes around one.
macro_rules! numbers {
    ($($number:ty: $lane:ty, $name:literal, $to:expr, $from:expr;)*) => {$(
        impl Value for $number {
            type Lane = $lane;
            const TYPE: &'static str = $name;

            #[inline]
            fn to_lane(self) -> $lane {
                let to: fn($number) -> $lane = $to;
                to(self)
            }

            #[inline]
            fn from_lane(lane: $lane, _: Place) -> Option<Self> {
                let from: fn($lane) -> $number = $from;
                Some(from(lane))
            }
        }
    )*};
}

numbers! {
    u32: u32, "u32", |number| number, |number| number;
    u64: u64, "u64", |number| number, |number| number;
    i32: i32, "i32", |number| number, |number| number;
    FactId: u128, "u128", |id| id.0, FactId;
    Timestamp: i64, "i64", |at| at.0, Timestamp;
    Quantity: i64, "i64", |quantity| quantity.0, Quantity;
}

impl Value for Code {
    type Lane = u32;
    const TYPE: &'static str = "name";

    #[inline]
    fn to_lane(self) -> u32 {
        self.0
    }

    #[inline]
    fn from_lane(lane: u32, place: Place) -> Option<Self> {
        (lane < place.codes_defined).then_some(Self(lane))
    }
}

/// Implements [`Value`] for enums that have a stable code.
macro_rules! codes {
    ($($coded:ty),+ $(,)?) => {$(
        impl Value for $coded {
            type Lane = u8;
            const TYPE: &'static str = stringify!($coded);

            #[inline]
            fn to_lane(self) -> u8 {
                self.code()
            }

            #[inline]
            fn from_lane(lane: u8, _: Place) -> Option<Self> {
                Self::from_code(lane)
            }
        }
    )+};
}

codes! {
    AliasKind, Basis, DayCount, FactorKind, HolderKind, LineClass, LineKind, LocatedKind, MachineRole, MemberKind, Metric,
    Partition, PriceModel, RejectReason, ReservedFor, SeatClass, ServerEventKind, ServerState,
    SessionKind, SessionReason, UsageOp,
}

impl Value for bool {
    type Lane = u8;
    const TYPE: &'static str = "bool";

    fn to_lane(self) -> u8 {
        u8::from(self)
    }

    fn from_lane(lane: u8, _: Place) -> Option<Self> {
        match lane {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Value for PeriodUnit {
    type Lane = u8;
    const TYPE: &'static str = "PeriodUnit";

    fn to_lane(self) -> u8 {
        match self {
            Self::Minute => 0,
            Self::Hour => 1,
            Self::Day => 2,
            Self::Month => 3,
            Self::Quarter => 4,
            Self::Year => 5,
            Self::All => 6,
        }
    }

    fn from_lane(lane: u8, _: Place) -> Option<Self> {
        let units = [
            Self::Minute,
            Self::Hour,
            Self::Day,
            Self::Month,
            Self::Quarter,
            Self::Year,
            Self::All,
        ];
        units.get(usize::from(lane)).copied()
    }
}

impl Value for Duplicates {
    type Lane = u8;
    const TYPE: &'static str = "Duplicates";

    /// Four bits, one for each part that must agree; 16 for "each by itself".
    fn to_lane(self) -> u8 {
        match self {
            Self::Each => 16,
            Self::Grouped(DuplicateMask { user, host, display, vendor }) => {
                u8::from(user) << 3
                    | u8::from(host) << 2
                    | u8::from(display) << 1
                    | u8::from(vendor)
            }
        }
    }

    fn from_lane(lane: u8, _: Place) -> Option<Self> {
        let bit = |bit: u8| lane >> bit & 1 == 1;
        match lane {
            0..16 => Some(Self::Grouped(DuplicateMask {
                user: bit(3),
                host: bit(2),
                display: bit(1),
                vendor: bit(0),
            })),
            16 => Some(Self::Each),
            _ => None,
        }
    }
}

/// Which of the three capacities it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CapacityKind {
    Limited,
    Unlimited,
    Unknown,
}

impl Value for CapacityKind {
    type Lane = u8;
    const TYPE: &'static str = "CapacityKind";

    fn to_lane(self) -> u8 {
        match self {
            Self::Limited => 0,
            Self::Unlimited => 1,
            Self::Unknown => 2,
        }
    }

    fn from_lane(lane: u8, _: Place) -> Option<Self> {
        [Self::Limited, Self::Unlimited, Self::Unknown].get(usize::from(lane)).copied()
    }
}

/// Three letters of a currency, first letter lowest; the fourth byte is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Currency([u8; 3]);

impl Value for Currency {
    type Lane = u32;
    const TYPE: &'static str = "currency";

    fn to_lane(self) -> u32 {
        let [first, second, third] = self.0;
        u32::from_le_bytes([first, second, third, 0])
    }

    fn from_lane(lane: u32, _: Place) -> Option<Self> {
        match lane.to_le_bytes() {
            [first, second, third, 0] => Some(Self([first, second, third])),
            _ => None,
        }
    }
}

impl Pair for Span {
    type First = Timestamp;
    type Second = Timestamp;
    const PARTS: [&'static str; 2] = ["_start", "_end"];

    fn apart(&self) -> (Timestamp, Timestamp) {
        (self.start, self.end)
    }

    fn together(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }
}

impl Pair for Capacity {
    type First = CapacityKind;
    type Second = Quantity;
    const PARTS: [&'static str; 2] = ["_kind", "_amount"];

    fn apart(&self) -> (CapacityKind, Quantity) {
        match *self {
            Self::Limited(quantity) => (CapacityKind::Limited, quantity),
            Self::Unlimited => (CapacityKind::Unlimited, Quantity::ZERO),
            Self::Unknown => (CapacityKind::Unknown, Quantity::ZERO),
        }
    }

    fn together(kind: CapacityKind, amount: Quantity) -> Self {
        match kind {
            CapacityKind::Limited => Self::Limited(amount),
            CapacityKind::Unlimited => Self::Unlimited,
            CapacityKind::Unknown => Self::Unknown,
        }
    }
}

impl Pair for Money {
    type First = Quantity;
    type Second = Currency;
    const PARTS: [&'static str; 2] = ["_amount", "_currency"];

    fn apart(&self) -> (Quantity, Currency) {
        (Quantity(self.amount), Currency(self.currency))
    }

    fn together(amount: Quantity, currency: Currency) -> Self {
        Self { amount: amount.0, currency: currency.0 }
    }
}

/// The amount decides whether there is money; the currency is zero where there is none.
impl Pair for Option<Money> {
    type First = Option<Quantity>;
    type Second = Currency;
    const PARTS: [&'static str; 2] = ["_amount", "_currency"];

    fn apart(&self) -> (Option<Quantity>, Currency) {
        match *self {
            Some(Money { amount, currency }) => (Some(Quantity(amount)), Currency(currency)),
            None => (None, Currency([0; 3])),
        }
    }

    fn together(amount: Option<Quantity>, currency: Currency) -> Self {
        amount.map(|amount| Money { amount: amount.0, currency: currency.0 })
    }
}

/// The document decides whether the fact is a row; the version is zero where it is none.
impl Pair for Option<DocumentRef<Code>> {
    type First = Option<Code>;
    type Second = u64;
    const PARTS: [&'static str; 2] = ["", "_version"];

    fn apart(&self) -> (Option<Code>, u64) {
        match *self {
            Some(DocumentRef { document, version }) => (Some(document), version),
            None => (None, 0),
        }
    }

    fn together(document: Option<Code>, version: u64) -> Self {
        document.map(|document| DocumentRef { document, version })
    }
}

pairs!(Span, Capacity, Money, Option<Money>, Option<DocumentRef<Code>>);
