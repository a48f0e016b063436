//! Connections, and how they end.
//!
//! A connection that sends no whole head in time is closed, and there are no more connections at once than a limit, so
//! that nobody can keep others out by doing nothing. When the server is asked to stop, it takes no new connections, ends
//! requests that are under way, and closes connections as soon as they are idle.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::site::Site;

/// Most connections at once; further ones wait at the door of the operating system.
const MOST_CONNECTIONS: usize = 1024;
/// Longest time that a head may take to arrive, and that an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// What a stopping server waits beyond the time that its requests may take.
const GRACE: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the process has no file handles left.
const PAUSE: Duration = Duration::from_millis(100);
/// The threads that talk. Those that hear are the desk's.
const N_TALKERS: usize = 2;

/// Serves a site until `stop` ends; then ends what is under way, and returns.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(listener: TcpListener, site: &Site, stop: impl Future<Output = ()>) -> io::Result<()> {
    // A body that arrives slowly, then an answer that is found slowly.
    let patience = 2 * site.time() + GRACE;
    listen(listener, site.router(), stop, patience)
}

/// Serves a router until `stop` ends; then waits as long as `patience` for what is under way.
pub(super) fn listen(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    patience: Duration,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(N_TALKERS).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accept(listener, router, stop, patience).await;
        io::Result::Ok(())
    })?;
    // What has not ended by now will not be waited for.
    runtime.shutdown_background();
    Ok(())
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    patience: Duration,
) {
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let talk = graceful.watch(connection(stream, router.clone()));
                tokio::spawn(async move {
                    // A connection that breaks is its client's affair.
                    let _ = talk.await;
                    drop(place);
                });
            }
            // Either this one connection is gone already, or there are too many: the others go on.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(patience, graceful.shutdown()).await;
}

fn connection(
    stream: TcpStream,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, SocketAddr, TcpStream};
    use std::thread;

    use tokio::sync::oneshot;

    use super::super::Limits;
    use super::super::testing::{site, tone};
    use super::*;

    /// A server on a port of its own, until the sender is used or dropped.
    fn start(limits: Limits) -> (SocketAddr, oneshot::Sender<()>, thread::JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let site = site(limits);
        let server = thread::spawn(move || serve(listener, &site, async { drop(stopped.await) }));
        (address, stop, server)
    }

    fn say(address: SocketAddr, words: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(words).unwrap();
        stream
    }

    /// What is answered until the connection is closed.
    fn hear(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn ask(address: SocketAddr, path: &str) -> String {
        hear(say(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()))
    }

    fn head(length: usize) -> Vec<u8> {
        format!(
            "POST /v1/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes()
    }

    fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if is_so() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("in ten seconds there was never: {what}");
    }

    #[test]
    fn a_client_that_goes_away_leaves_its_place_to_others() {
        let limits = Limits { at_once: 1, waiting: 0, ..Limits::default() };
        let (address, stop, server) = start(limits);
        let music = tone(4.0);
        let is_busy = || {
            let words = [head(music.len()), music.clone()].concat();
            let answer = hear(say(address, &words));
            assert!(answer.starts_with("HTTP/1.1 503") || answer.starts_with("HTTP/1.1 200"), "{answer}");
            answer.starts_with("HTTP/1.1 503")
        };
        // Whoever comes first has the place, which may be the one who asks whether there is any: then another comes.
        let mut gone = Vec::new();
        until("no place, as long as the first holds it", || {
            gone.push(say(address, &[head(music.len()), music[..1000].to_vec()].concat()));
            is_busy()
        });
        // One that was turned away may have lost its connection already.
        gone.iter().for_each(|client| drop(client.shutdown(Shutdown::Both)));
        until("a place, when the first has gone", || !is_busy());
        // Whoever goes when all was said is not answered, and leaves a place too.
        let long = tone(540.0);
        let gone = say(address, &[head(long.len()), long].concat());
        gone.shutdown(Shutdown::Both).unwrap();
        until("a vanished request in the metrics", || {
            ask(address, "/metrics").contains(r#"method="POST",status="vanished"} 1"#)
        });
        until("a place once more", || !is_busy());
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn who_is_refused_while_still_sending_is_told_why() {
        let (address, stop, server) = start(Limits { body_bytes: 1 << 20, ..Limits::default() });
        let large = vec![0; 50 << 20];
        let answer = hear(say(address, &[head(large.len()), large].concat()));
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-large"), "{answer}");
        drop(stop);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn a_stopping_server_ends_what_is_under_way_and_takes_nothing_new() {
        let (address, stop, server) = start(Limits::default());
        let music = tone(4.0);
        let mut under_way = say(address, &[head(music.len()), music[..1000].to_vec()].concat());
        let idle = say(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        until("a request under way", || ask(address, "/metrics").contains("in_flight 2"));
        stop.send(()).unwrap();
        until("no new connections", || TcpStream::connect(address).is_err());
        assert!(!server.is_finished(), "it waits for the request under way");
        assert!(hear(idle).starts_with("HTTP/1.1 200"), "and closes what is idle");
        under_way.write_all(&music[1000..]).unwrap();
        let answer = hear(under_way);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"label\""), "{answer}");
        server.join().unwrap().unwrap();
    }
}
