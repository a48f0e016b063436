//! A minimal HTTP client for the tests: one request and its response per connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Requests `path` from `host:port`.
pub fn request(host: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(host).expect("the server accepts connections");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("timeouts exist");
    begin(&mut stream, host, method, path, kind, body.len());
    stream.write_all(body).expect("the body is taken");
    reply(stream)
}

/// Sends the head of a request.
pub fn begin(stream: &mut TcpStream, host: &str, method: &str, path: &str, kind: &str, length: usize) {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head is taken");
}

/// Reads a response.
pub fn reply(stream: TcpStream) -> Reply {
    let (mut reader, mut head) = (BufReader::new(stream), String::new());
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a head comes back") > 0, "cut: {head}");
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status comes first");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = Vec::new();
    match length {
        Some(length) => reader.take(length).read_to_end(&mut body),
        None => reader.read_to_end(&mut body),
    }
    .expect("a body comes back");
    Reply { status, body }
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}
