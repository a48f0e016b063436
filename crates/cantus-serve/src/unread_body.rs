//! A request body whose rest is read and discarded if the response does not need it.
//!
//! If a connection were closed while its client still sends, the client would report a broken connection and not the response
//! (RFC 9112, section 9.6). What is discarded is bounded in bytes and in time, and has to arrive at a rate.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::slots::is_slow;

/// Bytes of a body that are discarded at most.
const MAX_BYTES: u64 = 1 << 30;
/// Time in which a body is discarded at most.
const MAX_TIME: Duration = Duration::from_secs(30);
/// Time in which a further part of it has to arrive.
const MAX_GAP: Duration = Duration::from_secs(2);

/// A body whose rest is discarded in the background when it is dropped.
struct DiscardedBody(Body);

/// Middleware: reads what the response leaves of a request's body.
pub(crate) async fn discard_unread(request: Request, next: Next) -> Response {
    // A client that waits for a permission to send receives the response instead of the permission.
    let is_waiting = request.headers().contains_key(header::EXPECT);
    if is_waiting || request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(DiscardedBody(body)))).await
}

async fn discard(mut body: Body) {
    let (start, mut n_bytes) = (Instant::now(), 0);
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let Ok(Some(Ok(frame))) = timeout(MAX_GAP, frame).await else { return };
        n_bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
        let elapsed = start.elapsed();
        if n_bytes > MAX_BYTES || elapsed > MAX_TIME || is_slow(n_bytes, elapsed).is_some() {
            return;
        }
    }
}

impl Drop for DiscardedBody {
    fn drop(&mut self) {
        if !self.0.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(discard(std::mem::take(&mut self.0)));
        }
    }
}

impl HttpBody for DiscardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
