//! A file from a server, whole or not there, through cuts, stops and servers in trouble.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, header};

use super::checksum::Checksums;
use super::client::Client;
use super::partial::{Identity, Partial};
use super::{Credentials, Error, Event, Watch};

/// A file at an address.
#[derive(Debug, Clone)]
pub struct Download {
    /// The address.
    pub url: String,
    /// Who asks.
    pub credentials: Credentials,
    /// Tries in a row that bring not one byte before it is given up.
    pub n_tries: u32,
    /// The wait behind the first of them; each further one waits twice as long, a minute at most.
    pub first_wait: Duration,
}

/// The longest wait between two tries, whatever a server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How a try ended that did not bring the whole file.
enum Setback {
    /// Nothing will change by trying again.
    Final(Error),
    /// The network or the server is in trouble; perhaps the server says for how long.
    Passing { reason: String, wait: Option<Duration> },
    /// What is there is not a part of what the server has.
    Anew { reason: String },
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Download {
    /// A download with the usual patience: 6 tries, from 1 s on, half a minute in all.
    pub fn new(url: &str, credentials: Credentials) -> Self {
        Self { url: url.to_owned(), credentials, n_tries: 6, first_wait: Duration::from_secs(1) }
    }

    /// Downloads to `target`, going on with what an earlier call left, and checks size and checksums.
    ///
    /// # Errors
    /// If the server refuses or stays in trouble, what came is not what it said, or there is no room. What has come is
    /// kept to go on from, unless it is wrong.
    pub fn to(&self, target: &Path, watch: &Watch<'_>) -> Result<(), Error> {
        let client = Client::new(&self.url, &self.credentials)?;
        let mut partial = Partial::open(target, &self.url)?;
        if partial.n_bytes() > 0 {
            watch.tell(Event::GoesOn { n_bytes: partial.n_bytes() });
        }
        let mut n_failed = 0;
        loop {
            let n_before = partial.n_bytes();
            let (reason, asked) = match self.attempt(&client, &mut partial, watch) {
                Ok(()) => break,
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Passing { reason, wait }) => (reason, wait),
                Err(Setback::Anew { reason }) => {
                    partial.forget()?;
                    watch.tell(Event::BeginsAnew { reason: reason.clone() });
                    (reason, Some(Duration::ZERO))
                }
            };
            n_failed = if partial.n_bytes() > n_before { 1 } else { n_failed + 1 };
            if n_failed >= self.n_tries {
                return Err(Error::GaveUp { url: self.url.clone(), reason, n_tries: n_failed });
            }
            self.pause(n_failed, reason, asked, watch)?;
        }
        watch.tell(Event::Checks);
        partial.commit()
    }

    fn pause(
        &self,
        n_failed: u32,
        reason: String,
        asked: Option<Duration>,
        watch: &Watch<'_>,
    ) -> Result<(), Error> {
        let doubled = self.first_wait.saturating_mul(1 << (n_failed - 1).min(16));
        let wait = asked.unwrap_or(doubled).min(LONGEST_WAIT);
        if !wait.is_zero() {
            watch.tell(Event::Waits { reason, wait });
        }
        watch.wait(wait)
    }

    /// One question, and what comes of it.
    fn attempt(&self, client: &Client, partial: &mut Partial, watch: &Watch<'_>) -> Result<(), Setback> {
        watch.go_on()?;
        let resume = partial.resume();
        let mut response = client.ask(resume.as_ref()).map_err(|error| self.setback(error))?;
        let headers = response.headers();
        match response.status() {
            StatusCode::OK => {
                self.check_type(headers)?;
                if resume.is_some() {
                    let reason = "the file at the server is another one by now".to_owned();
                    watch.tell(Event::BeginsAnew { reason });
                }
                partial
                    .begin(self.identity(headers, text(headers, header::CONTENT_LENGTH).and_then(number)))?;
            }
            StatusCode::PARTIAL_CONTENT => self.check_continues(headers, partial)?,
            StatusCode::RANGE_NOT_SATISFIABLE => return all_there(headers, partial),
            status
                if status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS
                    || status.is_server_error() =>
            {
                let wait = text(headers, header::RETRY_AFTER).and_then(number).map(Duration::from_secs);
                return Err(Setback::Passing {
                    reason: format!("the server answered {}", status.as_u16()),
                    wait,
                });
            }
            _ => return Err(client.refusal(&mut response).into()),
        }
        check_room(partial)?;
        copy(&mut response, partial, watch)
    }

