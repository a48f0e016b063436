//! A signal that comes piece by piece, resampled in memory that does not depend on its length.

use super::{Resampler, Scratch, take_block};

/// Resamples what is pushed into it, with the same bits as [`Resampler::process`] of the whole.
pub struct ResampleStream {
    plan: Resampler,
    scratch: Scratch,
    /// What the blocks to come still need of what was pushed.
    pending: Vec<f32>,
    /// Where `pending` begins in the signal.
    start: usize,
    /// Blocks that were transformed.
    n_blocks: usize,
}

impl ResampleStream {
    /// Nothing was pushed yet.
    #[must_use]
    pub fn new(plan: Resampler) -> Self {
        Self { scratch: Scratch::new(&plan), plan, pending: Vec::new(), start: 0, n_blocks: 0 }
    }

    /// The next samples of the signal; whatever can be resampled by now is added to `resampled`.
    pub fn push(&mut self, samples: &[f32], resampled: &mut Vec<f32>) {
        self.pending.extend_from_slice(samples);
        while self.start + self.pending.len() >= self.block_end() {
            self.transform();
            resampled.extend_from_slice(&self.scratch.output[self.plan.overlap_out..][..self.plan.hop_out()]);
        }
        self.forget();
    }

    /// The end of the signal: adds what was waiting for more.
    pub fn finish(mut self, resampled: &mut Vec<f32>) {
        let n_out = self.plan.n_out(self.start + self.pending.len());
        while self.n_blocks * self.plan.hop_out() < n_out {
            let n_wanted = self.plan.hop_out().min(n_out - self.n_blocks * self.plan.hop_out());
            self.transform();
            resampled.extend_from_slice(&self.scratch.output[self.plan.overlap_out..][..n_wanted]);
        }
    }

    /// The sample behind the last one on which the next block depends.
    fn block_end(&self) -> usize {
        self.n_blocks * self.plan.hop_in() + self.plan.forward.len() - self.plan.overlap_in
    }

    fn transform(&mut self) {
        let at = self.n_blocks * self.plan.hop_in() - self.start;
        take_block(&self.pending, at, self.plan.overlap_in, &mut self.scratch.input);
        self.plan.transform(&mut self.scratch);
        self.n_blocks += 1;
    }

    /// Drops what lies before the next block.
    fn forget(&mut self) {
        let needed_from = (self.n_blocks * self.plan.hop_in()).saturating_sub(self.plan.overlap_in);
        self.pending.drain(..needed_from - self.start);
        self.start = needed_from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole() {
        let signal: Vec<f32> =
            (0..90_000).map(|n| (n as f32 * 0.37).sin() * (n as f32 * 0.011).cos()).collect();
        for (from, to) in [(44_100, 22_050), (48_000, 22_050), (16_000, 22_050)] {
            let plan = Resampler::new(from, to);
            for (n_samples, piece) in [(90_000, 1152), (90_000, 40_000), (20_000, 1), (7, 3), (0, 1)] {
                let (mut stream, mut found) = (ResampleStream::new(plan.clone()), Vec::new());
                for samples in signal[..n_samples].chunks(piece) {
                    stream.push(samples, &mut found);
                }
                stream.finish(&mut found);
                assert!(
                    found == plan.process(&signal[..n_samples]),
                    "{from} to {to}, {n_samples} by {piece}"
                );
            }
        }
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_signal() {
        let mut stream = ResampleStream::new(Resampler::new(44_100, 22_050));
        let mut resampled = Vec::new();
        for _ in 0..1000 {
            stream.push(&[0.5; 1152], &mut resampled);
            resampled.clear();
            assert!(stream.pending.len() <= stream.plan.forward.len() + 1152);
        }
    }
}
