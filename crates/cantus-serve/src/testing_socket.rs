//! Test fixtures: a server on a free port, and clients that write the bytes of their requests themselves.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::testing::server_with;
use crate::{Access, Limits};

/// Time after which a missing response is a hang.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Started {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with(limits, Access::default())
    }

    pub(crate) fn with(limits: Limits, access: Access) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = server_with(limits, access);
        let thread = thread::spawn(move || server.serve(listener, async { drop(stopped.await) }));
        Self { address, stop, thread }
    }

    /// Begins the shutdown; the handle waits for its end.
    pub(crate) fn request_stop(self) -> JoinHandle<io::Result<()>> {
        self.stop.send(()).unwrap();
        self.thread
    }

    /// Shuts down and waits for the end.
    pub(crate) fn stop(self) {
        self.request_stop().join().unwrap().unwrap();
    }
}

/// A connection on which these bytes were sent.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// All bytes until the connection is closed.
pub(crate) fn receive(mut stream: TcpStream) -> String {
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

/// The response to a request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    receive(send(address, head.as_bytes()))
}

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    exchange(address, "GET", path, "")
}

/// The header of a prediction whose body has this length.
pub(crate) fn header(length: usize) -> Vec<u8> {
    header_of("127.0.0.1", length)
}

/// The same as a proxy forwards it for a client.
pub(crate) fn header_of(client: &str, length: usize) -> Vec<u8> {
    format!(
        "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not within 10 s: {what}");
}
