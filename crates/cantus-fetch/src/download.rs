//! Resumable HTTP download with retries, exponential backoff and checksum verification.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, header};

use crate::checksum::Checksums;
use crate::client::Client;
use crate::disk_space::check_free_space;
use crate::partial_file::{FileVersion, PartialFile};
use crate::{Credentials, Error, Event, ProgressObserver};

/// A file to download.
#[derive(Debug, Clone)]
pub struct Download {
    /// URL of the file.
    pub url: String,
    /// Credentials for the host of the URL.
    pub credentials: Credentials,
    /// Attempts in a row without a single byte after which the download fails.
    pub max_attempts: u32,
    /// Delay after the first failed attempt; doubled after each further one, up to a minute.
    pub initial_delay: Duration,
}

/// Longest delay between two attempts, also if `Retry-After` is longer.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Why an attempt did not complete the file.
enum AttemptError {
    /// Another attempt would fail too.
    Permanent(Error),
    /// A failure of the network or the server, with the server's `Retry-After`.
    Transient { reason: String, retry_after: Option<Duration> },
    /// The partial file belongs to another version.
    VersionChanged { reason: String },
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        Self::Permanent(error)
    }
}

impl Download {
    /// A download with up to 6 attempts in a row and an initial delay of 1 s, which is 31 s of delays in all.
    #[must_use]
    pub fn new(url: &str, credentials: Credentials) -> Self {
        Self { url: url.to_owned(), credentials, max_attempts: 6, initial_delay: Duration::from_secs(1) }
    }

    /// Downloads to `target`, resuming the partial file of an earlier call, and verifies size and checksums.
    ///
    /// # Errors
    /// If the server rejects the request or fails repeatedly, size or checksum differ, the disk is too small, or the work is
    /// cancelled. The partial file is kept unless it is wrong.
    pub fn save_to(&self, target: &Path, observer: &ProgressObserver<'_>) -> Result<(), Error> {
        let client = Client::new(&self.url, &self.credentials)?;
        let mut partial = PartialFile::open(target, &self.url)?;
        if partial.n_bytes() > 0 {
            observer.report(Event::Resumed { n_bytes: partial.n_bytes() });
        }
        let mut n_failed = 0;
        loop {
            let n_before = partial.n_bytes();
            let (reason, delay) = match self.attempt(&client, &mut partial, observer) {
                Ok(()) => break,
                Err(AttemptError::Permanent(error)) => return Err(error),
                Err(AttemptError::Transient { reason, retry_after }) => (reason, retry_after),
                Err(AttemptError::VersionChanged { reason }) => {
                    partial.clear()?;
                    observer.report(Event::Restarted { reason: reason.clone() });
                    (reason, Some(Duration::ZERO))
                }
            };
            n_failed = if partial.n_bytes() > n_before { 1 } else { n_failed + 1 };
            if n_failed >= self.max_attempts {
                return Err(Error::GaveUp { url: self.url.clone(), reason, n_attempts: n_failed });
            }
            self.back_off(n_failed, reason, delay, observer)?;
        }
        observer.report(Event::Verifying);
        partial.commit()
    }

    /// Waits for `retry_after`, or else for the exponential delay.
    fn back_off(
        &self,
        n_failed: u32,
        reason: String,
        retry_after: Option<Duration>,
        observer: &ProgressObserver<'_>,
    ) -> Result<(), Error> {
        let exponential = self.initial_delay.saturating_mul(1 << (n_failed - 1).min(16));
        let delay = retry_after.unwrap_or(exponential).min(MAX_DELAY);
        if !delay.is_zero() {
            observer.report(Event::Retrying { reason, delay });
        }
        observer.sleep(delay)
    }

    /// One request.
    fn attempt(
        &self,
        client: &Client,
        partial: &mut PartialFile,
        observer: &ProgressObserver<'_>,
    ) -> Result<(), AttemptError> {
        observer.check_cancelled()?;
        let resume = partial.resume();
        let mut response = client.get(resume.as_ref()).map_err(|error| self.request_error(error))?;
        let headers = response.headers();
        match response.status() {
            StatusCode::OK => {
                self.check_type(headers)?;
                if resume.is_some() {
                    let reason = "the file on the server has changed".to_owned();
                    observer.report(Event::Restarted { reason });
                }
                partial
                    .start(self.version(headers, text(headers, header::CONTENT_LENGTH).and_then(number)))?;
            }
            StatusCode::PARTIAL_CONTENT => self.check_continues(headers, partial)?,
            StatusCode::RANGE_NOT_SATISFIABLE => return check_complete(headers, partial),
            status
                if status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS
                    || status.is_server_error() =>
            {
                let retry_after =
                    text(headers, header::RETRY_AFTER).and_then(number).map(Duration::from_secs);
                return Err(AttemptError::Transient {
                    reason: format!("the server responded with status {}", status.as_u16()),
                    retry_after,
                });
            }
            _ => return Err(client.status_error(&mut response).into()),
        }
        check_space(partial)?;
        receive(&mut response, partial, observer)
    }

