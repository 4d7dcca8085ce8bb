//! Opens a workbook: its sheets, its shared texts, and which of its styles show dates.
//!
//! An Office Open XML workbook is a ZIP archive of XML parts. Nothing that the archive claims of
//! sizes and counts is believed: every part is unpacked through a limit, one tag at a time.

mod style;
pub(super) mod xml;

use super::{Fault, Limits};
use std::io::Cursor;
use style::date_styles;
use trueup_model::reject::RejectReason;
use xml::{Part, Token, attribute, unescape};
use zip::ZipArchive;

/// The most parts that an archive may have; a workbook has a few dozen.
const PARTS_MAX: usize = 10_000;

/// The most sheets, and the most relations of a part.
const LIST_MAX: usize = 10_000;

/// How many sheet names a message lists.
const SHEETS_SHOWN_MAX: usize = 20;

/// How a file begins that is protected by a password, or that is an old `.xls`.
const COMPOUND_FILE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Texts that cells share, one after the other.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// The text of this number.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start =
            index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..end)
    }
}

/// A sheet of the workbook.
#[derive(Debug)]
struct Sheet {
    name: String,
    path: String,
    hidden: bool,
}

/// A workbook that is open.
pub(super) struct Workbook<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    sheets: Vec<Sheet>,
    /// The shared texts.
    pub(super) strings: Strings,
    /// By style number: whether it shows a date.
    pub(super) date_styles: Vec<bool>,
    /// Whether days count from 1904, not from 1900.
    pub(super) from_1904: bool,
}

impl<'a> Workbook<'a> {
    /// Opens a workbook.
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Fault> {
        check_archive(bytes)?;
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            Fault::new(RejectReason::UnknownFormat, format!("it is no workbook: {error}"))
        })?;
        let mut workbook = Self {
            archive,
            sheets: Vec::new(),
            strings: Strings::default(),
            date_styles: Vec::new(),
            from_1904: false,
        };
        let limit = limits.part_bytes_max;
        let top = workbook.relations("_rels/.rels", "", limit)?;
        let main = target(&top, "officeDocument").unwrap_or_else(|| "xl/workbook.xml".to_owned());
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
        let relations =
            workbook.relations(&format!("{folder}/_rels/{file}.rels"), folder, limit)?;
        workbook.read_sheets(&main, &relations, limit)?;
        if let Some(path) = target(&relations, "sharedStrings") {
            workbook.read_strings(&path, limit)?;
        }
        if let Some(path) = target(&relations, "styles") {
            let styles = match workbook.part("the style list", &path, limit)? {
                Some(mut part) => date_styles(&mut part)?,
                None => Vec::new(),
            };
            workbook.date_styles = styles;
        }
        Ok(workbook)
    }

    /// The cells of the sheet of this name, or of the first visible one.
    pub(super) fn sheet(
        &mut self,
        name: Option<&str>,
        bytes_max: u64,
    ) -> Result<(Part<'_>, &Strings, &[bool], bool), Fault> {
        let found = match name {
            Some(name) => self.sheets.iter().find(|sheet| same_name(&sheet.name, name)),
            None => self.sheets.iter().find(|sheet| !sheet.hidden).or(self.sheets.first()),
        };
        let Some(sheet) = found else {
            let names: Vec<&str> = self
                .sheets
                .iter()
                .take(SHEETS_SHOWN_MAX)
                .map(|sheet| sheet.name.as_str())
                .collect();
            let wanted = name.unwrap_or("first");
            let detail = format!("there is no sheet `{wanted}` among `{}`", names.join("`, `"));
            return Err(Fault::new(RejectReason::MissingValue, detail));
        };
        let missing = format!("the sheet `{}` is not in the archive", sheet.name);
        let path = sheet.path.clone();
        let part = open_part(&mut self.archive, "the sheet", &path, bytes_max)?;
        let part = part.ok_or_else(|| Fault::new(RejectReason::Malformed, missing))?;
        Ok((part, &self.strings, &self.date_styles, self.from_1904))
    }

    fn part(
        &mut self,
        name: &'static str,
        path: &str,
        bytes_max: u64,
    ) -> Result<Option<Part<'_>>, Fault> {
        open_part(&mut self.archive, name, path, bytes_max)
    }

    /// What a part refers to: (id, type, path).
    fn relations(
        &mut self,
        path: &str,
        folder: &str,
        bytes_max: u64,
    ) -> Result<Vec<Relation>, Fault> {
        let mut relations = Vec::new();
        let path = path.strip_prefix('/').unwrap_or(path);
        let Some(mut part) = self.part("a list of relations", path, bytes_max)? else {
            return Ok(relations);
        };
        loop {
            match part.next()? {
                Token::End => return Ok(relations),
                Token::Open(tag) if tag.local_name().as_ref() == "Relationship" => {
                    if relations.len() >= LIST_MAX {
                        return Err(too_many("relations"));
                    }
                    relations.push(Relation {
                        id: attribute(&tag, "Id").unwrap_or_default(),
                        kind: attribute(&tag, "Type").unwrap_or_default(),
                        path: resolved(folder, &attribute(&tag, "Target").unwrap_or_default()),
                    });
                }
                Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Nothing => {}
            }
        }
    }

    fn read_sheets(
        &mut self,
        path: &str,
        relations: &[Relation],
        bytes_max: u64,
    ) -> Result<(), Fault> {
        let mut sheets = Vec::new();
        let mut from_1904 = false;
        let Some(mut part) = self.part("the workbook", path, bytes_max)? else {
            let detail = "the archive holds no workbook";
            return Err(Fault::new(RejectReason::UnknownFormat, detail));
        };
        loop {
            match part.next()? {
                Token::End => break,
                Token::Open(tag) if tag.local_name().as_ref() == "workbookPr" => {
                    let flag = attribute(&tag, "date1904");
                    from_1904 |= flag.is_some_and(|flag| flag == "1" || flag == "true");
                }
                Token::Open(tag) if tag.local_name().as_ref() == "sheet" => {
                    if sheets.len() >= LIST_MAX {
                        return Err(too_many("sheets"));
                    }
                    let id = attribute(&tag, "id").unwrap_or_default();
                    let relation = relations.iter().find(|relation| relation.id == id);
                    // Charts and dialogs are sheets too; only worksheets hold cells.
                    if let Some(relation) = relation
                        && relation.kind.ends_with("/worksheet")
                    {
                        sheets.push(Sheet {
                            name: attribute(&tag, "name").unwrap_or_default(),
                            path: relation.path.clone(),
                            hidden: attribute(&tag, "state").is_some_and(|s| s != "visible"),
                        });
                    }
                }
                Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Nothing => {}
            }
        }
        drop(part);
        self.sheets = sheets;
        self.from_1904 = from_1904;
        Ok(())
    }

    fn read_strings(&mut self, path: &str, bytes_max: u64) -> Result<(), Fault> {
        let mut strings = Strings::default();
        let Some(mut part) = self.part("the list of texts", path, bytes_max)? else {
            return Ok(());
        };
        let mut one = String::new();
        let (mut in_text, mut in_reading_aid) = (false, false);
        loop {
            match part.next()? {
                Token::End => break,
                Token::Open(tag) => match tag.local_name().as_ref() {
                    "si" => one.clear(),
                    "rPh" => in_reading_aid = true,
                    "t" => in_text = !in_reading_aid,
                    _ => {}
                },
                Token::Close(tag) => match tag.local_name().as_ref() {
                    "si" => {
                        unescape(&mut one);
                        strings.text.push_str(&one);
                        strings.ends.push(strings.text.len());
                    }
                    "rPh" => in_reading_aid = false,
                    "t" => in_text = false,
                    _ => {}
                },
                Token::Text(text) if in_text => one.push_str(&text),
                Token::Text(_) | Token::Nothing => {}
            }
        }
        drop(part);
        self.strings = strings;
        Ok(())
    }
}

