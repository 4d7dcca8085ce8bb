//! Every answer that an engine must give.

use super::names::Names;
use super::{Case, History, Line, Right, fees, issued, sessions, true_up};
use std::collections::BTreeMap;
use trueup_model::derived::{
    Attempt, EventCount, OrphanClose, PoolState, Resolution, Session, Subject, Wait,
};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::ledger::{BillDue, Charge, CreditBalance, FeeDue, Overage, TrueUp};
use trueup_model::position::{
    Adjustment, AllocatedUse, AllocationLine, IssuedPosition, LicensePosition, Rollup, Statement,
};
use trueup_model::time::Span;
use trueup_operators::dedupe::{Known, Repeated};
use trueup_operators::hierarchy::Placement;
use trueup_operators::inclusion::Included;
use trueup_runtime::view::{LevelsAt, Node};

/// Every answer that an engine must give.
#[derive(Debug, Default)]
pub struct Expected {
    /// Positions.
    pub positions: Vec<LicensePosition>,
    /// Which lines serve each position.
    pub allocations: Vec<AllocationLine>,
    /// Demand and rights of each node over time; nodes without any are nothing at all times.
    pub levels: BTreeMap<Node, Vec<(Span, LevelsAt)>>,
    /// Totals over both trees.
    pub rollups: Vec<Rollup>,
    /// The same by the account tree of the horizon.
    pub rollups_current: Vec<Rollup>,
    /// What someone must look at.
    pub discrepancies: Vec<Discrepancy>,
    /// Closed periods.
    pub statements: Vec<Statement>,
    /// What positions said when their periods closed.
    pub issued: Vec<IssuedPosition>,
    /// What was issued so far.
    pub history: History,
    /// Late facts of closed periods.
    pub adjustments: Vec<Adjustment>,
    /// What is left of credits.
    pub credits: Vec<CreditBalance>,
    /// What no credit covers.
    pub overages: Vec<Overage>,
    /// What use costs.
    pub charges: Vec<Charge>,
    /// How much of what is allocated is in use.
    pub allocated: Vec<AllocatedUse>,
    /// What is owed.
    pub true_ups: Vec<TrueUp>,
    /// What lines cost.
    pub fees: Vec<FeeDue>,
    /// What is still to be billed.
    pub bills: Vec<BillDue>,
    /// Checkouts.
    pub sessions: Vec<Session>,
    /// Returns without a checkout.
    pub orphans: Vec<OrphanClose>,
    /// Refused attempts.
    pub attempts: Vec<Attempt>,
    /// Waits in queues.
    pub waits: Vec<Wait>,
    /// What suites include.
    pub included: Vec<Included>,
    /// What sources say of each pool.
    pub pools: Vec<PoolState>,
    /// How often each thing was said.
    pub counts: Vec<EventCount>,
    /// Lines in force.
    pub lines: Vec<Line>,
    /// What lines grant, while it counts.
    pub rights: Vec<Right>,
    /// What subjects mean.
    pub resolutions: Vec<(Subject, Resolution)>,
    /// Facts that are shown as they are.
    pub shown: Vec<(Known, Span)>,
    /// Repetitions.
    pub repeated: Vec<Repeated>,
    /// The account tree.
    pub accounts: Vec<Placement>,
}

impl Expected {
    /// Adds what was issued of closed periods.
    pub(super) fn issue(&mut self, case: &Case<'_>, history: &History) {
        self.history = history.next(case, &self.positions);
        self.issued = self.history.rows(&self.positions);
        self.discrepancies.extend(self.issued.iter().filter_map(issued::drift));
    }

    /// Adds what is owed, costs and is to be billed.
    pub(super) fn owe(
        &mut self,
        case: &Case<'_>,
        reference: &[(Known, Span)],
        lines: &[Line],
        names: &Names,
    ) {
        self.true_ups = true_up::true_ups(case, &self.positions);
        self.fees = fees::fees(case, reference, lines, names);
        self.bills = fees::bills(case, reference, names, &self.positions);
    }

    /// The same with what logs come to.
    pub(super) fn with_logs(self, logs: sessions::Logs) -> Self {
        Self {
            sessions: logs.sessions,
            orphans: logs.orphans,
            attempts: logs.attempts,
            waits: logs.waits,
            counts: logs.counts,
            ..self
        }
    }
}
