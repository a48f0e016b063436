//! Archives: entries with arbitrary names, sizes and modes, and valid checksums.
#![no_main]

use cantus_fuzz::archive::{ArbitraryArchive, check};

cantus_fuzz::target!(256, |archive: ArbitraryArchive| {
    if let Some(bytes) = archive.to_bytes() {
        check(&bytes);
    }
});
