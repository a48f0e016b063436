//! Signals that ask the process to end: Ctrl-C, SIGTERM and SIGHUP. The first one requests a clean stop, the second exits at once.
//!
//! A command that does not check for the request is ended by the first signal. Temporary files are removed in each case.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, mpsc};

use cantus_audio::atomic_file;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// The exit code of the first signal; 0 before it.
static CODE: AtomicU8 = AtomicU8::new(0);

/// Exit code of a process that was ended by Ctrl-C, by the convention of shells: 128 + SIGINT.
const CTRL_C: u8 = 128 + 2;
/// 128 + SIGTERM.
#[cfg(unix)]
const TERMINATED: u8 = 128 + 15;
/// 128 + SIGHUP.
#[cfg(unix)]
const HUNG_UP: u8 = 128 + 1;

/// What the first signal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFirst {
    /// The command checks [`requested`] and ends by itself.
    Request,
    /// The process exits.
    Exit,
}

/// Installs the handlers of the signals, on a thread of its own.
pub fn listen(on_first: OnFirst) {
    let (sender, installed) = mpsc::channel();
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let started = thread.spawn(move || wait(on_first, &sender).map_err(|error| error.to_string()));
    // A command must not begin before the handlers are installed; an error ends the thread and so the channel.
    if started.is_err() || installed.recv().is_err() {
        tracing::warn!("Ctrl-C will end cantus without cleaning up: no handler can be installed");
    }
}

/// The cancellation flag that long computations check between units of work.
pub fn flag() -> Arc<AtomicBool> {
    Arc::clone(&REQUESTED)
}

/// Whether a signal has requested a stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Whether SIGTERM has requested the stop.
pub fn is_terminated() -> bool {
    cfg!(unix) && exit_code() == 128 + 15
}

/// The exit code of a process that a signal has ended; that of Ctrl-C before any signal.
pub fn exit_code() -> u8 {
    match CODE.load(Ordering::SeqCst) {
        0 => CTRL_C,
        code => code,
    }
}

/// Handles signals until the process ends.
fn wait(on_first: OnFirst, installed: &mpsc::Sender<()>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut signals = Signals::install()?;
        // The command may have ended meanwhile.
        let _ = installed.send(());
        loop {
            handle(signals.next().await, on_first);
        }
    })
}

fn handle(code: u8, on_first: OnFirst) {
    let is_first = CODE.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    REQUESTED.store(true, Ordering::SeqCst);
    if !is_first || on_first == OnFirst::Exit {
        atomic_file::remove_unfinished();
        std::process::exit(i32::from(exit_code()));
    }
}

/// The signals that are handled.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if it is ignored, as under `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
    /// Not a request to end: with a handler, a write beyond the limit of file sizes (`ulimit -f`) is an error as that of a full disk;
    /// without, it would end the process with its temporary files left.
    _file_size: tokio::signal::unix::Signal,
}

/// SIGXFSZ.
#[cfg(target_os = "linux")]
const FILE_SIZE: i32 = rustix::process::Signal::XFSZ.as_raw();
/// As on macOS and the BSDs.
#[cfg(all(unix, not(target_os = "linux")))]
const FILE_SIZE: i32 = 25;

#[cfg(unix)]
impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let file_size = signal(SignalKind::from_raw(FILE_SIZE))?;
        Ok(Self { interrupt, terminate, hang_up, _file_size: file_size })
    }

    /// The exit code of the next signal.
    async fn next(&mut self) -> u8 {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => CTRL_C,
            _ = self.terminate.recv() => TERMINATED,
            _ = hang_up => HUNG_UP,
        }
    }
}

/// Whether the process was started with SIGHUP ignored, as by `nohup`, and must go on after the terminal is closed.
#[cfg(target_os = "linux")]
fn is_hang_up_ignored() -> bool {
    let status = cantus_audio::regular_file::read_to_string(std::path::Path::new("/proc/self/status"));
    status.is_ok_and(|status| ignores_hang_up(&status))
}

/// Elsewhere `nohup` is recognised by its redirection of standard error.
#[cfg(all(unix, not(target_os = "linux")))]
fn is_hang_up_ignored() -> bool {
    !std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// Whether the mask of ignored signals in `/proc/PID/status` has SIGHUP, signal 1 (`man 5 proc`).
#[cfg(target_os = "linux")]
fn ignores_hang_up(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// The exit code of the next signal.
    async fn next(&mut self) -> u8 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => CTRL_C,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hang_up_is_read_from_the_status_of_the_process() {
        assert!(ignores_hang_up("Name:\tcantus\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hang_up("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!ignores_hang_up(""));
    }
}
