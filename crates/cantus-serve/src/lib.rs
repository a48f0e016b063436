//! HTTP inference server: a JSON API and a web page for trained audio classifiers, and a live training dashboard.
//!
//! | file | content |
//! |---|---|
//! | `server` | [`Server`]: binds models, limits and a listener together |
//! | `accept` | accept loop, connection limits, graceful shutdown |
//! | `router` | routes of the API |
//! | `state` | what all handlers share: models, inference queue, metrics, limits |
//! | `served_model` | a loaded model with its pre-rendered pictures and the report of its run |
//! | `predict`, `models`, `metrics_endpoint`, `openapi` | handlers |
//! | `upload` | reads the recording from a multipart form or a raw body |
//! | `inference_queue` | bounded queue and worker threads that run predictions |
//! | `prediction` | decoding, inference, and the JSON document of `POST /v1/predict` |
//! | `waveform`, `spectrogram` | data for the pictures of the web page |
//! | `problem_details` | error responses (RFC 9457) |
//! | `metrics` | Prometheus metrics |
//! | `security_headers` | response headers that restrict the browser |
//! | `page` | static files of the web page, embedded in the binary |
//! | `dashboard` | training curves, sent as server-sent events |
//!
//! Predictions run on a fixed number of worker threads, each with its own feature extractor. Requests wait in a bounded
//! queue; if it is full, the response is 503 with `Retry-After`. If a client disconnects, its prediction is cancelled and
//! its slot is released.

mod accept;
mod access;
mod connections;
mod dashboard;
mod error;
mod inference_queue;
mod limits;
mod metrics;
mod metrics_endpoint;
mod models;
mod openapi;
mod page;
mod predict;
mod prediction;
mod problem_details;
mod router;
mod security_headers;
mod served_model;
mod server;
mod spectrogram;
mod state;
#[cfg(test)]
mod testing;
mod upload;
mod uploads;
mod watched_body;
mod waveform;

pub use access::{Access, Token, TokenError};
pub use dashboard::Dashboard;
pub use error::Error;
pub use limits::Limits;
pub use served_model::ServedModel;
pub use server::Server;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_shared_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<Dashboard>();
        is_send_and_sync::<Error>();
        is_send_and_sync::<Limits>();
        is_send_and_sync::<ServedModel>();
        is_send_and_sync::<Server>();
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
