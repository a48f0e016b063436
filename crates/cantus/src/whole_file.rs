//! Files that are whole or not there: written under a temporary name beside their place, then renamed.

use std::io::Write;
use std::path::Path;

use crate::Error;

/// Writes a file; a process that is killed meanwhile leaves the old one, or none.
///
/// # Errors
/// If the folder is not there or cannot be written to.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io(path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(Error::io(path))?;
    file.persist(path).map(drop).map_err(|error| Error::io(path)(error.error))
}
