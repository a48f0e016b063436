//! A body whose bytes are counted on their way, and whose end is noticed by the drop of the counter.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// A body that calls `on_bytes` with the length of each frame. The function is dropped with the body.
struct WatchedBody<F> {
    body: Body,
    on_bytes: F,
}

/// The same body, watched.
pub(crate) fn watched(body: Body, on_bytes: impl FnMut(usize) + Send + Unpin + 'static) -> Body {
    Body::new(WatchedBody { body, on_bytes })
}

impl<F: FnMut(usize) + Unpin> HttpBody for WatchedBody<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            (self.on_bytes)(frame.data_ref().map_or(0, Bytes::len));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
