//! Workload S: checkouts from license servers, and the license files that grant them.
//!
//! Ten daemons serve features, whose popularity is distributed by Zipf's law; a thousand times as many
//! checkouts come as people hold at a time. A checkout and its return carry the server's handle. One
//! event in a hundred is heard of up to two hours late; one in two hundred is sent again with another
//! count, as a correction.

use crate::random::Random;
use crate::workload::zipf::Zipf;
use crate::workload::{BEGIN, fact};
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::metric::{DuplicateMask, Duplicates, Metric};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason};

/// Daemons.
const SERVERS: u32 = 10;
/// Events in an hour of event time.
const EVENTS_OF_AN_HOUR: u64 = 1_000_000;
/// How late the latest events are, in seconds.
const LATE_SECONDS: u64 = 7200;

/// How large the world of a workload is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Features.
    pub features: u32,
    /// People.
    pub users: u32,
    /// Checkouts that are out at a time.
    pub out: usize,
}

impl Default for Scale {
    fn default() -> Self {
        Self { features: 10_000, users: 100_000, out: 50_000 }
    }
}

/// The stream of workload S.
#[derive(Clone, Debug)]
pub struct Checkouts {
    scale: Scale,
    zipf: Zipf,
    random: Random,
    sent: u64,
    /// What is out: the opening event of each checkout.
    out: Vec<SessionEvent<u32>>,
    /// A fact that may be corrected.
    last: Option<Fact<u32>>,
}

impl Checkouts {
    /// The stream of this seed.
    pub fn new(scale: Scale, seed: u64) -> Self {
        let (zipf, random) = (Zipf::over(scale.features), Random::new(seed));
        Self { scale, zipf, random, sent: 0, out: Vec::new(), last: None }
    }

    /// The lines of the license files: what is sent before the events.
    pub fn contracts(&self) -> Vec<Fact<u32>> {
        let lines = (0..self.scale.features).map(|feature| {
            let units = 10 + i64::from(feature % 97) * 5;
            let quantity = Capacity::Limited(Quantity::units(units));
            let basis = Basis::LicenseFile;
            let mut line =
                EntitlementLine::base(feature, feature, Metric::Concurrent, quantity, basis);
            line.server = Some(feature % SERVERS);
            let mask = DuplicateMask { user: true, host: true, ..DuplicateMask::default() };
            line.duplicates = Some(Duplicates::Grouped(mask));
            let number = 1 << 63 | u64::from(feature);
            fact(number, BEGIN, Action::Assert(Body::Line(line)))
        });
        lines.collect()
    }

    /// When the next event is sent.
    pub fn now(&self) -> Timestamp {
        let us = self.sent * 3600 * SECOND_US.unsigned_abs() / EVENTS_OF_AN_HOUR;
        BEGIN.plus_us(i64::try_from(us).unwrap_or(i64::MAX))
    }

    /// The next fact of the stream.
    pub fn draw(&mut self) -> Fact<u32> {
        self.sent += 1;
        let lot = self.random.below(1000);
        if lot < 5
            && let Some(mut last) = self.last.take()
        {
            last.revision += 1;
            if let Action::Assert(Body::Session(event)) = &mut last.action {
                event.count += 1;
            }
            return last;
        }
        let open = self.out.len() < self.scale.out || self.random.below(2) == 0;
        let mut event = if open { self.open() } else { self.close() };
        let late = lot < 15;
        if late {
            let seconds = i64::try_from(self.random.below(LATE_SECONDS)).unwrap_or(0);
            event.at = Timestamp(event.at.0 - seconds * SECOND_US);
        }
        let drawn = fact(self.sent, self.now(), Action::Assert(Body::Session(event)));
        if open {
            self.out.push(event);
            self.last = Some(drawn.clone());
        }
        drawn
    }

    fn open(&mut self) -> SessionEvent<u32> {
        let product = self.zipf.draw(&mut self.random);
        let user = u32::try_from(self.random.below(u64::from(self.scale.users))).unwrap_or(0);
        SessionEvent {
            at: self.now(),
            rank: 0,
            kind: SessionKind::Open,
            reason: SessionReason::None,
            server: product % SERVERS,
            product,
            user,
            device: user,
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: Some(self.sent),
            count: 1,
            until: None,
        }
    }

    fn close(&mut self) -> SessionEvent<u32> {
        let place = self.random.index(self.out.len());
        let opened = self.out.swap_remove(place);
        SessionEvent { at: self.now(), kind: SessionKind::Close, ..opened }
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkouts, Scale};
    use std::collections::BTreeMap;
    use trueup_model::fact::{Action, Body};
    use trueup_model::usage::SessionKind;

    #[test]
    fn what_is_returned_was_checked_out() {
        let scale = Scale { features: 50, users: 100, out: 200 };
        let mut stream = Checkouts::new(scale, 7);
        let mut out: BTreeMap<u64, u32> = BTreeMap::new();
        let mut corrected = 0;
        for _ in 0..20_000 {
            let drawn = stream.draw();
            corrected += u32::from(drawn.revision > 0);
            let Action::Assert(Body::Session(event)) = drawn.action else { continue };
            let handle = event.handle.expect("each checkout has one");
            if event.kind == SessionKind::Open {
                out.insert(handle, event.product);
            } else {
                assert_eq!(out.remove(&handle), Some(event.product), "{event:?}");
            }
        }
        assert!((60..140).contains(&corrected), "one in two hundred: {corrected}");
    }
}