    /// What went wrong before there was an answer.
    fn setback(&self, error: ureq::Error) -> Setback {
        let address = |reason: &str| Error::Address { url: self.url.clone(), reason: reason.to_owned() };
        match error {
            ureq::Error::RequireHttpsOnly(_) => {
                address("the server leads from https:// to an open line, which is not followed").into()
            }
            ureq::Error::TooManyRedirects => address("the server leads round in a circle").into(),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => address("is no address").into(),
            ureq::Error::InvalidProxyUrl => address("the proxy in the environment is no address").into(),
            ureq::Error::Rustls(error) => address(&format!("no safe line to it: {error}")).into(),
            ureq::Error::HostNotFound => Setback::Passing {
                reason: "there is no such host, or this computer is not online".to_owned(),
                wait: None,
            },
            ureq::Error::Io(error) => Setback::Passing { reason: error.to_string(), wait: None },
            other => Setback::Passing { reason: other.to_string(), wait: None },
        }
    }

    /// A page instead of the file comes with status 200 all the same.
    fn check_type(&self, headers: &HeaderMap) -> Result<(), Error> {
        match text(headers, header::CONTENT_TYPE) {
            Some(found) if found.starts_with("text/") => {
                Err(Error::NotAFile { url: self.url.clone(), found: found.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// What headers say of the whole file.
    fn identity(&self, headers: &HeaderMap, n_bytes: Option<u64>) -> Identity {
        let hashes = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
        Identity {
            url: self.url.clone(),
            etag: text(headers, header::ETAG).map(str::to_owned),
            last_modified: text(headers, header::LAST_MODIFIED).map(str::to_owned),
            n_bytes,
            checksums: Checksums::from_headers(hashes),
        }
    }

    /// Whether a part begins where ours ends and is of the same version; not every server minds `if-range`.
    fn check_continues(&self, headers: &HeaderMap, partial: &Partial) -> Result<(), Setback> {
        let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
        let Some((Some(begin), total)) = range else {
            return Err(Setback::Anew {
                reason: "the server sends a part and does not say which".to_owned(),
            });
        };
        let same =
            partial.identity().is_some_and(|known| known.is_same_version(&self.identity(headers, total)));
        if begin != partial.n_bytes() || !same {
            return Err(Setback::Anew { reason: "the file at the server is another one by now".to_owned() });
        }
        Ok(())
    }
}

/// Asked for what is behind the last byte: the file is whole if its length is ours.
fn all_there(headers: &HeaderMap, partial: &Partial) -> Result<(), Setback> {
    let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
    let total = range.and_then(|(_, total)| total).or(partial.identity().and_then(|known| known.n_bytes));
    if total == Some(partial.n_bytes()) {
        return Ok(());
    }
    Err(Setback::Anew { reason: "the file at the server is a shorter one by now".to_owned() })
}

/// Whether the disk can take what is still to come.
fn check_room(partial: &Partial) -> Result<(), Error> {
    let Some(total) = partial.identity().and_then(|identity| identity.n_bytes) else { return Ok(()) };
    super::archive::check_room(partial.folder(), total.saturating_sub(partial.n_bytes()))
}

/// Writes the body behind what is there.
fn copy(response: &mut Response<Body>, partial: &mut Partial, watch: &Watch<'_>) -> Result<(), Setback> {
    let total = partial.identity().and_then(|identity| identity.n_bytes);
    let mut body = response.body_mut().as_reader();
    let mut piece = vec![0; 1 << 17];
    loop {
        watch.go_on()?;
        let n = match body.read(&mut piece) {
            Ok(n) => n,
            Err(error) => return Err(cut(&error.to_string())),
        };
        if n == 0 {
            break;
        }
        partial.append(&piece[..n])?;
        watch.tell(Event::Downloads { n_bytes: partial.n_bytes(), total });
    }
    match total {
        Some(total) if partial.n_bytes() < total => Err(cut("it ended early")),
        _ => Ok(()),
    }
}

fn cut(why: &str) -> Setback {
    Setback::Passing { reason: format!("the transfer was cut: {why}"), wait: None }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// `bytes 5-9/10` is (5, 10), `bytes */10` (nothing, 10), `bytes 5-9/*` (5, nothing).
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let begin = range.split_once('-').and_then(|(begin, _)| number(begin));
    Some((begin, number(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_writes_them() {
        assert_eq!(content_range("bytes 42-1233/1234"), Some((Some(42), Some(1234))));
        assert_eq!(content_range("bytes 42-1233/*"), Some((Some(42), None)));
        assert_eq!(content_range("bytes */1234"), Some((None, Some(1234))));
        assert_eq!(content_range("chapters 1-2/3"), None);
    }
}
