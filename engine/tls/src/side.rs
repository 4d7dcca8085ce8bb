//! Which side of which kind of connection this is, and how it says what is wrong with the other one.

use crate::error::{TlsError, explained};
use rustls::pki_types::ServerName;
use std::path::PathBuf;

/// Which side of which kind of connection this is: so that errors name the other one, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A connector, whose other side is the engine.
    Connector,
    /// The engine, whose other side is a connector.
    Engine,
    /// A process of a cluster, whose other side is another one.
    Process,
    /// Someone who asks, whose other side is the engine.
    Reader,
    /// The engine, whose other side is someone who asks.
    Answerer,
}

impl Role {
    /// What the other side is called.
    pub fn peer(self) -> &'static str {
        match self {
            Self::Connector | Self::Reader => "the engine",
            Self::Engine => "the connector",
            Self::Process => "the other process",
            Self::Answerer => "whoever asks",
        }
    }

    /// What to do if the other side speaks no TLS, or shows nothing.
    pub(crate) fn plain_remedy(self) -> &'static str {
        match self {
            Self::Connector => {
                "give the engine `connectors.certificate_file`, or leave out --authority, \
                 --certificate and --key"
            }
            Self::Engine => "a connector needs --authority, --certificate and --key here",
            Self::Process => "give all processes a certificate, a key and the authority",
            Self::Reader => "give the engine `api.certificate_file`, or leave out --ca",
            Self::Answerer => {
                "ask with --ca here, and with --certificate and --key too where \
                 `api.authority_file` is named"
            }
        }
    }

    /// What to do if the other side is not who it should be.
    pub(crate) fn name_remedy(self) -> &'static str {
        match self {
            Self::Connector | Self::Reader => "--engine-name says for whom it must be",
            Self::Engine => "`connectors.certificate_name` says for whom it must be",
            Self::Process => "`cluster.certificate_names` says for whom each must be",
            Self::Answerer => "`api.authority_file` says whose certificates are believed",
        }
    }
}

/// A side, as its errors speak of it.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) role: Role,
    /// What it shows, if it shows something.
    pub(crate) certificate: Option<PathBuf>,
    /// Whom it believes, if it asks for certificates.
    pub(crate) authority: Option<PathBuf>,
}

impl Side {
    pub(crate) fn explain(&self, error: rustls::Error) -> TlsError {
        explained(error, self)
    }
}

/// A name that a certificate can be for.
pub(crate) fn name(name: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let wrong = |_| TlsError::Name { name: name.to_owned() };
    ServerName::try_from(bare.to_owned()).map_err(wrong)
}
