//! HTML elements of a report: page, section, cards, notes, facts, tables and figures. All text is escaped.

use cantus_plot::Theme;

use crate::report::{Figure, Table};

const STYLE: &str = include_str!("page.css");

/// A headline score on a card of its own.
pub(in crate::report) struct Card {
    pub(in crate::report) name: String,
    pub(in crate::report) value: String,
    pub(in crate::report) note: String,
}

/// An HTML page with this content.
pub(super) fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{content}</main>\n</body>\n</html>\n",
        escaped(title),
    )
}

/// A section, unless it is empty.
pub(super) fn section(title: &str, content: &str) -> String {
    if content.trim().is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

/// The title of the page and a line of text.
pub(super) fn heading(title: &str, text: &str) -> String {
    format!("<h1>{}</h1>\n<p class=\"muted\">{}</p>\n", escaped(title), escaped(text))
}

/// Cards, of which the first is emphasised.
pub(super) fn cards(cards: &[Card]) -> String {
    let card = |(i, Card { name, value, note }): (usize, &Card)| {
        format!(
            "<div><dt>{}</dt><dd class=\"figure{}\">{}</dd><dd class=\"muted\">{}</dd></div>\n",
            escaped(name),
            if i == 0 { " best" } else { "" },
            escaped(value),
            escaped(note)
        )
    };
    format!("<dl class=\"cards\">\n{}</dl>\n", cards.iter().enumerate().map(card).collect::<String>())
}

pub(super) fn notes<'a>(notes: impl Iterator<Item = &'a String>) -> String {
    notes.map(|note| format!("<p class=\"note\" role=\"note\">{}</p>\n", escaped(note))).collect()
}

/// Names and values.
pub(super) fn facts(facts: Vec<(&str, String)>) -> String {
    let row = |(name, value): (&str, String)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&value));
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.into_iter().map(row).collect::<String>())
}

/// Content that is shown on a click on `summary`.
pub(super) fn details(summary: &str, content: &str) -> String {
    format!("<details><summary>{summary}</summary>\n{content}</details>\n")
}

/// The figures that have one of these names, in their order.
pub(super) fn figures(figures: &[Figure], names: &[&str]) -> String {
    figures.iter().filter(|figure| names.contains(&figure.name)).map(figure).collect()
}

/// A picture in a light and a dark version, with its caption.
fn figure(figure: &Figure) -> String {
    let [light, dark] = [Theme::Light, Theme::Dark].map(|theme| figure.picture.to_svg(theme));
    format!(
        "<figure>\n<div class=\"light\">{light}</div><div class=\"dark\">{dark}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
        escaped(&figure.caption)
    )
}

/// A table whose first column has the row names; numbers are aligned right, text left. Nothing without rows.
pub(super) fn table(table: &Table) -> String {
    let Table { caption, head, rows, foot } = table;
    if rows.is_empty() {
        return String::new();
    }
    let column = |(column, name): (usize, &String)| {
        let class = if column == 0 { "" } else { class(rows, column) };
        format!("<th scope=\"col\"{class}>{}</th>", escaped(name))
    };
    let label = if caption.is_empty() { escaped(&head.join(", ")) } else { escaped(caption) };
    let caption = if caption.is_empty() { String::new() } else { format!("<caption>{label}</caption>\n") };
    let head: String = head.iter().enumerate().map(column).collect();
    let cells = |row: &Vec<String>| cells(rows, row);
    let body: String = rows.iter().map(cells).collect();
    let foot: String = foot.iter().map(cells).collect();
    let foot = if foot.is_empty() { foot } else { format!("<tfoot>\n{foot}</tfoot>\n") };
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table>\n{caption}\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n{foot}</table>\n</div>\n"
    )
}

/// A row of a table of these rows.
fn cells(rows: &[Vec<String>], row: &[String]) -> String {
    let cell = |(column, text): (usize, &String)| match column {
        0 => format!("<th scope=\"row\">{}</th>", escaped(text)),
        _ => format!("<td{}>{}</td>", class(rows, column), escaped(text)),
    };
    format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>())
}

/// The class of a column: text if a cell begins with a letter.
fn class(rows: &[Vec<String>], column: usize) -> &'static str {
    let is_word = |cell: &String| cell.starts_with(|c: char| c.is_alphabetic());
    let is_text = rows.iter().any(|row| row.get(column).is_some_and(is_word));
    if is_text { " class=\"text\"" } else { "" }
}

/// Escapes text for HTML, since labels and file names are arbitrary.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
