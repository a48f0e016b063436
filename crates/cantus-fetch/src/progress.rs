//! What long work tells while it goes on, and how it is asked to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Error;

/// Something worth telling a person who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An earlier download goes on behind its first bytes.
    GoesOn {
        /// Number of bytes that are there already.
        n_bytes: u64,
    },
    /// What was downloaded before is of no use; the download begins anew.
    BeginsAnew {
        /// Why.
        reason: String,
    },
    /// A try failed; the next follows.
    Waits {
        /// What went wrong.
        reason: String,
        /// Until the next try.
        wait: Duration,
    },
    /// Bytes of the file that are there.
    Downloads {
        /// Number of bytes.
        n_bytes: u64,
        /// Of so many, where the server says so.
        total: Option<u64>,
    },
    /// The downloaded file is held against its checksums.
    Checks,
    /// Bytes of the archive that are unpacked.
    Unpacks {
        /// Number of bytes.
        n_bytes: u64,
        /// Of so many.
        total: u64,
    },
}

/// Who is told of events, and who may stop the work.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Set to stop at the next occasion; what is there by then stays, to go on from.
    pub stop: &'a AtomicBool,
    /// Is told every event.
    pub tell: &'a dyn Fn(Event),
}

/// How often a wait looks whether it shall stop.
const GLANCE: Duration = Duration::from_millis(50);

impl Watch<'_> {
    pub(super) fn tell(&self, event: Event) {
        (self.tell)(event);
    }

    /// Fails if the work shall stop.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Waits, unless the work shall stop.
    pub(super) fn wait(&self, wait: Duration) -> Result<(), Error> {
        let end = Instant::now() + wait;
        loop {
            self.go_on()?;
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => std::thread::sleep(left.min(GLANCE)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_once_when_the_work_shall_stop() {
        let stop = AtomicBool::new(true);
        let watch = Watch { stop: &stop, tell: &|_| {} };
        assert!(matches!(watch.wait(Duration::from_secs(3600)), Err(Error::Interrupted)));
    }
}
