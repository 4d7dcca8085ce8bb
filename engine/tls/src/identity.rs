//! What a side shows, and whom it believes, where both sides do both.

use crate::ends::{Card, Guest, Host};
use crate::error::TlsError;
use crate::session::Session;
use crate::side::Role;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// The files of an identity, all of them in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and behind it those between it and the authority, if there are some.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The certificates of those whose certificates are believed.
    pub authority: PathBuf,
}

/// What a side shows, and whom it believes: it opens connections, and others open some to it.
#[derive(Clone, Debug)]
pub struct Identity {
    host: Host,
    guest: Guest,
}

impl Identity {
    /// Reads an identity.
    ///
    /// # Errors
    /// If a file is missing or holds something else, or the key is of another certificate.
    pub fn read(role: Role, files: Files) -> Result<Self, TlsError> {
        let Files { certificate, key, authority } = files;
        let card = Card { certificate, key };
        let host = Host::read(role, &card, Some(authority.clone()))?;
        let guest = Guest::read(role, authority, Some(&card))?;
        Ok(Self { host, guest })
    }

    /// Secures a connection that this side opened, to one whose certificate must be for a name; `left`
    /// says how much time there still is.
    ///
    /// # Errors
    /// Why the other side cannot be believed, or did not answer.
    pub fn connect(
        &self,
        stream: &TcpStream,
        name: &str,
        left: &dyn Fn() -> Duration,
    ) -> Result<Session, TlsError> {
        self.guest.connect(stream, name, left)
    }

    /// Secures a connection that the other side opened; `left` says how much time there still is.
    ///
    /// # Errors
    /// Why the other side cannot be believed, or did not say anything.
    pub fn accept(
        &self,
        stream: &TcpStream,
        left: &dyn Fn() -> Duration,
    ) -> Result<Session, TlsError> {
        self.host.accept(stream, left)
    }

    /// Whether certificates can be for a name.
    ///
    /// # Errors
    /// If it is neither a host's name nor an address.
    pub fn check_name(&self, name: &str) -> Result<(), TlsError> {
        self.guest.check_name(name)
    }
}
