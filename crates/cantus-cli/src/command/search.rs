//! `cantus search`: the recordings of a feature store that are most similar to given recordings.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use cantus::input_files::{self, Failed, Listing};
use cantus::similarity::{Match, RecordingVector, SearchUnit, SimilaritySearch, recording_vector};
use cantus_dataset::FeatureStore;
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Find the recordings of a feature store that are most similar to given ones
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus search features song.mp3
      the ten most similar tracks, with their similarities and labels
  cantus search features NEW -k 3 --csv > similar.csv
  cantus search features song.mp3 --segments
      the most similar segments, with their times
  cantus search features song.mp3 --json | jq -r '.queries[].matches[].path'

Similarity is the cosine of two vectors, from -1 to 1. The vector of a segment is the mean of its features over its \
frames, that of a track or a query the mean over its segments. Each value v is standardised first, z = (v - mean) / \
deviation, with mean and deviation over the segments of the store, so that features in Hz do not outweigh others; \
values that are the same in all segments are left out:

  similarity(a, b) = sum(z_a z_b) / sqrt(sum(z_a^2) sum(z_b^2))

The search is exact. Memory use does not grow with the feature store. A query that is in the store is found, too, with \
a similarity of 1.")]
pub struct Search {
    /// Feature store, as `cantus extract` writes it
    features: PathBuf,
    /// Audio files, or folders of them
    #[arg(required = true, value_name = "QUERY")]
    queries: Vec<PathBuf>,
    /// Number of matches of each query, the most similar first
    #[arg(long, short = 'k', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Rank segments instead of tracks
    #[arg(long)]
    segments: bool,
    /// One JSON document: every query with its matches
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV: query, rank, similarity, labels, path; of segments also start_s
    #[arg(long)]
    csv: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document {
    queries: Vec<Query>,
    failed: Vec<Failed>,
}

/// A query and its matches, the most similar first.
#[derive(Debug, Serialize)]
struct Query {
    path: String,
    matches: Vec<Found>,
}

/// A track or segment of the store.
#[derive(Debug, Serialize)]
struct Found {
    /// Path of the recording, as in the store.
    path: String,
    labels: Vec<String>,
    similarity: f64,
    /// Start of the segment, in seconds; `None` for a track, or if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_s: Option<f64>,
    /// End of the segment, in seconds.
    #[serde(skip)]
    end_s: Option<f64>,
}

impl Search {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let store = FeatureStore::open(&self.features)?;
        let listing = input_files::recordings(&self.queries)?;
        listing.remark().iter().for_each(|remark| output::note(remark));
        let Listing { files, mut failed, .. } = listing;
        let vectors = vectors(&store, &files, &mut failed, global)?;
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        let document = Document { queries: self.search(&store, vectors)?, failed };
        self.print(&document)?;
        Ok(Outcome::of_job(document.queries.len(), document.failed.len()))
    }

    /// The matches of all queries.
    fn search(&self, store: &FeatureStore, queries: Vec<(&Path, Vec<f64>)>) -> anyhow::Result<Vec<Query>> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let search = SimilaritySearch::new(store)?;
        ensure!(
            search.n_values() > 0,
            "{}: all segments have the same features, so that no similarity is defined",
            self.features.display()
        );
        let (paths, vectors): (Vec<&Path>, Vec<Vec<f64>>) = queries.into_iter().unzip();
        let unit = if self.segments { SearchUnit::Segment } else { SearchUnit::Track };
        let matches = search.query(&vectors, self.top as usize, unit)?;
        let query = |(path, matches): (&Path, Vec<Match>)| Query {
            path: path.display().to_string(),
            matches: matches.into_iter().map(|found| Found::new(store, found)).collect(),
        };
        Ok(paths.into_iter().zip(matches).map(query).collect())
    }

    fn print(&self, document: &Document) -> anyhow::Result<()> {
        if self.json {
            return output::json(document);
        }
        match self.csv {
            true => output::exact(&csv(&document.queries, self.segments)?)?,
            false => output::print(&table(&document.queries))?,
        }
        output::failures(&document.failed);
        Ok(())
    }
}

/// The vectors of the queries, extracted as the store's features were; files that cannot be used are added to `failed`.
fn vectors<'a>(
    store: &FeatureStore,
    files: &'a [PathBuf],
    failed: &mut Vec<Failed>,
    global: &Global,
) -> anyhow::Result<Vec<(&'a Path, Vec<f64>)>> {
    let extractor = store.spec().extractor()?;
    let bar = progress::bar("search", files.len(), global.quiet);
    let results: Vec<_> = files
        .par_iter()
        .with_max_len(1)
        .filter(|_| !interrupt::requested())
        .map_init(|| extractor.clone(), |extractor, path| (path.as_path(), recording_vector(path, extractor)))
        .inspect(|_| bar.inc(1))
        .collect();
    bar.finish_and_clear();
    let mut vectors = Vec::new();
    for (path, result) in results {
        match result {
            Ok(RecordingVector { vector, warnings }) => {
                warnings.iter().for_each(|warning| output::note(&format!("{}: {warning}", path.display())));
                vectors.push((path, vector));
            }
            Err(error) => failed.push(output::failure(path, &error.into())),
        }
    }
    Ok(vectors)
}

