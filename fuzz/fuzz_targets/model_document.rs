//! Model files: a valid one with changed metadata and tensors, and their checksum.
#![no_main]

use cantus_fuzz::changes::Changes;
use cantus_fuzz::model::{check, valid};

cantus_fuzz::target!(2048, |changes: Changes| {
    let file = valid();
    check(&file.write(&changes.of(&file.document)));
});