    /// Classifies an error that occurred before there was a response.
    fn request_error(&self, error: ureq::Error) -> AttemptError {
        let url_error = |reason: &str| Error::Url { url: self.url.clone(), reason: reason.to_owned() };
        match error {
            ureq::Error::RequireHttpsOnly(_) => {
                url_error("the server redirects from https:// to http://, which is not followed").into()
            }
            ureq::Error::TooManyRedirects => url_error("the server redirects in a circle").into(),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => url_error("is no address").into(),
            ureq::Error::InvalidProxyUrl => url_error("the proxy in the environment is no address").into(),
            ureq::Error::Rustls(error) => url_error(&format!("no TLS connection to it: {error}")).into(),
            ureq::Error::HostNotFound => {
                transient("there is no such host, or this computer is not online".to_owned())
            }
            ureq::Error::Io(error) => transient(error.to_string()),
            other => transient(other.to_string()),
        }
    }

    /// A login page has status 200 as well; its content type reveals it.
    fn check_type(&self, headers: &HeaderMap) -> Result<(), Error> {
        match text(headers, header::CONTENT_TYPE) {
            Some(found) if found.starts_with("text/") => {
                Err(Error::WebPage { url: self.url.clone(), found: found.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Version, size and checksums in the headers.
    fn version(&self, headers: &HeaderMap, n_bytes: Option<u64>) -> FileVersion {
        let hashes = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
        FileVersion {
            url: self.url.clone(),
            etag: text(headers, header::ETAG).map(str::to_owned),
            last_modified: text(headers, header::LAST_MODIFIED).map(str::to_owned),
            n_bytes,
            checksums: Checksums::from_headers(hashes),
        }
    }

    /// Checks that a partial response starts where the file ends and has its version; not every server honours `if-range`.
    fn check_continues(&self, headers: &HeaderMap, partial: &PartialFile) -> Result<(), AttemptError> {
        let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
        let Some((Some(begin), total)) = range else {
            return Err(changed("the server sends a part without its range"));
        };
        let same =
            partial.version().is_some_and(|known| known.is_same_version(&self.version(headers, total)));
        if begin != partial.n_bytes() || !same {
            return Err(changed("the file on the server has changed"));
        }
        Ok(())
    }
}

/// For a range that cannot be satisfied: the file is complete if it has the length of the partial file.
fn check_complete(headers: &HeaderMap, partial: &PartialFile) -> Result<(), AttemptError> {
    let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
    let total = range.and_then(|(_, total)| total).or(partial.version().and_then(|known| known.n_bytes));
    if total == Some(partial.n_bytes()) {
        return Ok(());
    }
    Err(changed("the file on the server has become shorter"))
}

/// Whether the rest of the file fits on the disk.
fn check_space(partial: &PartialFile) -> Result<(), Error> {
    let Some(total) = partial.version().and_then(|version| version.n_bytes) else { return Ok(()) };
    check_free_space(partial.folder(), total.saturating_sub(partial.n_bytes()))
}

/// Appends the body to the partial file.
fn receive(
    response: &mut Response<Body>,
    partial: &mut PartialFile,
    observer: &ProgressObserver<'_>,
) -> Result<(), AttemptError> {
    let total = partial.version().and_then(|version| version.n_bytes);
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 17];
    loop {
        observer.check_cancelled()?;
        let n = match body.read(&mut buffer) {
            Ok(n) => n,
            Err(error) => return Err(truncated(&error.to_string())),
        };
        if n == 0 {
            break;
        }
        partial.append(&buffer[..n])?;
        observer.report(Event::Downloaded { n_bytes: partial.n_bytes(), total });
    }
    match total {
        Some(total) if partial.n_bytes() < total => Err(truncated("it ended early")),
        _ => Ok(()),
    }
}

fn truncated(reason: &str) -> AttemptError {
    transient(format!("the transfer was cut: {reason}"))
}

fn transient(reason: String) -> AttemptError {
    AttemptError::Transient { reason, retry_after: None }
}

fn changed(reason: &str) -> AttemptError {
    AttemptError::VersionChanged { reason: reason.to_owned() }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// First byte and total size: `bytes 5-9/10` is (5, 10), `bytes */10` (none, 10), `bytes 5-9/*` (5, none).
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let begin = range.split_once('-').and_then(|(begin, _)| number(begin));
    Some((begin, number(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_parsed_as_in_rfc_9110() {
        assert_eq!(content_range("bytes 42-1233/1234"), Some((Some(42), Some(1234))));
        assert_eq!(content_range("bytes 42-1233/*"), Some((Some(42), None)));
        assert_eq!(content_range("bytes */1234"), Some((None, Some(1234))));
        assert_eq!(content_range("chapters 1-2/3"), None);
    }
}
