//! What an engine shows to connectors and to whoever asks, and processes of a cluster to each other.

use super::{Values, unquoted};
use crate::listener::{Certificates, NamePattern};
use std::path::PathBuf;
use trueup_runtime::mesh;
use trueup_tls::{Card, Files, Host, Identity, Role};

impl Values {
    /// What connectors are shown, and must show; nothing where what they say is not encrypted.
    pub(super) fn connector_certificates(
        &self,
        problems: &mut Vec<String>,
    ) -> Option<Certificates> {
        let identity = self.identity("connectors", Role::Engine, problems);
        let text = unquoted(self.text("connectors", "certificate_name"));
        let Some(identity) = identity else {
            if !text.is_empty() && self.names_no_file("connectors") {
                problems.push(
                    "connectors.certificate_name is for nothing without \
                     connectors.certificate_file"
                        .to_owned(),
                );
            }
            return None;
        };
        let name = (!text.is_empty()).then(|| NamePattern::new(text, &identity)).transpose();
        let name = name.unwrap_or_else(|problem| {
            problems.push(format!("connectors.certificate_name is `{text}`: {problem}"));
            None
        });
        Some(Certificates { identity, name })
    }

    /// What the processes of a cluster show each other.
    pub(super) fn process_certificates(
        &self,
        hosts: &[String],
        problems: &mut Vec<String>,
    ) -> Option<mesh::Certificates> {
        let identity = self.identity("cluster", Role::Process, problems)?;
        let text = unquoted(self.text("cluster", "certificate_names"));
        let named: Vec<&str> =
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let host = |host: &String| {
            host.rsplit_once(':').map_or_else(|| host.clone(), |(host, _)| host.to_owned())
        };
        let names: Vec<String> = match named.as_slice() {
            [] => hosts.iter().map(host).collect(),
            [one] => vec![(*one).to_owned(); hosts.len()],
            all => all.iter().map(|name| (*name).to_owned()).collect(),
        };
        if !hosts.is_empty() && names.len() != hosts.len() {
            let (names, hosts) = (names.len(), hosts.len());
            problems.push(format!(
                "cluster.certificate_names has {names}, and cluster.hosts has {hosts}"
            ));
        }
        for name in &names {
            if let Err(error) = identity.check_name(name) {
                problems.push(format!("cluster.certificate_names: {error}"));
            }
        }
        Some(mesh::Certificates { identity, names })
    }

    /// What whoever asks is shown, and must show where an authority is named.
    pub(super) fn api_host(&self, problems: &mut Vec<String>) -> Option<Host> {
        if self.names_no_file("api") {
            return None;
        }
        let [certificate, key, authority] = FILES.map(|key| {
            let name = unquoted(self.text("api", key));
            (!name.is_empty()).then(|| self.folder.join(name))
        });
        let (Some(certificate), Some(key)) = (certificate, key) else {
            problems.push(
                "api: certificate_file and key_file belong together, and authority_file needs both"
                    .to_owned(),
            );
            return None;
        };
        match Host::read(Role::Answerer, &Card { certificate, key }, authority) {
            Ok(host) => Some(host),
            Err(error) => {
                problems.push(format!("api: {error}"));
                None
            }
        }
    }

    fn names_no_file(&self, section: &'static str) -> bool {
        FILES.iter().all(|key| unquoted(self.text(section, key)).is_empty())
    }

    /// The identity that a section names, if it names one.
    fn identity(
        &self,
        section: &'static str,
        role: Role,
        problems: &mut Vec<String>,
    ) -> Option<Identity> {
        if self.names_no_file(section) {
            return None;
        }
        let mut path = |key: &'static str| -> Option<PathBuf> {
            let name = unquoted(self.text(section, key));
            if name.is_empty() {
                problems.push(format!(
                    "{section}.{key} is empty: {} belong together",
                    FILES.join(", ")
                ));
                return None;
            }
            Some(self.folder.join(name))
        };
        let [certificate, key, authority] = FILES.map(&mut path);
        let (certificate, key, authority) = (certificate?, key?, authority?);
        match Identity::read(role, Files { certificate, key, authority }) {
            Ok(identity) => Some(identity),
            Err(error) => {
                problems.push(format!("{section}: {error}"));
                None
            }
        }
    }
}

/// The files of an identity.
const FILES: [&str; 3] = ["certificate_file", "key_file", "authority_file"];
