//! Accept loop: connection limits, header timeout, graceful shutdown.
//!
//! The number of connections is limited, in all and for each client; an idle one gives way to a new one, and one that does not
//! send a complete request header in time is closed, so that idle clients cannot block others. At shutdown no connection is accepted, open requests are finished, and idle
//! connections are closed.

use std::future::Future;
use std::io;
use std::net::TcpListener;
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

/// Largest numbers of open connections: of all clients, and of an address, which may be a proxy for many. In tests fewer, as both
/// ends of each connection are in one process.
const LIMITS: ConnectionLimits = match cfg!(test) {
    false => ConnectionLimits { total: 1024, per_client: 512 },
    true => ConnectionLimits { total: 128, per_client: 64 },
};
/// Time for a complete request header, and keep-alive time of an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Delay after a failed accept, for example if the process is out of file descriptors, and while no connection is idle.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Threads for network I/O; inference has its own.
const N_IO_THREADS: usize = 2;

/// Serves a router until `stop` completes; then waits up to `drain_timeout` for open requests.
pub(crate) fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    drain_timeout: Duration,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(N_IO_THREADS).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accept(listener, router, stop, drain_timeout).await;
        io::Result::Ok(())
    })?;
    // Requests that are still open after the timeout are aborted.
    runtime.shutdown_background();
    Ok(())
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    drain_timeout: Duration,
) {
    let (graceful, connections) = (GracefulShutdown::new(), Connections::new(LIMITS));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => match connections.open(peer.ip()) {
                Some(open) => {
                    let router = router.clone().layer(from_fn_with_state(open.requests(), count_requests));
                    let connection = graceful.watch(connection(stream, router));
                    tokio::spawn(run(connection, open));
                }
                // All connections are in use; this one is closed.
                None => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
            },
            // This connection was reset, or the process is out of file descriptors; open connections go on.
            Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(drain_timeout, graceful.shutdown()).await;
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
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // Responses are small; do not delay them.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, SocketAddr, TcpStream};
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;
    use crate::Limits;
    use crate::testing::{server, tone};

    /// A server on a free port; it stops when the sender is used or dropped.
    fn start(limits: Limits) -> (SocketAddr, oneshot::Sender<()>, thread::JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = server(limits);
        let thread = thread::spawn(move || server.serve(listener, async { drop(stopped.await) }));
        (address, stop, thread)
    }

    fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// All bytes until the connection is closed.
    fn receive(mut stream: TcpStream) -> String {
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    }

    fn get(address: SocketAddr, path: &str) -> String {
        receive(send(
            address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        ))
    }

    fn header(length: usize) -> Vec<u8> {
        format!(
            "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes()
    }

    fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if condition() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("not within 10 s: {what}");
    }

    #[test]
    fn a_client_that_disconnects_releases_its_queue_slot() {
        let limits = Limits { n_workers: 1, max_queued: 0, ..Limits::default() };
        let (address, stop, server) = start(limits);
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
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn idle_connections_give_way_to_a_new_one() {
        let (address, stop, server) = start(Limits::default());
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
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn bodies_sent_by_the_byte_give_way_to_a_request() {
        let (address, stop, server) = start(Limits { n_workers: 1, max_queued: 1, ..Limits::default() });
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
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn a_client_that_is_still_sending_receives_the_rejection() {
        let (address, stop, server) = start(Limits { max_body_bytes: 1 << 20, ..Limits::default() });
        let large = vec![0; 50 << 20];
        let response = receive(send(address, &[header(large.len()), large].concat()));
        assert!(response.starts_with("HTTP/1.1 413") && response.contains("body-too-large"), "{response}");
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn shutdown_finishes_open_requests_and_accepts_no_new_ones() {
        let (address, stop, server) = start(Limits::default());
        let music = tone(4.0);
        let mut open = send(address, &[header(music.len()), music[..1000].to_vec()].concat());
        let idle = send(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        wait_until("the request is in flight", || get(address, "/metrics").contains("in_flight 2"));
        stop.send(()).unwrap();
        wait_until("new connections are refused", || TcpStream::connect(address).is_err());
        assert!(!server.is_finished(), "it waits for the open request");
        assert!(receive(idle).starts_with("HTTP/1.1 200"), "and closes idle connections");
        open.write_all(&music[1000..]).unwrap();
        let response = receive(open);
        assert!(response.starts_with("HTTP/1.1 200") && response.contains("\"label\""), "{response}");
        server.join().unwrap().unwrap();
    }
}
