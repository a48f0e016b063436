//! Model files: arbitrary bytes, and with the checksum of their content if they are a container of that form.
#![no_main]

use cantus_fuzz::model::{ModelDocument, check, model};

cantus_fuzz::target!(2048, seeds: vec![model().to_bytes().expect("a model")], |bytes| {
    check(bytes);
    if let Some(file) = ModelDocument::read(bytes) {
        check(&file.write(&file.document));
    }
});
