//! The rows that each operator is given in the chain, drawn from a workload by the operators before it.
//!
//! The same expression as `pipeline.rs`, as far as workloads P and S reach into it, with a tap behind each
//! step. A bench loads what a tap holds into the one operator that it measures.

use crate::bed::{Bed, Ends};
use crate::world::World;
use differential_dataflow::ExchangeData;
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::difference::Semigroup;
use std::cell::RefCell;
use std::rc::Rc;
use timely::dataflow::Scope;
use trueup_model::derived::{Resolution, Session, Subject};
use trueup_model::fact::FactKind;
use trueup_model::id::{ProductId, TenantId};
use trueup_model::position::LicensePosition;
use trueup_model::time::{SECOND_US, Span, Timestamp};
use trueup_operators::allocate::{Allocation, Surroundings, allocate, allocate_periods};
use trueup_operators::attribute::{
    DuplicateRule, Rule, Use, asked, attribute, demand, drawn, duplicate_rules, parted, readings,
    rules, taking_part, units,
};
use trueup_operators::dedupe::{Known, dedupe};
use trueup_operators::documents::in_force;
use trueup_operators::entered::Entered;
use trueup_operators::entitle::{LineInForce, Right, entitle, subject};
use trueup_operators::hierarchy::Placement;
use trueup_operators::inclusion::{Charge, inclusion};
use trueup_operators::numbered::numbered;
use trueup_operators::present::present;
use trueup_operators::reference::{Reference, account_tree, names, parts, product_tree, reference};
use trueup_operators::resolve::{Asker, Statement, resolve};
use trueup_operators::sessions::sessions;
use trueup_operators::tally::Tally;
use trueup_operators::volume::{Asked, Cell, Metered, Reading, Slice, Volume, volume};
use trueup_operators::{Diff, Epoch, Facts};

/// What flows at one place.
#[derive(Clone)]
pub struct Tap<D, R = Diff>(Rc<RefCell<Vec<(D, R)>>>);

impl<D: ExchangeData, R: ExchangeData + Semigroup> Tap<D, R> {
    fn on(rows: &Facts<'_, D, R>) -> Self {
        let held: Rc<RefCell<Vec<(D, R)>>> = Rc::default();
        let hold = Rc::clone(&held);
        rows.clone().inspect(move |(row, _epoch, weight)| {
            hold.borrow_mut().push((row.clone(), weight.clone()));
        });
        Self(held)
    }

    /// The rows that are there, in order.
    pub fn rows(&self) -> Vec<(D, R)> {
        let mut rows = self.0.borrow().clone();
        consolidate(&mut rows);
        rows
    }
}

/// Taps behind the steps of the chain.
pub struct Chain {
    /// The instant up to which figures are evaluated.
    pub horizon: Vec<(Timestamp, Diff)>,
    /// Lines of license servers.
    pub checkouts: Tap<Known>,
    /// What is no event.
    pub known: Tap<Known>,
    /// Metered quantities.
    pub metered: Tap<Metered>,
    /// Every statement, while its document says it.
    pub in_force: Tap<(Known, Span)>,
    /// Who asks for which subject, as often as it is asked.
    pub asks: Tap<(Subject, Asker)>,
    /// The same, each once.
    pub subjects: Tap<(Subject, Asker)>,
    /// What resolves names.
    pub statements: Tap<Statement>,
    /// Meanings of the subjects of metered quantities.
    pub of_metered: Tap<(Subject, Resolution)>,
    /// Meanings of the subjects of checkouts.
    pub of_checkouts: Tap<(Subject, Resolution)>,
    /// Meanings of the subjects of lines.
    pub of_lines: Tap<(Subject, Resolution)>,
    /// Lines in force.
    pub lines: Tap<LineInForce>,
    /// What they grant.
    pub rights: Tap<Right>,
    /// How each product is counted.
    pub rules: Tap<(ProductId, Rule)>,
    /// The account tree.
    pub accounts: Tap<Placement>,
    /// The product tree.
    pub products: Tap<Placement>,
    /// Every account that is mentioned.
    pub mentioned: Tap<(TenantId, u64)>,
    /// Checkouts from open to close.
    pub sessions: Tap<Session>,
    /// What they are charged as.
    pub charges: Tap<Charge>,
    /// How daemons charge.
    pub duplicates: Tap<DuplicateRule>,
    /// Uses as they count.
    pub uses: Tap<Use>,
    /// The demand that they make.
    pub needed: Tap<Use>,
    /// Metered use in pieces of time.
    pub cells: Tap<Cell, Tally>,
    /// Single metered quantities.
    pub readings: Tap<Reading>,
    /// Those of which the people count.
    pub taking_part: Tap<Reading>,
    /// Cells, whoever used them.
    pub slices: Tap<Slice, Tally>,
    /// What they are asked for.
    pub asked: Tap<(ProductId, Asked)>,
    /// Rights that count at instants.
    pub at_instants: Tap<Right>,
    /// Rights that count in periods.
    pub in_periods: Tap<Right>,
    /// Positions, before they are judged.
    pub positions: Tap<LicensePosition>,
}

