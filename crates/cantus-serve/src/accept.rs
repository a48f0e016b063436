//! Accept loop: connection limits, time limits of headers and writes, graceful shutdown.
//!
//! The number of connections is limited, in all and for each client; an idle one gives way to a new one, one that does not send a
//! complete request header in time is closed, and so is one whose client reads nothing of a response for a time. At shutdown no connection
//! is accepted, open requests are finished, and idle connections are closed.

use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

use crate::connections::{Connection, ConnectionLimits, Connections, count_requests};
use crate::write_timeout::WriteTimeout;

/// Largest numbers of open connections: of all clients, and of an address, which may be a proxy for many. In tests fewer, as both
/// ends of each connection are in one process.
const LIMITS: ConnectionLimits = match cfg!(test) {
    false => ConnectionLimits { total: 1024, per_client: 512 },
    true => ConnectionLimits { total: 128, per_client: 64 },
};
/// Time for a complete request header, and keep-alive time of an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Delay after a failed accept, for example if the process is out of file descriptors and no connection is idle.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Buffer of a connection, and so the largest request header, in bytes.
const MAX_BUFFER: usize = 64 << 10;
/// Threads for network I/O; inference has its own.
const N_IO_THREADS: usize = 2;

/// How a router is served.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) router: Router,
    /// Addresses of trusted proxies.
    pub(crate) proxies: Vec<IpAddr>,
    /// Time in which a client has to read a part of a response.
    pub(crate) write_timeout: Duration,
    /// Time in which open requests are finished at shutdown.
    pub(crate) drain_timeout: Duration,
}

