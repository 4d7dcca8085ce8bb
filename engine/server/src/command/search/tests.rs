//! Planted facts that bring down an engine that is no more than a list of epochs.

use super::{LEFT_OUT_MAX, Stuck, TRIALS_MAX, Trials, culprits};
use trueup_model::fact::FactId;
use trueup_runtime::suspects::Suspect;

/// A fact that brings it down, and when.
#[derive(Clone, Copy, Debug)]
enum Planted {
    /// When it enters.
    Entering(u128),
    /// This many epochs later.
    Later(u128, u64),
    /// This epoch fails whatever is left out.
    Nothing(u64),
}

/// Epochs of some facts each, the first few of which are in a snapshot.
struct Model {
    facts: Vec<Vec<u128>>,
    /// The last epoch of the snapshot; 0 for none.
    snapshot: u64,
    planted: Vec<Planted>,
    tried: usize,
}

fn suspect(id: u128) -> Suspect {
    Suspect { id: FactId(id), revision: 0 }
}

fn index(epoch: u64) -> usize {
    usize::try_from(epoch).unwrap()
}

impl Model {
    /// Epochs with so many facts each, which are numbered from 0.
    fn new(counts: &[usize], snapshot: u64, planted: &[Planted]) -> Self {
        let mut ids = 0_u128..;
        let facts = counts.iter().map(|count| ids.by_ref().take(*count).collect()).collect();
        Self { facts, snapshot, planted: planted.to_vec(), tried: 0 }
    }

    fn epoch_of(&self, id: u128) -> u64 {
        let place = self.facts.iter().position(|facts| facts.contains(&id)).unwrap();
        // What a snapshot has enters with its epoch.
        (place as u64 + 1).max(self.snapshot)
    }

    fn search(&mut self, hint: Option<(u64, u64)>) -> Result<Vec<u128>, (String, Option<u64>)> {
        match culprits(self, hint) {
            Ok(found) => Ok(found.iter().map(|fact| fact.id.0).collect()),
            Err(Stuck::NoFact(what, epoch)) => Err((what, epoch)),
            Err(Stuck::Other(error)) => panic!("{error}"),
        }
    }
}

impl Trials for Model {
    fn kept(&mut self) -> anyhow::Result<(u64, u64)> {
        Ok((self.snapshot, self.facts.len() as u64))
    }

    fn facts_of(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>> {
        Ok(self.facts[index(epoch) - 1].iter().copied().map(suspect).collect())
    }

    fn facts_through(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>> {
        Ok(self.facts[..index(epoch)].iter().flatten().copied().map(suspect).collect())
    }

    fn fails(&mut self, through: Option<u64>, without: &[Suspect]) -> anyhow::Result<bool> {
        self.tried += 1;
        let through = through.unwrap_or(self.facts.len() as u64);
        let enters = |id: u128| !without.contains(&suspect(id));
        Ok(self.planted.iter().any(|planted| match *planted {
            Planted::Entering(id) => enters(id) && self.epoch_of(id) <= through,
            Planted::Later(id, later) => enters(id) && self.epoch_of(id) + later <= through,
            Planted::Nothing(epoch) => epoch <= through,
        }))
    }
}

/// How many trials halving takes for so many.
fn halvings(count: usize) -> usize {
    count.next_power_of_two().ilog2() as usize
}

#[test]
fn what_goes_well_is_tried_once() {
    let mut model = Model::new(&[3, 0, 5], 0, &[]);
    assert_eq!(model.search(None), Ok(Vec::new()));
    assert_eq!(model.tried, 1);
}

#[test]
fn a_fact_of_the_epoch_is_found_by_halves_wherever_it_is() {
    for id in 0..40 {
        let mut model = Model::new(&[10; 4], 0, &[Planted::Entering(id)]);
        assert_eq!(model.search(None), Ok(vec![id]));
        assert!(model.tried <= 3 + halvings(4) + halvings(10), "{id}: {}", model.tried);
    }
}

#[test]
fn a_fact_of_long_ago_that_brings_down_an_epoch_of_no_facts_is_found_by_halves() {
    for id in 0..50 {
        let mut counts = vec![10; 5];
        counts.extend([0; 60]);
        let mut model = Model::new(&counts, 0, &[Planted::Later(id, 12)]);
        let failing = model.epoch_of(id) + 12;
        assert_eq!(model.search(Some((failing, failing))), Ok(vec![id]));
        // Twice all of it, two for the hint, one without any facts.
        assert!(model.tried <= 5 + 1 + halvings(50), "{id}: {} trials", model.tried);
        model.tried = 0;
        assert_eq!(model.search(None), Ok(vec![id]));
        assert!(model.tried <= 4 + halvings(65) + halvings(50), "{id}: {} trials", model.tried);
    }
}

#[test]
fn a_fact_of_long_ago_that_brings_down_an_epoch_of_others_is_found() {
    let mut model = Model::new(&[10; 30], 0, &[Planted::Later(17, 9)]);
    assert_eq!(model.search(Some((11, 12))), Ok(vec![17]));
}

#[test]
fn a_fact_that_brings_down_what_a_snapshot_restores_is_found() {
    for later in [0, 3] {
        let planted = if later == 0 { Planted::Entering(4) } else { Planted::Later(4, later) };
        let mut model = Model::new(&[10; 12], 6, &[planted]);
        assert_eq!(model.search(Some((6, 6))), Ok(vec![4]), "{later} epochs later");
    }
}

#[test]
fn several_facts_are_found_one_after_the_other() {
    let planted = [Planted::Entering(3), Planted::Later(8, 4), Planted::Entering(27)];
    let mut model = Model::new(&[10; 9], 0, &planted);
    let mut found = model.search(None).unwrap();
    found.sort_unstable();
    assert_eq!(found, [3, 8, 27]);
}

#[test]
fn an_epoch_that_fails_whatever_is_left_out_is_named_and_no_fact_is() {
    let mut model = Model::new(&[10; 16], 0, &[Planted::Nothing(11)]);
    let (what, epoch) = model.search(None).unwrap_err();
    assert_eq!((what.as_str(), epoch), ("epoch 11 fails without any facts", Some(11)));
    assert!(model.tried <= 3 + halvings(16), "{} trials", model.tried);
}

#[test]
fn more_facts_than_are_left_out_at_most_are_not_found() {
    let planted: Vec<Planted> = (0..9).map(|place| Planted::Entering(place * 10)).collect();
    let mut model = Model::new(&[10; 9], 0, &planted);
    let (what, _) = model.search(None).unwrap_err();
    assert!(what.contains(&LEFT_OUT_MAX.to_string()), "{what}");
    assert!(model.tried <= TRIALS_MAX);
}
