//! How many parts of a store may be open at once.

/// Half of the files that this process may have open; the rest is for everything else.
pub(super) fn max_open_parts() -> usize {
    max_open_files() / 2
}

#[cfg(target_os = "linux")]
fn max_open_files() -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// What many systems allow at least.
#[cfg(not(target_os = "linux"))]
fn max_open_files() -> usize {
    1024
}
