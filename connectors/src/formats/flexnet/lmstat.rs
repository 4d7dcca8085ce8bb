//! The answer to `lmstat -a`: pools, holders, reservations and daemons at one instant.
//!
//! ```text
//! Flexible License Manager status on Fri 10/20/2017 17:02          the instant, in local time
//! License server status: 27002@lic3,27002@lic4
//! lic3: license server UP (MASTER) v11.7 | Cannot connect to license server system. …
//! Vendor daemon status (on lic3):
//!   SIMVD: UP v11.6
//! Users of mesh:  (Total of 20 licenses issued;  Total of 15 licenses in use)
//!   "mesh" v61.9, vendor: SIMVD[, expiry: D]
//!     ada n1 /dev/tty (v61.9) (lic3/27002 18856), start Fri 10/20 14:12[, 6 licenses]
//!         [(linger: s [/ s])][, PID: n]        | … (lic3/27002 18857) queued for 2 licenses
//!     8 RESERVATIONs for GROUP CFD (lic3/27002)
//! ```
//!
//! Several answers may stand one after another. "In use" counts idle reservations, which are facts
//! of their own here. A question that failed is `Unknown`, never zero; so is a pool of which the
//! server could not speak.
//!
//! # Names
//!
//! A pool's daemon is the one that its version block names, or else the only one that the answer
//! lists; its host is the one that [`LmstatOptions`] gives, or else the one whose daemons the answer
//! lists. User, host and display are separated by single blanks and may hold blanks themselves: see
//! [`holder`] for how they are told apart.
//!
//! # Identity and bounds
//!
//! A fact's identity is made of tenant, server, instant, what the line says and its ordinal among
//! equals, so an answer that is read twice gives the same facts. An answer is bounded by
//! [`ANSWER_BYTES_MAX`], and nothing is kept but names and the pool that is being read.

pub mod holder;
mod block;
mod teller;

use super::date;
use super::document::DOCUMENT_BYTES_MAX;
use super::line::reserved_for;
use super::server_name;
use crate::formats::{Context, Sink};
use block::Block;
use holder::HolderLine;
use std::collections::{BTreeMap, BTreeSet};
use teller::Teller;
use trueup_model::observation::ReservedFor;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// The longest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;
/// The daemon of a pool that names none.
const UNKNOWN_DAEMON: &str = "unknown";

/// What to assume of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LmstatOptions {
    /// The host of the daemons, whatever the answer says.
    pub host: Option<String>,
    /// The host of the daemons if the answer does not say it.
    pub fallback_host: Option<String>,
    /// The instant of an answer without a header; when it was received if `None`.
    pub at: Option<Timestamp>,
    /// Names of hosts, which tell users, hosts and displays apart.
    pub known_hosts: BTreeSet<String>,
}

/// What an answer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LmstatSummary {
    /// Pools that the server spoke of.
    pub pools: u64,
    /// Holders and clients in queues.
    pub sessions: u64,
    /// Rejects, told or counted.
    pub rejects: u64,
}

/// Reads one or several answers.
pub fn read(
    context: &Context,
    options: &LmstatOptions,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> LmstatSummary {
    if bytes.len() > ANSWER_BYTES_MAX {
        let detail = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
        context.reject(sink, 0, RejectReason::TooLong, &bytes[..200], Some(&detail));
        return LmstatSummary { pools: 0, sessions: 0, rejects: 1 };
    }
    let mut teller = Teller::new(context, options);
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        teller.learn(line);
    }
    let mut reader = Reader { teller, block: Block::default(), feature: None };
    for (position, line) in (1..).zip(text.lines()) {
        reader.line(position, line, sink);
    }
    reader.end_block(sink);
    reader.teller.close(sink)
}

/// Reads an answer line by line.
struct Reader<'a> {
    teller: Teller<'a>,
    block: Block,
    feature: Option<Feature>,
}

