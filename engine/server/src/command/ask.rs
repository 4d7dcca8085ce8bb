//! Questions to a running engine, over its API.

mod secured;

use crate::answer::AsOf;
use crate::answer::explanation::ExplanationRow;
use crate::args::{AskArguments, ExplainArguments, Where};
use crate::exit::{Exit, Failure};
use crate::question::{self, View};
use crate::render::{self, Page};
use anyhow::Context as _;
use secured::{Secure, guest};
use serde::Deserialize;
use std::io::Write as _;
use std::time::Duration;
use trueup_tls::TlsError;
use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an engine says when it cannot answer.
#[derive(Debug, Deserialize)]
struct Refusal {
    error: String,
    hint: String,
}

/// An explanation, as the API gives it.
#[derive(Debug, Deserialize)]
pub(crate) struct Explained {
    /// As of when.
    pub(crate) as_of: AsOf,
    /// What was asked for.
    pub(crate) explanation: ExplanationRow,
}

/// Asks for a view and writes it.
pub(crate) fn view(view: View, arguments: &AskArguments) -> anyhow::Result<Exit> {
    let query = arguments.which.filter().query();
    let json = get(&arguments.engine, &format!("/v1/{}", view.name()), &query)?;
    let rows = question::read(view, &json).context("the answer is not what this version reads")?;
    let mut out = std::io::stdout().lock();
    let mut page = Page::stdout(&mut out);
    question::write(&mut page, arguments.output.format(), &rows)?;
    Ok(Exit::Clean)
}

/// Asks why a figure is what it is, and writes it.
pub(crate) fn explain(arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let query: Vec<(&str, String)> = arguments.at.iter().map(|at| ("at", at.clone())).collect();
    let id = escaped(&arguments.id);
    let json = get(&arguments.engine, &format!("/v1/explain/{id}"), &query)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{json}")?;
        return Ok(Exit::Clean);
    }
    let explained: Explained =
        serde_json::from_str(&json).context("the answer is not what this version reads")?;
    let mut page = Page::stdout(&mut out);
    page.line(&render::as_of(&explained.as_of))?;
    render::explanation(&mut page, &explained.explanation)?;
    Ok(Exit::Clean)
}

/// A path's last part as it stands in a URL.
fn escaped(id: &str) -> String {
    id.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Who asks over HTTP, or over TLS if an authority is named.
fn agent(engine: &Where) -> Result<(Agent, &'static str), Failure> {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
    let Some((guest, name)) = guest(engine)? else {
        return Ok((config.build().into(), "http"));
    };
    // A proxy would be shown the question, and not the certificate.
    let config = config.proxy(None).build();
    let secure = Secure { guest, name };
    Ok((Agent::with_parts(config, secure, DefaultResolver::default()), "https"))
}

/// Why there is no answer.
fn unreachable(api: &str, error: &ureq::Error) -> Failure {
    if let ureq::Error::Io(source) = error
        && let Some(about) = TlsError::of(source)
    {
        let hint = "`--ca`, `--certificate`, `--key` and `--engine-name` say how it is asked";
        return Failure::new(Exit::Unavailable, format!("{api} was not asked: {about}"), hint);
    }
    Failure::new(
        Exit::Unavailable,
        format!("no engine answers at {api}: {error}"),
        "start one with `trueup serve` or `trueup demo --serve`, or name another with --api",
    )
}

/// The body of an answer.
pub(super) fn get(engine: &Where, path: &str, query: &[(&str, String)]) -> Result<String, Failure> {
    let api = &engine.api;
    let (agent, scheme) = agent(engine)?;
    let failed = |error: ureq::Error| unreachable(api, &error);
    let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
    let url = format!("{scheme}://{api}{path}");
    let mut response = agent.get(&url).query_pairs(pairs).call().map_err(failed)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let body = body.map_err(failed)?;
    let exit = match status {
        200 => return Ok(body),
        503 => Exit::Unavailable,
        400..=499 => Exit::Usage,
        _ => Exit::Internal,
    };
    match serde_json::from_str::<Refusal>(&body) {
        Ok(Refusal { error, hint }) => Err(Failure::new(exit, error, hint)),
        Err(_) => Err(Failure::new(
            exit,
            format!("{api} answers with status {status}, and not as an engine does"),
            "look whether another program listens there",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_pass_through_a_url() {
        assert_eq!(escaped("P-12ab_./ü"), "P-12ab_.%2F%C3%BC");
    }
}
