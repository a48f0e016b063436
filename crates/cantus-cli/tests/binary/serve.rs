//! `cantus serve` as a process: address, endpoints of a run, shutdown, errors; and the dashboard of `cantus train`.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::http::{begin, reply, request};
use crate::run::cantus_in;

/// A run trained for three epochs on short synthetic tracks.
pub fn trained(dir: &Path) {
    cantus_in(dir, "compose @/music --tracks 4 --duration 9").ok();
    cantus_in(dir, "train @/music -m mlp-normalised -o @/run --epochs 3 --learning-rate 1e-3").ok();
}

/// A process of `cantus` that is killed at the end of the test.
pub struct Running {
    pub child: Child,
    /// `host:port` of the address that it printed.
    pub host: String,
}

impl Running {
    /// Starts it with the arguments of a line in which `@` stands for `dir`, and waits for an address on standard output
    /// or, with a prefix, on standard error.
    pub fn start(dir: &Path, line: &str, on_stderr: bool) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_cantus")), dir, line, on_stderr)
    }

    /// The same by a command that is continued by the arguments.
    fn start_as(mut command: Command, dir: &Path, line: &str, on_stderr: bool) -> Self {
        let dir = dir.to_str().unwrap();
        command.args(line.split_whitespace().map(|word| word.replace('@', dir)));
        let (stdout, stderr) =
            if on_stderr { (Stdio::null(), Stdio::piped()) } else { (Stdio::piped(), Stdio::null()) };
        let mut child = command.stdout(stdout).stderr(stderr).spawn().unwrap();
        let mut reader: Box<dyn BufRead + Send> = if on_stderr {
            Box::new(BufReader::new(child.stderr.take().unwrap()))
        } else {
            Box::new(BufReader::new(child.stdout.take().unwrap()))
        };
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "it ended without an address");
        }
        // Keep reading, so that the process does not block on a full pipe.
        std::thread::spawn(move || reader.read_to_end(&mut Vec::new()));
        let host = line.trim().rsplit_once("http://").unwrap().1.to_owned();
        Self { child, host }
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill {name}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_run_is_served_with_its_report_and_its_pictures() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let server = Running::start(dir.path(), "serve @/run other=@/run/model.safetensors --port 0", false);
    let get = |path: &str| request(&server.host, "GET", path, "", b"");
    let models = get("/v1/models").json();
    assert_eq!(
        (&models["models"][0]["name"], &models["models"][1]["name"]),
        (&"run".into(), &"other".into())
    );
    let links = models["models"][0]["links"].as_object().unwrap();
    assert_eq!(links.len(), 5);
    for link in links.values() {
        assert_eq!(get(link.as_str().unwrap()).status, 200, "{link}");
    }
    assert_eq!(models["models"][1]["links"].as_object().unwrap().len(), 1, "a file alone has no report");
    let own = fs::read_to_string(dir.path().join("run/report.json")).unwrap();
    assert_eq!(get("/v1/models/run/report").json(), serde_json::from_str::<serde_json::Value>(&own).unwrap());
    assert_eq!(get("/v1/models/run/report.html").body, fs::read(dir.path().join("run/report.html")).unwrap());

    let song = dir.path().join("music/jazz/jazz.00001.wav");
    let by_http = request(&server.host, "POST", "/v1/predict", "audio/wav", &fs::read(&song).unwrap()).json();
    let line = format!("predict @/run {} --json", song.display());
    let by_hand = &cantus_in(dir.path(), &line).ok().json()["tracks"][0];
    for key in ["label", "probability", "probabilities"] {
        assert_eq!(by_http[key], by_hand[key], "{key}");
    }
}

