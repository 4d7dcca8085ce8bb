//! One piece of a line that costs something: what is due of it, and when that changes by itself.

use serde::{Deserialize, Serialize};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::fee::Fee;
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId};
use trueup_model::ledger::FeeDue;
use trueup_model::proration::{Share, trial_end};
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity, Ratio, Rounding};
use trueup_model::time::{Span, Timestamp};

/// By whose term an amount is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Based {
    /// By the line's own.
    Itself,
    /// By that of a line of which nothing is known.
    Unknown,
    /// By that of another line.
    On(Span),
}

/// A piece of a line, with what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Costed {
    pub(super) tenant: TenantId,
    pub(super) account: AccountId,
    pub(super) product: ProductId,
    pub(super) line: LineId,
    pub(super) capacity: Capacity,
    pub(super) fee: Fee<Id>,
    pub(super) based: Based,
    /// From the beginning of the line to its end.
    pub(super) term: Span,
    pub(super) span: Span,
}

/// Cents.
const PLACES: u32 = 2;

impl Costed {
    /// What is due up to the horizon, of the periods from `since` on if it is given, and the next instant at
    /// which more is.
    pub(super) fn dues(
        &self,
        calendar: &Calendar,
        since: Option<Timestamp>,
        horizon: Timestamp,
    ) -> (Vec<FeeDue>, Option<Timestamp>) {
        if horizon == Timestamp::MIN {
            return (Vec::new(), Some(Timestamp::MIN.plus_us(1)));
        }
        if self.span.start > horizon {
            return (Vec::new(), Some(self.span.start));
        }
        let paid = self.after_trial(calendar);
        if self.fee.per == PeriodUnit::All {
            let whole = self.whole_term(paid);
            let share = whole.and_then(|whole| match whole {
                Some(whole) => self.fee.day_count.ratio(paid, whole, &calendar.zone),
                None => Share::new(1, 1),
            });
            return (vec![self.due(Period::ALL, paid, share)], None);
        }
        if self.span.start == Timestamp::MIN {
            return (Vec::new(), None);
        }
        let mut dues = Vec::new();
        let mut at = since.map_or(self.span.start, |since| since.max(self.span.start));
        while at < self.span.end && at <= horizon {
            let period = calendar.period(self.fee.per, at);
            let part = paid.intersect(period.span);
            let none = Span::new(period.span.end, period.span.end);
            let part = if part.is_empty() { none } else { part };
            let share = self.fee.day_count.share(part, period.span, &calendar.zone);
            dues.push(self.due(period, part, share));
            at = period.span.end;
        }
        (dues, (at < self.span.end).then_some(at))
    }

    /// The part of the piece that is paid for.
    fn after_trial(&self, calendar: &Calendar) -> Span {
        if self.fee.trial_days == 0 {
            return self.span;
        }
        let bundle = match self.based {
            Based::On(term) => Some(term.start),
            Based::Itself | Based::Unknown => None,
        };
        if bundle.unwrap_or(self.term.start).min(self.term.start) == Timestamp::MIN {
            return self.span;
        }
        let days = self.fee.trial_days.into();
        let free = trial_end(self.term.start, bundle, days, &calendar.zone);
        let start = self.span.start.max(free).min(self.span.end);
        Span::new(start, self.span.end)
    }

    /// The term that an amount for a term is for; `Some(None)` if that is the line's own and has no
    /// beginning or no end, so that it is due as a whole. `None` if nothing can be said.
    #[expect(clippy::option_option, reason = "whether it is known, and whether it is limited")]
    fn whole_term(&self, paid: Span) -> Option<Option<Span>> {
        let limited = |span: Span| span.start > Timestamp::MIN && span.end < Timestamp::MAX;
        match self.based {
            Based::Itself if limited(self.term) => Some(Some(self.term)),
            Based::Itself => Some(None),
            Based::On(term) => (limited(term) && limited(paid)).then_some(Some(term)),
            Based::Unknown => None,
        }
    }

    fn due(&self, period: Period, span: Span, share: Option<Share>) -> FeeDue {
        let Self { tenant, account, product, line, .. } = *self;
        FeeDue {
            tenant,
            account,
            product,
            line,
            period,
            span,
            amount: self.fee.amount,
            units: self.fee.each.then_some(self.capacity),
            share: share.and_then(|share| {
                let (part, whole) = share.parts();
                Some((i64::try_from(part).ok()?, i64::try_from(whole).ok()?))
            }),
            due: share.and_then(|share| self.amount(share)),
        }
    }

    /// The share of the amount, raised, of all units.
    fn amount(&self, share: Share) -> Option<Money> {
        let mut share = share.times(Ratio::new(self.fee.uplift.0, ONE_UNIT)?)?;
        if self.fee.each {
            let units: Quantity = match self.capacity {
                Capacity::Limited(units) => units,
                Capacity::Unlimited | Capacity::Unknown => return None,
            };
            share = share.times(Ratio::new(units.0, ONE_UNIT)?)?;
        }
        share.of_money(self.fee.amount, PLACES, Rounding::HalfUp)
    }
}