/// Serves a router until `stop` completes; then waits for open requests.
pub(crate) fn serve(
    listener: TcpListener,
    service: Service,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(N_IO_THREADS).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accept(listener, service, stop).await;
        io::Result::Ok(())
    })?;
    // Requests that are still open after the timeout are aborted.
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: tokio::net::TcpListener, service: Service, stop: impl Future<Output = ()>) {
    let Service { router, proxies, write_timeout, drain_timeout } = service;
    let (graceful, connections) = (GracefulShutdown::new(), Connections::new(LIMITS, proxies));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            // If all connections are in use, this one is closed.
            Ok((stream, peer)) => {
                if let Some(open) = connections.open(peer.ip()) {
                    let router = router.clone().layer(from_fn_with_state(open.requests(), count_requests));
                    let connection = graceful.watch(connection(stream, router, write_timeout));
                    tokio::spawn(run(connection, open));
                }
            }
            // This connection was reset.
            Err(error) if is_of_connection(&error) => {}
            // The process is out of file descriptors or memory: as over the limit, an idle connection gives way.
            Err(_) => {
                let is_closing = connections.close_one();
                tokio::time::sleep(if is_closing { Duration::from_millis(1) } else { ACCEPT_RETRY_DELAY })
                    .await;
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(drain_timeout, graceful.shutdown()).await;
}

/// Whether an error of accept is one of the connection and not of the process (accept(2), "Error handling").
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves a connection until it ends or gives way.
async fn run(connection: impl Future<Output = hyper::Result<()>>, open: Connection) {
    tokio::select! {
        // A broken connection affects only its client.
        _ = connection => {}
        () = open.given_way() => {}
    }
}

fn connection(
    stream: TcpStream,
    router: Router,
    write_timeout: Duration,
) -> http1::Connection<TokioIo<WriteTimeout<TcpStream>>, TowerToHyperService<Router>> {
    // Responses are small; do not delay them.
    let _ = stream.set_nodelay(true);
    let stream = WriteTimeout::new(stream, write_timeout);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};
    use std::thread;

    use super::*;
    use crate::Limits;
    use crate::testing::tone;
    use crate::testing_socket::{Started, get, header, receive, send, wait_until};

    #[test]
    fn a_client_that_disconnects_releases_its_queue_slot() {
        let limits = Limits { n_workers: 1, max_queued: 0, ..Limits::default() };
        let server = Started::new(limits);
        let address = server.address;
        let music = tone(4.0);
        let is_busy = || {
            let bytes = [header(music.len()), music.clone()].concat();
            let response = receive(send(address, &bytes));
            assert!(
                response.starts_with("HTTP/1.1 503") || response.starts_with("HTTP/1.1 200"),
                "{response}"
            );
            response.starts_with("HTTP/1.1 503")
        };
        // The request that tests for a free slot may itself take it; then another incomplete request is sent.
        let mut incomplete = Vec::new();
        wait_until("the slot is taken by an incomplete request", || {
            incomplete.push(send(address, &[header(music.len()), music[..1000].to_vec()].concat()));
            is_busy()
        });
        // The connection of a rejected request may be closed already.
        incomplete.iter().for_each(|client| drop(client.shutdown(Shutdown::Both)));
        wait_until("the slot is free after the client has disconnected", || !is_busy());
        // A client that disconnects after its whole request was sent releases its slot too.
        let long = tone(540.0);
        let complete = send(address, &[header(long.len()), long].concat());
        complete.shutdown(Shutdown::Both).unwrap();
        wait_until("the metrics count the disconnected request", || {
            get(address, "/metrics").contains(r#"method="POST",status="vanished"} 1"#)
        });
        wait_until("the slot is free again", || !is_busy());
        server.stop();
    }

    #[test]
    fn idle_connections_give_way_to_a_new_one() {
        let server = Started::new(Limits::default());
        let address = server.address;
        let idle: Vec<TcpStream> =
            (0..LIMITS.per_client + 20).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(get(address, "/healthz").starts_with("HTTP/1.1 200"));
        // The first one was closed, the last one was not.
        let mut last = &idle[idle.len() - 1];
        last.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        last.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        let mut first = &idle[0];
        assert!(matches!(first.read(&mut [0]), Ok(0) | Err(_)), "closed by the server");
        server.stop();
    }

    #[test]
    fn bodies_sent_by_the_byte_give_way_to_a_request() {
        let server = Started::new(Limits { n_workers: 1, max_queued: 1, ..Limits::default() });
        let address = server.address;
        let slow: Vec<TcpStream> =
            (0..2).map(|_| send(address, &[header(100_000), vec![0; 10]].concat())).collect();
        wait_until("both are in flight", || get(address, "/metrics").contains("in_flight 3"));
        thread::sleep(Duration::from_millis(1100));
        let music = tone(4.0);
        let response = receive(send(address, &[header(music.len()), music].concat()));
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        let refused = slow.into_iter().map(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut bytes = [0; 1024];
            let n = stream.read(&mut bytes).unwrap_or(0);
            String::from_utf8_lossy(&bytes[..n]).starts_with("HTTP/1.1 408")
        });
        assert_eq!(refused.filter(|&refused| refused).count(), 1, "one of them");
        server.stop();
    }

    #[test]
    fn a_client_that_is_still_sending_receives_the_rejection() {
        let server = Started::new(Limits { max_body_bytes: 1 << 20, ..Limits::default() });
        let address = server.address;
        let large = vec![0; 50 << 20];
        let response = receive(send(address, &[header(large.len()), large].concat()));
        assert!(response.starts_with("HTTP/1.1 413") && response.contains("body-too-large"), "{response}");
        server.stop();
    }

    #[test]
    fn shutdown_finishes_open_requests_and_accepts_no_new_ones() {
        let server = Started::new(Limits::default());
        let address = server.address;
        let music = tone(4.0);
        let mut open = send(address, &[header(music.len()), music[..1000].to_vec()].concat());
        let idle = send(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        wait_until("the request is in flight", || get(address, "/metrics").contains("in_flight 2"));
        let stopping = server.request_stop();
        wait_until("new connections are refused", || TcpStream::connect(address).is_err());
        assert!(!stopping.is_finished(), "it waits for the open request");
        assert!(receive(idle).starts_with("HTTP/1.1 200"), "and closes idle connections");
        open.write_all(&music[1000..]).unwrap();
        let response = receive(open);
        assert!(response.starts_with("HTTP/1.1 200") && response.contains("\"label\""), "{response}");
        stopping.join().unwrap().unwrap();
    }
}
