//! A local server in place of Kaggle: the API, which redirects, and the storage of the archive.
//!
//! Implemented on sockets, so that it can truncate, corrupt and delay responses.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and address, as in `GET /x`.
    pub line: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A response.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Number of bytes of the body after which the connection is closed.
    pub cut: Option<usize>,
    /// Delay between two chunks of 4 KiB.
    pub pause: Duration,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    fn send(&self, mut stream: TcpStream) -> std::io::Result<()> {
        write!(stream, "HTTP/1.1 {} Said\r\nConnection: close\r\n", self.status)?;
        if !self.headers.iter().any(|(name, _)| name == "content-length") {
            write!(stream, "Content-Length: {}\r\n", self.body.len())?;
        }
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        for piece in self.body[..self.cut.unwrap_or(self.body.len())].chunks(4096) {
            stream.write_all(piece)?;
            std::thread::sleep(self.pause);
        }
        Ok(())
    }
}

/// A server that runs until the test process ends.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server whose response to the `n`th request, from 0, is `answer(request, n)`.
    pub fn start(answer: impl Fn(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                let Some(request) = read(&stream) else { continue };
                let n = seen.lock().unwrap().len();
                seen.lock().unwrap().push(request.clone());
                // Some tests close the connection from the side of the client.
                let _ = answer(&request, n).send(stream);
            }
        });
        Self { port, requests }
    }

    /// Its address under a host name of this computer: `127.0.0.1` or `localhost`.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The value of a header in each request.
    pub fn header_values(&self, header: &str) -> Vec<Option<String>> {
        self.requests().iter().map(|request| request.header(header).map(str::to_owned)).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let line = lines.next()?;
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':').map(|(n, v)| (n.to_lowercase(), v.trim().to_owned())))
        .collect();
    Some(Request { line: line.trim_end_matches(" HTTP/1.1").to_owned(), headers })
}

/// A file in the storage: sent whole, or from the start of a range if the client's version (`If-Range`) is the same.
#[derive(Debug, Clone)]
pub struct Stored {
    pub content: Vec<u8>,
    pub etag: String,
    /// Further headers of every response.
    pub headers: Vec<(String, String)>,
}

impl Stored {
    pub fn new(content: &[u8], etag: &str) -> Self {
        Self { content: content.to_vec(), etag: format!("\"{etag}\""), headers: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn reply(&self, request: &Request) -> Reply {
        let same = request.header("if-range").is_none_or(|version| version == self.etag);
        let range = request.header("range").filter(|_| same);
        let begin =
            range.map(|range| range["bytes=".len()..].trim_end_matches('-').parse::<usize>().unwrap());
        let total = self.content.len();
        let reply = match begin {
            None => Reply::status(200).body(&self.content),
            Some(begin) if begin < total => Reply::status(206)
                .body(&self.content[begin..])
                .with("content-range", &format!("bytes {begin}-{}/{total}", total - 1)),
            Some(_) => Reply::status(416).with("content-range", &format!("bytes */{total}")),
        };
        self.headers.iter().fold(reply.with("etag", &self.etag), |reply, (n, v)| reply.with(n, v))
    }
}
