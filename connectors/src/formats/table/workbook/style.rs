//! Which number formats of a workbook show dates.

use super::super::Fault;
use super::xml::{Part, Token, attribute};
use std::collections::BTreeMap;
use trueup_model::reject::RejectReason;

/// The most styles; spreadsheets allow 65,490.
const STYLES_MAX: usize = 100_000;

/// The longest format code; spreadsheets allow 255 characters.
const CODE_BYTES_MAX: usize = 4096;

/// Reads the style list: by style number, whether it shows a date.
pub(super) fn date_styles(part: &mut Part<'_>) -> Result<Vec<bool>, Fault> {
    let mut custom: BTreeMap<u32, bool> = BTreeMap::new();
    let mut styles = Vec::new();
    let mut in_cell_styles = false;
    loop {
        match part.next()? {
            Token::End => return Ok(styles),
            Token::Open(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok());
                    let code = attribute(&tag, "formatCode");
                    if let (Some(id), Some(code)) = (id, code)
                        && custom.len() < STYLES_MAX
                    {
                        custom.insert(id, shows_date(&code));
                    }
                }
                "cellXfs" => in_cell_styles = true,
                "xf" if in_cell_styles => {
                    if styles.len() >= STYLES_MAX {
                        let detail = format!("the workbook has more than {STYLES_MAX} styles");
                        return Err(Fault::new(RejectReason::TooLong, detail));
                    }
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok());
                    let id: u32 = id.unwrap_or(0);
                    let is_date = custom.get(&id).copied();
                    styles.push(is_date.unwrap_or_else(|| is_built_in_date(id)));
                }
                _ => {}
            },
            Token::Close(tag) if tag.local_name().as_ref() == "cellXfs" => in_cell_styles = false,
            Token::Close(_) | Token::Text(_) | Token::Nothing => {}
        }
    }
}

/// Whether a built-in format shows a date; those of East Asian editions are among them.
fn is_built_in_date(id: u32) -> bool {
    matches!(id, 14..=17 | 22 | 27..=31 | 34..=36 | 50..=54 | 57..=58)
}

/// Whether a format code shows a day: it has a `d` or `y` that is not in quotes, brackets or
/// escaped.
fn shows_date(code: &str) -> bool {
    if code.len() > CODE_BYTES_MAX {
        return false;
    }
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => while letters.next().is_some_and(|inner| inner != '"') {},
            '[' => while letters.next().is_some_and(|inner| inner != ']') {},
            '\\' | '_' | '*' => {
                letters.next();
            }
            'd' | 'D' | 'y' | 'Y' => return true,
            // The code of several formats is for positive, negative, zero and text.
            ';' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
