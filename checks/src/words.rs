//! Words that sources and documentation do not use, and what stands in their place.

use regex::{Regex, RegexSet};

use crate::workspace::Sources;
use crate::{Result, list_file};

/// A list of banned words.
pub struct BannedWords {
    words: Vec<Word>,
    all: RegexSet,
}

/// A banned word.
pub struct Word {
    /// As the list writes it: a regular expression; a space stands for any space and for a line break in a comment.
    pub pattern: String,
    /// What to write instead.
    pub instead: String,
    regex: Regex,
}

/// A use of a banned word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Index of the word in the list.
    pub word: usize,
    /// The file.
    pub path: String,
    /// Line of its beginning, from 1; 0 if it is in the path itself.
    pub line: usize,
}

/// A word that is allowed in some files.
#[derive(Debug)]
pub struct Exception {
    /// A path from the root of the workspace; `*` stands for any characters.
    pub path: String,
    /// The word as the list of banned words writes it.
    pub pattern: String,
}

impl BannedWords {
    /// Reads a list: lines of `regular expression => what to write instead`.
    ///
    /// # Errors
    /// If a line has another form, or is not a regular expression.
    pub fn parse(text: &str) -> Result<Self> {
        let words: Vec<Word> =
            list_file::entries(text).into_iter().map(Word::parse).collect::<Result<_>>()?;
        let all = RegexSet::new(words.iter().map(|word| word.regex.as_str())).map_err(|it| it.to_string())?;
        Ok(Self { words, all })
    }

    /// The words, in the order of the list.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Every use in texts and in their paths, by file.
    pub fn uses(&self, sources: &Sources) -> Vec<Use> {
        let mut found = Vec::new();
        for (path, text) in sources {
            let new = |word, line| Use { word, path: path.clone(), line };
            found.extend(self.all.matches(path).iter().map(|word| new(word, 0)));
            for word in self.all.matches(text).iter() {
                let starts = self.words[word].regex.find_iter(text).map(|it| it.start());
                found.extend(starts.map(|start| new(word, 1 + text[..start].matches('\n').count())));
            }
        }
        found
    }
}

impl Word {
    fn parse(line: &str) -> Result<Self> {
        let (pattern, instead) = line
            .split_once(" => ")
            .ok_or_else(|| format!("\"{line}\" is not `word => what to write instead`"))?;
        let pattern = pattern.trim();
        // Boundaries of ASCII, since Unicode's are slow in texts that are not ASCII; half ones, since a pattern may
        // begin and end with punctuation.
        let space = r"(?:[ \t]+|[ \t]*\n[ \t]*(?://[/!]?|[#*>])?[ \t]*)";
        let bounded =
            format!(r"(?-u:\b{{start-half}})(?:{})(?-u:\b{{end-half}})", pattern.replace(' ', space));
        let regex = Regex::new(&bounded).map_err(|error| format!("\"{pattern}\": {error}"))?;
        Ok(Self { pattern: pattern.to_owned(), instead: instead.trim().to_owned(), regex })
    }
}

impl Exception {
    /// Reads a list of exceptions: lines of `path or glob | word | reason`.
    ///
    /// # Errors
    /// If a line has another form, has no reason, or names a word that is not banned.
    pub fn parse_list(text: &str, banned: &BannedWords) -> Result<Vec<Self>> {
        let parse = |line: &&str| {
            // A word may contain `|`, a path and a reason may not.
            let parts =
                line.split_once(" | ").and_then(|(path, rest)| Some((path, rest.rsplit_once(" | ")?)));
            let (path, (pattern, _reason)) =
                parts.ok_or_else(|| format!("\"{line}\" is not `path | word | reason`"))?;
            let pattern = pattern.trim().to_owned();
            if !banned.words.iter().any(|word| word.pattern == pattern) {
                return Err(format!("\"{line}\": \"{pattern}\" is not in the list of banned words"));
            }
            Ok(Self { path: path.trim().to_owned(), pattern })
        };
        list_file::entries(text).iter().map(parse).collect()
    }

    fn covers(&self, found: &Use, banned: &BannedWords) -> bool {
        banned.words[found.word].pattern == self.pattern && matches_glob(&self.path, &found.path)
    }
}

/// The uses that no exception covers, and the exceptions for enforced words that cover none.
pub fn apply<'a>(
    exceptions: &'a [Exception],
    uses: Vec<Use>,
    banned: &BannedWords,
) -> (Vec<Use>, Vec<&'a Exception>) {
    let covers_none = |it: &&Exception| !uses.iter().any(|found| it.covers(found, banned));
    let unneeded = exceptions.iter().filter(covers_none).collect();
    let is_allowed = |found: &Use| exceptions.iter().any(|it| it.covers(found, banned));
    (uses.into_iter().filter(|found| !is_allowed(found)).collect(), unneeded)
}

/// Whether a path is that of a glob, in which `*` stands for any characters, `/` included.
fn matches_glob(glob: &str, path: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == path };
    let Some(path) = path.strip_prefix(first) else { return false };
    (0..=path.len()).filter_map(|start| path.get(start..)).any(|tail| matches_glob(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# heading\nCrew => LatencyPool\nlearn(s|ed)? from => train\n";

    fn uses(text: &str) -> Vec<(usize, usize)> {
        let sources = Sources::from([("crates/a.rs".to_owned(), text.to_owned())]);
        BannedWords::parse(LIST).unwrap().uses(&sources).iter().map(|it| (it.word, it.line)).collect()
    }

    #[test]
    fn a_banned_word_is_found_with_its_line() {
        assert_eq!(uses("// Fine.\nstruct Crew;\n"), [(0, 2)]);
    }

    #[test]
    fn a_wording_is_found_across_the_lines_of_a_comment() {
        assert_eq!(uses("/// What it learns\n    /// from."), [(1, 1)]);
        assert_eq!(uses("What it learns\nfrom."), [(1, 1)]);
    }

    #[test]
    fn words_are_bounded_and_case_matters() {
        assert!(uses("Crews, crew, Screw, CrewOf, learning from").is_empty());
    }

    #[test]
    fn a_word_in_a_path_is_found() {
        let banned = BannedWords::parse("crew => latency_pool").unwrap();
        let sources = Sources::from([("crates/crew.rs".to_owned(), String::new())]);
        assert_eq!(banned.uses(&sources), [Use { word: 0, path: "crates/crew.rs".to_owned(), line: 0 }]);
    }

    #[test]
    fn an_exception_covers_its_files_only_and_one_without_use_is_reported() {
        let banned = BannedWords::parse(LIST).unwrap();
        let exceptions = "crates/a* | Crew | a name of sailing\ncrates/b.rs | Crew | none";
        let exceptions = Exception::parse_list(exceptions, &banned).unwrap();
        let in_file = |path: &str| Use { word: 0, path: path.to_owned(), line: 1 };
        let (left, unneeded) =
            apply(&exceptions, vec![in_file("crates/a/x.rs"), in_file("docs/a.md")], &banned);
        assert_eq!(left, [in_file("docs/a.md")]);
        assert_eq!(unneeded.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["crates/b.rs"]);
    }

    #[test]
    fn lists_of_another_form_are_errors() {
        let banned = BannedWords::parse(LIST).unwrap();
        assert!(BannedWords::parse("Crew").is_err() && BannedWords::parse("( => x").is_err());
        for line in ["a.rs | Crew", "a.rs | Team | a word that is not banned"] {
            assert!(Exception::parse_list(line, &banned).is_err(), "{line}");
        }
    }
}
