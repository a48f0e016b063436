//! Commands that are killed, and computers that lose power: the same command again ends with the bytes of a run that was not stopped.
//!
//! `docs/reliability.md` has what was found.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may; clippy exempts only #[test] fns"
)]

mod disk;
mod kills;
mod power_loss;
mod scenario;
mod trace;

/// A number of the environment.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
