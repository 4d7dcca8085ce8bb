//! How names compare: the rules that make one spelling of many.
//!
//! Sources spell one machine `BVS15004`, `bvs15004` and `bvs15004.corp.example.org.`; these rules
//! say that the three are one. They never guess: an address or a full name is not turned into a
//! login name, it stays itself, unresolved, until an alias says what it means.

use crate::id::NameKind;

/// The naming rules of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityRules {
    /// Whether upper and lower case differ; they rarely do in license logs.
    pub case_sensitive: bool,
    /// The domain that a bare host name stands in, such as `corp.example.org`.
    pub default_domain: Option<String>,
    /// The domain that is dropped from user names such as `ana@example.org`.
    pub user_domain: Option<String>,
}

/// A name in its one spelling, and whether the rules could resolve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalized {
    /// The spelling that identity is made of.
    pub name: String,
    /// False for an address where a host name is meant, or a full name where a login is meant.
    pub resolved: bool,
}

impl IdentityRules {
    /// The one spelling of a name of this kind.
    pub fn normalize(&self, kind: NameKind, raw: &str) -> Normalized {
        let mut name = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        if !self.case_sensitive {
            name = name.to_lowercase();
        }
        match kind {
            NameKind::Device => {
                let resolved = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err();
                if resolved {
                    name = self.host(&name);
                }
                Normalized { name, resolved }
            }
            NameKind::User => {
                if let Some(domain) = &self.user_domain
                    && let Some((login, at)) = name.rsplit_once('@')
                    && at.eq_ignore_ascii_case(domain)
                {
                    name = login.to_owned();
                }
                let resolved = !name.contains(' ');
                Normalized { name, resolved }
            }
            NameKind::Server => {
                if let Some((daemon, host)) = name.rsplit_once('@') {
                    name = format!("{daemon}@{}", self.host(host));
                }
                Normalized { name, resolved: true }
            }
            NameKind::Source
            | NameKind::Product
            | NameKind::Account
            | NameKind::Line
            | NameKind::Contract
            | NameKind::Document
            | NameKind::Text => Normalized { name, resolved: true },
        }
    }

    /// A host name without trailing dot and default domain.
    fn host(&self, name: &str) -> String {
        let name = name.strip_suffix('.').unwrap_or(name);
        let short = self.default_domain.as_ref().and_then(|domain| {
            let cut = name.len().checked_sub(domain.len() + 1)?;
            let (host, rest) = name.split_at_checked(cut)?;
            let same = rest.strip_prefix('.')?.eq_ignore_ascii_case(domain);
            (same && !host.is_empty()).then_some(host)
        });
        short.unwrap_or(name).to_owned()
    }
}
