//! The columns of telemetry: sessions, metered quantities, server events, seats.

use super::schema::columns;
use crate::code::Code;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{Seat, SeatClass, ServerEvent, ServerEventKind};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason, UsageEvent, UsageOp};

columns! {
    SessionEvent<Code> => SessionBuilder, SessionColumns {
        16 at: Timestamp;
        17 rank: u32;
        18 kind: SessionKind;
        19 reason: SessionReason;
        20 server: Code;
        21 product: Code;
        22 user: Code;
        23 device: Code;
        24 display: Option<Code>;
        25 vendor_data: Option<Code>;
        26 project: Option<Code>;
        27 version: Option<Code>;
        28 handle: Option<u64>;
        29 count: u32;
        30 until: Option<Timestamp>, since 2;
    }
}

columns! {
    UsageEvent<Code> => UsageBuilder, UsageColumns {
        16 at: Timestamp;
        17 product: Code;
        18 account: Option<Code>;
        19 user: Option<Code>;
        20 device: Option<Code>;
        21 quantity: Quantity;
        22 op: UsageOp, since 2;
    }
}

columns! {
    ServerEvent<Code> => ServerBuilder, ServerColumns {
        16 at: Timestamp;
        17 rank: u32;
        18 kind: ServerEventKind;
        19 server: Code;
        20 product: Option<Code>;
    }
}

columns! {
    Seat<Code> => SeatBuilder, SeatColumns {
        16 product: Code;
        17 user: Code;
        18 device: Option<Code>;
        19 account: Option<Code>;
        20 class: SeatClass;
        21 span: Span;
        23 last_active: Option<Timestamp>;
    }
}
