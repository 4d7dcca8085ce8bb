//! Facts of every kind from a seed, for tests: common values mostly, edges often.

use crate::code::Code;
use trueup_model::allocation::{Allocation, HolderKind};
use trueup_model::calendar::PeriodUnit;
use trueup_model::catalog::{Alias, AliasKind, Component, Downgrade, Product, SuiteMember};
use trueup_model::contract::{Basis, EntitlementLine, LineClass, LineKind};
use trueup_model::credit::Grant;
use trueup_model::fact::{
    Action, Body, DocumentRef, DocumentVersion, Fact, FactId, FactKind, Provenance,
};
use trueup_model::factor::{Factor, FactorKind};
use trueup_model::fee::{Bill, Fee};
use trueup_model::hardware::{Install, Machine, MachineRole, Partition, RoleSignal};
use trueup_model::metric::{DuplicateMask, Duplicates, Metric};
use trueup_model::observation::{
    ObservedPool, ObservedServer, ObservedSession, Reservation, ReservedFor, ServerState,
};
use trueup_model::org::{Account, MemberKind, Membership};
use trueup_model::price::{Price, PriceModel};
use trueup_model::proration::DayCount;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::territory::{LocatedKind, Location, Territory};
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{
    Seat, SeatClass, ServerEvent, ServerEventKind, SessionEvent, SessionKind, SessionReason,
    UsageEvent, UsageOp,
};

/// How many codes the facts use.
pub(crate) const CODES: u32 = 300;

