//! The book (`docs/`) is up to date: its texts and pictures are those that `cantus lesson --all` writes.
//!
//! `just book-lessons` regenerates them. `line` and `picture` describe how they are compared.

mod line;
mod pages;
mod picture;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::run::command;

/// `docs/src` of the repository; `None` in a package of this crate alone.
fn src() -> Option<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    if !src.is_dir() {
        println!("no docs/src: the book is not checked");
    }
    src.is_dir().then_some(src)
}

#[test]
fn the_book_has_the_texts_and_pictures_of_the_lessons() {
    let Some(src) = src() else { return };
    let dir = tempfile::tempdir().unwrap();
    // Lesson 12 prints the folder that it writes to: as `just book-lessons` names it, and seen from another root.
    let folder = "docs/src/lessons";
    let words = ["lesson", "--all", "--quiet", "-o", folder];
    let ran = command().args(words).current_dir(dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let problems = differences(&src.join("lessons"), &dir.path().join(folder));
    assert!(problems.is_empty(), "the book is stale; run `just book-lessons`:\n{}", problems.join("\n"));
}

#[test]
fn every_page_includes_all_of_its_lesson() {
    let Some(src) = src() else { return };
    let problems = pages::problems(&src);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Where two folders of lessons, `NN/words.txt` and `NN/*.svg`, differ.
fn differences(book: &Path, fresh: &Path) -> Vec<String> {
    let names = files(book).union(&files(fresh)).cloned().collect::<Vec<_>>();
    names.iter().filter_map(|name| Some(format!("{name}: {}", of_file(name, book, fresh)?))).collect()
}

/// Paths of texts and pictures, below a folder of lessons.
fn files(root: &Path) -> BTreeSet<String> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .map_or(Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
    };
    let is_compared =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "svg" || extension == "txt");
    let paths = entries(root).into_iter().flat_map(|lesson| entries(&lesson)).filter(is_compared);
    paths.map(|path| path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")).collect()
}

fn of_file(name: &str, book: &Path, fresh: &Path) -> Option<String> {
    let read = |root: &Path| std::fs::read_to_string(root.join(name)).ok();
    let (book_text, fresh_text) = match (read(book), read(fresh)) {
        (Some(book), Some(fresh)) => (book, fresh),
        (None, _) => return Some("not in the book".to_owned()),
        (_, None) => return Some("in the book, but no lesson makes it".to_owned()),
    };
    match Path::new(name).extension()?.to_str()? {
        "svg" if is_trained(name, fresh) => picture::difference_of_words(&book_text, &fresh_text),
        "svg" => picture::difference(&book_text, &fresh_text),
        _ => of_words(&book_text, &fresh_text),
    }
}

/// Whether a lesson's text marks a picture of it as trained: `→ history.svg ≈`.
fn is_trained(name: &str, root: &Path) -> bool {
    let path = Path::new(name);
    let words = path.parent().map(|folder| root.join(folder).join("words.txt"));
    let words = words.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    words.lines().any(|line| line.trim() == format!("→ {file} ≈"))
}

fn of_words(book: &str, fresh: &str) -> Option<String> {
    let (n_book, n_fresh) = (book.lines().count(), fresh.lines().count());
    let problems: Vec<String> =
        book.lines().zip(fresh.lines()).filter_map(|(a, b)| line::difference(a, b)).collect();
    match (n_book == n_fresh, problems.is_empty()) {
        (true, true) => None,
        (true, false) => Some(problems.join("\n  ")),
        (false, _) => Some(format!("{n_book} lines are now {n_fresh}\n  {}", problems.join("\n  "))),
    }
}

/// A folder of one lesson.
#[cfg(test)]
fn lesson() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("13")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join("13").join(name), text).unwrap();
    write("words.txt", "weights: 320\n  accuracy: ≈ 72.5 %\n  → network.svg\n  → history.svg ≈\n");
    write("network.svg", "<rect x=\"10\"/>\n");
    write("history.svg", "<text x=\"10\">accuracy 72.5 %</text>\n");
    dir
}

#[test]
fn the_check_fails_on_a_changed_word_a_changed_number_and_a_changed_or_missing_picture() {
    let book = lesson();
    assert_eq!(differences(book.path(), lesson().path()), Vec::<String>::new());
    for (file, from, to, expected) in [
        ("words.txt", "weights", "numbers", "“weights: ” is now “numbers: ”"),
        ("words.txt", "320", "321", "320 is now 321"),
        ("words.txt", "72.5", "32.5", "72.5 is now 32.5"),
        ("words.txt", "weights: 320\n", "", "4 lines are now 3"),
        ("network.svg", "10", "20", "10 is now 20"),
        ("history.svg", "accuracy", "loss", "loss"),
    ] {
        let fresh = lesson();
        let path = fresh.path().join("13").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let problems = differences(book.path(), fresh.path());
        assert!(problems.len() == 1 && problems[0].contains(expected), "{to}: {problems:?}");
    }
    for (root, expected) in [(lesson(), "no lesson makes it"), (book, "not in the book")] {
        std::fs::remove_file(root.path().join("13/network.svg")).unwrap();
        let whole = lesson();
        let (book, fresh) = if expected == "not in the book" { (&root, &whole) } else { (&whole, &root) };
        let problems = differences(book.path(), fresh.path());
        assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
    }
}

#[test]
fn numbers_of_a_trained_picture_may_differ() {
    let (book, fresh) = (lesson(), lesson());
    std::fs::write(fresh.path().join("13/history.svg"), "<text x=\"90\">accuracy 61 %</text>\n").unwrap();
    assert_eq!(differences(book.path(), fresh.path()), Vec::<String>::new());
}
