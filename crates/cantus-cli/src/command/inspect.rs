//! `cantus inspect`: metadata and audit of recordings: damage, silence, clipping, duplicates, classes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use cantus::input_files::{self, Failed, Listing};
use cantus::inspection::{Inspection, inspect};
use cantus_audio::feature::FeatureSpec;
use cantus_dataset::audit::{
    Audit, AuditedFile, ClassRemark, DuplicateGroup, Excluded, Exclusions, FileAnalysis, Issue, audit,
};
use cantus_dataset::{Durations, SegmentFit};
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::inspect_table::{issues_by_kind, summary, table};
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Audit recordings: damage, silence, clipping, channels, duplicates, classes; show codec, rate, tags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus inspect song.mp3
      codec, sample rate, channels, peak, tags, and findings
  cantus inspect MUSIC
      findings in MUSIC/<label>/**/<audio file>
  cantus inspect tracks.csv
      findings in the recordings of a manifest: path,label or path,labels
  cantus inspect MUSIC --all
      list every recording, too
  cantus inspect MUSIC --exclusions bad.csv && cantus extract MUSIC --exclude bad.csv -o features
  cantus inspect MUSIC --json | jq '.tracks[] | select(.findings != [])'

Duplicates are found by acoustic fingerprint: the same recording under another name, encoded \
again, cut, or shifted in time. `cantus extract` finds them, too, and every split keeps them in one part. An \
exclusion list contains files that cannot be used (unreadable, silent, shorter than a segment) and all \
copies of a recording except the longest; if the copies have several labels, all of them. It may be edited.")]
pub struct Inspect {
    /// Audio files, folders of them, or a manifest CSV
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// List every recording, not only those with findings
    #[arg(long)]
    all: bool,
    /// One JSON document instead of a table
    #[arg(long)]
    json: bool,
    /// Write a list of files to leave out, path and reason, for `cantus extract --exclude`
    #[arg(long, value_name = "FILE")]
    exclusions: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    tracks: Vec<Inspection>,
    failed: Vec<Failed>,
    findings: Vec<Issue>,
    duplicates: Vec<DuplicateGroup>,
    remarks: Vec<String>,
}

