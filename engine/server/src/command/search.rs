//! Which facts bring an engine down: looked for by trying without some.
//!
//! First the epoch that cannot be computed is found by halves, then the fact: among those of the epoch, or, if it
//! is none of them, among all that are kept before. One of long ago may bring down an epoch that has nothing but
//! the time, when a period ends for one; and all that a snapshot keeps counts as one epoch. What is tried is
//! bounded: so many trials as halving takes, and a few, for each fact.

use trueup_runtime::suspects::Suspect;

/// How many facts are left out at most.
pub(super) const LEFT_OUT_MAX: usize = 8;
/// Among how many facts of long ago one is looked for; each trial is told of those that it leaves out.
pub(super) const SUSPECTS_MAX: usize = 1_000_000;
/// How many engines are tried at most.
pub(super) const TRIALS_MAX: usize = 256;

/// Engines that can be tried.
pub(super) trait Trials {
    /// The epoch of the newest snapshot, or 0, and the last epoch that is closed.
    fn kept(&mut self) -> anyhow::Result<(u64, u64)>;
    /// The facts of an epoch, in the order in which they came.
    fn facts_of(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>>;
    /// All facts that are kept up to an epoch.
    fn facts_through(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>>;
    /// Whether an engine fails that computes everything up to an epoch, or all there is, without some facts.
    fn fails(&mut self, through: Option<u64>, without: &[Suspect]) -> anyhow::Result<bool>;
}

/// Why nothing was found.
#[derive(Debug)]
pub(super) enum Stuck {
    /// No fact explains it; and the epoch that cannot be computed, as far as it was found.
    NoFact(String, Option<u64>),
    /// It could not be looked.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Stuck {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// The facts without which everything can be computed; the epochs on which a worker failed are a hint.
pub(super) fn culprits(
    trials: &mut impl Trials,
    hint: Option<(u64, u64)>,
) -> Result<Vec<Suspect>, Stuck> {
    let (mut search, mut hint) = (Search { trials, made: 0, epoch: None }, hint);
    let mut found: Vec<Suspect> = Vec::new();
    while search.fails(None, &found)? {
        if found.len() == LEFT_OUT_MAX {
            return Err(search.no_fact(format!("more than {LEFT_OUT_MAX} facts bring it down")));
        }
        let epoch = search.first_failing(hint.take(), &found)?;
        search.epoch = Some(epoch);
        let culprit = search.culprit(epoch, &found)?;
        tracing::warn!(epoch, trials = search.made, "found a fact that brings a worker down");
        found.push(culprit);
    }
    Ok(found)
}

/// Trials that are counted.
struct Search<'t, T> {
    trials: &'t mut T,
    made: usize,
    /// The epoch that was found last.
    epoch: Option<u64>,
}

impl<T: Trials> Search<'_, T> {
    fn no_fact(&self, what: String) -> Stuck {
        Stuck::NoFact(what, self.epoch)
    }

    fn fails(&mut self, through: Option<u64>, without: &[Suspect]) -> Result<bool, Stuck> {
        if self.made == TRIALS_MAX {
            return Err(self.no_fact(format!("it was not found in {TRIALS_MAX} trials")));
        }
        self.made += 1;
        Ok(self.trials.fails(through, without)?)
    }

    /// The first epoch that cannot be computed, which one up to the last cannot.
    fn first_failing(
        &mut self,
        hint: Option<(u64, u64)>,
        without: &[Suspect],
    ) -> Result<u64, Stuck> {
        let kept = self.trials.kept()?;
        let (mut good, mut bad) = kept;
        if let Some((first, last)) = hint.filter(|(first, last)| *first > kept.0 && *last <= kept.1)
            && self.fails(Some(last), without)?
        {
            bad = last;
            // What was published before it can be computed.
            if first - 1 > good && !self.fails(Some(first - 1), without)? {
                good = first - 1;
            }
        }
        // A snapshot has everything up to its own epoch in that.
        if good == kept.0 && good > 0 && self.fails(Some(good), without)? {
            return Ok(good);
        }
        while bad.saturating_sub(good) > 1 {
            let middle = good + (bad - good) / 2;
            if self.fails(Some(middle), without)? {
                bad = middle;
            } else {
                good = middle;
            }
        }
        Ok(bad)
    }

    /// A fact without which, and without those before it, an epoch can be computed.
    fn culprit(&mut self, epoch: u64, found: &[Suspect]) -> Result<Suspect, Stuck> {
        let suspects = self.suspects(epoch, found)?;
        // Without the first `passing` it goes well, without the first `failing` it does not.
        let (mut failing, mut passing) = (0, suspects.len());
        while passing - failing > 1 {
            let middle = failing + (passing - failing) / 2;
            if self.fails(Some(epoch), &both(found, &suspects[..middle]))? {
                failing = middle;
            } else {
                passing = middle;
            }
        }
        let culprit = suspects.get(failing).copied();
        culprit.ok_or_else(|| self.no_fact(format!("epoch {epoch} fails only now and then")))
    }

    /// Facts without which an epoch can be computed: its own, or else all that there are.
    fn suspects(&mut self, epoch: u64, found: &[Suspect]) -> Result<Vec<Suspect>, Stuck> {
        let own = self.trials.facts_of(epoch)?;
        if !own.is_empty() && !self.fails(Some(epoch), &both(found, &own))? {
            return Ok(own);
        }
        let all = self.trials.facts_through(epoch)?;
        if all.len() > SUSPECTS_MAX {
            let count = all.len();
            return Err(self.no_fact(format!(
                "epoch {epoch} fails without its own, and {count} before it are too many to try"
            )));
        }
        if self.fails(Some(epoch), &both(found, &all))? {
            return Err(self.no_fact(format!("epoch {epoch} fails without any facts")));
        }
        Ok(all)
    }
}

fn both(found: &[Suspect], more: &[Suspect]) -> Vec<Suspect> {
    [found, more].concat()
}

#[cfg(test)]
mod tests;
