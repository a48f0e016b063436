//! One question to a server and its answer, redirects followed.
//!
//! Credentials go to the host that was asked and to no other: a redirect to a storage server, which is how Kaggle
//! answers, is followed without them. They never go over a line that others can read.

use std::time::Duration;

use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use super::partial::Resume;
use super::{Credentials, Error};

/// A server that is silent for so long has gone.
const SILENCE: Duration = Duration::from_secs(30);

/// As much of an error's text as is worth reading.
const TEXT_LIMIT: u64 = 4096;

pub(super) struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

impl Client {
    /// Plans to ask for one address.
    ///
    /// # Errors
    /// If it is no address of the web, or credentials would go over an open line.
    pub fn new(url: &str, credentials: &Credentials) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Address { url: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|_| wrong("is no address"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("is no http:// or https:// address")),
        };
        let open = !https && *credentials != Credentials::Anonymous;
        if open && !uri.host().is_some_and(is_this_computer) {
            return Err(wrong("credentials go over https:// only"));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(https)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .user_agent(concat!("cantus/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .build()
            .new_agent();
        Ok(Self { agent, url: url.to_owned(), authorization: credentials.header() })
    }

    /// Asks for the file, or for what of it is missing.
    pub fn ask(&self, resume: Option<&Resume>) -> Result<Response<Body>, ureq::Error> {
        // Compressed on the way, its bytes could not be counted.
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

    /// The error of an answer that is no file.
    pub fn refusal(&self, response: &mut Response<Body>) -> Error {
        let status = response.status();
        let advice = match (status, &self.authorization) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => {
                "it wants to know who asks; make an API token in the settings of your account at www.kaggle.com and \
                 save it as ~/.kaggle/kaggle.json, or set KAGGLE_API_TOKEN"
            }
            (StatusCode::UNAUTHORIZED, Some(_)) => {
                "your credentials are not, or no longer, good; make a new API token"
            }
            (StatusCode::FORBIDDEN, Some(_)) => {
                "your account may not download it; open the data set's page in a browser once, it may ask you to agree"
            }
            (StatusCode::NOT_FOUND, _) => "it is not, or no longer, published there",
            _ => "nothing was downloaded",
        };
        let said = said(response.body_mut());
        Error::Answer { url: self.url.clone(), status: status.as_u16(), said, advice: advice.to_owned() }
    }
}

/// Names and addresses that never leave the computer.
fn is_this_computer(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// What an error's body says, in brackets: the message of Kaggle's JSON; nothing of a page.
fn said(body: &mut Body) -> String {
    let text = body.with_config().limit(TEXT_LIMIT).read_to_string().unwrap_or_default();
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
    fn credentials_do_not_go_over_an_open_line() {
        let token = Credentials::Token("t".to_owned());
        assert!(message("http://example.org/x", &token).contains("https:// only"));
        assert_eq!(message("https://example.org/x", &token), "");
        assert_eq!(message("http://127.0.0.1:1/x", &token), "");
        assert_eq!(message("http://[::1]:1/x", &token), "");
        assert_eq!(message("http://example.org/x", &Credentials::Anonymous), "");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_told() {
        assert!(message("ftp://example.org/x", &Credentials::Anonymous).contains("no http://"));
        assert!(message("not an address", &Credentials::Anonymous).contains("no address"));
    }
}
