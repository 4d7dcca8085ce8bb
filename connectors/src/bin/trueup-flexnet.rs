//! The `trueup-flexnet` program: delivers what a FlexNet license server's files say.

use clap::Parser as _;
use std::process::ExitCode;
use trueup_connectors::connector::{ended, flexnet};

fn main() -> ExitCode {
    ended(flexnet::run(&flexnet::Arguments::parse()))
}
