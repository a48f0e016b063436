//! `cantus store info`: what a store contains.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use cantus_dataset::{Counts, StoreInfo, store_info};
use clap::Args;

use crate::command::byte_size::in_words;
use crate::output::{self, Outcome};

/// What a feature store contains: features, labels, groups, segments, sizes
#[derive(Debug, Args)]
pub struct Info {
    /// Feature store
    store: PathBuf,
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

/// Maximum number of groups that are listed; `--json` has all.
const MAX_GROUPS: usize = 20;

impl Info {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let info = store_info(&self.store)?;
        if self.json {
            output::json(&info)?;
        } else {
            output::print(&text(&info))?;
        }
        Ok(Outcome::Done)
    }
}

fn text(info: &StoreInfo) -> String {
    let StoreInfo { format, version, source, shard, shape, n_tracks, n_segments, n_parts, .. } = info;
    let kinds: Vec<&str> = info.features.kinds.iter().map(|kind| kind.name()).collect();
    let count = output::count;
    let mut lines =
        vec![("format", format!("{format}, extracted by cantus {version}")), ("recordings", source.clone())];
    lines.extend(shard.map(|shard| ("shard", shard.to_string())));
    lines.push(("features", format!("{}, {} x {} per segment", kinds.join(" + "), shape.0, shape.1)));
    lines.push(("content", format!("{} of {}", count(*n_segments, "segment"), count(*n_tracks, "track"))));
    lines.extend(further_lines(info));
    let (parts, all) = (in_words(info.part_bytes), in_words(info.total_bytes));
    lines.push(("size", format!("{}, {parts}; all files {all}", count(*n_parts, "part"))));
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<11} {value}");
    }
    let what = if info.tagging { "tag" } else { "class" };
    add_counts(&mut text, what, &info.labels, usize::MAX);
    add_counts(&mut text, "group", &info.groups, MAX_GROUPS);
    text
}

/// What only some stores have.
fn further_lines(info: &StoreInfo) -> Vec<(&'static str, String)> {
    let count = output::count;
    let mut lines = Vec::new();
    if info.n_copied_segments > 0 {
        lines.push(("copies", format!("{} of altered copies", count(info.n_copied_segments, "segment"))));
    }
    if info.n_dropped > 0 {
        lines.push(("dropped", count(info.n_dropped, "short segment")));
    }
    if info.n_failures > 0 {
        lines.push(("left out", format!("{} without features", count(info.n_failures, "file"))));
    }
    let duplicates = match (info.audited, info.n_duplicates) {
        (false, _) => "no audit".to_owned(),
        (true, 0) => "no duplicates".to_owned(),
        (true, n) => format!("{} of recordings with several files", count(n, "track")),
    };
    lines.push(("audit", duplicates));
    lines
}

/// A table of tracks and segments by name; the names with most tracks, if there are too many.
fn add_counts(text: &mut String, what: &str, counts: &BTreeMap<String, Counts>, max: usize) {
    if counts.is_empty() {
        return;
    }
    let mut rows: Vec<(&String, &Counts)> = counts.iter().collect();
    if rows.len() > max {
        rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.n_tracks));
        rows.truncate(max);
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(what.len());
    let _ = writeln!(text, "\n{what:<width$}  {:>8}  {:>8}", "tracks", "segments");
    for (name, Counts { n_tracks, n_segments }) in &rows {
        let _ = writeln!(text, "{name:<width$}  {n_tracks:>8}  {n_segments:>8}");
    }
    if rows.len() < counts.len() {
        let _ = writeln!(text, "and {} more; --json has all", counts.len() - rows.len());
    }
}
