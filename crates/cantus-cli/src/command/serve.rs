//! `cantus serve`: serves models on one port, as a web page and an HTTP API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use cantus_serve::{Limits, ServedModel, Server};
use clap::Args;

use super::byte_size::{self, ByteSize};
use super::port;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

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

--jobs sets how many recordings are processed at once. The API is described at /openapi.json. After Ctrl-C or \
SIGTERM, requests in progress are completed before the server exits.")]
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
    /// Timeout of an upload, and of a prediction, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: u32,
}

impl Serve {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let models: Vec<ServedModel> =
            self.models.iter().map(|model| load(model, global)).collect::<Result<_, _>>()?;
        let names: Vec<String> = models.iter().map(|model| model.name().to_owned()).collect();
        let server = Server::new(models, self.limits(global)).map_err(with_advice)?;
        let listener = port::listen(SocketAddr::new(self.host, self.port), "--port")?;
        let address = listener.local_addr().context("the port that was opened is unknown")?;
        if !global.quiet {
            output::note(&format!("{} at the address below; Ctrl-C ends it", names.join(", ")));
            if !self.host.is_loopback() {
                output::note(&format!(
                    "{} can be reached from other machines, without authentication; put an authenticating proxy in front",
                    self.host
                ));
            }
        }
        output::print(&format!("http://{address}\n"))?;
        let by_ctrl_c = AtomicBool::new(false);
        server.serve(listener, stop(&by_ctrl_c)).context("the server ended")?;
        if by_ctrl_c.load(Ordering::Relaxed) { Ok(output::stopped()) } else { Ok(Outcome::Done) }
    }

    fn limits(&self, global: &Global) -> Limits {
        let defaults = Limits::default();
        Limits {
            max_body_bytes: self.max_body.0,
            max_audio_s: self.max_seconds.into(),
            n_workers: global.jobs.map_or(defaults.n_workers, usize::from),
            max_queued: self.waiting.into(),
            timeout: Duration::from_secs(self.timeout.into()),
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

/// Waits for Ctrl-C, which is recorded in `by_ctrl_c`, or for SIGTERM.
async fn stop(by_ctrl_c: &AtomicBool) {
    tokio::select! {
        // If no handler can be installed, Ctrl-C ends the process at once, and there is nothing to wait for.
        Ok(()) = tokio::signal::ctrl_c() => by_ctrl_c.store(true, Ordering::Relaxed),
        () = terminated() => {}
        else => std::future::pending().await,
    }
}

#[cfg(unix)]
async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// SIGTERM exists on Unix only.
#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
