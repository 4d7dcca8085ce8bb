//! `trueup-files`: purchase lists, seat exports, account tables and streams of events, delivered once or
//! whenever they change.
//!
//! A changed file is read again as a whole: a table is a new version of its document, and events count
//! once by their own identities. The engine keeps which files it has as they are, so a run that finds
//! nothing new sends nothing.

use super::args::{DeliveryArguments, check_names, document_name, duration, zone};
use super::delivery::Delivery;
use super::documents::{self, Found as FoundFile};
use super::exit::{EXIT_CODES, Exit, Failure};
use super::progress::Progress;
use super::{report, signals};
use crate::client::clock::wall_now;
use crate::formats::flexnet::detect::detect;
use crate::formats::mapping::Mapping;
use crate::load::{File, FileReport, Options, load};
use crate::source::file;
use crate::source::watch::{Found, Watched};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trueup_model::calendar::Zone;
use trueup_model::hash::hash64;
use trueup_model::time::Timestamp;

/// What `trueup-files` can be told.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "trueup-files",
    version,
    about = "Delivers tables and streams of events that lie in files to a running engine.",
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub struct Arguments {
    /// To whom, and as whose.
    #[command(flatten)]
    pub delivery: DeliveryArguments,
    /// Tables (CSV, XLSX) and streams of events (NDJSON, CloudEvents), each with the mapping that says
    /// what its columns mean. Without one a mapping among the files that names all of its columns is
    /// taken, or none is needed because the headers are the ones of `trueup demo --extract DIR`.
    #[arg(required = true, value_name = "FILE[=MAPPING]")]
    pub files: Vec<String>,
    /// The zone in which days begin and local times are, if a mapping says no other.
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub time_zone: Zone,
    /// Go on until told to stop, and deliver what changes.
    #[arg(long, conflicts_with = "once")]
    pub watch: bool,
    /// Deliver what there is, and end; this is the default.
    #[arg(long)]
    pub once: bool,
    /// How often files are looked at.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub poll: Duration,
}

/// Runs the program.
///
/// # Errors
/// If a file cannot be read, a mapping is wrong, or the engine does not answer or refuses.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    signals::log_to_stderr(!arguments.watch);
    let mut folder = Folder::open(arguments)?;
    let stop = signals::stop()?;
    let patience = arguments.delivery.patience(!arguments.watch);
    let mut delivery = Delivery::connect(&arguments.delivery, patience, stop)?;
    folder.look(&mut delivery)?;
    if arguments.watch {
        while !delivery.stop.is_set() {
            delivery.flush()?;
            delivery.poll()?;
            delivery.rest(arguments.poll);
            folder.look(&mut delivery)?;
        }
        tracing::info!("stopping");
    }
    let delivered = delivery.close()?;
    if arguments.watch && !arguments.delivery.json {
        return Ok(Exit::Clean);
    }
    let reports: Vec<FileReport> = folder.inputs.into_iter().map(|input| input.report).collect();
    let exit = report::print(&arguments.delivery, &reports, &delivered)?;
    Ok(if arguments.watch { Exit::Clean } else { exit })
}

/// A mapping in its file.
#[derive(Debug)]
struct MappingFile {
    watched: Watched,
    name: String,
    text: String,
    mapping: Mapping,
}

/// A table or stream.
#[derive(Debug)]
struct Input {
    watched: Watched,
    name: String,
    /// The place of the mapping that is meant for it.
    mapping: Option<usize>,
    report: FileReport,
}

/// The files of a source.
#[derive(Debug)]
struct Folder<'a> {
    arguments: &'a Arguments,
    mappings: Vec<MappingFile>,
    /// How many of the mappings are for whichever table they fit; they come first.
    loose: usize,
    inputs: Vec<Input>,
}

