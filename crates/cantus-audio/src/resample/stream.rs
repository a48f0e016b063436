//! Sample-rate conversion of a signal in blocks, in memory that does not depend on its length.

use super::{Resampler, Scratch};

/// Resamples a signal that arrives in blocks; the output equals [`Resampler::process`] of the whole bit for bit.
pub struct ResampleStream {
    plan: Resampler,
    scratch: Scratch,
    /// Input samples that the next blocks need.
    pending: Vec<f32>,
    /// Position of `pending` in the signal.
    start: usize,
    /// Number of blocks resampled.
    n_blocks: usize,
}

impl ResampleStream {
    /// A stream at the start of a signal.
    #[must_use]
    pub fn new(plan: Resampler) -> Self {
        Self { scratch: Scratch::new(&plan), plan, pending: Vec::new(), start: 0, n_blocks: 0 }
    }

    /// Takes the next samples of the signal and appends the output that depends on no later ones to `resampled`.
    pub fn push(&mut self, samples: &[f32], resampled: &mut Vec<f32>) {
        self.pending.extend_from_slice(samples);
        while self.start + self.pending.len() >= self.block_end() {
            resampled.extend_from_slice(self.next_block());
        }
        self.discard_used();
    }

    /// Ends the signal and appends the remaining output.
    pub fn finish(mut self, resampled: &mut Vec<f32>) {
        let n_samples = self.start + self.pending.len();
        let (n_out, n_computed) = (self.plan.n_out(n_samples), self.plan.n_computed(n_samples));
        while self.n_blocks * self.plan.hop_out() < n_computed {
            let n_wanted = self.plan.hop_out().min(n_computed - self.n_blocks * self.plan.hop_out());
            resampled.extend_from_slice(&self.next_block()[..n_wanted]);
        }
        resampled.resize(resampled.len() + n_out - n_computed, 0.0);
    }

    /// End of the input samples on which the next block depends.
    fn block_end(&self) -> usize {
        self.n_blocks * self.plan.hop_in() + self.plan.forward.n_fft() - self.plan.overlap_in
    }

    fn next_block(&mut self) -> &[f32] {
        let start = self.n_blocks * self.plan.hop_in() - self.start;
        self.n_blocks += 1;
        self.plan.process_block(&self.pending, start, &mut self.scratch)
    }

    /// Discards the samples before the next block.
    fn discard_used(&mut self) {
        let needed_from = (self.n_blocks * self.plan.hop_in()).saturating_sub(self.plan.overlap_in);
        self.pending.drain(..needed_from - self.start);
        self.start = needed_from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_any_length_give_the_same_bits_as_the_whole() {
        let signal: Vec<f32> =
            (0..90_000).map(|n| (n as f32 * 0.37).sin() * (n as f32 * 0.011).cos()).collect();
        for (from, to) in [(44_100, 22_050), (48_000, 22_050), (16_000, 22_050), (22_050, 48_000)] {
            let plan = Resampler::new(from, to);
            for (n_samples, block) in [(90_000, 1152), (90_000, 40_000), (20_000, 1), (7, 3), (0, 1)] {
                let (mut stream, mut found) = (ResampleStream::new(plan.clone()), Vec::new());
                for samples in signal[..n_samples].chunks(block) {
                    stream.push(samples, &mut found);
                }
                stream.finish(&mut found);
                assert!(
                    found == plan.process(&signal[..n_samples]),
                    "{from} to {to}, {n_samples} in blocks of {block}"
                );
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_signal() {
        let mut stream = ResampleStream::new(Resampler::new(44_100, 22_050));
        let mut resampled = Vec::new();
        for _ in 0..1000 {
            stream.push(&[0.5; 1152], &mut resampled);
            resampled.clear();
            assert!(stream.pending.len() <= stream.plan.forward.n_fft() + 1152);
        }
    }
}
