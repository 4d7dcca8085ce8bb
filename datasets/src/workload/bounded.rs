//! Workload B: a bounded world in which what counts stays as large as it is, however long it runs.
//!
//! As many events as the scale says are in force. Once they are, each further fact corrects one of them (the
//! next revision, another quantity), or withdraws the oldest, after which a new one takes its place. Accounts,
//! products, people and months repeat, and so do the hours at which things are used. What grows nevertheless is what must be
//! remembered of facts that do not count any more, unless there is a retention: then the clock of the world has to go on, and things
//! are used shortly before they are said.

use crate::random::Random;
use crate::workload::fact;
use crate::workload::telemetry::{self, PRODUCTS_OF_AN_ACCOUNT, Telemetry, USERS_OF_AN_ACCOUNT};
use std::collections::VecDeque;
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::metric::Metric;
use trueup_model::quantity::Quantity;
use trueup_model::time::{DAY_US, SECOND_US, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};

/// The first of January, February and March 2026.
const MONTHS: [Timestamp; 3] = [
    Timestamp(1_767_225_600_000_000),
    Timestamp(1_767_225_600_000_000 + 31 * DAY_US),
    Timestamp(1_767_225_600_000_000 + 59 * DAY_US),
];
/// Hours of a month at which things are used: those of 28 days.
const HOURS: u64 = 28 * 24;
/// When everything is said: 1 April 2026.
const SAID: Timestamp = Timestamp(1_767_225_600_000_000 + 90 * DAY_US);

/// How large the world of workload B is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Accounts.
    pub accounts: u32,
    /// Products.
    pub products: u32,
    /// Events that are in force.
    pub live: usize,
    /// How many of a thousand facts correct one, once that many are in force.
    pub corrections: u64,
    /// How far the clock of the world goes on with each fact, in microseconds; if it does, things are used in the
    /// hour before they are said.
    pub pace_us: i64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { accounts: 1000, products: 100, live: 50_000, corrections: 500, pace_us: 0 }
    }
}

/// The stream of workload B.
#[derive(Clone, Debug)]
pub struct Bounded {
    scale: Scale,
    world: Telemetry,
    random: Random,
    sent: u64,
    /// The clock of the world.
    now: Timestamp,
    /// The events in force, the oldest first.
    live: VecDeque<Fact<u32>>,
}

impl Bounded {
    /// The stream of this seed.
    pub fn new(scale: Scale, seed: u64) -> Self {
        let of_world = telemetry::Scale { accounts: scale.accounts, products: scale.products };
        let world = Telemetry::new(of_world, seed);
        Self { scale, world, random: Random::new(seed), sent: 0, now: SAID, live: VecDeque::new() }
    }

    /// The accounts, products and lines: what is sent before the events.
    pub fn contracts(&self) -> Vec<Fact<u32>> {
        self.world.contracts()
    }

    /// The next fact of the stream.
    pub fn draw(&mut self) -> Fact<u32> {
        self.now = self.now.plus_us(self.scale.pace_us);
        Fact { arrived_at: self.now, ..self.next() }
    }

    fn next(&mut self) -> Fact<u32> {
        if self.live.len() >= self.scale.live {
            if self.random.below(1000) < self.scale.corrections {
                return self.correct();
            }
            if let Some(oldest) = self.live.pop_front() {
                return Fact { action: Action::Retract(FactKind::Usage), ..oldest };
            }
        }
        self.sent += 1;
        let event = self.event();
        let drawn = fact(self.sent, SAID, Action::Assert(Body::Usage(event)));
        self.live.push_back(drawn.clone());
        drawn
    }

    /// One in force, with another quantity.
    fn correct(&mut self) -> Fact<u32> {
        let place = self.random.index(self.live.len());
        let quantity = self.quantity();
        let corrected = &mut self.live[place];
        corrected.revision += 1;
        if let Action::Assert(Body::Usage(event)) = &mut corrected.action {
            event.quantity = quantity;
        }
        corrected.clone()
    }

    fn quantity(&mut self) -> Quantity {
        Quantity::units(i64::try_from(1 + self.random.below(100)).unwrap_or(1))
    }

    fn event(&mut self) -> UsageEvent<u32> {
        let mut below =
            |bound: u32| u32::try_from(self.random.below(u64::from(bound))).unwrap_or(0);
        let account = below(self.scale.accounts);
        let product = self.world.product(account, below(PRODUCTS_OF_AN_ACCOUNT));
        let user = (telemetry::metric(product) == Metric::Unique)
            .then(|| account * USERS_OF_AN_ACCOUNT + below(USERS_OF_AN_ACCOUNT));
        let at = match self.scale.pace_us {
            0 => {
                let month = MONTHS[self.random.index(MONTHS.len())];
                let hour = i64::try_from(self.random.below(HOURS)).unwrap_or(0);
                month.plus_us(hour * 3600 * SECOND_US)
            }
            _ => {
                let seconds = i64::try_from(self.random.below(3600)).unwrap_or(0);
                self.now.plus_us(-seconds * SECOND_US)
            }
        };
        UsageEvent {
            at,
            product,
            account: Some(account),
            user,
            device: None,
            quantity: self.quantity(),
            op: UsageOp::Add,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, Scale};
    use std::collections::BTreeMap;
    use trueup_model::fact::{Action, Body};

    #[test]
    fn as_many_events_stay_in_force_and_each_change_is_of_one_of_them() {
        let scale = Scale { accounts: 50, products: 20, live: 300, corrections: 500, pace_us: 0 };
        let mut stream = Bounded::new(scale, 7);
        // The revision of each event in force.
        let mut live = BTreeMap::new();
        let (mut corrected, mut withdrawn) = (0, 0);
        for number in 0..10_300 {
            let drawn = stream.draw();
            match drawn.action {
                Action::Assert(Body::Usage(event)) => {
                    assert!(event.account < Some(50) && event.product < 20, "{event:?}");
                    let before = live.insert(drawn.id, drawn.revision);
                    assert_eq!(drawn.revision, before.map_or(0, |revision| revision + 1));
                    corrected += u32::from(before.is_some());
                }
                Action::Assert(_) => panic!("only use is drawn"),
                Action::Retract(_) => {
                    assert_eq!(live.remove(&drawn.id), Some(drawn.revision));
                    withdrawn += 1;
                }
            }
            assert!(number < 300 || (299..=300).contains(&live.len()), "{number}: {}", live.len());
        }
        // Of three facts one corrects, one withdraws, one is new: half of the choices correct.
        assert!((3_000..3_700).contains(&corrected), "{corrected}");
        assert!((3_000..3_700).contains(&withdrawn), "{withdrawn}");
    }

    #[test]
    fn a_seed_gives_the_same_facts() {
        let drawn = |seed| {
            let mut stream = Bounded::new(Scale { live: 10, ..Scale::default() }, seed);
            (0..100).map(|_| stream.draw()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }
}
