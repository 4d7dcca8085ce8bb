//! Connections whose connectors show certificates, and what a certificate must be for.

use super::say;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::conversation::Gate;
use trueup_tls::{Identity, Secured, TlsError};
use trueup_wire::ErrorCode;
use trueup_wire::message::Hello;

/// How long a connector may take to show its certificate.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the engine shows, and what connectors must show.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// What it shows, and whom it believes.
    pub(crate) identity: Identity,
    /// For whom a connector's certificate must be; for anyone if it is not said.
    pub(crate) name: Option<NamePattern>,
}

/// For whom a connector's certificate must be: `{tenant}` and `{source}` stand for what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern(String);

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(text: &str, identity: &Identity) -> Result<Self, String> {
        let pattern = Self(text.to_owned());
        let example = pattern.of("tenant", "source")?;
        identity.check_name(&example).map_err(|error| error.to_string())?;
        Ok(pattern)
    }

    /// The name for a tenant's source. One that would have the same name as another one has none: what
    /// stands for itself in a name is small letters, digits and `-`.
    fn of(&self, tenant: &str, source: &str) -> Result<String, String> {
        let mut name = self.0.clone();
        for (place, value) in [("{tenant}", tenant), ("{source}", source)] {
            let is_plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if name.contains(place) && !value.bytes().all(is_plain) {
                return Err(format!(
                    "`{value}` can be in no certificate: {place} has small letters, digits and `-`"
                ));
            }
            // What a value has in it is never taken for a place: it has no braces.
            name = name.replace(place, value);
        }
        match name.contains(['{', '}']) {
            true => Err("it may have {tenant} and {source} in it, and no other braces".to_owned()),
            false => Ok(name),
        }
    }
}

/// A connector that showed a certificate.
pub(super) struct Shown {
    pub(super) stream: Secured,
    name: Option<NamePattern>,
}

impl Shown {
    /// Admits what another gate admits, if the certificate is for whom it says it is.
    pub(super) fn gate(&self, other: Arc<dyn Gate>) -> Arc<dyn Gate> {
        match &self.name {
            None => other,
            Some(name) => {
                let (stream, name) = (self.stream.clone(), name.clone());
                Arc::new(NameGate { other, stream, name })
            }
        }
    }
}

/// Admits connectors whose certificate is for whom they say they are.
struct NameGate {
    other: Arc<dyn Gate>,
    stream: Secured,
    name: NamePattern,
}

impl Gate for NameGate {
    fn admit(&self, hello: &Hello<'_>) -> Result<(), String> {
        let name = self.name.of(hello.tenant, hello.source)?;
        self.stream.check_name(&name).map_err(|error| error.to_string())?;
        self.other.admit(hello)
    }
}

/// Has a connector show its certificate, if connectors must; one that speaks no TLS is told so in the open.
pub(super) fn secured(
    certificates: Option<&Certificates>,
    stream: &TcpStream,
) -> io::Result<Option<Shown>> {
    let Some(Certificates { identity, name }) = certificates else { return Ok(None) };
    let clock = SystemClock::default();
    let left = || PATIENCE.saturating_sub(Duration::from_micros(clock.monotonic_us()));
    match identity.accept(stream, &left) {
        Ok(session) => {
            let stream = Secured::new(session, stream.try_clone()?);
            Ok(Some(Shown { stream, name: name.clone() }))
        }
        Err(error) => {
            if matches!(error, TlsError::Plain { .. }) {
                let words = "this port is for certificates: give the connector --authority, \
                             --certificate and --key";
                say(stream, ErrorCode::Unauthorized, words);
            }
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    #[test]
    fn a_pattern_gives_each_source_a_name_of_its_own_or_none() {
        let pattern = NamePattern("{source}.{tenant}.connectors.test".to_owned());
        assert_eq!(pattern.of("acme", "lic1").unwrap(), "lic1.acme.connectors.test");
        for (tenant, source) in
            [("acme", "a.b"), ("Acme", "a"), ("acme", "{tenant}"), ("ac me", "a")]
        {
            assert!(pattern.of(tenant, source).unwrap_err().contains("can be in no certificate"));
        }
        let one = NamePattern("connectors.test".to_owned());
        assert_eq!(one.of("Acme", "a.b").unwrap(), "connectors.test");
        assert!(NamePattern("{host}.test".to_owned()).of("acme", "a").is_err());
    }
}