impl<'a> Folder<'a> {
    /// The files that the arguments name; mappings are read and checked.
    fn open(arguments: &'a Arguments) -> Result<Self, Failure> {
        let named: Vec<(PathBuf, Option<PathBuf>)> =
            arguments.files.iter().map(|text| split(text)).collect();
        let is_loose = |one: &&(PathBuf, Option<PathBuf>)| one.1.is_none() && is_mapping(&one.0);
        let mut folder = Self { arguments, mappings: Vec::new(), loose: 0, inputs: Vec::new() };
        for (path, _) in named.iter().filter(is_loose) {
            folder.mappings.push(MappingFile::open(path)?);
        }
        folder.loose = folder.mappings.len();
        for (path, mapping) in named.iter().filter(|one| !is_loose(one)) {
            file::check(path).map_err(|error| Failure::unreadable(&error))?;
            refuse_flexnet(path)?;
            let mapping = mapping.as_deref().map(MappingFile::open).transpose()?;
            let mapping = mapping.map(|mapping| {
                folder.mappings.push(mapping);
                folder.mappings.len() - 1
            });
            folder.inputs.push(Input {
                watched: Watched::new(path),
                name: document_name(&arguments.delivery.source, path),
                mapping,
                report: FileReport { name: path.display().to_string(), ..FileReport::default() },
            });
        }
        if folder.inputs.is_empty() {
            let hint = "name the tables that the mappings are for";
            return Err(Failure::new(Exit::Usage, "all of the files are mappings", hint));
        }
        check_names(folder.inputs.iter().map(|input| input.watched.path()))?;
        Ok(folder)
    }

    /// Looks at all of the files once; tells those that are new or changed.
    fn look(&mut self, delivery: &mut Delivery) -> Result<(), Failure> {
        self.look_at_mappings();
        let mut progress = Progress::on_standard_error();
        let mut inputs = std::mem::take(&mut self.inputs);
        for input in &mut inputs {
            match input.watched.look() {
                Ok(Found::Contents { bytes, modified_at }) => {
                    progress.say(&format!("reading {}", input.report.name));
                    self.tell(input, &bytes, modified_at, delivery)?;
                }
                Ok(Found::Nothing) => {}
                Ok(Found::Gone) => {
                    tracing::warn!(file = %input.report.name, "the file is gone; what it said still holds");
                }
                Err(error) if !self.arguments.watch => return Err(Failure::unreadable(&error)),
                Err(error) => tracing::warn!(%error, "a file could not be read; it is tried again"),
            }
        }
        self.inputs = inputs;
        Ok(())
    }

    /// Reads mappings again that changed; what they are for is told anew.
    fn look_at_mappings(&mut self) {
        for (place, file) in self.mappings.iter_mut().enumerate() {
            if !file.read_again() {
                continue;
            }
            for input in &mut self.inputs {
                if input.mapping.is_none_or(|own| own == place) {
                    input.watched = Watched::new(input.watched.path());
                }
            }
        }
    }

    /// Tells a file if the engine does not have it as it is.
    fn tell(
        &self,
        input: &mut Input,
        bytes: &[u8],
        modified_at: Option<i64>,
        delivery: &mut Delivery,
    ) -> Result<(), Failure> {
        let own = input.mapping.and_then(|place| self.mappings.get(place));
        let loose = self.mappings.get(..self.loose).unwrap_or_default();
        let zone = &self.arguments.time_zone;
        let mut parts = vec![zone.name().as_bytes()];
        let meant = own.map_or(loose, std::slice::from_ref);
        parts.extend(meant.iter().map(|mapping| mapping.text.as_bytes()));
        let now = wall_now();
        let told_as = hash64(&parts);
        let found = FoundFile { document: &input.name, bytes, modified_at, told_as };
        let Some((name, known)) = documents::version(&delivery.position.documents, &found, now)
        else {
            "as it was when it was delivered before".clone_into(&mut input.report.reason);
            return Ok(());
        };
        let mut files = vec![File {
            modified_at: Some(Timestamp(known.version)),
            mapping: own.map(|mapping| mapping.mapping.clone()),
            ..File::new(input.name.as_str(), bytes)
        }];
        files.extend(loose.iter().map(|file| File::new(file.name.as_str(), file.text.as_bytes())));
        let options = Options {
            tenant: self.arguments.delivery.tenant.clone(),
            source: self.arguments.delivery.source.clone(),
            zone: zone.clone(),
            host: None,
            received_at: now,
        };
        let reports = delivery.give(|sink| load(&files, &options, sink, &mut |_| {}))?;
        if let Some(mut report) = reports.into_iter().next() {
            report.name.clone_from(&input.report.name);
            input.report = report;
        }
        let FileReport { name: file, facts, rejects, .. } = &input.report;
        tracing::info!(file, facts, rejects, "delivered");
        delivery.position.documents.insert(name, known);
        Ok(())
    }
}

