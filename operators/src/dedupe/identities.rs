//! What is kept of all identities, in little room.
//!
//! Nearly all that is ever said are metered quantities that are said once. Of these a row of thirteen words is kept,
//! side by side in lists that never move; of anything else what `kept.rs` says. The tables that find them hold four
//! bytes of a hash and where the rest stands, so they grow without looking at what they point to.

use super::kept::{Given, Kept};
use super::slab::Slab;
use crate::entered::{Entered, Said};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::{Id, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{UsageEvent, UsageOp};
use trueup_policy::rules::ConflictRule;

/// Marks places of what is more than one metered quantity.
const OTHER: u32 = 1 << 31;
/// Odd and without a pattern, so that a product with it spreads words.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Where an identity stands.
#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    at: u32,
}

/// A metered quantity that was said once.
#[derive(Clone, Copy)]
struct Row {
    /// The halves of its identity: in one word of 128 bits they would take room for alignment.
    id: [u64; 2],
    tenant: TenantId,
    product: Id,
    account: Id,
    user: Id,
    device: Id,
    at: Timestamp,
    quantity: Quantity,
    arrived_at: Timestamp,
    document: Id,
    position: u64,
    revision: u32,
    op: UsageOp,
    /// Which of account, user and device are named.
    named: [bool; 3],
}

/// How many tables find what is said: one that grows is made anew as a whole, so none is large.
const TABLES: usize = 32;

/// Which table finds a hash, by its first eight bits. The last table gets twice as many as the first, so that they grow
/// one after the other, and not all of them in the same epochs.
const TABLE_OF: [u8; 256] = {
    let mut tables = [0; 256];
    // Parts of a thousand million: the root of two, as often as there are tables; and all before the next table.
    let (root, whole) = (1_021_897_149_u64, 1_000_000_000_u64);
    let mut next = root;
    let (mut table, mut bits) = (0, 0);
    while bits < tables.len() {
        while bits as u64 * whole >= (next - whole) * 256 && (table as usize) < TABLES - 1 {
            table += 1;
            next = next * root / whole;
        }
        tables[bits] = table;
        bits += 1;
    }
    tables
};

/// Where identities stand, by their hashes.
#[derive(Default)]
struct Places([HashTable<Place>; TABLES]);

impl Places {
    #[inline]
    fn of(&self, hash: u32) -> &HashTable<Place> {
        &self.0[usize::from(TABLE_OF[(hash >> 24) as usize])]
    }

    #[inline]
    fn of_mut(&mut self, hash: u32) -> &mut HashTable<Place> {
        &mut self.0[usize::from(TABLE_OF[(hash >> 24) as usize])]
    }
}

/// Everything that was said, by identity.
#[derive(Default)]
pub(super) struct Identities {
    places: Places,
    once: Slab<Row>,
    others: Slab<Option<(FactId, Kept)>>,
}

fn halves(id: FactId) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
    [(id.0 >> 64) as u64, id.0 as u64]
}

/// Half of the identity decides where it is looked after, so both halves decide where it stands there.
fn short(id: FactId) -> u32 {
    let [high, low] = halves(id);
    ((high.rotate_left(32) ^ low).wrapping_mul(SPREAD) >> 32) as u32
}

fn long(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(SPREAD)
}

impl Row {
    fn of(said: &Said) -> Self {
        let Said { tenant, id, revision, arrived_at, provenance, event } = *said;
        let UsageEvent { at, product, account, user, device, quantity, op } = event;
        Self {
            id: halves(id),
            tenant,
            product,
            account: account.unwrap_or_default(),
            user: user.unwrap_or_default(),
            device: device.unwrap_or_default(),
            at,
            quantity,
            arrived_at,
            document: provenance.document,
            position: provenance.position,
            revision,
            op,
            named: [account.is_some(), user.is_some(), device.is_some()],
        }
    }

