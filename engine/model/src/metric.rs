//! Metrics: the rules by which use is counted against rights.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How use of a product is counted (semantics A 2.1–2.14).
///
/// Each kind says what a unit of demand is; how it is computed lives in `operators/src/meter/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Licenses checked out at one instant, after duplicate grouping (2.3).
    Concurrent,
    /// People who hold a seat at one instant, or who were active in a period (2.1).
    NamedUser,
    /// Machines that have it installed or use it (2.2).
    Device,
    /// The sum of metered quantities in a period (2.8).
    Volume,
    /// Weighted features drawn from one pool of tokens (2.4).
    Token,
    /// Processor cores with minimums and factors (2.5).
    Core,
    /// Processor value units by sub-capacity (2.6).
    ProcessorValue,
    /// Resource or user value units by bands (2.7).
    ResourceValue,
    /// The time-weighted mean of a level in a period (2.10).
    Level,
    /// Whether a feature may be used at all (2.14).
    Feature,
    /// How many different people took part in a period (2.9).
    Unique,
    /// The greatest metered quantity of a period (2.9).
    Maximum,
    /// The newest metered quantity of a period (2.9).
    Latest,
}

impl Metric {
    /// Every metric, in the order of [`Metric::code`].
    pub const ALL: [Self; 13] = [
        Self::Concurrent,
        Self::NamedUser,
        Self::Device,
        Self::Volume,
        Self::Token,
        Self::Core,
        Self::ProcessorValue,
        Self::ResourceValue,
        Self::Level,
        Self::Feature,
        Self::Unique,
        Self::Maximum,
        Self::Latest,
    ];

    /// The metric's stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Concurrent => 0,
            Self::NamedUser => 1,
            Self::Device => 2,
            Self::Volume => 3,
            Self::Token => 4,
            Self::Core => 5,
            Self::ProcessorValue => 6,
            Self::ResourceValue => 7,
            Self::Level => 8,
            Self::Feature => 9,
            Self::Unique => 10,
            Self::Maximum => 11,
            Self::Latest => 12,
        }
    }

    /// The metric of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The metric's name in configuration, tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concurrent => "concurrent",
            Self::NamedUser => "named_user",
            Self::Device => "device",
            Self::Volume => "volume",
            Self::Token => "token",
            Self::Core => "core",
            Self::ProcessorValue => "processor_value",
            Self::ResourceValue => "resource_value",
            Self::Level => "level",
            Self::Feature => "feature",
            Self::Unique => "unique",
            Self::Maximum => "maximum",
            Self::Latest => "latest",
        }
    }

    /// The metric of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// Which checkouts share one license: those equal in every part that is set.
///
/// No part set means that all checkouts of a pool share one, as `SITE` says.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct DuplicateMask {
    /// Same user.
    pub user: bool,
    /// Same host.
    pub host: bool,
    /// Same display.
    pub display: bool,
    /// Same vendor-defined checkout data.
    pub vendor: bool,
}

impl DuplicateMask {
    /// The mask as a number of its own.
    pub fn code(self) -> u64 {
        [self.user, self.host, self.display, self.vendor]
            .into_iter()
            .fold(0, |code, set| code << 1 | u64::from(set))
    }
}

/// How checkouts of one pool are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Duplicates {
    /// Each checkout counts by itself.
    Each,
    /// Checkouts that agree in the mask share one: the group costs the largest single count.
    Grouped(DuplicateMask),
}

impl Duplicates {
    /// Which of two rules charges more: each checkout by itself, else the mask that tells more apart.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Each, Self::Each) => Ordering::Equal,
            (Self::Each, Self::Grouped(_)) => Ordering::Greater,
            (Self::Grouped(_), Self::Each) => Ordering::Less,
            (Self::Grouped(one), Self::Grouped(two)) => one.cmp(two),
        }
    }

    /// Reads `NONE`, `SITE` or letters of `UHDV`, as license files write them.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        match upper.as_str() {
            "NONE" => return Some(Self::Each),
            "SITE" => return Some(Self::Grouped(DuplicateMask::default())),
            "" => return None,
            _ => {}
        }
        let mut mask = DuplicateMask::default();
        for letter in upper.chars() {
            match letter {
                'U' => mask.user = true,
                'H' => mask.host = true,
                'D' => mask.display = true,
                'V' => mask.vendor = true,
                _ => return None,
            }
        }
        Some(Self::Grouped(mask))
    }
}

impl std::fmt::Display for Duplicates {
    /// `NONE`, `SITE` or letters of `UHDV`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Grouped(mask) = self else { return f.write_str("NONE") };
        if *mask == DuplicateMask::default() {
            return f.write_str("SITE");
        }
        for (set, letter) in
            [(mask.user, "U"), (mask.host, "H"), (mask.display, "D"), (mask.vendor, "V")]
        {
            if set {
                f.write_str(letter)?;
            }
        }
        Ok(())
    }
}
