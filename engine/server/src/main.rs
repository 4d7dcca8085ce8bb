//! The `trueup` binary: parse, run, print the error chain once, exit with a code by kind.

mod answer;
mod api;
mod args;
mod config;
mod exit;
mod filter;
mod question;
mod render;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {}
