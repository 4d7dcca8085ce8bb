//! Takes the wanted values out of one JSON event, in one pass and without building a tree.
//!
//! Numbers are taken as they are written, digit for digit; no floating point is involved. Values
//! that nobody asked for are passed over without recursion, so that nesting costs no stack.

use crate::formats::mapping::cell::{Cell, Fault, Typed};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use std::borrow::Cow;
use trueup_model::reject::RejectReason;

/// The deepest nesting that an event may have.
pub(super) const NESTING_MAX: usize = 64;

/// The wanted paths, as a tree by step.
#[derive(Debug, Default)]
pub(super) struct Tree {
    slots: Vec<usize>,
    steps: Vec<(String, Tree)>,
}

impl Tree {
    /// Adds a path whose value goes to this slot.
    pub(super) fn add(&mut self, path: &[String], slot: usize) {
        let Some((first, rest)) = path.split_first() else {
            self.slots.push(slot);
            return;
        };
        let place = self.steps.iter().position(|(step, _)| step == first);
        let place = place.unwrap_or_else(|| {
            self.steps.push((first.clone(), Self::default()));
            self.steps.len() - 1
        });
        self.steps[place].1.add(rest, slot);
    }

    fn step(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|(step, _)| step == name)
    }
}

/// The values of one event, by slot, as they are written.
pub(super) type Raw<'de> = Vec<Option<&'de RawValue>>;

/// Reads the wanted values of an event.
pub(super) fn extract<'de>(text: &'de str, tree: &Tree, out: &mut Raw<'de>) -> Result<(), Fault> {
    // Few brackets cannot nest deeply; counting them is cheaper than following them.
    let opens = memchr::memchr2_iter(b'{', b'[', text.as_bytes());
    if opens.take(NESTING_MAX + 1).count() > NESTING_MAX && nesting(text) > NESTING_MAX {
        let detail = format!("it is nested deeper than {NESTING_MAX} levels");
        return Err(Fault::new(RejectReason::Malformed, detail));
    }
    if !text.starts_with('{') {
        return Err(Fault::new(RejectReason::Malformed, "it is not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Values { tree, out }.deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| {
        let reason = if error.is_eof() { RejectReason::Torn } else { RejectReason::Malformed };
        Fault::new(reason, format!("it is no whole JSON object: {error}"))
    })
}

/// How deep the brackets go, strings aside.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads the values below one step of the tree.
struct Values<'t, 'o, 'de> {
    tree: &'t Tree,
    out: &'o mut Raw<'de>,
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.tree.steps.is_empty() {
            let value = <&'de RawValue as serde::Deserialize>::deserialize(json)?;
            for slot in &self.tree.slots {
                if self.out[*slot].replace(value).is_some() {
                    return Err(D::Error::custom("a key stands twice in one object"));
                }
            }
            return Ok(());
        }
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Step(self.tree))? {
            match place {
                Some(place) => {
                    let (_, tree) = &self.tree.steps[place];
                    map.next_value_seed(Values { tree, out: &mut *self.out })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            let place = self.tree.step(&index.to_string());
            let more = match place {
                Some(place) => {
                    let (_, tree) = &self.tree.steps[place];
                    list.next_element_seed(Values { tree, out: &mut *self.out })?.is_some()
                }
                None => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    // A path that goes on below a plain value finds nothing there.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Finds the step that a key takes, without copying the key.
struct Step<'t>(&'t Tree);

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Step<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.step(key))
    }
}

/// The text of a raw value: strings without quotes and escapes, anything else as it is written.
pub(super) fn text_of<'de>(raw: Option<&'de RawValue>) -> Cow<'de, str> {
    let written = raw.map_or("", RawValue::get);
    let Some(inner) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(if written == "null" { "" } else { written });
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    // The text was read as JSON before, so only a lone surrogate can be wrong with it.
    serde_json::from_str(written).map_or(Cow::Borrowed(written), Cow::Owned)
}

/// The cell of a raw value and its text.
pub(super) fn cell<'a>(raw: Option<&RawValue>, text: &'a str) -> Cell<'a> {
    match raw.map_or(b'n', |raw| raw.get().as_bytes().first().copied().unwrap_or(b'n')) {
        b'"' if text.starts_with('"') => {
            Cell { text: "text with half a character", typed: Typed::Fault }
        }
        b'"' => Cell::text(text),
        b'n' => Cell::EMPTY,
        b't' | b'f' => Cell { text, typed: Typed::Flag },
        b'{' => Cell { text: "an object", typed: Typed::Fault },
        b'[' => Cell { text: "a list", typed: Typed::Fault },
        _ => Cell::plain(text),
    }
}
