//! Downloads under failures of servers and networks: redirects, interruptions, changed files, errors.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cantus_fetch::{Credentials, Download, Error, Event, ProgressObserver};

use crate::kaggle::{Reply, Server, Stored};

/// Pseudo-random bytes, so that misplaced parts are noticed.
fn content(n: usize) -> Vec<u8> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

struct Downloaded {
    result: Result<(), Error>,
    events: Vec<Event>,
    target: PathBuf,
}

impl Downloaded {
    #[track_caller]
    fn is(&self, content: &[u8]) {
        assert!(self.result.is_ok(), "{:?}", self.result);
        assert!(fs::read(&self.target).unwrap() == content, "other bytes");
        assert_eq!(
            fs::read_dir(self.target.parent().unwrap()).unwrap().count(),
            1,
            "more than the file is left"
        );
    }

    #[track_caller]
    fn says(&self, words: &[&str]) {
        let message = self.result.as_ref().expect_err("it should fail").to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is missing in: {message}");
        }
        assert!(!self.target.exists());
    }

    fn restarted(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Restarted { .. }))
    }
}

fn key() -> Credentials {
    Credentials::Key { username: "ann".to_owned(), key: "secret".to_owned() }
}

/// Downloads `/file` into a folder, stopping before the `stop_at`th byte, if any.
fn download_as(who: Credentials, url: &str, dir: &tempfile::TempDir, stop_at: Option<u64>) -> Downloaded {
    let (stop, events) = (AtomicBool::new(false), RefCell::new(Vec::new()));
    let on_event = |event: Event| {
        if let (Event::Downloaded { n_bytes, .. }, Some(limit)) = (&event, stop_at) {
            stop.store(*n_bytes >= limit, Ordering::SeqCst);
        }
        events.borrow_mut().push(event);
    };
    let target = dir.path().join("a.zip");
    let mut download = Download::new(&format!("{url}/file"), who);
    (download.max_attempts, download.initial_delay) = (3, Duration::from_millis(1));
    let result = download.save_to(&target, &ProgressObserver { cancelled: &stop, on_event: &on_event });
    Downloaded { result, events: events.into_inner(), target }
}

fn download(url: &str, dir: &tempfile::TempDir) -> Downloaded {
    download_as(Credentials::Anonymous, url, dir, None)
}

#[test]
fn a_redirect_to_another_host_is_followed_without_the_credentials() {
    let stored = Stored::new(&content(10_000), "1");
    let storage = Server::start(move |request, _| stored.reply(request));
    let place = storage.url("localhost") + "/signed?x=1";
    let api = Server::start(move |_, _| Reply::status(302).with("location", &place));
    let dir = tempfile::tempdir().unwrap();
    download_as(key(), &api.url("127.0.0.1"), &dir, None).is(&content(10_000));
    assert_eq!(api.header_values("authorization"), [Some("Basic YW5uOnNlY3JldA==".to_owned())]);
    assert_eq!(storage.header_values("authorization"), [None]);
    assert_eq!(storage.requests()[0].line, "GET /signed?x=1");
}

#[test]
fn an_interrupted_transfer_resumes_where_it_was_interrupted() {
    let stored = Stored::new(&content(100_000), "1");
    let server = Server::start(move |request, n| {
        let cut = [Some(30_000), Some(20_000), None][n.min(2)];
        Reply { cut, ..stored.reply(request) }
    });
    let dir = tempfile::tempdir().unwrap();
    let downloaded = download(&server.url("127.0.0.1"), &dir);
    downloaded.is(&content(100_000));
    let from = |range: &str| Some(range.to_owned());
    assert_eq!(server.header_values("range"), [None, from("bytes=30000-"), from("bytes=50000-")]);
    assert_eq!(server.header_values("if-range"), [None, from("\"1\""), from("\"1\"")]);
    assert!(!downloaded.restarted());
}

#[test]
fn a_stopped_download_resumes_where_it_was_stopped() {
    let stored = Stored::new(&content(400_000), "1");
    let server =
        Server::start(move |request, _| Reply { pause: Duration::from_millis(1), ..stored.reply(request) });
    let dir = tempfile::tempdir().unwrap();
    let stopped = download_as(Credentials::Anonymous, &server.url("127.0.0.1"), &dir, Some(1));
    assert!(matches!(stopped.result, Err(Error::Interrupted)), "{:?}", stopped.result);
    let n_bytes = fs::metadata(dir.path().join(".a.zip.partial")).unwrap().len();
    assert!((1..400_000).contains(&n_bytes), "{n_bytes}");
    let downloaded = download(&server.url("127.0.0.1"), &dir);
    downloaded.is(&content(400_000));
    assert_eq!(downloaded.events[0], Event::Resumed { n_bytes });
    assert_eq!(server.header_values("range"), [None, Some(format!("bytes={n_bytes}-"))]);
}

#[test]
fn a_file_that_changed_meanwhile_is_downloaded_from_the_start() {
    let (old, new) = (Stored::new(&content(50_000), "1"), Stored::new(&content(60_000)[7..], "2"));
    // One server that respects `If-Range`, and one that does not and sends a part of another version.
    for respects in [true, false] {
        let (old, new) = (old.clone(), new.clone());
        let server = Server::start(move |request, n| match n {
            0 => Reply { cut: Some(20_000), ..old.reply(request) },
            1 if !respects => Stored { etag: "\"1\"".to_owned(), ..new.clone() }.reply(request),
            _ => new.reply(request),
        });
        let dir = tempfile::tempdir().unwrap();
        let downloaded = download(&server.url("127.0.0.1"), &dir);
        downloaded.is(&content(60_000)[7..]);
        assert!(downloaded.restarted(), "respects: {respects}");
    }
}

