//! Limits on request size, audio duration, concurrency and time.

use std::time::Duration;

/// Limits of a server. A request over one of them gets a problem document of its own type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest recording, in seconds.
    pub max_audio_s: f64,
    /// Number of worker threads, which is the number of recordings that are processed at once.
    pub n_workers: usize,
    /// Requests that may wait for a worker; further ones are rejected with status 503.
    pub max_queued: usize,
    /// Timeout of reading a body, and again of computing a prediction.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 64 MiB, 10 minutes, one worker per core, 16 queued requests, 30 s.
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            max_audio_s: 600.0,
            n_workers: std::thread::available_parallelism().map_or(1, usize::from),
            max_queued: 16,
            timeout: Duration::from_secs(30),
        }
    }
}
