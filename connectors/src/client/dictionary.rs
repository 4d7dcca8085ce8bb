//! The dictionary of a connector: names to the codes that stand for them on the wire.
//!
//! It outlives connections: batches that are held mean the same when they are sent again, after the
//! names were defined again. It is bounded in codes and in bytes of text; when it is full, its owner
//! sees to it that nothing that is held needs it, and clears it.

use trueup_model::hash::IdMap;
use trueup_model::id::NameKind;
use trueup_wire::Code;
use trueup_wire::limits::DICTIONARY_CODES_MAX;

/// The most text that a dictionary holds, in bytes.
pub const DICTIONARY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// That the dictionary cannot take another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Names and their codes.
#[derive(Debug)]
pub struct Dictionary {
    /// By kind and name; never walked through, so its order reaches nothing.
    codes: Vec<IdMap<Box<str>, Code>>,
    /// By code.
    names: Vec<(NameKind, Box<str>)>,
    bytes: usize,
    codes_max: usize,
    bytes_max: usize,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::with_limits(DICTIONARY_CODES_MAX as usize, DICTIONARY_BYTES_MAX)
    }
}

impl Dictionary {
    /// An empty dictionary with other limits; at most those of the wire.
    pub fn with_limits(codes_max: usize, bytes_max: usize) -> Self {
        Self {
            codes: NameKind::ALL.iter().map(|_| IdMap::default()).collect(),
            names: Vec::new(),
            bytes: 0,
            codes_max: codes_max.min(DICTIONARY_CODES_MAX as usize),
            bytes_max,
        }
    }

    /// The code of a name, which gets the next one if it has none.
    ///
    /// # Errors
    /// If it has none and the dictionary is full.
    pub fn code(&mut self, kind: NameKind, name: &str) -> Result<Code, Full> {
        let codes = &mut self.codes[usize::from(kind.code())];
        if let Some(code) = codes.get(name) {
            return Ok(*code);
        }
        if self.names.len() >= self.codes_max || self.bytes + name.len() > self.bytes_max {
            return Err(Full);
        }
        let code = Code(u32::try_from(self.names.len()).map_err(|_| Full)?);
        codes.insert(name.into(), code);
        self.names.push((kind, name.into()));
        self.bytes += name.len();
        Ok(code)
    }

    /// How many codes there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is no code.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names from a code up to another, not including it, in order.
    pub fn names(
        &self,
        first: u32,
        end: u32,
    ) -> impl Iterator<Item = (NameKind, &str)> + Clone + use<'_> {
        let range = Code(first).index()..Code(end.min(self.len())).index();
        let names = self.names.get(range).unwrap_or(&[]);
        names.iter().map(|(kind, name)| (*kind, &**name))
    }

    /// Forgets every name and code.
    pub fn clear(&mut self) {
        *self = Self::with_limits(self.codes_max, self.bytes_max);
    }
}

#[cfg(test)]
mod tests;
