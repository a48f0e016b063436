//! HTTP client for one URL; follows redirects.
//!
//! Credentials are sent to the host of the URL only: Kaggle redirects to a storage server, which does not receive them. They
//! are never sent over an unencrypted connection, except to this computer.

use std::time::Duration;

use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use crate::partial_file::Resume;
use crate::{Credentials, Error};

/// Timeout of connecting, of the response's header, and of each read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of an error response that are read at most.
const MAX_ERROR_BYTES: u64 = 4096;

pub(crate) struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

impl Client {
    /// # Errors
    /// If the URL is malformed or not HTTP(S), or credentials would be sent unencrypted.
    pub fn new(url: &str, credentials: &Credentials) -> Result<Self, Error> {
        let error = |reason: &str| Error::Url { url: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|_| error("is no address"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(error("is no http:// or https:// address")),
        };
        let is_exposed = !https && *credentials != Credentials::Anonymous;
        if is_exposed && !uri.host().is_some_and(is_loopback) {
            return Err(error("credentials are sent over https:// only"));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(https)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .user_agent(concat!("cantus/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT))
            .build()
            .new_agent();
        Ok(Self { agent, url: url.to_owned(), authorization: credentials.header() })
    }

    /// Requests the file, or the bytes that are missing.
    pub fn get(&self, resume: Option<&Resume>) -> Result<Response<Body>, ureq::Error> {
        // A content encoding would make byte ranges meaningless.
        let mut request = self.agent.get(&self.url).header(header::ACCEPT_ENCODING, "identity");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(Resume { n_bytes, validator }) = resume {
            request = request
                .header(header::RANGE, format!("bytes={n_bytes}-"))
                .header(header::IF_RANGE, validator);
        }
        request.call()
    }

    /// The error for a status other than success.
    pub fn status_error(&self, response: &mut Response<Body>) -> Error {
        let status = response.status();
        let advice = match (status, &self.authorization) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => {
                "it requires credentials; make an API token in the settings of your account at www.kaggle.com and \
                 save it as ~/.kaggle/kaggle.json, or set KAGGLE_API_TOKEN"
            }
            (StatusCode::UNAUTHORIZED, Some(_)) => {
                "your credentials are invalid or expired; make a new API token"
            }
            (StatusCode::FORBIDDEN, Some(_)) => {
                "your account may not download it; open the data set's page in a browser once, it may require you to accept its terms"
            }
            (StatusCode::NOT_FOUND, _) => "it is not, or no longer, published there",
            _ => "nothing was downloaded",
        };
        let message = server_message(response.body_mut());
        Error::Status { url: self.url.clone(), status: status.as_u16(), message, advice: advice.to_owned() }
    }
}

/// Whether a host is this computer.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The `message` of Kaggle's JSON error in parentheses; empty for another body.
fn server_message(body: &mut Body) -> String {
    let text = body.with_config().limit(MAX_ERROR_BYTES).read_to_string().unwrap_or_default();
    let document: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let message = document.as_ref().and_then(|document| document["message"].as_str()).unwrap_or_default();
    let line: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
    if line.is_empty() { line } else { format!(" ({line})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(url: &str, credentials: &Credentials) -> String {
        Client::new(url, credentials).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn credentials_are_not_sent_unencrypted() {
        let token = Credentials::Token("t".to_owned());
        assert!(message("http://example.org/x", &token).contains("https:// only"));
        assert_eq!(message("https://example.org/x", &token), "");
        assert_eq!(message("http://127.0.0.1:1/x", &token), "");
        assert_eq!(message("http://[::1]:1/x", &token), "");
        assert_eq!(message("http://example.org/x", &Credentials::Anonymous), "");
    }

    #[test]
    fn urls_other_than_http_are_rejected() {
        assert!(message("ftp://example.org/x", &Credentials::Anonymous).contains("no http://"));
        assert!(message("not an address", &Credentials::Anonymous).contains("no address"));
    }
}
