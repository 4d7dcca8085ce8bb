//! A folder of answers: every view as JSON and as CSV, for other programs and for the files.

use crate::answer::Words;
use crate::exit::{Exit, Failure};
use crate::filter::Filter;
use crate::question::{View, ask, write};
use crate::render::{Format, Page};
use std::fs;
use std::path::Path;

/// Writes every view of every period into a folder, and says which files it wrote.
pub(crate) fn export(words: &Words<'_>, folder: &Path) -> anyhow::Result<Vec<String>> {
    let failed = |error: &dyn std::fmt::Display, path: &Path| {
        let message = format!("could not write {}: {error}", path.display());
        Failure::new(Exit::CannotWrite, message, "look at the folder, its rights and its room")
    };
    fs::create_dir_all(folder).map_err(|error| failed(&error, folder))?;
    let filter = Filter { period: Some("every".to_owned()), ..Filter::default() };
    let mut written = Vec::new();
    for view in View::ALL {
        let rows = ask(words, view, &filter)?;
        for (format, ending) in [(Format::Json, "json"), (Format::Csv, "csv")] {
            let name = format!("{}.{ending}", view.name());
            let path = folder.join(&name);
            let mut bytes = Vec::new();
            write(&mut Page::plain(&mut bytes), format, &rows)?;
            fs::write(&path, bytes).map_err(|error| failed(&error, &path))?;
            written.push(name);
        }
    }
    Ok(written)
}
