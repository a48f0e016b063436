//! Scores, confidence intervals, counts and times as text.

use cantus_metrics::Interval;

/// A share of 1 in percent, with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The confidence interval of a share, in percent; with the number of independent groups if the unit is not the track.
pub(super) fn percent_interval(interval: Interval, n_groups: Option<usize>) -> String {
    let (low, high) = (100.0 * interval.low, 100.0 * interval.high);
    format!("(95 % CI {low:.0}–{high:.0}{})", over(n_groups))
}

/// A score between 0 and 1, with three decimals.
pub(super) fn decimal(score: f64) -> String {
    format!("{score:.3}")
}

/// The same, or a dash without a score.
pub(super) fn decimal_or_dash(score: Option<f64>) -> String {
    score.map_or("–".to_owned(), decimal)
}

/// The confidence interval of a score between 0 and 1; with the number of independent groups if the unit is not the track.
/// Empty without an interval.
pub(super) fn decimal_interval(interval: Option<Interval>, n_groups: Option<usize>) -> String {
    let text = |i: Interval| format!("(95 % CI {:.2}–{:.2}{})", i.low, i.high, over(n_groups));
    interval.map(text).unwrap_or_default()
}

fn over(n_groups: Option<usize>) -> String {
    n_groups.map(|n| format!(" over {}", counted(n, "group"))).unwrap_or_default()
}

/// A count with its unit, in the plural unless it is 1.
pub(super) fn counted(n: usize, unit: &str) -> String {
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// A count with a comma between groups of three digits.
pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// A start time in seconds; empty if it is not known.
pub(super) fn start_time(start_s: Option<f64>) -> String {
    start_s.map_or(String::new(), |start| format!("{start:.1} s"))
}

/// Start and end in seconds; a dash if they are not known.
pub(super) fn time_range(start_s: Option<f64>, end_s: Option<f64>) -> String {
    match (start_s, end_s) {
        (Some(start), Some(end)) => format!("{start:.1}–{end:.1} s"),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_013_828].map(thousands), ["0", "999", "1,000", "1,013,828"]);
    }
}
