//! Error responses as problem documents.
//!
//! RFC 9457 (2023), "Problem Details for HTTP APIs". Each problem type has one status, and its URI is a path of this server
//! that explains it.

use std::borrow::Cow;

use axum::Json;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use cantus::Error;
use serde::Serialize;

/// `Retry-After` of a request that was rejected because the queue is full or the client over its rate, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// The problem types of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemType {
    BadRequest,
    Unauthorized,
    ForeignOrigin,
    ForeignHost,
    NotFound,
    UnknownModel,
    NotAvailable,
    MethodNotAllowed,
    BodyTimeout,
    PreconditionFailed,
    BodyTooLarge,
    ContentCoding,
    UnsupportedAudio,
    MalformedAudio,
    AudioTooLong,
    NoSignal,
    TooManyRequests,
    Internal,
    TransferCoding,
    QueueFull,
    PredictionTimeout,
}

impl ProblemType {
    pub(crate) const ALL: [Self; 21] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::ForeignOrigin,
        Self::ForeignHost,
        Self::NotFound,
        Self::UnknownModel,
        Self::NotAvailable,
        Self::MethodNotAllowed,
        Self::BodyTimeout,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::ContentCoding,
        Self::UnsupportedAudio,
        Self::MalformedAudio,
        Self::AudioTooLong,
        Self::NoSignal,
        Self::TooManyRequests,
        Self::Internal,
        Self::TransferCoding,
        Self::QueueFull,
        Self::PredictionTimeout,
    ];

    /// Name in the type's URI; part of the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthorized => "unauthorized",
            Self::ForeignOrigin => "foreign-origin",
            Self::ForeignHost => "foreign-host",
            Self::NotFound => "not-found",
            Self::UnknownModel => "unknown-model",
            Self::NotAvailable => "nothing-known",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::BodyTimeout => "body-too-slow",
            Self::PreconditionFailed => "precondition-failed",
            Self::BodyTooLarge => "body-too-large",
            Self::ContentCoding => "unsupported-coding",
            Self::UnsupportedAudio => "unsupported-sound",
            Self::MalformedAudio => "malformed-sound",
            Self::AudioTooLong => "sound-too-long",
            Self::NoSignal => "nothing-to-hear",
            Self::TooManyRequests => "too-many-requests",
            Self::Internal => "internal",
            Self::TransferCoding => "unsupported-transfer-coding",
            Self::QueueFull => "busy",
            Self::PredictionTimeout => "answer-too-slow",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound | Self::UnknownModel | Self::NotAvailable => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentCoding | Self::UnsupportedAudio => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MalformedAudio | Self::AudioTooLong | Self::NoSignal => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::QueueFull => StatusCode::SERVICE_UNAVAILABLE,
            Self::PredictionTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is malformed",
            Self::Unauthorized => "The token is missing or wrong",
            Self::ForeignOrigin => "A page of another origin sent the request",
            Self::ForeignHost => "The server does not have this name",
            Self::NotFound => "There is nothing at this address",
            Self::UnknownModel => "There is no such model",
            Self::NotAvailable => "The model does not have this document",
            Self::MethodNotAllowed => "The address does not support this method",
            Self::BodyTimeout => "The body took too long to arrive",
            Self::PreconditionFailed => "The document is not the one of If-Match",
            Self::BodyTooLarge => "The body is too large",
            Self::ContentCoding => "The body has a content coding",
            Self::UnsupportedAudio => "The audio format is not supported",
            Self::MalformedAudio => "The recording is damaged",
            Self::AudioTooLong => "The recording is too long",
            Self::NoSignal => "The recording is silent or too short",
            Self::TooManyRequests => "The client sends too many requests",
            Self::Internal => "Internal server error",
            Self::TransferCoding => "The body has an unsupported transfer coding",
            Self::QueueFull => "Too many requests at once",
            Self::PredictionTimeout => "The prediction took too long",
        }
    }

    /// What the client can do.
    fn advice(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "Send the token that the operator of the server has chosen, in the header Authorization: Bearer TOKEN."
            }
            Self::ForeignOrigin => {
                "Use the server's own page, or ask its operator to allow the origin of yours by --allow-origin."
            }
            Self::ForeignHost => {
                "Use the address of the server, or ask its operator to allow its name by --allow-host."
            }
            Self::BadRequest => "Send the recording as the body, or as the part `file` of a multipart form.",
            Self::NotFound => "GET /openapi.json lists all addresses.",
            Self::UnknownModel => {
                "GET /v1/models lists the models; without `model` the first of them is used."
            }
            Self::NotAvailable => {
                "The server was started with a model file alone; reports and pictures come from a run folder."
            }
            Self::MethodNotAllowed => "The header Allow lists the methods that the address supports.",
            Self::BodyTimeout => "Send it faster, or ask the operator of the server for a longer timeout.",
            Self::BodyTooLarge => {
                "Send a shorter or compressed recording, or ask the operator of the server for a larger limit."
            }
            Self::PreconditionFailed => {
                "Get the document without If-Match; its entity tag is in the header ETag."
            }
            Self::ContentCoding => "Send the recording as it is, without the header Content-Encoding.",
            Self::TransferCoding => "Send the body with its length, or in chunks.",
            Self::TooManyRequests => {
                "Wait for the number of seconds in the header Retry-After, or ask the operator of the server for a higher rate."
            }
            Self::UnsupportedAudio => {
                "Send wav, mp3, flac, ogg vorbis, opus, m4a, aac, aiff, caf, au, mka or webm; the content decides, not the name."
            }
            Self::MalformedAudio => "Send another copy of the recording.",
            Self::AudioTooLong => "Send a part of it, or ask the operator of the server for a larger limit.",
            Self::NoSignal => "Send a recording that is not silent and at least one segment long.",
            Self::Internal => "This is a defect of the server or of its model: please report it.",
            Self::QueueFull => "Try again after the number of seconds in the header Retry-After.",
            Self::PredictionTimeout => {
                "Send a shorter recording, try again later, or ask the operator of the server for a longer timeout."
            }
        }
    }
}

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) problem_type: ProblemType,
    pub(crate) detail: String,
}

