//! What comes in: names get identifiers, facts are checked, and what is wrong is set aside.
//!
//! A fact that cannot be taken becomes a reject with the same provenance, so nothing is dropped. New
//! products bring their settings with them, and names that the rules could not resolve are announced,
//! before any fact that uses them.

use crate::sequencer::Work;
use crate::settings::Settings;
use crate::suspects::Suspect;
use crossbeam_channel::{SendTimeoutError, Sender};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use trueup_model::calendar::{PeriodUnit, Zone};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::hash::hash128;
use trueup_model::id::{Dictionary, Id, NameError, NameKind, ProductId, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::time::Timestamp;
use trueup_operators::entered::Entered;
use trueup_policy::Policy;

/// The greatest value of a factor: a billion units for one.
const FACTOR_MAX: Quantity = Quantity(1_000_000_000_000_000);

/// The most licenses that one checkout may name.
const COUNT_MAX: u32 = 100_000_000;

/// Checks facts and gives names their identifiers; shared by all connections.
#[derive(Debug)]
pub struct Intake {
    names: Arc<RwLock<Dictionary>>,
    products: Mutex<usize>,
    products_max: usize,
    future_tolerance_us: i64,
    policy: Policy,
    work: Sender<Work>,
    closing: AtomicBool,
    /// Facts that stopped the engine once; there are few, and mostly none.
    left_out: RwLock<BTreeSet<Suspect>>,
    leaves_out: AtomicBool,
    /// Whether a name was refused because there are too many.
    has_refused: AtomicBool,
}

/// How long the sequencer may take nothing before it is looked whether conversations are to end.
const HELD_LOOK: Duration = Duration::from_millis(100);

/// What is said of an event that happened before anything was recorded.
const TOO_EARLY: &str = "dated before 1990: the zero of a clock, or a date that was never set";

/// What is said of a fact that is left out.
const STOPPED_IT: &str =
    "it stopped the engine, which leaves it out since; another revision counts";

/// What a fact and the reject that stands for it have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) id: FactId,
    pub(crate) revision: u32,
    pub(crate) arrived_at: Timestamp,
    pub(crate) provenance: Provenance<Id>,
}

/// Why a name has no identifier.
pub(crate) fn name_reason(error: &NameError) -> RejectReason {
    match error {
        NameError::Collision { .. } => RejectReason::NameCollision,
        NameError::Full { .. } => RejectReason::TooManyNames,
    }
}

/// The fact without a beginning that is before everything recorded.
fn dated(mut fact: Fact<Id>) -> Fact<Id> {
    if let Action::Assert(body) = &mut fact.action {
        let beginning = body.beginning_mut();
        if let Some(at) = beginning.filter(|at| **at < Timestamp::RECORDED) {
            *at = Timestamp::MIN;
        }
    }
    fact
}

impl Intake {
    pub(crate) fn new(
        settings: &Settings,
        names: Arc<RwLock<Dictionary>>,
        work: Sender<Work>,
    ) -> Self {
        Self {
            names,
            products: Mutex::new(0),
            products_max: settings.products_max,
            future_tolerance_us: settings.future_tolerance_us,
            policy: settings.policy.clone(),
            work,
            closing: AtomicBool::new(false),
            left_out: RwLock::default(),
            leaves_out: AtomicBool::new(false),
            has_refused: AtomicBool::new(false),
        }
    }

    /// Has a reject stand in the place of a fact from now on.
    pub(crate) fn leave_out(&self, fact: Suspect) {
        self.left_out.write().unwrap_or_else(PoisonError::into_inner).insert(fact);
        self.leaves_out.store(true, Ordering::SeqCst);
    }

    fn is_left_out(&self, fact: Suspect) -> bool {
        self.leaves_out.load(Ordering::Relaxed)
            && self.left_out.read().unwrap_or_else(PoisonError::into_inner).contains(&fact)
    }

    /// The identifier of a tenant.
    pub fn tenant(&self, name: &str) -> TenantId {
        self.names.write().unwrap_or_else(PoisonError::into_inner).open_tenant(name)
    }

