//! Feature stores whose part is arbitrary bytes, with the hashes of them in the header.
#![no_main]

use cantus_fuzz::store::{check, document, part_with, with_hashes, write};

cantus_fuzz::target!(1024, seeds: vec![part_with(&document()["record"])], |bytes| {
    let header = with_hashes(&document()["header"], bytes);
    check(&write(&header, bytes, &[]));
});
