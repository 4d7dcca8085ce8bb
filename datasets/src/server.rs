//! License servers: their daemons, what these serve, and what befalls them.

use crate::license_file::{FileVersion, Granted, LicenseFile};
use crate::population::ProductIndex;
use trueup_model::calendar::Zone;
use trueup_model::metric::Duplicates;
use trueup_model::time::{Span, Timestamp};

/// Where a feature stands in the list of its daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureIndex(pub usize);

/// What a daemon serves under one name.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Its name in logs and license files.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The product that an alias gives for it.
    pub product: ProductIndex,
    /// How its checkouts are charged.
    pub duplicates: Duplicates,
    /// Whether clients send checkout data along.
    pub vendor_data: bool,
}

/// A vendor daemon.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Its name.
    pub name: String,
    /// What it serves.
    pub features: Vec<Feature>,
    /// The versions of its license file, in the order in which it read them.
    pub files: Vec<FileVersion>,
}

/// What befell a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// The server died; nothing is written until it starts again.
    Crash,
    /// One vendor daemon died; its server starts it again.
    DaemonCrash {
        /// Its place among the daemons.
        daemon: usize,
    },
    /// The server was shut down in good order: it returns everything and says so.
    Shutdown,
    /// The license file was read again.
    Reread {
        /// Who asked for it, as the log writes it.
        by: String,
    },
}

/// Something that befell a server.
#[derive(Clone, Debug)]
pub struct Incident {
    /// What.
    pub kind: IncidentKind,
    /// When it happened.
    pub at: Timestamp,
    /// When the server served again; the same instant for a reread.
    pub back: Timestamp,
}

impl Incident {
    /// Whether a daemon serves nobody from `at` to `back`.
    pub fn stops(&self, daemon_index: usize) -> bool {
        match &self.kind {
            IncidentKind::Crash | IncidentKind::Shutdown => true,
            IncidentKind::DaemonCrash { daemon } => *daemon == daemon_index,
            IncidentKind::Reread { .. } => false,
        }
    }
}

/// A license server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The zone of its wall clock.
    pub zone: Zone,
    /// From its first start to the end of its log.
    pub window: Span,
    /// Its daemons.
    pub daemons: Vec<Daemon>,
    /// What befell it, in the order of time, none overlapping another.
    pub incidents: Vec<Incident>,
}

impl Daemon {
    /// The license file in force at an instant.
    ///
    /// # Panics
    /// If the daemon has none: every daemon is made with at least one version.
    pub fn file_at(&self, at: Timestamp) -> &LicenseFile {
        let in_force =
            |version: &&FileVersion| version.effective_from.is_none_or(|from| from <= at);
        let newest = self.files.iter().rev().find(in_force).or(self.files.first());
        &newest.expect("a daemon has a license file").file
    }

    /// What the license file grants of a feature; `None` for one that has no lines of its own.
    pub fn granted(&self, feature: FeatureIndex, at: Timestamp, zone: &Zone) -> Option<Granted> {
        self.file_at(at).granted(&self.features[feature.0].name, at, zone)
    }

    /// The daemon's name among all servers, `daemon@host`.
    pub fn server_name(&self, host: &str) -> String {
        format!("{}@{host}", self.name)
    }
}
