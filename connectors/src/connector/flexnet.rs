//! `trueup-flexnet`: the files of one FlexNet license server, delivered once or while they change.
//!
//! The log is followed as `tail` says; license and options files, saved answers and the answers of a
//! command are told when they are new or changed. The engine keeps how far all of it was told, so
//! this program may be stopped, killed and started again at any time.

mod site;
mod tail;

use super::args::{DeliveryArguments, check_names, document_name, duration, zone};
use super::delivery::Delivery;
use super::exit::{EXIT_CODES, Exit, Failure};
use super::progress::Progress;
use super::{report, signals};
use crate::client::clock::{Clock as _, wall_now};
use crate::formats::flexnet::log::LogOptions;
use crate::formats::flexnet::merge::{self, LogFile};
use crate::load::FileReport;
use crate::load::devices::Devices;
use crate::load::report::{ByDocument, Reporting};
use crate::source::command::{Asking, ask};
use crate::source::file;
use clap::{ArgGroup, Parser};
use site::Site;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tail::{Tail, TailOptions};
use trueup_model::calendar::Zone;
use trueup_model::hash::hash64;
use trueup_model::time::Timestamp;

/// How often it is told that daemons are alive, while their log is followed.
const ALIVE_EVERY: Duration = Duration::from_secs(60);
/// How long a command may take to answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// How many pieces of a log are read before the other files are looked at.
const PIECES_MAX: usize = 64;

/// What `trueup-flexnet` can be told.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "trueup-flexnet",
    version,
    about = "Delivers what a FlexNet license server's files say to a running engine.",
    max_term_width = 100,
    after_help = EXIT_CODES,
    group = ArgGroup::new("input").required(true).multiple(true).args(
        ["log", "license", "options", "lmstat", "lmstat_command"],
    )
)]
pub struct Arguments {
    /// To whom, and as whose.
    #[command(flatten)]
    pub delivery: DeliveryArguments,
    /// The zone of the server's wall clock: an IANA name such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub time_zone: Zone,
    /// The server's debug log. With --once several: parts of it in any order, or copies.
    #[arg(long, value_name = "FILE")]
    pub log: Vec<PathBuf>,
    /// A license file of the server; may be given several times, they add up.
    #[arg(long, value_name = "FILE")]
    pub license: Vec<PathBuf>,
    /// A vendor daemon's options file, called after it if there are several daemons.
    #[arg(long, value_name = "FILE")]
    pub options: Vec<PathBuf>,
    /// A saved answer to `lmstat -a` or `lmstat -i`.
    #[arg(long, value_name = "FILE")]
    pub lmstat: Vec<PathBuf>,
    /// A command that answers as `lmstat -a` does, such as 'lmutil lmstat -a -c 27000@lic1'.
    #[arg(long, value_name = "COMMAND")]
    pub lmstat_command: Option<String>,
    /// How often the command is asked.
    #[arg(long, value_name = "DURATION", default_value = "300s", value_parser = duration)]
    pub lmstat_interval: Duration,
    /// The server's host, whatever the files say.
    #[arg(long, value_name = "HOST")]
    pub server: Option<String>,
    /// How often files are looked at.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub poll: Duration,
    /// Go on until told to stop; this is the default.
    #[arg(long, conflicts_with = "once")]
    pub follow: bool,
    /// Deliver what there is, and end.
    #[arg(long)]
    pub once: bool,
}

/// Runs the program.
///
/// # Errors
/// If a file cannot be read, the engine does not answer or refuses, or the arguments do not fit together.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    signals::log_to_stderr(arguments.once);
    check(arguments)?;
    let stop = signals::stop()?;
    let patience = arguments.delivery.patience(arguments.once);
    let delivery = Delivery::connect(&arguments.delivery, patience, stop)?;
    let known_host = delivery.position.log.as_ref().and_then(|log| log.host.clone());
    let site = Site::new(arguments, known_host.as_deref());
    if arguments.once { once(arguments, site, delivery) } else { follow(arguments, site, delivery) }
}

/// Refuses what cannot work, before anything is delivered.
fn check(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { log, license, options, lmstat, .. } = arguments;
    if !arguments.once && log.len() > 1 {
        let hint = "run one for each server; or deliver parts of one log with --once first";
        return Err(Failure::new(Exit::Usage, "one program follows one log", hint));
    }
    let all = || [log, license, options, lmstat].into_iter().flatten();
    check_names(all().map(PathBuf::as_path))?;
    for path in all() {
        file::check(path).map_err(|error| Failure::unreadable(&error))?;
    }
    Ok(())
}

