//! The curves of a training while it runs, on a page of their own.
//!
//! The training writes what happens into a shared record and goes on; whoever looks is told by server-sent events (HTML
//! Living Standard, section 9.2) what is new since the last time. A browser that is slow or gone is never waited for, and
//! nothing that is shown flows back into the training.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cantus_nn::{History, Scores};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use super::listen::listen;
use super::page;
use super::site::{harden, nothing_here};

/// The least time between two messages to one browser: as often as an eye follows.
const MESSAGE_EVERY: Duration = Duration::from_millis(150);
/// How long a training that has ended waits for browsers to hear of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// A page that shows a training, on a port of its own.
#[derive(Debug)]
pub struct Dashboard {
    live: Arc<Live>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<io::Result<()>>>,
}

/// What is shown.
#[derive(Debug)]
struct Live {
    record: Mutex<Record>,
    /// Tells those who wait that there is something new.
    news: watch::Sender<()>,
}

/// All that is known of the training.
#[derive(Debug)]
struct Record {
    run: String,
    /// The training in progress: of a cross-validation, one for each fold.
    stage: String,
    n_stages: usize,
    n_epochs: usize,
    begun: Instant,
    /// Epochs that were trained before this stage began: those of an interrupted training.
    n_before: usize,
    history: History,
    /// The epoch under way, if one is.
    batch: Option<Batch>,
    /// How it ended, when it has.
    ended: Option<String>,
}

/// How far an epoch is.
#[derive(Debug, Clone, Copy, Serialize)]
struct Batch {
    batch: usize,
    n_batches: usize,
    loss: f64,
    accuracy: Option<f64>,
}

/// A message to one browser.
#[derive(Debug, Serialize)]
struct Message<'a> {
    run: &'a str,
    stage: &'a str,
    n_stages: usize,
    n_epochs: usize,
    elapsed_s: f64,
    /// At this pace, and if it does not stop early.
    left_s: Option<f64>,
    batch: Option<Batch>,
    /// Number of the first epoch in this message, from 0; earlier ones of the stage were told before.
    first: usize,
    epochs: Vec<Epoch>,
    ended: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Epoch {
    loss: f64,
    accuracy: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
}

/// What a browser was told already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    n_stages: usize,
    n_epochs: usize,
}

impl Dashboard {
    /// Shows the training of a run on a port.
    ///
    /// # Errors
    /// If the port cannot be used, or no thread can be started.
    pub fn open(listener: TcpListener, run: &str) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let record = Record {
            run: run.to_owned(),
            stage: String::new(),
            n_stages: 0,
            n_epochs: 0,
            begun: Instant::now(),
            n_before: 0,
            history: History::default(),
            batch: None,
            ended: None,
        };
        let live = Arc::new(Live { record: Mutex::new(record), news: watch::Sender::new(()) });
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::clone(&live));
        let stopped = async { drop(stopped.await) };
        let server = thread::Builder::new().name("dashboard".to_owned());
        let server = server.spawn(move || listen(listener, router, stopped, FAREWELL))?;
        Ok(Self { live, address, stop: Some(stop), server: Some(server) })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A training begins, of at most so many epochs.
    pub fn begin(&self, stage: &str, n_epochs: usize) {
        self.live.write(|record| {
            record.stage = stage.to_owned();
            record.n_stages += 1;
            record.n_epochs = n_epochs;
            record.begun = Instant::now();
            record.n_before = 0;
            record.history = History::default();
            record.batch = None;
        });
    }

    /// Part of an epoch has been learnt from.
    pub fn batch(&self, batch: usize, n_batches: usize, scores: Scores) {
        let Scores { loss, accuracy } = scores;
        self.live.write(|record| record.batch = Some(Batch { batch, n_batches, loss, accuracy }));
    }

    /// An epoch has ended; `history` is that of all epochs, those before an interruption too.
    pub fn epoch(&self, history: &History) {
        self.live.write(|record| {
            if record.history.n_epochs() == 0 {
                record.n_before = history.n_epochs().saturating_sub(1);
            }
            record.history = history.clone();
            record.batch = None;
        });
    }

    /// All is over, and this came of it.
    pub fn end(&self, words: &str) {
        self.live.write(|record| record.ended = Some(words.to_owned()));
    }
}

impl Drop for Dashboard {
    /// Tells everybody that it is over, and waits a moment for them to hear of it.
    fn drop(&mut self) {
        self.live.write(|record| {
            record.ended.get_or_insert_with(|| "stopped before its end".to_owned());
        });
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // Whatever became of the page, the training is none the worse.
            let _ = server.join();
        }
    }
}

impl Live {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record());
        self.news.send_replace(());
    }

    /// The next message to a browser that was told so much already, and whether it is the last.
    fn message(&self, told: &mut Told) -> (Bytes, bool) {
        let record = self.record();
        let first = if told.n_stages == record.n_stages { told.n_epochs } else { 0 };
        let message = record.message(first);
        *told = Told { n_stages: record.n_stages, n_epochs: record.history.n_epochs() };
        // Numbers and text: there is nothing in it that could not be written.
        let text = serde_json::to_string(&message).unwrap_or_default();
        (format!("data: {text}\n\n").into(), record.ended.is_some())
    }
}

