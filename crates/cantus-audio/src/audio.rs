//! A mono signal and its sample rate: what every function of this crate takes or gives.

/// Mono sound in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Amplitudes, nominally in [-1, 1].
    pub samples: Vec<f32>,
    /// Samples per second, in Hz.
    pub sample_rate: u32,
}

impl Audio {
    /// Length in seconds.
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate)
    }

    /// Whether every sample is zero: a recording in which there is nothing to hear.
    pub fn is_silent(&self) -> bool {
        self.samples.iter().all(|&sample| sample == 0.0)
    }
}
