//! Cells at their leaves, and what of them changes above.

use super::people::Coming;
use super::{Spot, Table, Who};
use crate::Diff;
use crate::epochs::{ROOM_KEPT, Updates};
use crate::few::FewMap;
use crate::hierarchy::Placement;
use crate::rows::add;
use crate::tally::Tally;
use crate::tree::{Above, Tree};
use crate::volume::Cell;
use crate::zones::{AccountZone, Calendars};
use differential_dataflow::difference::{IsZero as _, Multiply as _, Semigroup as _};
use std::collections::BTreeMap;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::hash::{IdMap, IdSet, mix};
use trueup_model::id::{AccountId, DeviceId, ProductId, UserId};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// The most pieces of time whose periods are remembered.
const PIECES_MAX: usize = 4096;
/// Up to how many pieces a leaf takes no more room than it needs.
const FEW: usize = 8;

/// What leaves: sums of nodes, and who comes to them.
pub(super) type Told = (Updates<(Spot, Period), Tally>, Updates<Coming>);

/// A piece of time of a leaf.
struct Piece {
    span: Span,
    tally: Tally,
    /// How many events name each.
    who: FewMap<Who, i128>,
}

/// What adds up at one account and product.
struct Leaf {
    spot: Spot,
    /// In order; most leaves have a few.
    pieces: Vec<Piece>,
    /// Where it stands in the lists of its account and of its product.
    listed: [usize; 2],
}

/// Leaves by number, and by the nodes that they stand at.
#[derive(Default)]
struct Store {
    leaves: Vec<Leaf>,
    by_spot: IdMap<Spot, usize>,
    by_account: IdMap<u64, Vec<usize>>,
    by_product: IdMap<u64, Vec<usize>>,
}

/// Changes at leaves, to be carried up.
#[derive(Default)]
struct Pending {
    sums: IdMap<(Spot, Span), Tally>,
    /// Who came and who went; whoever did both is named twice.
    people: Vec<(Spot, Span, Who, Diff)>,
}

/// The trees and calendars.
struct World {
    accounts: Tree,
    products: Tree,
    periods: Periods,
}

/// Which periods an instant lies in.
struct Periods {
    calendars: Calendars,
    units: Vec<PeriodUnit>,
    /// Those that were asked for, by the account if it states a calendar of its own.
    known: IdMap<(Option<AccountId>, Timestamp), Vec<Period>>,
}

impl Periods {
    /// The periods around an instant, by the calendar of an account.
    fn around(&mut self, account: AccountId, at: Timestamp) -> &[Period] {
        let own = self.calendars.own(account).map(|_| account);
        if self.known.len() >= PIECES_MAX {
            self.known.clear();
        }
        let Self { calendars, units, known } = self;
        known.entry((own, at)).or_insert_with(|| {
            let calendar = calendars.of(account);
            units.iter().map(|unit| calendar.period(*unit, at)).collect()
        })
    }
}

/// Sums of one level of accounts and of the next, and of nodes; empty between ticks, with room for as much
/// as is usual.
#[derive(Default)]
struct Room {
    next: IdMap<(Spot, Span), Tally>,
    sums: IdMap<(Spot, Period), Tally>,
}

/// Everything that stands below nodes of two trees, and what of it changes above.
pub(super) struct Leaves {
    store: Store,
    pending: Pending,
    room: Room,
    world: World,
    /// Into how many shares people are parted.
    shares: u64,
}

/// Changes of the trees and calendars.
#[derive(Default)]
struct Turn {
    accounts: BTreeMap<Placement, Diff>,
    products: BTreeMap<Placement, Diff>,
    zones: Vec<(AccountZone, Diff)>,
    tick: bool,
}

impl Leaves {
    pub(super) fn new(policy: &Policy, workers: usize) -> Self {
        let world = World {
            accounts: Tree::default(),
            products: Tree::default(),
            periods: Periods {
                calendars: Calendars::new(policy.zone.clone()),
                units: policy.periods().collect(),
                known: IdMap::default(),
            },
        };
        let shares = u64::try_from(workers).unwrap_or(1).max(1);
        let (store, pending, room) = (Store::default(), Pending::default(), Room::default());
        Self { store, pending, room, world, shares }
    }

    pub(super) fn step(
        &mut self,
        cells: impl IntoIterator<Item = (Cell, Tally)>,
        tables: impl IntoIterator<Item = (Table, Diff)>,
        told: &mut Told,
    ) {
        for (cell, tally) in cells {
            self.store.hear(&cell, tally, &mut self.pending);
        }
        let mut turn = Turn::default();
        for (table, diff) in tables {
            match table {
                Table::Account(edge) => add(&mut turn.accounts, edge, diff),
                Table::Product(edge) => add(&mut turn.products, edge, diff),
                Table::Zone(zone) => turn.zones.push((zone, diff)),
                Table::Tick => turn.tick = true,
            }
        }
        if turn.tick || turn.changes() {
            self.tick(turn, told);
        }
    }

