//! Why a connection is not secured, and what someone can do about it.

use crate::side::{Role, Side};
use rustls::{AlertDescription, CertificateError, Error};
use std::io;
use std::path::{Path, PathBuf};

/// Why a connection is not secured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("could not read the {what} file {}: {source}; look at the name and at who may read it", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("the {what} file {} {problem}", path.display())]
    Content {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A name can be in no certificate.
    #[error("`{name}` is neither the name of a host nor an address")]
    Name {
        /// The name.
        name: String,
    },
    /// The other side does not speak TLS.
    #[error("{} speaks no TLS there; {}", role.peer(), role.plain_remedy())]
    Plain {
        /// Who says so.
        role: Role,
    },
    /// The other side speaks an older TLS, or one without anything in common.
    #[error("{} does not speak the same TLS, which is version 1.3: {problem}", role.peer())]
    Version {
        /// Who says so.
        role: Role,
        /// What is missing.
        problem: String,
    },
    /// The other side's certificate is of another authority.
    #[error(
        "{peer}'s certificate is of no authority in {}; name there the one that issued it",
        authority.display(), peer = role.peer()
    )]
    Untrusted {
        /// Who says so.
        role: Role,
        /// The file with the authorities that this side believes.
        authority: PathBuf,
    },
    /// The other side's certificate is over, or has not begun.
    #[error("{}'s certificate {problem}; renew it there, and look at the clocks of both", role.peer())]
    Untimely {
        /// Who says so.
        role: Role,
        /// Which of the two.
        problem: &'static str,
    },
    /// The other side's certificate is for someone else.
    #[error("{}'s certificate is not for {expected}, {presented}; {}", role.peer(), role.name_remedy())]
    OtherName {
        /// Who says so.
        role: Role,
        /// For whom it should be.
        expected: String,
        /// For whom it is, in words.
        presented: String,
    },
    /// The other side shows no certificate.
    #[error("{} showed no certificate; {}", role.peer(), role.plain_remedy())]
    Missing {
        /// Who says so.
        role: Role,
    },
    /// The other side's certificate cannot be used for another reason.
    #[error("{}'s certificate cannot be used: {problem}", role.peer())]
    Unfit {
        /// Who says so.
        role: Role,
        /// The reason.
        problem: String,
    },
    /// The other side does not accept this side's certificate, or ended the talk for another reason.
    #[error("{} refused this side, which showed {}: {problem}", role.peer(), shown(certificate.as_deref()))]
    Refused {
        /// Who says so.
        role: Role,
        /// What this side showed, if it showed something.
        certificate: Option<PathBuf>,
        /// Why, as far as the other side said.
        problem: String,
    },
    /// What arrives is not what was sent, or not in its order.
    #[error("{} breaks the rules of TLS: {problem}", role.peer())]
    Broken {
        /// Who says so.
        role: Role,
        /// In what.
        problem: String,
    },
    /// The other side took too long.
    #[error("{} did not show its certificate in time", role.peer())]
    Late {
        /// Who says so.
        role: Role,
    },
    /// The connection ended without the words that end one.
    #[error("{} ended the connection without a word", role.peer())]
    Cut {
        /// Who says so.
        role: Role,
    },
    /// The connection failed.
    #[error(transparent)]
    Connection(#[from] io::Error),
}

impl TlsError {
    /// Whether the next attempt will end in the same way, unless someone does something.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Late { .. } | Self::Cut { .. } | Self::Broken { .. } | Self::Connection(_) => {
                false
            }
            Self::File { .. }
            | Self::Content { .. }
            | Self::Name { .. }
            | Self::Plain { .. }
            | Self::Version { .. }
            | Self::Untrusted { .. }
            | Self::Untimely { .. }
            | Self::OtherName { .. }
            | Self::Missing { .. }
            | Self::Unfit { .. }
            | Self::Refused { .. } => true,
        }
    }

    /// The error that a failure of a connection carries, if it is of this kind.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match error {
            TlsError::Connection(source) => return source,
            TlsError::Late { .. } => io::ErrorKind::TimedOut,
            TlsError::Cut { .. } => io::ErrorKind::UnexpectedEof,
            TlsError::File { .. }
            | TlsError::Content { .. }
            | TlsError::Name { .. }
            | TlsError::Plain { .. }
            | TlsError::Version { .. }
            | TlsError::Untrusted { .. }
            | TlsError::Untimely { .. }
            | TlsError::OtherName { .. }
            | TlsError::Missing { .. }
            | TlsError::Unfit { .. }
            | TlsError::Refused { .. }
            | TlsError::Broken { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// What this side showed, in words.
fn shown(certificate: Option<&Path>) -> String {
    certificate.map_or_else(|| "nothing".to_owned(), |path| path.display().to_string())
}

/// What the library's error means for this side.
pub(crate) fn explained(error: Error, side: &Side) -> TlsError {
    let (role, problem) = (side.role, error.to_string());
    if let Error::InvalidCertificate(about) = error {
        return of_certificate(&about, side);
    }
    if let Error::AlertReceived(alert) = error {
        let certificate = side.certificate.clone();
        return TlsError::Refused { role, certificate, problem: alert_words(alert) };
    }
    if matches!(error, Error::NoCertificatesPresented) {
        return TlsError::Missing { role };
    }
    if matches!(error, Error::PeerIncompatible(_)) {
        return TlsError::Version { role, problem };
    }
    TlsError::Broken { role, problem }
}

/// What is wrong with the other side's certificate.
pub(crate) fn of_certificate(about: &CertificateError, side: &Side) -> TlsError {
    use CertificateError as E;
    let role = side.role;
    if matches!(about, E::UnknownIssuer | E::BadSignature) {
        let authority = side.authority.clone().unwrap_or_default();
        return TlsError::Untrusted { role, authority };
    }
    if matches!(about, E::Expired | E::ExpiredContext { .. }) {
        return TlsError::Untimely { role, problem: "has expired" };
    }
    if matches!(about, E::NotValidYet | E::NotValidYetContext { .. }) {
        return TlsError::Untimely { role, problem: "holds only later" };
    }
    if let E::NotValidForNameContext { expected, presented } = about {
        let expected = expected.to_str().into_owned();
        let presented = match presented.as_slice() {
            [] => "and is for no host".to_owned(),
            names => format!("but for {}", names.join(", ")),
        };
        return TlsError::OtherName { role, expected, presented };
    }
    TlsError::Unfit { role, problem: about.to_string() }
}

/// Why the other side refused, as far as its alert says.
fn alert_words(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let foreign = "it is of no authority that is believed there";
    let known = [
        (A::UnknownCA, foreign),
        (A::DecryptError, foreign),
        (A::CertificateExpired, "it has expired; renew it, and look at the clocks of both"),
        (A::CertificateRequired, "a certificate is asked for there"),
        (A::BadCertificate, "it is not for the name that is expected there, or cannot be used"),
        (A::ProtocolVersion, "TLS 1.3 is not spoken there"),
    ];
    let words = known.iter().find(|(code, _)| *code == alert);
    words.map_or_else(|| format!("{alert:?}"), |(_, words)| (*words).to_owned())
}
