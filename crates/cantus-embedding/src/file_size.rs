//! The maximum size of an ONNX file.

#[cfg(feature = "tract")]
use crate::error::Error;

/// Maximum size of a file, in bytes: what Protocol Buffers can encode.
pub(crate) const MAX_FILE_BYTES: u64 = (1 << 31) - 1;

/// Checks the size of a file.
///
/// # Errors
/// [`Error::TooLarge`].
#[cfg(feature = "tract")]
pub(crate) fn check_file_size(size: u64) -> Result<(), Error> {
    if size > MAX_FILE_BYTES { Err(Error::TooLarge { size, max: MAX_FILE_BYTES }) } else { Ok(()) }
}

#[cfg(test)]
#[cfg(feature = "tract")]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_two_gigabytes_is_refused_with_its_size() {
        check_file_size(MAX_FILE_BYTES).unwrap();
        let error = check_file_size(1 << 31).unwrap_err().to_string();
        assert!(error.starts_with("2147483648 bytes"), "{error}");
    }
}