    /// Carries up what changed since the last tick, then changes the trees and calendars.
    fn tick(&mut self, turn: Turn, told: &mut Told) {
        let Self { store, pending, room, world, shares } = self;
        let people = std::mem::take(&mut pending.people);
        world.lift(&mut pending.sums, room);
        world.lift_people(people, *shares, &mut told.1);
        if turn.changes() {
            let concerned = store.concerned(&turn, world);
            let mut old = store.all(&concerned, -1);
            world.lift(&mut old.sums, room);
            world.lift_people(old.people, *shares, &mut told.1);
            world.change(turn);
            let mut new = store.all(&concerned, 1);
            world.lift(&mut new.sums, room);
            world.lift_people(new.people, *shares, &mut told.1);
        }
        let sums = &mut room.sums;
        let usual = sums.len().max(ROOM_KEPT);
        told.0.extend(sums.drain().filter(|(_, tally)| !tally.is_zero()));
        sums.shrink_to(usual);
    }
}

impl Store {
    /// The leaves whose way up or whose periods change.
    fn concerned(&self, turn: &Turn, world: &World) -> IdSet<usize> {
        // A way up that changes goes through the lower end of a changed edge, before and after.
        let below = |tree: &Tree, nodes: &mut dyn Iterator<Item = u64>| -> IdSet<u64> {
            nodes.flat_map(|node| tree.below(node)).collect()
        };
        let zones = turn.zones.iter().map(|(zone, _)| zone.account.0);
        let mut of_accounts = turn.accounts.keys().map(|edge| edge.node).chain(zones);
        let below_accounts = below(&world.accounts, &mut of_accounts);
        let mut of_products = turn.products.keys().map(|edge| edge.node);
        let below_products = below(&world.products, &mut of_products);
        let in_accounts = below_accounts.iter().filter_map(|node| self.by_account.get(node));
        let in_products = below_products.iter().filter_map(|node| self.by_product.get(node));
        in_accounts.chain(in_products).flatten().copied().collect()
    }

    /// Everything at some leaves, as a change.
    fn all(&self, leaves: &IdSet<usize>, sign: Diff) -> Pending {
        let mut pending = Pending::default();
        for leaf in leaves.iter().filter_map(|leaf| self.leaves.get(*leaf)) {
            for piece in &leaf.pieces {
                let sum = pending.sums.entry((leaf.spot, piece.span)).or_default();
                sum.plus_equals(&piece.tally.multiply(&sign));
                let who = piece.who.keys().map(|who| (leaf.spot, piece.span, *who, sign));
                pending.people.extend(who);
            }
        }
        pending
    }

    /// Adds to a cell, and notes what changes.
    fn hear(&mut self, cell: &Cell, tally: Tally, pending: &mut Pending) {
        let spot = Spot { tenant: cell.tenant, account: cell.account, product: cell.product };
        let known = self.by_spot.get(&spot).copied();
        let number = known.unwrap_or_else(|| self.settle(spot));
        let leaf = &mut self.leaves[number];
        let place = leaf.pieces.binary_search_by_key(&cell.span, |piece| piece.span);
        let place = place.unwrap_or_else(|place| {
            if leaf.pieces.len() < FEW {
                leaf.pieces.reserve_exact(1);
            }
            let piece = Piece { span: cell.span, tally: Tally::default(), who: FewMap::default() };
            leaf.pieces.insert(place, piece);
            place
        });
        let piece = &mut leaf.pieces[place];
        piece.tally.plus_equals(&tally);
        pending.sums.entry((spot, cell.span)).or_default().plus_equals(&tally);
        let user = cell.user.map(Who::User);
        for who in user.into_iter().chain(cell.device.map(Who::Device)) {
            let events = piece.who.or_insert_with(who, || 0);
            let before = *events != 0;
            *events += tally.events;
            let now = *events != 0;
            if !now {
                piece.who.remove(&who);
            }
            if now != before {
                pending.people.push((spot, cell.span, who, if now { 1 } else { -1 }));
            }
        }
        if piece.tally.is_zero() && piece.who.is_empty() {
            leaf.pieces.remove(place);
            if leaf.pieces.is_empty() {
                self.leave(number);
            }
        }
    }

    /// Makes a leaf; gives its number.
    fn settle(&mut self, spot: Spot) -> usize {
        let number = self.leaves.len();
        let account = self.by_account.entry(spot.account.0).or_default();
        let product = self.by_product.entry(spot.product.0).or_default();
        let listed = [account.len(), product.len()];
        account.push(number);
        product.push(number);
        self.leaves.push(Leaf { spot, pieces: Vec::new(), listed });
        self.by_spot.insert(spot, number);
        number
    }

