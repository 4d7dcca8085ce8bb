//! What the journal makes durable per second, and how long a group takes to get there.
//!
//! One thread appends records and gives away a group after so many; up to four groups are on their way.
//! Old files are let go of, so that after the first few the journal writes into files that have their room.
//! Says for each run: records and bytes per second of wall time, and how long it took from a group's last
//! record to the moment at which the writer said that it is durable, looked at once for each group.
//! `--sealed` has each run followed by one whose records are encrypted, and says at the end what is left of the
//! rate, run by run.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_types, reason = "a bench measures time")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "rates are shown to people")]

use clap::Parser;
use hdrhistogram::Histogram;
use std::collections::VecDeque;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use trueup_journal::writer::NewRecord;
use trueup_journal::{Directory, Keyed, Keys, Options, Writer, open};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Appends records to a journal and waits until they are durable.
#[derive(Debug, Parser)]
struct Args {
    /// Where the journal is made and removed; a folder for temporary files if not given
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Bytes of a record
    #[arg(long, default_value_t = 64)]
    bytes: usize,
    /// Records that the owner puts into one of the journal, as a batch
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Records in a group
    #[arg(long, default_value_t = 12_288)]
    group: usize,
    /// MiB of a file
    #[arg(long, default_value_t = 64)]
    segment: u64,
    /// Seconds of a run
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Runs, one after the other, over the same files
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Follow each run by one over other files whose records are encrypted
    #[arg(long)]
    sealed: bool,
    /// Of how many parties the records are in turn, each under a key of its own
    #[arg(long, default_value_t = 1)]
    parties: usize,
    /// Wait for each group before the next one is gathered
    #[arg(long)]
    alone: bool,
    /// Once, on little: to see that it works
    #[arg(long)]
    test: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

/// What a run came to.
struct Measured {
    records: u64,
    took: Duration,
    /// Microseconds from a group's last record to its being durable.
    commits: Histogram<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = Args::parse();
    if args.test {
        (args.runs, args.seconds, args.segment) = (1, 0, 1);
    }
    let parent = args.directory.clone().unwrap_or_else(std::env::temp_dir);
    let place = tempfile::tempdir_in(parent)?;
    let options = Options { segment_bytes_max: args.segment * 1024 * 1024, ..Options::new(1) };
    let opened = |name: &str, keys| {
        let directory = Directory::open(place.path().join(name))?;
        open(Keyed::new(directory, keys), options).map(|opened| opened.writer)
    };
    let mut plain = opened("plain", None)?;
    let keys = Keys::parse(&format!("trueup keys 1\nkey {}", "5a".repeat(32)))?;
    let mut sealed = if args.sealed { Some(opened("sealed", Some(keys.into()))?) } else { None };
    println!("run  million records/s  MB/s  commit ms: p50    p99    max   groups");
    let mut left = Vec::new();
    for run in 1..=args.runs {
        let rate = show(run, "", &measure(&mut plain, &args)?, &args);
        if let Some(writer) = &mut sealed {
            left.push(show(run, "  encrypted", &measure(writer, &args)?, &args) / rate);
        }
    }
    left.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (left.first(), left.last()) {
        let median = left.get(left.len() / 2).unwrap_or(least);
        println!("encrypted, of the rate {median:.2} is left (median; {least:.2} to {most:.2})");
    }
    Ok(())
}

/// Prints what a run came to; gives its records per second.
fn show(run: usize, what: &str, measured: &Measured, args: &Args) -> f64 {
    let Measured { records, took, commits } = measured;
    let rate = *records as f64 / took.as_secs_f64();
    let [p50, p99, max] =
        [0.5, 0.99, 1.0].map(|quantile| commits.value_at_quantile(quantile) as f64 / 1000.0);
    println!(
        "{run:3}  {:17.2}  {:4.0}  {p50:14.2} {p99:6.2} {max:6.2}  {:7}{what}",
        rate / 1e6,
        rate * args.bytes as f64 / 1e6,
        commits.len(),
    );
    rate
}

fn measure(writer: &mut Writer<Keyed<Directory>>, args: &Args) -> Result<Measured, Box<dyn Error>> {
    let parties: Vec<String> = (0..args.parties.max(1)).map(|n| format!("party {n}")).collect();
    let mut parties = parties.iter().cycle();
    let content = vec![0x5A; args.bytes * args.batch];
    let record = NewRecord { kind: 1, epoch: 1, parts: &[&content] };
    let mut commits = Histogram::new(3)?;
    let mut waiting = VecDeque::new();
    let (began, mut records) = (Instant::now(), 0);
    loop {
        let mut last = writer.last_number();
        for _ in 0..args.group.div_ceil(args.batch) {
            last = writer.append_of(parties.next().map_or("", String::as_str), record)?;
            records += args.batch as u64;
        }
        waiting.push_back((last, Instant::now()));
        let is_over = began.elapsed() >= Duration::from_secs(args.seconds);
        let progress = if is_over || args.alone { writer.sync()? } else { writer.submit()? };
        let now_us = u64::try_from(began.elapsed().as_micros())?;
        let durable = progress.durable.max(writer.tick(now_us)?.durable);
        while let Some((_, given)) = waiting.pop_front_if(|(number, _)| *number <= durable) {
            commits.record(u64::try_from(given.elapsed().as_micros())?)?;
        }
        writer.release(durable);
        if is_over {
            return Ok(Measured { records, took: began.elapsed(), commits });
        }
    }
}
