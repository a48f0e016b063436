//! Reads the recording of a request: the part `file` of a multipart form, or the whole body.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

use crate::Limits;
use crate::problem_details::{Problem, ProblemType};

/// Bytes of a rejected body that are read at most.
const MAX_DRAINED_BYTES: usize = 1 << 30;
/// Name of the form part that holds the recording.
const FORM_PART: &str = "file";

/// An encoded recording as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// File name in the form; `None` for a raw body.
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Upload {
    /// Reads the recording within [`Limits::timeout`]. The size of the body is limited by the router.
    pub(crate) async fn read(request: Request, limits: &Limits) -> Result<Self, Problem> {
        let read = tokio::time::timeout(limits.timeout, Self::read_body(request, limits));
        let upload = read.await.map_err(|_| {
            let s = limits.timeout.as_secs_f64();
            Problem::new(ProblemType::BodyTimeout, format!("the body had not arrived after {s} s"))
        })??;
        if upload.bytes.is_empty() {
            return Err(Problem::new(ProblemType::BadRequest, "the recording is empty: 0 bytes were sent"));
        }
        Ok(upload)
    }

    async fn read_body(request: Request, limits: &Limits) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("multipart/form-data")) {
            let form = Multipart::from_request(request, &()).await;
            return Self::read_form(form.map_err(malformed_form)?, limits).await;
        }
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|rejection| body_error(rejection.status(), rejection.body_text(), limits))?;
        Ok(Self { file_name: None, bytes: body.into() })
    }

    /// Reads the only part `file`; other parts are ignored.
    async fn read_form(mut form: Multipart, limits: &Limits) -> Result<Self, Problem> {
        let form_error = |error: MultipartError| body_error(error.status(), error.body_text(), limits);
        let mut upload = None;
        while let Some(part) = form.next_field().await.map_err(form_error)? {
            if part.name() != Some(FORM_PART) {
                continue;
            }
            if upload.is_some() {
                let detail = "the form has several parts `file`; send a request for each recording";
                return Err(Problem::new(ProblemType::BadRequest, detail));
            }
            let file_name = part.file_name().map(str::to_owned);
            upload = Some(Self { file_name, bytes: part.bytes().await.map_err(form_error)?.into() });
        }
        upload.ok_or_else(|| Problem::new(ProblemType::BadRequest, "the form has no part `file`"))
    }
}

/// Rejects a body by its `Content-Length` before it is read.
pub(crate) fn check_content_length(request: &Request, limits: &Limits) -> Result<(), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    match length {
        Some(length) if length > limits.max_body_bytes as u64 => Err(too_large(limits)),
        _ => Ok(()),
    }
}

/// Reads and discards the rest of a rejected body. If the connection were closed at once, most clients would report a
/// broken connection and not the response.
pub(crate) fn drain(mut body: Body, timeout: Duration) {
    let read_to_end = async move {
        let mut n_left = MAX_DRAINED_BYTES;
        while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            n_left = n_left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if n_left == 0 {
                return;
            }
        }
    };
    tokio::spawn(tokio::time::timeout(timeout, read_to_end));
}

fn malformed_form(rejection: MultipartRejection) -> Problem {
    Problem::new(ProblemType::BadRequest, rejection.body_text())
}

/// A body that was truncated or exceeded the limit.
fn body_error(status: StatusCode, reason: String, limits: &Limits) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(limits),
        _ => Problem::new(ProblemType::BadRequest, reason),
    }
}

fn too_large(limits: &Limits) -> Problem {
    Problem::new(ProblemType::BodyTooLarge, format!("the limit is {} bytes", limits.max_body_bytes))
}
