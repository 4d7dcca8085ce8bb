//! The mappings that need no file: tables whose headers are our own field names.

use super::field::{Field, Kind};
use super::plan::folded;
use super::{Format, KeyPart, Mapping, Source, shown};

/// How many column names a reason lists.
const NAMES_SHOWN_MAX: usize = 12;

/// The mapping of a table whose header consists of the kind's field names.
pub(super) fn mapping(kind: Kind, format: Format) -> Mapping {
    let mut mapping = Mapping::empty(&format!("built-in {}", kind.name()), kind, format);
    for field in kind.fields() {
        mapping.sources[field.index()] = Some(Source::Column(field.name().to_owned()));
        if !kind.needs().contains(field) {
            mapping.optional.push(*field);
        }
    }
    mapping.key = key(kind).iter().map(|field| KeyPart::Field(*field)).collect();
    mapping
}

/// The fields that make a row of the kind itself; none for events, which have an id or a place.
///
/// Everything that a row names is in it, so that two parents of one account, or two meanings of one
/// alias, are two facts whose contradiction the engine sees.
fn key(kind: Kind) -> &'static [Field] {
    use Field as F;
    match kind {
        Kind::Purchases => &[F::Line],
        Kind::Seats => &[F::Product, F::User, F::Device, F::Account, F::Start],
        Kind::Accounts => &[F::Account, F::Parent, F::Start],
        Kind::Aliases => &[F::Kind, F::Raw, F::Canonical, F::Start],
        Kind::Memberships => &[F::Kind, F::Member, F::Account, F::Start],
        Kind::Products => &[F::Product],
        Kind::Allocations => &[F::Line, F::Kind, F::Holder, F::Start],
        Kind::Fees => &[F::Line, F::Per, F::Base, F::Start],
        Kind::Bills => &[F::Product, F::Account, F::At, F::Billed],
        Kind::Usage => &[],
    }
}

/// Which kind's field names the header consists of, or why none fits.
pub(super) fn fit(header: &[String]) -> Result<Kind, String> {
    let names: Vec<String> = header.iter().map(|name| folded(name)).collect();
    let is_named = |field: &Field| names.iter().any(|name| name == field.name());
    let mut nearest: Option<(usize, Kind)> = None;
    for kind in Kind::ALL {
        let known = names.iter().filter(|name| kind.fields().iter().any(|f| f.name() == *name));
        let unknown_count = names.len() - known.count();
        if !kind.needs().iter().all(is_named) {
            continue;
        }
        if unknown_count == 0 {
            return Ok(kind);
        }
        if nearest.is_none_or(|(count, _)| unknown_count < count) {
            nearest = Some((unknown_count, kind));
        }
    }
    Err(match nearest {
        Some((_, kind)) => {
            let strange = names.iter().zip(header);
            let strange = strange.filter(|(name, _)| {
                !kind.fields().iter().any(|field| field.name() == name.as_str())
            });
            let strange: Vec<String> = strange.map(|(_, name)| shown(name)).collect();
            format!(
                "it looks like {} but `{}` is no field of them",
                kind.name(),
                short(&strange).join("`, `")
            )
        }
        None => {
            let seen: Vec<String> = header.iter().map(|name| shown(name)).collect();
            format!("no built-in mapping knows the columns `{}`", short(&seen).join("`, `"))
        }
    })
}

fn short(names: &[String]) -> Vec<String> {
    let mut list: Vec<String> = names.iter().take(NAMES_SHOWN_MAX).cloned().collect();
    if names.len() > NAMES_SHOWN_MAX {
        list.push("…".to_owned());
    }
    list
}
