//! Facts of one answer.

use super::block::Block;
use super::holder::{HolderLine, Hosts};
use super::{Feature, LmstatOptions, LmstatSummary, Reserved};
use crate::formats::flexnet::quarantine::Quarantine;
use crate::formats::flexnet::{UNKNOWN_HOST, date, server_name};
use crate::formats::{Context, Sink};
use jiff::civil::{Date, DateTime};
use std::collections::BTreeMap;
use trueup_model::fact::{Body, FactId};
use trueup_model::observation::{
    ObservedPool, ObservedServer, ObservedSession, Reservation, ServerState,
};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// How many years back a start is sought whose weekday, month and day are known.
const START_YEARS_MAX: i16 = 12;

/// Tells facts.
pub(super) struct Teller<'a> {
    context: &'a Context,
    options: &'a LmstatOptions,
    hosts: Hosts,
    /// The first server that a holder's line names.
    answering_host: Option<String>,
    at: Timestamp,
    /// How often a fact of this identity came before in this answer.
    ordinals: BTreeMap<FactId, u32>,
    quarantine: Quarantine,
    pools: u64,
    sessions: u64,
}

impl<'a> Teller<'a> {
    pub(super) fn new(context: &'a Context, options: &'a LmstatOptions) -> Self {
        Self {
            context,
            options,
            hosts: Hosts::new(&options.known_hosts),
            answering_host: None,
            at: options.at.unwrap_or(context.received_at),
            ordinals: BTreeMap::new(),
            quarantine: Quarantine::default(),
            pools: 0,
            sessions: 0,
        }
    }

    /// Learns names from a line, before any line is told.
    pub(super) fn learn(&mut self, line: &str) {
        if let Some(holder) = HolderLine::read(line) {
            self.hosts.learn(holder.names);
            self.answering_host.get_or_insert_with(|| holder.server.to_owned());
        }
    }

    /// Begins an answer: `Fri 10/20/2017 17:02`.
    pub(super) fn begin(&mut self, position: u64, header: &str, sink: &mut impl Sink) {
        self.ordinals.clear();
        match header_time(header) {
            Some(local) => self.at = self.context.zone.instant(local),
            None => {
                self.at = self.options.at.unwrap_or(self.context.received_at);
                self.malformed(position, header, "a header without a date and time", sink);
            }
        }
    }

    /// The host of a block's daemons.
    pub(super) fn host(&self, block: &Block) -> String {
        let LmstatOptions { host, fallback_host, .. } = self.options;
        let known = host
            .as_ref()
            .or(block.host.as_ref())
            .or(self.answering_host.as_ref())
            .or(block.asked.first())
            .or(fallback_host.as_ref());
        known.map_or(UNKNOWN_HOST, String::as_str).to_owned()
    }

    pub(super) fn pool(&mut self, feature: &Feature, sink: &mut impl Sink) {
        let issued = format!("{:?} {:?}", feature.issued, feature.in_use);
        let parts: [&[u8]; 3] = [b"pool", feature.name.as_bytes(), issued.as_bytes()];
        let id = self.identity(&feature.server, &parts);
        let body = ObservedPool {
            at: self.at,
            server: feature.server.as_str(),
            product: feature.name.as_str(),
            issued: feature.issued,
            reported_in_use: feature.in_use,
        };
        self.pools += 1;
        sink.accept(self.context.fact(id, feature.position, Body::ObservedPool(body)));
    }

    pub(super) fn session(
        &mut self,
        position: u64,
        line: &str,
        feature: &Feature,
        holder: &HolderLine<'_>,
        sink: &mut impl Sink,
    ) {
        let Some(names) = self.hosts.split(holder.names) else {
            return self.malformed(position, line, "a holder without user and host", sink);
        };
        if !names.certain {
            let words = "user, host and display cannot be told apart for certain: name the hosts";
            self.note(position, words, sink);
        }
        let start = holder.start.and_then(|start| self.start(start));
        if holder.start.is_some() && start.is_none() {
            self.note(position, "no day of the last years fits the start", sink);
        }
        let pool = feature.block.as_deref();
        let parts: [&[u8]; 4] = [
            b"session",
            feature.name.as_bytes(),
            pool.unwrap_or_default().as_bytes(),
            line.as_bytes(),
        ];
        let id = self.identity(&feature.server, &parts);
        let body = ObservedSession {
            at: self.at,
            server: feature.server.as_str(),
            product: feature.name.as_str(),
            pool,
            user: names.user,
            device: names.host,
            display: names.display,
            start,
            count: holder.count,
            handle: holder.handle,
            process: holder.process,
            linger_seconds: holder.linger_seconds,
            queued: holder.queued,
        };
        self.sessions += 1;
        sink.accept(self.context.fact(id, position, Body::ObservedSession(body)));
    }

