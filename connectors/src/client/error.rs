//! Why facts could not be sent, and what someone can do about it.

use std::io;
use std::time::Duration;
use trueup_tls::TlsError;
use trueup_wire::{EncodeError, ErrorCode, FrameError, SessionError};

/// Why facts could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The engine could not be reached.
    #[error("could not connect to the engine at {address}{}", connect_hint(source))]
    Connect {
        /// Where it was looked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// One side does not believe the other, and will not before someone does something.
    #[error("no secured connection to the engine at {address}")]
    Untrusted {
        /// The engine's address.
        address: String,
        /// Why, and what to do.
        source: io::Error,
    },
    /// The connection broke while it was used.
    #[error("lost the connection to the engine at {address}")]
    Broken {
        /// The engine's address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The engine closed the connection.
    #[error("the engine at {address} closed the connection")]
    Ended {
        /// The engine's address.
        address: String,
    },
    /// The engine said nothing for too long.
    #[error("the engine at {address} said nothing for {} seconds", silence.as_secs())]
    Silent {
        /// The engine's address.
        address: String,
        /// For how long.
        silence: Duration,
    },
    /// The engine does not accept the token for this tenant and source.
    #[error(
        "the engine does not let source `{source_name}` of tenant `{tenant}` send ({words}); check \
         the token and the names"
    )]
    Unauthorized {
        /// The tenant.
        tenant: String,
        /// The source.
        source_name: String,
        /// What the engine said.
        words: String,
    },
    /// Another process sends for this source.
    #[error(
        "another process has taken over source `{source_name}` ({words}); stop one of the two, or \
         give them different source names"
    )]
    Fenced {
        /// The source.
        source_name: String,
        /// What the engine said.
        words: String,
    },
    /// The engine speaks another version.
    #[error("the engine speaks another version ({words}); upgrade the older of the two")]
    Version {
        /// What the engine said.
        words: String,
    },
    /// The engine refused for another reason.
    #[error("the engine refused ({code:?}): {words}")]
    Refused {
        /// The reason.
        code: ErrorCode,
        /// What the engine said.
        words: String,
    },
    /// The engine broke the protocol, or bytes were damaged on the way.
    #[error("the conversation with the engine went wrong")]
    Session(#[from] SessionError),
    /// The engine has forgotten what it had sealed.
    #[error(
        "the engine resumes after batch {resume}, and batch {sealed} was sealed: it lost data; \
         restore its journal, or restart this connector to read its source again"
    )]
    EngineForgot {
        /// Where the engine resumes.
        resume: u64,
        /// The last batch that it had sealed.
        sealed: u64,
    },
    /// The engine has batches of this generation that this process did not send.
    #[error(
        "the engine has batch {resume} of this process, which made only {made}: two processes use \
         one generation; give each its own"
    )]
    ForeignBatches {
        /// Where the engine resumes.
        resume: u64,
        /// The last batch that this process made.
        made: u64,
    },
    /// A position token is longer than is allowed.
    #[error("the position has {found} bytes, and {limit} are allowed")]
    PositionTooLong {
        /// Its length.
        found: usize,
        /// The greatest length.
        limit: usize,
    },
    /// The dictionary has no room for the names of one fact.
    #[error("the dictionary has no room for the names of one fact; raise its limits")]
    DictionaryTooSmall,
    /// Facts could not be encoded.
    #[error("could not encode facts")]
    Encode(#[from] EncodeError),
    /// The client was asked to stop, and the engine was not there to take the rest.
    #[error("stopped with {held_batches} batches that the engine has not confirmed")]
    Stopped {
        /// How many.
        held_batches: usize,
        /// How the last attempt failed.
        source: Box<ClientError>,
    },
    /// Every attempt failed.
    #[error("gave up after {attempts} attempts")]
    GaveUp {
        /// How many.
        attempts: u32,
        /// How the last one failed.
        source: Box<ClientError>,
    },
}

/// What may be the matter when a connection cannot be made.
fn connect_hint(source: &io::Error) -> &'static str {
    // The kinds of the standard library grow; what is not named here has no hint.
    let hints = [
        (io::ErrorKind::ConnectionRefused, "; is the engine running, and is the port right?"),
        (io::ErrorKind::TimedOut, "; is the host up, and does a firewall let this port through?"),
        (io::ErrorKind::NotFound, "; is the host name right?"),
        (io::ErrorKind::InvalidInput, "; the address is host:port, such as 127.0.0.1:7450"),
    ];
    hints.iter().find(|(kind, _)| *kind == source.kind()).map_or("", |(_, hint)| hint)
}

impl ClientError {
    /// A connection that could not be made.
    pub(super) fn unconnected(address: String, source: io::Error) -> Self {
        match TlsError::of(&source).is_some_and(TlsError::is_lasting) {
            true => Self::Untrusted { address, source },
            false => Self::Connect { address, source },
        }
    }

    /// A connection that broke while it was used: an engine may refuse a certificate only then.
    pub(super) fn broken(address: String, source: io::Error) -> Self {
        match TlsError::of(&source).is_some_and(TlsError::is_lasting) {
            true => Self::Untrusted { address, source },
            false => Self::Broken { address, source },
        }
    }

    /// Whether a new connection may go better without anyone doing something.
    pub fn retry_may_help(&self) -> bool {
        match self {
            Self::Connect { source, .. } => source.kind() != io::ErrorKind::InvalidInput,
            Self::Broken { .. } | Self::Ended { .. } | Self::Silent { .. } => true,
            Self::Refused { code, .. } => code.retry_may_help(),
            // A sound frame of another version stays so.
            Self::Session(SessionError::Frame(FrameError::Version { .. })) => false,
            // Damage on the way; the next connection reads from a frame's beginning.
            Self::Session(error) => matches!(
                error,
                SessionError::Frame(_) | SessionError::Message(_) | SessionError::Closed
            ),
            Self::Untrusted { .. }
            | Self::Unauthorized { .. }
            | Self::Fenced { .. }
            | Self::Version { .. }
            | Self::EngineForgot { .. }
            | Self::ForeignBatches { .. }
            | Self::PositionTooLong { .. }
            | Self::DictionaryTooSmall
            | Self::Encode(_)
            | Self::Stopped { .. }
            | Self::GaveUp { .. } => false,
        }
    }
}
