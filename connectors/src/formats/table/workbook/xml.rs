//! The XML of one part of a workbook, read with limits that hold whatever the part claims.

use super::super::{Fault, too_long};
use quick_xml::Reader;
use quick_xml::events::{BytesEnd, BytesRef, BytesStart, Event};
use std::borrow::Cow;
use std::io::{BufReader, Read};
use trueup_model::reject::RejectReason;

/// The longest tag or text between two tags, in bytes of XML; a spreadsheet's cell holds 32,767
/// characters.
const EVENT_BYTES_MAX: u64 = 1024 * 1024;

/// Stops reading beyond a number of bytes.
struct Fuse<'z> {
    inner: Box<dyn Read + 'z>,
    part_bytes_max: u64,
    part_left: u64,
    event_left: u64,
    blown: bool,
}

impl Fuse<'_> {
    /// What an error of the reader means: a limit that was reached, or a damaged part.
    fn fault(&self, name: &str, error: &quick_xml::Error) -> Fault {
        let limit = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        if self.blown && self.event_left < self.part_left {
            return too_long(&format!("a text of {name}"), limit(EVENT_BYTES_MAX), "bytes");
        }
        if self.blown {
            return too_long(&format!("{name}, unpacked,"), limit(self.part_bytes_max), "bytes");
        }
        Fault::new(RejectReason::Malformed, format!("{name} is damaged: {error}"))
    }
}

impl Read for Fuse<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(bytes)?;
        let taken = read as u64;
        if taken > self.part_left || taken > self.event_left {
            self.blown = true;
            return Err(std::io::Error::other("the part is too long"));
        }
        self.part_left -= taken;
        self.event_left -= taken;
        Ok(read)
    }
}

/// What stands next in a part.
pub(in super::super) enum Token<'b> {
    /// A start tag; a tag that is both is followed by its end.
    Open(BytesStart<'b>),
    /// An end tag.
    Close(BytesEnd<'b>),
    /// Text, or a piece of it, as it is meant.
    Text(Cow<'b, str>),
    /// A comment or another thing that says nothing.
    Nothing,
    /// The end of the part.
    End,
}

/// One part of a workbook.
pub(in super::super) struct Part<'z> {
    name: &'static str,
    xml: Reader<BufReader<Fuse<'z>>>,
    buffer: Vec<u8>,
}

impl<'z> Part<'z> {
    /// Reads the part from these bytes of XML, at most `bytes_max` of them.
    pub(super) fn new(name: &'static str, inner: Box<dyn Read + 'z>, bytes_max: u64) -> Self {
        let fuse = Fuse {
            inner,
            part_bytes_max: bytes_max,
            part_left: bytes_max,
            event_left: EVENT_BYTES_MAX,
            blown: false,
        };
        let mut xml = Reader::from_reader(BufReader::new(fuse));
        let config = xml.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        Self { name, xml, buffer: Vec::new() }
    }

    /// The next tag or text.
    pub(in super::super) fn next(&mut self) -> Result<Token<'_>, Fault> {
        self.buffer.clear();
        self.xml.get_mut().get_mut().event_left = EVENT_BYTES_MAX;
        match self.xml.read_event_into(&mut self.buffer) {
            Ok(Event::Start(tag) | Event::Empty(tag)) => Ok(Token::Open(tag)),
            Ok(Event::End(tag)) => Ok(Token::Close(tag)),
            Ok(Event::Text(text)) => Ok(Token::Text(content(text.into_inner()))),
            Ok(Event::CData(text)) => Ok(Token::Text(content(text.into_inner()))),
            Ok(Event::GeneralRef(entity)) => Ok(Token::Text(Cow::Owned(referred(&entity)))),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {
                Ok(Token::Nothing)
            }
            Ok(Event::Eof) => Ok(Token::End),
            Err(error) => Err(self.xml.get_ref().get_ref().fault(self.name, &error)),
        }
    }

    /// What it means when the part ends before its end tag.
    pub(in super::super) fn torn(&self) -> Fault {
        Fault::new(RejectReason::Torn, format!("{} ends in the middle", self.name))
    }
}

/// The value of an attribute by its name without prefix, entities resolved.
pub(in super::super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| {
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
            Some(value.into_owned())
        })
}

/// Text with every kind of line break as a line feed.
fn content(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        return Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    text
}

/// The text of an entity or character reference; itself if nobody knows it.
fn referred(entity: &BytesRef<'_>) -> String {
    let letter = match entity.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => entity.resolve_char_ref().ok().flatten(),
    };
    let name: &str = entity.as_ref();
    letter.map_or_else(|| format!("&{name};"), String::from)
}

/// Replaces `_x000D_` and its like, by which workbooks write letters that XML cannot hold.
pub(in super::super) fn unescape(text: &mut String) {
    const LENGTH: usize = 7;
    if !text.contains("_x") {
        return;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("_x") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let letter = from.get(..LENGTH).and_then(|escape| {
            let digits = escape.strip_prefix("_x")?.strip_suffix('_')?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))?
        });
        match letter {
            Some(letter) => {
                out.push(letter);
                rest = &from[LENGTH..];
            }
            None => {
                out.push('_');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    *text = out;
}
