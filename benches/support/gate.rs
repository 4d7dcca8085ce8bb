//! The gate of instruction counts: what each path costs, beside what it cost when that was last accepted.
//!
//! Counts depend on the compiler, the target and the instructions that the processor has, so a baseline
//! belongs to all three; for others there is nothing to compare with. A rise of more than the tolerance is
//! refused. A fall of more than that is said too: a baseline that is too high would let a later rise pass.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How much a count may rise, in thousandths.
pub const TOLERANCE_PER_MILLE: u64 = 20;

/// On what counts were taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// The compiler's version.
    pub rustc: String,
    /// What it compiles for, the widest instructions that are used there, and whether bit by bit.
    pub target: String,
}

/// What one path cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Lines, facts or rows that went through it.
    pub units: u64,
    /// Instructions in all.
    pub instructions: u64,
}

/// Counts of one ground, by the name of the path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// On what they were taken.
    pub ground: Ground,
    /// Each path.
    pub paths: BTreeMap<String, Count>,
}

/// All that is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baselines {
    /// One for each ground.
    #[serde(default)]
    pub baseline: Vec<Baseline>,
}

/// What the gate says of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As before, in thousandths more or less.
    Kept(i64),
    /// It costs more.
    Risen(i64),
    /// It costs less, and the baseline should say so.
    Fallen(i64),
    /// There is nothing to compare with.
    New,
    /// It was measured on other input.
    Changed,
}

impl Baselines {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is not what [`Baselines::written`] writes.
    pub fn read(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The counts of a ground, if there are some.
    pub fn of(&self, ground: &Ground) -> Option<&Baseline> {
        self.baseline.iter().find(|one| one.ground == *ground)
    }

    /// Puts counts in the place of those of their ground; paths that were not counted stay.
    pub fn renew(&mut self, ground: &Ground, counts: &BTreeMap<String, Count>) {
        match self.baseline.iter_mut().find(|one| one.ground == *ground) {
            Some(known) => known.paths.extend(counts.clone()),
            None => {
                let (ground, paths) = (ground.clone(), counts.clone());
                self.baseline.push(Baseline { ground, paths });
            }
        }
        self.baseline.sort_by(|one, other| one.ground.cmp(&other.ground));
    }

    /// The file.
    pub fn written(&self) -> String {
        let mut text = String::from(
            "# Instructions of each path, by compiler and target; written by\n\
             # cargo bench -p trueup-benches --bench instructions -- --renew\n",
        );
        for Baseline { ground, paths } in &self.baseline {
            let Ground { rustc, target } = ground;
            // Writing to a text does not fail.
            let _ = write!(text, "\n[[baseline]]\nground = {{ rustc = \"{rustc}\", ");
            let _ = write!(text, "target = \"{target}\" }}\n\n[baseline.paths]\n");
            for (name, Count { units, instructions }) in paths {
                let _ = writeln!(
                    text,
                    "\"{name}\" = {{ units = {units}, instructions = {instructions} }}"
                );
            }
        }
        text
    }
}

/// What the gate says of a count.
pub fn judge(now: Count, before: Option<Count>) -> Verdict {
    let Some(before) = before else { return Verdict::New };
    if before.units != now.units {
        return Verdict::Changed;
    }
    let (old, new) = (i128::from(before.instructions), i128::from(now.instructions));
    let change = (new - old) * 1000 / old.max(1);
    let change = i64::try_from(change).unwrap_or(i64::MAX);
    // Compared before rounding: a rise of just more than the tolerance is one.
    let most = old * i128::from(TOLERANCE_PER_MILLE);
    if (new - old) * 1000 > most {
        Verdict::Risen(change)
    } else if (old - new) * 1000 > most {
        Verdict::Fallen(change)
    } else {
        Verdict::Kept(change)
    }
}

impl Verdict {
    /// Whether the gate lets it pass.
    pub fn passes(self) -> bool {
        match self {
            Self::Kept(_) | Self::Fallen(_) | Self::New => true,
            Self::Risen(_) | Self::Changed => false,
        }
    }

    /// The words of the table.
    pub fn words(self) -> String {
        let percent = |per_mille: i64| {
            let sign = if per_mille < 0 { "-" } else { "+" };
            let whole = per_mille.unsigned_abs();
            format!("{sign}{}.{} %", whole / 10, whole % 10)
        };
        match self {
            Self::Kept(change) => percent(change),
            Self::Risen(change) => format!("{}, too much", percent(change)),
            Self::Fallen(change) => format!("{}, renew", percent(change)),
            Self::New => "no baseline".to_owned(),
            Self::Changed => "other input, renew".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
