//! `cantus fetch` from the command line, against a local server in place of Kaggle.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::kaggle::{Reply, Server, Stored};
use crate::run::{Ran, cantus_in};

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// `cantus fetch` with the arguments of a line, in `dir`, which is also the home folder; without other settings.
pub fn command(dir: &Path, endpoint: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("CANTUS_") || upper.starts_with("KAGGLE_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command.env("HOME", dir).env_remove("XDG_CONFIG_HOME").env("KAGGLE_API_ENDPOINT", endpoint);
    command.current_dir(dir).arg("fetch").args(line.split_whitespace());
    command
}

fn fetch(dir: &Path, endpoint: &str, line: &str) -> Ran {
    command(dir, endpoint, line).output().unwrap().into()
}

fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A small archive with the structure of Kaggle's: for each genre a track of each list, the file that cannot be decoded,
/// and a table.
pub fn small_gtzan() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "fetch gtzan @/lists --lists-only").ok();
    let mut files = vec![("Data/features_30_sec.csv".to_owned(), b"filename,length\n".to_vec())];
    for (number, list) in ["train", "valid", "test"].iter().enumerate() {
        let list = fs::read_to_string(dir.path().join(format!("lists/{list}_filtered.txt"))).unwrap();
        for genre in GENRES {
            let name = list.lines().find(|line| line.starts_with(genre)).unwrap();
            let track = fs::read(dir.path().join(format!("music/{genre}/{genre}.0000{number}.wav"))).unwrap();
            files.push((format!("Data/genres_original/{name}"), track));
        }
    }
    files.push(("Data/genres_original/jazz/jazz.00054.wav".to_owned(), b"no header".to_vec()));
    zip_of(&files)
}

/// An API server that redirects to a storage server with this archive.
pub fn kaggle(archive: &[u8], pause: Duration) -> (Server, Server) {
    let stored = Stored::new(archive, "1");
    let storage = Server::start(move |request, _| Reply { pause, ..stored.reply(request) });
    let place = storage.url("localhost") + "/archive.zip";
    (Server::start(move |_, _| Reply::status(302).with("location", &place)), storage)
}

