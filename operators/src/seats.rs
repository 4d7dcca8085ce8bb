//! Seats: who holds one, and when.
//!
//! held(s) = s.span ∩ (the time in which the snapshot that lists it is the newest)
//!
//! Guests and service accounts need no license and hold no seat here. A person whom the next snapshot
//! no longer lists has given the seat back.
//!
//! Work per change: the rows of the snapshot.

use crate::Facts;
use crate::dedupe::Known;
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::time::Span;
use trueup_model::usage::SeatClass;

/// Gives each held seat as its subject and the time in which it is held.
pub fn seats<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, (Subject, Span)> {
    in_force.flat_map(|(known, span)| seat(&known, span))
}

/// Who holds a seat, and when; nothing for those that need no license.
pub(crate) fn seat(known: &Known, span: Span) -> Option<(Subject, Span)> {
    let Body::Seat(seat) = &known.body else { return None };
    let held = seat.span.overlap(span)?;
    let subject = Subject {
        tenant: known.tenant,
        server: None,
        feature: seat.product.into(),
        user: Some(seat.user.into()),
        device: seat.device.map(Into::into),
        account: seat.account.map(Into::into),
    };
    (seat.class == SeatClass::Full).then_some((subject, held))
}
