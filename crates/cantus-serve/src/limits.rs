//! What a server puts up with.

use std::time::Duration;

/// What a server puts up with; beyond each there is an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest body of a request, in bytes.
    pub body_bytes: usize,
    /// Longest recording, in seconds.
    pub audio_s: f64,
    /// Recordings that are heard at once.
    pub at_once: usize,
    /// Requests that may wait for their turn.
    pub waiting: usize,
    /// Longest time that a body may take to arrive, and longest time that an answer may take.
    pub time: Duration,
}

impl Default for Limits {
    /// 64 MiB, ten minutes, one recording for each core and sixteen that wait, thirty seconds.
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            audio_s: 600.0,
            at_once: std::thread::available_parallelism().map_or(1, usize::from),
            waiting: 16,
            time: Duration::from_secs(30),
        }
    }
}
