//! Requests per second of a client: a token bucket for each, as the time at which it would be full again.
//!
//! ITU-T I.371, "virtual scheduling algorithm" (GCRA): a request that conforms moves that time on by one interval; one that would move
//! it further than the burst into the future does not conform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::client::Client;
use crate::problem_details::{Problem, ProblemType};

/// What a client may send at once, as the time in which it may send as much: a page with its files, a pool of connections.
const BURST: Duration = Duration::from_secs(2);
/// Least number of requests at once, for low rates.
const MIN_BURST: u32 = 50;
/// Number of clients from which those with a full bucket are removed from the table.
const MIN_PURGE: usize = 1024;

/// The limit of each client.
#[derive(Debug)]
pub(crate) struct RateLimit {
    /// Time between two requests at the limit; zero without a limit.
    interval: Duration,
    burst: Duration,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    full_at: HashMap<Client, Instant>,
    purge_above: usize,
}

impl RateLimit {
    /// A limit in requests per second; none if it is zero.
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        let table = Table { purge_above: MIN_PURGE, ..Table::default() };
        Self { interval, burst: BURST.max(interval * MIN_BURST), table: Mutex::new(table) }
    }

    /// Counts a request of a client at a time.
    ///
    /// # Errors
    /// The time after which the client may send one, if it is over the limit; the request is not counted then.
    fn count(&self, client: Client, now: Instant) -> Result<(), Duration> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.full_at.len() > table.purge_above {
            table.full_at.retain(|_, full_at| *full_at > now);
            table.purge_above = (2 * table.full_at.len()).max(MIN_PURGE);
        }
        let full_at = table.full_at.get(&client).map_or(now, |full_at| now.max(*full_at)) + self.interval;
        let ahead = full_at.duration_since(now);
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        table.full_at.insert(client, full_at);
        Ok(())
    }
}

/// Middleware: refuses requests of a client over the limit.
pub(crate) async fn limit_rate(
    State(limit): State<Arc<RateLimit>>,
    request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>().copied();
    match client.map_or(Ok(()), |client| limit.count(client, Instant::now())) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let detail = format!(
                "a client may send {:.0} requests per second; the next one after {:.3} s",
                1.0 / limit.interval.as_secs_f64(),
                wait.as_secs_f64()
            );
            Problem::new(ProblemType::TooManyRequests, detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Client {
        Client::new([10, 0, 0, last].into())
    }

    #[test]
    fn a_client_may_send_a_burst_and_then_the_rate() {
        let (limit, start) = (RateLimit::new(100), Instant::now());
        let n_at = |after: Duration, client: Client| {
            (0..1000).take_while(|_| limit.count(client, start + after).is_ok()).count()
        };
        assert_eq!(n_at(Duration::ZERO, client(1)), 200, "a burst of 2 s");
        assert_eq!(n_at(Duration::ZERO, client(2)), 200, "another client has its own");
        assert_eq!(n_at(Duration::from_millis(500), client(1)), 50);
        assert_eq!(n_at(Duration::from_secs(60), client(1)), 200, "and no more than that");
        let wait = limit.count(client(1), start + Duration::from_secs(60)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(10));
    }

    #[test]
    fn a_low_rate_has_a_burst_and_no_rate_has_no_limit() {
        let now = Instant::now();
        let n = |limit: RateLimit| (0..1000).take_while(|_| limit.count(client(1), now).is_ok()).count();
        assert_eq!(n(RateLimit::new(1)), 50);
        assert_eq!(n(RateLimit::new(0)), 1000);
    }

    #[test]
    fn clients_that_are_below_the_limit_are_forgotten() {
        let (limit, mut now) = (RateLimit::new(1000), Instant::now());
        for n in 0..100_000_u32 {
            let address = std::net::Ipv4Addr::from(n);
            limit.count(Client::new(address.into()), now).unwrap();
            now += Duration::from_micros(100);
        }
        let n = limit.table.lock().unwrap().full_at.len();
        assert!(n <= MIN_PURGE + 1, "{n}");
    }
}
