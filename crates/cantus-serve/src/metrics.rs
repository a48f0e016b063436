//! Prometheus metrics: requests, durations, requests in flight, seconds of audio.

use std::fmt;
use std::time::Instant;

use axum::http::Method;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the histogram buckets, in seconds: from a static file to an hour of audio.
const DURATION_BUCKETS_S: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Value of the label `status` if the client disconnected before the response.
const DISCONNECTED: &str = "vanished";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    model: String,
}

/// All metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    audio_s: Family<ModelLabels, Counter<f64, std::sync::atomic::AtomicU64>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS_S);
        let mut metrics = Self {
            registry: Registry::with_prefix("cantus"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            audio_s: Family::default(),
        };
        let Self { registry, requests, durations, in_flight, audio_s } = &mut metrics;
        let help = "Requests by route, method and status";
        registry.register("http_requests", help, requests.clone());
        let help = "Time from the request's header to the response's header";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        registry.register("http_requests_in_flight", "Requests in flight", in_flight.clone());
        let help = "Audio that was classified, by model";
        registry.register_with_unit("audio_heard", help, Unit::Seconds, audio_s.clone());
        metrics
    }

    /// Adds the duration of a classified recording.
    pub(crate) fn add_audio(&self, model: &str, duration_s: f64) {
        self.audio_s.get_or_create(&ModelLabels { model: model.to_owned() }).inc_by(duration_s);
    }

    /// Counts a request as in flight until the returned guard is dropped.
    pub(crate) fn start_request(&self, route: String, method: Method) -> RequestInFlight<'_> {
        self.in_flight.inc();
        RequestInFlight { metrics: self, route, method, start: Instant::now(), status: None }
    }

    /// All metrics as OpenMetrics text.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Guard of one request; dropped without a status, its client disconnected.
pub(crate) struct RequestInFlight<'a> {
    metrics: &'a Metrics,
    route: String,
    method: Method,
    start: Instant,
    pub(crate) status: Option<u16>,
}

impl Drop for RequestInFlight<'_> {
    fn drop(&mut self) {
        let Self { metrics, route, method, start, status } = self;
        metrics.in_flight.dec();
        metrics
            .durations
            .get_or_create(&RouteLabels { route: route.clone() })
            .observe(start.elapsed().as_secs_f64());
        let status = status.map_or_else(|| DISCONNECTED.to_owned(), |status| status.to_string());
        let method = match *method {
            Method::GET | Method::HEAD | Method::POST => method.to_string(),
            _ => "other".to_owned(),
        };
        metrics.requests.get_or_create(&RequestLabels { route: route.clone(), method, status }).inc();
    }
}