/// Runs the chain over facts, as far as `until`.
pub fn chain(world: &World, facts: Vec<Entered>, until: Timestamp) -> Chain {
    let facts: Vec<(Entered, Diff)> = facts.into_iter().map(|fact| (fact, 1)).collect();
    let horizon = vec![(until, 1)];
    // The dataflow has nothing more to do once its taps are full.
    let (_, taps) = Bed::with(|scope, ends| {
        let facts = ends.still(scope, &facts);
        build(scope, ends, world, facts, &horizon)
    });
    taps
}

/// An empty table.
fn none<'s, D: ExchangeData>(ends: &mut Ends, scope: Scope<'s, Epoch>) -> Facts<'s, D> {
    ends.still::<D, Diff>(scope, &[])
}

#[expect(clippy::too_many_lines, reason = "the chain is one expression, to be read at once")]
fn build<'s>(
    scope: Scope<'s, Epoch>,
    ends: &mut Ends,
    world: &World,
    facts: Facts<'s, Entered>,
    until: &[(Timestamp, Diff)],
) -> Chain {
    let policy = world.policy().clone();
    let settings: Vec<_> = world.settings().iter().map(|row| (*row, 1)).collect();
    let settings = ends.still(scope, &settings);
    let horizon = ends.still(scope, until);
    let deduped = dedupe(facts, horizon.clone(), policy.conflict, None);
    let reference: Reference<'s> = reference(deduped.rows.clone());
    let stated = in_force(deduped.rows.clone());
    let window_us = policy.attempt_window_us;
    let checkouts = deduped.checkouts.clone();
    let paired = sessions(checkouts.clone(), deduped.signals, settings.clone(), window_us);
    let metered = deduped.metered;
    let counted = numbered(metered.clone());
    let asks = (paired.sessions.clone().map(|one| (one.subject, Asker::Checkout)))
        .concat(counted.subjects.clone().map(|(_, subject)| (subject, Asker::Metered)))
        .concat(reference.lines.clone().map(|row| (subject(&row), Asker::Line)));
    let subjects = present("Subjects", asks.clone(), |(subject, _)| subject.feature.0);
    let statements = names(&reference.in_force, none(ends, scope));
    let resolved = resolve(subjects.clone(), statements.clone());
    let rights = entitle(reference.lines.clone(), resolved.told(Asker::Line));
    let rules = rules(settings.clone(), rights.clone(), none(ends, scope));
    let accounts = account_tree(&reference, &resolved.resolutions, &rights).edges;
    let products = product_tree(&reference, &resolved.resolutions).edges;
    let mentioned = resolved.resolutions.clone().map(|(one, row)| (one.tenant, row.account.0));
    let served = paired.sessions.clone();
    let served = served.flat_map(|one| Some((one.subject.server?, one.subject.feature)));
    let duplicates = duplicate_rules(served, reference.lines.clone(), settings);
    let charges =
        inclusion(paired.sessions.clone(), parts(reference.in_force.of(FactKind::Component)))
            .charges;
    let uses = attribute(
        charges.clone(),
        reference.seats.clone(),
        duplicates.clone(),
        resolved.told(Asker::Checkout),
        resolved.told(Asker::Seat),
        rules.clone(),
    );
    let asked = asked(rules.clone(), none(ends, scope), none(ends, scope));
    let of_metered = resolved.told(Asker::Metered);
    let Volume { cells, slices, late: _, readings: read } = volume(
        (counted, horizon.clone()),
        of_metered.clone(),
        reference.zones.clone(),
        accounts.clone().concat(products.clone()),
        asked.clone(),
        units(rights.clone()),
        policy.clone(),
    );
    let around = Surroundings {
        edges: accounts.clone(),
        zones: reference.zones.clone(),
        horizon,
        rules: rules.clone(),
        factors: reference.factors.clone(),
    };
    let needed = demand(uses.clone(), rules.clone(), drawn(reference.factors.clone()));
    let (at_instants, in_periods) = parted(rights.clone(), rules.clone());
    let levels = allocate(needed.clone(), at_instants.clone(), around.clone(), policy.clone());
    let periods = allocate_periods(
        slices.clone(),
        readings(read.ranked.clone()),
        uses.clone().concat(taking_part(read.unique.clone())),
        in_periods.clone(),
        rules.clone(),
        around,
        policy,
    );
    let of_periods: Allocation<'s> = periods;
    let positions = levels.positions.concat(of_periods.positions);
    ends.watch(positions.clone());
    ends.watch(uses.clone());
    Chain {
        horizon: until.to_vec(),
        checkouts: Tap::on(&checkouts),
        known: Tap::on(&deduped.rows),
        metered: Tap::on(&metered),
        in_force: Tap::on(&stated),
        asks: Tap::on(&asks),
        subjects: Tap::on(&subjects),
        statements: Tap::on(&statements),
        of_metered: Tap::on(&of_metered),
        of_checkouts: Tap::on(&resolved.told(Asker::Checkout)),
        of_lines: Tap::on(&resolved.told(Asker::Line)),
        lines: Tap::on(&reference.lines),
        rights: Tap::on(&rights),
        rules: Tap::on(&rules),
        accounts: Tap::on(&accounts),
        products: Tap::on(&products),
        mentioned: Tap::on(&mentioned),
        sessions: Tap::on(&paired.sessions),
        charges: Tap::on(&charges),
        duplicates: Tap::on(&duplicates),
        uses: Tap::on(&uses),
        needed: Tap::on(&needed),
        cells: Tap::on(&cells),
        readings: Tap::on(&read.ranked),
        taking_part: Tap::on(&read.unique),
        slices: Tap::on(&slices),
        asked: Tap::on(&asked),
        at_instants: Tap::on(&at_instants),
        in_periods: Tap::on(&in_periods),
        positions: Tap::on(&positions),
    }
}

