//! Facts from dated lines: the daemons of a log, the order inside a second, identities.

use super::LogOptions;
use super::daemons::{Daemon, Daemons, is_manager};
use super::recent::Further;
use crate::formats::flexnet::line::{self, Event, Life, Message, Prefixed, Reserving};
use crate::formats::flexnet::quarantine::Quarantine;
use crate::formats::{Context, Sink};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::observation::Reservation;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;
use trueup_model::usage::{ServerEvent, ServerEventKind, SessionEvent};

/// How long a daemon that reads its license again may take until it serves.
const REREAD_MAX_US: i64 = 300_000_000;

/// Where a line stands: in which of the log's files, and at which line of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    document: u32,
    position: u64,
}

/// Tells facts.
#[derive(Debug)]
pub(super) struct Scribe {
    context: Context,
    /// The names of the log's files; the last one is being read.
    documents: Vec<String>,
    daemons: Daemons,
    further: Further,
    quarantine: Quarantine,
    events: u64,
}

impl Scribe {
    pub(super) fn new(context: Context, options: &LogOptions) -> Self {
        Self {
            documents: vec![context.document.clone()],
            daemons: Daemons::new(&context.tenant, options),
            context,
            further: Further::default(),
            quarantine: Quarantine::default(),
            events: 0,
        }
    }

    /// Goes on in another file.
    pub(super) fn continue_in(&mut self, document: &str) {
        self.documents.push(document.to_owned());
    }

    /// Sets when the lines that follow were received.
    pub(super) fn received_at(&mut self, at: Timestamp) {
        self.context.received_at = at;
    }

    /// The host that facts name, once one left.
    pub(super) fn host(&self) -> Option<&str> {
        self.daemons.host()
    }

    /// How many session events were told.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// The place of a line of the file that is being read.
    pub(super) fn place(&self, position: u64) -> Place {
        let document = u32::try_from(self.documents.len() - 1).unwrap_or(u32::MAX);
        Place { document, position }
    }

    /// Takes the host that the log names, if it comes in time.
    pub(super) fn offer_host(&mut self, host: &str) {
        self.daemons.offer_host(host);
    }

    /// Tells what a dated line says.
    pub(super) fn line(
        &mut self,
        at: Timestamp,
        place: Place,
        prefixed: &Prefixed<'_>,
        message: &Message<'_>,
        line: &[u8],
        sink: &mut impl Sink,
    ) {
        let name = line::parent(prefixed.daemon);
        let known = match message {
            Message::Event(event) => {
                let known = self.register(name, place, line, sink);
                if let Some(daemon) = known {
                    self.session(daemon, at, place, event, prefixed.message, sink);
                    self.daemons[daemon].starting = false;
                }
                known
            }
            Message::Chatter | Message::Dated(_) => self.daemons.find(name),
            Message::Unreadable(why) => {
                self.reject(place, RejectReason::Malformed, line, Some(why), sink);
                self.daemons.find(name)
            }
            Message::Reserving(reserving) => {
                let known = self.register(name, place, line, sink);
                if let Some(daemon) = known {
                    self.reservation(daemon, place, reserving, sink);
                }
                known
            }
            Message::Life(life) => {
                self.life(at, place, name, life, line, sink);
                self.daemons.find(name)
            }
        };
        if let Some(daemon) = known
            && !self.daemons[daemon].starting
        {
            self.daemons[daemon].sign = Some((at, place));
        }
    }

    /// Tells what a line says of the daemons' lives.
    fn life(
        &mut self,
        at: Timestamp,
        place: Place,
        name: &[u8],
        life: &Life<'_>,
        line: &[u8],
        sink: &mut impl Sink,
    ) {
        if let Some(host) = life.host()
            && let Some(fixed) = self.daemons.meet_host(host)
        {
            let words = format!(
                "the server calls itself {host}; its facts already name {fixed} and go on doing so"
            );
            self.quarantine.note(sink, place.position, &words);
        }
        match life {
            Life::Timestamp(_) | Life::Banner { .. } if is_manager(name) => {
                for daemon in 0..self.daemons.len() {
                    self.manager_lives(daemon, at, place, life, sink);
                }
            }
            Life::Timestamp(_) => {
                if let Some(daemon) = self.register(name, place, line, sink) {
                    self.alive(daemon, (at, place), sink);
                }
            }
            Life::Started { .. } => {
                if let Some(daemon) = self.register(name, place, line, sink) {
                    self.serves(daemon, at, place, sink);
                }
            }
            Life::Expired { feature } => {
                if let Some(daemon) = self.register(name, place, line, sink) {
                    let kind = ServerEventKind::FeatureExpired;
                    let said = [b"expired ", feature.as_bytes()].concat();
                    self.server_event(daemon, (at, place), kind, Some(*feature), &said, sink);
                }
            }
            Life::Version => self.begin_start(name),
            Life::Launched { daemon } => self.begin_start(daemon.as_bytes()),
            Life::RereadBegun => self.reread_begins(name, at),
            Life::RereadEnded => self.reread_ends(name, at, place, sink),
            Life::Banner { .. } => {}
        }
    }

