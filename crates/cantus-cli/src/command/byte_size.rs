//! Sizes in bytes on the command line: a number with its unit.

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

/// Units and their numbers of bytes: binary (IEC 80000-13) and decimal (SI).
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("", 1 << 20),
];

/// Largest size: 64 GiB.
const MAX: u64 = 64 << 30;

/// Parses a size; without a unit, in MiB. Upper and lower case are the same.
///
/// # Errors
/// One line that says the form.
pub fn parse(text: &str) -> Result<ByteSize, String> {
    let wrong = || {
        "expected a whole number of MiB, or one with a unit, from 1KiB to 64GiB: KiB, MiB, GiB, kB, MB or GB, such as 64MiB"
            .to_owned()
    };
    let text = text.trim();
    let n_digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..n_digits], text[n_digits..].trim_start());
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let bytes = unit.and_then(|(_, bytes)| number.parse::<u64>().ok()?.checked_mul(*bytes));
    let bytes = bytes.filter(|bytes| (1000..=MAX).contains(bytes)).ok_or_else(wrong)?;
    usize::try_from(bytes).map(ByteSize).map_err(|_| wrong())
}

/// A number of bytes in binary units, such as `1.5 MiB`.
pub fn in_words(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        bytes if bytes < 1 << 20 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        bytes if bytes < 1 << 30 => format!("{:.1} MiB", bytes as f64 / (1 << 20) as f64),
        bytes => format!("{:.1} GiB", bytes as f64 / (1 << 30) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_words_have_the_unit_that_fits() {
        let words = [0, 1023, 1536, 3 << 20, 5 << 30].map(in_words);
        assert_eq!(words, ["0 B", "1023 B", "1.5 KiB", "3.0 MiB", "5.0 GiB"]);
    }

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        for (text, expected) in [
            ("64", 64 << 20),
            ("1MiB", 1 << 20),
            ("1 mib", 1 << 20),
            ("500KiB", 500 << 10),
            ("2GiB", 2 << 30),
            ("500kB", 500_000),
            ("3MB", 3_000_000),
            (" 1GB ", 1_000_000_000),
            ("65536", 64 << 30),
        ] {
            assert_eq!(parse(text), Ok(ByteSize(expected)), "{text}");
        }
    }

    #[test]
    fn an_error_says_the_form() {
        for text in [
            "",
            "MiB",
            "0",
            "-1",
            "1.5MiB",
            "1M",
            "1TiB",
            "65GiB",
            "1e3",
            "99999999999999999999",
            "1MiBs",
            "¼MiB",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("MiB") && error.contains("GB"), "{text}: {error}");
        }
    }
}