/// A stream of numbers from a seed.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices[index]
    }

    fn code(&mut self) -> Code {
        Code(u32::try_from(self.below(u64::from(CODES))).unwrap())
    }

    fn some<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(50) { Some(make(self)) } else { None }
    }

    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.below(3),
            1 => self.below(70_000),
            2 => u64::MAX - self.below(2),
            _ => self.word(),
        }
    }

    fn short(&mut self) -> u32 {
        u32::try_from(self.number() & u64::from(u32::MAX)).unwrap()
    }

    fn signed(&mut self) -> i64 {
        match self.below(5) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -1,
            _ => self.number().cast_signed(),
        }
    }

    fn at(&mut self) -> Timestamp {
        Timestamp(self.signed())
    }

    fn span(&mut self) -> Span {
        Span::new(self.at(), self.at())
    }

    fn capacity(&mut self) -> Capacity {
        match self.below(3) {
            0 => Capacity::Unlimited,
            1 => Capacity::Unknown,
            _ => Capacity::Limited(Quantity(self.signed())),
        }
    }

    fn duplicates(&mut self) -> Duplicates {
        if self.chance(20) {
            return Duplicates::Each;
        }
        let mut bit = || self.chance(50);
        let (user, host, display, vendor) = (bit(), bit(), bit(), bit());
        Duplicates::Grouped(DuplicateMask { user, host, display, vendor })
    }

    fn text(&mut self) -> String {
        let length = usize::try_from(self.below(1025)).unwrap();
        "z".repeat(length)
    }

    fn period(&mut self) -> PeriodUnit {
        self.pick(&[
            PeriodUnit::Minute,
            PeriodUnit::Hour,
            PeriodUnit::Day,
            PeriodUnit::Month,
            PeriodUnit::Quarter,
            PeriodUnit::Year,
            PeriodUnit::All,
        ])
    }

    fn session(&mut self) -> SessionEvent<Code> {
        SessionEvent {
            at: self.at(),
            rank: self.short(),
            kind: self.pick(&SessionKind::ALL),
            reason: self.pick(&SessionReason::ALL),
            server: self.code(),
            product: self.code(),
            user: self.code(),
            device: self.code(),
            display: self.some(Self::code),
            vendor_data: self.some(Self::code),
            project: self.some(Self::code),
            version: self.some(Self::code),
            handle: self.some(Self::number),
            count: self.short(),
            until: self.some(Self::at),
        }
    }

    fn observed_session(&mut self) -> ObservedSession<Code> {
        ObservedSession {
            at: self.at(),
            server: self.code(),
            product: self.code(),
            pool: self.some(Self::code),
            user: self.code(),
            device: self.code(),
            display: self.some(Self::code),
            start: self.some(Self::at),
            count: self.short(),
            handle: self.some(Self::number),
            process: self.some(Self::short),
            linger_seconds: self.some(Self::number),
            queued: self.chance(30),
        }
    }

    fn line(&mut self) -> EntitlementLine<Code> {
        let currency = if self.chance(50) { *b"EUR" } else { [0, 255, b'x'] };
        EntitlementLine {
            line: self.code(),
            contract: self.some(Self::code),
            product: self.code(),
            metric: self.pick(&Metric::ALL),
            quantity: self.capacity(),
            per: self.period(),
            span: self.span(),
            account: self.some(Self::code),
            server: self.some(Self::code),
            basis: self.pick(&Basis::ALL),
            kind: self.pick(&LineKind::ALL),
            class: self.pick(&LineClass::ALL),
            duplicates: self.some(Self::duplicates),
            suite_duplicates: self.some(Self::duplicates),
            overdraft: Quantity(self.signed()),
            margin_percent: self.short(),
            grace_seconds: self.short(),
            territory: self.some(Self::code),
            parent: self.some(Self::code),
            base: self.some(Self::code),
            priority: self.short().cast_signed(),
            maintenance_until: self.some(Self::at),
            cost: self.some(|noise| Money { amount: noise.signed(), currency }),
            version: self.some(Self::code),
            notice: self.some(Self::code),
            restricted: self.chance(50),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind that is not made here")]
    fn telemetry(&mut self, kind: FactKind) -> Option<Body<Code>> {
        Some(match kind {
            FactKind::Session => Body::Session(self.session()),
            FactKind::Usage => Body::Usage(UsageEvent {
                at: self.at(),
                product: self.code(),
                account: self.some(Self::code),
                user: self.some(Self::code),
                device: self.some(Self::code),
                quantity: Quantity(self.signed()),
                op: self.pick(&UsageOp::ALL),
            }),
            FactKind::Server => Body::Server(ServerEvent {
                at: self.at(),
                rank: self.short(),
                kind: self.pick(&ServerEventKind::ALL),
                server: self.code(),
                product: self.some(Self::code),
            }),
            FactKind::Seat => Body::Seat(Seat {
                product: self.code(),
                user: self.code(),
                device: self.some(Self::code),
                account: self.some(Self::code),
                class: self.pick(&SeatClass::ALL),
                span: self.span(),
                last_active: self.some(Self::at),
            }),
            FactKind::ObservedPool => Body::ObservedPool(ObservedPool {
                at: self.at(),
                server: self.code(),
                product: self.code(),
                issued: self.capacity(),
                reported_in_use: self.some(Self::short),
            }),
            FactKind::ObservedSession => Body::ObservedSession(self.observed_session()),
            FactKind::ObservedServer => Body::ObservedServer(ObservedServer {
                at: self.at(),
                server: self.code(),
                daemon: self.chance(50),
                state: self.pick(&ServerState::ALL),
                master: self.chance(50),
            }),
            FactKind::Reservation => Body::Reservation(Reservation {
                at: self.some(Self::at),
                server: self.code(),
                product: self.code(),
                count: self.short(),
                holder_kind: self.pick(&ReservedFor::ALL),
                holder: self.code(),
            }),
            FactKind::Product
            | FactKind::Component
            | FactKind::Alias
            | FactKind::Account
            | FactKind::Membership
            | FactKind::Line
            | FactKind::Document
            | FactKind::Reject
            | FactKind::Machine
            | FactKind::Install
            | FactKind::Role
            | FactKind::Factor
            | FactKind::Grant
            | FactKind::Price
            | FactKind::Location
            | FactKind::Territory
            | FactKind::SuiteMember
            | FactKind::Fee
            | FactKind::Bill
            | FactKind::Allocation
            | FactKind::Downgrade => return None,
        })
    }

    fn money(&mut self) -> Money {
        Money { amount: self.signed(), currency: *b"EUR" }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds are made elsewhere")]
    fn inventory(&mut self, kind: FactKind) -> Option<Body<Code>> {
        Some(match kind {
            FactKind::Machine => Body::Machine(Machine {
                device: self.code(),
                processors: self.short(),
                cores: self.short(),
                threads: self.short(),
                virtual_cores: self.short(),
                cap: self.some(Self::short),
                model: self.some(Self::code),
                host: self.some(Self::code),
                cluster: self.some(Self::code),
                partition: self.pick(&Partition::ALL),
                span: self.span(),
            }),
            FactKind::Install => Body::Install(Install {
                product: self.code(),
                device: self.code(),
                user: self.some(Self::code),
                account: self.some(Self::code),
                span: self.span(),
                last_used: self.some(Self::at),
            }),
            FactKind::Role => Body::Role(RoleSignal {
                at: self.at(),
                device: self.code(),
                role: self.pick(&MachineRole::ALL),
            }),
            FactKind::Factor => Body::Factor(Factor {
                kind: self.pick(&FactorKind::ALL),
                product: self.some(Self::code),
                pool: self.some(Self::code),
                model: self.some(Self::code),
                up_to: self.some(|noise| Quantity(noise.signed())),
                value: Quantity(self.signed()),
                per: Quantity(self.signed()),
                span: self.span(),
            }),
            FactKind::SuiteMember => Body::SuiteMember(SuiteMember {
                suite: self.code(),
                component: self.code(),
                mandatory: self.chance(50),
                percent: self.short(),
                span: self.span(),
            }),
            FactKind::Downgrade => Body::Downgrade(Downgrade {
                higher: self.code(),
                lower: self.code(),
                span: self.span(),
            }),
            _ => return self.terms(kind),
        })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds are made elsewhere")]
    fn terms(&mut self, kind: FactKind) -> Option<Body<Code>> {
        Some(match kind {
            FactKind::Grant => Body::Grant(Grant {
                grant: self.code(),
                product: self.code(),
                account: self.some(Self::code),
                amount: Quantity(self.signed()),
                span: self.span(),
                priority: self.short().cast_signed(),
                every: self.some(Self::period),
                carry_min: Quantity(self.signed()),
                carry_max: Quantity(self.signed()),
                carry_overage: self.chance(50),
                voided_at: self.some(Self::at),
            }),
            FactKind::Price => Body::Price(Price {
                product: self.code(),
                account: self.some(Self::code),
                model: self.pick(&PriceModel::ALL),
                up_to: self.some(|noise| Quantity(noise.signed())),
                unit: self.money(),
                flat: self.money(),
                block: Quantity(self.signed()),
                span: self.span(),
            }),
            FactKind::Fee => Body::Fee(Fee {
                line: self.code(),
                amount: self.money(),
                per: self.period(),
                each: self.chance(50),
                day_count: self.pick(&DayCount::ALL),
                uplift: Quantity(self.signed()),
                trial_days: self.short(),
                base: self.some(Self::code),
                span: self.span(),
            }),
            FactKind::Bill => Body::Bill(Bill {
                product: self.code(),
                account: self.some(Self::code),
                units: Quantity(self.signed()),
                at: self.at(),
            }),
            FactKind::Location => Body::Location(Location {
                kind: self.pick(&LocatedKind::ALL),
                located: self.code(),
                country: self.code(),
                span: self.span(),
            }),
            FactKind::Allocation => Body::Allocation(Allocation {
                line: self.code(),
                kind: self.pick(&HolderKind::ALL),
                holder: self.code(),
                quantity: Quantity(self.signed()),
                span: self.span(),
            }),
            FactKind::Territory => Body::Territory(Territory {
                territory: self.code(),
                country: self.code(),
                span: self.span(),
            }),
            _ => return None,
        })
    }

    fn body(&mut self, kind: FactKind) -> Body<Code> {
        if let Some(body) = self.telemetry(kind).or_else(|| self.inventory(kind)) {
            return body;
        }
        match kind {
            FactKind::Product => Body::Product(Product {
                product: self.code(),
                family: self.some(Self::code),
                publisher: self.some(Self::code),
            }),
            FactKind::Component => Body::Component(Component {
                server: self.code(),
                package: self.code(),
                component: self.code(),
                suite: self.chance(50),
            }),
            FactKind::Alias => Body::Alias(Alias {
                kind: self.pick(&AliasKind::ALL),
                raw: self.code(),
                canonical: self.code(),
                span: self.span(),
            }),
            FactKind::Account => Body::Account(Account {
                account: self.code(),
                parent: self.some(Self::code),
                span: self.span(),
                zone: self.some(Self::text),
                anchor: self.some(Self::at),
            }),
            FactKind::Membership => Body::Membership(Membership {
                kind: self.pick(&MemberKind::ALL),
                member: self.code(),
                account: self.code(),
                span: self.span(),
            }),
            FactKind::Line => Body::Line(self.line()),
            FactKind::Document => Body::Document(DocumentVersion {
                document: self.code(),
                version: self.number(),
                effective_from: self.at(),
                rows: self.number(),
            }),
            FactKind::Session
            | FactKind::Usage
            | FactKind::Server
            | FactKind::Seat
            | FactKind::ObservedPool
            | FactKind::ObservedSession
            | FactKind::ObservedServer
            | FactKind::Reservation
            | FactKind::Machine
            | FactKind::Install
            | FactKind::Role
            | FactKind::Factor
            | FactKind::Grant
            | FactKind::Price
            | FactKind::Location
            | FactKind::Territory
            | FactKind::SuiteMember
            | FactKind::Fee
            | FactKind::Bill
            | FactKind::Allocation
            | FactKind::Downgrade
            | FactKind::Reject => Body::Reject(Reject {
                reason: self.pick(&RejectReason::ALL),
                excerpt: self.code(),
                detail: self.some(Self::code),
            }),
        }
    }

    /// A fact of a kind, with values from everywhere in their types.
    pub(crate) fn fact(&mut self, kind: FactKind) -> Fact<Code> {
        let id = u128::from(self.word()) << 64 | u128::from(self.word());
        let action =
            if self.chance(10) { Action::Retract(kind) } else { Action::Assert(self.body(kind)) };
        Fact {
            id: FactId(id),
            revision: self.short(),
            arrived_at: self.at(),
            provenance: Provenance { document: self.code(), position: self.number() },
            document: self
                .some(|noise| DocumentRef { document: noise.code(), version: noise.number() }),
            action,
        }
    }

    /// A session fact such as a log of one server gives, the `index`-th of its file.
    pub(crate) fn plain_session(&mut self, index: u64) -> Fact<Code> {
        let mut session = self.session();
        let start = 1_750_000_000_000_000;
        session.at = Timestamp(start + index.cast_signed() / 3 * 1_000_000);
        session.rank = u32::try_from(index % 3).unwrap();
        (session.display, session.vendor_data, session.version) = (None, None, None);
        (session.project, session.handle, session.count) = (None, None, 1);
        session.kind = self.pick(&[SessionKind::Open, SessionKind::Close]);
        session.reason = SessionReason::None;
        session.server = Code(0);
        let mut fact = self.fact(FactKind::Session);
        fact.revision = 0;
        fact.arrived_at = Timestamp(start + 3_600_000_000);
        fact.provenance = Provenance { document: Code(1), position: index + 1 };
        fact.document = None;
        fact.action = Action::Assert(Body::Session(session));
        fact
    }

    /// Between none and `most` facts of any kinds.
    pub(crate) fn facts(&mut self, most: u64) -> Vec<Fact<Code>> {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| {
                let kind = self.pick(&FactKind::ALL);
                self.fact(kind)
            })
            .collect()
    }
}
