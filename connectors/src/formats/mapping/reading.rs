//! How the cells of a table are read: the locale, the date patterns and the words of a mapping.
//!
//! Every reader here takes one cell and gives its value or says why not; none looks at other cells.

use super::cell::{Cell, Fault, NAME_BYTES_MAX, Typed, shown};
use super::field::{Field, Kind};
use super::moment::Moment;
use super::number::{Locale, millionths};
use trueup_model::calendar::Zone;
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// The words that a table uses for special values; compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// Stand for nothing in any column, as an empty cell does.
    pub(crate) empty: Vec<String>,
    /// Stand for a quantity without a limit.
    pub(crate) unlimited: Vec<String>,
    /// Stand for an end that is not known.
    pub(crate) open: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            empty: Vec::new(),
            unlimited: words(&["unlimited"]),
            open: words(&["open", "never", "permanent", "perpetual"]),
        }
    }
}

/// How cells are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// How numbers are written.
    pub(crate) locale: Locale,
    /// How dates are written, the first that fits counts; ISO dates are read always.
    pub(crate) dates: Vec<String>,
    /// Whether an end that is a day includes that day.
    pub(crate) end_day_included: bool,
    /// Words for special values.
    pub(crate) words: Words,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            locale: Locale::PLAIN,
            dates: Vec::new(),
            end_day_included: true,
            words: Words::default(),
        }
    }
}

/// Whether the word is in the list, without regard to case.
fn is_among(word: &str, list: &[String]) -> bool {
    list.iter().any(|known| {
        known.eq_ignore_ascii_case(word)
            || (!known.is_ascii() && known.to_lowercase() == word.to_lowercase())
    })
}

impl Reading {
    /// Whether the cell says nothing.
    pub(crate) fn is_empty(&self, cell: Cell<'_>) -> bool {
        cell.text.is_empty()
            || (!self.words.empty.is_empty() && is_among(cell.text, &self.words.empty))
    }

