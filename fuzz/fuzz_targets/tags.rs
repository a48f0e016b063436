//! Reading of tags, and a change of the genre that is undone: afterwards the recording has the same bytes.
#![no_main]

use std::fs;

use cantus::genre_tags::Journal;
use cantus_dataset::tags;
use cantus_fuzz::files::{check_message, removed};

cantus_fuzz::target!(512, |bytes| {
    let path = cantus_fuzz::write_file("recording", bytes);
    if let Err(error) = tags::read(&path) {
        check_message(&error);
    }
    let journal = Journal::create(&removed("journal")).expect("a journal");
    match journal.change(&path, "jazz") {
        Ok(Some(change)) => {
            let recorded = Journal::read(journal.path()).expect("a journal that was written can be read");
            assert_eq!(recorded, [change.clone()]);
            assert!(change.undo().expect("a change can be undone"));
            assert!(
                fs::read(&path).expect("the recording") == bytes,
                "undone, the recording has other bytes"
            );
        }
        Ok(None) => {}
        Err(error) => check_message(&error),
    }
});