/// Delivers what there is.
fn once(
    arguments: &Arguments,
    mut site: Site<'_>,
    mut delivery: Delivery,
) -> Result<Exit, Failure> {
    let mut progress = Progress::on_standard_error();
    site.look_at_rights(&mut delivery, wall_now())?;
    let mut reports = Vec::new();
    let mut devices = BTreeSet::new();
    if let [path] = arguments.log.as_slice() {
        let mut tail = open(arguments, &site, &delivery, path);
        let mut report = log_report(path);
        while step(&mut tail, &mut report, &mut delivery)? {
            show(&mut progress, path, &tail);
        }
        site.meet_host(tail.host());
        devices = std::mem::take(&mut tail.devices);
        delivery.position.log = tail.position().or(delivery.position.log.take());
        report = delivery.give(|sink| {
            let mut reporting = Reporting::going_on(sink, report);
            tail.finish(&mut reporting);
            reporting.report
        })?;
        reports.push(report);
    } else if !arguments.log.is_empty() {
        progress.say("reading the parts of the log");
        reports.extend(parts(arguments, &site, &mut delivery, &mut devices)?);
    }
    progress.clear();
    site.look_at_answers(&mut delivery, wall_now(), &devices)?;
    if let Some(command) = &arguments.lmstat_command {
        let answer = ask(command, ANSWER_PATIENCE).map_err(|error| {
            Failure::of(Exit::Io, &error, "run the command by hand, as the user of this program")
        })?;
        reports.push(tell_answer(command, &answer, &site, &mut delivery, &devices)?);
    }
    reports.extend(site.reports());
    let delivered = delivery.close()?;
    report::print(&arguments.delivery, &reports, &delivered)
}

/// Delivers what is new, until told to stop.
fn follow(
    arguments: &Arguments,
    mut site: Site<'_>,
    mut delivery: Delivery,
) -> Result<Exit, Failure> {
    let mut progress = Progress::on_standard_error();
    let path = arguments.log.first();
    let mut tail = path.map(|path| open(arguments, &site, &delivery, path));
    let mut report = path.map_or_else(FileReport::default, |path| log_report(path));
    let mut asking = arguments
        .lmstat_command
        .as_deref()
        .map(|command| Asking::new(command, arguments.lmstat_interval, ANSWER_PATIENCE));
    let mut answered = FileReport::default();
    let mut alive_due = Duration::ZERO;
    let mut remarks = Remarks::default();
    while !delivery.stop.is_set() {
        let mut is_behind = false;
        site.look_at_rights(&mut delivery, wall_now())?;
        if let (Some(tail), Some(path)) = (&mut tail, path) {
            is_behind = true;
            for _ in 0..PIECES_MAX {
                is_behind = step(tail, &mut report, &mut delivery)?;
                if !is_behind || delivery.stop.is_set() {
                    break;
                }
                show(&mut progress, path, tail);
            }
            if !is_behind {
                progress.clear();
                site.meet_host(tail.host());
                remarks.caught_up(path, &report);
                if delivery.clock.now() >= alive_due {
                    alive_due = delivery.clock.now() + ALIVE_EVERY;
                    report = idle(tail, report, &mut delivery)?;
                }
            }
        }
        let none = BTreeSet::new();
        let devices = tail.as_ref().map_or(&none, |tail| &tail.devices);
        if !is_behind {
            site.look_at_answers(&mut delivery, wall_now(), devices)?;
            if let (Some(asking), Some(command)) = (&mut asking, &arguments.lmstat_command) {
                match asking.poll(delivery.clock.now()) {
                    Some(Ok(answer)) => {
                        answered = tell_answer(command, &answer, &site, &mut delivery, devices)?;
                    }
                    Some(Err(error)) => {
                        tracing::warn!(error = %Failure::of(Exit::Io, &error, ""), "no answer");
                    }
                    None => {}
                }
            }
        }
        delivery.flush()?;
        delivery.poll()?;
        if !is_behind {
            delivery.rest(arguments.poll);
        }
    }
    tracing::info!("stopping");
    if let Some(mut tail) = tail {
        report = idle(&mut tail, report, &mut delivery)?;
    }
    let delivered = delivery.close()?;
    let logs = path.map(|_| report).into_iter();
    let answers = arguments.lmstat_command.as_ref().map(|_| answered);
    let reports: Vec<FileReport> = logs.chain(answers).chain(site.reports()).collect();
    if arguments.delivery.json {
        report::print(&arguments.delivery, &reports, &delivered)?;
    }
    Ok(Exit::Clean)
}

/// What was said of a log that is followed, so that it is not said again.
#[derive(Debug, Default)]
struct Remarks {
    is_caught_up: bool,
    rejects: u64,
}

impl Remarks {
    /// Says that the end of the log was reached the first time, and each time that more was set aside.
    fn caught_up(&mut self, path: &Path, report: &FileReport) {
        let (log, facts) = (path.display(), report.facts);
        if !std::mem::replace(&mut self.is_caught_up, true) {
            tracing::info!(%log, facts, "read up to its end; following");
        }
        let rejects = report.rejects;
        if std::mem::replace(&mut self.rejects, rejects) < rejects {
            tracing::warn!(%log, rejects, "input was set aside: see `trueup quarantine`");
        }
    }
}

