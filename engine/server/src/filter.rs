//! Which rows a question asks for; the same words on the command line and in the query string.

use serde::Deserialize;

/// What a row must match; text matches without regard to case, `*` stands for any letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    /// The tenant.
    pub(crate) tenant: Option<String>,
    /// The account.
    pub(crate) account: Option<String>,
    /// The product.
    pub(crate) product: Option<String>,
    /// The metric.
    pub(crate) metric: Option<String>,
    /// The period's label, `current`, or `every`.
    pub(crate) period: Option<String>,
    /// The state of a position or the kind of a discrepancy.
    pub(crate) kind: Option<String>,
    /// An instant of event time at which levels are read, RFC 3339.
    pub(crate) at: Option<String>,
    /// Whose tree totals follow: `occurred`, that of the time of use, or `current`, today's.
    pub(crate) tree: Option<String>,
    /// The epoch that must have been published before the question is answered.
    pub(crate) wait_for: Option<u64>,
    /// The most rows to give.
    pub(crate) limit: Option<usize>,
}

impl Filter {
    /// Whether a text matches what is asked for; everything matches nothing.
    pub(crate) fn matches(asked: Option<&str>, text: &str) -> bool {
        asked.is_none_or(|asked| trueup_policy::pattern::Pattern::new(asked).matches(text))
    }

    /// Whether a period matches.
    pub(crate) fn matches_period(&self, label: &str, current: bool) -> bool {
        match self.period.as_deref() {
            None | Some("current") => current,
            Some("every") => true,
            Some(asked) => asked.eq_ignore_ascii_case(label),
        }
    }

    /// The filter as a query string, for a client that asks a running engine.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("tenant", &self.tenant),
            ("account", &self.account),
            ("product", &self.product),
            ("metric", &self.metric),
            ("period", &self.period),
            ("kind", &self.kind),
            ("at", &self.at),
            ("tree", &self.tree),
        ];
        let mut query: Vec<(&'static str, String)> = Vec::new();
        for (key, value) in texts {
            query.extend(value.as_ref().map(|value| (key, value.clone())));
        }
        query.extend(self.wait_for.map(|epoch| ("wait_for", epoch.to_string())));
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        query
    }
}
