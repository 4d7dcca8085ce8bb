//! Name patterns: `*` stands for any letters, everything else for itself, without regard to case.

/// A pattern of product names, such as `MATLAB*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    lower: String,
}

impl Pattern {
    /// The pattern that this text writes.
    pub fn new(text: &str) -> Self {
        Self { lower: text.trim().to_lowercase() }
    }

    /// Whether the whole name matches. Work: the name's length times the number of stars, at most.
    pub fn matches(&self, name: &str) -> bool {
        let lowered = name.trim().to_lowercase();
        let mut parts = self.lower.split('*');
        // `split` gives at least one part; without a star it is the whole pattern.
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = lowered.strip_prefix(first) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(found) => rest = &rest[found + part.len()..],
                None => return false,
            }
        }
        true
    }
}
