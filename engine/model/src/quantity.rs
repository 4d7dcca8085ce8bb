//! Exact amounts: quantities of licenses and units, money, ratios, and named rounding.
//!
//! No floating point: a quantity is a whole number of millionths of its unit, sums are 128 bits
//! wide, factors are exact rationals, and a result is rounded only where a rule says how.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Decimal places that a quantity keeps.
pub const QUANTITY_SCALE: u32 = 6;
/// Millionths in one unit.
pub const ONE_UNIT: i64 = 1_000_000;

/// An amount of licenses, seats or metered units, in millionths: exact to six decimal places.
///
/// Between ±9.2 · 10¹² units. Input with more places is refused, never rounded in silence.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Quantity(pub i64);

/// Why text was not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is not a decimal number.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// More places than a quantity keeps.
    #[error("`{0}` has more than six decimal places")]
    TooPrecise(String),
    /// Beyond what a quantity holds.
    #[error("`{0}` is beyond ±9.2 trillion units")]
    TooLarge(String),
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One unit.
    pub const ONE: Self = Self(ONE_UNIT);
    /// The greatest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// A whole number of units, held at the greatest amount.
    pub fn units(units: i64) -> Self {
        Self(units.saturating_mul(ONE_UNIT))
    }

    /// The amount that a 128-bit sum of millionths means, or `None` if it does not fit.
    pub fn from_sum(millionths: i128) -> Option<Self> {
        i64::try_from(millionths).ok().map(Self)
    }

    /// Whether it is a whole number of units.
    pub fn is_whole(self) -> bool {
        self.0 % ONE_UNIT == 0
    }

    /// The sum, or `None` beyond what a quantity holds.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Quantity {
    /// The shortest exact decimal: `4`, `0.25`, `-1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, i128::from(self.0), QUANTITY_SCALE)
    }
}

/// Writes `mantissa · 10^-scale` without trailing zeros.
fn write_decimal(f: &mut fmt::Formatter<'_>, mantissa: i128, scale: u32) -> fmt::Result {
    let divisor = 10_u128.pow(scale);
    let magnitude = mantissa.unsigned_abs();
    let sign = if mantissa < 0 { "-" } else { "" };
    let (whole, fraction) = (magnitude / divisor, magnitude % divisor);
    if fraction == 0 {
        return f.pad_integral(mantissa >= 0, "", &whole.to_string());
    }
    let digits = format!("{fraction:0width$}", width = scale as usize);
    f.pad(&format!("{sign}{whole}.{}", digits.trim_end_matches('0')))
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    /// Reads a decimal number with an optional exponent: `10`, `0.25`, `1e1`, `-3`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_decimal(text, QUANTITY_SCALE).map(Self)
    }
}

/// Reads a decimal number as a whole number of `10^-scale`, exactly.
///
/// # Errors
/// If the text is no decimal number, has more places than `scale`, or does not fit 64 bits.
pub fn parse_decimal(text: &str, scale: u32) -> Result<i64, QuantityError> {
    let shown = || text.chars().take(64).collect::<String>();
    let not_a_number = || QuantityError::NotANumber(shown());
    let trimmed = text.trim();
    let (body, exponent) = match trimmed.split_once(['e', 'E']) {
        Some((body, exponent)) => (body, exponent.parse::<i32>().map_err(|_| not_a_number())?),
        None => (trimmed, 0),
    };
    let (negative, digits) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(body)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(not_a_number());
    }
    let mut mantissa: i128 = 0;
    let mut places = i64::try_from(fraction.len()).map_err(|_| not_a_number())?;
    for byte in whole.bytes().chain(fraction.bytes()) {
        mantissa = mantissa
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add(i128::from(byte - b'0')))
            .ok_or_else(|| QuantityError::TooLarge(shown()))?;
    }
    places -= i64::from(exponent);
    while places > i64::from(scale) {
        if mantissa % 10 != 0 {
            return Err(QuantityError::TooPrecise(shown()));
        }
        if mantissa == 0 {
            return Ok(0);
        }
        mantissa /= 10;
        places -= 1;
    }
    while places < i64::from(scale) {
        if mantissa == 0 {
            return Ok(0);
        }
        mantissa = mantissa.checked_mul(10).ok_or_else(|| QuantityError::TooLarge(shown()))?;
        places += 1;
    }
    let signed = if negative { -mantissa } else { mantissa };
    i64::try_from(signed).map_err(|_| QuantityError::TooLarge(shown()))
}

