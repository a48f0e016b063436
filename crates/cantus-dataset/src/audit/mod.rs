//! What is wrong with a data set before anything is learnt from it.
//!
//! Each file is decoded once ([`examine`]); what that pass brings to light is weighed here: what is wrong with single
//! files ([`Kind`]), which files are one recording, and what is wrong with the classes as a whole. Copies of a
//! recording are the worst of it: on both sides of a split they are learnt by heart and examined, and a copy under two
//! labels cannot be learnt at all (Sturm 2013, "The GTZAN dataset: Its contents, its faults, their effects on
//! evaluation", found both).

mod alignment;
mod classes;
mod duplicates;
mod evidence;
mod exclusion;
mod finding;
mod index;

use cantus_audio::feature::FeatureSpec;
use serde::{Deserialize, Serialize};

pub use duplicates::MAX_BIT_ERROR_RATE;
pub use evidence::{Evidence, examine};
pub use exclusion::{Excluded, Exclusions};
pub use finding::{Finding, Kind};

use duplicates::{Likeness, Match};

/// A file that is audited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called.
    pub path: String,
    /// Its class, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// Its artist tag, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artist: Option<String>,
    /// What was found out about it, or why it cannot be read.
    pub evidence: Result<Evidence, String>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// What is wrong with single files, in the order of the files.
    pub findings: Vec<Finding>,
    /// Recordings that are there more than once.
    pub duplicates: Vec<Copies>,
    /// What is to be said of the classes and artists, a line each.
    pub remarks: Vec<String>,
}

/// A recording that is there more than once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copies {
    /// The files that hold it, in their order.
    pub paths: Vec<String>,
    /// The different labels that they have.
    pub labels: Vec<String>,
    /// Whether all are the same sample for sample.
    pub exact: bool,
    /// The one that an exclusion list keeps: the longest, and the first of these.
    pub kept: String,
}

/// Weighs the evidence; `spec` says how long a segment is.
pub fn audit(subjects: &[Subject], spec: &FeatureSpec) -> Audit {
    let mut findings: Vec<Finding> =
        subjects.iter().flat_map(|subject| finding::findings_of(subject, spec)).collect();
    let evidence: Vec<Option<&Evidence>> =
        subjects.iter().map(|subject| subject.evidence.as_ref().ok()).collect();
    let matches = duplicates::matches(&evidence);
    let recordings = duplicates::recordings(subjects.len(), &matches);
    let duplicates = copies(subjects, &recordings, &matches);
    let members = members(&recordings);
    for (copies, members) in duplicates.iter().zip(&members) {
        // The copy that is kept has nothing wrong with it, unless nobody knows its label.
        let wrong =
            members.iter().filter(|&&place| copies.labels.len() > 1 || subjects[place].path != copies.kept);
        findings.extend(wrong.map(|&place| copy(subjects, place, copies, &matches)));
    }
    let order: std::collections::HashMap<&str, usize> =
        subjects.iter().enumerate().map(|(place, subject)| (subject.path.as_str(), place)).collect();
    findings.sort_by_key(|finding| (order.get(finding.path.as_str()).copied(), finding.kind));
    Audit { findings, duplicates, remarks: classes::remarks(subjects) }
}

/// The places of the files of each recording that is there more than once.
fn members(recordings: &[usize]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); recordings.len()];
    recordings.iter().enumerate().for_each(|(place, recording)| members[*recording].push(place));
    members.retain(|places| places.len() > 1);
    members
}

fn copies(subjects: &[Subject], recordings: &[usize], matches: &[Match]) -> Vec<Copies> {
    let length = |place: &usize| subjects[*place].evidence.as_ref().map_or(0.0, Evidence::duration_s);
    let of_one = |places: Vec<usize>| {
        let mut labels: Vec<String> =
            places.iter().filter_map(|place| subjects[*place].label.clone()).collect();
        labels.sort();
        labels.dedup();
        let near = |pair: &&Match| places.contains(&pair.second) && pair.likeness != Likeness::Exact;
        let longest = places.iter().copied().reduce(|a, b| if length(&b) > length(&a) { b } else { a });
        Copies {
            exact: !matches.iter().any(|pair| near(&pair)),
            kept: longest.map(|place| subjects[place].path.clone()).unwrap_or_default(),
            paths: places.iter().map(|place| subjects[*place].path.clone()).collect(),
            labels,
        }
    };
    members(recordings).into_iter().map(of_one).collect()
}

