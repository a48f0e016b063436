//! Checks of WAV and CAF headers that Symphonia does not make, or not with a usable message.
//!
//! `head` is the first part of a file throughout.

/// Number of channels that the header of a WAV file declares; `None` if it is not within `head`.
pub(super) fn wav_channels(head: &[u8]) -> Option<u16> {
    let (_, format) = wav_chunk(head, b"fmt ")?;
    Some(u16::from_le_bytes(*format.get(2..)?.first_chunk()?))
}

/// Whether a WAV header leaves the length of the data open, as programs that write to a pipe do.
pub(super) fn wav_has_open_length(head: &[u8]) -> bool {
    wav_chunk(head, b"data").is_some_and(|(length, _)| length == u32::MAX)
}

/// Declared length and data of a WAV chunk; `None` if it is not within `head`.
fn wav_chunk<'a>(head: &'a [u8], wanted: &[u8; 4]) -> Option<(u32, &'a [u8])> {
    let mut rest = head.get(12..)?;
    loop {
        let (name, length) = (rest.get(..4)?, u32::from_le_bytes(*rest.get(4..)?.first_chunk()?));
        let data = rest.get(8..)?;
        if name == wanted {
            return Some((length, data));
        }
        let length = length as usize;
        rest = data.get(length.checked_add(length % 2)?..)?;
    }
}

/// Whether the chunks of a CAF file that are within `head` fit into a file of `size` bytes.
///
/// Symphonia 0.6.1 allocates their declared size before it reads: 8 GiB for a file of 1 KiB.
pub(super) fn caf_chunks_fit(head: &[u8], size: u64) -> bool {
    const MAX_PACKET: u32 = 1 << 20;
    let word = |offset: usize| Some(u32::from_be_bytes(*head.get(offset..)?.first_chunk()?));
    let mut offset = 8;
    while let (Some(name), Some(high), Some(low)) = (word(offset), word(offset + 4), word(offset + 8)) {
        let (length, data) = (u64::from(high) << 32 | u64::from(low), offset + 12);
        match &name.to_be_bytes() {
            b"data" => return true,
            b"desc" if word(data + 16) > Some(MAX_PACKET) || word(data + 20) > Some(MAX_PACKET) => {
                return false;
            }
            _ if length > size.saturating_sub(data as u64) => return false,
            _ => offset = data + length as usize,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x04\0\0\0\x01\0\x06\0data\xFF\xFF\xFF\xFF";

    #[test]
    fn channels_and_an_open_length_are_read_from_a_wav_header() {
        assert_eq!(wav_channels(HEADER), Some(6));
        assert!(wav_has_open_length(HEADER));
        let closed = [&HEADER[..HEADER.len() - 4], &[0; 4]].concat();
        assert!(!wav_has_open_length(&closed));
        assert_eq!(wav_channels(&HEADER[..20]), None);
    }

    #[test]
    fn a_caf_chunk_must_fit_into_the_file() {
        let caf = |length: u64| [b"caff\0\x01\0\0free".as_slice(), &length.to_be_bytes(), &[0; 8]].concat();
        assert!(caf_chunks_fit(&caf(8), 28));
        assert!(!caf_chunks_fit(&caf(9), 28));
        assert!(!caf_chunks_fit(&caf(u64::MAX), 28));
    }
}
