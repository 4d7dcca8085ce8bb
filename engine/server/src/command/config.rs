//! Shows the configuration: every key, its value, and where the value comes from.

use crate::args::ConfigArguments;
use crate::config::{Values, defaults, environment};
use crate::exit::Exit;
use std::io::Write as _;

/// Prints the configuration, and whether it is right.
pub(crate) fn run(arguments: &ConfigArguments) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if arguments.defaults {
        write!(out, "{}", defaults())?;
        return Ok(Exit::Clean);
    }
    let values = Values::read(arguments.config.as_deref(), environment)?;
    write!(out, "{}", values.shown())?;
    values.check()?;
    Ok(Exit::Clean)
}