    /// The identifier of a name, known from now on.
    ///
    /// What a new name brings with it is announced before this returns, so that facts which use the
    /// name come after it.
    ///
    /// # Errors
    /// If another name has the identifier, or there are too many names.
    pub fn define(&self, kind: NameKind, tenant: TenantId, text: &str) -> Result<Id, NameError> {
        // One at a time: whoever finds a name known may rely on its announcement.
        let mut products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = names.entry(names.id_of(kind, tenant, text)).is_none();
        let is_one_too_many = is_new && kind == NameKind::Product && *products >= self.products_max;
        let named = match is_one_too_many {
            true => Err(NameError::Full { limit: self.products_max }),
            false => names.intern(kind, tenant, text),
        };
        if matches!(named, Err(NameError::Full { .. })) {
            self.has_refused.store(true, Ordering::SeqCst);
        }
        let id = named?;
        let resolved = names.entry(id).is_none_or(|entry| entry.resolved);
        drop(names);
        if is_new && kind == NameKind::Product {
            *products += 1;
            let settings = self.policy.product(text);
            self.announce(Work::Product(ProductId(id.0), settings));
        }
        if is_new && !resolved {
            self.announce(Work::Unresolved(kind, id));
        }
        Ok(id)
    }

    /// Whether a name was refused because there are as many as there may be.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::SeqCst)
    }

    /// Whoever announces something to an engine that takes nothing need not wait for ever.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Tells the sequencer; a stopped engine needs no announcements.
    fn announce(&self, mut work: Work) {
        while let Err(SendTimeoutError::Timeout(held)) = self.work.send_timeout(work, HELD_LOOK) {
            if self.closing.load(Ordering::SeqCst) {
                break;
            }
            work = held;
        }
    }

    /// The fact with its names turned into identifiers; a reject in its place if it cannot be taken.
    ///
    /// # Errors
    /// If even the reject has no names: the dictionary is full.
    pub fn name(&self, tenant: TenantId, fact: Fact<&str>) -> Result<Fact<Id>, NameError> {
        let document = self.define(NameKind::Document, tenant, fact.provenance.document)?;
        let place = Place {
            id: fact.id,
            revision: fact.revision,
            arrived_at: fact.arrived_at,
            provenance: Provenance { document, position: fact.provenance.position },
        };
        let named = fact.try_map(&mut |kind, text| self.define(kind, tenant, text));
        Ok(match named {
            Ok(known) => self.checked(tenant, known),
            Err(error) => self.rejected(tenant, place, name_reason(&error), None),
        })
    }

    /// The fact, or a reject in its place if what it says is beyond what is allowed.
    ///
    /// What begins before anything was recorded has no beginning.
    pub fn checked(&self, tenant: TenantId, fact: Fact<Id>) -> Fact<Id> {
        let Some((reason, detail)) = self.wrong(&fact) else { return dated(fact) };
        let Fact { id, revision, arrived_at, provenance, .. } = fact;
        self.rejected(tenant, Place { id, revision, arrived_at, provenance }, reason, detail)
    }

    /// Whether a fact of telemetry is taken as it is: it happened when it may have, and so often.
    #[inline]
    pub(crate) fn takes(
        &self,
        (id, revision): (FactId, u32),
        at: Timestamp,
        arrived_at: Timestamp,
        count: u32,
    ) -> bool {
        !self.is_left_out(Suspect { id, revision })
            && self.untimely(at, arrived_at).is_none()
            && !self.is_beyond_retention(at, arrived_at)
            && (1..=COUNT_MAX).contains(&count)
    }

    /// What is wrong with when something happened, if anything is.
    #[inline]
    fn untimely(
        &self,
        at: Timestamp,
        arrived_at: Timestamp,
    ) -> Option<(RejectReason, Option<&'static str>)> {
        if at < Timestamp::RECORDED {
            return Some((RejectReason::OutOfRange, Some(TOO_EARLY)));
        }
        if !at.is_calendar() {
            return Some((RejectReason::OutOfRange, None));
        }
        let latest = arrived_at.plus_us(self.future_tolerance_us);
        (at > latest).then_some((RejectReason::FutureEvent, None))
    }

    /// What is wrong with a fact, if anything is, and what more there is to say of it.
    fn wrong(&self, fact: &Fact<Id>) -> Option<(RejectReason, Option<&'static str>)> {
        if self.is_left_out(Suspect { id: fact.id, revision: fact.revision }) {
            return Some((RejectReason::Malformed, Some(STOPPED_IT)));
        }
        let Action::Assert(body) = &fact.action else { return None };
        let (at, count) = match body {
            Body::Session(event) => (Some(event.at), event.count),
            Body::Usage(event) => (Some(event.at), 1),
            Body::Server(event) => (Some(event.at), 1),
            Body::ObservedSession(event) => (Some(event.at), event.count),
            Body::ObservedPool(event) => (Some(event.at), 1),
            Body::ObservedServer(event) => (Some(event.at), 1),
            Body::Reservation(row) => (row.at, 1),
            Body::Role(signal) => (Some(signal.at), 1),
            Body::Account(row) => {
                let known = row.zone.as_ref().is_none_or(|zone| Zone::named(zone).is_ok());
                let dated = row.anchor.is_none_or(Timestamp::is_calendar);
                return (!known || !dated).then_some((RejectReason::BadValue, None));
            }
            Body::Factor(row) => {
                let weighs = row.per.0 > 0 && (0..=FACTOR_MAX.0).contains(&row.value.0);
                return (!weighs).then_some((RejectReason::BadValue, None));
            }
            Body::Fee(row) => {
                // Rows are kept for every period since the line began.
                let few = row.per >= PeriodUnit::Day;
                let weighs = (0..=FACTOR_MAX.0).contains(&row.uplift.0);
                return (!few || !weighs).then_some((RejectReason::BadValue, None));
            }
            Body::Bill(row) => {
                let dated = row.at.is_calendar();
                return (!dated).then_some((RejectReason::OutOfRange, None));
            }
            Body::Allocation(row) => {
                let binds = row.quantity > Quantity::ZERO;
                return (!binds).then_some((RejectReason::BadValue, None));
            }
            Body::Seat(_)
            | Body::Product(_)
            | Body::Component(_)
            | Body::Alias(_)
            | Body::Membership(_)
            | Body::Line(_)
            | Body::Document(_)
            | Body::Reject(_)
            | Body::Machine(_)
            | Body::Install(_)
            | Body::Grant(_)
            | Body::Price(_)
            | Body::Location(_)
            | Body::Territory(_)
            | Body::SuiteMember(_)
            | Body::Downgrade(_) => return None,
        };
        if let Some(at) = at {
            let untimely = self.untimely(at, fact.arrived_at);
            if untimely.is_some() {
                return untimely;
            }
            // A reservation is in force however long ago it began.
            let is_event = !matches!(body, Body::Reservation(_));
            if is_event && self.is_beyond_retention(at, fact.arrived_at) {
                return Some((RejectReason::BeyondRetention, None));
            }
        }
        (!(1..=COUNT_MAX).contains(&count)).then_some((RejectReason::OutOfRange, None))
    }

    /// Whether something happened longer before it arrived than anything is kept.
    fn is_beyond_retention(&self, at: Timestamp, arrived_at: Timestamp) -> bool {
        let retention = self.policy.retention_us;
        retention.is_some_and(|retention_us| arrived_at.since_us(at) > i128::from(retention_us))
    }

    /// A reject that stands for a fact: same place, an identity of its own.
    pub(crate) fn rejected(
        &self,
        tenant: TenantId,
        place: Place,
        reason: RejectReason,
        detail: Option<&str>,
    ) -> Fact<Id> {
        let Place { id, revision, arrived_at, provenance } = place;
        let id = FactId(hash128(&[b"rejected", &id.0.to_le_bytes(), &[reason.code()]]));
        let words = reason.name();
        let excerpt = self.define(NameKind::Text, tenant, words).unwrap_or_default();
        let detail = detail.and_then(|text| self.define(NameKind::Text, tenant, text).ok());
        let body = Body::Reject(Reject { reason, excerpt, detail });
        let action = Action::Assert(body);
        Fact { id, revision, arrived_at, provenance, document: None, action }
    }

    /// The latest instant that a fact gives evidence of.
    pub(crate) fn evidence_of(fact: &Entered) -> Option<Timestamp> {
        match fact {
            Entered::Usage(said) => Some(said.event.at),
            Entered::Other(other) => Self::evidence(&other.1),
        }
    }

    /// The same of a fact in its general form.
    pub(crate) fn evidence(fact: &Fact<Id>) -> Option<Timestamp> {
        let Action::Assert(body) = &fact.action else { return None };
        match body {
            Body::Session(event) => Some(event.at),
            Body::Usage(event) => Some(event.at),
            Body::Server(event) => Some(event.at),
            Body::ObservedPool(event) => Some(event.at),
            Body::ObservedSession(event) => Some(event.at),
            Body::ObservedServer(event) => Some(event.at),
            Body::Role(signal) => Some(signal.at),
            Body::Document(version) => {
                version.effective_from.is_calendar().then_some(version.effective_from)
            }
            Body::Reservation(_)
            | Body::Seat(_)
            | Body::Product(_)
            | Body::Component(_)
            | Body::Alias(_)
            | Body::Account(_)
            | Body::Membership(_)
            | Body::Line(_)
            | Body::Reject(_)
            | Body::Machine(_)
            | Body::Install(_)
            | Body::Factor(_)
            | Body::Grant(_)
            | Body::Price(_)
            | Body::Location(_)
            | Body::Territory(_)
            | Body::SuiteMember(_)
            | Body::Fee(_)
            | Body::Bill(_)
            | Body::Allocation(_)
            | Body::Downgrade(_) => None,
        }
    }
}