/// An instant by which all events have happened: a day after the end of the stream.
pub fn a_day_after(last: Timestamp) -> Timestamp {
    last.plus_us(24 * 3600 * SECOND_US)
}

#[cfg(test)]
mod tests {
    use super::{a_day_after, chain};
    use crate::world::{World, checkouts, facts, telemetry};

    #[test]
    fn every_step_of_metered_use_brings_rows() {
        let (mut world, mut stream) = (World::new(), telemetry(1000));
        let given = facts(&mut world, &mut stream, 1000);
        let chain = chain(&world, given, a_day_after(stream.now()));
        let quantity: i128 = chain.cells.rows().iter().map(|(_, tally)| tally.quantity).sum();
        let metered = chain.metered.rows();
        let plain: i128 = metered.iter().map(|(event, _)| i128::from(event.quantity.0)).sum();
        assert_eq!(quantity, plain, "nothing is lost on the way to the cells");
        assert_eq!(chain.rights.rows().len(), chain.lines.rows().len(), "each line grants");
        assert!(chain.positions.rows().len() > 100);
    }

    #[test]
    fn every_step_of_checkouts_brings_rows() {
        let (mut world, mut stream) = (World::new(), checkouts(1000));
        let given = facts(&mut world, &mut stream, 1000);
        let chain = chain(&world, given, a_day_after(stream.now()));
        assert_eq!(chain.sessions.rows().len(), chain.uses.rows().len(), "each checkout is a use");
        assert!(chain.sessions.rows().len() > 400);
        assert!(!chain.positions.rows().is_empty());
    }
}
