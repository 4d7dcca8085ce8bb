//! The lines that grant something: `FEATURE`, `INCREMENT`, `UPGRADE`, and the packages they enable.

use super::syntax::{Words, single_spaced};
use crate::formats::flexnet::date::{self, Expiry};
use jiff::civil::Date;
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;

/// Why a line was not read, in kind and in words.
pub(super) type Fault = (RejectReason, String);

/// Which keyword a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// Of a name only the first one counts.
    Feature,
    /// Adds to what is granted.
    Increment,
    /// Moves licenses to another version.
    Upgrade,
}

/// A line that grants licenses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) position: u64,
    pub(super) keyword: Keyword,
    pub(super) feature: String,
    pub(super) vendor: String,
    pub(super) version: String,
    /// The version that licenses are moved from.
    pub(super) from: Option<String>,
    pub(super) expiry: Expiry,
    /// `None` if uncounted.
    pub(super) count: Option<u32>,
    /// How many of the count were moved to another version.
    pub(super) moved: u32,
    pub(super) start: Option<Date>,
    pub(super) issued: Option<Date>,
    /// The features that it supersedes: its own if the list is empty.
    pub(super) supersedes: Option<Vec<String>>,
    pub(super) duplicates: Option<Duplicates>,
    pub(super) suite_duplicates: Option<Duplicates>,
    pub(super) overdraft: u32,
    pub(super) notice: Option<String>,
    /// The fields as written, which name the line.
    pub(super) written: String,
}

impl Grant {
    /// Reads a line, with remarks on what of it was not understood.
    pub(super) fn read(position: u64, words: &Words<'_>) -> Result<(Self, Vec<String>), Fault> {
        let (keyword, shown) = match words.keyword().as_deref() {
            Some("FEATURE") => (Keyword::Feature, "FEATURE"),
            Some("UPGRADE") => (Keyword::Upgrade, "UPGRADE"),
            _ => (Keyword::Increment, "INCREMENT"),
        };
        let shift = usize::from(keyword == Keyword::Upgrade);
        let field = |place: usize, what: &str| {
            let missing = || (RejectReason::MissingValue, format!("{shown} without {what}"));
            words.plain(place).filter(|word| !word.is_empty()).ok_or_else(missing)
        };
        let feature = field(1, "a feature")?;
        let vendor = field(2, "a vendor")?;
        let from = (keyword == Keyword::Upgrade).then(|| field(3, "a version")).transpose()?;
        let version = field(3 + shift, "a version")?;
        let expiry_word = field(4 + shift, "an expiry date")?;
        let count_word = field(5 + shift, "a count")?;
        let wrong = |what: &str, word: &str| {
            (RejectReason::BadValue, format!("`{}` is not {what}", short(word)))
        };
        let expiry =
            date::expiry(expiry_word).ok_or_else(|| wrong("an expiry date", expiry_word))?;
        let count = if count_word.eq_ignore_ascii_case("uncounted") {
            None
        } else {
            let number = count_word.parse::<u32>().map_err(|_| wrong("a count", count_word))?;
            (number > 0).then_some(number)
        };
        let written = match from {
            Some(from) => {
                format!("{shown} {feature} {from} {version} {expiry_word} {count_word}")
            }
            None => format!("{shown} {feature} {version} {expiry_word} {count_word}"),
        };
        let mut grant = Self {
            position,
            keyword,
            feature: feature.to_owned(),
            vendor: vendor.to_owned(),
            version: version.to_owned(),
            from: from.map(str::to_owned),
            expiry,
            count,
            moved: 0,
            start: None,
            issued: None,
            supersedes: superseded(words),
            duplicates: None,
            suite_duplicates: None,
            overdraft: 0,
            notice: words.value("NOTICE").map(|notice| single_spaced(notice).into_owned()),
            written,
        };
        let remarks = grant.read_attributes(words);
        Ok((grant, remarks))
    }

    /// Reads the attributes; one that is not understood is remarked and left out.
    fn read_attributes(&mut self, words: &Words<'_>) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut unclear =
            |name: &str, value: &str| remarks.push(format!("{name}={} is unclear", short(value)));
        for (name, day) in [("START", &mut self.start), ("ISSUED", &mut self.issued)] {
            if let Some(value) = words.value(name) {
                match date::expiry(value) {
                    Some(Expiry::On(date)) => *day = Some(date),
                    Some(Expiry::Never) => {}
                    None => unclear(name, value),
                }
            }
        }
        let groups =
            [("DUP_GROUP", &mut self.duplicates), ("SUITE_DUP_GROUP", &mut self.suite_duplicates)];
        for (name, group) in groups {
            if let Some(value) = words.value(name) {
                *group = Duplicates::parse(value);
                if group.is_none() {
                    unclear(name, value);
                }
            }
        }
        if let Some(value) = words.value("OVERDRAFT") {
            match value.parse() {
                Ok(overdraft) => self.overdraft = overdraft,
                Err(_) => unclear("OVERDRAFT", value),
            }
        }
        if words.attribute("SUPERSEDE_SIGN").is_some() {
            remarks.push("SUPERSEDE_SIGN is not evaluated".to_owned());
        }
        if self.supersedes.is_some() && self.ordered_by().is_none() {
            remarks.push("SUPERSEDE without ISSUED or START supersedes nothing".to_owned());
        }
        remarks
    }

