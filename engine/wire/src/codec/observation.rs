//! The columns of what a server answers: pools, holders, its own state, reservations.

use super::schema::columns;
use crate::code::Code;
use trueup_model::observation::{ObservedPool, ObservedServer, ObservedSession};
use trueup_model::observation::{Reservation, ReservedFor, ServerState};
use trueup_model::quantity::Capacity;
use trueup_model::time::Timestamp;

columns! {
    ObservedPool<Code> => ObservedPoolBuilder, ObservedPoolColumns {
        16 at: Timestamp;
        17 server: Code;
        18 product: Code;
        19 issued: Capacity;
        21 reported_in_use: Option<u32>;
    }
}

columns! {
    ObservedSession<Code> => ObservedSessionBuilder, ObservedSessionColumns {
        16 at: Timestamp;
        17 server: Code;
        18 product: Code;
        19 pool: Option<Code>;
        20 user: Code;
        21 device: Code;
        22 display: Option<Code>;
        23 start: Option<Timestamp>;
        24 count: u32;
        25 handle: Option<u64>;
        26 process: Option<u32>;
        27 linger_seconds: Option<u64>;
        28 queued: bool;
    }
}

columns! {
    ObservedServer<Code> => ObservedServerBuilder, ObservedServerColumns {
        16 at: Timestamp;
        17 server: Code;
        18 daemon: bool;
        19 state: ServerState;
        20 master: bool;
    }
}

columns! {
    Reservation<Code> => ReservationBuilder, ReservationColumns {
        16 at: Option<Timestamp>;
        17 server: Code;
        18 product: Code;
        19 count: u32;
        20 holder_kind: ReservedFor;
        21 holder: Code;
    }
}