    /// The manager lives or starts: so do, or did, its daemons.
    fn manager_lives(
        &mut self,
        daemon: usize,
        at: Timestamp,
        place: Place,
        life: &Life<'_>,
        sink: &mut impl Sink,
    ) {
        if matches!(life, Life::Banner { .. }) {
            self.started(daemon, at, place, b"the manager started", sink);
        } else if !self.daemons[daemon].starting {
            self.alive(daemon, (at, place), sink);
            self.daemons[daemon].sign = Some((at, place));
        }
    }

    /// From here on lines of a daemon come from a new process, until it serves.
    fn begin_start(&mut self, name: &[u8]) {
        if let Some(daemon) = self.daemons.find(name) {
            self.daemons[daemon].starting = true;
            self.daemons[daemon].reread_at = None;
        }
    }

    fn reread_begins(&mut self, name: &[u8], at: Timestamp) {
        let all = is_manager(name);
        let one = self.daemons.find(name);
        for (index, daemon) in self.daemons.iter_mut().enumerate() {
            if all || one == Some(index) {
                daemon.rereading = true;
                if one == Some(index) {
                    daemon.reread_at = Some(at);
                }
                daemon.restate();
            }
        }
    }

    /// A daemon says that it has reread the license file, or the manager says it of all that have not.
    fn reread_ends(&mut self, name: &[u8], at: Timestamp, place: Place, sink: &mut impl Sink) {
        let all = is_manager(name);
        let one = self.daemons.find(name);
        for index in 0..self.daemons.len() {
            if one == Some(index) {
                self.daemons[index].reread_at = None;
            }
            if one == Some(index) || (all && self.daemons[index].rereading) {
                self.daemons[index].rereading = false;
                let kind = ServerEventKind::Reread;
                self.server_event(index, (at, place), kind, None, b"reread", sink);
            }
        }
    }

    /// Tells that each daemon was alive at its last line.
    pub(super) fn tell_alive(&mut self, sink: &mut impl Sink) {
        for daemon in 0..self.daemons.len() {
            if let Some(sign) = self.daemons[daemon].sign {
                self.alive(daemon, sign, sink);
            }
        }
    }

    /// A daemon says that it serves: after a start, or, as some do, after it read its license again.
    fn serves(&mut self, daemon: usize, at: Timestamp, place: Place, sink: &mut impl Sink) {
        let known = &self.daemons[daemon];
        let reread = known.reread_at.filter(|begun| at.0 - begun.0 <= REREAD_MAX_US);
        if reread.is_none() || known.starting {
            self.started(daemon, at, place, b"started", sink);
        } else if known.rereading {
            // What the manager said of the reread before was of this one too.
            self.daemons[daemon].rereading = false;
            let kind = ServerEventKind::Reread;
            self.server_event(daemon, (at, place), kind, None, b"reread", sink);
        }
    }

    /// Tells a start, and before it the last sign of life of what ended with it.
    fn started(
        &mut self,
        daemon: usize,
        at: Timestamp,
        place: Place,
        said: &[u8],
        sink: &mut impl Sink,
    ) {
        if let Some(sign) = self.daemons[daemon].sign {
            self.alive(daemon, sign, sink);
        }
        let kind = ServerEventKind::Started;
        self.server_event(daemon, (at, place), kind, None, said, sink);
        let daemon = &mut self.daemons[daemon];
        daemon.starting = false;
        daemon.rereading = false;
        daemon.reread_at = None;
        daemon.restate();
        daemon.sign = Some((at, place));
    }

    /// Tells that a daemon was alive; it takes no place in its second, so that telling it or not
    /// changes nothing else.
    fn alive(&mut self, daemon: usize, (at, place): (Timestamp, Place), sink: &mut impl Sink) {
        if self.daemons[daemon].told == Some(at) {
            return;
        }
        self.daemons[daemon].told = Some(at);
        let Daemon { identities, seconds, .. } = &mut self.daemons[daemon];
        let rank = seconds.taken_at(at).unwrap_or(0);
        let id = identities.of(&[b"log", &at.0.to_le_bytes(), b"alive"]);
        let known = &self.daemons[daemon];
        let kind = ServerEventKind::Alive;
        let body = ServerEvent { at, rank, kind, server: known.server.as_str(), product: None };
        self.tell(id, place, Body::Server(body), sink);
    }

    fn server_event(
        &mut self,
        daemon: usize,
        (at, place): (Timestamp, Place),
        kind: ServerEventKind,
        product: Option<&str>,
        said: &[u8],
        sink: &mut impl Sink,
    ) {
        let (id, rank) = self.identity(daemon, at, said);
        let server = self.daemons[daemon].server.as_str();
        let body = ServerEvent { at, rank, kind, server, product };
        self.tell(id, place, Body::Server(body), sink);
    }