    pub(crate) fn name<'a>(&self, cell: Cell<'a>) -> Result<&'a str, Fault> {
        if cell.typed == Typed::Fault {
            return Err(Fault::bad(format!("it holds {}", shown(cell.text))));
        }
        if cell.text.len() > NAME_BYTES_MAX {
            let detail = format!(
                "a name of {} bytes, and at most {NAME_BYTES_MAX} are allowed",
                cell.text.len()
            );
            return Err(Fault::new(RejectReason::TooLong, detail));
        }
        Ok(cell.text)
    }

    pub(crate) fn quantity(&self, cell: Cell<'_>) -> Result<Quantity, Fault> {
        millionths(cell, self.locale).map(Quantity)
    }

    pub(crate) fn capacity(&self, cell: Cell<'_>) -> Result<Capacity, Fault> {
        if is_among(cell.text, &self.words.unlimited) {
            return Ok(Capacity::Unlimited);
        }
        self.quantity(cell).map(Capacity::Limited)
    }

    pub(crate) fn instant(&self, cell: Cell<'_>, zone: &Zone) -> Result<Timestamp, Fault> {
        Moment::read(cell, &self.dates)?.start(zone)
    }

    /// An end; an end that is not known is `MAX`.
    pub(crate) fn end(&self, cell: Cell<'_>, zone: &Zone) -> Result<Timestamp, Fault> {
        if is_among(cell.text, &self.words.open) {
            return Ok(Timestamp::MAX);
        }
        Moment::read(cell, &self.dates)?.end(zone, self.end_day_included)
    }

    /// The place of the cell's word in the closed list of the field.
    pub(crate) fn choice(&self, cell: Cell<'_>, kind: Kind, field: Field) -> Result<usize, Fault> {
        let choices = kind.choices(field).unwrap_or_default();
        let word = cell.text.to_lowercase().replace([' ', '-'], "_");
        choices.iter().position(|choice| *choice == word).ok_or_else(|| {
            Fault::bad(format!("`{}` is none of {}", shown(cell.text), choices.join(", ")))
        })
    }

    pub(crate) fn whole(&self, cell: Cell<'_>) -> Result<i32, Fault> {
        let quantity = self.quantity(cell)?;
        let whole = quantity.is_whole().then_some(quantity.0 / Quantity::ONE.0);
        whole.and_then(|whole| i32::try_from(whole).ok()).ok_or_else(|| {
            let detail = format!("`{}` is not a whole number of nine digits", shown(cell.text));
            Fault::new(RejectReason::OutOfRange, detail)
        })
    }

    /// A part in percent: `25` or `25 %`.
    pub(crate) fn percent(&self, cell: Cell<'_>) -> Result<u32, Fault> {
        let text = cell.text.trim().trim_end_matches('%').trim_end();
        self.count(Cell { text, ..cell })
    }

    /// A number of things.
    pub(crate) fn count(&self, cell: Cell<'_>) -> Result<u32, Fault> {
        let whole = self.whole(cell)?;
        u32::try_from(whole)
            .map_err(|_| Fault::bad(format!("`{}` is below zero", shown(cell.text))))
    }

    /// A number of days, in seconds.
    pub(crate) fn days(&self, cell: Cell<'_>) -> Result<u32, Fault> {
        let whole = u32::try_from(self.whole(cell)?).ok();
        whole.and_then(|days| days.checked_mul(86_400)).ok_or_else(|| {
            let detail = format!("`{}` is not a number of days up to 49710", shown(cell.text));
            Fault::new(RejectReason::OutOfRange, detail)
        })
    }

    pub(crate) fn zone_name(&self, cell: Cell<'_>) -> Result<String, Fault> {
        let zone = Zone::named(cell.text).map_err(|error| Fault::bad(error.to_string()))?;
        Ok(zone.name().to_owned())
    }

    pub(crate) fn duplicates(&self, cell: Cell<'_>) -> Result<Duplicates, Fault> {
        Duplicates::parse(cell.text).ok_or_else(|| {
            let word = shown(cell.text);
            Fault::bad(format!("`{word}` is neither NONE, SITE nor letters of UHDV"))
        })
    }

    pub(crate) fn currency(&self, cell: Cell<'_>) -> Result<[u8; 3], Fault> {
        currency_code(cell.text).ok_or_else(|| {
            let word = shown(cell.text);
            Fault::bad(format!("`{word}` is not a currency code of three letters, such as EUR"))
        })
    }

    /// An amount of money; the cell may carry its currency before or after the number.
    pub(crate) fn money(&self, cell: Cell<'_>, currency: Option<[u8; 3]>) -> Result<Money, Fault> {
        let (number, mark) = match cell.typed {
            Typed::Text => without_mark(cell.text),
            Typed::Plain | Typed::Stated | Typed::Moment(_) | Typed::Flag | Typed::Fault => {
                (cell.text.to_owned(), String::new())
            }
        };
        let amount = millionths(Cell { text: number.trim(), typed: cell.typed }, self.locale)?;
        let marked = match mark.as_str() {
            "" => None,
            "€" => Some(*b"EUR"),
            code => match (currency_code(code), currency) {
                (Some(code), _) => Some(code),
                (None, Some(code)) if mark.contains(is_symbol) => Some(code),
                (None, _) => {
                    let detail = format!("`{mark}` names no one currency; map `currency`");
                    return Err(Fault::bad(detail));
                }
            },
        };
        if let (Some(here), Some(there)) = (marked, currency)
            && here != there
        {
            let there = String::from_utf8_lossy(&there).into_owned();
            return Err(Fault::bad(format!("`{}` is not in {there}", shown(cell.text))));
        }
        let currency = marked.or(currency).unwrap_or(Money::NO_CURRENCY);
        Ok(Money { amount, currency })
    }

    /// What is wrong with a value that a mapping states for this field, if anything.
    pub(crate) fn problem(&self, kind: Kind, field: Field, text: &str) -> Option<String> {
        let (cell, zone) = (Cell::stated(text), Zone::utc());
        let checked = match field {
            Field::Quantity if kind.is_events() || kind == Kind::Allocations => {
                self.quantity(cell).map(drop)
            }
            Field::Quantity => self.capacity(cell).map(drop),
            Field::Overdraft | Field::Billed | Field::Uplift => self.quantity(cell).map(drop),
            Field::Cost => self.money(cell, None).map(drop),
            Field::Currency => self.currency(cell).map(drop),
            Field::At | Field::LastActive | Field::Start => self.instant(cell, &zone).map(drop),
            Field::End | Field::MaintenanceUntil => self.end(cell, &zone).map(drop),
            Field::Metric
            | Field::Per
            | Field::Kind
            | Field::Class
            | Field::Restricted
            | Field::Each
            | Field::DayCount => self.choice(cell, kind, field).map(drop),
            Field::Priority => self.whole(cell).map(drop),
            Field::MarginPercent => self.percent(cell).map(drop),
            Field::TrialDays => self.count(cell).map(drop),
            Field::GraceDays => self.days(cell).map(drop),
            Field::TimeZone => self.zone_name(cell).map(drop),
            Field::Duplicates | Field::SuiteDuplicates => self.duplicates(cell).map(drop),
            Field::Account
            | Field::Base
            | Field::Canonical
            | Field::Contract
            | Field::Device
            | Field::Family
            | Field::Holder
            | Field::Id
            | Field::Line
            | Field::Member
            | Field::Notice
            | Field::Parent
            | Field::Product
            | Field::Publisher
            | Field::Raw
            | Field::Server
            | Field::Source
            | Field::Territory
            | Field::User
            | Field::Version => self.name(cell).map(drop),
        };
        checked.err().map(|fault| fault.detail)
    }
}

/// Three letters as a currency code.
fn currency_code(text: &str) -> Option<[u8; 3]> {
    let upper = text.trim().to_ascii_uppercase();
    let code: [u8; 3] = upper.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}

fn is_symbol(letter: char) -> bool {
    matches!(letter, '$' | '¢' | '£' | '¥') || ('\u{20a0}'..='\u{20cf}').contains(&letter)
}

/// Takes the currency mark off an amount: `1.234,50 €`, `EUR 300`, `-$24.70`.
fn without_mark(text: &str) -> (String, String) {
    let is_mark = |letter: char| letter.is_ascii_uppercase() || is_symbol(letter);
    let mark: String = text.chars().filter(|letter| is_mark(*letter)).collect();
    if mark.is_empty() || mark == "E" {
        return (text.to_owned(), String::new());
    }
    (text.chars().filter(|letter| !is_mark(*letter)).collect(), mark)
}