impl Record {
    fn message(&self, first: usize) -> Message<'_> {
        let History { loss, accuracy, val_loss, val_accuracy, .. } = &self.history;
        let epoch = |i: usize| Epoch {
            loss: loss[i],
            accuracy: accuracy.get(i).copied(),
            val_loss: val_loss.get(i).copied(),
            val_accuracy: val_accuracy.get(i).copied(),
        };
        Message {
            run: &self.run,
            stage: &self.stage,
            n_stages: self.n_stages,
            n_epochs: self.n_epochs,
            elapsed_s: self.begun.elapsed().as_secs_f64(),
            left_s: self.left_s(),
            batch: self.batch,
            first,
            epochs: (first..loss.len()).map(epoch).collect(),
            ended: self.ended.as_deref(),
        }
    }

    fn left_s(&self) -> Option<f64> {
        let n_done = self.history.n_epochs();
        let n_now = n_done.checked_sub(self.n_before).filter(|&n| n > 0)?;
        let pace = self.begun.elapsed().as_secs_f64() / n_now as f64;
        Some(pace * self.n_epochs.saturating_sub(n_done) as f64)
    }
}

fn router(live: Arc<Live>) -> Router {
    let mut router = Router::new().route("/events", get(events));
    for (path, methods) in page::dashboard_routes() {
        router = router.route(path, methods);
    }
    router.fallback(nothing_here).layer(middleware::from_fn(harden)).with_state(live)
}

/// `GET /events`: all that was, then all that is new, until the training is over.
async fn events(State(live): State<Arc<Live>>) -> Response {
    let (messages, body) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut news, mut told) = (live.news.subscribe(), Told::default());
        loop {
            news.mark_unchanged();
            let (message, is_last) = live.message(&mut told);
            if messages.send(message).await.is_err() || is_last {
                return;
            }
            tokio::time::sleep(MESSAGE_EVERY).await;
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                () = messages.closed() => return,
            }
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::new(Messages(body))).into_response()
}

/// Messages as a body that ends with them.
struct Messages(mpsc::Receiver<Bytes>);

impl HttpBody for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|message| message.map(|message| Ok(Frame::data(message))))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;

    use serde_json::Value;

    use super::*;

    fn open() -> Dashboard {
        Dashboard::open(TcpListener::bind("127.0.0.1:0").unwrap(), "my run").unwrap()
    }

    fn history(n_epochs: usize) -> History {
        let falling: Vec<f64> = (1..=n_epochs).map(|epoch| 1.0 / epoch as f64).collect();
        History { loss: falling.clone(), val_loss: falling, ..History::default() }
    }

    /// The messages that a browser gets.
    fn watch(dashboard: &Dashboard) -> impl Iterator<Item = Value> + use<> {
        let mut stream = TcpStream::connect(dashboard.address()).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
    }

    #[test]
    fn a_browser_is_told_all_that_was_and_then_what_is_new() {
        let dashboard = open();
        dashboard.begin("train", 40);
        dashboard.epoch(&history(1));
        dashboard.epoch(&history(2));
        let mut messages = watch(&dashboard);
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
        dashboard.batch(3, 7, Scores { loss: 0.4, accuracy: Some(0.9) });
        let second = messages.next().unwrap();
        assert_eq!((&second["first"], &second["batch"]["n_batches"]), (&2.into(), &7.into()));
        dashboard.epoch(&history(3));
        let third = messages.next().unwrap();
        assert_eq!((&third["first"], &third["batch"]), (&2.into(), &Value::Null));
        dashboard.begin("fold 2", 10);
        let fourth = messages.next().unwrap();
        assert_eq!(
            (&fourth["stage"], &fourth["first"], &fourth["n_stages"]),
            (&"fold 2".into(), &0.into(), &2.into())
        );
        dashboard.end("track accuracy 84 %");
        drop(dashboard);
        let last = messages.last().unwrap();
        assert_eq!(last["ended"], "track accuracy 84 %");
    }

    #[test]
    fn a_training_that_goes_on_from_an_interruption_is_paced_by_what_it_does_now() {
        let dashboard = open();
        dashboard.begin("train", 100);
        dashboard.live.write(|record| record.begun = Instant::now() - Duration::from_secs(10));
        dashboard.epoch(&history(51));
        let left_s = dashboard.live.record().left_s().unwrap();
        assert!((489.0..520.0).contains(&left_s), "49 more at 10 s each: {left_s}");
    }

    #[test]
    fn browsers_that_vanish_or_do_not_read_hold_nobody_up() {
        let dashboard = open();
        dashboard.begin("train", 100_000);
        drop(watch(&dashboard));
        let _deaf = watch(&dashboard);
        let start = Instant::now();
        for n in 1..2000 {
            dashboard.epoch(&history(n % 50 + 1));
        }
        drop(dashboard);
        assert!(start.elapsed() < Duration::from_secs(20), "nobody is waited for beyond the farewell");
    }
}
