//! The JSON API: questions over HTTP, answered from the published views.
//!
//! `GET /v1/{view}` with the filter in the query string, `GET /v1/explain/{id}`, `GET /v1/operators`,
//! `GET /v1/health`, `GET /metrics`, `GET /livez`, `GET /readyz`. Answers are read under one lock, so each is of one epoch, which it names. Runs on a
//! thread of its own; worker threads never wait for it. With a certificate all is said over TLS
//! (`api/secured.rs`).

mod secured;

use crate::answer::Words;
use crate::answer::explanation::{ExplainError, explanation};
use crate::answer::health::{HealthAnswer, gauges};
use crate::answer::operator::OperatorCosts;
use crate::answer::stage::{self, Stages};
use crate::exit::{Exit, Failure};
use crate::filter::Filter;
use crate::question::{View, ask};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use secured::Door;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use trueup_model::calendar::Zone;
use trueup_runtime::engine::Engine;
use trueup_tls::Host;

/// How long a question waits for an epoch.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    engine: Arc<Engine>,
    zone: Zone,
}

/// A running API.
pub(crate) struct Api {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Api {
    /// Listens on an address and answers until it is dropped.
    pub(crate) fn start(
        listen: SocketAddr,
        host: Option<Host>,
        engine: Arc<Engine>,
        zone: Zone,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                Exit::Unavailable,
                format!("could not listen on {listen}: {error}"),
                "choose another address with --listen, or stop the program that uses it",
            )
        };
        let listener = std::net::TcpListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let serve = move || {
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => {
                        tracing::error!(%error, "api listener failed");
                        return;
                    }
                };
                let app = router(Shared { engine, zone });
                let until = async {
                    // A dropped sender stops the API as well.
                    let _ = stopped.await;
                };
                let served = match host {
                    None => axum::serve(listener, app).with_graceful_shutdown(until).await,
                    Some(host) => {
                        let door = Door::open(listener, address, host);
                        axum::serve(door, app).with_graceful_shutdown(until).await
                    }
                };
                if let Err(error) = served {
                    tracing::error!(%error, "api failed");
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("trueup-api".to_owned())
            .spawn(serve)
            .map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("api thread failed while stopping");
        }
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
        .route("/v1/explain/{id}", get(explain))
        .route("/v1/operators", get(operators))
        .route("/v1/health", get(health))
        .route("/metrics", get(metrics))
        .route("/v1/{view}", get(view))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no such path", PATHS) })
        .with_state(shared)
}

const PATHS: &str = "ask /v1/positions, /v1/levels, /v1/discrepancies, /v1/rollups, \
    /v1/credits, /v1/overages, /v1/charges, /v1/true-ups, /v1/fees, /v1/bills, /v1/allocations, /v1/quarantine, /v1/pools, /v1/sessions, /v1/denials, /v1/operators or /v1/explain/{id}";

/// An error as JSON: what happened and what can be done.
fn refuse(status: StatusCode, error: &str, hint: &str) -> Response {
    let body = serde_json::json!({ "error": error, "hint": hint });
    (status, axum::Json(body)).into_response()
}

async fn view(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    query: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Some(view) = View::named(&name) else {
        return refuse(StatusCode::NOT_FOUND, &format!("no view is called `{name}`"), PATHS);
    };
    let filter = match query {
        Ok(Query(filter)) => filter,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.body_text(), FILTERS),
    };
    if let Some(refused) = not_yet(&shared, view, &filter).await {
        return refused;
    }
    let views = shared.engine.views();
    let names = shared.engine.names();
    let words = Words::new(&views, &names, &shared.zone);
    match ask(&words, view, &filter) {
        Ok(rows) => axum::Json(rows).into_response(),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string(), FILTERS),
    }
}

const FILTERS: &str =
    "filters are tenant, account, product, metric, period, kind, at, tree, wait_for, limit";

/// Waits for the epoch that is asked for; a refusal if it does not come.
///
/// Totals over the trees are brought up to date less often, so whoever asks for them waits longer.
async fn not_yet(shared: &Shared, view: View, filter: &Filter) -> Option<Response> {
    let totals = view == View::Rollups;
    let epoch = || {
        let views = shared.engine.views();
        if totals { views.totals_as_of.epoch } else { views.as_of.epoch }
    };
    let published = epoch();
    let asked = filter.wait_for.filter(|asked| *asked > published)?;
    let engine = Arc::clone(&shared.engine);
    let wait = move || match totals {
        true => engine.wait_for_totals_up_to(asked, PATIENCE),
        false => engine.wait_for_up_to(asked, PATIENCE),
    };
    if tokio::task::spawn_blocking(wait).await.unwrap_or(false) {
        return None;
    }
    let now = epoch();
    Some(refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        &format!("epoch {asked} is not published yet, {now} is"),
        "ask again shortly",
    ))
}

/// What operators cost since the engine started, and how its epochs come along.
async fn operators(State(shared): State<Shared>) -> Response {
    let views = shared.engine.views();
    let names = shared.engine.names();
    let as_of = Words::new(&views, &names, &shared.zone).as_of();
    let costs = shared.engine.measures().costs();
    let stages = Stages::of(&shared.engine);
    let runs_for_us = shared.engine.runs_for_us();
    axum::Json(OperatorCosts::new(as_of, runs_for_us, costs, stages)).into_response()
}

/// Whether the engine takes input, and what to do if it does not.
async fn health(State(shared): State<Shared>) -> Response {
    let link = shared.engine.views().link;
    axum::Json(HealthAnswer::new(shared.engine.health(), &link)).into_response()
}

/// The same in figures.
async fn metrics(State(shared): State<Shared>) -> String {
    let (published, totals) = {
        let views = shared.engine.views();
        (views.as_of.epoch, views.totals_as_of.epoch)
    };
    gauges(shared.engine.health(), published, totals) + &stage::metrics(&shared.engine)
}

async fn explain(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    query: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let filter = match query {
        Ok(Query(filter)) => filter,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.body_text(), FILTERS),
    };
    let at = match filter.at.as_ref().map(|at| at.parse()).transpose() {
        Ok(at) => at,
        Err(error) => {
            let error: trueup_model::time::TimestampError = error;
            return refuse(StatusCode::BAD_REQUEST, &error.to_string(), FILTERS);
        }
    };
    let views = shared.engine.views();
    let names = shared.engine.names();
    let words = Words::new(&views, &names, &shared.zone);
    match explanation(&words, &id, at) {
        Ok(row) => {
            let body = serde_json::json!({ "as_of": words.as_of(), "explanation": row });
            axum::Json(body).into_response()
        }
        Err(error) => {
            let status = match error {
                ExplainError::Unknown(_) => StatusCode::NOT_FOUND,
                ExplainError::Ambiguous(..) => StatusCode::CONFLICT,
            };
            refuse(status, &error.to_string(), "/v1/positions and /v1/discrepancies list the names")
        }
    }
}
