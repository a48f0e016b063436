//! Validation of the names and types of archive entries.
//!
//! A malicious archive can name files outside of the target folder (`../x`, `/x`) or contain symbolic links ("zip slip").

use std::path::PathBuf;

/// Whether a Unix mode, if there is one, is that of a regular file or a directory (`S_IFMT` of `stat.h`).
pub(crate) fn is_file_or_directory(mode: Option<u32>) -> bool {
    matches!(mode.unwrap_or(0) & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// The name of an entry as a relative path below the target folder, on every operating system.
///
/// # Errors
/// Why the name is not allowed.
pub(crate) fn relative_path(name: &str) -> Result<PathBuf, &'static str> {
    if name.contains(['\\', ':', '\0']) {
        return Err("has a backslash, a colon or a NUL in its name");
    }
    if name.starts_with('/') {
        return Err("has an absolute path");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("leads out of the folder");
    }
    if parts.is_empty() { Err("has no name") } else { Ok(parts.iter().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths_below_the_folder_are_allowed() {
        for name in ["../x", "a/../../x", "/x", "..\\x", "C:/x", "a/..", ".", "a\0b", ""] {
            assert!(relative_path(name).is_err(), "{name:?}");
        }
        assert_eq!(relative_path("./a//b...c/d"), Ok(PathBuf::from("a/b...c/d")));
    }

    #[test]
    fn devices_are_neither_files_nor_directories() {
        assert!(!is_file_or_directory(Some(0o020_644)));
        assert!(is_file_or_directory(Some(0o644)) && is_file_or_directory(None));
    }
}
