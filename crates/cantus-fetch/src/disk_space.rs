//! Free space on the disk of a folder.

use std::path::Path;

use crate::Error;

/// Fails if fewer than `needed` bytes are free. If the operating system does not report it, the space is assumed to suffice.
pub(crate) fn check_free_space(folder: &Path, needed: u64) -> Result<(), Error> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(Error::NoRoom { path: folder.to_owned(), needed, free }),
        _ => Ok(()),
    }
}
