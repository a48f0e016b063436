//! The header of a `.npy` file, one array of numpy.
//!
//! Written here in ten lines, because the crates that write it depend on a parser of Python literals to read it.
//!
//! # Reference
//! NEP 1, format version 1.0.

/// The bytes before the values of an array in C order. `descr` is numpy's type, such as `<f4` for little-endian f32.
///
/// # Shapes
/// - `shape`: the size of each axis; its header must be less than 64 KiB, which every shape of 1000 axes is
#[must_use]
pub fn npy_header(descr: &str, shape: &[usize]) -> Vec<u8> {
    const PREAMBLE: usize = 10;
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma}), }}", sizes.join(", "));
    let header_len = (PREAMBLE + header.len() + 1).next_multiple_of(64) - PREAMBLE;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header_len as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = header_len - 1).into_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_numpys() {
        // numpy 2.4.6: b = io.BytesIO(); np.save(b, np.zeros((2, 3), '<f4')); b.getvalue()[:-24]
        let dict = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        expected.extend(dict);
        expected.resize(127, b' ');
        expected.push(b'\n');
        assert_eq!(npy_header("<f4", &[2, 3]), expected);
        assert!(String::from_utf8_lossy(&npy_header("<i8", &[7])[10..]).contains("'shape': (7,)"));
    }
}