impl MappingFile {
    fn open(path: &Path) -> Result<Self, Failure> {
        let mut watched = Watched::new(path);
        let found = watched.look().map_err(|error| Failure::unreadable(&error))?;
        let Found::Contents { bytes, .. } = found else {
            let message = format!("could not read {}", path.display());
            return Err(Failure::new(Exit::NoInput, message, "look at the name"));
        };
        let name = path.display().to_string();
        let (text, mapping) = parse(&name, &bytes).map_err(|problems| {
            let message = format!("mapping {name} is wrong:\n{problems}");
            Failure::new(
                Exit::Config,
                message,
                "each line above names the place and what is expected",
            )
        })?;
        Ok(Self { watched, name, text, mapping })
    }

    /// Reads the file if it changed; true if it says something else now.
    fn read_again(&mut self) -> bool {
        let bytes = match self.watched.look() {
            Ok(Found::Contents { bytes, .. }) => bytes,
            Ok(Found::Nothing) => return false,
            Ok(Found::Gone) => {
                tracing::warn!(mapping = self.name, "the mapping is gone; it is used as it was");
                return false;
            }
            Err(error) => {
                tracing::warn!(%error, "a mapping could not be read; it is used as it was");
                return false;
            }
        };
        match parse(&self.name, &bytes) {
            Ok((text, mapping)) => {
                let is_new = self.text != text;
                (self.text, self.mapping) = (text, mapping);
                is_new
            }
            Err(problems) => {
                let mapping = &self.name;
                tracing::warn!(mapping, problems, "the mapping is wrong; it is used as it was");
                false
            }
        }
    }
}

fn parse(name: &str, bytes: &[u8]) -> Result<(String, Mapping), String> {
    let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mapping = Mapping::parse(name, text).map_err(|errors| errors.to_string())?;
    Ok((text.to_owned(), mapping))
}

fn is_mapping(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

/// Cuts `FILE=MAPPING`; a file whose name has the sign is taken as it is.
fn split(named: &str) -> (PathBuf, Option<PathBuf>) {
    match named.rsplit_once('=') {
        Some((path, mapping)) if !Path::new(named).exists() => (path.into(), Some(mapping.into())),
        _ => (named.into(), None),
    }
}

/// Refuses files that the other program reads with what it knows of them.
fn refuse_flexnet(path: &Path) -> Result<(), Failure> {
    let bytes = file::beginning(path).map_err(|error| Failure::unreadable(&error))?;
    let Some(format) = detect(&bytes).format else { return Ok(()) };
    let message = format!("{} is a file of a FlexNet server ({format})", path.display());
    Err(Failure::new(Exit::Usage, message, "trueup-flexnet delivers those"))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_file_is_told_from_its_mapping() {
        assert_eq!(split("a.csv"), ("a.csv".into(), None));
        assert_eq!(split("a.csv=b.toml"), ("a.csv".into(), Some("b.toml".into())));
        assert_eq!(split("a=b.csv=c.toml"), ("a=b.csv".into(), Some("c.toml".into())));
    }
}
