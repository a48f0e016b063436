//! Text from files for a terminal: labels, tags, file names and reasons may contain escape sequences or reverse the reading order.

/// The text with every character escaped that a terminal executes, breaks a line at, or reorders the text by: control characters,
/// line and paragraph separators, and the marks of bidirectional text.
///
/// ```
/// assert_eq!(cantus::printable("a\u{1b}[31mb\nc é"), "a\\u{1b}[31mb\\nc é");
/// ```
///
/// # Reference
/// Unicode Standard Annex 9, section 2; Boucher & Anderson, "Trojan Source", 2021.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_format(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Whether a character that is no control character breaks a line or changes the direction of text.
fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_line_breaks_and_bidirectional_marks_are_escaped() {
        for character in
            "\u{0}\u{7}\u{8}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\
                          \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .chars()
        {
            let escaped = printable(&format!("a{character}b"));
            assert!(escaped.starts_with("a\\") && escaped.is_ascii() && escaped.ends_with('b'), "{escaped}");
        }
    }

    #[test]
    fn other_characters_are_unchanged() {
        let text = "Sigur Rós – ágætis byrjun, 音楽, שלום, a\u{200d}b \\n";
        assert_eq!(printable(text), text);
    }
}