    fn said(&self) -> Said {
        let [account, user, device] = self.named;
        let id = FactId(u128::from(self.id[0]) << 64 | u128::from(self.id[1]));
        let event = UsageEvent {
            at: self.at,
            product: self.product,
            account: account.then_some(self.account),
            user: user.then_some(self.user),
            device: device.then_some(self.device),
            quantity: self.quantity,
            op: self.op,
        };
        let provenance = Provenance { document: self.document, position: self.position };
        let Self { tenant, revision, arrived_at, .. } = *self;
        Said { tenant, id, revision, arrived_at, provenance, event }
    }
}

impl Identities {
    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.0.iter().map(HashTable::len).sum()
    }

    /// Whether something may be known of an identity; another one of the same hash is not told apart.
    pub(super) fn may_have(&self, id: FactId) -> bool {
        let hash = short(id);
        self.places.of(hash).find(long(hash), |place| place.hash == hash).is_some()
    }

    /// Takes in the first assertion of an identity, after it was told; gives it back if something is known of the
    /// identity already.
    #[inline]
    pub(super) fn first(&mut self, fact: Entered, tell: impl FnOnce(&Entered)) -> Option<Entered> {
        let id = fact.id();
        let Self { places, once, others } = self;
        let hash = short(id);
        let is_it = |place: &Place| place.hash == hash && stands(place.at, id, once, others);
        let places = places.of_mut(hash);
        let Entry::Vacant(vacant) = places.entry(long(hash), is_it, |place| long(place.hash))
        else {
            return Some(fact);
        };
        tell(&fact);
        let at = match fact {
            Entered::Usage(said) => once.put(Row::of(&said)),
            fact @ Entered::Other(_) => others.put(Some((id, Kept::Once(fact)))) | OTHER,
        };
        vacant.insert(Place { hash, at });
        None
    }

    /// What an identity comes to.
    pub(super) fn given(&self, id: FactId, rule: ConflictRule) -> Given {
        let Self { places, once, others } = self;
        let hash = short(id);
        let is_it = |place: &Place| place.hash == hash && stands(place.at, id, once, others);
        let Some(place) = places.of(hash).find(long(hash), is_it) else { return Given::default() };
        if place.at & OTHER == 0 {
            return Given::of(once.get(place.at).said());
        }
        let kept = others.get(place.at & !OTHER).as_ref();
        kept.map(|(_, kept)| kept.given(id, rule)).unwrap_or_default()
    }

    /// What is kept of an identity, so that more can be added.
    pub(super) fn kept(&mut self, id: FactId) -> &mut Kept {
        let Self { places, once, others } = self;
        let hash = short(id);
        let is_it = |place: &Place| place.hash == hash && stands(place.at, id, once, others);
        let at = match places.of_mut(hash).entry(long(hash), is_it, |place| long(place.hash)) {
            Entry::Vacant(vacant) => {
                let at = others.put(Some((id, Kept::default())));
                vacant.insert(Place { hash, at: at | OTHER });
                at
            }
            Entry::Occupied(mut occupied) => {
                let place = occupied.get_mut();
                if place.at & OTHER == 0 {
                    let said = Entered::Usage(Box::new(once.get(place.at).said()));
                    once.free(place.at);
                    place.at = others.put(Some((id, Kept::Once(said)))) | OTHER;
                }
                place.at & !OTHER
            }
        };
        &mut others.get_mut(at).get_or_insert_with(|| (id, Kept::default())).1
    }

    /// Forgets of an identity what no longer counts, if nothing was heard of it since.
    pub(super) fn forget(&mut self, id: FactId, heard_at: Timestamp) {
        let Self { places, once, others } = self;
        let hash = short(id);
        let is_it = |place: &Place| {
            place.at & OTHER != 0 && place.hash == hash && stands(place.at, id, once, others)
        };
        let Ok(mut occupied) = places.of_mut(hash).find_entry(long(hash), is_it) else { return };
        let at = occupied.get().at & !OTHER;
        let Some((_, kept)) = others.get_mut(at) else { return };
        if kept.forget(heard_at) {
            occupied.remove();
        } else if let Kept::Once(Entered::Usage(said)) = kept {
            occupied.get_mut().at = once.put(Row::of(said));
        } else {
            return;
        }
        *others.get_mut(at) = None;
        others.free(at);
    }
}