    /// Removes a leaf; the last one takes its number.
    fn leave(&mut self, number: usize) {
        let Leaf { spot, listed, .. } = self.leaves.swap_remove(number);
        self.by_spot.remove(&spot);
        let last = self.leaves.len();
        for (which, node) in [(0, spot.account.0), (1, spot.product.0)] {
            let lists = if which == 0 { &mut self.by_account } else { &mut self.by_product };
            let Some(list) = lists.get_mut(&node) else { continue };
            list.swap_remove(listed[which]);
            let moved = list.get(listed[which]).copied();
            if list.is_empty() {
                lists.remove(&node);
            }
            // The last leaf goes by its old number until all lists have been seen to.
            if let Some(moved) = moved {
                let moved = if moved == last { number } else { moved };
                self.leaves[moved].listed[which] = listed[which];
            }
        }
        let Some(moved) = self.leaves.get(number) else { return };
        self.by_spot.insert(moved.spot, number);
        if let Some(list) = self.by_account.get_mut(&moved.spot.account.0) {
            list[moved.listed[0]] = number;
        }
        if let Some(list) = self.by_product.get_mut(&moved.spot.product.0) {
            list[moved.listed[1]] = number;
        }
    }
}

impl Turn {
    fn changes(&self) -> bool {
        !(self.accounts.is_empty() && self.products.is_empty() && self.zones.is_empty())
    }
}

/// The nodes above others in a piece of time, as far as they were asked for.
type Ways = IdMap<(u64, Span), Vec<Above>>;

impl World {
    /// Adds changes of leaves up at every node above, folded on each level; nothing of them is left.
    fn lift(&mut self, level: &mut IdMap<(Spot, Span), Tally>, room: &mut Room) {
        let Self { accounts, products, periods } = self;
        let Room { next, sums } = room;
        let mut ways = Ways::default();
        while !level.is_empty() {
            let usual = level.len().max(ROOM_KEPT);
            for ((spot, span), tally) in level.drain() {
                if tally.is_zero() {
                    continue;
                }
                for (edge, parent) in accounts.parents(spot.account.0) {
                    if let Some(both) = edge.overlap(span) {
                        let above = Spot { account: AccountId(*parent), ..spot };
                        next.entry((above, both)).or_default().plus_equals(&tally);
                    }
                }
                let way = ways.entry((spot.product.0, span));
                for above in way.or_insert_with(|| products.above(spot.product.0, span)) {
                    let node = Spot { product: ProductId(above.node), ..spot };
                    for period in periods.around(node.account, above.span.start) {
                        sums.entry((node, *period)).or_default().plus_equals(&tally);
                    }
                }
            }
            level.shrink_to(usual);
            std::mem::swap(level, next);
        }
    }

    /// Tells who came and who went, and at which nodes.
    fn lift_people(
        &mut self,
        people: Vec<(Spot, Span, Who, Diff)>,
        shares: u64,
        told: &mut Updates<Coming>,
    ) {
        let share_of = |who: &Who| match who {
            Who::User(UserId(id)) | Who::Device(DeviceId(id)) => mix(&[*id]) % shares,
        };
        let parted = people
            .into_iter()
            .map(|(spot, span, who, diff)| ((spot, span, share_of(&who)), who, diff));
        let mut parted: Vec<((Spot, Span, u64), Who, Diff)> = parted.collect();
        parted.sort_unstable_by_key(|(key, ..)| *key);
        let (mut over, mut across) = (Ways::default(), Ways::default());
        let Self { accounts, products, periods } = self;
        for group in parted.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some(((spot, span, share), ..)) = group.first() else { continue };
            let mut nodes = Vec::new();
            let up = over.entry((spot.account.0, *span));
            for account in up.or_insert_with(|| accounts.above(spot.account.0, *span)) {
                let way = across.entry((spot.product.0, account.span));
                let way = way.or_insert_with(|| products.above(spot.product.0, account.span));
                for product in way {
                    let node = Spot {
                        account: AccountId(account.node),
                        product: ProductId(product.node),
                        ..*spot
                    };
                    let around = periods.around(node.account, product.span.start);
                    nodes.extend(around.iter().map(|period| (node, *period)));
                }
            }
            let who = group.iter().map(|(_, who, diff)| (*who, *diff)).collect();
            told.push((Coming { nodes, who, share: *share }, 1));
        }
    }

    fn change(&mut self, turn: Turn) {
        let Turn { accounts, products, zones, .. } = turn;
        for (tree, edges) in [(&mut self.accounts, accounts), (&mut self.products, products)] {
            for (edge, diff) in edges.into_iter().filter(|(_, diff)| *diff != 0) {
                tree.change(edge.node, edge.parent, edge.span, diff > 0);
            }
        }
        for (zone, diff) in zones {
            self.periods.calendars.hear(zone, diff);
        }
        self.periods.known.clear();
    }
}