#[test]
fn a_download_is_extracted_and_trained_on_the_fault_filtered_split() {
    let dir = tempfile::tempdir().unwrap();
    let (api, storage) = kaggle(&small_gtzan(), Duration::ZERO);
    fs::create_dir(dir.path().join(".kaggle")).unwrap();
    fs::write(dir.path().join(".kaggle/kaggle.json"), r#"{"username":"ann","key":"secret"}"#).unwrap();
    let ran = fetch(dir.path(), &api.url("127.0.0.1"), "gtzan").ok();
    for words in ["licence is unclear", "1306.1461", "31 recordings", "1000 were expected", "--split-lists"] {
        assert!(ran.stderr.contains(words), "`{words}` is missing in: {}", ran.stderr);
    }
    #[cfg(unix)]
    assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("chmod 600"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    let request = &api.requests()[0];
    assert_eq!(
        request.line,
        "GET /api/v1/datasets/download/andradaolteanu/gtzan-dataset-music-genre-classification"
    );
    assert_eq!(request.header("authorization"), Some("Basic YW5uOnNlY3JldA=="));
    assert_eq!(storage.header_values("authorization"), [None]);
    assert!(!dir.path().join("gtzan.zip").exists() && !dir.path().join(".gtzan.partial").exists());

    let extract = "extract @/gtzan/Data/genres_original --exclude @/gtzan/corrupt.csv -o @/features";
    cantus_in(dir.path(), extract).ok();
    let train = "train @/features -m mlp-normalised -o @/run --epochs 2 --split-lists @/gtzan/train_filtered.txt \
                 @/gtzan/valid_filtered.txt @/gtzan/test_filtered.txt";
    let ran = cantus_in(dir.path(), train).ok();
    assert!(ran.stderr.contains("10 tracks"), "{}", ran.stderr);

    let again = fetch(dir.path(), &api.url("127.0.0.1"), "gtzan").ok();
    assert!(again.stderr.contains("contains the data set already"), "{}", again.stderr);
    assert_eq!(api.requests().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_stopped_and_a_killed_fetch_resume() {
    let dir = tempfile::tempdir().unwrap();
    let archive = small_gtzan();
    let (api, storage) = kaggle(&archive, Duration::from_millis(4));
    let partial = dir.path().join(".gtzan.zip.partial");
    let n_there = || fs::metadata(&partial).map_or(0, |metadata| metadata.len());
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let n_before = n_there();
        let mut child =
            command(dir.path(), &api.url("127.0.0.1"), "gtzan").stderr(Stdio::piped()).spawn().unwrap();
        while n_there() < n_before + 100_000 {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let remark = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), code, "{remark}");
        assert!(code.is_none() || remark.contains("stopped; the same command continues"), "{remark}");
        assert!(!dir.path().join("gtzan").exists());
    }
    let n_bytes = n_there();
    let ran = fetch(dir.path(), &api.url("127.0.0.1"), "gtzan --keep-archive").ok();
    assert!(ran.stderr.contains("continuing after the first"), "{}", ran.stderr);
    assert_eq!(storage.header_values("range").last().unwrap(), &Some(format!("bytes={n_bytes}-")));
    assert!(fs::read(dir.path().join("gtzan.zip")).unwrap() == archive);
    assert!(dir.path().join("gtzan/Data/genres_original/jazz/jazz.00054.wav").exists());
}

#[test]
fn an_archive_given_by_its_path_is_unpacked_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine.zip"), small_gtzan()).unwrap();
    fetch(dir.path(), "http://127.0.0.1:1", "gtzan data --archive mine.zip --quiet").ok();
    assert!(dir.path().join("data/about.txt").exists() && dir.path().join("mine.zip").exists());
    fs::rename(dir.path().join("mine.zip"), dir.path().join("gtzan.zip")).unwrap();
    let ran = fetch(dir.path(), "http://127.0.0.1:1", "gtzan").ok();
    assert!(ran.stderr.contains("gtzan.zip, which exists already"), "{}", ran.stderr);
    assert!(dir.path().join("gtzan/about.txt").exists() && dir.path().join("gtzan.zip").exists());
}

#[test]
fn errors_are_reported_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = "http://127.0.0.1:1";
    let fails = |line: &str, words: &[&str]| fetch(dir.path(), nowhere, line).exits(1).says(words);
    fs::write(dir.path().join("slip.zip"), zip_of(&[("../../evil".to_owned(), b"x".to_vec())])).unwrap();
    fails("gtzan --archive slip.zip --quiet", &["slip.zip", "leads out of the folder"]);
    fs::write(dir.path().join("cut.zip"), &small_gtzan()[..5000]).unwrap();
    fails("gtzan --archive cut.zip --quiet", &["cut.zip", "not a whole zip archive"]);
    fails("gtzan --archive none.zip --quiet", &["none.zip", "No such file"]);
    fs::create_dir(dir.path().join("mine")).unwrap();
    fs::write(dir.path().join("mine/song.wav"), "x").unwrap();
    fails("gtzan mine --archive slip.zip --quiet", &["mine", "name another folder"]);
    assert!(!dir.path().join("gtzan").exists() && !dir.path().parent().unwrap().join("evil").exists());
    fetch(dir.path(), "ftp://x", "gtzan --quiet").exits(1).says(&["no http:// or https:// address"]);
    fetch(dir.path(), nowhere, "fma").exits(2);
}

#[test]
fn credentials_are_not_sent_without_tls_and_are_requested_after_a_401() {
    let dir = tempfile::tempdir().unwrap();
    let with_token = |endpoint: &str| -> Ran {
        command(dir.path(), endpoint, "gtzan --quiet").env("KAGGLE_API_TOKEN", "t0k").output().unwrap().into()
    };
    with_token("http://kaggle.invalid").exits(1).says(&["https:// only"]);
    let server = Server::start(|_, _| Reply::status(401));
    with_token(&server.url("127.0.0.1")).exits(1).says(&["401", "make a new API token"]);
    assert_eq!(server.header_values("authorization"), [Some("Bearer t0k".to_owned())]);
    fetch(dir.path(), &server.url("127.0.0.1"), "gtzan --quiet").exits(1).says(&["401", "kaggle.json"]);
}

#[test]
fn a_proxy_in_the_environment_is_used() {
    let proxy = Server::start(|_, _| Reply::status(403));
    let dir = tempfile::tempdir().unwrap();
    let mut child = command(dir.path(), "http://kaggle.invalid", "gtzan --quiet")
        .env("HTTP_PROXY", proxy.url("127.0.0.1"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while proxy.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "no request to the proxy");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(proxy.requests()[0].line, "CONNECT kaggle.invalid:80");
}
