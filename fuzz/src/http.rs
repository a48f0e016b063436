//! A server on the loopback interface, and requests of arbitrary bytes to it.

use std::future::pending;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use cantus_serve::{Access, Limits, ServedModel, Server, Token};

use crate::files::write_file;
use crate::model::model;

/// Time after which a missing response is a hang.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The token of the server.
pub const TOKEN: &str = "0123456789abcdef";

/// The address of the server, which runs until the process ends.
fn address() -> SocketAddr {
    static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| {
        let path = write_file("served.safetensors", model().to_bytes().expect("a model that can be written"));
        let models = [None, Some("a b")].map(|name| ServedModel::load(name, &path).expect("a model"));
        let limits = Limits {
            max_body_bytes: 1 << 16,
            max_audio_s: 60.0,
            n_workers: 1,
            max_queued: 1,
            requests_per_s: 0,
            timeout: Duration::from_secs(10),
        };
        let access = Access {
            hosts: vec!["music.example.org".to_owned()],
            origins: vec!["https://music.example.org".to_owned()],
            token: Some(Token::new(TOKEN).expect("a valid token")),
            proxies: Vec::new(),
        };
        let server = Server::new(models.into(), limits, access).expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || server.serve(listener, pending()));
        address
    });
    *ADDRESS
}

/// Sends the bytes of a connection, then its end, and returns all that is received.
pub fn exchange(bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect();
    stream.set_read_timeout(Some(TIMEOUT)).expect("a valid timeout");
    stream.set_write_timeout(Some(TIMEOUT)).expect("a valid timeout");
    let mut received = Vec::new();
    // The server may close the connection before it has read everything.
    let sent = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let read = stream.read_to_end(&mut received);
    for result in [sent.err(), read.err()].into_iter().flatten() {
        assert!(
            !matches!(result.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "no response after {TIMEOUT:?}"
        );
    }
    if !received.is_empty() {
        assert!(received.starts_with(b"HTTP/1."), "not HTTP: {}", String::from_utf8_lossy(&received));
        let status = received.get(9..12).unwrap_or_default();
        assert_ne!(status, b"500", "internal error: {}", String::from_utf8_lossy(&received));
    }
    received
}

/// Connects; ports of earlier connections may be in use for a while.
fn connect() -> TcpStream {
    for _ in 0..100 {
        match TcpStream::connect(address()) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
    panic!("no connection to the server after 10 s");
}
