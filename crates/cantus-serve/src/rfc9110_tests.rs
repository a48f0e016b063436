//! Tests of the HTTP semantics of every route, over a socket: methods, validators, lengths that lie, early rejections.
//!
//! RFC 9110 (2022), "HTTP Semantics"; RFC 9112, "HTTP/1.1".

use std::collections::BTreeSet;
use std::io::Write;

use crate::testing::tone;
use crate::testing_socket::{Started, exchange, get, receive, send};
use crate::{Access, Limits, Token, page, router};

/// Methods that no route supports.
const OTHER_METHODS: [&str; 6] = ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"];

/// Addresses that support GET: those of the API and of the page.
fn documents() -> Vec<String> {
    let api = router::routes().into_iter().map(|(path, _)| path).filter(|path| *path != "/v1/predict");
    let page = page::routes::<()>().into_iter().map(|(path, _)| path);
    let named = |path: &str| path.replace("{name}", if path.contains("problems") { "busy" } else { "tiny" });
    api.chain(page).map(named).collect()
}

/// Status line and header lines of a response, without those that change.
fn head(response: &str) -> BTreeSet<String> {
    let (head, _) = response.split_once("\r\n\r\n").unwrap();
    let is_stable = |line: &&str| !line.starts_with("date:");
    head.split("\r\n").filter(is_stable).map(str::to_owned).collect()
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

fn value<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = response.split_once("\r\n\r\n")?;
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn status(response: &str) -> u16 {
    response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn every_document_supports_get_head_and_options_and_refuses_other_methods() {
    let server = Started::new(Limits::default());
    for path in documents() {
        let of = |method: &str| exchange(server.address, method, &path, "");
        let (get, head_only) = (of("GET"), of("HEAD"));
        let expected = if path.contains("report") || path.contains("confusion") || path.contains("history") {
            404 // The model has no run folder.
        } else {
            200
        };
        assert_eq!(status(&get), expected, "{path}");
        assert_eq!(value(&get, "content-length"), Some(&*body(&get).len().to_string()), "{path}");
        assert_eq!(body(&head_only), "", "{path}");
        // The metrics count the requests.
        if path != "/metrics" {
            assert_eq!(head(&head_only), head(&get), "{path}");
            assert_eq!(value(&get, "etag").is_some(), expected == 200, "{path}");
        }
        assert_eq!(value(&get, "cache-control"), Some("no-cache"), "{path}");
        let options = of("OPTIONS");
        assert_eq!((status(&options), body(&options)), (204, ""), "{path}");
        assert_eq!(value(&options, "allow"), Some("GET,HEAD,OPTIONS"), "{path}");
        assert_eq!(value(&options, "content-length"), None, "{path}");
        for method in OTHER_METHODS.iter().chain(&["POST"]) {
            let refused = of(method);
            assert_eq!(status(&refused), 405, "{method} {path}");
            assert_eq!(value(&refused, "allow"), Some("GET,HEAD,OPTIONS"), "{method} {path}");
        }
    }
    server.stop();
}

#[test]
fn predictions_support_post_and_options_only() {
    let server = Started::new(Limits::default());
    let of = |method: &str| exchange(server.address, method, "/v1/predict", "");
    for method in OTHER_METHODS.iter().chain(&["GET", "HEAD"]) {
        let refused = of(method);
        assert_eq!(status(&refused), 405, "{method}");
        assert_eq!(value(&refused, "allow"), Some("POST,OPTIONS"), "{method}");
        assert_eq!(body(&refused).is_empty(), *method == "HEAD", "{method}");
    }
    assert_eq!(value(&of("OPTIONS"), "allow"), Some("POST,OPTIONS"));
    let all =
        receive(send(server.address, b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    assert_eq!((status(&all), value(&all, "allow")), (204, Some("GET,HEAD,POST,OPTIONS")));
    server.stop();
}

#[test]
fn a_document_that_is_not_modified_has_no_body_on_the_wire() {
    let server = Started::new(Limits::default());
    let full = get(server.address, "/app.js");
    let tag = value(&full, "etag").unwrap();
    // The second response of the connection begins right after the header of the first.
    let first = format!("GET /app.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n\r\n");
    let second = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let both = receive(send(server.address, (first + second).as_bytes()));
    assert_eq!(status(&both), 304, "{both}");
    assert!(body(&both).starts_with("HTTP/1.1 200"), "{both}");
    server.stop();
}

#[test]
fn a_content_length_that_is_malformed_is_400_and_ends_the_connection() {
    let server = Started::new(Limits::default());
    for length in ["+3", "-1", "0x3", "3;", "", "3, 4", "99999999999999999999999"] {
        let request =
            format!("POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\nabc");
        assert_eq!(status(&receive(send(server.address, request.as_bytes()))), 400, "{length:?}");
    }
    let twice =
        "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd";
    assert_eq!(status(&receive(send(server.address, twice.as_bytes()))), 400);
    server.stop();
}

#[test]
fn a_body_has_the_length_that_was_declared() {
    let server = Started::new(Limits::default());
    // The end of the connection before that of the body.
    let longer = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc";
    let stream = send(server.address, longer.as_bytes());
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let response = receive(stream);
    assert_eq!(status(&response), 400, "{response}");
    assert!(response.contains("the body ended early or is malformed"), "{response}");
    // What follows the body is the next request.
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for path in ["/v1/predict", "/v1/models", "/nowhere"] {
        let shorter =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc{next}");
        let response = receive(send(server.address, shorter.as_bytes()));
        assert!(matches!(status(&response), 404 | 405 | 415), "{path}: {response}");
        assert!(response.ends_with("{\"status\":\"ok\"}"), "{path}: {response}");
    }
    // A length beside chunks does not count, and the connection ends, as the next request is in doubt (RFC 9112, section 6.3).
    let both = format!(
        "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nabcde\r\n0\r\n\r\n{next}"
    );
    let response = receive(send(server.address, both.as_bytes()));
    assert_eq!((status(&response), response.matches("HTTP/1.1").count()), (415, 1), "{response}");
    server.stop();
}

#[test]
fn malformed_chunks_are_400_and_codings_are_refused() {
    let server = Started::new(Limits { max_body_bytes: 1000, ..Limits::default() });
    for (headers, body, expected) in [
        ("Transfer-Encoding: chunked", "zz\r\nabc", 400),
        ("Transfer-Encoding: chunked", "3\r\nabcde", 400),
        ("Transfer-Encoding: chunked", "10000000000000000\r\n", 400),
        ("Transfer-Encoding: gzip", "abc", 400),
        ("Transfer-Encoding: chunked, gzip", "3\r\nabc\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: gzip, chunked", "3\r\nabc\r\n0\r\n\r\n", 501),
        ("Content-Length: 3\r\nContent-Encoding: gzip", "abc", 415),
        ("Content-Length: 3\r\nContent-Encoding: identity", "abc", 415),
        ("Content-Length: 2000", "", 413),
    ] {
        let request = format!(
            "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n\r\n{body}"
        );
        let response = receive(send(server.address, request.as_bytes()));
        assert_eq!(status(&response), expected, "{headers}: {response}");
        let is_coding = response.contains("unsupported-coding");
        assert_eq!(
            is_coding,
            headers.ends_with("Encoding: gzip") && expected == 415,
            "{headers}: {response}"
        );
        assert_eq!(value(&response, "accept-encoding"), is_coding.then_some("identity"), "{headers}");
    }
    let many = "400\r\n".to_owned() + &"a".repeat(1024) + "\r\n0\r\n\r\n";
    let request = format!(
        "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{many}"
    );
    assert_eq!(status(&receive(send(server.address, request.as_bytes()))), 413);
    server.stop();
}

#[test]
fn a_client_that_expects_continue_gets_it_or_the_rejection() {
    let server = Started::new(Limits { max_body_bytes: 1 << 20, ..Limits::default() });
    let music = tone(4.0);
    let request = |path: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut stream = send(server.address, request("/v1/predict", music.len()).as_bytes());
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&music).unwrap();
    assert_eq!(status(&receive(stream)), 200);
    for (path, length, expected) in
        [("/v1/predict", 2 << 20, 413), ("/v1/predict?model=x", 3, 404), ("/v1/models", 3, 405)]
    {
        let response = receive(send(server.address, request(path, length).as_bytes()));
        assert_eq!(status(&response), expected, "{path}: no permission to send");
    }
    server.stop();
}

#[test]
fn a_client_that_is_still_sending_receives_every_rejection() {
    let token = Some(Token::new("0123456789abcdef").unwrap());
    let with_token = Started::with(Limits::default(), Access { token, ..Access::default() });
    let server = Started::new(Limits::default());
    let large = vec![0; 8 << 20];
    for (address, path, headers, expected) in [
        (server.address, "/v1/predict", "Host: evil.example", 421),
        (server.address, "/v1/predict", "Host: localhost\r\nOrigin: http://evil.example", 403),
        (server.address, "/v1/predict", "Host: localhost\r\nContent-Encoding: gzip", 415),
        (server.address, "/v1/predict?x=1", "Host: localhost", 400),
        (server.address, "/v1/models", "Host: localhost", 405),
        (server.address, "/nowhere", "Host: localhost", 404),
        (with_token.address, "/v1/predict", "Host: localhost", 401),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            large.len()
        );
        let response = receive(send(address, &[head.as_bytes(), &large].concat()));
        assert_eq!(status(&response), expected, "{path}: {response}");
    }
    server.stop();
    with_token.stop();
}

#[test]
fn a_document_may_have_a_body_in_its_request() {
    let server = Started::new(Limits::default());
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let request = format!("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc{next}");
    let response = receive(send(server.address, request.as_bytes()));
    assert_eq!((status(&response), response.matches("HTTP/1.1 200").count()), (200, 2), "{response}");
    server.stop();
}
