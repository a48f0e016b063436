//! A mono signal with its sample rate.

/// A mono signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Amplitudes, nominally in [-1, 1].
    pub samples: Vec<f32>,
    /// Samples per second, in Hz.
    pub sample_rate: u32,
}

impl Audio {
    /// Duration in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate)
    }

    /// Whether every sample is zero.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.samples.iter().all(|&sample| sample == 0.0)
    }
}
