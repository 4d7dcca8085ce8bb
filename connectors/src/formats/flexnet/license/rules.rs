//! Which lines of a license file count, and for how much.

use super::grant::{Grant, Keyword, Package, Version, key};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The latest date at which something supersedes a name of a vendor.
type Superseding = BTreeMap<(String, String), Date>;

/// Drops the lines that later lines supersede.
pub(super) fn supersede(grants: &mut Vec<Grant>, packages: &mut Vec<Package>) {
    let mut by_grant = Superseding::new();
    for grant in grants.iter() {
        let own = (&grant.feature, &grant.vendor);
        note(&mut by_grant, own, grant.supersedes.as_deref(), grant.ordered_by());
    }
    grants.retain(|grant| !is_superseded(&by_grant, &grant.key(), grant.ordered_by()));
    let mut by_package = Superseding::new();
    for package in packages.iter() {
        let own = (&package.name, &package.vendor);
        note(&mut by_package, own, package.supersedes.as_deref(), package.issued);
    }
    packages.retain(|package| {
        !is_superseded(&by_package, &key(&package.name, &package.vendor), package.issued)
    });
}

/// Remembers what a line supersedes.
fn note(
    superseding: &mut Superseding,
    (name, vendor): (&String, &String),
    supersedes: Option<&[String]>,
    issued: Option<Date>,
) {
    let (Some(listed), Some(issued)) = (supersedes, issued) else { return };
    let own = std::slice::from_ref(name);
    for target in if listed.is_empty() { own } else { listed } {
        let latest = superseding.entry(key(target, vendor)).or_insert(issued);
        *latest = (*latest).max(issued);
    }
}

/// Whether a line was issued before what supersedes it; one without a date was.
fn is_superseded(superseding: &Superseding, key: &(String, String), issued: Option<Date>) -> bool {
    superseding.get(key).is_some_and(|latest| issued.is_none_or(|issued| issued < *latest))
}

/// Drops all counted `FEATURE` lines of a name but the first, and says where they stood.
pub(super) fn keep_first_features(grants: &mut Vec<Grant>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let mut void = Vec::new();
    grants.retain(|grant| {
        let counts =
            grant.keyword != Keyword::Feature || grant.count.is_none() || seen.insert(grant.key());
        if !counts {
            void.push(grant.position);
        }
        counts
    });
    void
}

/// Moves licenses to new versions, and says which lines found too few to move.
///
/// A line grants no more than it found.
pub(super) fn upgrade(grants: &mut [Grant]) -> Vec<u64> {
    let mut before: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut short = Vec::new();
    for at in 0..grants.len() {
        let earlier = before.entry(grants[at].key()).or_default();
        if grants[at].keyword == Keyword::Upgrade {
            let wanted = grants[at].count;
            let from = Version::of(grants[at].from.as_deref().unwrap_or_default());
            let to = Version::of(&grants[at].version);
            let mut found = 0;
            for line in earlier.iter().rev() {
                let line = &mut grants[*line];
                let version = Version::of(&line.version);
                if version < from || version >= to {
                    continue;
                }
                let (Some(wanted), Some(count)) = (wanted, line.count) else {
                    found = wanted.unwrap_or(0);
                    break;
                };
                let moved = (wanted - found).min(count.saturating_sub(line.moved));
                line.moved += moved;
                found += moved;
            }
            if let Some(wanted) = wanted {
                grants[at].moved = wanted - found;
                if found < wanted {
                    short.push(grants[at].position);
                }
            }
        }
        earlier.push(at);
    }
    short
}
