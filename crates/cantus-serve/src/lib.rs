//! HTTP inference server: a JSON API and a web page for trained audio classifiers, and a live training dashboard.
//!
//! | file | content |
//! |---|---|
//! | `server` | [`Server`]: binds models, limits and a listener together |
//! | `accept`, `connections`, `write_timeout` | accept loop, connection limits, graceful shutdown |
//! | `client`, `rate_limit` | the client of a request and how many it may send |
//! | `access` | which hosts, origins and tokens are answered |
//! | `router` | routes of the API |
//! | `state` | what all handlers share: models, inference queue, metrics, limits |
//! | `served_model` | a loaded model with its pre-rendered pictures and the report of its run |
//! | `predict`, `models`, `metrics_endpoint`, `openapi` | handlers |
//! | `upload`, `form`, `unread_body` | reads the recording from a multipart form or a raw body; discards what a response leaves of a body |
//! | `slots`, `fair_queue`, `inference_queue` | which requests hold a slot, their order, and the worker threads that run predictions |
//! | `coding`, `conditional` | content codings of requests; validators and conditional requests |
//! | `prediction` | decoding, inference, and the JSON document of `POST /v1/predict` |
//! | `waveform`, `spectrogram` | data for the pictures of the web page |
//! | `problem_details` | error responses (RFC 9457) |
//! | `metrics` | Prometheus metrics |
//! | `security_headers` | response headers that restrict the browser |
//! | `page` | static files of the web page, embedded in the binary |
//! | `dashboard` | training curves, sent as server-sent events |
//!
//! Predictions run on a fixed number of worker threads, each with its own feature extractor. Requests wait in a bounded
//! queue, whose slots are shared equally between clients; if it is full, the response is 503 with `Retry-After`. If a client
//! disconnects, its prediction is cancelled and its slot is released.

mod accept;
mod access;
mod client;
mod coding;
mod conditional;
mod connections;
mod dashboard;
mod error;
mod fair_queue;
mod form;
#[cfg(test)]
mod hostile_client_tests;
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
mod rate_limit;
#[cfg(test)]
mod rfc9110_tests;
mod router;
mod security_headers;
mod served_model;
mod server;
mod slots;
mod spectrogram;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_socket;
mod unread_body;
mod upload;
mod watched_body;
mod waveform;
mod write_timeout;

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
