//! The vendor daemons of a log, and the host that they run on.

use super::LogOptions;
use super::recent::Seconds;
use super::scribe::Place;
use crate::formats::flexnet::{UNKNOWN_HOST, server_name};
use std::ops::{Index, IndexMut};
use trueup_model::fact::{FactId, FactIds};
use trueup_model::time::Timestamp;

/// Daemons of one log; a license server has a handful.
pub const DAEMONS_MAX: usize = 256;
/// Reservations of one start that are told apart if they are equal.
const RESERVATIONS_MAX: usize = 4_096;

/// A vendor daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    /// The daemon as lines name it.
    name: Vec<u8>,
    /// The server as facts name it.
    pub(super) server: String,
    /// Identities of the server's facts, by its name in lower case.
    pub(super) identities: FactIds,
    /// Its last line, unless a new process of it is starting.
    pub(super) sign: Option<(Timestamp, Place)>,
    /// When it was last told to be alive.
    pub(super) told: Option<Timestamp>,
    /// Whether lines are those of a new process that does not serve yet.
    pub(super) starting: bool,
    /// Whether the license file is being read again.
    pub(super) rereading: bool,
    /// When it said itself that it reads the license file again, until it serves.
    pub(super) reread_at: Option<Timestamp>,
    pub(super) seconds: Seconds,
    /// Reservations since the last start or reread.
    reserved: Vec<FactId>,
}

impl Daemon {
    /// The identity of a reservation: equal ones since the last start are told apart.
    pub(super) fn reservation(&mut self, parts: &[&[u8]]) -> FactId {
        let first = self.identities.of(parts);
        let before = self.reserved.iter().filter(|known| **known == first).count();
        if self.reserved.len() < RESERVATIONS_MAX {
            self.reserved.push(first);
        }
        if before == 0 {
            return first;
        }
        let ordinal = before.to_le_bytes();
        let mut all = parts.to_vec();
        all.push(&ordinal);
        self.identities.of(&all)
    }

    /// From here on it states its reservations anew.
    pub(super) fn restate(&mut self) {
        self.reserved.clear();
    }
}

/// The daemons, in the order in which they were seen.
#[derive(Debug)]
pub(super) struct Daemons {
    tenant: String,
    daemons: Vec<Daemon>,
    /// The daemon of the last line that belonged to one.
    latest: usize,
    /// The host that was given.
    given: Option<String>,
    fallback: Option<String>,
    /// The host that the log named, if it did so before the first fact.
    named: Option<String>,
    /// The host that facts name, once one left.
    host: Option<String>,
    /// Another host that the log named since, which was remarked.
    other: Option<String>,
}

impl Daemons {
    pub(super) fn new(tenant: &str, options: &LogOptions) -> Self {
        Self {
            tenant: tenant.to_owned(),
            daemons: Vec::new(),
            latest: 0,
            given: options.host.clone(),
            fallback: options.fallback_host.clone(),
            named: None,
            host: None,
            other: None,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.daemons.len()
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Daemon> {
        self.daemons.iter_mut()
    }

    /// The daemon of this name, if it was seen doing something.
    pub(super) fn find(&mut self, name: &[u8]) -> Option<usize> {
        if self.daemons.get(self.latest).is_some_and(|daemon| daemon.name == name) {
            return Some(self.latest);
        }
        let is = |daemon: &Daemon| daemon.name.eq_ignore_ascii_case(name);
        let found = self.daemons.iter().position(is)?;
        self.latest = found;
        Some(found)
    }

    /// The daemon of this name, remembered from now on, or `None` if there are too many.
    pub(super) fn register(&mut self, name: &[u8]) -> Option<usize> {
        if let Some(known) = self.find(name) {
            return Some(known);
        }
        if self.daemons.len() >= DAEMONS_MAX {
            return None;
        }
        let server = server_name(&String::from_utf8_lossy(name), self.fix_host());
        self.daemons.push(Daemon {
            name: name.to_vec(),
            identities: FactIds::new(&self.tenant, &server.to_lowercase()),
            server,
            sign: None,
            told: None,
            starting: false,
            rereading: false,
            reread_at: None,
            seconds: Seconds::default(),
            reserved: Vec::new(),
        });
        self.latest = self.daemons.len() - 1;
        Some(self.latest)
    }

    /// The host that facts name, once one left.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The host, which is the same from now on.
    fn fix_host(&mut self) -> &str {
        let known = self.given.as_ref().or(self.named.as_ref()).or(self.fallback.as_ref());
        let known = known.map_or(UNKNOWN_HOST, String::as_str);
        self.host.get_or_insert_with(|| known.to_owned())
    }

    /// Takes the host that the log names, if it comes in time.
    pub(super) fn offer_host(&mut self, host: &str) {
        if self.named.is_none() && !host.is_empty() {
            self.named = Some(host.to_owned());
        }
    }

    /// Takes the host that the log names, and gives the one that facts name if it is another, once.
    pub(super) fn meet_host(&mut self, host: &str) -> Option<&str> {
        self.offer_host(host);
        let fixed = self.host.as_deref().filter(|_| self.given.is_none())?;
        if fixed.eq_ignore_ascii_case(host) || self.other.as_deref() == Some(host) {
            return None;
        }
        self.other = Some(host.to_owned());
        Some(fixed)
    }
}

impl Index<usize> for Daemons {
    type Output = Daemon;

    fn index(&self, daemon: usize) -> &Daemon {
        &self.daemons[daemon]
    }
}

impl IndexMut<usize> for Daemons {
    fn index_mut(&mut self, daemon: usize) -> &mut Daemon {
        &mut self.daemons[daemon]
    }
}

/// Whether a daemon is the manager of the vendor daemons.
pub(super) fn is_manager(name: &[u8]) -> bool {
    name == b"lmgrd" || name == b"lmadmin"
}
