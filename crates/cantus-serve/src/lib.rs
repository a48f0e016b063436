//! Answers over HTTP: models on one port, with a page for people and an API for programs.
//!
//! | file | what |
//! |---|---|
//! | `exhibit` | a model that is served, with what its run folder says of it |
//! | `site` | the routes, and all that they share |
//! | `sound` | the recording in a request: a form's file or the whole body |
//! | `predict`, `desk` | who may be heard, by whom, and for how long |
//! | `answer`, `overview` | what a model says of a recording; its waveform and its spectrogram |
//! | `problem` | errors as RFC 9457 has them |
//! | `metrics`, `openapi` | numbers for Prometheus, and the description of the API |
//! | `page` | the page, which is part of the binary |
//! | `dashboard` | the curves of a training while it runs |
//! | `listen` | connections, and how they end |
//!
//! A recording is heard by one of a few threads that each have their own plan of the features; requests wait for them in
//! a short queue, and whoever finds it full is told to come again. What nobody waits for any longer is dropped: a client
//! that goes away frees its place.

mod answer;
mod dashboard;
mod desk;
mod error;
mod exhibit;
mod limits;
mod listen;
mod metrics;
mod models;
mod openapi;
mod overview;
mod page;
mod predict;
mod problem;
mod site;
mod sound;
#[cfg(test)]
mod testing;

pub use dashboard::Dashboard;
pub use error::Error;
pub use exhibit::Exhibit;
pub use limits::Limits;
pub use listen::serve;
pub use site::Site;
