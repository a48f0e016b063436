//! Validators of responses, and conditional requests: a browser that has a document does not receive it again.
//!
//! RFC 9110 (2022), sections 8.8.3 and 13. `Cache-Control: no-cache` of every response makes a cache ask before each use.

use std::hash::{DefaultHasher, Hasher};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem_details::{Problem, ProblemType};

/// Middleware: adds an entity tag to the responses of GET and HEAD whose body is complete, and evaluates `If-Match` and `If-None-Match`.
pub(crate) async fn evaluate_preconditions(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let if_match = EntityTags::of(request.headers(), header::IF_MATCH);
    let if_none_match = EntityTags::of(request.headers(), header::IF_NONE_MATCH);
    let response = next.run(request).await;
    // A body without a length is still being produced.
    if !is_read || response.status() != StatusCode::OK || response.body().size_hint().exact().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::new(ProblemType::Internal, error.to_string()).into_response(),
    };
    let (tag, value) = entity_tag(&bytes);
    if if_match.is_some_and(|tags| !tags.contain(&tag, false)) {
        let detail = format!("If-Match does not list {tag}, the entity tag of the document");
        return Problem::new(ProblemType::PreconditionFailed, detail).into_response();
    }
    parts.headers.insert(header::ETAG, value);
    if if_none_match.is_some_and(|tags| tags.contain(&tag, true)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        // That of the document, if any (section 8.6).
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// A strong entity tag, which differs if a byte does, and its header.
fn entity_tag(bytes: &[u8]) -> (String, HeaderValue) {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let hash = hasher.finish();
    let tag = format!("\"{hash:016x}\"");
    let value = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from(hash));
    (tag, value)
}

/// The value of `If-Match` or `If-None-Match`.
struct EntityTags(String);

impl EntityTags {
    /// `None` without the header.
    fn of(headers: &HeaderMap, name: HeaderName) -> Option<Self> {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let values: Vec<String> = values.collect();
        (!values.is_empty()).then(|| Self(values.join(",")))
    }

    /// Whether the list has an entity tag or is `*`; a weak comparison ignores the mark of weak ones (section 8.8.3.2).
    fn contain(&self, tag: &str, is_weak: bool) -> bool {
        self.0.split(',').map(str::trim).any(|listed| {
            let stripped = if is_weak { listed.strip_prefix("W/") } else { None };
            listed == "*" || stripped.unwrap_or(listed) == tag
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::testing::{TestResponse, block_on, request, send, server};

    fn respond(method: &str, path: &str, headers: &[(HeaderName, &str)]) -> TestResponse {
        let mut request = request(method, path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        block_on(send(&server(Limits::default()).router(), request.body(Body::empty()).unwrap()))
    }

    #[test]
    fn a_document_that_a_client_has_is_not_sent_again() {
        for path in ["/", "/app.js", "/v1/models", "/v1/models/tiny/network.svg", "/openapi.json"] {
            let full = respond("GET", path, &[]);
            let tag = full.headers[header::ETAG].to_str().unwrap();
            assert_eq!(full.headers[header::CACHE_CONTROL], "no-cache", "{path}");
            assert_eq!(respond("HEAD", path, &[]).headers[header::ETAG], tag, "{path}");
            let weak = format!("W/{tag}");
            let listed = format!("\"other\", {tag}");
            for known in [tag, &weak, &listed, "*"] {
                for method in ["GET", "HEAD"] {
                    let response = respond(method, path, &[(header::IF_NONE_MATCH, known)]);
                    assert_eq!((response.status.as_u16(), response.body.len()), (304, 0), "{path} {known}");
                    assert_eq!(response.headers[header::ETAG], tag);
                    assert_eq!(response.headers[header::CACHE_CONTROL], "no-cache");
                    assert_eq!(response.headers[header::CONTENT_LENGTH], full.body.len().to_string());
                    assert!(!response.headers.contains_key(header::CONTENT_TYPE));
                }
            }
            let other = respond("GET", path, &[(header::IF_NONE_MATCH, "\"other\"")]);
            assert_eq!((other.status.as_u16(), other.body.len()), (200, full.body.len()), "{path}");
        }
    }

    #[test]
    fn a_document_that_does_not_match_is_412() {
        let tag = respond("GET", "/app.js", &[]).headers[header::ETAG].to_str().unwrap().to_owned();
        for (list, status) in
            [(tag.as_str(), 200), ("*", 200), ("\"other\"", 412), (&format!("W/{tag}"), 412)]
        {
            assert_eq!(respond("GET", "/app.js", &[(header::IF_MATCH, list)]).status, status, "{list}");
        }
        respond("GET", "/app.js", &[(header::IF_MATCH, "\"other\"")]).is_problem(412, "precondition-failed");
    }

    #[test]
    fn only_documents_have_entity_tags() {
        for (method, path) in [("GET", "/nowhere"), ("POST", "/v1/predict"), ("OPTIONS", "/"), ("PUT", "/")] {
            let response =
                respond(method, path, &[(header::IF_NONE_MATCH, "*"), (header::IF_MATCH, "\"other\"")]);
            assert!(!response.headers.contains_key(header::ETAG), "{method} {path}");
            assert_ne!(response.status, 412, "{method} {path}");
        }
    }
}
