//! Converts parts of a file that have another sample rate than the output.

use crate::resample::{ResampleStream, Resampler};

/// Converts blocks of any sample rate to one.
pub(super) struct RateConverter {
    /// Sample rate of the last block, in Hz.
    pub(super) rate: u32,
    /// `None` while the rate is that of the output.
    stream: Option<ResampleStream>,
}

impl RateConverter {
    /// A converter at the start of a part of this rate.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, stream: None }
    }

    /// Ends the current part and begins one of another rate; returns the rest of the current one.
    pub(super) fn change(&mut self, rate: u32) -> Vec<f32> {
        let mut rest = Vec::new();
        self.finish(&mut rest);
        self.rate = rate;
        rest
    }

    /// Converts the next block of the current part to `to` Hz in place.
    pub(super) fn convert(&mut self, to: u32, block: &mut Vec<f32>) {
        if self.rate == to {
            return;
        }
        let plan = || ResampleStream::new(Resampler::new(self.rate, to));
        let mut converted = Vec::new();
        self.stream.get_or_insert_with(plan).push(block, &mut converted);
        *block = converted;
    }

    /// Ends the current part and appends the rest of it.
    pub(super) fn finish(&mut self, converted: &mut Vec<f32>) {
        if let Some(stream) = self.stream.take() {
            stream.finish(converted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_several_rates_have_their_lengths_at_the_output_rate() {
        let mut converter = RateConverter::new(22_050);
        let mut found = Vec::new();
        for (rate, n_blocks) in [(22_050, 10), (44_100, 10), (22_050, 3)] {
            found.extend(converter.change(rate));
            for _ in 0..n_blocks {
                let mut block = vec![0.5; 576];
                converter.convert(44_100, &mut block);
                found.extend(block);
            }
        }
        converter.finish(&mut found);
        assert_eq!(found.len(), 2 * 5760 + 5760 + 2 * 3 * 576);
        assert!(found[3000..8000].iter().all(|x| (x - 0.5).abs() < 1e-3));
    }
}