/// A part that another one refers to.
#[derive(Debug)]
struct Relation {
    id: String,
    kind: String,
    path: String,
}

/// The path of the first relation of this type.
fn target(relations: &[Relation], kind: &str) -> Option<String> {
    let found = relations
        .iter()
        .find(|relation| relation.kind.rsplit('/').next().is_some_and(|last| last == kind));
    found.map(|relation| relation.path.clone())
}

/// A target as a path from the top of the archive.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            ".." => {
                steps.pop();
            }
            "." | "" => {}
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn same_name(left: &str, right: &str) -> bool {
    left.trim().to_lowercase() == right.trim().to_lowercase()
}

fn too_many(what: &str) -> Fault {
    Fault::new(RejectReason::TooLong, format!("the workbook has more than {LIST_MAX} {what}"))
}

/// Refuses what is no archive, and archives that claim to hold more than a workbook can.
fn check_archive(bytes: &[u8]) -> Result<(), Fault> {
    const ENTRY: &[u8] = b"PK\x01\x02";
    const LARGE_DIRECTORY: &[u8] = b"PK\x06\x06";
    if bytes.starts_with(&COMPOUND_FILE) {
        let detail = "it has a password or is an old .xls file; save it as .xlsx without one";
        return Err(Fault::new(RejectReason::UnknownFormat, detail));
    }
    // Entries are counted here because the reader of the archive sets memory aside for as many as
    // the archive claims.
    let entry_count = memchr::memmem::find_iter(bytes, ENTRY).count();
    let claims_more = memchr::memmem::find_iter(bytes, LARGE_DIRECTORY).any(|at| {
        [24, 32].into_iter().any(|offset| {
            let field = bytes.get(at + offset..at + offset + 8);
            let count = field.and_then(|field| <[u8; 8]>::try_from(field).ok());
            count.is_some_and(|count| u64::from_le_bytes(count) > PARTS_MAX as u64)
        })
    });
    if entry_count > PARTS_MAX || claims_more {
        let detail = format!("the workbook has more than {PARTS_MAX} parts");
        return Err(Fault::new(RejectReason::TooLong, detail));
    }
    Ok(())
}

/// Opens a part by its path, without regard to case and the direction of slashes.
fn open_part<'z>(
    archive: &'z mut ZipArchive<Cursor<&[u8]>>,
    name: &'static str,
    path: &str,
    bytes_max: u64,
) -> Result<Option<Part<'z>>, Fault> {
    let folded = |any: &str| any.replace('\\', "/").to_ascii_lowercase();
    let index = archive.index_for_name(path).or_else(|| {
        let wanted = folded(path);
        (0..archive.len()).find(|index| {
            let found = archive.name_for_index(*index);
            found.is_some_and(|found| found.is_ok_and(|found| folded(&found) == wanted))
        })
    });
    let Some(index) = index else { return Ok(None) };
    match archive.by_index(index) {
        Ok(file) => Ok(Some(Part::new(name, Box::new(file), bytes_max))),
        Err(error) => {
            let detail = format!("{name} cannot be unpacked: {error}");
            Err(Fault::new(RejectReason::Malformed, detail))
        }
    }
}