/// The finding that a file is one of several copies.
fn copy(subjects: &[Subject], place: usize, copies: &Copies, matches: &[Match]) -> Finding {
    let path = subjects[place].path.clone();
    let closest = matches
        .iter()
        .filter(|pair| pair.first == place || pair.second == place)
        .min_by(|a, b| error(a).total_cmp(&error(b)));
    let (kind, detail) = match closest {
        Some(pair) => {
            let other = if pair.first == place { pair.second } else { pair.first };
            let kind = match pair.likeness {
                Likeness::Exact => Kind::ExactDuplicate,
                Likeness::Near { .. } => Kind::NearDuplicate,
            };
            (kind, describe(pair, place, &subjects[other].path))
        }
        None => (Kind::NearDuplicate, String::new()),
    };
    if copies.labels.len() > 1 {
        let detail = format!("{} labels: {}; {detail}", copies.labels.len(), copies.labels.join(", "));
        return Finding { excludes: true, path, kind: Kind::TwoLabels, detail };
    }
    Finding { excludes: true, path, kind, detail }
}

fn error(pair: &Match) -> f64 {
    match pair.likeness {
        Likeness::Exact => -1.0,
        Likeness::Near { bit_error_rate, .. } => bit_error_rate,
    }
}

fn describe(pair: &Match, place: usize, other: &str) -> String {
    match pair.likeness {
        Likeness::Exact => format!("the same samples as {other}"),
        Likeness::Near { bit_error_rate, offset_s, overlap_s } => {
            let offset_s = if pair.first == place { offset_s } else { -offset_s };
            let moved =
                if offset_s.abs() < 0.2 { String::new() } else { format!(", moved by {offset_s:+.1} s") };
            format!(
                "{overlap_s:.0} s of it are in {other}{moved} ({:.1} % of bits differ)",
                100.0 * bit_error_rate
            )
        }
    }
}

impl Audit {
    /// What an exclusion list holds: what nothing can be learnt from, and every copy but one; where the copies have
    /// several labels, all of them, since nobody knows which is right.
    pub fn exclusions(&self) -> Vec<Excluded> {
        let mut rows: Vec<Excluded> = Vec::new();
        for finding in self.findings.iter().filter(|finding| finding.excludes) {
            let reason = format!("{}: {}", finding.kind.name(), finding.detail);
            match rows.last_mut() {
                Some(last) if last.path == finding.path => last.reason += &format!("; {reason}"),
                _ => rows.push(Excluded { path: finding.path.clone(), reason }),
            }
        }
        rows
    }

    /// The recording of each file that has copies: the path of the copy that an exclusion list keeps.
    pub fn recordings(&self) -> Vec<(String, String)> {
        let of_one = |copies: &Copies| {
            copies.paths.iter().map(|path| (path.clone(), copies.kept.clone())).collect::<Vec<_>>()
        };
        let mut rows: Vec<_> = self.duplicates.iter().flat_map(of_one).collect();
        rows.sort();
        rows
    }

    /// The kinds of findings with their numbers of files in one line, such as `3 clipped, 2 silent`; none if there are
    /// none.
    pub fn summary(&self) -> Option<String> {
        let words: Vec<String> =
            self.counts().iter().map(|(kind, n)| format!("{n} {}", kind.name())).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// How many files there are of each kind of finding, in the order of the kinds; kinds without files are left out.
    pub fn counts(&self) -> Vec<(Kind, usize)> {
        let count = |kind: &Kind| self.findings.iter().filter(|finding| finding.kind == *kind).count();
        Kind::ALL.iter().map(|kind| (*kind, count(kind))).filter(|(_, n)| *n > 0).collect()
    }
}

#[cfg(test)]
mod tests;
