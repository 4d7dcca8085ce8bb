//! The `trueup` binary: parse, run, print the error chain once, exit with a code by kind.

mod answer;
mod api;
mod args;
mod command;
mod config;
mod exit;
mod export;
mod files;
mod filter;
mod incident;
mod listener;
mod local;
mod question;
mod render;
mod shutdown;

use clap::Parser as _;
use exit::{Exit, Failure};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trueup_runtime::memory::allocator::keep_freed_memory();
    let arguments = args::Arguments::parse();
    match command::run(arguments.command) {
        Ok(exit) => exit.into(),
        // Whoever reads from a pipe may stop reading; that is no failure.
        Err(error) if is_closed_pipe(&error) => Exit::Clean.into(),
        Err(error) => report(&error).into(),
    }
}

/// Prints an error with its causes and what can be done about it; gives the code to end with.
fn report(error: &anyhow::Error) -> Exit {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let mut text = format!("error: {error}");
    for cause in causes {
        text.push_str("\n  because ");
        text.push_str(&cause);
    }
    let failure = error.downcast_ref::<Failure>();
    if let Some(hint) = failure.and_then(|failure| failure.hint.as_ref()) {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    // Nobody may be there to read it.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
    failure.map_or(Exit::Internal, |failure| failure.exit)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
