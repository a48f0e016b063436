//! Response headers that disable content sniffing, framing, referrers and caching in browsers.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Defaults of every response; a handler may set its own value.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Middleware that adds the headers that the response does not have yet.
pub(crate) async fn add_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::testing::{block_on, get, server};

    #[test]
    fn every_response_has_the_security_headers() {
        let router = server(Limits::default()).router();
        block_on(async {
            for path in ["/", "/app.js", "/v1/models", "/nowhere", "/v1/models/tiny/network.svg"] {
                let headers = get(&router, path).await.headers;
                assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
                assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
                let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
                assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
                assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
            }
        });
    }
}
