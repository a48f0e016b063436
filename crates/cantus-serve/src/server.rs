//! The HTTP server: several models on one port.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum::Router;

use crate::accept::{self, Service};
use crate::state::AppState;
use crate::{Access, Error, Limits, ServedModel, router};

/// Added to the time limits of a request when the server waits for open requests at shutdown; the documentation has a second more, for the
/// end of the process.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(4);

/// HTTP server for one or more models: web page, JSON API and metrics.
#[derive(Debug)]
pub struct Server {
    state: AppState,
}

impl Server {
    /// Starts the worker threads for these models. The first model is the default of requests that name none.
    ///
    /// # Errors
    /// If there is no model, a name is empty or used twice, the features of a model cannot be planned, or no thread can
    /// be started.
    pub fn new(models: Vec<ServedModel>, limits: Limits, access: Access) -> Result<Self, Error> {
        Ok(Self { state: AppState::new(models, limits, access)? })
    }

    /// Serves HTTP/1.1 until `stop` completes; then accepts no more connections, finishes open requests, and returns.
    ///
    /// # Errors
    /// If the listener cannot be used or the I/O threads cannot be started.
    pub fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        // A request may use the whole limit twice: for its body, then for its prediction.
        let drain_timeout = 2 * self.state.limits.timeout + SHUTDOWN_MARGIN;
        let proxies = self.state.access.proxies.clone();
        accept::serve(
            listener,
            Service {
                router: self.router(),
                proxies,
                write_timeout: self.state.limits.timeout,
                drain_timeout,
            },
            stop,
        )
    }

    pub(crate) fn router(&self) -> Router {
        router::router(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn model_names_must_be_unique() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tiny.safetensors");
        std::fs::write(&path, model().to_bytes().unwrap()).unwrap();
        let models = [None, Some("tiny")].map(|name| ServedModel::load(name, &path).unwrap());
        let error = Server::new(models.into(), Limits::default(), Access::default()).unwrap_err().to_string();
        assert!(error.contains("`tiny`"), "{error}");
        assert!(Server::new(Vec::new(), Limits::default(), Access::default()).is_err());
    }
}
