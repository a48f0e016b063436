//! Which requests are answered: of which host, from pages of which origin, with which token.
//!
//! A page of another site must not use a server on this machine. It could by a host name that it has pointed to the loopback
//! address (DNS rebinding), which the header `Host` shows, or by a cross-origin request, which `Origin` and `Sec-Fetch-Site` show.
//! Programs send neither of the latter and are not affected.

mod host;
mod origin;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use self::host::Host;
pub use self::token::{Token, TokenError};
use crate::problem_details::{Problem, ProblemType};

/// Who may use a server. The default: programs and pages of the server itself, under an IP address or `localhost`, without a token.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Further names of the server, such as `music.example.org`, without a port.
    pub hosts: Vec<String>,
    /// Origins of other pages that may use the API, such as `https://music.example.org`.
    pub origins: Vec<String>,
    /// Bearer token that the API requires.
    pub token: Option<Token>,
    /// Addresses of reverse proxies: the limits of a client apply to the address that they append to `X-Forwarded-For`.
    pub proxies: Vec<IpAddr>,
}

/// Middleware: refuses requests that [`Access`] does not allow, and answers CORS for those of an allowed origin.
pub(crate) async fn check_access(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let host = match Host::of(&request).and_then(|host| host.check(&access.hosts).map(|()| host)) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    let origin = match origin::check(&request, &host, &access.origins) {
        Ok(origin) => origin,
        Err(problem) => return problem.into_response(),
    };
    if let Some(origin) = &origin
        && origin::is_preflight(&request)
    {
        return origin::with_cors(origin::preflight(), origin);
    }
    let response = match check_token(&access, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    match &origin {
        Some(origin) => origin::with_cors(response, origin),
        None => response,
    }
}

/// The page itself and the health check contain nothing of a model, and browsers and monitors cannot send a token for them.
fn check_token(access: &Access, request: &Request) -> Result<(), Problem> {
    let path = request.uri().path();
    let is_protected = path.starts_with("/v1/") || path == "/metrics" || path == "/events";
    match &access.token {
        Some(token) if is_protected && !token.is_sent_by(request.headers()) => {
            let detail = "this server requires a token: Authorization: Bearer TOKEN";
            Err(Problem::new(ProblemType::Unauthorized, detail))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header;

    use super::*;
    use crate::Limits;
    use crate::testing::{TestResponse, block_on, send, server_with};

    /// The response to a request with these headers; `Host` is `localhost` unless given.
    fn respond(access: Access, method: &str, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        let router = server_with(Limits::default(), access).router();
        let mut request = axum::http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        block_on(send(&router, request.body(Body::empty()).unwrap()))
    }

    fn allowing(hosts: &[&str], origins: &[&str]) -> Access {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Access { hosts: owned(hosts), origins: owned(origins), ..Access::default() }
    }

    #[test]
    fn a_name_that_may_be_rebound_is_refused_unless_it_is_allowed() {
        for path in ["/", "/v1/models", "/nowhere"] {
            let response = respond(Access::default(), "GET", path, &[("host", "evil.example:8080")]);
            let detail = response.is_problem(421, "foreign-host")["detail"].to_string();
            assert!(detail.contains("evil.example") && detail.contains("--allow-host"), "{detail}");
        }
        let allowed = allowing(&["music.example"], &[]);
        assert_eq!(
            respond(allowed.clone(), "GET", "/v1/models", &[("host", "Music.example:80")]).status,
            200
        );
        respond(allowed, "GET", "/v1/models", &[("host", "example")]).is_problem(421, "foreign-host");
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_400() {
        let router = server_with(Limits::default(), Access::default()).router();
        let without = axum::http::Request::get("/v1/models").body(Body::empty()).unwrap();
        block_on(send(&router, without)).is_problem(400, "bad-request");
        let old = axum::http::Request::get("/v1/models").version(axum::http::Version::HTTP_10);
        assert_eq!(block_on(send(&router, old.body(Body::empty()).unwrap())).status, 200);
        let twice = [("host", "localhost"), ("host", "localhost")];
        respond(Access::default(), "GET", "/v1/models", &twice).is_problem(400, "bad-request");
        for malformed in ["", "local host", "localhost:port", "[::1", "user@localhost", "localhost/path"] {
            respond(Access::default(), "GET", "/v1/models", &[("host", malformed)])
                .is_problem(400, "bad-request");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused_and_the_page_of_the_server_is_not() {
        let of = |headers: &[(&str, &str)]| respond(Access::default(), "GET", "/v1/models", headers);
        for foreign in
            ["https://evil.example", "null", "http://localhost", "http://localhost:8081", "nonsense"]
        {
            of(&[("origin", foreign)]).is_problem(403, "foreign-origin");
        }
        for site in ["cross-site", "same-site"] {
            of(&[("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]).is_problem(403, "foreign-origin");
            // A link on another page.
            assert_eq!(of(&[("sec-fetch-site", site), ("sec-fetch-mode", "navigate")]).status, 200);
        }
        let form = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        respond(Access::default(), "POST", "/v1/predict", &form).is_problem(403, "foreign-origin");
        for own in [
            &[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[],
        ] {
            let response = of(own);
            assert_eq!(response.status, 200, "{own:?}");
            assert!(!response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    #[test]
    fn an_allowed_origin_may_read_responses_and_send_a_preflight() {
        let page = "https://music.example";
        let access = || allowing(&[], &[page]);
        let sent = [("origin", page), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
        let response = respond(access(), "GET", "/v1/models", &sent);
        assert_eq!(response.status, 200);
        assert_eq!(response.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], page);
        assert_eq!(response.headers[header::VARY], "Origin");
        let asked = [("origin", page), ("access-control-request-method", "POST")];
        let preflight = respond(access(), "OPTIONS", "/v1/predict", &asked);
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, POST");
        let other = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        respond(access(), "OPTIONS", "/v1/predict", &other).is_problem(403, "foreign-origin");
    }

    #[test]
    fn the_api_requires_the_token_and_the_page_does_not() {
        let access =
            || Access { token: Some(Token::new("correct horse battery").unwrap()), ..Access::default() };
        for path in ["/v1/models", "/v1/predict", "/metrics", "/v1/models/tiny/network.svg"] {
            let response = respond(access(), "GET", path, &[]);
            response.is_problem(401, "unauthorized");
            assert_eq!(response.headers[header::WWW_AUTHENTICATE], "Bearer");
        }
        for wrong in [
            "Bearer correct horse batter",
            "Bearer correct horse battery!",
            "Basic correct horse battery",
            "Bearer ",
            "",
        ] {
            respond(access(), "GET", "/v1/models", &[("authorization", wrong)])
                .is_problem(401, "unauthorized");
        }
        for right in ["Bearer correct horse battery", "bearer correct horse battery"] {
            assert_eq!(respond(access(), "GET", "/v1/models", &[("authorization", right)]).status, 200);
        }
        assert_eq!(respond(access(), "GET", "/healthz", &[]).status, 200);
        assert_eq!(respond(access(), "GET", "/", &[]).status, 200);
    }
}
