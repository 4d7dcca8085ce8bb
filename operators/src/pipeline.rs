//! The chain: facts in, positions, discrepancies and totals out, as one expression.
//!
//! dedupe → documents → { hierarchy, resolve } → sessions → inclusion → attribute → transfers
//! → sublicense → entitle → trials → (downgrades, lend) → allocate → reconcile, and beside it rollup, totals,
//! credits, charges, fees, bills and true-ups. Each step is one operator in the file of its name.

use crate::allocate::{
    Allocation, Surroundings, allocate, allocate_periods, allocate_territories, lend,
};
use crate::anomalies::{Evidence, anomalies};
use crate::attribute::{
    Place, Use, asked, attribute, demand, drawn, duplicate_rules, parted, readings, rules,
    taking_part, units,
};
use crate::bills::{bills, bills_in_force, subject as of_bill};
use crate::bound::{self, bound, restricted};
use crate::bundles::bundles;
use crate::charges::{charges, priced, subject as of_price};
use crate::credits::{Credits, credits, granted, subject as of_grant};
use crate::current_tree::current_tree;
use crate::dedupe::{Known, Repeated, dedupe};
use crate::downgrades::downgrades;
use crate::due::due;
use crate::entered::Entered;
use crate::entitle::{LineInForce, Right, entitle, subject};
use crate::fees::{fees, fees_in_force};
use crate::gauges::{gauges, orphaned, settings_of};
use crate::hierarchy::Placement;
use crate::holds::holds;
use crate::idle::{idle, seen};
use crate::inclusion::{Included, inclusion};
use crate::installs::installs;
use crate::issued::{drifts, issued};
use crate::judge::{Judgments, judge};
use crate::keyed::{Keyed as _, Rows as _};
use crate::machines::machines;
use crate::numbered::numbered;
use crate::paced::paced;
use crate::pools::pools;
use crate::present::present;
use crate::reconcile::{Causes, reconcile};
use crate::reference::{
    account_tree, counts, covered, names, parts, product_tree, reference, reports,
};
use crate::renewals::renewals;
use crate::resolve::{Asker, place, resolve};
use crate::rollup::rollup;
use crate::sessions::sessions;
use crate::standby::{self, counted, signals, standbys, told};
use crate::statements::{adjustments, statements};
use crate::sublicense::sublicense;
use crate::suites::suites;
use crate::tally::Tally;
use crate::territory::{located, locations, reaches, territorial};
use crate::totals::{SumKey, Total, totals};
use crate::transfers::transfers;
use crate::trials::{counting, repeats};
use crate::true_up::true_up;
use crate::upkeep::upkeep;
use crate::volume::{Cell, volume};
use crate::{Epoch, Facts};
use differential_dataflow::AsCollection as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::derived::{Attempt, EventCount, PoolState, Resolution, Session, Subject, Wait};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::fact::FactKind;
use trueup_model::id::{Id, NameKind, ProductId};
use trueup_model::ledger::{BillDue, Charge, CreditBalance, FeeDue, Overage, TrueUp};
use trueup_model::metric::Metric;
use trueup_model::position::{
    Adjustment, AllocatedUse, AllocationLine, IssuedPosition, LicensePosition, Rollup, Statement,
    Step,
};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;
use trueup_policy::rules::ProductSettings;

/// Everything that enters.
pub struct Inputs<'s> {
    /// What sources say.
    pub facts: Facts<'s, Entered>,
    /// What the policy says of each product, one row for each product that is ever named.
    pub settings: Facts<'s, (ProductId, ProductSettings)>,
    /// Names that the naming rules could not resolve.
    pub unresolved: Facts<'s, (NameKind, Id)>,
    /// The instant up to which figures are evaluated: one row, that only moves forward.
    pub horizon: Facts<'s, Timestamp>,
    /// What was issued before the engine began.
    pub issued: Facts<'s, IssuedPosition>,
    /// In which epochs totals over the trees are brought up to date.
    pub ticks: Facts<'s, Epoch>,
}

