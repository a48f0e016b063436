//! Feature stores whose part is arbitrary bytes, without the hashes of it in the header.
#![no_main]

use cantus_fuzz::store::{check, document, part_with, without_hashes, write};

fn seeds() -> Vec<Vec<u8>> {
    vec![part_with(&document()["record"]).0]
}

cantus_fuzz::target!(1024, seeds: seeds(), |bytes| check(&write(&without_hashes(), bytes, &[])));
