//! What a side shows, and whom it believes.

use crate::error::{TlsError, explained};
use crate::secured::shake;
use crate::session::Session;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, InconsistentKeys, RootCertStore, ServerConfig, ServerConnection,
};
use std::fmt;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Which side of which kind of connection this is: so that errors name the other one, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A connector, whose other side is the engine.
    Connector,
    /// The engine, whose other side is a connector.
    Engine,
    /// A process of a cluster, whose other side is another one.
    Process,
}

impl Role {
    /// What the other side is called.
    pub fn peer(self) -> &'static str {
        match self {
            Self::Connector => "the engine",
            Self::Engine => "the connector",
            Self::Process => "the other process",
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
        }
    }

    /// What to do if the other side is not who it should be.
    pub(crate) fn name_remedy(self) -> &'static str {
        match self {
            Self::Connector => "--engine-name says for whom it must be",
            Self::Engine => "`connectors.certificate_name` says for whom it must be",
            Self::Process => "`cluster.certificate_names` says for whom each must be",
        }
    }
}

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

/// What a side shows, and whom it believes.
#[derive(Clone)]
pub struct Identity {
    pub(crate) role: Role,
    pub(crate) files: Arc<Files>,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Identity {
    /// Reads an identity.
    ///
    /// # Errors
    /// If a file is missing or holds something else, or the key is of another certificate.
    pub fn read(role: Role, files: Files) -> Result<Self, TlsError> {
        let chain = certificates("certificate", &files.certificate)?;
        let key = key(&files.key)?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates("authority", &files.authority)? {
            roots.add(certificate).map_err(|error| TlsError::Content {
                what: "authority",
                path: files.authority.clone(),
                problem: format!("has a certificate that cannot be used: {error}"),
            })?;
        }
        let roots = Arc::new(roots);
        let unfit = |error: rustls::Error| {
            let is_mismatch =
                matches!(error, rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch));
            let problem = match is_mismatch {
                true => format!("is not that of the certificate {}", files.certificate.display()),
                false => format!("cannot be used with the certificate: {error}"),
            };
            TlsError::Content { what: "key", path: files.key.clone(), problem }
        };
        let provider = Arc::new(default_provider());
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(unfit)?
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain.clone(), key.clone_key());
        let mut client = client.map_err(unfit)?;
        client.resumption = Resumption::disabled();
        let believes = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let believes = believes.build().map_err(|error| TlsError::Content {
            what: "authority",
            path: files.authority.clone(),
            problem: format!("cannot be used: {error}"),
        })?;
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(unfit)?
            .with_client_cert_verifier(believes)
            .with_single_cert(chain, key);
        let mut server = server.map_err(unfit)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let (client, server) = (Arc::new(client), Arc::new(server));
        Ok(Self { role, files: Arc::new(files), client, server })
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
        let name = self.name(name)?;
        let opened = ClientConnection::new(Arc::clone(&self.client), name);
        let opened = opened.map_err(|error| self.explain(error))?;
        shake(Session::new(opened.into(), self.clone()), stream, left)
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
        let accepted = ServerConnection::new(Arc::clone(&self.server));
        let accepted = accepted.map_err(|error| self.explain(error))?;
        shake(Session::new(accepted.into(), self.clone()), stream, left)
    }

    /// Whether certificates can be for a name.
    ///
    /// # Errors
    /// If it is neither a host's name nor an address.
    pub fn check_name(&self, name: &str) -> Result<(), TlsError> {
        self.name(name).map(drop)
    }

    pub(crate) fn name(&self, name: &str) -> Result<ServerName<'static>, TlsError> {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let wrong = |_| TlsError::Name { name: name.to_owned() };
        ServerName::try_from(bare.to_owned()).map_err(wrong)
    }

    pub(crate) fn explain(&self, error: rustls::Error) -> TlsError {
        explained(error, self.role, &self.files.certificate, &self.files.authority)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, files, .. } = self;
        f.debug_struct("Identity").field("role", role).field("files", files).finish_non_exhaustive()
    }
}

fn read(what: &'static str, path: &PathBuf) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { what, path: path.clone(), source })
}

fn certificates(
    what: &'static str,
    path: &PathBuf,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(what, path)?;
    let content = |problem: String| TlsError::Content { what, path: path.clone(), problem };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let read = read.map_err(|error| content(format!("is no PEM: {error}")))?;
    if read.is_empty() {
        return Err(content("has no certificate: it begins with `-----BEGIN CERTIFICATE`".into()));
    }
    Ok(read)
}

fn key(path: &PathBuf) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read("key", path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let problem = if matches!(error, pem::Error::NoItemsFound) {
            "has no key: it begins with `-----BEGIN PRIVATE KEY`, without a passphrase".to_owned()
        } else {
            format!("is no PEM: {error}")
        };
        TlsError::Content { what: "key", path: path.clone(), problem }
    })
}
