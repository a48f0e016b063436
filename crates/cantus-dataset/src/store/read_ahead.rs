//! Reading ahead: a hint to the operating system that bytes of a file will be read soon.

use std::fs::File;

/// Has the bytes read into the operating system's cache, without waiting for them. Only a hint: whether it is followed does not
/// show, and where there is no such call nothing is done.
pub(super) fn read_ahead(file: &File, at: u64, n_bytes: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        let _ = fadvise(file, at, std::num::NonZeroU64::new(n_bytes), Advice::WillNeed);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, at, n_bytes);
    }
}
