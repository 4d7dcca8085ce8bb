//! What a unit costs, and in which order lines are used (2.21).

use super::Right;
use super::rights::{quantity, together};
use trueup_model::position::{AllocationLine, AllocationReason, LicensePosition};
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity};
use trueup_model::time::Timestamp;

/// The price of one unit on the newest line that had begun by then and says what it cost, exact to a
/// millionth, a half to the even neighbor.
pub(super) fn unit_price(rights: &[Right], at: Timestamp) -> Option<Money> {
    let priced = rights.iter().filter(|right| right.span.start <= at).filter_map(|right| {
        let (Capacity::Limited(Quantity(units)), Some(cost)) = (right.capacity, right.cost) else {
            return None;
        };
        (units > 0 && cost.amount >= 0).then_some((right.span.start, right.line, right, cost))
    });
    let (_, _, right, cost) =
        priced.max_by_key(|(start, line, right, _)| (*start, *line, **right))?;
    let Capacity::Limited(Quantity(units)) = right.capacity else { return None };
    let dividend = i128::from(cost.amount) * i128::from(ONE_UNIT);
    let (whole, rest) = (dividend / i128::from(units), dividend % i128::from(units));
    let up = 2 * rest > i128::from(units) || (2 * rest == i128::from(units) && whole % 2 == 1);
    let amount = i64::try_from(whole + i128::from(up)).ok()?;
    Some(Money { amount, currency: cost.currency })
}

/// Fills the lines in force with a position's peak, as far as it is covered: by priority, then earliest expiry, earliest
/// start, and name.
pub(super) fn lines_in_order(
    position: &LicensePosition,
    in_force: Vec<Right>,
    covered: Option<i128>,
) -> Vec<AllocationLine> {
    let peak = i128::from(position.peak.0);
    let mut open = match together(&in_force) {
        // Credits take rights back: no more is used than what is left after them.
        Some(Capacity::Limited(limit)) => peak.min(i128::from(limit.0)),
        Some(Capacity::Unlimited | Capacity::Unknown) | None => peak,
    };
    open = open.min(covered.unwrap_or(open).max(0));
    // A right that is there several times is one line that grants so much more.
    let mut lines: Vec<(Right, i128)> = Vec::new();
    for right in in_force {
        match lines.iter_mut().find(|(line, _)| *line == right) {
            Some((_, times)) => *times += 1,
            None => lines.push((right, 1)),
        }
    }
    let order = |right: &Right| {
        (right.priority, right.span.end, right.span.start, right.line, right.document)
    };
    lines.sort_by_key(|(right, _)| (order(right), *right));
    let mut found = Vec::new();
    for (index, (right, times)) in lines.iter().enumerate() {
        let (granted, used) = match right.capacity {
            Capacity::Limited(one) => {
                let all = i128::from(one.0) * times;
                (Capacity::Limited(quantity(all)), open.min(all.max(0)))
            }
            Capacity::Unlimited | Capacity::Unknown => (right.capacity, open),
        };
        open -= used;
        let reason = match lines.get(index + 1) {
            None if lines.len() == 1 => AllocationReason::OnlyLine,
            None => AllocationReason::Last,
            Some((next, _)) if next.priority != right.priority => AllocationReason::Priority,
            Some((next, _)) if next.span.end != right.span.end => AllocationReason::EarlierExpiry,
            Some((next, _)) if next.span.start != right.span.start => {
                AllocationReason::EarlierStart
            }
            Some(_) => AllocationReason::Name,
        };
        found.push(AllocationLine {
            key: position.key,
            rank: u32::try_from(index).unwrap_or(u32::MAX),
            line: right.line,
            granted,
            used: quantity(used),
            reason,
        });
    }
    found
}