    fn session(
        &mut self,
        daemon: usize,
        at: Timestamp,
        place: Place,
        event: &Event<'_>,
        message: &[u8],
        sink: &mut impl Sink,
    ) {
        let (id, rank) = self.identity(daemon, at, message);
        self.events += 1;
        let body = SessionEvent {
            at,
            rank,
            kind: event.kind,
            reason: event.reason,
            server: self.daemons[daemon].server.as_str(),
            product: event.feature,
            user: event.user,
            device: event.host,
            display: None,
            vendor_data: event.vendor_data,
            project: event.verbose.and_then(|verbose| verbose.project),
            version: event.verbose.map(|verbose| verbose.version),
            handle: event.verbose.and_then(|verbose| verbose.handle),
            count: event.count,
            until: None,
        };
        self.tell(id, place, Body::Session(body), sink);
    }

    /// Tells a reservation. Every start repeats it, so its identity has no instant.
    fn reservation(
        &mut self,
        daemon: usize,
        place: Place,
        reserving: &Reserving<'_>,
        sink: &mut impl Sink,
    ) {
        let Reserving { count, feature, holder_kind, holder } = *reserving;
        let parts: [&[u8]; 6] = [
            b"log",
            b"reserving",
            feature.as_bytes(),
            &count.to_le_bytes(),
            &[holder_kind.code()],
            holder.as_bytes(),
        ];
        let id = self.daemons[daemon].reservation(&parts);
        let body = Reservation {
            at: None,
            server: self.daemons[daemon].server.as_str(),
            product: feature,
            count,
            holder_kind,
            holder,
        };
        self.tell(id, place, Body::Reservation(body), sink);
    }

    /// The identity and the place of the next message of this text in this second.
    fn identity(&mut self, daemon: usize, at: Timestamp, message: &[u8]) -> (FactId, u32) {
        let Daemon { identities, seconds, .. } = &mut self.daemons[daemon];
        let mut of = |ordinal: u32| {
            let mut head = *b"log:at......:of..";
            head[4..12].copy_from_slice(&at.0.to_le_bytes());
            head[13..].copy_from_slice(&ordinal.to_le_bytes());
            identities.of(&[&head, message])
        };
        let first = of(0);
        let second = seconds.at(at);
        #[expect(clippy::cast_possible_truncation, reason = "any half of a hash tells it apart")]
        let id = match second.count(first.0 as u64, &mut self.further) {
            0 => first,
            ordinal => of(ordinal),
        };
        (id, second.take_place())
    }

    #[inline]
    fn tell(&self, id: FactId, place: Place, body: Body<&str>, sink: &mut impl Sink) {
        sink.accept(Fact {
            id,
            revision: 0,
            arrived_at: self.context.received_at,
            provenance: Provenance {
                document: self.document(place.document),
                position: place.position,
            },
            document: None,
            action: Action::Assert(body),
        });
    }

    fn document(&self, index: u32) -> &str {
        let name = usize::try_from(index).ok().and_then(|index| self.documents.get(index));
        name.map_or("", String::as_str)
    }

    /// Sets a line aside whose date is not known; a reservation needs none.
    pub(super) fn undated(&mut self, place: Place, line: &[u8], sink: &mut impl Sink) {
        let Some(prefixed) = line::split(line) else { return };
        let mut scratch = String::new();
        match prefixed.message(&mut scratch) {
            Message::Event(_) => self.reject(place, RejectReason::Undated, line, None, sink),
            Message::Unreadable(why) => {
                self.reject(place, RejectReason::Malformed, line, Some(why), sink);
            }
            Message::Reserving(reserving) => {
                let name = line::parent(prefixed.daemon);
                if let Some(daemon) = self.register(name, place, line, sink) {
                    self.reservation(daemon, place, &reserving, sink);
                }
            }
            Message::Dated(_) | Message::Life(_) | Message::Chatter => {}
        }
    }

    /// Sets a line aside.
    pub(super) fn reject(
        &mut self,
        place: Place,
        reason: RejectReason,
        line: &[u8],
        detail: Option<&str>,
        sink: &mut impl Sink,
    ) {
        if self.context.document != self.document(place.document) {
            self.context.document = self.document(place.document).to_owned();
        }
        self.quarantine.reject(&self.context, sink, place.position, reason, line, detail);
    }

    pub(super) fn note(&mut self, position: u64, words: &str, sink: &mut impl Sink) {
        self.quarantine.note(sink, position, words);
    }

    /// Tells how many rejects were only counted, and gives the number of all.
    pub(super) fn close(&mut self, sink: &mut impl Sink) -> u64 {
        let rejects = self.quarantine.rejects();
        self.quarantine.close(&self.context, sink);
        rejects
    }

    /// The daemon of this name, remembered from now on; a line of one too many is set aside.
    fn register(
        &mut self,
        name: &[u8],
        place: Place,
        line: &[u8],
        sink: &mut impl Sink,
    ) -> Option<usize> {
        let daemon = self.daemons.register(name);
        if daemon.is_none() {
            let detail = "more daemons than one log may have";
            self.reject(place, RejectReason::TooManyNames, line, Some(detail), sink);
        }
        daemon
    }
}
