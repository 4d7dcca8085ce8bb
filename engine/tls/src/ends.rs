//! The two ends of a connection of which one may show nothing: who is asked, and who asks.
//!
//! A host shows a certificate, and asks for one only where it is told whose it believes. A guest believes an
//! authority, and shows a certificate only where it is given one.

use crate::error::TlsError;
use crate::pem::{Shown, roots, unfit, unusable};
use crate::secured::shake;
use crate::session::Session;
use crate::side::{Role, Side, name};
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::fmt;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The files of what a side shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The certificate, and behind it those between it and the authority, if there are some.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Who is asked: shows a certificate.
#[derive(Clone)]
pub struct Host {
    side: Arc<Side>,
    config: Arc<ServerConfig>,
}

impl Host {
    /// Reads what is shown, and whose certificates must be shown; nobody's if that is not said.
    ///
    /// # Errors
    /// If a file is missing or holds something else, or the key is of another certificate.
    pub fn read(role: Role, card: &Card, authority: Option<PathBuf>) -> Result<Self, TlsError> {
        let Card { certificate, key } = card;
        let shown = Shown::read(certificate, key)?;
        let broken = |error| unfit(certificate, key, &error);
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(broken)?;
        let builder = match &authority {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let believes =
                    WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider);
                let believes = believes
                    .build()
                    .map_err(|error| unusable(authority, format!("cannot be used: {error}")))?;
                builder.with_client_cert_verifier(believes)
            }
        };
        let mut config = builder.with_single_cert(shown.chain, shown.key).map_err(broken)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let side = Side { role, certificate: Some(certificate.clone()), authority };
        Ok(Self { side: Arc::new(side), config: Arc::new(config) })
    }

    /// Begins a connection that the other side opened, without its socket.
    ///
    /// # Errors
    /// If what is shown cannot be used.
    pub fn begin(&self) -> Result<Session, TlsError> {
        let accepted = ServerConnection::new(Arc::clone(&self.config));
        let accepted = accepted.map_err(|error| self.side.explain(error))?;
        Ok(Session::new(accepted.into(), Arc::clone(&self.side)))
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
        shake(self.begin()?, stream, left)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("side", &self.side).finish_non_exhaustive()
    }
}

/// Who asks: believes an authority.
#[derive(Clone)]
pub struct Guest {
    side: Arc<Side>,
    config: Arc<ClientConfig>,
}

impl Guest {
    /// Reads whom it believes, and what it shows; nothing if that is not said.
    ///
    /// # Errors
    /// If a file is missing or holds something else, or the key is of another certificate.
    pub fn read(role: Role, authority: PathBuf, card: Option<&Card>) -> Result<Self, TlsError> {
        let shown = card.map(|card| Shown::read(&card.certificate, &card.key)).transpose()?;
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| unusable(&authority, format!("cannot be used: {error}")))?
            .with_root_certificates(roots(&authority)?);
        let mut config = match (card, shown) {
            (Some(Card { certificate, key }), Some(shown)) => builder
                .with_client_auth_cert(shown.chain, shown.key)
                .map_err(|error| unfit(certificate, key, &error))?,
            (None, _) | (_, None) => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        let certificate = card.map(|card| card.certificate.clone());
        let side = Side { role, certificate, authority: Some(authority) };
        Ok(Self { side: Arc::new(side), config: Arc::new(config) })
    }

    /// Secures a connection that this side opened, to one whose certificate must be for a name; `left`
    /// says how much time there still is.
    ///
    /// # Errors
    /// Why the other side cannot be believed, or did not answer.
    pub fn connect(
        &self,
        stream: &TcpStream,
        to: &str,
        left: &dyn Fn() -> Duration,
    ) -> Result<Session, TlsError> {
        let opened = ClientConnection::new(Arc::clone(&self.config), name(to)?);
        let opened = opened.map_err(|error| self.side.explain(error))?;
        shake(Session::new(opened.into(), Arc::clone(&self.side)), stream, left)
    }

    /// Whether certificates can be for a name.
    ///
    /// # Errors
    /// If it is neither a host's name nor an address.
    pub fn check_name(&self, text: &str) -> Result<(), TlsError> {
        name(text).map(drop)
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("side", &self.side).finish_non_exhaustive()
    }
}