impl Inspect {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let (listing, labels) = recordings(&self.paths)?;
        listing.remark().iter().for_each(|remark| output::note(remark));
        let bar = progress::bar("inspect", listing.files.len(), global.quiet);
        let inspected = Inspected::new(listing, labels, &interrupt::flag(), &|| bar.inc(1));
        bar.finish_and_clear();
        let Some(Inspected { tracks, audited, failed }) = inspected else {
            return Ok(output::stopped());
        };
        let durations = Durations::from_seconds(tracks.iter().map(|track| track.duration_s));
        let SegmentFit { spec, reason } = SegmentFit::new(&FeatureSpec::course(), &durations);
        let audit = audit(&audited, &spec);
        let sizes = sizes(&audited);
        drop(audited);
        self.write_exclusions(&audit, &failed)?;
        let lengths = format!("durations: {}\n`cantus extract` makes {reason}", durations.in_words());
        self.print(Document::new(tracks, failed, audit), &sizes, &lengths)
    }

    /// Prints the document as JSON or text; `lengths` are lines on the durations.
    fn print(
        &self,
        document: Document,
        sizes: &BTreeMap<String, usize>,
        lengths: &str,
    ) -> anyhow::Result<Outcome> {
        let outcome = Outcome::of_job(document.tracks.len(), document.failed.len());
        if self.json {
            output::json(&document)?;
            return Ok(outcome);
        }
        let Document { tracks, failed, findings: found, remarks, .. } = &document;
        let mut text = String::new();
        let is_folder = self.paths.iter().any(|path| path.is_dir() || is_manifest(path));
        if self.all || !is_folder {
            text += &table(tracks, is_folder);
        }
        text += &issues_by_kind(&self.shortened(found), self.all);
        if tracks.len() > 1 {
            let remarks: Vec<String> = std::iter::once(lengths.to_owned()).chain(remarks.clone()).collect();
            text += &summary(tracks, failed.len(), sizes, found, &remarks);
        }
        output::print(&text)?;
        output::failures(failed);
        Ok(outcome)
    }

    /// The findings with paths relative to the folder, if a single folder or manifest was given.
    fn shortened(&self, found: &[Issue]) -> Vec<Issue> {
        let root = root(&self.paths).filter(|root| !root.as_os_str().is_empty());
        let Some(root) = root else { return found.to_vec() };
        let prefix = format!("{}/", root.display().to_string().trim_end_matches('/'));
        let short = |finding: &Issue| Issue {
            path: finding.path.replacen(&prefix, "", 1),
            detail: finding.detail.replace(&prefix, ""),
            ..finding.clone()
        };
        found.iter().map(short).collect()
    }

    fn write_exclusions(&self, audit: &Audit, failed: &[Failed]) -> anyhow::Result<()> {
        let Some(list) = &self.exclusions else { return Ok(()) };
        let mut rows = audit.exclusions();
        let known: BTreeSet<String> = rows.iter().map(|row| row.path.clone()).collect();
        let beside = failed.iter().filter(|failed| !known.contains(&failed.path));
        rows.extend(
            beside.map(|Failed { path, reason }| Excluded { path: path.clone(), reason: reason.clone() }),
        );
        if let Some(root) = root(&self.paths) {
            rows.iter_mut().for_each(|row| row.path = below(root, Path::new(&row.path)));
        }
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        Exclusions::write(list, &rows)?;
        output::note(&format!("{} to leave out in {}", output::count(rows.len(), "file"), list.display()));
        Ok(())
    }
}

/// The audit of recordings in a folder or a manifest as the JSON document of `cantus inspect --json`.
///
/// `None` if `stop` was set by another thread before the end.
///
/// # Errors
/// If there are no recordings, or the manifest is malformed. A file that cannot be decoded is listed in the document.
pub fn audit_document(path: &Path, stop: &AtomicBool) -> anyhow::Result<Option<String>> {
    let (listing, labels) = recordings(&[path.to_path_buf()])?;
    let Some(inspected) = Inspected::new(listing, labels, stop, &|| ()) else { return Ok(None) };
    let Inspected { tracks, audited, failed } = inspected;
    let durations = Durations::from_seconds(tracks.iter().map(|track| track.duration_s));
    let SegmentFit { spec, .. } = SegmentFit::new(&FeatureSpec::course(), &durations);
    let document = Document::new(tracks, failed, audit(&audited, &spec));
    Ok(Some(serde_json::to_string(&document)?))
}

/// The recordings after each has been decoded.
struct Inspected {
    tracks: Vec<Inspection>,
    audited: Vec<AuditedFile>,
    failed: Vec<Failed>,
}

impl Inspected {
    /// Inspects the files in parallel and calls `done` after each; `None` if `stop` was set before the end.
    fn new(
        listing: Listing,
        labels: Vec<Option<String>>,
        stop: &AtomicBool,
        done: &(dyn Fn() + Sync),
    ) -> Option<Self> {
        let Listing { files, failed, .. } = listing;
        let results: Vec<_> = files
            .par_iter()
            .with_max_len(1)
            .filter(|_| !stop.load(Ordering::SeqCst))
            .map(|path| (path, inspect(path)))
            .inspect(|_| done())
            .collect();
        if stop.load(Ordering::SeqCst) {
            return None;
        }
        let mut inspected = Self { tracks: Vec::new(), audited: Vec::new(), failed };
        for ((path, result), label) in results.into_iter().zip(labels) {
            let (track, analysis) = match result {
                Ok((track, analysis)) => (Some(track), Ok(analysis)),
                Err(error) => (None, Err(Failed::new(path, &error))),
            };
            inspected.audited.push(audited_file(path, label.clone(), track.as_ref(), &analysis));
            inspected.failed.extend(analysis.err());
            inspected.tracks.extend(track.map(|track| Inspection { label, ..track }));
        }
        Some(inspected)
    }
}

