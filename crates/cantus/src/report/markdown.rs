//! A report as Markdown; its pictures are linked from the folder `plots/` beside it.

use super::facts::facts;
use super::format::sentence;
use super::{Figure, FoldTable, ReportContext, Table};

/// What differs between the reports of classes and of tags.
pub(super) struct MarkdownParts<'a> {
    /// Name, value and note of the headline scores.
    pub(super) scores: Vec<[String; 3]>,
    /// In a cross-validation.
    pub(super) folds: Option<FoldTable<'a>>,
    /// Title and table of the scores by label.
    pub(super) labels: (&'static str, Table),
    /// The wrong predictions with the highest confidence.
    pub(super) mistakes: Table,
}

/// The report of this content with links to its figures.
pub(super) fn markdown(context: &ReportContext<'_>, figures: &[Figure], parts: &MarkdownParts<'_>) -> String {
    let scores = parts.scores.iter().map(|row| row.to_vec());
    let folds = parts.folds.as_ref().map(|folds| folds.to_table("±")).unwrap_or_default();
    let (title, labels) = &parts.labels;
    let facts = facts(context).into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    let noise = context.noise.map(|noise| {
        format!("{}{}.\n", section("Sounds of no class", &noise.table()), {
            "\n".to_owned() + &escaped(&noise.in_words())
        })
    });
    let remark = |remark: &String| format!("\n> {}\n", escaped(remark));
    let link = |figure: &Figure| format!("\n![{}](plots/{}.svg)\n", escaped(&figure.caption), figure.name);
    [
        format!("# {}\n\n", escaped(&context.model.recipe)),
        context.groups().map(|groups| format!("{}\n\n", sentence(&groups))).unwrap_or_default(),
        table(&Table::new("", &["score", "", ""], scores)),
        context.coverage().iter().chain(context.remarks).map(remark).collect(),
        section("Folds", &folds),
        section(title, labels),
        figures.iter().map(link).collect(),
        section("Most confident mistakes", &parts.mistakes),
        noise.unwrap_or_default(),
        section("How it was made", &Table::new("", &["", ""], facts)),
    ]
    .concat()
}

/// A table with its title; nothing without rows.
fn section(title: &str, content: &Table) -> String {
    if content.rows.is_empty() {
        return String::new();
    }
    format!("\n## {title}\n\n{}", table(content))
}

fn table(table: &Table) -> String {
    let line = |cells: &Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(table.head.len()));
    let rows: String = table.all_rows().map(line).collect();
    line(&table.head) + &rule + &rows
}

/// Escapes text for a table cell, since labels and file names are arbitrary.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Before a space it begins no tag.
            '<' if chars.peek() == Some(&' ') => out.push(c),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::EvaluationReport;
    use crate::report::samples::{class_report, tag_report};

    #[test]
    fn table_rows_have_equal_numbers_of_cells_for_any_label() {
        let label = "rock | roll\n`x`";
        let reports = [
            EvaluationReport::Classes(Box::new(class_report(label))),
            EvaluationReport::Tags(Box::new(tag_report(label))),
        ];
        for report in reports {
            let text = report.to_markdown(&[]);
            assert_even_tables(&text);
            assert!(text.contains("rock \\| roll \\`x\\`"), "{text}");
        }
    }

    #[test]
    fn a_report_does_not_contain_the_time_that_the_training_took() {
        for [mut quick, mut slow] in [
            [0, 1].map(|_| EvaluationReport::Classes(Box::new(class_report("a")))),
            [0, 1].map(|_| EvaluationReport::Tags(Box::new(tag_report("a")))),
        ] {
            quick.took(Some(0.25));
            slow.took(Some(98_765.4));
            assert_eq!(quick.to_markdown(&[]), slow.to_markdown(&[]));
            assert_eq!(quick.to_html(&[]), slow.to_html(&[]));
            assert_eq!(quick.to_text(), slow.to_text());
        }
    }

    /// Asserts that every row of a table has as many cells as the others.
    fn assert_even_tables(text: &str) {
        let mut n_cells = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                n_cells = None;
                continue;
            }
            let n = line.replace("\\|", "").matches('|').count();
            assert_eq!(*n_cells.get_or_insert(n), n, "{line}");
        }
    }

    #[test]
    fn only_a_less_than_sign_before_a_space_is_not_escaped() {
        assert_eq!(escaped("<b> p < 0.001"), "\\<b\\> p < 0.001");
    }
}
