//! Audit of a data set before training: issues of single files, duplicates, and class imbalance.
//!
//! Each file is decoded once ([`analyze_file`]); the audit works on the analyses. Duplicates are the most severe issue: if
//! they are in training and test, the test score is too high, and a recording with two labels cannot be classified
//! correctly.
//!
//! # Reference
//! B. L. Sturm, "The GTZAN dataset: Its contents, its faults, their effects on evaluation, and its future use", 2013.

mod alignment;
mod class_remarks;
mod duplicates;
mod exclusion;
mod file_analysis;
mod index;
mod issue;

use std::collections::HashMap;

use cantus_audio::feature::FeatureSpec;
use serde::Serialize;

pub use class_remarks::ClassRemark;
pub use duplicates::MAX_BIT_ERROR_RATE;
pub use exclusion::{Excluded, Exclusions};
pub(crate) use file_analysis::analyze;
pub use file_analysis::{AuditedFile, FileAnalysis, analyze_file};
pub use issue::{Issue, IssueKind};

use duplicates::{DuplicateKind, DuplicatePair};

/// Result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// Issues of single files, in the order of the files. `findings` in JSON.
    #[serde(rename = "findings")]
    pub issues: Vec<Issue>,
    /// Recordings with several files.
    pub duplicates: Vec<DuplicateGroup>,
    /// Remarks on classes and artists.
    pub remarks: Vec<ClassRemark>,
}

/// A recording with several files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuplicateGroup {
    /// The files, in their order.
    pub paths: Vec<String>,
    /// Their distinct labels.
    pub labels: Vec<String>,
    /// Whether all files have equal samples.
    pub exact: bool,
    /// The file that an exclusion list does not contain: the first of the longest.
    pub kept: String,
}

/// Audits files; `spec` determines the length of a segment.
#[must_use]
pub fn audit(files: &[AuditedFile], spec: &FeatureSpec) -> Audit {
    let mut issues: Vec<Issue> = files.iter().flat_map(|file| issue::file_issues(file, spec)).collect();
    let analyses: Vec<Option<&FileAnalysis>> = files.iter().map(|file| file.analysis.as_ref().ok()).collect();
    let pairs = duplicates::duplicate_pairs(&analyses);
    let recordings = duplicates::recordings(files.len(), &pairs);
    let duplicates = duplicate_groups(files, &recordings, &pairs);
    let members = members(&recordings);
    for (group, members) in duplicates.iter().zip(&members) {
        // The kept file has no issue, unless the correct label is unknown.
        let with_issue =
            members.iter().filter(|&&file| group.labels.len() > 1 || files[file].path != group.kept);
        issues.extend(with_issue.map(|&file| duplicate_issue(files, file, group, &pairs)));
    }
    let order: HashMap<&str, usize> =
        files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
    issues.sort_by_key(|issue| (order.get(issue.path.as_str()).copied(), issue.kind));
    Audit { issues, duplicates, remarks: class_remarks::class_remarks(files) }
}

/// The files of each recording with several files.
fn members(recordings: &[usize]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); recordings.len()];
    recordings.iter().enumerate().for_each(|(file, recording)| members[*recording].push(file));
    members.retain(|files| files.len() > 1);
    members
}

fn duplicate_groups(
    files: &[AuditedFile],
    recordings: &[usize],
    pairs: &[DuplicatePair],
) -> Vec<DuplicateGroup> {
    let duration_s = |file: &usize| files[*file].analysis.as_ref().map_or(0.0, FileAnalysis::duration_s);
    let group = |members: Vec<usize>| {
        let mut labels: Vec<String> = members.iter().filter_map(|file| files[*file].label.clone()).collect();
        labels.sort();
        labels.dedup();
        let is_near =
            |pair: &DuplicatePair| members.contains(&pair.second) && pair.kind != DuplicateKind::Exact;
        let longest =
            members.iter().copied().reduce(|a, b| if duration_s(&b) > duration_s(&a) { b } else { a });
        DuplicateGroup {
            exact: !pairs.iter().any(is_near),
            kept: longest.map(|file| files[file].path.clone()).unwrap_or_default(),
            paths: members.iter().map(|file| files[*file].path.clone()).collect(),
            labels,
        }
    };
    members(recordings).into_iter().map(group).collect()
}

