//! The open connections: how many a client may have, and which one gives way to a new one.
//!
//! A connection is idle while no request is in progress on it: between two requests, and before its first one is complete. If all
//! connections are in use, the one that has been idle for the longest time is closed, so that clients that only hold connections do
//! not keep others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Notify;

use crate::watched_body::watched;

/// The open connections of a server.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    limits: ConnectionLimits,
    next_id: u64,
    open: HashMap<u64, Open>,
}

/// Largest numbers of open connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) total: usize,
    pub(crate) per_client: usize,
}

#[derive(Debug)]
struct Open {
    client: IpAddr,
    /// Requests in progress: 0 or 1, as HTTP/1.1 answers one after another.
    n_requests: usize,
    idle_since: Instant,
    close: Arc<Notify>,
}

/// An open connection; closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    client: IpAddr,
    table: Connections,
    close: Arc<Notify>,
}

/// The address of the client, as an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self(Arc::new(Mutex::new(Table { limits, next_id: 0, open: HashMap::new() })))
    }

    /// Adds a connection and, over a limit, closes the one that has been idle for the longest time; `None` if none is idle.
    pub(crate) fn open(&self, client: IpAddr) -> Option<Connection> {
        let mut table = self.table();
        let n_of_client = table.open.values().filter(|open| open.client == client).count();
        if n_of_client >= table.limits.per_client {
            table.close_idle(|open| open.client == client)?;
        } else if table.open.len() >= table.limits.total {
            table.close_idle(|_| true)?;
        }
        let (id, close) = (table.next_id, Arc::new(Notify::new()));
        table.next_id += 1;
        let open = Open { client, n_requests: 0, idle_since: Instant::now(), close: Arc::clone(&close) };
        table.open.insert(id, open);
        Some(Connection { id, client, table: self.clone(), close })
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
    /// Closes one of some connections; `None` if all of them are in use.
    fn close_idle(&mut self, is_candidate: impl Fn(&Open) -> bool) -> Option<()> {
        let idle = self.open.iter().filter(|(_, open)| open.n_requests == 0 && is_candidate(open));
        let id = *idle.min_by_key(|(id, open)| (open.idle_since, **id))?.0;
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
        RequestCounter { id: self.id, client: Client(self.client), table: self.table.clone() }
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
    client: Client,
    table: Connections,
}

/// A request in progress.
struct InProgress(RequestCounter);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.table.count_request(self.0.id, false);
    }
}

/// Middleware: a request is in progress until its response is sent.
pub(crate) async fn count_requests(
    State(counter): State<RequestCounter>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(counter.client);
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
        let connections = Connections::new(LIMITS);
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
        let connections = Connections::new(LIMITS);
        let other = connections.open(address(1)).unwrap();
        let open: Vec<Connection> = (0..5).filter_map(|_| connections.open(address(2))).collect();
        assert_eq!(open.iter().map(is_closed).collect::<Vec<_>>(), [true, true, false, false, false]);
        assert!(!is_closed(&other));
    }
}
