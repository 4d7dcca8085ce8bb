//! A world: an organization, its license servers, what it bought, and what really happened.
//!
//! Everything in it is true; files are views of it, and `truth` says what right answers are.

use crate::flexnet_log::{Style, Written};
use crate::population::{AccountIndex, MachineIndex, PersonIndex, Population, ProductIndex};
use crate::server::{FeatureIndex, Server};
use crate::sessions::{End, History};
use jiff::civil::Date;
use trueup_model::calendar::Zone;
use trueup_model::contract::LineKind;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Money, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::SeatClass;

/// A license server with what happened on it and how it wrote that down.
#[derive(Clone, Debug)]
pub struct Site {
    /// The server.
    pub server: Server,
    /// What happened, daemon by daemon.
    pub histories: Vec<History>,
    /// How its log is written.
    pub style: Style,
    /// The log as it was written.
    pub written: Written,
    /// What it answered when it was asked.
    pub reports: Vec<Report>,
}

/// A row of the purchase list.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The line's name.
    pub line: String,
    /// The contract that it belongs to.
    pub contract: String,
    /// What was bought.
    pub product: ProductIndex,
    /// How it is counted.
    pub metric: Metric,
    /// How much; negative for a credit.
    pub quantity: Quantity,
    /// The first valid day; `None` for always.
    pub start: Option<Date>,
    /// The last valid day; `None` for ever.
    pub end: Option<Date>,
    /// Whose subtree may use it.
    pub account: AccountIndex,
    /// What it cost, if the list says.
    pub cost: Option<Money>,
    /// What it does.
    pub kind: LineKind,
}

/// A row of the list of seats.
#[derive(Clone, Debug)]
pub struct SeatRow {
    /// The product.
    pub product: ProductIndex,
    /// Who holds it.
    pub person: PersonIndex,
    /// What kind of seat.
    pub class: SeatClass,
    /// The first day.
    pub start: Option<Date>,
    /// The last day.
    pub end: Option<Date>,
    /// On whose account.
    pub account: AccountIndex,
}

/// A row of metered use.
#[derive(Clone, Debug)]
pub struct UsageRow {
    /// Its name; rows of one name are deliveries of one event.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub product: ProductIndex,
    /// On whose account.
    pub account: AccountIndex,
    /// By whom, if the meter says.
    pub person: Option<PersonIndex>,
    /// On which machine, if the meter says.
    pub machine: Option<MachineIndex>,
    /// How much.
    pub quantity: Quantity,
}

/// What a server answered when it was asked for its state.
#[derive(Clone, Debug)]
pub struct Report {
    /// The daemon's place.
    pub daemon: usize,
    /// When, on a full minute.
    pub at: Timestamp,
    /// How its answer for a feature differs from the truth, if it does.
    pub differences: Vec<Difference>,
    /// Licenses set aside that nobody uses: the feature, how many, for which group.
    pub idle_reservations: Vec<(FeatureIndex, u32, String)>,
}

/// Where a server's answer is not the truth of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It leaves out the holder who came last.
    HolderLeftOut(FeatureIndex),
    /// It says that so many licenses are issued.
    Issued(FeatureIndex, u32),
}

/// A world.
#[derive(Clone, Debug)]
pub struct World {
    /// The zone of whatever has none of its own.
    pub zone: Zone,
    /// The zone of the days in tables.
    pub table_zone: Zone,
    /// The instant up to which figures are given.
    pub horizon: Timestamp,
    /// Who and what there is.
    pub population: Population,
    /// License servers.
    pub sites: Vec<Site>,
    /// The purchase list.
    pub purchases: Vec<Purchase>,
    /// The list of seats.
    pub seats: Vec<SeatRow>,
    /// Metered use, repeated deliveries included.
    pub usage: Vec<UsageRow>,
}

impl Purchase {
    /// When the line is in force, with days of this zone.
    pub fn span(&self, zone: &Zone) -> Span {
        days(self.start, self.end, zone)
    }
}

impl SeatRow {
    /// When the seat is held, with days of this zone.
    pub fn span(&self, zone: &Zone) -> Span {
        days(self.start, self.end, zone)
    }
}

/// From the first instant of a day to the last of another.
fn days(start: Option<Date>, end: Option<Date>, zone: &Zone) -> Span {
    Span::new(
        start.map_or(Timestamp::MIN, |day| zone.day_start(day)),
        end.map_or(Timestamp::MAX, |day| zone.day_end(day)),
    )
}

/// A checkout's time as far as its log tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The shortest that it can have lasted.
    pub least: Span,
    /// The longest; the same unless its daemon died.
    pub most: Span,
    /// Whether its end is not in the log.
    pub estimated: bool,
    /// Whether it lasts.
    pub open: bool,
}

impl Site {
    /// From when to when a checkout of a daemon was held, by its log.
    pub fn held(&self, daemon: usize, checkout: usize) -> Held {
        let checkout = &self.histories[daemon].checkouts[checkout];
        let from = checkout.opened;
        let until = |end: Timestamp| Span::new(from, end);
        match checkout.end {
            End::Returned { at, .. } => {
                Held { least: until(at), most: until(at), estimated: false, open: false }
            }
            End::Open => {
                let lasting = until(Timestamp::MAX);
                Held { least: lasting, most: lasting, estimated: false, open: true }
            }
            End::Lost { at, back } => {
                let incident = self.server.incidents.iter().position(|one| one.at == at);
                let last = incident
                    .and_then(|number| self.written.last_lines.get(&(daemon, number)))
                    .copied()
                    .unwrap_or(from);
                let least = until(last.max(from));
                Held { least, most: until(back), estimated: true, open: false }
            }
        }
    }
}