impl Reader<'_> {
    fn line(&mut self, position: u64, line: &str, sink: &mut impl Sink) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            return;
        }
        if let Some(rest) = line.strip_prefix("Flexible License Manager status on ") {
            self.end_block(sink);
            self.teller.begin(position, rest, sink);
        } else if let Some(rest) = line.strip_prefix("License server status:") {
            self.end_block(sink);
            self.block.ask(rest);
        } else if let Some(rest) = line.strip_prefix("Vendor daemon status (on ") {
            self.end_feature(sink);
            self.block.list(rest.split(')').next().unwrap_or_default());
        } else if line.starts_with("Feature usage info") {
            self.block.listing = false;
        } else if line.starts_with("Error getting status") {
            self.block.failed = Some(position);
        } else if let Some(rest) = line.strip_prefix("Users of ") {
            self.end_feature(sink);
            self.block.listing = false;
            self.feature = Feature::read(position, rest);
            if self.feature.is_none() {
                self.teller.malformed(position, line, "a pool without its numbers", sink);
            }
        } else if let Some(rest) = line.strip_prefix("Cannot get users of ") {
            self.end_feature(sink);
            self.feature = Feature::unknown(position, rest);
        } else if self.feature.is_some() {
            self.user(position, line, sink);
        } else {
            self.block.answer(position, line);
        }
    }

    /// Takes a line below a feature.
    fn user(&mut self, position: u64, line: &str, sink: &mut impl Sink) {
        if let Some((version, vendor)) = pool(line) {
            self.settle(vendor, sink);
            if let Some(feature) = &mut self.feature {
                feature.enter(version);
            }
        } else if let Some(holder) = HolderLine::read(line) {
            self.settle(None, sink);
            if let Some(feature) = &self.feature {
                self.teller.session(position, line, feature, &holder, sink);
            }
        } else if line.contains(" RESERVATION") {
            self.settle(None, sink);
            match (&self.feature, Reserved::read(line)) {
                (Some(feature), Some(reserved)) => {
                    self.teller.reservation(position, feature, &reserved, sink);
                }
                _ => self.teller.malformed(position, line, "an unclear reservation", sink),
            }
        } else if line.contains(", start ") || line.contains(" queued for ") {
            self.teller.malformed(position, line, "a holder without its anchors", sink);
        }
    }

    /// Tells the pool of the feature that is being read, once its daemon is known.
    fn settle(&mut self, vendor: Option<&str>, sink: &mut impl Sink) {
        let Some(feature) = self.feature.as_mut().filter(|feature| feature.server.is_empty())
        else {
            return;
        };
        let daemon = vendor.or_else(|| self.block.only_daemon());
        feature.server =
            server_name(daemon.unwrap_or(UNKNOWN_DAEMON), &self.teller.host(&self.block));
        if daemon.is_none() && self.block.daemons.len() > 1 && !self.block.remarked {
            self.block.remarked = true;
            let words = "several daemons answer, and a pool without users does not name its own";
            self.teller.note(feature.position, words, sink);
        }
        self.teller.pool(feature, sink);
    }

    fn end_feature(&mut self, sink: &mut impl Sink) {
        self.settle(None, sink);
        self.feature = None;
    }

    fn end_block(&mut self, sink: &mut impl Sink) {
        self.end_feature(sink);
        let block = std::mem::take(&mut self.block);
        self.teller.servers(&block, sink);
    }
}

/// The feature whose users are being listed.
#[derive(Debug)]
struct Feature {
    position: u64,
    name: String,
    issued: Capacity,
    in_use: Option<u32>,
    /// The server as facts name it; empty until it is known.
    server: String,
    /// The version block, told apart from others that read like it.
    block: Option<String>,
    blocks: BTreeMap<String, u32>,
}

impl Feature {
    /// Reads `mesh:  (Total of 20 licenses issued;  Total of 15 licenses in use)` and its like.
    fn read(position: u64, text: &str) -> Option<Self> {
        let at = text.find(":  (").or_else(|| text.find(": ("))?;
        let (name, group) = text.split_at(at);
        let (_, inside) = group.split_once('(')?;
        let (issued, in_use) = if let Some(rest) = inside.strip_prefix("Total of ") {
            let (issued, rest) = date::number(rest)?;
            let (_, rest) = rest.split_once("Total of ")?;
            let (in_use, _) = date::number(rest)?;
            (Capacity::Limited(Quantity::units(i64::from(issued))), Some(in_use))
        } else if inside.starts_with("Uncounted") {
            (Capacity::Unlimited, None)
        } else {
            (Capacity::Unknown, None)
        };
        Some(Self { issued, in_use, ..Self::of(position, name.trim()) })
    }

    /// `mesh: No such feature exists. (-5,222)`
    fn unknown(position: u64, text: &str) -> Option<Self> {
        let (name, _) = text.split_once(": ")?;
        Some(Self::of(position, name.trim()))
    }

    fn of(position: u64, name: &str) -> Self {
        Self {
            position,
            name: name.to_owned(),
            issued: Capacity::Unknown,
            in_use: None,
            server: String::new(),
            block: None,
            blocks: BTreeMap::new(),
        }
    }

    /// Begins a version block.
    fn enter(&mut self, version: &str) {
        let times = self.blocks.entry(version.to_owned()).or_default();
        *times += 1;
        let name = if *times == 1 { version.to_owned() } else { format!("{version} ({times})") };
        self.block = Some(name);
    }
}

/// The version and vendor of `"mesh" v61.9, vendor: SIMVD, expiry: 1-jan-0`.
fn pool(line: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = line.strip_prefix('"')?.split_once("\" v")?;
    let (version, rest) = rest.split_once(',').unwrap_or((rest, ""));
    let vendor = rest.trim().strip_prefix("vendor:")?;
    let vendor = vendor.split(',').next().unwrap_or_default().trim();
    Some((version.trim(), (!vendor.is_empty()).then_some(vendor)))
}

/// Licenses that are set aside and not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reserved<'a> {
    count: u32,
    holder_kind: ReservedFor,
    holder: &'a str,
}

impl<'a> Reserved<'a> {
    /// Reads `8 RESERVATIONs for GROUP CFD (lic4.example.org/27002)`.
    fn read(line: &'a str) -> Option<Self> {
        let (count, rest) = date::number(line)?;
        let (_, rest) = rest.split_once(" for ")?;
        let (kind, rest) = rest.trim().split_once(' ')?;
        let (holder, _) = rest.rsplit_once(" (")?;
        let holder = holder.trim();
        let whole = count > 0 && !holder.is_empty();
        whole.then_some(Self { count, holder_kind: reserved_for(kind), holder })
    }
}

#[cfg(test)]
mod tests;
