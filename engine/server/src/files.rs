//! The files that a command names: read from disk, with what the command line says about each.

use crate::exit::{Exit, Failure};
use std::path::Path;
use trueup_connectors::formats::mapping::Mapping;
use trueup_connectors::load::File;
use trueup_connectors::source::file;
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

/// Reads the files, with the mappings and zones that are given to some of them as `FILE=…`.
///
/// A mapping that is among the files itself belongs to every table whose columns it names.
pub(crate) fn read(
    files: &[String],
    mappings: &[String],
    zones: &[String],
) -> Result<Vec<File<'static>>, Failure> {
    let mut read = Vec::new();
    for named in files {
        let (path, holds_from) = split(named)?;
        read.push(File { holds_from, ..read_one(path)? });
    }
    for pair in mappings {
        let (file, mapping) = pair.split_once('=').ok_or_else(|| {
            let message = format!("--mapping {pair} names no file");
            Failure::new(Exit::Usage, message, "write it as FILE=MAPPING")
        })?;
        given(&mut read, "--mapping", file)?.mapping = Some(read_mapping(mapping)?);
    }
    for (file, name) in zones.iter().filter_map(|pair| pair.split_once('=')) {
        given(&mut read, "--time-zone", file)?.zone = Some(zone(name)?);
    }
    Ok(read)
}

/// The file that a switch speaks of.
fn given<'f>(
    files: &'f mut [File<'static>],
    switch: &str,
    name: &str,
) -> Result<&'f mut File<'static>, Failure> {
    files.iter_mut().find(|file| file.name == name).ok_or_else(|| {
        let message = format!("{switch} names {name}, which is none of the files");
        Failure::new(Exit::Usage, message, "name the file as it stands in the list")
    })
}

/// The zone that is given for everything, if one is.
pub(crate) fn zone_of_all(zones: &[String]) -> Result<Option<Zone>, Failure> {
    zones.iter().rfind(|name| !name.contains('=')).map(|name| zone(name)).transpose()
}

fn zone(name: &str) -> Result<Zone, Failure> {
    Zone::named(name).map_err(|error| {
        let hint = "write it as Europe/Berlin";
        Failure::new(Exit::Usage, format!("--time-zone {name}: {error}"), hint)
    })
}

/// Cuts `FILE@INSTANT`; a file whose name has the sign is taken as it is.
fn split(named: &str) -> Result<(&str, Option<Timestamp>), Failure> {
    if Path::new(named).exists() {
        return Ok((named, None));
    }
    let Some((path, at)) = named.rsplit_once('@') else { return Ok((named, None)) };
    let at = at.parse().map_err(|error| {
        let message = format!("{named}: `{at}` is no instant: {error}");
        Failure::new(Exit::Usage, message, "write it as FILE@2026-03-01T00:00:00Z")
    })?;
    Ok((path, Some(at)))
}

fn read_one(path: &str) -> Result<File<'static>, Failure> {
    let bytes = file::read(Path::new(path)).map_err(|error| {
        let message = format!("could not read {path}: {error}");
        Failure::new(Exit::NoInput, message, "look at the name and at who may read it")
    })?;
    let modified_at = file::modified_at(Path::new(path)).map(Timestamp);
    Ok(File {
        name: path.to_owned(),
        bytes: bytes.into(),
        modified_at,
        holds_from: None,
        zone: None,
        mapping: None,
    })
}

fn read_mapping(path: &str) -> Result<Mapping, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("could not read mapping {path}: {error}");
        Failure::new(Exit::NoInput, message, "look at the name and at who may read it")
    })?;
    Mapping::parse(path, &text).map_err(|errors| {
        let hint = "the mapping's documentation lists the keys";
        Failure::new(Exit::Config, format!("mapping {path} is wrong:\n{errors}"), hint)
    })
}

/// A policy from its file; the default one without.
pub(crate) fn policy(path: Option<&Path>) -> Result<trueup_policy::Policy, Failure> {
    let Some(path) = path else { return Ok(trueup_policy::Policy::default()) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("could not read policy {shown}: {error}");
        Failure::new(Exit::NoInput, message, "look at the name and at who may read it")
    })?;
    trueup_policy::Policy::from_toml(&text).map_err(|errors| {
        let hint = "each line above names the place and what is expected there";
        Failure::new(Exit::Config, format!("policy {shown} is wrong:\n{errors}"), hint)
    })
}
