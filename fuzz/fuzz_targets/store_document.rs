//! Feature stores with a changed header and a changed record of their part, and all checksums.
#![no_main]

use cantus_fuzz::changes::Changes;
use cantus_fuzz::store::{check, document, part_with, with_hashes, write};

cantus_fuzz::target!(1024, |changes: Changes| {
    let document = changes.of(document());
    let (part, crc32) = part_with(&document["record"]);
    check(&write(&with_hashes(&document["header"], &part, &crc32), &part, &[]));
});
