//! Processor rules: how many licenses a machine's hardware needs (semantics A 2.5).
//!
//! Exact: counts are whole, factors are ratios, and each rule rounds once, where it says. Sources: the
//! vendors' published rules, as the worked examples in the tests name them.

use crate::bands::least_common_multiple;
use crate::quantity::{Quantity, Rounding, divide};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How a machine's processors become units of the metric.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum ProcessorRule {
    /// Its cores; a virtual machine's virtual cores.
    #[default]
    Cores,
    /// Its processors.
    Processors,
    /// Cores, at least 8 a processor and 16 a machine (Windows Server).
    CoresEightSixteen,
    /// Cores, at least 4 a processor; of a virtual machine at least 4 (SQL Server).
    CoresFour,
    /// Virtual cores in eights, at least 8 (Azure hybrid benefit).
    CoresInEights,
    /// Cores times the model's factor, rounded up for the whole server or cluster (Oracle processor).
    CoresByFactor,
    /// Virtual processors in fours, rounded up (Oracle standard edition in a cloud).
    VirtualInFours,
    /// Virtual processors in twos, rounded up (Oracle enterprise edition in a cloud).
    VirtualInTwos,
    /// Processors, one more for each 32 cores of one (VMware by processor).
    ProcessorsOfThirtyTwo,
    /// Cores, at least 16 a processor (VMware by core).
    CoresSixteen,
    /// Pairs of processors, rounded up for each machine (Red Hat).
    ProcessorPairs,
    /// Processors rounded up to an even count; 1 for a guest whose host is not known (Red Hat).
    EvenProcessors,
    /// Half of the threads, rounded up (Red Hat virtual machines).
    HalfThreads,
}

impl ProcessorRule {
    /// Every rule with its name in policies.
    pub const NAMED: [(&'static str, Self); 13] = [
        ("cores", Self::Cores),
        ("processors", Self::Processors),
        ("windows_server", Self::CoresEightSixteen),
        ("sql_server", Self::CoresFour),
        ("azure_hybrid", Self::CoresInEights),
        ("oracle_processor", Self::CoresByFactor),
        ("oracle_cloud_standard", Self::VirtualInFours),
        ("oracle_cloud_enterprise", Self::VirtualInTwos),
        ("vmware_processor", Self::ProcessorsOfThirtyTwo),
        ("vmware_core", Self::CoresSixteen),
        ("red_hat_pairs", Self::ProcessorPairs),
        ("red_hat_sockets", Self::EvenProcessors),
        ("red_hat_virtual", Self::HalfThreads),
    ];
}

/// What of a machine, or of a cluster together, a rule counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Physical processors.
    pub processors: u64,
    /// Cores of all of them.
    pub cores: u64,
    /// Threads of all of them.
    pub threads: u64,
    /// Virtual cores, if it is a virtual machine; already held to its cap.
    pub virtual_cores: Option<u64>,
    /// Whether it is a guest whose host is not known.
    pub without_host: bool,
}

impl Shape {
    /// The cores that it has, virtual or not.
    pub fn own_cores(&self) -> u64 {
        self.virtual_cores.unwrap_or(self.cores)
    }
}

/// A factor as an exact ratio, `value / per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Weight {
    /// How much.
    pub value: Quantity,
    /// For how much; above zero.
    pub per: Quantity,
}

impl Weight {
    /// One for one.
    pub const ONE: Self = Self { value: Quantity::ONE, per: Quantity::ONE };

    /// The weight, unless it says nothing: for nothing, or for less than nothing.
    pub fn new(value: Quantity, per: Quantity) -> Option<Self> {
        (per.0 > 0 && value.0 >= 0).then_some(Self { value, per })
    }

    /// Which of two weighs more; of equals, the one written with greater numbers.
    pub fn compare(&self, other: &Self) -> Ordering {
        let left = i128::from(self.value.0) * i128::from(other.per.0);
        let right = i128::from(other.value.0) * i128::from(self.per.0);
        left.cmp(&right).then_with(|| self.cmp(other))
    }

    /// Whether a quantity weighs more than another one of another weight, exactly.
    pub fn compare_weighed(&self, quantity: Quantity, other: &Self, others: Quantity) -> Ordering {
        if self == other && self.value.0 > 0 {
            return quantity.cmp(&others);
        }
        let left = i128::from(quantity.0) * i128::from(self.value.0);
        let right = i128::from(others.0) * i128::from(other.value.0);
        compare_ratios((left, i128::from(self.per.0)), (right, i128::from(other.per.0)))
    }

