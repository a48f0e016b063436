//! `cantus serve`: models on one port, for people and for programs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use cantus_serve::{Limits, ServedModel, Server};
use clap::Args;

use super::port;
use crate::cli::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Answer in a web page and over HTTP
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

--jobs says how many recordings are heard at once. The API is described at /openapi.json. Ctrl-C and SIGTERM end \
what is under way, and then the server.")]
pub struct Serve {
    /// Run folders or model files, each with a name of its own before it if you like; the first answers if none is named
    #[arg(required = true, value_name = "[NAME=]MODEL")]
    models: Vec<String>,
    /// Address to listen on; others than you can reach it only if this is not 127.0.0.1 or ::1
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// Largest recording, in MiB
    #[arg(long, default_value_t = 64, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    max_body: u32,
    /// Longest recording, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    max_seconds: u32,
    /// Requests that may wait while others are heard; further ones are told to come again
    #[arg(long, default_value_t = 16, value_name = "N")]
    waiting: u16,
    /// Longest time for a recording to arrive, and for an answer to be found, in seconds
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
                    "{} can be reached by others, and nobody is asked who they are; put a proxy in front that asks",
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
            max_body_bytes: self.max_body as usize * (1 << 20),
            max_audio_s: self.max_seconds.into(),
            n_workers: global.jobs.map_or(defaults.n_workers, usize::from),
            max_queued: self.waiting.into(),
            timeout: Duration::from_secs(self.timeout.into()),
        }
    }
}

/// What to type where two models have one name.
fn with_advice(error: cantus_serve::Error) -> anyhow::Error {
    match error {
        cantus_serve::Error::DuplicateName { .. } => anyhow::anyhow!("{error}: NAME=MODEL"),
        error => error.into(),
    }
}

/// A model with the name before the equals sign, if there is one.
fn load(model: &str, global: &Global) -> anyhow::Result<ServedModel> {
    let (name, path) = match model.split_once('=') {
        // A path may have an equals sign of its own.
        Some((name, path)) if !Path::new(model).exists() => (Some(name), PathBuf::from(path)),
        _ => (None, PathBuf::from(model)),
    };
    if name == Some("") {
        return Err(WrongUsage(format!("`{model}`: there is no name before the equals sign")).into());
    }
    let served = ServedModel::load(name, &path)?;
    if !served.has_report() && path.is_dir() && !global.quiet {
        output::note(&format!("{}: no finished run, so there is a model and no report", path.display()));
    }
    Ok(served)
}

/// Waits for Ctrl-C, and remembers that, or for the system's wish that the process end.
async fn stop(by_ctrl_c: &AtomicBool) {
    tokio::select! {
        // Without a handler the key ends the process at once, and there is nothing to wait for.
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

/// There is no such signal elsewhere.
#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
