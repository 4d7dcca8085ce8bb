//! Workload R as a script that every engine is given: the same rows, in the same batches, with the same
//! changes in between.

use trueup_datasets::workload::reconciliation::{
    Answers, ChangeSet, Reconciliation, Row, Scale, plain,
};

/// The seed of the script.
const SEED: u64 = 7;
/// How many change sets come between the rows.
const CHANGES: u32 = 10;
/// How many small batches come in the end.
const SMALL_BATCHES: u32 = 100;
/// Rows of a small batch; fewer if there are few in all.
const SMALL: u32 = 1000;

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Rows at once.
    Rows(Vec<Row>),
    /// An account moves, lines change.
    Change(ChangeSet),
}

/// A script, and the right answers after it.
#[derive(Clone, Debug)]
pub struct Script {
    /// The world before the first step.
    pub begin: Reconciliation,
    /// The steps that are measured for throughput.
    pub steps: Vec<Step>,
    /// Small batches at full state, which are measured one by one.
    pub small: Vec<Step>,
    /// The world after the last step.
    pub end: Reconciliation,
}

impl Script {
    /// The script with so many rows in large batches; as much as a hundredth comes in small ones.
    pub fn of(rows: u32, batch: usize) -> Self {
        let mut stream = Reconciliation::new(Scale::of(rows), SEED);
        let begin = stream.clone();
        let (mut steps, mut open, mut drawn, mut changed) = (Vec::new(), Vec::new(), 0, 0);
        while drawn < rows {
            let next = stream.draw();
            drawn += u32::try_from(next.len()).unwrap_or(0);
            open.extend(next);
            if open.len() >= batch || drawn >= rows {
                steps.push(Step::Rows(std::mem::take(&mut open)));
            }
            if u64::from(drawn) * u64::from(CHANGES) >= u64::from(rows) * (changed + 1) {
                steps.extend((!open.is_empty()).then(|| Step::Rows(std::mem::take(&mut open))));
                steps.push(Step::Change(stream.change()));
                changed += 1;
            }
        }
        let size = SMALL.min(rows / 1000).max(1);
        let mut small = Vec::new();
        for number in 0..SMALL_BATCHES {
            small.push(Step::Rows((0..size).flat_map(|_| stream.draw()).collect()));
            if number % 20 == 19 {
                small.push(Step::Change(stream.change()));
            }
        }
        Self { begin, steps, small, end: stream }
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.steps.iter().chain(&self.small).flat_map(|step| match step {
            Step::Rows(rows) => rows.as_slice(),
            Step::Change(_) => &[],
        })
    }

    /// The rows that are measured for throughput.
    pub fn measured(&self) -> usize {
        let rows = self.steps.iter().map(|step| match step {
            Step::Rows(rows) => rows.len(),
            Step::Change(_) => 0,
        });
        rows.sum()
    }

    /// What every engine must answer in the end, by plain loops.
    pub fn answers(&self) -> Answers {
        let rows: Vec<Row> = self.rows().copied().collect();
        plain(&self.end, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHANGES, SMALL_BATCHES, Script, Step};

    #[test]
    fn a_script_holds_its_rows_and_changes() {
        let script = Script::of(5000, 300);
        assert!((5000..5002).contains(&script.measured()));
        let changes =
            |steps: &[Step]| steps.iter().filter(|step| matches!(step, Step::Change(_))).count();
        assert_eq!(changes(&script.steps), CHANGES as usize);
        assert_eq!(changes(&script.small), SMALL_BATCHES as usize / 20);
        assert!(script.rows().count() > script.measured() + SMALL_BATCHES as usize * 5);
        assert!(script.answers().short.rows > 0, "some lines do not suffice");
    }
}
