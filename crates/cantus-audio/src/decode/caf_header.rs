//! Check of a CAF header that Symphonia does not make.

/// Whether the chunks of a CAF file that are within its first bytes `head` fit into a file of `size` bytes.
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

    #[test]
    fn a_caf_chunk_must_fit_into_the_file() {
        let caf = |length: u64| [b"caff\0\x01\0\0free".as_slice(), &length.to_be_bytes(), &[0; 8]].concat();
        assert!(caf_chunks_fit(&caf(8), 28));
        assert!(!caf_chunks_fit(&caf(9), 28));
        assert!(!caf_chunks_fit(&caf(u64::MAX), 28));
    }
}