/// How much may be used: a limit, no limit, or not stated.
///
/// Ordered for use as a key only; `Unknown` is a value of its own and never means zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Capacity {
    /// Up to this quantity.
    Limited(Quantity),
    /// As much as one likes.
    Unlimited,
    /// The source does not say.
    Unknown,
}

/// An amount of money, in millionths of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the currency unit; negative for a credit.
    pub amount: i64,
    /// ISO 4217 letters, or `XXX` where the source names no currency.
    pub currency: [u8; 3],
}

impl Money {
    /// The code for "no currency named".
    pub const NO_CURRENCY: [u8; 3] = *b"XXX";
}

impl fmt::Display for Money {
    /// At least two decimal places, then the currency if one is named: `1234.50 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.amount.unsigned_abs();
        let sign = if self.amount < 0 { "-" } else { "" };
        let (whole, fraction) = (magnitude / 1_000_000, magnitude % 1_000_000);
        let digits = format!("{fraction:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{}", &digits[..kept])?;
        if self.currency == Self::NO_CURRENCY {
            return Ok(());
        }
        write!(f, " {}", String::from_utf8_lossy(&self.currency))
    }
}

/// An exact rational: a factor, a conversion, a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

/// In which direction a rule rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rounding {
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceil,
    /// To the nearest, a half away from zero.
    HalfUp,
    /// To the nearest, a half to the even neighbor.
    HalfEven,
}

impl Ratio {
    /// The ratio in lowest terms, or `None` for a denominator of zero.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        if denominator == 0 || denominator == i64::MIN || numerator == i64::MIN {
            return None;
        }
        let sign = if denominator < 0 { -1 } else { 1 };
        let common = greatest_common_divisor(numerator.abs(), denominator.abs()).max(1);
        Some(Self {
            numerator: sign * numerator / common,
            denominator: sign * denominator / common,
        })
    }

    /// The part above the line.
    pub fn numerator(self) -> i64 {
        self.numerator
    }

    /// The part below the line; always positive.
    pub fn denominator(self) -> i64 {
        self.denominator
    }

    /// `value · self`, as whole millionths rounded as told, or `None` if it does not fit.
    pub fn of(self, value: Quantity, rounding: Rounding) -> Option<Quantity> {
        let product = i128::from(value.0) * i128::from(self.numerator);
        Quantity::from_sum(divide(product, i128::from(self.denominator), rounding))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    /// By value; ratios are in lowest terms, so equal values are equal.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let left = i128::from(self.numerator) * i128::from(other.denominator);
        let right = i128::from(other.numerator) * i128::from(self.denominator);
        left.cmp(&right)
    }
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `dividend / divisor` to a whole number, rounded as told.
///
/// # Panics
/// If `divisor` is not positive: callers divide by counts and denominators.
pub fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    assert!(divisor > 0, "divisor {divisor} is not positive");
    let quotient = dividend.div_euclid(divisor);
    let remainder = dividend.rem_euclid(divisor);
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceil => remainder > 0,
        Rounding::HalfUp if dividend < 0 => remainder > divisor - remainder,
        Rounding::HalfUp => remainder >= divisor - remainder,
        Rounding::HalfEven => {
            let rest = divisor - remainder;
            remainder > rest || (remainder == rest && quotient.rem_euclid(2) == 1)
        }
    };
    quotient + i128::from(up)
}
