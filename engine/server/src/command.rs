//! The commands: each reads its arguments, does its work, and says with which code to end.

mod ask;
mod backup;
mod config;
mod demo;
mod launch;
mod mend;
mod reconcile;
mod replay;
mod report;
mod search;
mod serve;
mod top;
mod verify;

use crate::args::Command;
use crate::exit::Exit;
use crate::question::View;

/// Runs a command.
pub(crate) fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Launch(arguments) => launch::run(&arguments),
        Command::Positions(arguments) => ask::view(View::Positions, &arguments),
        Command::Levels(arguments) => ask::view(View::Levels, &arguments),
        Command::Discrepancies(arguments) => ask::view(View::Discrepancies, &arguments),
        Command::Rollups(arguments) => ask::view(View::Rollups, &arguments),
        Command::Credits(arguments) => ask::view(View::Credits, &arguments),
        Command::Overages(arguments) => ask::view(View::Overages, &arguments),
        Command::Charges(arguments) => ask::view(View::Charges, &arguments),
        Command::TrueUps(arguments) => ask::view(View::TrueUps, &arguments),
        Command::Fees(arguments) => ask::view(View::Fees, &arguments),
        Command::Bills(arguments) => ask::view(View::Bills, &arguments),
        Command::Allocations(arguments) => ask::view(View::Allocations, &arguments),
        Command::Explain(arguments) => ask::explain(&arguments),
        Command::Quarantine(arguments) => ask::view(View::Quarantine, &arguments),
        Command::Pools(arguments) => ask::view(View::Pools, &arguments),
        Command::Sessions(arguments) => ask::view(View::Sessions, &arguments),
        Command::Denials(arguments) => ask::view(View::Denials, &arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Repair(arguments) => verify::repair(&arguments),
        Command::Backup(arguments) => backup::back_up(&arguments),
        Command::Restore(arguments) => backup::put_back(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Trial(arguments) => mend::trial(&arguments),
        Command::Config(arguments) => config::run(&arguments),
    }
}
