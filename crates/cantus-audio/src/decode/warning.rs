//! Warnings about damage inside a file that is otherwise decoded: reason, position and extent.

/// Limit on separate warnings per file, so that memory stays bounded for a file that is damaged throughout.
const MAX_WARNINGS: usize = 32;

/// The reason where the average of the channels is silent and the channels are not.
pub const CHANNELS_CANCEL: &str = "the channels cancel each other: their average is silent";
/// The reason where samples are NaN or infinite; they are replaced by 0.
pub const NON_FINITE: &str = "samples are NaN or infinite";
/// The reason where bytes in place of frames are no audio; silence of the frames' length replaces them.
pub(super) const MISSING_FRAMES: &str = "frames are missing: the bytes in their place are no audio";

/// Damage inside a file that was replaced by silence or skipped.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DecodeWarning {
    /// Where it begins, in samples at the file's sample rate.
    pub position: u64,
    /// Number of samples that are silent or missing because of it; 0 if unknown.
    pub n_samples: u64,
    /// Number of consecutive occurrences.
    pub count: u64,
    /// What is wrong there.
    pub reason: String,
    /// Whether decoding ended here, before the end that the header declares.
    pub is_end: bool,
}

impl std::fmt::Display for DecodeWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at sample {}: {}", self.position, self.reason)?;
        if self.count > 1 { write!(f, " ({} times)", self.count) } else { Ok(()) }
    }
}

/// The warnings of one file in order of position; adjacent warnings with the same reason are merged.
#[derive(Debug, Default)]
pub(super) struct WarningList {
    list: Vec<DecodeWarning>,
}

impl WarningList {
    /// Adds a warning, or extends the last one if it has the same reason and is adjacent.
    pub(super) fn add(&mut self, position: u64, n_samples: u64, reason: impl Into<String>) {
        let reason = reason.into();
        let is_full = self.list.len() == MAX_WARNINGS;
        match self.list.last_mut() {
            Some(last) if last.reason == reason && position <= last.position + last.n_samples => {
                last.n_samples += n_samples;
                last.count += 1;
            }
            Some(last) if is_full => {
                last.n_samples += n_samples;
                last.count += 1;
                last.reason = "further damage of several kinds".into();
            }
            _ => self.list.push(DecodeWarning { position, n_samples, count: 1, reason, is_end: false }),
        }
    }

    /// Adds a warning that decoding ends here.
    pub(super) fn end(&mut self, position: u64, n_samples: u64, reason: String) {
        self.add(position, n_samples, reason);
        if let Some(last) = self.list.last_mut() {
            last.is_end = true;
        }
    }

    pub(super) fn list(&self) -> &[DecodeWarning] {
        &self.list
    }

    pub(super) fn into_list(self) -> Vec<DecodeWarning> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_warnings_with_the_same_reason_are_merged() {
        let mut warnings = WarningList::default();
        warnings.add(1152, 1152, "bad frame");
        warnings.add(2304, 1152, "bad frame");
        warnings.add(9216, 1152, "bad frame");
        let found: Vec<_> = warnings
            .list()
            .iter()
            .map(|warning| (warning.position, warning.n_samples, warning.count))
            .collect();
        assert_eq!(found, [(1152, 2304, 2), (9216, 1152, 1)]);
        assert_eq!(warnings.list()[0].to_string(), "at sample 1152: bad frame (2 times)");
    }

    #[test]
    fn the_list_is_bounded_and_still_counts() {
        let mut warnings = WarningList::default();
        for i in 0..1000 {
            warnings.add(i * 100, 1, "bad frame");
        }
        assert_eq!(warnings.list().len(), MAX_WARNINGS);
        assert_eq!(warnings.list().iter().map(|warning| warning.count).sum::<u64>(), 1000);
        assert_eq!(warnings.list().iter().map(|warning| warning.n_samples).sum::<u64>(), 1000);
    }
}
