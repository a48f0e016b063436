//! What the pages of the book include: the text of its lesson, all of its pictures, and its whole program.

use std::path::{Path, PathBuf};

/// What is wrong with the pages of a book whose sources lie in `src`.
pub fn problems(src: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let mut lessons: Vec<PathBuf> = entries(&src.join("lessons"));
    lessons.sort();
    for lesson in lessons {
        let number = lesson.file_name().unwrap().to_string_lossy().into_owned();
        let page = src.join(format!("{number}.md"));
        let Ok(text) = std::fs::read_to_string(&page) else {
            problems.push(format!("{number}.md: no page for lessons/{number}"));
            continue;
        };
        let found = of_page(&text, &number, &lesson, src);
        problems.extend(found.into_iter().map(|problem| format!("{number}.md: {problem}")));
    }
    problems
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn of_page(text: &str, number: &str, lesson: &Path, src: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.contains(&format!("{{{{#include lessons/{number}/words.txt}}}}")) {
        problems.push("does not include its words.txt".to_owned());
    }
    let pictures = entries(lesson).into_iter().filter(|path| path.extension().is_some_and(|e| e == "svg"));
    for picture in pictures {
        let name = picture.file_name().unwrap().to_string_lossy().into_owned();
        if !text.contains(&format!("](lessons/{number}/{name})")) {
            problems.push(format!("does not show {name}"));
        }
    }
    let shown = text.split("](lessons/").skip(1).filter_map(|rest| rest.split(')').next());
    for path in shown.filter(|path| !src.join("lessons").join(path).is_file()) {
        problems.push(format!("shows lessons/{path}, which is not there"));
    }
    let quoted = text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next());
    problems.extend(quoted.filter_map(|quoted| of_include(quoted, src)));
    problems
}

/// What is wrong with `file`, `file:anchor` or `file:first:`, which is all lines from that one on.
fn of_include(quoted: &str, src: &Path) -> Option<String> {
    let mut parts = quoted.split(':');
    let file = parts.next()?;
    let Ok(text) = std::fs::read_to_string(src.join(file)) else {
        return Some(format!("includes {file}, which is not there"));
    };
    match (parts.next(), parts.next()) {
        (None, _) => None,
        (Some(anchor), None) => {
            let missing = ["ANCHOR: ", "ANCHOR_END: "].map(|mark| !text.contains(&format!("{mark}{anchor}")));
            missing.contains(&true).then(|| format!("{file} has no anchor {anchor}"))
        }
        (Some(first), Some(last)) => {
            let begin = program(&text)?;
            let is_whole = first.parse() == Ok(begin) && last.is_empty();
            (!is_whole).then(|| format!("includes {quoted}; its program begins in line {begin}"))
        }
    }
}

/// First line, from 1, of a lesson's program, behind its description.
fn program(source: &str) -> Option<usize> {
    source.lines().position(|line| line.starts_with("use ")).map(|first| first + 1)
}

/// A valid book of one page.
#[cfg(test)]
fn book() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("src/lessons/03/words.txt", "words\n");
    write("src/lessons/03/neuron.svg", "<svg/>\n");
    write("lesson_03.rs", "//! A neuron.\n\nuse std::fs;\n\nfn lesson() {\n}\n");
    write("table.md", "<!-- ANCHOR: rows -->\n| 1 |\n<!-- ANCHOR_END: rows -->\n");
    write(
        "src/03.md",
        "{{#include lessons/03/words.txt}}\n![x](lessons/03/neuron.svg)\n{{#include ../lesson_03.rs:3:}}\n{{#include ../table.md:rows}}\n",
    );
    dir
}

#[test]
fn pages_that_include_all_of_their_lesson_have_no_problems() {
    let dir = book();
    assert_eq!(problems(&dir.path().join("src")), Vec::<String>::new());
}

#[test]
fn missing_and_invalid_includes_of_a_page_are_found() {
    for (from, to, expected) in [
        ("{{#include lessons/03/words.txt}}", "words", "does not include its words.txt"),
        ("![x](lessons/03/neuron.svg)", "", "does not show neuron.svg"),
        (
            "03/neuron.svg)",
            "03/neuron.svg)![y](lessons/03/other.svg)",
            "shows lessons/03/other.svg, which is not there",
        ),
        (":3:}", ":3:5}", "its program begins in line 3"),
        (":rows", ":columns", "has no anchor columns"),
        ("../table.md", "../tables.md", "includes ../tables.md, which is not there"),
    ] {
        let dir = book();
        let page = dir.path().join("src/03.md");
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains(from));
        std::fs::write(&page, text.replace(from, to)).unwrap();
        let problems = problems(&dir.path().join("src"));
        assert!(problems.len() == 1 && problems[0].contains(expected), "{to}: {problems:?}");
    }
}
