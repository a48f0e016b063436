//! The number of files that the process may have open.

/// Enough for the parts of a store of eight million recordings.
#[cfg(target_os = "linux")]
const WANTED: u64 = 1 << 18;

/// Raises the limit to what the system allows the user, since a training on a large feature store keeps its parts open. Where it
/// cannot be raised, parts are opened for each read.
pub fn raise_limit() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
        if current.is_some_and(|current| current < wanted) {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}
