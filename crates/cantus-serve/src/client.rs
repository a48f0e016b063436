//! Which client sent a request, for the limits of a client: its address, or that which a trusted proxy names.
//!
//! An IPv6 client is its network of 64 bits (RFC 4291, section 2.5.4: the client itself sets the rest). A proxy that is trusted
//! appends the address of its client to `X-Forwarded-For`; the entries before the last are the client's own, and are not used.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

/// Bits of an IPv6 address that a client cannot choose.
const NETWORK_MASK: u128 = u128::MAX << 64;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A client, as an extension of each request: an IPv4 address, or an IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl Client {
    pub(crate) fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(Ipv6Addr::from_bits(address.to_bits() & NETWORK_MASK).into()),
            address => Self(address),
        }
    }

    /// The client of a request that a trusted proxy at `peer` has forwarded; that of `peer` if the header is missing or malformed.
    pub(crate) fn forwarded(peer: IpAddr, headers: &HeaderMap) -> Self {
        let last = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
        let last = last.and_then(|list| list.rsplit(',').next()).map(str::trim);
        // Some proxies add the port.
        let parsed = last.and_then(|text| match text.parse() {
            Ok(address) => Some(address),
            Err(_) => text.parse().map(|address: SocketAddr| address.ip()).ok(),
        });
        Self::new(parsed.unwrap_or(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::new(text.parse().unwrap())
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("2001:db8:0:7::1"), client("2001:db8:0:7:ffff::2"));
        assert_ne!(client("2001:db8:0:7::1"), client("2001:db8:0:8::1"));
    }

    #[test]
    fn the_last_forwarded_address_is_the_client_and_those_before_it_are_not() {
        let forwarded = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            Client::forwarded("127.0.0.1".parse().unwrap(), &headers)
        };
        for values in [
            &["192.0.2.1"][..],
            &["198.51.100.9, 192.0.2.1"],
            &["198.51.100.9", "unknown, 192.0.2.1"],
            &["192.0.2.1:4711"],
        ] {
            assert_eq!(forwarded(values), client("192.0.2.1"), "{values:?}");
        }
        assert_eq!(forwarded(&["[2001:db8::1]:80"]), client("2001:db8::2"));
        for values in [&[][..], &["unknown"], &["192.0.2.1,"], &["192.0.2.1", ""]] {
            assert_eq!(forwarded(values), client("127.0.0.1"), "{values:?}");
        }
    }
}
