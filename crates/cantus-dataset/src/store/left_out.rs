//! What an extraction left out: numbers of recordings by reason and by label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// Recordings that a store lacks, since they could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeftOut {
    /// Number of recordings of the data set, with those that are left out.
    pub n_recordings: usize,
    /// Number left out for each reason, the most frequent first.
    pub by_reason: Vec<ReasonCount>,
    /// Number left out of each label that lacks any.
    pub by_label: BTreeMap<String, usize>,
}

/// How many recordings were left out for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason without the numbers of a single recording, such as `too short`.
    pub reason: String,
    /// Number of recordings.
    pub n: usize,
}

impl LeftOut {
    /// Counts failures and their labels; `n_usable` is the number of recordings that are not left out.
    pub(crate) fn count(n_usable: usize, failures: &[Failure], labels: &[String]) -> Self {
        let (mut by_reason, mut by_label) = (BTreeMap::new(), BTreeMap::new());
        failures.iter().for_each(|failure| *by_reason.entry(failure.kind()).or_insert(0) += 1);
        labels.iter().for_each(|label| *by_label.entry(label.clone()).or_insert(0) += 1);
        let mut by_reason: Vec<ReasonCount> =
            by_reason.into_iter().map(|(reason, n)| ReasonCount { reason: reason.to_owned(), n }).collect();
        by_reason.sort_by_key(|count| std::cmp::Reverse(count.n));
        Self { n_recordings: n_usable + failures.len(), by_reason, by_label }
    }

    /// Whether no recording is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// Number of recordings left out.
    #[must_use]
    pub fn n(&self) -> usize {
        self.by_reason.iter().map(|count| count.n).sum()
    }

    /// One line: how many recordings are used, and how many are left out for which reasons; `None` if none is.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let n = self.n();
        let reasons = self.by_reason.iter().map(|count| format!("{} {}", count.n, count.reason));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        (n > 0).then(|| {
            format!("{} of {} recordings used; left out: {reasons}", self.n_recordings - n, self.n_recordings)
        })
    }

    /// Number left out of each label, as one line; `None` if none is.
    #[must_use]
    pub fn labels_summary(&self) -> Option<String> {
        let labels = self.by_label.iter().map(|(label, n)| format!("{label} {n}"));
        (!self.by_label.is_empty()).then(|| labels.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_counted_by_reason_and_label() {
        let short = "too short: it lasts 0.10 s, and a segment takes 3.00 s";
        let reasons = ["silent: every sample is zero", short, "too short: it lasts 0.20 s", "not audio"];
        let failure = |reason: &str| Failure { path: "a.wav".to_owned(), reason: reason.to_owned() };
        let labels = ["rock", "jazz", "rock", "rock"].map(str::to_owned);
        let left_out = LeftOut::count(6, &reasons.map(failure), &labels);
        assert_eq!(
            left_out.summary().unwrap(),
            "6 of 10 recordings used; left out: 2 too short, 1 not audio, 1 silent"
        );
        assert_eq!(left_out.labels_summary().unwrap(), "jazz 1, rock 3");
        let none = LeftOut::count(6, &[], &[]);
        assert_eq!((none.n(), none.summary(), none.labels_summary()), (0, None, None));
    }
}
