//! Live dashboard of a training run: loss and accuracy by epoch on a web page of its own.
//!
//! The training thread writes its progress to shared state and continues; browsers receive it as server-sent events (HTML
//! Living Standard, section 9.2). The training never waits for a browser, and nothing flows back into the training.

mod event_stream;
mod training_state;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::middleware;
use axum::routing::get;
use cantus_nn::{History, Scores};
use tokio::sync::oneshot;

use self::event_stream::events;
use self::training_state::SharedTraining;
use crate::Access;
use crate::accept::{self, Service};
use crate::access::check_access;
use crate::page;
use crate::problem_details::{method_not_allowed, not_found};
use crate::router::complete;
use crate::security_headers::add_security_headers;

/// Time for browsers to receive the last event after the training has ended.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Time in which a browser has to read a part of an event.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// HTTP server that shows one training run; stops when dropped.
#[derive(Debug)]
pub struct Dashboard {
    training: Arc<SharedTraining>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Dashboard {
    /// Starts the server on a listener; `run` is the name on the page.
    ///
    /// # Errors
    /// If the listener cannot be used, or no thread can be started.
    pub fn start(listener: TcpListener, run: &str) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let training = Arc::new(SharedTraining::new(run));
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::clone(&training));
        let (write_timeout, drain_timeout) = (WRITE_TIMEOUT, DRAIN_TIMEOUT);
        let service = Service { router, proxies: Vec::new(), write_timeout, drain_timeout };
        let stopped = async { drop(stopped.await) };
        let server = thread::Builder::new().name("dashboard".to_owned());
        let server = server.spawn(move || accept::serve(listener, service, stopped))?;
        Ok(Self { training, address, stop: Some(stop), server: Some(server) })
    }

    /// Address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts a stage of at most `n_epochs` epochs: a training, or one fold of a cross-validation.
    pub fn start_stage(&self, stage: &str, n_epochs: usize) {
        self.training.update(|state| state.start_stage(stage, n_epochs));
    }

    /// Reports progress within an epoch: batches done, and the scores so far.
    pub fn record_batch(&self, batch: usize, n_batches: usize, scores: Scores) {
        self.training.update(|state| state.record_batch(batch, n_batches, scores));
    }

    /// Reports the end of an epoch. `history` has all epochs of the stage, including those before an interruption.
    pub fn record_epoch(&self, history: &History) {
        self.training.update(|state| state.record_epoch(history));
    }

    /// Reports the end of the whole run; `result` is shown on the page.
    pub fn finish(&self, result: &str) {
        self.training.update(|state| state.result = Some(result.to_owned()));
    }
}

impl Drop for Dashboard {
    /// Sends the last event and stops the server.
    fn drop(&mut self) {
        self.training.update(|state| {
            state.result.get_or_insert_with(|| "stopped before its end".to_owned());
        });
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // An error of the dashboard must not fail the training.
            let _ = server.join();
        }
    }
}

fn router(training: Arc<SharedTraining>) -> Router {
    let mut router = Router::new().route("/events", get(events));
    for (path, methods) in page::dashboard_routes() {
        router = router.route(path, methods);
    }
    let routes = router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::new(Access::default()), check_access))
        .layer(middleware::from_fn(add_security_headers));
    complete(routes.with_state(training))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;
    use std::time::Instant;

    use serde_json::Value;

    use super::*;
    use crate::testing_socket::exchange;

    fn start() -> Dashboard {
        Dashboard::start(TcpListener::bind("127.0.0.1:0").unwrap(), "my run").unwrap()
    }

    fn history(n_epochs: usize) -> History {
        let loss: Vec<f64> = (1..=n_epochs).map(|epoch| 1.0 / epoch as f64).collect();
        History { loss: loss.clone(), val_loss: loss, ..History::default() }
    }

    /// The events that a browser receives.
    fn receive(dashboard: &Dashboard) -> impl Iterator<Item = Value> + use<> {
        let mut stream = TcpStream::connect(dashboard.address()).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
    }

    #[test]
    fn a_browser_receives_all_past_epochs_and_then_the_new_ones() {
        let dashboard = start();
        dashboard.start_stage("train", 40);
        dashboard.record_epoch(&history(1));
        dashboard.record_epoch(&history(2));
        let mut messages = receive(&dashboard);
        let first = messages.next().unwrap();
        assert_eq!(
            (&first["run"], &first["n_epochs"], &first["first"]),
            (&"my run".into(), &40.into(), &0.into())
        );
        assert_eq!(first["epochs"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&first["epochs"][1]["val_loss"], &first["epochs"][1]["accuracy"]),
            (&0.5.into(), &Value::Null)
        );
        dashboard.record_batch(3, 7, Scores { loss: 0.4, accuracy: Some(0.9) });
        let second = messages.next().unwrap();
        assert_eq!((&second["first"], &second["batch"]["n_batches"]), (&2.into(), &7.into()));
        dashboard.record_epoch(&history(3));
        let third = messages.next().unwrap();
        assert_eq!((&third["first"], &third["batch"]), (&2.into(), &Value::Null));
        dashboard.start_stage("fold 2", 10);
        let fourth = messages.next().unwrap();
        assert_eq!(
            (&fourth["stage"], &fourth["first"], &fourth["n_stages"]),
            (&"fold 2".into(), &0.into(), &2.into())
        );
        dashboard.finish("track accuracy 84 %");
        drop(dashboard);
        let last = messages.last().unwrap();
        assert_eq!(last["ended"], "track accuracy 84 %");
    }

    #[test]
    fn every_address_supports_get_head_and_options_only() {
        let dashboard = start();
        for path in ["/", "/events", "/dashboard.js"] {
            for (method, status) in [("OPTIONS", "204"), ("POST", "405"), ("BREW", "405")] {
                let mut response = exchange(dashboard.address(), method, path, "");
                response.make_ascii_lowercase();
                assert!(response.starts_with(&format!("http/1.1 {status}")), "{method} {path}: {response}");
                assert!(response.contains("allow: get,head,options\r\n"), "{method} {path}: {response}");
            }
        }
        assert!(exchange(dashboard.address(), "HEAD", "/", "").ends_with("\r\n\r\n"));
    }

    #[test]
    fn browsers_that_disconnect_or_do_not_read_do_not_block_the_training() {
        let dashboard = start();
        dashboard.start_stage("train", 100_000);
        drop(receive(&dashboard));
        let _unread = receive(&dashboard);
        let start = Instant::now();
        for n in 1..2000 {
            dashboard.record_epoch(&history(n % 50 + 1));
        }
        drop(dashboard);
        assert!(start.elapsed() < Duration::from_secs(20), "dropping waits no longer than the drain timeout");
    }
}
