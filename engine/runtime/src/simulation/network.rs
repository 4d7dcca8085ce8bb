//! The network: connections that are slow, cut what is said, break, and live on at one end only.

use super::world::Shared;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use trueup_connectors::client::clock::Clock;
use trueup_connectors::client::transport::{Dial, Received, Transport};

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// On the way to the engine.
    pub(crate) up: VecDeque<u8>,
    /// On the way to the connector.
    pub(crate) down: VecDeque<u8>,
    /// What came to the connector and was not read.
    inbox: Vec<u8>,
    /// The connector has closed its end.
    pub(crate) is_left: bool,
    /// The engine has closed its end.
    pub(crate) is_ended: bool,
    /// The connector finds the connection broken.
    pub(crate) is_broken: bool,
}

impl Line {
    /// Brings so many bytes to the connector.
    pub(crate) fn bring_down(&mut self, count: usize) {
        self.inbox.extend(self.down.drain(..count));
    }

    /// The engine's process is gone, and with it some of what was on its way.
    pub(crate) fn cut(&mut self, kept: usize) {
        self.is_ended = true;
        self.down.truncate(kept);
    }

    /// Whether nothing more can come of it.
    pub(crate) fn is_over(&self) -> bool {
        self.is_left && (self.up.is_empty() || self.is_ended)
    }
}

/// A connector's end of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    world: Shared,
    line: usize,
    given: Vec<u8>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.world.0.borrow_mut().lines[self.line].is_left = true;
    }
}

impl Transport for Wire {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut world = self.world.0.borrow_mut();
        let line = &mut world.lines[self.line];
        if line.is_broken || line.is_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        line.up.extend(bytes);
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        let line = self.line;
        let until_us = self.world.until_us(wait);
        self.world.pass(until_us, |world| {
            let line = &world.lines[line];
            !line.inbox.is_empty() || line.is_broken || line.is_ended && line.down.is_empty()
        });
        let mut world = self.world.0.borrow_mut();
        let line = &mut world.lines[line];
        if line.is_broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if !line.inbox.is_empty() {
            self.given = std::mem::take(&mut line.inbox);
            return Ok(Received::Bytes(&self.given));
        }
        let is_over = line.is_ended && line.down.is_empty();
        Ok(if is_over { Received::Ended } else { Received::Nothing })
    }
}

/// Connects to the engine.
#[derive(Clone, Debug)]
pub(crate) struct Phone(pub(crate) Shared);

impl Dial for Phone {
    type Transport = Wire;

    fn dial(&mut self) -> io::Result<Wire> {
        let line = self.0.0.borrow_mut().connect()?;
        Ok(Wire { world: self.0.clone(), line, given: Vec::new() })
    }

    fn address(&self) -> String {
        "the simulation".to_owned()
    }
}

/// The time of a connector.
#[derive(Clone, Debug)]
pub(crate) struct Watch(pub(crate) Shared);

impl Clock for Watch {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.0.borrow().time.us())
    }

    fn pause(&self, duration: Duration) {
        let until_us = self.0.until_us(duration);
        self.0.pass(until_us, |_| false);
    }
}
