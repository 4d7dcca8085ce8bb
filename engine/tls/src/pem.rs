//! Certificates and keys, read from files in PEM form.

use crate::error::TlsError;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a side shows: a certificate with those between it and its authority, and its key.
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Shown {
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self { chain: certificates("certificate", certificate)?, key: private_key(key)? })
    }
}

/// Why a key is of no use with a certificate.
pub(crate) fn unfit(certificate: &Path, key: &Path, error: &rustls::Error) -> TlsError {
    let is_mismatch =
        matches!(error, rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch));
    let problem = match is_mismatch {
        true => format!("is not that of the certificate {}", certificate.display()),
        false => format!("cannot be used with the certificate: {error}"),
    };
    TlsError::Content { what: "key", path: key.to_owned(), problem }
}

/// Why an authority is of no use.
pub(crate) fn unusable(authority: &Path, problem: String) -> TlsError {
    TlsError::Content { what: "authority", path: authority.to_owned(), problem }
}

/// Those whose certificates are believed.
pub(crate) fn roots(authority: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("authority", authority)? {
        roots.add(certificate).map_err(|error| {
            unusable(authority, format!("has a certificate that cannot be used: {error}"))
        })?;
    }
    Ok(Arc::new(roots))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { what, path: path.to_owned(), source })
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(what, path)?;
    let content = |problem: String| TlsError::Content { what, path: path.to_owned(), problem };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| content(format!("is no PEM: {error}")))?;
    if found.is_empty() {
        return Err(content("has no certificate: it begins with `-----BEGIN CERTIFICATE`".into()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read("key", path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let problem = if matches!(error, pem::Error::NoItemsFound) {
            "has no key: it begins with `-----BEGIN PRIVATE KEY`, without a passphrase".to_owned()
        } else {
            format!("is no PEM: {error}")
        };
        TlsError::Content { what: "key", path: PathBuf::from(path), problem }
    })
}
