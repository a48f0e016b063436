//! The open connections: how many a client may have, and which one gives way to a new one.
//!
//! A connection is idle while no request is in progress on it: between two requests, before its first one is complete, and while its
//! client does not read a response. If all connections are in use, an idle one of the client with the most connections is closed, the one
//! that has been idle for the longest time, so that clients that only hold connections do not keep others out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Notify;

use crate::client::Client;
use crate::watched_body::watched;

/// The open connections of a server.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    limits: ConnectionLimits,
    proxies: Vec<IpAddr>,
    next_id: u64,
    open: HashMap<u64, Open>,
}

/// Largest numbers of open connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) total: usize,
    /// Of a client that is no trusted proxy.
    pub(crate) per_client: usize,
}

#[derive(Debug)]
struct Open {
    /// The other end, a client or a trusted proxy.
    peer: Client,
    /// Requests in progress: 0 or 1, as HTTP/1.1 answers one after another.
    n_requests: usize,
    idle_since: Instant,
    close: Arc<Notify>,
}

/// An open connection; closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    peer: IpAddr,
    is_proxy: bool,
    table: Connections,
    close: Arc<Notify>,
}

impl Connections {
    /// A table without connections; those of `proxies` are of many clients.
    pub(crate) fn new(limits: ConnectionLimits, proxies: Vec<IpAddr>) -> Self {
        let proxies = proxies.into_iter().map(|address| address.to_canonical()).collect();
        Self(Arc::new(Mutex::new(Table { limits, proxies, next_id: 0, open: HashMap::new() })))
    }

    /// Adds a connection and, over a limit, closes an idle one; `None` if none is idle.
    pub(crate) fn open(&self, peer: IpAddr) -> Option<Connection> {
        let mut table = self.table();
        let (address, is_proxy) = (Client::new(peer), table.proxies.contains(&peer.to_canonical()));
        let n_of_peer = table.open.values().filter(|open| open.peer == address).count();
        if n_of_peer >= table.limits.per_client && !is_proxy {
            table.close_idle(Some(address))?;
        } else if table.open.len() >= table.limits.total {
            table.close_idle(None)?;
        }
        let (id, close) = (table.next_id, Arc::new(Notify::new()));
        table.next_id += 1;
        let open =
            Open { peer: address, n_requests: 0, idle_since: Instant::now(), close: Arc::clone(&close) };
        table.open.insert(id, open);
        Some(Connection { id, peer, is_proxy, table: self.clone(), close })
    }

    /// Closes an idle connection, as if one were opened over the limit of all; false if none is idle.
    pub(crate) fn close_one(&self) -> bool {
        self.table().close_idle(None).is_some()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_request(&self, id: u64, is_start: bool) {
        if let Some(open) = self.table().open.get_mut(&id) {
            open.n_requests = if is_start { open.n_requests + 1 } else { open.n_requests.saturating_sub(1) };
            open.idle_since = Instant::now();
        }
    }
}

impl Table {
    /// Closes an idle connection of a peer, or of the one with the most connections; `None` if all of these are in use.
    fn close_idle(&mut self, peer: Option<Client>) -> Option<()> {
        let mut n_of: HashMap<Client, usize> = HashMap::new();
        self.open.values().for_each(|open| *n_of.entry(open.peer).or_default() += 1);
        let is_candidate = |open: &Open| open.n_requests == 0 && peer.is_none_or(|peer| open.peer == peer);
        let idle = self.open.iter().filter(|(_, open)| is_candidate(open));
        let n_of = |open: &Open| Reverse(n_of.get(&open.peer).copied());
        let id = *idle.min_by_key(|(id, open)| (n_of(open), open.idle_since, **id))?.0;
        self.open.remove(&id)?.close.notify_one();
        Some(())
    }
}

impl Connection {
    /// Completes when the connection has to give way.
    pub(crate) async fn given_way(&self) {
        self.close.notified().await;
    }

    /// What counts the requests of this connection.
    pub(crate) fn requests(&self) -> RequestCounter {
        RequestCounter { id: self.id, peer: self.peer, is_proxy: self.is_proxy, table: self.table.clone() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.table.table().open.remove(&self.id);
    }
}

/// Counts the requests of a connection.
#[derive(Debug, Clone)]
pub(crate) struct RequestCounter {
    id: u64,
    peer: IpAddr,
    is_proxy: bool,
    table: Connections,
}

/// A request in progress.
struct InProgress(RequestCounter);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.table.count_request(self.0.id, false);
    }
}

/// Middleware: a request is of a client, and in progress until the body of its response is produced.
pub(crate) async fn count_requests(
    State(counter): State<RequestCounter>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = match counter.is_proxy {
        true => Client::forwarded(counter.peer, request.headers()),
        false => Client::new(counter.peer),
    };
    request.extensions_mut().insert(client);
    counter.table.count_request(counter.id, true);
    let in_progress = InProgress(counter);
    let response = next.run(request).await;
    response.map(|body| {
        watched(body, move |_| {
            let _ = &in_progress;
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits { total: 4, per_client: 3 };

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn is_closed(connection: &Connection) -> bool {
        !connection.table.table().open.contains_key(&connection.id)
    }

    #[test]
    fn the_longest_idle_connection_gives_way_and_one_with_a_request_does_not() {
        let connections = Connections::new(LIMITS, Vec::new());
        let open: Vec<Connection> = (0..4).map(|client| connections.open(address(client)).unwrap()).collect();
        connections.count_request(open[0].id, true);
        let new = connections.open(address(9)).unwrap();
        assert_eq!(open.iter().map(is_closed).collect::<Vec<_>>(), [false, true, false, false]);
        connections.count_request(open[0].id, false);
        drop(new);
        let others: Vec<Connection> =
            (10..13).map(|client| connections.open(address(client)).unwrap()).collect();
        assert_eq!(
            open.iter().map(is_closed).collect::<Vec<_>>(),
            [false, true, true, true],
            "0 was idle last"
        );
        for connection in others.iter().chain([&open[0]]) {
            connections.count_request(connection.id, true);
        }
        assert!(connections.open(address(20)).is_none(), "none is idle");
    }

    #[test]
    fn a_client_at_its_limit_replaces_its_own_connections() {
        let connections = Connections::new(LIMITS, Vec::new());
        let other = connections.open(address(1)).unwrap();
        let open: Vec<Connection> = (0..5).filter_map(|_| connections.open(address(2))).collect();
        assert_eq!(open.iter().map(is_closed).collect::<Vec<_>>(), [true, true, false, false, false]);
        assert!(!is_closed(&other));
    }
    #[test]
    fn over_the_limit_of_all_the_client_with_the_most_connections_gives_way() {
        let connections = Connections::new(LIMITS, Vec::new());
        let other = connections.open(address(1)).unwrap();
        let open: Vec<Connection> = (0..3).map(|_| connections.open(address(2)).unwrap()).collect();
        let _new = connections.open(address(3)).unwrap();
        assert!(is_closed(&open[0]) && !is_closed(&other), "that of client 1 has been idle for longer");
        assert!(connections.close_one() && is_closed(&open[1]));
    }

    #[test]
    fn a_trusted_proxy_may_use_all_connections_and_a_client_may_not() {
        let connections = Connections::new(LIMITS, vec![address(2)]);
        for (last, n_open) in [(2, LIMITS.total), (1, LIMITS.per_client)] {
            let open: Vec<Connection> = (0..10).map(|_| connections.open(address(last)).unwrap()).collect();
            assert_eq!(open.iter().filter(|connection| !is_closed(connection)).count(), n_open);
        }
    }
}
