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
    /// Requests per second of a client, over a burst of two seconds; further ones are rejected with status 429. 0: no limit.
    pub requests_per_s: u32,
    /// Timeout of reading a body, and again of computing a prediction.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 64 MiB, 10 minutes, one worker per core, 16 queued requests, 1000 requests per second and worker, 30 s.
    fn default() -> Self {
        let n_workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_body_bytes: 64 << 20,
            max_audio_s: 600.0,
            n_workers,
            max_queued: 16,
            requests_per_s: Self::default_rate(n_workers),
            timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The default of [`Limits::requests_per_s`] for a number of workers: 1000 for each.
    #[must_use]
    pub fn default_rate(n_workers: usize) -> u32 {
        u32::try_from(n_workers).unwrap_or(u32::MAX).saturating_mul(1000)
    }
}
