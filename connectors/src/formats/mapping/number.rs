//! Numbers as people write them: decimal and thousands signs, signs, and nothing by guess.
//!
//! A sign that the locale does not name makes a value unreadable, and so does a thousands sign that
//! does not stand before exactly three digits: `1.50` where a point groups thousands is a mistake,
//! neither 1.5 nor 150.

use super::cell::{Cell, Fault, Typed, shown};
use trueup_model::quantity::{QUANTITY_SCALE, QuantityError, parse_decimal};
use trueup_model::reject::RejectReason;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    /// The sign before the fraction.
    pub(crate) decimal: char,
    /// The sign between groups of three digits, if one is used.
    pub(crate) thousands: Option<char>,
}

impl Locale {
    /// A decimal point and no thousands sign: `1234.5`.
    pub(crate) const PLAIN: Self = Self { decimal: '.', thousands: None };

    /// Whether `letter` is the thousands sign, or a look-alike of it.
    fn groups(self, letter: char) -> bool {
        match self.thousands {
            Some(' ') => matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
            Some('\'') => matches!(letter, '\'' | '\u{2019}'),
            Some(sign) => letter == sign,
            None => false,
        }
    }
}

/// The cell's number in millionths, exactly.
///
/// Text may carry its minus sign before, after or as parentheses, and be a Unicode minus.
pub(crate) fn millionths(cell: Cell<'_>, locale: Locale) -> Result<i64, Fault> {
    let plain = match cell.typed {
        Typed::Text => to_plain(cell.text, locale)?,
        Typed::Plain | Typed::Stated => cell.text.to_owned(),
        Typed::Moment(_) => return Err(Fault::bad(format!("`{}` is a date", shown(cell.text)))),
        Typed::Flag => return Err(Fault::bad(format!("`{}` is no number", shown(cell.text)))),
        Typed::Fault => return Err(Fault::bad(format!("it holds {}", shown(cell.text)))),
    };
    parse_decimal(&plain, QUANTITY_SCALE).map_err(|error| {
        let reason = match error {
            QuantityError::TooLarge(_) => RejectReason::OutOfRange,
            QuantityError::NotANumber(_) | QuantityError::TooPrecise(_) => RejectReason::BadValue,
        };
        Fault::new(reason, error.to_string())
    })
}

/// A number in the locale's signs, as a plain decimal number.
fn to_plain(text: &str, locale: Locale) -> Result<String, Fault> {
    let not_a_number = |why: &str| Fault::bad(format!("`{}` is no number: {why}", shown(text)));
    let (negative, digits) = unsigned(text.trim());
    let (body, exponent) = match digits.find(['e', 'E']) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let (whole, fraction) = match body.split_once(locale.decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(fraction) {
        return Err(not_a_number(&signs(locale)));
    }
    let mut plain = String::with_capacity(text.len() + 1);
    if negative {
        plain.push('-');
    }
    let groups: Vec<&str> = whole.split(|letter| locale.groups(letter)).collect();
    for (index, group) in groups.iter().enumerate() {
        if !all_digits(group) {
            return Err(not_a_number(&signs(locale)));
        }
        let right = groups.len() == 1
            || (index == 0 && (1..=3).contains(&group.len()))
            || (index > 0 && group.len() == 3);
        if !right {
            return Err(not_a_number("its thousands signs do not stand before three digits each"));
        }
        plain.push_str(group);
    }
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    plain.push_str(exponent);
    Ok(plain)
}

/// Takes the sign off: `-5`, `−5`, `5-`, `(5)`, `+5`.
fn unsigned(text: &str) -> (bool, &str) {
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return (true, inner.trim());
    }
    if let Some(rest) = text.strip_prefix(MINUS).or_else(|| text.strip_suffix(MINUS)) {
        return (true, rest.trim());
    }
    (false, text.strip_prefix('+').unwrap_or(text).trim())
}

/// The locale's signs, for a message.
fn signs(locale: Locale) -> String {
    match locale.thousands {
        Some(sign) => {
            format!("the decimal sign is `{}` and the thousands sign `{sign}`", locale.decimal)
        }
        None => format!("the decimal sign is `{}` and there is no thousands sign", locale.decimal),
    }
}