    pub(super) fn reservation(
        &mut self,
        position: u64,
        feature: &Feature,
        reserved: &Reserved<'_>,
        sink: &mut impl Sink,
    ) {
        let Reserved { count, holder_kind, holder } = *reserved;
        let parts: [&[u8]; 6] = [
            b"reservation",
            feature.name.as_bytes(),
            feature.block.as_deref().unwrap_or_default().as_bytes(),
            &count.to_le_bytes(),
            &[holder_kind.code()],
            holder.as_bytes(),
        ];
        let id = self.identity(&feature.server, &parts);
        let body = Reservation {
            at: Some(self.at),
            server: feature.server.as_str(),
            product: feature.name.as_str(),
            count,
            holder_kind,
            holder,
        };
        sink.accept(self.context.fact(id, position, Body::Reservation(body)));
    }

    /// Tells the state of a block's servers and daemons.
    pub(super) fn servers(&mut self, block: &Block, sink: &mut impl Sink) {
        for answer in &block.servers {
            let state = (answer.state, answer.master);
            self.server(answer.position, &answer.name, false, state, sink);
        }
        let host = self.host(block);
        for answer in &block.daemons {
            let server = server_name(&answer.name, &host);
            self.server(answer.position, &server, true, (answer.state, false), sink);
        }
        let Some(failed) = block.failed else { return };
        // Nobody can say of a server that was asked in vain whether it is down.
        let asked = if block.asked.is_empty() { vec![host] } else { block.asked.clone() };
        for name in &asked {
            if !block.servers.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
                self.server(failed, name, false, (ServerState::Unknown, false), sink);
            }
        }
    }

    fn server(
        &mut self,
        position: u64,
        server: &str,
        daemon: bool,
        (state, master): (ServerState, bool),
        sink: &mut impl Sink,
    ) {
        let id = self.identity(server, &[b"server", &[state.code(), u8::from(daemon)]]);
        let body = ObservedServer { at: self.at, server, daemon, state, master };
        sink.accept(self.context.fact(id, position, Body::ObservedServer(body)));
    }

    pub(super) fn malformed(
        &mut self,
        position: u64,
        line: &str,
        detail: &str,
        sink: &mut impl Sink,
    ) {
        let (context, reason) = (self.context, RejectReason::Malformed);
        self.quarantine.reject(context, sink, position, reason, line.as_bytes(), Some(detail));
    }

    pub(super) fn note(&mut self, position: u64, words: &str, sink: &mut impl Sink) {
        self.quarantine.note(sink, position, words);
    }

    /// Ends reading.
    pub(super) fn close(mut self, sink: &mut impl Sink) -> LmstatSummary {
        let rejects = self.quarantine.rejects();
        self.quarantine.close(self.context, sink);
        LmstatSummary { pools: self.pools, sessions: self.sessions, rejects }
    }

    /// The identity of what an answer says of a server, told apart from equals by its order.
    fn identity(&mut self, server: &str, parts: &[&[u8]]) -> FactId {
        let (at, server) = (self.at.0.to_le_bytes(), server.to_lowercase());
        let mut all: Vec<&[u8]> = vec![b"lmstat", &at];
        all.extend_from_slice(parts);
        let first = FactId::of(&self.context.tenant, &server, &all);
        let times = self.ordinals.entry(first).or_default();
        let ordinal = times.to_le_bytes();
        *times += 1;
        all.push(&ordinal);
        FactId::of(&self.context.tenant, &server, &all)
    }

    /// The instant of `Fri 10/20 14:12`: in the latest year whose day has that weekday.
    fn start(&self, text: &str) -> Option<Timestamp> {
        let mut words = text.split_ascii_whitespace();
        let weekday = date::weekday(words.next()?)?;
        let (month, day) = words.next()?.split_once('/')?;
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        let time = date::clock_time(words.next()?)?;
        let today = self.context.zone.local(self.at).date();
        // The clocks of server and client may differ, so that a start can lie just ahead.
        let last = today.tomorrow().unwrap_or(today);
        let found = (0..=START_YEARS_MAX).find_map(|back| {
            let date = Date::new(last.year() - back, month, day).ok()?;
            let fits = date <= last && date.weekday().to_monday_one_offset() == weekday;
            fits.then_some(date)
        })?;
        Some(self.context.zone.instant(found.to_datetime(time)))
    }
}

/// Reads `Fri 10/20/2017 17:02`.
fn header_time(text: &str) -> Option<DateTime> {
    let mut words = text.split_ascii_whitespace();
    date::weekday(words.next()?)?;
    let (date, _) = date::month_day_year(words.next()?)?;
    Some(date.to_datetime(date::clock_time(words.next()?)?))
}
