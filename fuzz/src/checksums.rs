//! Checksums of Ogg pages and FLAC frames, computed anew for a changed file, so that a decoder does not stop at them.
//!
//! # Reference
//! RFC 3533, section 6 (Ogg); RFC 9639, section 9 (FLAC).

/// A checksum of up to 32 bits, most significant bit first, that begins with 0.
fn crc(n_bits: u32, polynomial: u32, bytes: &[u8]) -> u32 {
    let top = 1 << (n_bits - 1);
    let mask = u32::MAX >> (32 - n_bits);
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << (n_bits - 8), |crc, _| {
            (if crc & top == 0 { crc << 1 } else { crc << 1 ^ polynomial }) & mask
        })
    })
}

/// Sets the checksum of every Ogg page.
pub fn repair_ogg(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|four| four == b"OggS") {
        let start = at + found;
        let Some(end) = ogg_page_end(&bytes[start..]) else { return };
        let page = &mut bytes[start..start + end];
        page[22..26].fill(0);
        let sum = crc(32, 0x04C1_1DB7, page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at = start + end;
    }
}

/// Length of the page that begins here; absent if it is truncated.
fn ogg_page_end(bytes: &[u8]) -> Option<usize> {
    let n_segments = usize::from(*bytes.get(26)?);
    let lengths = bytes.get(27..27 + n_segments)?;
    let end = 27 + n_segments + lengths.iter().map(|length| usize::from(*length)).sum::<usize>();
    (end <= bytes.len()).then_some(end)
}

/// Sets the checksums of every FLAC frame; a frame is taken to end where the next one begins.
pub fn repair_flac(bytes: &mut [u8]) {
    let is_sync = |pair: &[u8]| pair[0] == 0xFF && pair[1] & 0xFE == 0xF8;
    let mut starts: Vec<usize> =
        (0..bytes.len().saturating_sub(1)).filter(|&i| is_sync(&bytes[i..])).collect();
    starts.push(bytes.len());
    for pair in starts.windows(2) {
        let frame = &mut bytes[pair[0]..pair[1]];
        let Some(header) = flac_header_length(frame) else { continue };
        if frame.len() < header + 3 {
            continue;
        }
        frame[header] = crc(8, 0x07, &frame[..header]) as u8;
        let (content, sum) = frame.split_at_mut(frame.len() - 2);
        sum.copy_from_slice(&(crc(16, 0x8005, content) as u16).to_be_bytes());
    }
}

/// Length of a frame header before its checksum.
fn flac_header_length(frame: &[u8]) -> Option<usize> {
    let sizes = *frame.get(2)?;
    let coded_number = match frame.get(4)?.leading_ones() {
        0 => 1,
        n => n as usize,
    };
    let block_size = match sizes >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let sample_rate = match sizes & 0x0F {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    Some(4 + coded_number + block_size + sample_rate)
}

/// A file of an encoder as a seed: its checksums are right, so that a repair must not change it but for `n_differing` bytes.
///
/// FLAC frames may contain bytes like those at the beginning of a frame.
pub fn verified(file: &[u8], repair: fn(&mut [u8]), n_differing: usize) -> Vec<u8> {
    let mut repaired = file.to_vec();
    repair(&mut repaired);
    let n = repaired.iter().zip(file).filter(|(a, b)| a != b).count();
    assert!(n <= n_differing, "{n} bytes of a file with valid checksums were changed");
    file.to_vec()
}