    /// The date that decides what supersedes what.
    pub(super) fn ordered_by(&self) -> Option<Date> {
        self.issued.or(self.start)
    }

    /// What is left after upgrades, or `None` if nothing is.
    pub(super) fn left(&self) -> Option<Capacity> {
        let Some(count) = self.count else { return Some(Capacity::Unlimited) };
        let left = count.saturating_sub(self.moved);
        (left > 0).then(|| Capacity::Limited(Quantity::units(i64::from(left))))
    }

    /// The feature and vendor without regard to case, as the server compares them.
    pub(super) fn key(&self) -> (String, String) {
        key(&self.feature, &self.vendor)
    }
}

/// A name and vendor without regard to case.
pub(super) fn key(name: &str, vendor: &str) -> (String, String) {
    (name.to_lowercase(), vendor.to_lowercase())
}

/// What `SUPERSEDE` or `SUPERSEDE="f1 f2"` lists.
fn superseded(words: &Words<'_>) -> Option<Vec<String>> {
    let listed = words.attribute("SUPERSEDE")?;
    let names = listed.unwrap_or_default().split_whitespace();
    Some(names.map(str::to_owned).collect())
}

/// A package and what it consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) position: u64,
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) version: Option<String>,
    pub(super) components: Vec<Part>,
    pub(super) suite: bool,
    pub(super) issued: Option<Date>,
    pub(super) supersedes: Option<Vec<String>>,
}

/// A component of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) count: Option<u32>,
}

impl Package {
    pub(super) fn read(position: u64, words: &Words<'_>) -> Result<Self, Fault> {
        let missing = |what: &str| (RejectReason::MissingValue, format!("PACKAGE without {what}"));
        let name = words.plain(1).ok_or_else(|| missing("a name"))?;
        let vendor = words.plain(2).ok_or_else(|| missing("a vendor"))?;
        let listed = words.value("COMPONENTS").ok_or_else(|| missing("COMPONENTS"))?;
        let components =
            listed.split_whitespace().map(Part::read).collect::<Result<Vec<_>, _>>()?;
        if components.is_empty() {
            return Err(missing("COMPONENTS"));
        }
        let options = words.value("OPTIONS").unwrap_or_default();
        let mut options = options.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let day = |attribute| match date::expiry(words.value(attribute)?)? {
            Expiry::On(date) => Some(date),
            Expiry::Never => None,
        };
        Ok(Self {
            position,
            name: name.to_owned(),
            vendor: vendor.to_owned(),
            version: words.plain(3).map(str::to_owned),
            components,
            suite: options.any(|option| option.eq_ignore_ascii_case("SUITE")),
            issued: day("ISSUED").or_else(|| day("START")),
            supersedes: superseded(words),
        })
    }

    /// Whether a line is the right to this package.
    pub(super) fn enabled_by(&self, grant: &Grant) -> bool {
        let version = self.version.as_deref();
        key(&self.name, &self.vendor) == grant.key()
            && version.is_none_or(|version| Version::of(version) == Version::of(&grant.version))
    }
}

impl Part {
    /// Reads `name`, `name:version` or `name:version:count`.
    fn read(word: &str) -> Result<Self, Fault> {
        let mut fields = word.split(':');
        let name = fields.next().unwrap_or_default();
        let version = fields.next().filter(|version| !version.is_empty());
        let count = match fields.next() {
            None | Some("") => None,
            Some(digits) => Some(digits.parse::<u32>().map_err(|_| {
                (RejectReason::BadValue, format!("`{}` is not a component", short(word)))
            })?),
        };
        if name.is_empty() {
            return Err((RejectReason::BadValue, format!("`{}` is not a component", short(word))));
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned), count })
    }
}

/// A version as the server compares it: a decimal number, so that 1.5 is above 1.10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    whole: u64,
    fraction: String,
}

impl Version {
    pub(super) fn of(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        Self {
            whole: digits.parse().unwrap_or(0),
            fraction: fraction.trim_end_matches('0').to_owned(),
        }
    }
}

/// The beginning of a word, for a message.
fn short(word: &str) -> String {
    word.chars().take(40).collect()
}