    /// What a quantity weighs, to the nearest millionth.
    pub fn nearest(&self, quantity: Quantity) -> Quantity {
        let product = i128::from(quantity.0).saturating_mul(i128::from(self.value.0));
        let nearest = divide(product, i128::from(self.per.0), Rounding::HalfEven);
        Quantity(i64::try_from(nearest).unwrap_or(i64::MAX))
    }

    /// What so many millionths weigh, if that is whole millionths.
    pub fn exactly(&self, millionths: i128) -> Option<i128> {
        let product = millionths.checked_mul(i128::from(self.value.0))?;
        let per = i128::from(self.per.0);
        (product % per == 0).then_some(product / per)
    }
}

/// Compares two ratios whose second parts are above zero, however large they are: whole parts first,
/// then what is left, turned over.
fn compare_ratios(left: (i128, i128), right: (i128, i128)) -> Ordering {
    let (mut left, mut right) = (left, right);
    let mut turned = false;
    loop {
        let whole = left.0.div_euclid(left.1).cmp(&right.0.div_euclid(right.1));
        let rest = [left, right].map(|(value, per)| value.rem_euclid(per));
        let order = match (whole, rest) {
            (Ordering::Equal, [0, 0]) => Ordering::Equal,
            (Ordering::Equal, [0, _]) => Ordering::Less,
            (Ordering::Equal, [_, 0]) => Ordering::Greater,
            (Ordering::Equal, [of_left, of_right]) => {
                (left, right) = ((left.1, of_left), (right.1, of_right));
                turned = !turned;
                continue;
            }
            (order, _) => order,
        };
        return if turned { order.reverse() } else { order };
    }
}

/// How many licenses a shape needs under a rule; `factor` is the processor model's.
pub fn needed(rule: ProcessorRule, shape: &Shape, factor: Weight) -> Quantity {
    let Shape { processors, cores, threads, .. } = *shape;
    let own = shape.own_cores();
    let whole = match rule {
        ProcessorRule::Cores => own,
        ProcessorRule::Processors => processors,
        ProcessorRule::CoresEightSixteen => cores.max(8 * processors).max(16),
        ProcessorRule::CoresFour => match shape.virtual_cores {
            Some(_) => own.max(4),
            None => cores.max(4 * processors),
        },
        ProcessorRule::CoresInEights => own.div_ceil(8).max(1) * 8,
        ProcessorRule::CoresByFactor => {
            let product = i128::from(own) * i128::from(factor.value.0);
            let rounded = divide(product, i128::from(factor.per.0), Rounding::Ceil);
            return units(rounded);
        }
        ProcessorRule::VirtualInFours => own.div_ceil(4),
        ProcessorRule::VirtualInTwos => own.div_ceil(2),
        ProcessorRule::ProcessorsOfThirtyTwo => {
            processors * cores.div_ceil(32 * processors.max(1)).max(1)
        }
        ProcessorRule::CoresSixteen => cores.max(16 * processors),
        ProcessorRule::ProcessorPairs => processors.div_ceil(2),
        ProcessorRule::EvenProcessors if shape.without_host => 1,
        ProcessorRule::EvenProcessors => processors.div_ceil(2) * 2,
        ProcessorRule::HalfThreads => threads.div_ceil(2),
    };
    units(i128::from(whole))
}

/// How many licenses shapes need that count as one: of a cluster, say. Factors apply to each shape, and
/// the sum is rounded once.
pub fn needed_together(rule: ProcessorRule, shapes: &[(Shape, Weight)]) -> Quantity {
    if let [(shape, factor)] = shapes {
        return needed(rule, shape, *factor);
    }
    if rule == ProcessorRule::CoresByFactor {
        let pers = shapes.iter().map(|(_, factor)| i128::from(factor.per.0));
        let common = pers.fold(1, least_common_multiple);
        let parts = shapes.iter().map(|(shape, factor)| {
            let share = common / i128::from(factor.per.0);
            let value = i128::from(factor.value.0).saturating_mul(share);
            i128::from(shape.own_cores()).saturating_mul(value)
        });
        let sum = parts.fold(0, i128::saturating_add);
        return units(divide(sum, common, Rounding::Ceil));
    }
    let mut all = Shape::default();
    for (shape, _) in shapes {
        all.processors += shape.processors;
        all.cores += shape.own_cores();
        all.threads += shape.threads;
    }
    needed(rule, &all, Weight::ONE)
}