/// JSON members of a problem document.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
}

impl Problem {
    pub(crate) fn new(problem_type: ProblemType, detail: impl Into<String>) -> Self {
        Self { problem_type, detail: detail.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use cantus_audio::Error as Audio;
        let problem_type = match &error {
            Error::Audio(Audio::Malformed { .. } | Audio::TooLarge { .. }) => ProblemType::MalformedAudio,
            Error::Audio(Audio::NotAudio { .. } | Audio::Unsupported { .. }) => ProblemType::UnsupportedAudio,
            Error::NoSegments { .. } => ProblemType::NoSignal,
            _ => ProblemType::Internal,
        };
        Self::new(problem_type, error.to_string())
    }
}

impl From<cantus_audio::Error> for Problem {
    fn from(error: cantus_audio::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) =
            (self.problem_type.name(), self.problem_type.status(), self.problem_type.title());
        let r#type = format!("/v1/problems/{name}");
        let document = Document { r#type, title, status: status.as_u16(), detail: self.detail.into() };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.problem_type {
            ProblemType::QueueFull | ProblemType::TooManyRequests => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
            }
            ProblemType::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ProblemType::ContentCoding => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            _ => {}
        }
        response
    }
}

/// `GET /v1/problems/{name}`: the meaning of a problem type, and what to do about it.
pub(crate) async fn explain(Path(name): Path<String>) -> Result<String, Problem> {
    let known = ProblemType::ALL.iter().find(|known| known.name() == name);
    let known = known
        .ok_or_else(|| Problem::new(ProblemType::NotFound, format!("there is no problem type {name}")))?;
    Ok(format!("{} (status {}). {}\n", known.title(), known.status().as_u16(), known.advice()))
}

/// Fallback for unknown paths; `OPTIONS *` asks for the server as a whole.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS && uri.path() == "*" {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, "GET,HEAD,POST")]).into_response();
    }
    Problem::new(ProblemType::NotFound, format!("there is nothing at {}", uri.path())).into_response()
}

/// Fallback for unsupported methods of a known path, and the answer to OPTIONS; axum adds the header `Allow`.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{} does not support {}", request.uri().path(), request.method());
    Problem::new(ProblemType::MethodNotAllowed, detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_problem_types_are_unique() {
        let mut names: Vec<&str> = ProblemType::ALL.iter().map(|known| known.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ProblemType::ALL.len());
    }
}