/// Opens a log where it was left.
fn open(arguments: &Arguments, site: &Site<'_>, delivery: &Delivery, path: &Path) -> Tail {
    let document = document_name(&arguments.delivery.source, path);
    let written = file::modified_at(path).filter(|_| arguments.once);
    let log = LogOptions {
        host: arguments.server.clone(),
        fallback_host: site.log_host().or_else(|| site.license_host()),
        date_hint: written.map(Timestamp),
    };
    let zone = arguments.time_zone.name();
    let server = arguments.server.as_deref().unwrap_or_default();
    let options = TailOptions {
        path: path.to_owned(),
        context: site.context(&document, wall_now()),
        log,
        told_as: hash64(&[zone.as_bytes(), server.as_bytes()]),
        is_hearing: arguments.lmstat_command.is_some() || !arguments.lmstat.is_empty(),
    };
    Tail::open(options, delivery.position.log.as_ref())
}

fn log_report(path: &Path) -> FileReport {
    FileReport {
        name: path.display().to_string(),
        format: "flexnet_log".to_owned(),
        reason: "it was named with --log".to_owned(),
        ..FileReport::default()
    }
}

/// Reads a piece of a log, if there is one, and moves the position behind it.
fn step(
    tail: &mut Tail,
    report: &mut FileReport,
    delivery: &mut Delivery,
) -> Result<bool, Failure> {
    let known = std::mem::take(report);
    let (counted, stepped) = delivery.give(|sink| {
        let mut reporting = Reporting::going_on(sink, known);
        let stepped = tail.step(wall_now(), &mut reporting);
        (reporting.report, stepped)
    })?;
    *report = counted;
    let is_read = stepped.map_err(|error| {
        let message = format!("could not read on in {}: {error}", report.name);
        Failure::new(Exit::Io, message, "nothing is lost: the next start reads on from there")
    })?;
    if is_read && let Some(position) = tail.position() {
        delivery.position.log = Some(position);
        delivery.mark()?;
    }
    Ok(is_read)
}

fn idle(
    tail: &mut Tail,
    report: FileReport,
    delivery: &mut Delivery,
) -> Result<FileReport, Failure> {
    let counted = delivery.give(|sink| {
        let mut reporting = Reporting::going_on(sink, report);
        tail.idle(&mut reporting);
        reporting.report
    })?;
    delivery.position.log = tail.position().or(delivery.position.log.take());
    Ok(counted)
}

/// Reads the parts of a log together.
fn parts(
    arguments: &Arguments,
    site: &Site<'_>,
    delivery: &mut Delivery,
    devices: &mut BTreeSet<String>,
) -> Result<Vec<FileReport>, Failure> {
    let mut files = Vec::new();
    // A part without a date is read behind the one before it: the older ones come first.
    let mut paths: Vec<&PathBuf> = arguments.log.iter().collect();
    paths.sort_by_key(|path| file::modified_at(path));
    for path in &paths {
        let bytes = file::read(path).map_err(|error| Failure::unreadable(&error))?;
        files.push((document_name(&arguments.delivery.source, path), bytes));
    }
    let logs: Vec<LogFile<'_>> =
        files.iter().map(|(name, bytes)| LogFile { name, bytes }).collect();
    let reports = paths.iter().zip(&files);
    let reports =
        reports.map(|(path, (name, _))| FileReport { name: name.clone(), ..log_report(path) });
    let options = LogOptions {
        host: arguments.server.clone(),
        fallback_host: site.license_host(),
        date_hint: paths.first().and_then(|path| file::modified_at(path)).map(Timestamp),
    };
    let context = site.context("", wall_now());
    let is_hearing = !arguments.lmstat.is_empty() || arguments.lmstat_command.is_some();
    let mut counted = delivery.give(|sink| {
        let mut by_document = ByDocument::new(sink, reports.collect());
        let mut hearing = Devices::new(&mut by_document, is_hearing);
        merge::read(context, options, &logs, &mut hearing);
        *devices = std::mem::take(&mut hearing.devices);
        by_document.reports
    })?;
    for (path, report) in paths.iter().zip(&mut counted) {
        report.name = path.display().to_string();
    }
    Ok(counted)
}

fn tell_answer(
    command: &str,
    answer: &[u8],
    site: &Site<'_>,
    delivery: &mut Delivery,
    devices: &BTreeSet<String>,
) -> Result<FileReport, Failure> {
    let context = site.context(command, wall_now());
    delivery.give(|sink| {
        let mut reporting = Reporting::new(sink, command, "flexnet_lmstat", "it was answered");
        site.answer(&context, None, answer, devices, &mut reporting);
        reporting.report
    })
}

fn show(progress: &mut Progress, path: &Path, tail: &Tail) {
    let (read, there) = tail.progress();
    let megabytes = |bytes: u64| bytes / 1_000_000;
    progress.say(&format!("{}: {} of {} MB", path.display(), megabytes(read), megabytes(there)));
}