/// Everything that comes out.
pub struct Outputs<'s> {
    /// What is entitled, needed and missing.
    pub positions: Facts<'s, LicensePosition>,
    /// Which lines serve each position.
    pub allocations: Facts<'s, AllocationLine>,
    /// The levels of each position over time.
    pub steps: Facts<'s, Step>,
    /// Totals of what is in use at a time, over both trees: their peaks.
    pub peaks: Facts<'s, Rollup>,
    /// Totals of volumes over both trees.
    pub sums: Facts<'s, SumKey, Total>,
    /// The peaks by the account tree of the horizon, if the policy asks for them.
    pub peaks_current: Facts<'s, Rollup>,
    /// The volumes by it.
    pub sums_current: Facts<'s, SumKey, Total>,
    /// What someone must look at.
    pub discrepancies: Facts<'s, Discrepancy>,
    /// Closed periods.
    pub statements: Facts<'s, Statement>,
    /// What positions said when their periods closed.
    pub issued: Facts<'s, IssuedPosition>,
    /// What late facts change of them.
    pub adjustments: Facts<'s, Adjustment>,
    /// What is left of credits.
    pub credits: Facts<'s, CreditBalance>,
    /// What no credit covers.
    pub overages: Facts<'s, Overage>,
    /// What use costs.
    pub charges: Facts<'s, Charge>,
    /// How much of what is allocated is in use.
    pub allocated: Facts<'s, AllocatedUse>,
    /// What is owed.
    pub true_ups: Facts<'s, TrueUp>,
    /// What lines cost.
    pub fees: Facts<'s, FeeDue>,
    /// What is still to be billed.
    pub bills: Facts<'s, BillDue>,
    /// Checkouts.
    pub sessions: Facts<'s, Session>,
    /// Uses as they count, with the account and product that they count for.
    pub uses: Facts<'s, Use>,
    /// Metered use, by account, product, person and piece of time.
    pub cells: Facts<'s, Cell, Tally>,
    /// What suites include.
    pub included: Facts<'s, Included>,
    /// Refused attempts.
    pub attempts: Facts<'s, Attempt>,
    /// Waits in queues.
    pub waits: Facts<'s, Wait>,
    /// What sources say of each pool.
    pub pools: Facts<'s, PoolState>,
    /// How often each thing was said.
    pub counts: Facts<'s, EventCount>,
    /// Lines in force, with what they say.
    pub lines: Facts<'s, LineInForce>,
    /// What the lines grant, while it counts.
    pub rights: Facts<'s, Right>,
    /// What each subject means.
    pub resolutions: Facts<'s, (Subject, Resolution)>,
    /// Facts that are shown as they are: observations, reservations, servers, accounts, rejects.
    pub shown: Facts<'s, (Known, Span)>,
    /// Repetitions.
    pub repeated: Facts<'s, Repeated>,
    /// The validated account tree.
    pub accounts: Facts<'s, Placement>,
}

