//! The host of a request: which name of the server the client used.
//!
//! RFC 9112 (2022), section 3.2: an HTTP/1.1 request without exactly one valid `Host` gets 400. An absolute request target replaces
//! the header.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Version, header};

use crate::problem_details::{Problem, ProblemType};

/// The host and port that a request names; `None` for an HTTP/1.0 request without them.
#[derive(Debug)]
pub(super) struct Host(Option<Authority>);

impl Host {
    /// Reads the host of a request.
    ///
    /// # Errors
    /// [`ProblemType::BadRequest`] if it is missing, malformed, or given twice.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let bad = |detail: &str| Problem::new(ProblemType::BadRequest, detail);
        let mut values = request.headers().get_all(header::HOST).iter();
        let (value, other) = (values.next(), values.next());
        if other.is_some() {
            return Err(bad("the header Host is given twice"));
        }
        let in_target = request.uri().authority().cloned();
        let Some(value) = value else {
            return match request.version() {
                Version::HTTP_09 | Version::HTTP_10 => Ok(Self(in_target)),
                _ => Err(bad("the header Host is missing")),
            };
        };
        let authority = value.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
        match authority.filter(is_host_and_port) {
            Some(authority) => Ok(Self(Some(in_target.unwrap_or(authority)))),
            None => Err(bad("the header Host is not a host and a port")),
        }
    }

    /// Refuses a name that a foreign site may have pointed to this server. An address cannot be rebound.
    ///
    /// # Errors
    /// [`ProblemType::ForeignHost`] if it is neither an address nor `localhost` nor one of `names`.
    pub(super) fn check(&self, names: &[String]) -> Result<(), Problem> {
        let Some(host) = self.0.as_ref().map(Authority::host) else { return Ok(()) };
        let is_allowed = is_address(host)
            || host.eq_ignore_ascii_case("localhost")
            || names.iter().any(|name| name.eq_ignore_ascii_case(host));
        if is_allowed {
            return Ok(());
        }
        let detail =
            format!("this server is not called {host}; its operator can allow it by --allow-host {host}");
        Err(Problem::new(ProblemType::ForeignHost, detail))
    }

    /// Whether an origin such as `http://localhost:8080` is this host. A proxy may have added https.
    pub(super) fn is_origin(&self, origin: &str) -> bool {
        let Some(own) = &self.0 else { return false };
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(own.as_str()))
    }
}

/// Whether an authority has no user name, and a port that is a number.
fn is_host_and_port(authority: &Authority) -> bool {
    let rest = authority.as_str().strip_prefix(authority.host());
    let is_port = |rest: &str| {
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    };
    !authority.host().is_empty() && rest.is_some_and(is_port)
}

fn is_address(host: &str) -> bool {
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host.parse::<Ipv4Addr>().is_ok() || in_brackets.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        Host(Some(text.parse().unwrap()))
    }

    #[test]
    fn addresses_and_localhost_are_allowed_and_names_that_look_like_them_are_not() {
        for allowed in ["127.0.0.1", "192.168.1.7:8080", "[::1]:8080", "localhost", "LOCALHOST:1"] {
            assert!(host(allowed).check(&[]).is_ok(), "{allowed}");
        }
        for refused in
            ["127.0.0.1.evil.example", "localhost.evil.example", "127.1", "2130706433", "0x7f.0.0.1"]
        {
            assert!(host(refused).check(&[]).is_err(), "{refused}");
        }
    }

    #[test]
    fn an_origin_has_the_host_and_the_port_of_the_server() {
        assert!(host("localhost:8080").is_origin("http://LOCALHOST:8080"));
        assert!(host("music.example").is_origin("https://music.example"));
        for other in
            ["http://localhost", "http://localhost:80800", "localhost:8080", "null", "http://evil.example"]
        {
            assert!(!host("localhost:8080").is_origin(other), "{other}");
        }
    }
}
