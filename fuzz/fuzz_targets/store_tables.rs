//! Feature stores whose header and tables are arbitrary text.
#![no_main]

use cantus_fuzz::store::{check, document, part_with, with_hashes, write};

cantus_fuzz::target!(1024, |input: (Option<&str>, &[u8], &[u8], &[u8])| {
    let (header_text, failures, warnings, recordings) = input;
    let (part, crc32) = part_with(&document()["record"]);
    let header = with_hashes(&document()["header"], &part, &crc32);
    let tables = [("failures.csv", failures), ("warnings.csv", warnings), ("recordings.csv", recordings)];
    let dir = write(&header, &part, &tables);
    if let Some(text) = header_text {
        std::fs::write(dir.join("store.toml"), text).expect("a header");
    }
    check(&dir);
});
