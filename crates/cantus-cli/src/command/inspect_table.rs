//! Text report of `cantus inspect`: a table of files, the issues by kind, and a summary, within 100 columns unless the
//! detail of an issue is longer.

use std::collections::BTreeMap;

use cantus::inspection::Inspection;
use cantus_dataset::audit::{Issue, IssueKind};

use crate::output::{count, printable};

/// Width of a line, in columns.
const WIDTH: usize = 100;
/// Columns of a path in the table of files, and in front of an issue.
const PATH_WIDTH: usize = 40;
/// Files of one kind of issue that are listed without `--all`.
const MAX_NAMED: usize = 20;

/// A line for each recording, truncated to the width if `are_cut`, followed by its warnings.
pub fn table(tracks: &[Inspection], are_cut: bool) -> String {
    if tracks.is_empty() {
        return String::new();
    }
    let paths: Vec<String> = tracks.iter().map(|track| printable(&track.path)).collect();
    let widest = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0);
    let width = if are_cut { column(paths.iter().map(String::as_str)) } else { widest }.max(4);
    let mut text = format!(
        "{:width$}  {:<10} {:>7} {:>2} {:>8} {:>8} {:>7}  tags\n",
        "file", "codec", "Hz", "ch", "seconds", "peak dB", "silent"
    );
    for track in tracks {
        let row = row(track, width);
        text += &if are_cut { beginning_of(&row, WIDTH) } else { row };
        text.push('\n');
        for warning in &track.faults {
            text += &format!("  ! {warning}\n");
        }
    }
    text + "\n"
}

fn row(track: &Inspection, width: usize) -> String {
    let peak = track.peak_db.map_or("-inf".to_owned(), |peak| format!("{peak:.1}"));
    let tags = [&track.tags.artist, &track.tags.title, &track.tags.album, &track.tags.genre];
    let tags: Vec<&str> = tags.into_iter().flatten().map(String::as_str).collect();
    let line = format!(
        "{:width$}  {:<10} {:>7} {:>2} {:>8.2} {:>8} {:>6.0}%  {}",
        end_of(&printable(&track.path), width),
        track.codec,
        track.sample_rate,
        track.n_channels,
        track.duration_s,
        peak,
        100.0 * track.silence,
        printable(&tags.join(" · "))
    );
    line.trim_end().to_owned()
}

/// The issues by kind; without `all`, only the first files of each kind.
pub fn issues_by_kind(found: &[Issue], all: bool) -> String {
    let mut text = String::new();
    for kind in IssueKind::ALL {
        let of_kind: Vec<&Issue> = found.iter().filter(|issue| issue.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let n_named = if all { of_kind.len() } else { of_kind.len().min(MAX_NAMED) };
        let width = column(of_kind[..n_named].iter().map(|issue| issue.path.as_str()));
        text += &format!("{}: {}\n", kind.name(), count(of_kind.len(), "file"));
        for issue in &of_kind[..n_named] {
            text += &format!(
                "  {:width$}  {}\n",
                end_of(&printable(&issue.path), width),
                printable(&issue.detail)
            );
        }
        if n_named < of_kind.len() {
            text += &format!("  … and {} more (--all names them)\n", of_kind.len() - n_named);
        }
        text.push('\n');
    }
    text
}

/// Number and length of the recordings, counts of issues, and remarks on the classes.
pub fn summary(
    tracks: &[Inspection],
    n_unread: usize,
    sizes: &BTreeMap<String, usize>,
    found: &[Issue],
    remarks: &[String],
) -> String {
    let seconds: f64 = tracks.iter().map(|track| track.duration_s).sum();
    let mut text = format!("{}, {}", count(tracks.len(), "recording"), duration(seconds));
    if n_unread > 0 {
        text += &format!(", and {n_unread} more that cannot be read");
    }
    if !sizes.is_empty() {
        let classes: Vec<String> = sizes.iter().map(|(label, n)| format!("{label} {n}")).collect();
        text += &format!("; {}: {}", count(sizes.len(), "class"), classes.join(", "));
    }
    let of_kind = |kind: IssueKind| found.iter().filter(|issue| issue.kind == kind).count();
    let kinds: Vec<String> = IssueKind::ALL
        .into_iter()
        .filter(|kind| of_kind(*kind) > 0)
        .map(|kind| format!("{} {}", of_kind(kind), kind.name()))
        .collect();
    text += &if kinds.is_empty() { "\nno issues".to_owned() } else { format!("\n{}", kinds.join(", ")) };
    remarks.iter().for_each(|remark| text += &format!("\n{remark}"));
    text.lines().flat_map(wrapped).collect()
}

/// Widest of some texts, up to [`PATH_WIDTH`].
fn column<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0).min(PATH_WIDTH)
}

/// The end of a text that is too long: of a path, it is more specific than the beginning.
fn end_of(text: &str, width: usize) -> String {
    let n = text.chars().count();
    if n <= width {
        text.to_owned()
    } else {
        format!("…{}", text.chars().skip(n + 1 - width).collect::<String>())
    }
}

fn beginning_of(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(width - 1).collect::<String>().trim_end())
}

/// A text wrapped at spaces into lines, all but the first of them indented.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > WIDTH {
            lines.push(" ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn duration(seconds: f64) -> String {
    let total = seconds.round() as u64;
    match (total / 3600, total / 60 % 60, total % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(number: usize) -> Issue {
        let path = format!("a/very/long/way/to/a/recording/of/the/name/{number:04}.wav");
        Issue { path, kind: IssueKind::Clipped, detail: "0.3 % of samples".to_owned(), excludes: false }
    }

    #[test]
    fn many_issues_of_a_kind_are_truncated_and_stay_within_the_width() {
        let found: Vec<Issue> = (0..30).map(issue).collect();
        let text = issues_by_kind(&found, false);
        assert_eq!(text.lines().count(), 1 + MAX_NAMED + 2);
        assert!(text.contains("clipped: 30 files") && text.contains("… and 10 more (--all names them)"));
        assert!(text.contains("/0000.wav  0.3 %") && text.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(issues_by_kind(&found, true).lines().count(), 1 + 30 + 1);
    }

    #[test]
    fn long_lines_are_wrapped_at_spaces() {
        let lines = wrapped(&"word ".repeat(50));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= WIDTH + 1));
        assert!(lines[1].starts_with("  word"));
    }

    #[test]
    fn durations_and_counts_have_units() {
        assert_eq!([duration(59.6), duration(3725.0), duration(9.0)], ["1 min 0 s", "1 h 2 min", "9 s"]);
        assert_eq!(
            [count(1, "class"), count(2, "class"), count(3, "file")],
            ["1 class", "2 classes", "3 files"]
        );
    }
}
