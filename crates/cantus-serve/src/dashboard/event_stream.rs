//! `GET /events`: training progress as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::training_state::{SentEpochs, SharedTraining};

/// Shortest time between two events to one browser.
const EVENT_INTERVAL: Duration = Duration::from_millis(150);

/// Sends all past epochs, then each change, until the training has ended.
pub(super) async fn events(State(training): State<Arc<SharedTraining>>) -> Response {
    let (events, body) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut changes, mut sent) = (training.subscribe(), SentEpochs::default());
        loop {
            changes.mark_unchanged();
            let (event, is_last) = training.next_event(&mut sent);
            if events.send(event).await.is_err() || is_last {
                return;
            }
            tokio::time::sleep(EVENT_INTERVAL).await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = events.closed() => return,
            }
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::new(EventBody(body))).into_response()
}

/// Response body that ends when the channel is closed.
struct EventBody(mpsc::Receiver<Bytes>);

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