impl Document {
    fn new(mut tracks: Vec<Inspection>, failed: Vec<Failed>, audit: Audit) -> Self {
        let Audit { issues: findings, duplicates, remarks } = audit;
        let remarks = remarks.iter().map(with_advice).collect();
        let mut by_path: BTreeMap<&str, Vec<Issue>> = BTreeMap::new();
        findings.iter().for_each(|finding| by_path.entry(&finding.path).or_default().push(finding.clone()));
        tracks.iter_mut().for_each(|track| {
            track.findings = by_path.remove(track.path.as_str()).unwrap_or_default();
        });
        Self { tracks, failed, findings, duplicates, remarks }
    }
}

fn audited_file(
    path: &Path,
    label: Option<String>,
    track: Option<&Inspection>,
    analysis: &Result<FileAnalysis, Failed>,
) -> AuditedFile {
    AuditedFile {
        path: path.display().to_string(),
        label,
        artist: track.and_then(|track| track.tags.artist.clone()),
        analysis: analysis.clone().map_err(|failed| failed.reason),
    }
}

/// A remark, and the option that acts on it.
fn with_advice(remark: &ClassRemark) -> String {
    match remark {
        ClassRemark::ArtistsWithManyFiles { .. } => {
            format!(
                "{remark}: cantus train keeps artists whole if most files name one, with --group artist always"
            )
        }
        _ => remark.to_string(),
    }
}

/// The recordings behind paths, and the label of each, where it is known.
fn recordings(paths: &[PathBuf]) -> anyhow::Result<(Listing, Vec<Option<String>>)> {
    match paths {
        [manifest] if is_manifest(manifest) => {
            let entries = cantus_dataset::read_manifest(manifest)?;
            let (files, labels) = entries.into_iter().map(|entry| (entry.path, entry.class)).unzip();
            Ok((Listing { files, ..Listing::default() }, labels))
        }
        paths => {
            let manifest = paths.iter().find(|path| is_manifest(path));
            let alone = |path: &PathBuf| WrongUsage(format!("{}: give a manifest alone", path.display()));
            manifest.map(alone).map_or(Ok(()), Err)?;
            let listing = input_files::recordings(paths)?;
            let labels = labels(paths, &listing.files);
            Ok((listing, labels))
        }
    }
}

/// Whether a path is a file with the name of a manifest.
fn is_manifest(path: &Path) -> bool {
    cantus_dataset::is_manifest(path) && path.is_file()
}

/// Root of the data set, if a single folder or manifest was given.
fn root(paths: &[PathBuf]) -> Option<&Path> {
    match paths {
        [path] if path.is_dir() => Some(path),
        [path] if is_manifest(path) => path.parent(),
        _ => None,
    }
}

/// The path relative to a folder, as in the catalogue of the folder.
fn below(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The label of each file: the first folder below a single root, if there are at least two.
fn labels(paths: &[PathBuf], files: &[PathBuf]) -> Vec<Option<String>> {
    let label = |path: &PathBuf| {
        let below = below(root(paths)?, path);
        below.split_once('/').map(|(label, _)| label.to_owned())
    };
    let labels: Vec<Option<String>> = files.iter().map(label).collect();
    let is_data_set = labels.iter().flatten().collect::<BTreeSet<_>>().len() > 1;
    if is_data_set { labels } else { vec![None; files.len()] }
}

fn sizes(files: &[AuditedFile]) -> BTreeMap<String, usize> {
    let mut sizes = BTreeMap::new();
    files
        .iter()
        .filter_map(|file| file.label.clone())
        .for_each(|label| *sizes.entry(label).or_default() += 1);
    sizes
}