impl Found {
    fn new(store: &FeatureStore, Match { track, segment, similarity }: Match) -> Self {
        let spec = store.spec();
        let segment_s = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
        let start_s = segment.and_then(|segment| store.segment_start_s(segment));
        let track = &store.tracks()[track];
        Self {
            path: track.path.clone(),
            labels: track.labels.iter().map(|&label| store.labels()[label].clone()).collect(),
            similarity,
            start_s,
            end_s: start_s.map(|start_s| start_s + segment_s),
        }
    }

    /// The labels in a line; a track may have no tag.
    fn labels_in_words(&self) -> String {
        if self.labels.is_empty() { "–".to_owned() } else { output::printable(&self.labels.join(", ")) }
    }

    /// The path, and the time of a segment.
    fn path_in_words(&self) -> String {
        let path = output::printable(&self.path);
        match (self.start_s, self.end_s) {
            (Some(start_s), Some(end_s)) => format!("{path}  {start_s:.2}–{end_s:.2} s"),
            _ => path,
        }
    }
}

/// For each query its path, and a line for each match: rank, similarity, labels, path, time of the segment.
fn table(queries: &[Query]) -> String {
    let found = || queries.iter().flat_map(|query| &query.matches);
    let n_most = queries.iter().map(|query| query.matches.len()).max().unwrap_or(0);
    let rank_width = n_most.to_string().len().max(2);
    let label_width = found().map(|found| found.labels_in_words().chars().count()).max().unwrap_or(0);
    let of_query = |Query { path, matches }: &Query| {
        let row = |(index, found): (usize, &Found)| {
            format!(
                "{:>rank_width$}  {:>6.3}  {:label_width$}  {}\n",
                index + 1,
                found.similarity,
                found.labels_in_words(),
                found.path_in_words()
            )
        };
        let rows: String = matches.iter().enumerate().map(row).collect();
        format!("{}\n{rows}", output::printable(path))
    };
    queries.iter().map(of_query).collect::<Vec<_>>().join("\n")
}

/// A row for each match; `start_s` only for segments.
fn csv(queries: &[Query], has_segments: bool) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut columns = vec!["query", "rank", "similarity", "labels", "path"];
    columns.extend(has_segments.then_some("start_s"));
    writer.write_record(columns)?;
    for Query { path: query, matches } in queries {
        for (index, Found { path, labels, similarity, start_s, .. }) in matches.iter().enumerate() {
            let (rank, similarity) = ((index + 1).to_string(), similarity.to_string());
            let start_s =
                has_segments.then(|| start_s.map(|start_s| format!("{start_s:.6}")).unwrap_or_default());
            let row = [query.clone(), rank, similarity, labels.join(";"), path.clone()];
            writer.write_record(row.into_iter().chain(start_s))?;
        }
    }
    String::from_utf8(writer.into_inner()?).context("a path is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, labels: &[&str], similarity: f64, time: Option<(f64, f64)>) -> Found {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let (start_s, end_s) = time.unzip();
        Found { path: path.to_owned(), labels, similarity, start_s, end_s }
    }

    fn queries(is_segment: bool) -> Vec<Query> {
        let time = is_segment.then_some((1.5, 4.5));
        let matches = vec![
            found("jazz/1.wav", &["jazz"], 1.0, time),
            found("rock/a,2.wav", &["rock", "slow"], -0.25, time),
            found("3.wav", &[], -0.5, time),
        ];
        vec![Query { path: "a.wav".to_owned(), matches }]
    }

    #[test]
    fn the_table_has_a_line_for_each_match() {
        let expected = "\
a.wav
 1   1.000  jazz        jazz/1.wav
 2  -0.250  rock, slow  rock/a,2.wav
 3  -0.500  –           3.wav
";
        assert_eq!(table(&queries(false)), expected);
        assert!(table(&queries(true)).contains("jazz/1.wav  1.50–4.50 s\n"));
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn csv_has_a_row_for_each_match() {
        let expected = "\
query,rank,similarity,labels,path
a.wav,1,1,jazz,jazz/1.wav
a.wav,2,-0.25,rock;slow,\"rock/a,2.wav\"
a.wav,3,-0.5,,3.wav
";
        assert_eq!(csv(&queries(false), false).unwrap(), expected);
        let text = csv(&queries(true), true).unwrap();
        assert!(
            text.starts_with(
                "query,rank,similarity,labels,path,start_s\na.wav,1,1,jazz,jazz/1.wav,1.500000\n"
            )
        );
        assert!(csv(&queries(false), true).unwrap().contains("a.wav,3,-0.5,,3.wav,\n"), "time not known");
    }

    #[test]
    fn json_has_the_time_of_segments_only() {
        let json = |is_segment| serde_json::to_value(&queries(is_segment)[0].matches[1]).unwrap();
        let expected = serde_json::json!({
            "path": "rock/a,2.wav", "labels": ["rock", "slow"], "similarity": -0.25,
        });
        assert_eq!(json(false), expected);
        assert_eq!(json(true)["start_s"], 1.5);
    }
}
