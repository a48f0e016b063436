//! Run folders with a changed report, history and table of predictions.
#![no_main]

use cantus_fuzz::changes::Changes;
use cantus_fuzz::run::{check, document, write};

cantus_fuzz::target!(1024, |input: (Changes, Option<&[u8]>)| {
    let (changes, predictions) = input;
    check(&write(&changes.of(document()), predictions));
});
