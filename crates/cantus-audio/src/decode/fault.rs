//! Damage inside a file that costs less than the file: what it was, where, and how much of it.

/// Most faults that are told one by one; a file that is damaged throughout does not fill the memory with complaints.
const MAX_FAULTS: usize = 32;

/// Damage inside a file that cost less than the file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fault {
    /// Where it begins, in samples at the file's own rate.
    pub position: u64,
    /// How many samples are silent or missing because of it; 0 if that is unknown.
    pub n_samples: u64,
    /// How often it happened in a row.
    pub count: u64,
    /// What was wrong there.
    pub reason: String,
    /// Whether the sound ends here before its time.
    pub is_end: bool,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at sample {}: {}", self.position, self.reason)?;
        if self.count > 1 { write!(f, " ({} times)", self.count) } else { Ok(()) }
    }
}

/// The faults of one file in the order of their positions, neighbours with one reason told as one.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    /// Adds a fault, or lengthens the last one if this is the same once more.
    pub(super) fn add(&mut self, position: u64, n_samples: u64, reason: impl Into<String>) {
        let reason = reason.into();
        let is_full = self.list.len() == MAX_FAULTS;
        match self.list.last_mut() {
            Some(last) if last.reason == reason && position <= last.position + last.n_samples => {
                last.n_samples += n_samples;
                last.count += 1;
            }
            Some(last) if is_full => {
                last.n_samples += n_samples;
                last.count += 1;
                last.reason = "further faults, of one kind or another".into();
            }
            _ => self.list.push(Fault { position, n_samples, count: 1, reason, is_end: false }),
        }
    }

    /// Adds that the sound ends here before its time.
    pub(super) fn end(&mut self, position: u64, n_samples: u64, reason: String) {
        self.add(position, n_samples, reason);
        if let Some(last) = self.list.last_mut() {
            last.is_end = true;
        }
    }

    pub(super) fn list(&self) -> &[Fault] {
        &self.list
    }

    pub(super) fn into_list(self) -> Vec<Fault> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_with_one_reason_are_one_fault() {
        let mut faults = Faults::default();
        faults.add(1152, 1152, "bad frame");
        faults.add(2304, 1152, "bad frame");
        faults.add(9216, 1152, "bad frame");
        let told: Vec<_> =
            faults.list().iter().map(|fault| (fault.position, fault.n_samples, fault.count)).collect();
        assert_eq!(told, [(1152, 2304, 2), (9216, 1152, 1)]);
        assert_eq!(faults.list()[0].to_string(), "at sample 1152: bad frame (2 times)");
    }

    #[test]
    fn the_list_is_bounded_and_still_counts() {
        let mut faults = Faults::default();
        for i in 0..1000 {
            faults.add(i * 100, 1, "bad frame");
        }
        assert_eq!(faults.list().len(), MAX_FAULTS);
        assert_eq!(faults.list().iter().map(|fault| fault.count).sum::<u64>(), 1000);
        assert_eq!(faults.list().iter().map(|fault| fault.n_samples).sum::<u64>(), 1000);
    }
}
