//! Reads the recording of a request: the part `file` of a multipart form, or the whole body.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};

use crate::problem_details::{Problem, ProblemType};
use crate::{Limits, form};

/// An encoded recording as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// File name in the form; `None` for a raw body.
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Upload {
    /// Reads the recording within [`Limits::timeout`] and [`Limits::max_body_bytes`].
    pub(crate) async fn read(request: Request, limits: &Limits) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = content_type.map_or(Ok(None), form::boundary).map_err(bad_request)?;
        let declared = declared_length(request.headers()).unwrap_or(0);
        let bytes = collect(request.into_body(), declared as usize, limits);
        let bytes = tokio::time::timeout(limits.timeout, bytes).await.map_err(|_| {
            let s = limits.timeout.as_secs_f64();
            Problem::new(ProblemType::BodyTimeout, format!("the body had not arrived after {s} s"))
        })??;
        let upload = match boundary {
            Some(boundary) => Self::of_form(bytes, &boundary)?,
            None => Self { file_name: None, bytes },
        };
        if upload.bytes.is_empty() {
            return Err(bad_request("the recording is empty: 0 bytes were sent"));
        }
        Ok(upload)
    }

    /// The recording of a form, in its memory.
    fn of_form(mut bytes: Vec<u8>, boundary: &str) -> Result<Self, Problem> {
        let form::FilePart { file_name, start, end } =
            form::find_file(&bytes, boundary).map_err(bad_request)?;
        bytes.truncate(end);
        bytes.drain(..start);
        Ok(Self { file_name, bytes })
    }
}

/// Rejects a body by its `Content-Length` before it is read.
pub(crate) fn check_content_length(request: &Request, limits: &Limits) -> Result<(), Problem> {
    match declared_length(request.headers()) {
        Some(length) if length > limits.max_body_bytes as u64 => Err(too_large(limits)),
        _ => Ok(()),
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body into one allocation, whose pages are used as the bytes arrive; its length is that which the client declared, and at
/// most the limit.
async fn collect(mut body: Body, declared: usize, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    // Without this memory the vector grows with the body.
    let _ = bytes.try_reserve_exact(declared.min(limits.max_body_bytes));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|error| bad_request(format!("the body ended early or is malformed: {error}")))?;
        let data = frame.data_ref().map_or(&[][..], Bytes::as_ref);
        if data.len() > limits.max_body_bytes - bytes.len() {
            return Err(too_large(limits));
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

fn bad_request(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemType::BadRequest, detail)
}

fn too_large(limits: &Limits) -> Problem {
    Problem::new(ProblemType::BodyTooLarge, format!("the limit is {} bytes", limits.max_body_bytes))
}
