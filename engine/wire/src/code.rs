//! Codes: the small numbers that stand for names on one connection.
//!
//! A dictionary frame gives each new name the next code, once; facts carry codes only. Codes mean
//! nothing outside their connection. [`CodeTable`] is what the receiving end keeps.

use crate::limits::DICTIONARY_CODES_MAX;
use trueup_model::id::NameKind;

/// A name's number in the dictionary of one connection: 0, 1, 2, … in the order of definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u32);

impl Code {
    /// The code as the place in a table.
    pub fn index(self) -> usize {
        // 32 bits fit on every machine that the engine runs on.
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Why a code has no meaning where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// No dictionary frame defined it.
    #[error("name code {code} is used before it is defined; {defined} codes are defined")]
    Undefined {
        /// The code.
        code: u32,
        /// How many codes are defined.
        defined: u32,
    },
    /// It names another kind of thing.
    #[error("name code {code} is defined as {defined:?} and used as {used:?}")]
    OtherKind {
        /// The code.
        code: u32,
        /// What it was defined as.
        defined: NameKind,
        /// What it was used as.
        used: NameKind,
    },
    /// The dictionary is as large as it may be.
    #[error(
        "the dictionary of the connection has all of its {DICTIONARY_CODES_MAX} codes; start it anew \
         with a first code of 0"
    )]
    Full,
}

/// What the codes of one connection stand for, on the receiving end.
#[derive(Clone, Debug)]
pub struct CodeTable<T> {
    entries: Vec<(NameKind, T)>,
}

impl<T> Default for CodeTable<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> CodeTable<T> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many codes are defined.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no code is defined.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets every code, as a dictionary frame with a first code of 0 asks.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Gives the next code to a name.
    ///
    /// # Errors
    /// If the table holds as many codes as it may.
    pub fn define(&mut self, kind: NameKind, value: T) -> Result<Code, CodeError> {
        let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if next >= DICTIONARY_CODES_MAX {
            return Err(CodeError::Full);
        }
        self.entries.push((kind, value));
        Ok(Code(next))
    }

    /// What the code stands for, where a name of this kind is meant.
    ///
    /// # Errors
    /// If the code is not defined, or is defined as another kind of thing.
    pub fn get(&self, used: NameKind, code: Code) -> Result<&T, CodeError> {
        match self.entries.get(code.index()) {
            Some((kind, value)) if *kind == used => Ok(value),
            Some((kind, _)) => Err(CodeError::OtherKind { code: code.0, defined: *kind, used }),
            None => {
                let defined = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
                Err(CodeError::Undefined { code: code.0, defined })
            }
        }
    }
}
