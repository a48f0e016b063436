//! `cantus serve`: serves models on one port, as a web page and an HTTP API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use cantus_audio::regular_file;
use cantus_serve::{Access, Limits, ServedModel, Server, Token};
use clap::Args;

use super::byte_size::{self, ByteSize};
use super::port;
use crate::global_options::Global;
use crate::interrupt;
use crate::output::{self, Outcome, WrongUsage};

/// How often the server looks for a signal.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Serve models as a web page and an HTTP API
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus serve run
      then open http://127.0.0.1:8080
  cantus serve run-mlp run-lstm --port 0
      two models, on any port that is free
  cantus serve fast=run-mlp slow=a/model.safetensors names of your own
  curl -F file=@song.mp3 http://127.0.0.1:8080/v1/predict
  curl --data-binary @song.mp3 'http://127.0.0.1:8080/v1/predict?model=run-lstm'

--jobs sets how many recordings are processed at once. The API is described at /openapi.json. After Ctrl-C, \
SIGTERM or SIGHUP, requests in progress are completed before the server exits.")]
pub struct Serve {
    /// Run folders or model files, each with an optional name; the first is the default
    #[arg(required = true, value_name = "[NAME=]MODEL")]
    models: Vec<String>,
    /// Address to listen on; other machines can reach it only if it is not 127.0.0.1 or ::1
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// Largest recording: a number of MiB, or a size with its unit, such as 500KiB, 1GiB or 100MB
    #[arg(long, default_value = "64", value_name = "MIB", value_parser = byte_size::parse)]
    max_body: ByteSize,
    /// Longest recording, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    max_seconds: u32,
    /// Length of the queue of waiting requests; further ones are refused (503, Retry-After)
    #[arg(long, default_value_t = 16, value_name = "N")]
    waiting: u16,
    /// Requests per second of one client; further ones are refused (429, Retry-After). 0: any number; without it 1000 for each job
    #[arg(long, value_name = "N")]
    max_rate: Option<u32>,
    /// Timeout of an upload, and of a prediction, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: u32,
    /// A name of this machine by which clients reach the server, such as music.example.org; addresses and localhost always work
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    allow_host: Vec<String>,
    /// Origin of another site whose pages may use the API, such as https://music.example.org
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// File with a token that the API requires: Authorization: Bearer TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Address of a reverse proxy: the limits of a client are those of the last address in its header X-Forwarded-For
    #[arg(long, value_name = "ADDRESS")]
    trust_proxy: Vec<IpAddr>,
}

impl Serve {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let models: Vec<ServedModel> =
            self.models.iter().map(|model| load(model, global)).collect::<Result<_, _>>()?;
        let names: Vec<String> = models.iter().map(|model| model.name().to_owned()).collect();
        let server = Server::new(models, self.limits(global), self.access()?).map_err(with_advice)?;
        let listener = port::listen(SocketAddr::new(self.host, self.port), "--port")?;
        let address = listener.local_addr().context("the port that was opened is unknown")?;
        if !global.quiet {
            output::note(&format!("{} at the address below; Ctrl-C ends it", names.join(", ")));
            if !self.host.is_loopback() && self.token_file.is_none() {
                output::note(&format!(
                    "{} can be reached from other machines, without authentication; give --token-file, or put an authenticating proxy in front",
                    self.host
                ));
            }
        }
        output::print(&format!("http://{address}\n"))?;
        server.serve(listener, stop()).context("the server ended")?;
        // A service manager ends a server by SIGTERM, and expects the code of success.
        if interrupt::is_terminated() { Ok(Outcome::Done) } else { Ok(output::stopped()) }
    }

    fn access(&self) -> anyhow::Result<Access> {
        let read = |path: &PathBuf| {
            let text = regular_file::read_to_string(path).with_context(|| path.display().to_string())?;
            Token::new(&text).with_context(|| path.display().to_string())
        };
        let token = self.token_file.as_ref().map(read).transpose()?;
        let (hosts, origins) = (self.allow_host.clone(), self.allow_origin.clone());
        Ok(Access { hosts, origins, token, proxies: self.trust_proxy.clone() })
    }

    fn limits(&self, global: &Global) -> Limits {
        let n_workers = global.jobs.map_or(Limits::default().n_workers, usize::from);
        Limits {
            max_body_bytes: self.max_body.0,
            max_audio_s: self.max_seconds.into(),
            n_workers,
            max_queued: self.waiting.into(),
            requests_per_s: self.max_rate.unwrap_or(Limits::default_rate(n_workers)),
            timeout: Duration::from_secs(self.timeout.into()),
        }
    }
}

/// The name of a host without a port.
fn host_name(text: &str) -> Result<String, String> {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    match text.split('.').all(is_part) {
        true => Ok(text.to_owned()),
        false => Err("a name without scheme and port is expected, such as music.example.org".to_owned()),
    }
}

/// An origin as browsers send it: scheme and host, and the port unless it is that of the scheme.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_host =
        |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@".contains(&b));
    match host.is_some_and(is_host) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err("scheme and host without a path are expected, such as https://music.example.org".to_owned())
        }
    }
}

/// Adds the remedy to the error that two models have one name.
fn with_advice(error: cantus_serve::Error) -> anyhow::Error {
    match error {
        cantus_serve::Error::DuplicateName { .. } => anyhow::anyhow!("{error}: NAME=MODEL"),
        error => error.into(),
    }
}

/// A model with the name before the equals sign, if there is one.
fn load(model: &str, global: &Global) -> anyhow::Result<ServedModel> {
    let (name, path) = match model.split_once('=') {
        // A path may contain an equals sign.
        Some((name, path)) if !Path::new(model).exists() => (Some(name), PathBuf::from(path)),
        _ => (None, PathBuf::from(model)),
    };
    if name == Some("") {
        return Err(WrongUsage(format!("`{model}`: there is no name before the equals sign")).into());
    }
    let served = ServedModel::load(name, &path)?;
    if !served.has_report() && path.is_dir() && !global.quiet {
        output::note(&format!(
            "{}: not a finished run; the model is served without a report",
            path.display()
        ));
    }
    Ok(served)
}

/// Waits for a signal.
async fn stop() {
    while !interrupt::requested() {
        tokio::time::sleep(SIGNAL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins_are_given_as_browsers_send_them() {
        assert_eq!(host_name("music.example.org").as_deref(), Ok("music.example.org"));
        for wrong in ["", "https://music.example", "music.example:80", "a..b", "a b"] {
            assert!(host_name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(origin("https://Music.example:8443").as_deref(), Ok("https://music.example:8443"));
        for wrong in
            ["music.example", "https://", "https://music.example/", "ftp://music.example", "*", "null"]
        {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
