//! Progress events and cancellation of downloads and extraction.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Error;

/// A progress event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An interrupted download is resumed.
    Resumed {
        /// Number of bytes that were downloaded before.
        n_bytes: u64,
    },
    /// The bytes downloaded before cannot be used; the download starts from its first byte.
    Restarted {
        /// Why.
        reason: String,
    },
    /// An attempt failed; another follows after a delay.
    Retrying {
        /// What went wrong.
        reason: String,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// Bytes were downloaded.
    Downloaded {
        /// Number of bytes so far.
        n_bytes: u64,
        /// Size of the file, if the server sent it.
        total: Option<u64>,
    },
    /// Size and checksums of the downloaded file are being verified.
    Verifying,
    /// Bytes of the archive were extracted.
    Unpacked {
        /// Number of uncompressed bytes so far.
        n_bytes: u64,
        /// Uncompressed size of the archive.
        total: u64,
    },
}

/// Callback for events, and a flag that cancels the work.
#[derive(Clone, Copy)]
pub struct ProgressObserver<'a> {
    /// Set to `true` to cancel. A partial download is kept and can be resumed.
    pub cancelled: &'a AtomicBool,
    /// Callback for every event.
    pub on_event: &'a dyn Fn(Event),
}

/// Interval at which a wait checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl ProgressObserver<'_> {
    pub(crate) fn report(&self, event: Event) {
        (self.on_event)(event);
    }

    /// # Errors
    /// [`Error::Interrupted`] if the work was cancelled.
    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        if self.cancelled.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Sleeps; returns early with [`Error::Interrupted`] if the work is cancelled.
    pub(crate) fn sleep(&self, delay: Duration) -> Result<(), Error> {
        let end = Instant::now() + delay;
        loop {
            self.check_cancelled()?;
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => std::thread::sleep(left.min(POLL_INTERVAL)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_returns_at_once_if_cancelled() {
        let cancelled = AtomicBool::new(true);
        let observer = ProgressObserver { cancelled: &cancelled, on_event: &|_| {} };
        assert!(matches!(observer.sleep(Duration::from_secs(3600)), Err(Error::Interrupted)));
    }
}