#[test]
fn a_server_without_ranges_sends_the_whole_file_again() {
    let server = Server::start(|_, n| {
        let cut = (n == 0).then_some(20_000);
        Reply { cut, ..Reply::status(200).body(&content(50_000)).with("etag", "\"1\"") }
    });
    let dir = tempfile::tempdir().unwrap();
    download(&server.url("127.0.0.1"), &dir).is(&content(50_000));
}

#[test]
fn a_complete_partial_file_is_only_renamed() {
    let stored = Stored::new(&content(50_000), "1");
    let server = Server::start(move |request, _| stored.reply(request));
    let dir = tempfile::tempdir().unwrap();
    let identity = serde_json::json!({
        "url": server.url("127.0.0.1") + "/file", "etag": "\"1\"", "n_bytes": 50_000, "checksums": {},
    });
    fs::write(dir.path().join(".a.zip.resume"), identity.to_string()).unwrap();
    fs::write(dir.path().join(".a.zip.partial"), content(50_000)).unwrap();
    download(&server.url("127.0.0.1"), &dir).is(&content(50_000));
    assert_eq!(server.header_values("range").last().unwrap().as_deref(), Some("bytes=50000-"));
}

#[test]
fn a_file_with_a_wrong_checksum_is_removed() {
    // The checksums of `123456789`.
    for hash in ["crc32c=4waSgw==", "md5=JfnnlDI7RTiF9RgfG2JNCw=="] {
        for (body, good) in [(b"123456789", true), (b"123456780", false)] {
            let stored = Stored::new(body, "1").with("x-goog-hash", hash);
            let server = Server::start(move |request, _| stored.reply(request));
            let dir = tempfile::tempdir().unwrap();
            let downloaded = download(&server.url("127.0.0.1"), &dir);
            if good {
                downloaded.is(body);
            } else {
                downloaded.says(&["of the download is", "the server said", "removed"]);
                assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
            }
        }
    }
}

#[test]
fn a_file_shorter_than_its_content_length_fails_after_all_tries() {
    let server = Server::start(|request, _| {
        let begin = if request.header("range").is_some() { 9 } else { 0 };
        let reply = Reply { cut: Some(0), ..Reply::status(206).with("content-range", "bytes 9-19/20") };
        let reply = if begin == 0 { Reply::status(200).body(b"123456789") } else { reply };
        reply.with("content-length", "20").with("etag", "\"1\"")
    });
    let dir = tempfile::tempdir().unwrap();
    let downloaded = download(&server.url("127.0.0.1"), &dir);
    downloaded.says(&["the transfer was cut", "gave up after 3 tries"]);
    assert_eq!(fs::read(dir.path().join(".a.zip.partial")).unwrap(), b"123456789", "received bytes are kept");
}

#[test]
fn refusals_are_reported_with_a_remedy() {
    let message_of = |status: u16, who: Credentials| {
        let body = br#"{"code":1,"message":"Dataset not found"}"#;
        let server = Server::start(move |_, _| Reply::status(status).body(body));
        let dir = tempfile::tempdir().unwrap();
        let downloaded = download_as(who, &server.url("127.0.0.1"), &dir, None);
        assert_eq!(server.requests().len(), 1, "{status} is no reason to try again");
        downloaded.result.unwrap_err().to_string()
    };
    for status in [401, 403] {
        let message = message_of(status, Credentials::Anonymous);
        assert!(message.contains("requires credentials") && message.contains("kaggle.json"), "{message}");
        assert!(
            message.contains(&format!("responded with status {status} (Dataset not found)")),
            "{message}"
        );
    }
    assert!(message_of(401, key()).contains("make a new API token"));
    assert!(message_of(403, key()).contains("your account may not"));
    assert!(message_of(404, key()).contains("not, or no longer, published"));
    assert!(!message_of(401, key()).contains("secret"));
}

#[test]
fn a_failing_server_is_retried() {
    let stored = Stored::new(&content(1000), "1");
    for status in [408, 429, 500, 503] {
        let stored = stored.clone();
        let server = Server::start(move |request, n| match n {
            0 => Reply::status(status).with("retry-after", "0"),
            1 => Reply::status(status),
            _ => stored.reply(request),
        });
        let dir = tempfile::tempdir().unwrap();
        let downloaded = download(&server.url("127.0.0.1"), &dir);
        downloaded.is(&content(1000));
        let waits = downloaded.events.iter().filter(|event| matches!(event, Event::Retrying { .. })).count();
        assert_eq!(waits, 1, "the delay is 0 s once");
    }
    let server = Server::start(|_, _| Reply::status(500));
    let dir = tempfile::tempdir().unwrap();
    download(&server.url("127.0.0.1"), &dir).says(&["the server responded with status 500", "after 3 tries"]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_missing_server_fails_after_all_tries() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    download(&format!("http://127.0.0.1:{port}"), &dir).says(&["refused", "after 3 tries"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "there is nothing to resume from");
}

#[test]
fn a_page_is_not_taken_for_the_file() {
    let server =
        Server::start(|_, _| Reply::status(200).body(b"<html>log in").with("content-type", "text/html"));
    let dir = tempfile::tempdir().unwrap();
    download(&server.url("127.0.0.1"), &dir).says(&["a page (text/html)", "login page"]);
}

#[test]
fn redirects_in_a_circle_end() {
    let server = Server::start(|_, _| Reply::status(302).with("location", "/file"));
    let dir = tempfile::tempdir().unwrap();
    download(&server.url("127.0.0.1"), &dir).says(&["circle"]);
}