fn units(whole: i128) -> Quantity {
    Quantity::units(i64::try_from(whole).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    //! The worked examples, by the names under which they are known.

    use super::{ProcessorRule, Shape, Weight, needed};
    use crate::quantity::Quantity;

    fn physical(processors: u64, each: u64) -> Shape {
        Shape { processors, cores: processors * each, ..Shape::default() }
    }

    fn virtual_machine(cores: u64) -> Shape {
        Shape { virtual_cores: Some(cores), ..Shape::default() }
    }

    fn all<const N: usize>(rule: ProcessorRule, shapes: [Shape; N]) -> [i64; N] {
        shapes.map(|shape| {
            let needed = needed(rule, &shape, Weight::ONE);
            assert!(needed.is_whole());
            needed.0 / 1_000_000
        })
    }

    #[test]
    fn win_1() {
        let hosts = [(1, 4), (1, 8), (2, 4), (2, 10), (4, 6)].map(|(p, c)| physical(p, c));
        assert_eq!(all(ProcessorRule::CoresEightSixteen, hosts), [16, 16, 16, 20, 32]);
    }

    #[test]
    fn sqlvm_1() {
        let machines = [1, 2, 4, 8].map(virtual_machine);
        assert_eq!(all(ProcessorRule::CoresFour, machines), [4, 4, 4, 8]);
        assert_eq!(all(ProcessorRule::CoresFour, [physical(2, 2), physical(2, 6)]), [8, 12]);
    }

    #[test]
    fn ahb_1() {
        let machines = [1, 2, 8, 10, 16, 20].map(virtual_machine);
        assert_eq!(all(ProcessorRule::CoresInEights, machines), [8, 8, 8, 16, 16, 24]);
    }

    #[test]
    fn ora_core() {
        let half = Weight { value: Quantity(500_000), per: Quantity::ONE };
        let licenses = |shape| needed(ProcessorRule::CoresByFactor, &shape, half);
        assert_eq!(licenses(physical(2, 4)), Quantity::units(4));
        assert_eq!(licenses(physical(2, 16)), Quantity::units(16));
        // 81 cores at 0.1 are 8.1: always upwards.
        let tenth = Weight { value: Quantity(100_000), per: Quantity::ONE };
        let up = needed(ProcessorRule::CoresByFactor, &physical(1, 81), tenth);
        assert_eq!(up, Quantity::units(9));
    }

    #[test]
    fn ora_cloud() {
        let machines = [10, 7].map(virtual_machine);
        assert_eq!(all(ProcessorRule::VirtualInFours, machines), [3, 2]);
        assert_eq!(all(ProcessorRule::VirtualInTwos, [virtual_machine(2)]), [1]);
    }

    #[test]
    fn vmw_1_and_vmwcore_1() {
        let hosts = [16, 32, 33, 64, 65].map(|each| physical(2, each));
        assert_eq!(all(ProcessorRule::ProcessorsOfThirtyTwo, hosts), [2, 2, 4, 4, 6]);
        let larger = [8, 16, 24].map(|each| physical(2, each));
        assert_eq!(all(ProcessorRule::CoresSixteen, larger), [32, 32, 48]);
    }

    #[test]
    fn rhel_and_swatch() {
        assert_eq!(all(ProcessorRule::ProcessorPairs, [physical(10, 1), physical(1, 1)]), [5, 1]);
        let hosts = [1, 2, 3, 4, 5].map(|processors| physical(processors, 1));
        assert_eq!(all(ProcessorRule::EvenProcessors, hosts), [2, 2, 4, 4, 6]);
        let threads = [1, 2, 3, 8].map(|threads| Shape { threads, ..Shape::default() });
        assert_eq!(all(ProcessorRule::HalfThreads, threads), [1, 1, 2, 4]);
        let guest = Shape { without_host: true, ..physical(8, 1) };
        assert_eq!(all(ProcessorRule::EvenProcessors, [guest]), [1]);
    }
}
