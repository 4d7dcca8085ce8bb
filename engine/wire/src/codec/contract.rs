//! The columns of the lines that grant rights.

use super::schema::columns;
use crate::code::Code;
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::time::{Span, Timestamp};

columns! {
    EntitlementLine<Code> => LineBuilder, LineColumns {
        16 line: Code,
        17 contract: Option<Code>,
        18 product: Code,
        19 metric: Metric,
        20 quantity: Capacity,
        22 per: PeriodUnit,
        23 span: Span,
        25 account: Option<Code>,
        26 server: Option<Code>,
        27 basis: Basis,
        28 kind: LineKind,
        29 class: LineClass,
        30 duplicates: Option<Duplicates>,
        31 suite_duplicates: Option<Duplicates>,
        32 overdraft: Quantity,
        33 priority: i32,
        34 maintenance_until: Option<Timestamp>,
        35 cost: Option<Money>,
        37 version: Option<Code>,
        38 notice: Option<Code>,
    }
}
