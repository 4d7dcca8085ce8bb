//! Paths into JSON: a JSON pointer (`/data/n`, RFC 6901) or names with dots between (`data.n`).

/// The most steps that a path may have; reading an event recurses no deeper.
pub(crate) const PATH_STEPS_MAX: usize = 16;

/// The steps of a path, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, String> {
    let steps: Vec<String> = match text.strip_prefix('/') {
        Some(pointer) => {
            pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
        }
        None => text.split('.').map(str::to_owned).collect(),
    };
    if steps.iter().any(String::is_empty) {
        return Err(format!("`{text}` is no path: a step has no name"));
    }
    if steps.len() > PATH_STEPS_MAX {
        return Err(format!("`{text}` has more than {PATH_STEPS_MAX} steps"));
    }
    Ok(steps)
}
