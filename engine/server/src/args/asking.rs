//! What can be said to the commands that ask a running engine.

use super::{API_DEFAULT, Output, Which};
use clap::Args;
use std::path::PathBuf;

/// Where an engine is asked, and how it is known.
#[derive(Clone, Debug, Args)]
pub(crate) struct Where {
    /// Where the engine answers.
    #[arg(long, value_name = "HOST:PORT", default_value = API_DEFAULT, env = "TRUEUP_API")]
    pub(crate) api: String,
    /// A file with the certificate of the authority (CA) that issued the engine's; with it, question and
    /// answer are encrypted.
    #[arg(long, value_name = "FILE", visible_alias = "authority", env = "TRUEUP_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// A file with the certificate that is shown to the engine, where it asks for one.
    #[arg(long, value_name = "FILE", requires_all = ["ca", "key"])]
    pub(crate) certificate: Option<PathBuf>,
    /// A file with the key of that certificate.
    #[arg(long, value_name = "FILE", requires_all = ["ca", "certificate"])]
    pub(crate) key: Option<PathBuf>,
    /// For whom the engine's certificate must be, if not for the host of `--api`.
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub(crate) engine_name: Option<String>,
}

/// A question to a running engine.
#[derive(Clone, Debug, Args)]
pub(crate) struct AskArguments {
    /// Who is asked.
    #[command(flatten)]
    pub(crate) engine: Where,
    /// Which rows.
    #[command(flatten)]
    pub(crate) which: Which,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A question about what operators cost.
#[derive(Clone, Debug, Args)]
pub(crate) struct TopArguments {
    /// Who is asked.
    #[command(flatten)]
    pub(crate) engine: Where,
    /// Show at most this many operators.
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Measure for this many seconds instead of since the engine started.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) over: Option<u64>,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A question about one figure.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The name of a position or discrepancy, or its beginning.
    pub(crate) id: String,
    /// Who is asked.
    #[command(flatten)]
    pub(crate) engine: Where,
    /// The instant to explain, RFC 3339 with an offset; else the worst one.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<String>,
    /// The same as `--format json`.
    #[arg(long)]
    pub(crate) json: bool,
}
