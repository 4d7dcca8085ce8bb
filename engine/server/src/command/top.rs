//! `trueup top`: what the operators of a running engine cost, and how its epochs come along.

use super::ask::get;
use crate::answer::operator::OperatorCosts;
use crate::args::{TopArguments, Where};
use crate::exit::Exit;
use crate::render::{self, Format, Page};
use anyhow::Context as _;
use std::time::Duration;
use trueup_connectors::client::clock::{Clock as _, SystemClock};

/// Asks what operators cost, and writes it.
pub(crate) fn run(arguments: &TopArguments) -> anyhow::Result<Exit> {
    let mut costs = ask(&arguments.engine)?;
    if let Some(seconds) = arguments.over {
        SystemClock::start().pause(Duration::from_secs(seconds));
        costs = ask(&arguments.engine)?.since(&costs);
    }
    costs.rows.truncate(arguments.limit);
    let mut out = std::io::stdout().lock();
    let mut page = Page::stdout(&mut out);
    match arguments.output.format() {
        Format::Json => page.line(&serde_json::to_string_pretty(&costs)?)?,
        Format::Csv => {
            page.line("operator,operators,runs,busy_us,longest_us,rows")?;
            for row in &costs.rows {
                page.line(&format!(
                    "\"{}\",{},{},{},{},{}",
                    row.operator.replace('"', "\"\""),
                    row.operators,
                    row.runs,
                    row.busy_us,
                    row.longest_us,
                    row.rows
                ))?;
            }
        }
        Format::Table => render::operators(&mut page, &costs)?,
    }
    Ok(Exit::Clean)
}

fn ask(engine: &Where) -> anyhow::Result<OperatorCosts> {
    let json = get(engine, "/v1/operators", &[])?;
    serde_json::from_str(&json).context("the answer is not what this version reads")
}
