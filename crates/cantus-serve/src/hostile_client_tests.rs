//! Tests of the server with clients that do harm: they do not read, send too much or too slowly, or fill the queue.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::testing::tone;
use crate::testing_socket::{Started, get, header, header_of, receive, send, wait_until};
use crate::{Access, Limits};

/// A server that takes the clients from the header of a proxy.
fn behind_proxy(limits: Limits) -> Started {
    Started::with(limits, Access { proxies: vec!["127.0.0.1".parse().unwrap()], ..Access::default() })
}

/// Whether nothing was received yet.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let server = Started::new(Limits { timeout: Duration::from_secs(1), ..Limits::default() });
    // More than the buffers of both sockets hold; the server reads no further requests while a response waits.
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut written = Ok(());
    for _ in 0..200_000 {
        written = stream.write_all(request);
        if written.is_err() {
            break;
        }
    }
    let kind = written.unwrap_err().kind();
    assert!(
        matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "closed by the server: {kind}"
    );
    assert!(get(server.address, "/healthz").starts_with("HTTP/1.1 200"));
    server.stop();
}

#[test]
fn a_client_over_its_rate_is_429_and_others_are_not() {
    let server = behind_proxy(Limits { requests_per_s: 5, ..Limits::default() });
    let of = |client: &str| {
        let request = format!(
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
        );
        receive(send(server.address, request.as_bytes()))
    };
    // 50 at once, and those of the time that this takes.
    let refused =
        (0..400).map(|_| of("198.51.100.1, 192.0.2.1")).find(|response| response.starts_with("HTTP/1.1 429"));
    let refused = refused.expect("400 requests take less than a minute");
    assert!(refused.contains("too-many-requests") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(of("192.0.2.1, 198.51.100.1").starts_with("HTTP/1.1 200"), "the last address is the client");
    server.stop();
}

#[test]
fn a_client_with_long_recordings_does_not_keep_others_out() {
    let server = behind_proxy(Limits { n_workers: 1, max_queued: 5, ..Limits::default() });
    let (long, short) = (tone(590.0), tone(4.0));
    let (rest, last) = long.split_at(long.len() - 1);
    let request = |client: &str, sent: &[u8], length: usize| {
        send(server.address, &[&header_of(client, length), sent].concat())
    };
    let mut of_one: Vec<TcpStream> = (0..6).map(|_| request("192.0.2.1", rest, long.len())).collect();
    wait_until("all slots are taken", || get(server.address, "/metrics").contains("in_flight 7"));
    of_one.iter_mut().for_each(|stream| stream.write_all(last).unwrap());
    let start = Instant::now();
    let response = receive(request("192.0.2.2", &short, short.len()));
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    // It did not wait for those before it: one gave way, one was processed at most, the others wait still.
    let waiting = of_one.iter().filter(|stream| is_open(stream)).count();
    assert!(waiting >= 3, "{waiting} of 6 after {:?}", start.elapsed());
    let statuses: Vec<String> = of_one.into_iter().map(|stream| receive(stream)[9..12].to_owned()).collect();
    assert_eq!(statuses.iter().filter(|status| *status == "200").count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| *status == "503").count(), 1, "{statuses:?}");
    server.stop();
}

#[test]
fn a_form_in_small_chunks_takes_a_time_that_is_linear_in_its_length() {
    let server = Started::new(Limits::default());
    let mut form = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
    form.resize(16 << 20, b'a');
    let mut bytes = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
                      Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        .to_vec();
    for chunk in form.chunks(64) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend([chunk, b"\r\n"].concat());
    }
    bytes.extend(b"0\r\n\r\n");
    // A search from the start after each chunk would compare 2 TB, and the body would not arrive in time.
    let response = receive(send(server.address, &bytes));
    assert!(response.starts_with("HTTP/1.1 400") && response.contains("no header of at most"), "{response}");
    server.stop();
}

#[test]
fn slow_bodies_of_one_client_end_and_leave_the_connection_closed() {
    let server = Started::new(Limits { timeout: Duration::from_millis(1500), ..Limits::default() });
    let start = Instant::now();
    let stream = send(server.address, &[header(100_000), vec![0; 10]].concat());
    let response = receive(stream);
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    server.stop();
}
