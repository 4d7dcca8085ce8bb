//! The keys with which input is encrypted where it is kept.

use super::{Values, unquoted};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use trueup_runtime::settings::Keys;

impl Values {
    /// The keys that the configuration names, if it names any.
    pub(super) fn journal_keys(&self, problems: &mut Vec<String>) -> Option<Arc<Keys>> {
        let name = unquoted(self.text("journal", "key_file"));
        if name.is_empty() {
            return None;
        }
        match read_keys(&self.folder.join(name)) {
            Ok(keys) => Some(keys),
            Err(problem) => {
                problems.push(format!("journal.key_file {problem}"));
                None
            }
        }
    }
}

/// Reads a key file that nobody else can read; says what is wrong with it, and never what stands there.
pub(crate) fn read_keys(path: &Path) -> Result<Arc<Keys>, String> {
    let bad = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    check_private(path).map_err(|problem| bad(&problem))?;
    let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
    Keys::parse(&text).map(Arc::new).map_err(|error| bad(&error))
}

/// That only its owner can read a file.
fn check_private(path: &Path) -> Result<(), String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(format!("others can read it; say `chmod 600 {}`", path.display()))
}
