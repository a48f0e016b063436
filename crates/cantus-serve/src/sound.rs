//! The recording in a request: the part `file` of a multipart form, or the whole body.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

use super::limits::Limits;
use super::problem::{Kind, Problem};

/// Most bytes of a refused body that are taken nevertheless.
const MOST_DISCARDED: usize = 1 << 30;
/// The name of the form's part that holds the recording.
const PART: &str = "file";

/// An encoded recording as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sound {
    /// What its sender calls it.
    pub(super) name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl Sound {
    /// Takes the recording out of a request, whose body is limited already, in due time.
    pub(super) async fn of(request: Request, limits: &Limits) -> Result<Self, Problem> {
        let arrival = tokio::time::timeout(limits.time, Self::arrive(request, limits));
        let sound = arrival.await.map_err(|_| {
            let s = limits.time.as_secs_f64();
            Problem::new(Kind::BodyTooSlow, format!("the body had not arrived after {s} s"))
        })??;
        if sound.bytes.is_empty() {
            return Err(Problem::new(Kind::BadRequest, "the recording is empty: not one byte was sent"));
        }
        Ok(sound)
    }

    async fn arrive(request: Request, limits: &Limits) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data")) {
            let form = Multipart::from_request(request, &()).await;
            return Self::of_form(form.map_err(malformed_form)?, limits).await;
        }
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|rejection| unread(rejection.status(), rejection.body_text(), limits))?;
        Ok(Self { name: None, bytes: body.into() })
    }

    /// The form's one part `file`; other parts are nobody's concern.
    async fn of_form(mut form: Multipart, limits: &Limits) -> Result<Self, Problem> {
        let broken = |error: MultipartError| unread(error.status(), error.body_text(), limits);
        let mut sound = None;
        while let Some(part) = form.next_field().await.map_err(broken)? {
            if part.name() != Some(PART) {
                continue;
            }
            if sound.is_some() {
                let detail = "the form has several parts `file`; send a request for each recording";
                return Err(Problem::new(Kind::BadRequest, detail));
            }
            let name = part.file_name().map(str::to_owned);
            sound = Some(Self { name, bytes: part.bytes().await.map_err(broken)?.into() });
        }
        sound.ok_or_else(|| Problem::new(Kind::BadRequest, "the form has no part `file`"))
    }
}

/// A body that says beforehand that it is too large is not waited for.
pub(super) fn refuse_too_large(request: &Request, limits: &Limits) -> Result<(), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    match length {
        Some(length) if length > limits.body_bytes as u64 => Err(too_large(limits)),
        _ => Ok(()),
    }
}

/// Takes what a refused client still sends, for a while, and throws it away. Were the connection closed instead, most clients
/// would lose the answer that says why.
pub(super) fn discard(mut body: Body, time: Duration) {
    let to_its_end = async move {
        let mut n_left = MOST_DISCARDED;
        while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            n_left = n_left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if n_left == 0 {
                return;
            }
        }
    };
    tokio::spawn(tokio::time::timeout(time, to_its_end));
}

fn malformed_form(rejection: MultipartRejection) -> Problem {
    Problem::new(Kind::BadRequest, rejection.body_text())
}

/// A body that broke off, or grew beyond its limit.
fn unread(status: StatusCode, reason: String, limits: &Limits) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(limits),
        _ => Problem::new(Kind::BadRequest, reason),
    }
}

fn too_large(limits: &Limits) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("up to {} bytes are taken", limits.body_bytes))
}
