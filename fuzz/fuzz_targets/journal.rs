//! Undo journals: arbitrary text, and valid entries with other values for a recording that has the recorded hash.
#![no_main]

use std::sync::LazyLock;

use cantus::genre_tags::{Change, Journal};
use cantus_fuzz::changes::Changes;
use cantus_fuzz::files::{check_message, removed};
use serde_json::Value;

const MP3: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/mp3_without_tag.mp3");

/// The entry of a change of the recording, and the recording after it.
static VALID: LazyLock<(Value, Vec<u8>)> = LazyLock::new(|| {
    let path = cantus_fuzz::write_file("tagged", MP3);
    let journal = Journal::create(&removed("valid-journal")).expect("a journal");
    let change = journal.change(&path, "jazz").expect("a change").expect("another genre");
    (serde_json::to_value(change).expect("JSON"), std::fs::read(path).expect("the recording"))
});

cantus_fuzz::target!(256, |input: (Changes, &str)| {
    let (changes, text) = input;
    let (entry, tagged) = &*VALID;
    let mut entry = changes.of(entry);
    // No other file than this one is touched, whatever the input.
    let path = cantus_fuzz::write_file("tagged", tagged);
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("path".to_owned(), path.to_str().expect("a path in UTF-8").into());
    }
    let lines = format!("{{\"cantus\":\"genre tags\",\"version\":1}}\n{entry}\n{text}");
    for journal in [lines.as_str(), text] {
        if let Err(error) = Journal::read(&cantus_fuzz::write_file("journal", journal)) {
            check_message(&error);
        }
    }
    if let Ok(change) = serde_json::from_value::<Change>(entry)
        && let Err(error) = change.undo()
    {
        check_message(&error);
    }
});
