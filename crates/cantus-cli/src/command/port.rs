//! Binds a TCP port; its error messages suggest a remedy.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use anyhow::anyhow;

/// Binds a TCP listener to an address whose port is set by `flag`.
pub fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{address} is in use; choose another port with {flag}, 0 for any that is free")
        }
        ErrorKind::PermissionDenied => {
            anyhow!(
                "{address}: not permitted; ports below 1024 need an administrator: choose another with {flag}"
            )
        }
        ErrorKind::AddrNotAvailable => anyhow!("{} is no address of this machine", address.ip()),
        _ => anyhow!("{address}: {error}"),
    })
}
