//! The hosts that facts name on their way: what tells host and display apart in a server's answer.

use crate::formats::Sink;
use std::collections::BTreeSet;
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::org::MemberKind;

/// How many hosts are remembered; an answer that names others is read by its shape.
const DEVICES_MAX: usize = 1_000_000;

/// Passes facts on and remembers the hosts that they name.
#[derive(Debug)]
pub(crate) struct Devices<'s, S> {
    sink: &'s mut S,
    is_hearing: bool,
    /// The hosts, in lower case.
    pub(crate) devices: BTreeSet<String>,
}

impl<'s, S: Sink> Devices<'s, S> {
    /// Listens only if it is worth it.
    pub(crate) fn new(sink: &'s mut S, is_hearing: bool) -> Self {
        Self { sink, is_hearing, devices: BTreeSet::new() }
    }

    fn hear(&mut self, body: &Body<&str>) {
        let device = if let Body::Session(event) = body {
            event.device
        } else if let Body::Membership(row) = body
            && row.kind == MemberKind::Device
        {
            row.member
        } else {
            return;
        };
        if self.devices.len() < DEVICES_MAX && !device.is_empty() {
            let device = device.to_lowercase();
            if !self.devices.contains(&device) {
                self.devices.insert(device);
            }
        }
    }
}

impl<S: Sink> Sink for Devices<'_, S> {
    fn accept(&mut self, fact: Fact<&str>) {
        if let (true, Action::Assert(body)) = (self.is_hearing, &fact.action) {
            self.hear(body);
        }
        self.sink.accept(fact);
    }

    fn note(&mut self, position: u64, words: &str) {
        self.sink.note(position, words);
    }
}