/// Whether an identity stands at a place.
#[inline]
fn stands(at: u32, id: FactId, once: &Slab<Row>, others: &Slab<Option<(FactId, Kept)>>) -> bool {
    if at & OTHER == 0 {
        once.get(at).id == halves(id)
    } else {
        others.get(at & !OTHER).as_ref().is_some_and(|(other, _)| *other == id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Identities, Row, TABLE_OF, TABLES};
    use crate::entered::{Entered, Said};
    use proptest::prelude::*;
    use std::mem::size_of;
    use trueup_model::fact::{FactId, Provenance};
    use trueup_model::id::{Id, TenantId};
    use trueup_model::quantity::Quantity;
    use trueup_model::time::Timestamp;
    use trueup_model::usage::{UsageEvent, UsageOp};
    use trueup_policy::rules::ConflictRule;

    #[test]
    fn a_row_takes_thirteen_words() {
        assert_eq!(size_of::<Row>(), 13 * size_of::<u64>());
    }

    #[test]
    fn tables_get_more_and_more_up_to_twice_as_many() {
        let mut shares = [0; TABLES];
        TABLE_OF.iter().for_each(|table| shares[usize::from(*table)] += 1);
        assert_eq!((shares[0], shares[TABLES - 1]), (6, 10));
        let average = |some: &[i32]| some.iter().sum::<i32>();
        let quarters: Vec<i32> = shares.chunks(TABLES / 4).map(average).collect();
        assert!(quarters.is_sorted() && quarters[3] < quarters[0] * 2, "{quarters:?}");
    }

    prop_compose! {
        fn said()(
            words in any::<[u64; 9]>(),
            named in any::<[Option<u64>; 3]>(),
            revision in any::<u32>(),
            op in prop::sample::select(UsageOp::ALL.to_vec()),
        ) -> Said {
            let [account, user, device] = named.map(|one| one.map(Id));
            let time = |word: u64| Timestamp(word.cast_signed());
            Said {
                tenant: TenantId(words[0]),
                id: FactId(u128::from(words[1]) << 64 | u128::from(words[2])),
                revision,
                arrived_at: time(words[3]),
                provenance: Provenance { document: Id(words[4]), position: words[5] },
                event: UsageEvent {
                    at: time(words[6]),
                    product: Id(words[7]),
                    account,
                    user,
                    device,
                    quantity: Quantity(words[8].cast_signed()),
                    op,
                },
            }
        }
    }

    proptest! {
        #[test]
        fn a_row_says_what_was_said(said in said()) {
            prop_assert_eq!(Row::of(&said).said(), said);
        }

        /// Whatever is said once, in whatever order it is asked for, is what was said.
        #[test]
        fn what_was_said_once_is_found(all in prop::collection::vec(said(), 1..300)) {
            let mut identities = Identities::default();
            for one in &all {
                prop_assert_eq!(identities.first(Entered::Usage(Box::new(*one)), |_| ()), None);
            }
            prop_assert_eq!(identities.len(), all.len());
            for (number, one) in all.iter().enumerate() {
                let again = Entered::Usage(Box::new(*one));
                prop_assert_eq!(identities.first(again.clone(), |_| ()), Some(again.clone()));
                // Of some more is heard.
                if number % 3 == 0 {
                    identities.kept(one.id).hear(again, 1);
                }
                let known = identities.given(one.id, ConflictRule::First).known;
                prop_assert_eq!(known.map(|known| (known.id, known.arrived_at)), Some((one.id, one.arrived_at)));
            }
            prop_assert_eq!(identities.len(), all.len());
        }
    }
}
