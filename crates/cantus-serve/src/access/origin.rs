//! The origin of the page that sent a request, and the headers by which a page of an allowed origin may read the response.
//!
//! WHATWG Fetch (CORS protocol); W3C Fetch Metadata Request Headers.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::host::Host;
use crate::problem_details::{Problem, ProblemType};

/// Methods and headers that a page of an allowed origin may use, and for how long a browser may cache this, in seconds.
const CORS: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];

/// The origin of a foreign page that is allowed; `None` for a program or a page of the server.
///
/// # Errors
/// [`ProblemType::ForeignOrigin`] if the page is neither of the server nor of one of the `allowed` origins.
pub(super) fn check(
    request: &Request,
    host: &Host,
    allowed: &[String],
) -> Result<Option<HeaderValue>, Problem> {
    let headers = request.headers();
    match headers.get(header::ORIGIN) {
        Some(origin) if allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) => {
            Ok(Some(origin.clone()))
        }
        Some(origin) if origin.to_str().is_ok_and(|origin| host.is_origin(origin)) => Ok(None),
        Some(origin) => Err(refused(&String::from_utf8_lossy(origin.as_bytes()))),
        None if is_from_elsewhere(headers) && !is_link(request) => Err(refused("another site")),
        None => Ok(None),
    }
}

fn refused(origin: &str) -> Problem {
    let detail = format!(
        "a page of {origin} may not use this server; its operator can allow it by --allow-origin ORIGIN"
    );
    Problem::new(ProblemType::ForeignOrigin, detail)
}

/// Whether a page of another origin sent the request, by the header of the browser.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

/// Whether the request follows a link: the other page cannot read the response.
fn is_link(request: &Request) -> bool {
    let mode = request.headers().get("sec-fetch-mode").map(HeaderValue::as_bytes);
    mode == Some(b"navigate") && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether the request is a CORS preflight.
pub(super) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a CORS preflight.
pub(super) fn preflight() -> Response {
    let headers = CORS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets a page of this origin read the response.
pub(super) fn with_cors(mut response: Response, origin: &HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
