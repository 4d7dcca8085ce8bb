//! The `trueup-files` program: delivers tables and streams of events that lie in files.

use clap::Parser as _;
use std::process::ExitCode;
use trueup_connectors::connector::{ended, files};

fn main() -> ExitCode {
    ended(files::run(&files::Arguments::parse()))
}
