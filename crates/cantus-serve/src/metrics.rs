//! Numbers for Prometheus: who asked what, how it ended, how long it took.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::problem::{Kind, Problem};
use super::site::Shared;

/// Upper edges of the classes of durations, in seconds: from a picture out of memory to an hour of music.
const DURATIONS_S: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// The route of what matched none, so that nobody can fill the memory with invented ones.
const NO_ROUTE: &str = "other";
/// What stands for the status of a request whose client went away.
const VANISHED: &str = "vanished";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    route: String,
    method: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Ended, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    heard_s: Family<OfModel, Counter<f64, std::sync::atomic::AtomicU64>>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(DURATIONS_S);
        let mut metrics = Self {
            registry: Registry::with_prefix("cantus"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            heard_s: Family::default(),
        };
        let Self { registry, requests, durations, in_flight, heard_s } = &mut metrics;
        let about = "Requests by route, method and status";
        registry.register("http_requests", about, requests.clone());
        let about = "Time from a request's head to its answer's";
        registry.register_with_unit("http_request_duration", about, Unit::Seconds, durations.clone());
        registry.register("http_requests_in_flight", "Requests under way", in_flight.clone());
        let about = "Sound that was heard, by model";
        registry.register_with_unit("audio_heard", about, Unit::Seconds, heard_s.clone());
        metrics
    }

    /// Adds a recording that a model has heard.
    pub(super) fn heard(&self, model: &str, duration_s: f64) {
        self.heard_s.get_or_create(&OfModel { model: model.to_owned() }).inc_by(duration_s);
    }
}

/// One request under way; dropped before it ends, its client has vanished.
struct UnderWay<'a> {
    metrics: &'a Metrics,
    route: String,
    method: Method,
    start: Instant,
    status: Option<u16>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Self { metrics, route, method, start, status } = self;
        metrics.in_flight.dec();
        metrics
            .durations
            .get_or_create(&Route { route: route.clone() })
            .observe(start.elapsed().as_secs_f64());
        let status = status.map_or_else(|| VANISHED.to_owned(), |status| status.to_string());
        let method = match *method {
            Method::GET | Method::HEAD | Method::POST => method.to_string(),
            _ => "other".to_owned(),
        };
        metrics.requests.get_or_create(&Ended { route: route.clone(), method, status }).inc();
    }
}

/// Counts a request on its way through.
pub(super) async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let (metrics, method) = (&shared.metrics, request.method().clone());
    metrics.in_flight.inc();
    let mut under_way = UnderWay { metrics, route, method, start: Instant::now(), status: None };
    let response = next.run(request).await;
    under_way.status = Some(response.status().as_u16());
    response
}

/// `GET /metrics`.
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<Response, Problem> {
    let mut page = String::new();
    text::encode(&mut page, &shared.metrics.registry)
        .map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], page).into_response())
}
