//! Authorities and certificates of a moment, for tests.

use crate::{Files, Identity, Role, TlsError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::path::{Path, PathBuf};

/// Whoever issues certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    name: String,
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// For decades.
    Now,
    /// Until the year 2020.
    Before,
    /// From the year 4000 on.
    Later,
}

impl Authority {
    /// A new authority; what it issues is written into a folder.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let authority = Self { issuer, folder, name };
        write(&authority.path("authority"), &authority.issuer.pem());
        authority
    }

    fn path(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}-{what}.pem", self.name))
    }

    /// A certificate for these names.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn issue(&self, names: &[&str], holds: Holds) -> Files {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let file = format!("{}-{holds:?}", names.join("-")).replace(['*', ':'], "_");
        let mut params = CertificateParams::new(names).expect("the names are names");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        match holds {
            Holds::Now => {}
            Holds::Before => params.not_after = date_time_ymd(2020, 1, 1),
            Holds::Later => params.not_before = date_time_ymd(4000, 1, 1),
        }
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        let files = Files {
            certificate: self.path(&format!("{file}-certificate")),
            key: self.path(&format!("{file}-key")),
            authority: self.path("authority"),
        };
        write(&files.certificate, &certificate.pem());
        write(&files.key, &key.serialize_pem());
        files
    }

    /// An identity with a certificate for these names.
    ///
    /// # Errors
    /// As [`Identity::read`].
    pub fn identity(&self, role: Role, names: &[&str], holds: Holds) -> Result<Identity, TlsError> {
        Identity::read(role, self.issue(names, holds))
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the folder of a test can be written");
}