#[test]
fn a_signal_ends_the_server_after_requests_in_progress() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let song = fs::read(dir.path().join("music/jazz/jazz.00001.wav")).unwrap();
    for (name, code) in [("-TERM", 0), ("-INT", 130)] {
        let mut server = Running::start(dir.path(), "serve @/run --port 0", false);
        let mut under_way = TcpStream::connect(&server.host).unwrap();
        begin(&mut under_way, &server.host, "POST", "/v1/predict", "audio/wav", song.len());
        under_way.write_all(&song[..5000]).unwrap();
        let in_flight = || String::from_utf8(request(&server.host, "GET", "/metrics", "", b"").body).unwrap();
        while !in_flight().contains("in_flight 2") {}
        server.signal(name);
        while TcpStream::connect(&server.host).is_ok() {}
        under_way.write_all(&song[5000..]).unwrap();
        assert_eq!(reply(under_way).status, 200, "{name}");
        assert_eq!(server.child.wait().unwrap().code(), Some(code), "{name}");
    }
}

#[test]
fn connections_that_are_only_held_do_not_use_up_the_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    // Fewer descriptors than the connections that the server allows.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_cantus")]);
    let server = Running::start_as(command, dir.path(), "serve @/run --port 0", false);
    let held: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&server.host).unwrap()).collect();
    let mut stream = TcpStream::connect(&server.host).unwrap();
    // An idle connection ends by itself after 30 s; a new one does not wait for that.
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    begin(&mut stream, &server.host, "GET", "/healthz", "", 0);
    assert_eq!(reply(stream).status, 200);
    drop(held);
}

#[test]
fn errors_of_serve_are_reported_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let serve = |line: &str| cantus_in(dir.path(), &format!("serve {line}"));
    serve(&format!("@/run --port {port} --quiet")).exits(1).says(&["in use", "--port"]);
    serve("@/nothing").exits(1).says(&["nothing"]);
    serve("@/run @/run").exits(1).says(&["two models", "NAME=MODEL"]);
    serve("=@/run").exits(2).says(&["no name"]);
    serve("@/run --host 192.0.2.1 --quiet").exits(1).says(&["no address of this machine"]);
    let named = serve("@/run --trust-proxy music.example.org");
    assert!(named.code == 2 && named.stderr.contains("--trust-proxy <ADDRESS>"), "{}", named.stderr);
    serve("@/music/jazz/jazz.00001.wav").exits(1).says(&["not a Cantus model"]);
    let train = format!("train @/music -o @/other --quiet --dashboard={port}");
    cantus_in(dir.path(), &train).exits(1).says(&["in use", "--dashboard"]);
}

#[test]
fn a_dashboard_shows_the_training_and_does_not_change_the_model() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let line = "train @/music -m mlp-normalised -o @/shown --epochs 3 --learning-rate 1e-3 --dashboard=0";
    let mut training = Running::start(dir.path(), line, true);
    let mut stream = TcpStream::connect(&training.host).unwrap();
    begin(&mut stream, &training.host, "GET", "/events", "", 0);
    // Another client connects and disconnects at once.
    drop(TcpStream::connect(&training.host));
    let mut events = String::new();
    stream.read_to_string(&mut events).unwrap();
    assert!(training.child.wait().unwrap().success());
    let messages: Vec<serde_json::Value> = events
        .lines()
        .filter_map(|line| Some(serde_json::from_str(line.split_once("data: ")?.1).unwrap()))
        .collect();
    let last = messages.last().unwrap();
    assert!(last["ended"].as_str().unwrap().contains("track accuracy"), "{last}");
    let history: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("shown/history.json")).unwrap()).unwrap();
    let shown: Vec<_> = messages.iter().flat_map(|message| message["epochs"].as_array().unwrap()).collect();
    assert_eq!(shown.len(), 3);
    for (epoch, shown) in shown.iter().enumerate() {
        assert_eq!(
            (&shown["loss"], &shown["val_loss"]),
            (&history["loss"][epoch], &history["val_loss"][epoch])
        );
    }
    let model = |run: &str| fs::read(dir.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("run") == model("shown"), "other bits than without a dashboard");
}