/// Assembles every operator.
#[expect(clippy::too_many_lines, reason = "the chain is one expression, to be read at once")]
pub fn assemble<'s>(inputs: Inputs<'s>, policy: &Policy) -> Outputs<'s> {
    let deduped =
        dedupe(inputs.facts, inputs.horizon.clone(), policy.conflict, policy.retention_us);
    let (checkouts, events, rows) = (deduped.checkouts, deduped.signals, deduped.rows);
    let life = events.clone().filter(|row| row.body.kind() == FactKind::Server);
    let reference = reference(rows.clone().concat(life));
    let paired = sessions(
        checkouts.clone(),
        events.clone(),
        inputs.settings.clone(),
        policy.attempt_window_us,
    );
    let metered = deduped.metered;
    let numbered = numbered(metered.clone());
    let of_metered = numbered.subjects.clone().map(|(_, subject)| subject);
    let set = settings_of(events.clone());

    let billed = bills_in_force(reference.in_force.of(FactKind::Bill));
    let asks = |subjects: Facts<'s, Subject>, asker: Asker| subjects.map(move |one| (one, asker));
    let seen = seen(reference.in_force.of(FactKind::Seat));
    let held = reference.seats.clone().map(|(subject, _)| subject);
    let held = held.concat(seen.clone().map(|(subject, _)| subject));
    let allocations = bound::asking(
        bound::in_force(reference.in_force.of(FactKind::Allocation)),
        reference.lines.clone(),
    );
    let subjects = asks(paired.sessions.clone().map(|session| session.subject), Asker::Checkout)
        .concatenate([
            asks(of_metered, Asker::Metered),
            asks(held, Asker::Seat),
            asks(set.clone().map(|setting| setting.subject), Asker::Gauge),
            asks(reference.installs.clone().map(|(subject, _)| subject), Asker::Install),
            asks(reference.lines.clone().map(|row| subject(&row)), Asker::Line),
            asks(reference.grants.clone().map(|row| of_grant(&row)), Asker::Grant),
            asks(reference.prices.clone().map(|row| of_price(&row)), Asker::Price),
            asks(billed.clone().map(|row| of_bill(&row)), Asker::Bill),
            asks(allocations.clone().map(|(subject, _)| subject), Asker::Allocation),
        ]);
    let subjects = present("Subjects", subjects, |(subject, _)| place(subject));
    let statements_of_names = names(&reference.in_force, inputs.unresolved);
    let resolved = resolve(subjects, statements_of_names);
    let transferred = transfers(reference.lines.clone(), policy.transfer_expiry);
    let sublicensed = sublicense(transferred.lines.clone());
    let rights = entitle(sublicensed.lines, resolved.told(Asker::Line));
    let counting = counting(rights.clone());
    let settings = inputs.settings.clone();
    let downgrades = downgrades(reference.in_force.of(FactKind::Downgrade));
    let ways = downgrades.ways;
    let rules = rules(inputs.settings.clone(), counting.clone(), ways.clone());
    let bound = bound(allocations, resolved.told(Asker::Allocation), counting.clone());
    let restricted = restricted(counting.clone());
    let allocated = bound::asked(bound.clone(), restricted.clone());

    let accounts = account_tree(&reference, &resolved.resolutions, &rights);
    let products = product_tree(&reference, &resolved.resolutions);
    let served = paired
        .sessions
        .clone()
        .flat_map(|session| Some((session.subject.server?, session.subject.feature)));
    let duplicates = duplicate_rules(served, reference.lines.clone(), inputs.settings);
    let packages =
        inclusion(paired.sessions.clone(), parts(reference.in_force.of(FactKind::Component)));
    let uses = attribute(
        packages.charges,
        reference.seats.clone(),
        duplicates.clone(),
        resolved.told(Asker::Checkout),
        resolved.told(Asker::Seat),
        rules.clone(),
    );
    let seats = uses.clone().filter(|one| one.metric == Metric::NamedUser);
    let holds = holds(seats, rules.clone());
    let uses = uses.concat(holds.uses);
    let gauges = gauges(set, resolved.told(Asker::Gauge));
    let uses = uses.concat(gauges.uses);
    let installed = installs(reference.installs.clone(), resolved.told(Asker::Install));
    let machines = machines(
        suites(installed, reference.members.clone(), settings, counting.clone()),
        rules.clone(),
        reference.machines.clone(),
        reference.factors.clone(),
    );
    let least = machines.uses.clone().filter(|one| one.least);
    let uses = uses.concat(machines.uses.filter(|one| !one.least));
    let granted = granted(reference.grants.clone(), resolved.told(Asker::Grant));
    let priced = priced(reference.prices.clone(), resolved.told(Asker::Price));
    let ledgers = granted.clone().map(|(row, _)| row.product);
    let ledgers = ledgers.concat(priced.clone().map(|row| row.product)).once();
    let volume = volume(
        (numbered, inputs.horizon.clone()),
        resolved.told(Asker::Metered),
        reference.zones.clone(),
        accounts.edges.clone().concat(products.edges.clone()),
        asked(rules.clone(), ledgers, allocated.clone()),
        units(counting.clone()),
        policy.clone(),
    );
    let single = volume.readings.ledger;
    let Credits { balances, overages } = credits(
        single.clone(),
        granted,
        accounts.edges.clone(),
        reference.zones.clone(),
        inputs.horizon.clone(),
        policy.clone(),
    );

    let charges = charges(
        single,
        priced,
        accounts.edges.clone(),
        reference.zones.clone(),
        inputs.horizon.clone(),
        policy.clone(),
    );

    let fees = fees(
        fees_in_force(reference.in_force.of(FactKind::Fee)),
        reference.lines.clone(),
        resolved.told(Asker::Line),
        reference.zones.clone(),
        inputs.horizon.clone(),
        policy,
    );

    let around = Surroundings {
        edges: accounts.edges.clone(),
        zones: reference.zones.clone(),
        horizon: inputs.horizon.clone(),
        rules: rules.clone(),
        factors: reference.factors.clone(),
    };
    let all = uses.clone().concat(least);
    let told = told(all.clone(), signals(events.clone()));
    let standbys = standbys(
        signals(events.clone()),
        standby::members(reference.in_force.of(FactKind::Membership)),
        told.clone(),
        reference.zones.clone(),
        inputs.horizon.clone(),
        policy,
    );
    let all = counted(all, told, standbys.exempt);
    let weighed = all.clone().filter(|one| !one.least);
    let needed = demand(all, rules.clone(), drawn(reference.factors.clone()));
    let of_suites = reference.members.clone();
    let bundled = bundles(weighed.clone(), needed.clone(), of_suites, counting.clone());
    let territorial = territorial(counting.clone());
    let (at_instants, in_periods) = parted(counting.clone(), rules.clone());
    let at_instants = at_instants.map(|right| (right.product, right));
    let free = at_instants.clone().dropped_by(territorial.clone()).map(|(_, right)| right);
    let placed_rights = at_instants.kept_by(territorial).map(|(_, right)| right);
    let anywhere = needed.clone().filter(|one| one.place == Place::Anywhere);
    let lent = lend(anywhere.clone(), free.clone(), ways, around.clone(), policy.clone());
    let levels = allocate(
        anywhere,
        free.concatenate([
            lent.rights.clone(),
            placed_rights.clone().filter(|right| right.metric == Metric::Feature),
        ]),
        around.clone(),
        policy.clone(),
    );
    let placed = located(
        needed.filter(|one| one.place != Place::Anywhere && !one.least),
        locations(reference.in_force.of(FactKind::Location)),
        accounts.edges.clone(),
    );
    let territories = allocate_territories(
        placed,
        placed_rights.filter(|right| right.metric != Metric::Feature),
        reaches(reference.in_force.of(FactKind::Territory)),
        around.clone(),
        policy.clone(),
    );
    let levels = both(levels, territories);
    let allocated_use = bound::allocations(
        bound.clone(),
        counting.clone(),
        restricted,
        bound::in_use(weighed.clone(), volume.readings.holders, allocated),
        rules.clone(),
        inputs.horizon.clone(),
    );
    let in_periods = allocate_periods(
        volume.slices.clone(),
        readings(volume.readings.ranked),
        weighed.clone().concat(taking_part(volume.readings.unique)),
        in_periods,
        rules.clone(),
        around,
        policy.clone(),
    );
    let Allocation { positions, lines: serving, steps, gaps, remarks } = both(levels, in_periods);

    let ticks = || inputs.ticks.clone();
    let paced_uses = paced("Paced: uses", uses.clone(), ticks());
    let paced_products = paced("Paced: products", products.edges.clone(), ticks());
    let paced_accounts = paced("Paced: accounts", accounts.edges.clone(), ticks());
    let paced_zones = paced("Paced: zones", reference.zones.clone(), ticks());
    let paced_horizon = paced("Paced: horizon", inputs.horizon.clone(), ticks());
    let over = |edges: Facts<'s, Placement>| {
        let peaks = rollup(
            paced_uses.clone(),
            edges.clone(),
            paced_products.clone(),
            paced_zones.clone(),
            paced_horizon.clone(),
            policy.clone(),
        );
        let sums = totals(
            volume.cells.clone(),
            edges,
            paced_products.clone(),
            paced_zones.clone(),
            ticks(),
            policy,
        );
        (peaks, sums)
    };
    let (peaks, sums) = over(paced_accounts.clone());
    let (peaks_current, sums_current) = if policy.current_totals {
        over(current_tree(paced_accounts, paced_horizon.clone()))
    } else {
        let no_sums = inputs.horizon.clone().inner.flat_map(|_| None);
        (inputs.horizon.clone().flat_map(|_| None), no_sums.as_collection())
    };
    let pools = pools(
        paired.sessions.clone(),
        duplicates,
        reference.lines.clone(),
        reports(rows.clone()),
        covered(events.clone()),
        inputs.horizon.clone(),
    );
    let statements = statements(volume.slices, inputs.horizon.clone());
    let idle = idle(seen, resolved.told(Asker::Seat), rules.clone());
    let lapsed = renewals(counting.clone(), rules.clone());
    let ruled = rules.clone().map(|(product, rule)| (product, rule.settings));
    let Judgments { positions, discrepancies, short } =
        judge(positions, rules, policy.position_period);
    let bills = bills(
        billed,
        resolved.told(Asker::Bill),
        short.clone(),
        ruled,
        reference.zones.clone(),
        policy,
    );
    let issued = issued(
        positions.clone(),
        inputs.issued,
        reference.zones.clone(),
        inputs.horizon.clone(),
        policy,
    );
    let evidence = Evidence {
        checkouts: checkouts.clone(),
        signals: events,
        rows,
        metered: metered.clone(),
        repeated: deduped.repeated.clone(),
        sessions: paired.sessions.clone(),
        positions: positions.clone(),
        zones: reference.zones.clone(),
        horizon: inputs.horizon.clone(),
    };
    let true_ups = true_up(short, reference.zones.clone(), policy.clone());
    let dated = holds.problems.concatenate([idle, lapsed, bundled]);
    let causes = Causes {
        positions: discrepancies,
        unmapped: resolved.unmapped,
        misplaced: accounts.problems,
        conflicts: deduped.conflicts,
        orphans: paired.orphans,
        pools: pools.clone(),
        gaps,
        lacks: due(machines.lacks.map(|lack| (lack.span.start, lack)), inputs.horizon.clone()),
        statements: statements.clone(),
        anomalies: anomalies(evidence, policy),
        contracts: sublicensed.problems.concatenate([
            transferred.problems,
            upkeep(transferred.lines),
            standbys.problems,
            downgrades.problems,
            lent.problems,
            drifts(issued.clone()),
            orphaned(gauges.orphans),
            due(dated.map(|one| (one.first_at, one)), inputs.horizon),
            allocated_use.problems,
            repeats(rights),
        ]),
        remarks,
    };
    Outputs {
        positions,
        allocations: serving,
        steps,
        peaks,
        sums,
        peaks_current,
        sums_current,
        discrepancies: reconcile(causes, policy.position_period),
        statements,
        issued,
        adjustments: adjustments(volume.late),
        credits: balances,
        overages,
        charges,
        allocated: allocated_use.figures,
        true_ups,
        fees,
        bills,
        counts: counts(checkouts),
        sessions: paired.sessions,
        uses: weighed,
        cells: volume.cells,
        included: packages.included,
        attempts: paired.attempts,
        waits: paired.waits,
        pools,
        lines: reference.lines,
        rights: counting.concat(lent.rights),
        resolutions: resolved.resolutions,
        shown: reference.in_force.shown(),
        repeated: deduped.repeated,
        accounts: accounts.edges,
    }
}

fn both<'s>(one: Allocation<'s>, other: Allocation<'s>) -> Allocation<'s> {
    Allocation {
        positions: one.positions.concat(other.positions),
        lines: one.lines.concat(other.lines),
        steps: one.steps.concat(other.steps),
        gaps: one.gaps.concat(other.gaps),
        remarks: one.remarks.concat(other.remarks),
    }
}
