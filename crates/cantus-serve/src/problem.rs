//! Errors as problem documents.
//!
//! RFC 9457 (2023), "Problem Details for HTTP APIs". Each kind has its own type, which is also the address where it is
//! explained, and its own status.

use std::borrow::Cow;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use cantus::Error;

/// Seconds after which a request that was turned away may come again.
const RETRY_AFTER_S: u64 = 1;

/// What can be wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    NotFound,
    UnknownModel,
    NothingKnown,
    MethodNotAllowed,
    BodyTooSlow,
    BodyTooLarge,
    UnsupportedSound,
    MalformedSound,
    SoundTooLong,
    NothingToHear,
    Internal,
    Busy,
    AnswerTooSlow,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::NotFound,
        Self::UnknownModel,
        Self::NothingKnown,
        Self::MethodNotAllowed,
        Self::BodyTooSlow,
        Self::BodyTooLarge,
        Self::UnsupportedSound,
        Self::MalformedSound,
        Self::SoundTooLong,
        Self::NothingToHear,
        Self::Internal,
        Self::Busy,
        Self::AnswerTooSlow,
    ];

    /// Name in the type, status, title.
    fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", StatusCode::BAD_REQUEST, "The request cannot be understood"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing at this address"),
            Self::UnknownModel => ("unknown-model", StatusCode::NOT_FOUND, "There is no such model"),
            Self::NothingKnown => ("nothing-known", StatusCode::NOT_FOUND, "That is not known of this model"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The address has no such method")
            }
            Self::BodyTooSlow => {
                ("body-too-slow", StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive")
            }
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedSound => (
                "unsupported-sound",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This is no sound that can be decoded here",
            ),
            Self::MalformedSound => {
                ("malformed-sound", StatusCode::UNPROCESSABLE_ENTITY, "The recording is damaged")
            }
            Self::SoundTooLong => {
                ("sound-too-long", StatusCode::UNPROCESSABLE_ENTITY, "The recording is too long")
            }
            Self::NothingToHear => {
                ("nothing-to-hear", StatusCode::UNPROCESSABLE_ENTITY, "There is nothing to hear in it")
            }
            Self::Internal => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong in the server")
            }
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once"),
            Self::AnswerTooSlow => {
                ("answer-too-slow", StatusCode::GATEWAY_TIMEOUT, "The answer took too long")
            }
        }
    }

    /// What to do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::BadRequest => "Send the recording as the body, or as the part `file` of a multipart form.",
            Self::NotFound => "GET /openapi.json lists all addresses.",
            Self::UnknownModel => "GET /v1/models lists the models; leave `model` out for the first of them.",
            Self::NothingKnown => {
                "The model was served from a file alone; serve its run folder, which has the report beside it."
            }
            Self::MethodNotAllowed => "The header Allow names the methods that the address has.",
            Self::BodyTooSlow => "Send it faster, or start the server with a larger --timeout.",
            Self::BodyTooLarge => {
                "Send less, or the same sound compressed, or start the server with a larger --max-body."
            }
            Self::UnsupportedSound => {
                "Send wav, mp3, flac, ogg vorbis, m4a, aac, aiff, caf or au; the content decides, not the name."
            }
            Self::MalformedSound => "Take another copy of the recording.",
            Self::SoundTooLong => "Send a part of it, or start the server with a larger --max-seconds.",
            Self::NothingToHear => "Send a recording that sounds, and lasts at least as long as one segment.",
            Self::Internal => "It is a defect of the server or of its model: please report it.",
            Self::Busy => "Come again after as many seconds as the header Retry-After says.",
            Self::AnswerTooSlow => {
                "Send a shorter recording, come again when less is asked, or start the server with a larger --timeout."
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.facts().0
    }
}

/// What is wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    pub(super) detail: String,
}

/// The document.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use cantus_audio::Error as Audio;
        let kind = match &error {
            Error::Audio(Audio::Malformed { .. } | Audio::TooLarge { .. }) => Kind::MalformedSound,
            Error::Audio(Audio::NotAudio { .. } | Audio::Unsupported { .. }) => Kind::UnsupportedSound,
            Error::NoSegments { .. } => Kind::NothingToHear,
            _ => Kind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<cantus_audio::Error> for Problem {
    fn from(error: cantus_audio::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) = self.kind.facts();
        let r#type = format!("/v1/problems/{name}");
        let document = Document { r#type, title, status: status.as_u16(), detail: self.detail.into() };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Busy {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}

/// `GET /v1/problems/{name}`: what a type means and what to do about it.
pub(super) async fn explain(Path(name): Path<String>) -> Result<String, Problem> {
    let known = Kind::ALL.iter().find(|kind| kind.name() == name);
    let kind = known.ok_or_else(|| Problem::new(Kind::NotFound, format!("no problem is called {name}")))?;
    let (_, status, title) = kind.facts();
    Ok(format!("{title} (status {}). {}\n", status.as_u16(), kind.advice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