/// The issue that a file is a duplicate.
fn duplicate_issue(
    files: &[AuditedFile],
    file: usize,
    group: &DuplicateGroup,
    pairs: &[DuplicatePair],
) -> Issue {
    let path = files[file].path.clone();
    let closest = pairs
        .iter()
        .filter(|pair| pair.first == file || pair.second == file)
        .min_by(|a, b| difference(a).total_cmp(&difference(b)));
    let (kind, detail) = match closest {
        Some(pair) => {
            let other = if pair.first == file { pair.second } else { pair.first };
            let kind = match pair.kind {
                DuplicateKind::Exact => IssueKind::ExactDuplicate,
                DuplicateKind::Near { .. } => IssueKind::NearDuplicate,
            };
            (kind, describe(pair, file, &files[other].path))
        }
        None => (IssueKind::NearDuplicate, String::new()),
    };
    if group.labels.len() > 1 {
        let detail = format!("{} labels: {}; {detail}", group.labels.len(), group.labels.join(", "));
        return Issue { excludes: true, path, kind: IssueKind::TwoLabels, detail };
    }
    Issue { excludes: true, path, kind, detail }
}

/// Bit error rate of a pair; less than any for equal samples.
fn difference(pair: &DuplicatePair) -> f64 {
    match pair.kind {
        DuplicateKind::Exact => -1.0,
        DuplicateKind::Near { bit_error_rate, .. } => bit_error_rate,
    }
}

fn describe(pair: &DuplicatePair, file: usize, other: &str) -> String {
    match pair.kind {
        DuplicateKind::Exact => format!("the same samples as {other}"),
        DuplicateKind::Near { bit_error_rate, offset_s, overlap_s } => {
            let offset_s = if pair.first == file { offset_s } else { -offset_s };
            let shift =
                if offset_s.abs() < 0.2 { String::new() } else { format!(", shifted by {offset_s:+.1} s") };
            format!(
                "{overlap_s:.0} s of it are in {other}{shift} ({:.1} % of bits differ)",
                100.0 * bit_error_rate
            )
        }
    }
}

impl Audit {
    /// Files to exclude: those useless for training, and all duplicates but the kept one, or all of them if their labels
    /// differ, because the correct label is unknown.
    #[must_use]
    pub fn exclusions(&self) -> Vec<Excluded> {
        let mut rows: Vec<Excluded> = Vec::new();
        for issue in self.issues.iter().filter(|issue| issue.excludes) {
            let reason = format!("{}: {}", issue.kind.name(), issue.detail);
            match rows.last_mut() {
                Some(last) if last.path == issue.path => last.reason += &format!("; {reason}"),
                _ => rows.push(Excluded { path: issue.path.clone(), reason }),
            }
        }
        rows
    }

    /// (path, recording) of each duplicate, sorted; the recording is the path of the kept file.
    #[must_use]
    pub fn recordings(&self) -> Vec<(String, String)> {
        let pairs = |group: &DuplicateGroup| {
            group.paths.iter().map(|path| (path.clone(), group.kept.clone())).collect::<Vec<_>>()
        };
        let mut rows: Vec<_> = self.duplicates.iter().flat_map(pairs).collect();
        rows.sort();
        rows
    }

    /// Kinds of issues and their numbers of files in one line, such as `3 clipped, 2 silent`; `None` without issues.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let counts: Vec<String> =
            self.counts().iter().map(|(kind, n)| format!("{n} {}", kind.name())).collect();
        (!counts.is_empty()).then(|| counts.join(", "))
    }

    /// Number of files of each kind of issue, in the order of the kinds, without kinds that do not occur.
    #[must_use]
    pub fn counts(&self) -> Vec<(IssueKind, usize)> {
        let count = |kind: &IssueKind| self.issues.iter().filter(|issue| issue.kind == *kind).count();
        IssueKind::ALL.iter().map(|kind| (*kind, count(kind))).filter(|(_, n)| *n > 0).collect()
    }
}

#[cfg(test)]
mod tests;
