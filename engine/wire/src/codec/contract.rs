//! The columns of the contract side: lines, allocations, grants of credit, prices, territories.

use super::schema::columns;
use crate::code::Code;
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::credit::Grant;
use trueup_model::fee::{Bill, Fee};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::price::{Price, PriceModel};
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::territory::{LocatedKind, Location, Territory};
use trueup_model::time::{Span, Timestamp};

columns! {
    EntitlementLine<Code> => LineBuilder, LineColumns {
        16 line: Code;
        17 contract: Option<Code>;
        18 product: Code;
        19 metric: Metric;
        20 quantity: Capacity;
        22 per: PeriodUnit;
        23 span: Span;
        25 account: Option<Code>;
        26 server: Option<Code>;
        27 basis: Basis;
        28 kind: LineKind;
        29 class: LineClass;
        30 duplicates: Option<Duplicates>;
        31 suite_duplicates: Option<Duplicates>;
        32 overdraft: Quantity;
        33 priority: i32;
        34 maintenance_until: Option<Timestamp>;
        35 cost: Option<Money>;
        37 version: Option<Code>;
        38 notice: Option<Code>;
        39 margin_percent: u32, since 2;
        40 grace_seconds: u32, since 2;
        41 territory: Option<Code>, since 2;
        42 parent: Option<Code>, since 2;
        43 base: Option<Code>, since 2;
        44 restricted: bool, since 3;
    }
}

columns! {
    Grant<Code> => GrantBuilder, GrantColumns {
        16 grant: Code;
        17 product: Code;
        18 account: Option<Code>;
        19 amount: Quantity;
        20 span: Span;
        22 priority: i32;
        23 every: Option<PeriodUnit>;
        24 carry_min: Quantity;
        25 carry_max: Quantity;
        26 carry_overage: bool;
        27 voided_at: Option<Timestamp>;
    }
}

columns! {
    Price<Code> => PriceBuilder, PriceColumns {
        16 product: Code;
        17 account: Option<Code>;
        18 model: PriceModel;
        19 up_to: Option<Quantity>;
        20 unit: Money;
        22 flat: Money;
        24 block: Quantity;
        25 span: Span;
    }
}

columns! {
    Location<Code> => LocationBuilder, LocationColumns {
        16 kind: LocatedKind;
        17 located: Code;
        18 country: Code;
        19 span: Span;
    }
}

columns! {
    Territory<Code> => TerritoryBuilder, TerritoryColumns {
        16 territory: Code;
        17 country: Code;
        18 span: Span;
    }
}

columns! {
    Fee<Code> => FeeBuilder, FeeColumns {
        16 line: Code;
        17 amount: Money;
        19 per: PeriodUnit;
        20 each: bool;
        21 day_count: DayCount;
        22 uplift: Quantity;
        23 trial_days: u32;
        24 base: Option<Code>;
        25 span: Span;
    }
}

columns! {
    Bill<Code> => BillBuilder, BillColumns {
        16 product: Code;
        17 account: Option<Code>;
        18 units: Quantity;
        19 at: Timestamp;
    }
}

columns! {
    Allocation<Code> => AllocationBuilder, AllocationColumns {
        16 line: Code;
        17 kind: HolderKind;
        18 holder: Code;
        19 quantity: Quantity;
        20 span: Span;
    }
}
