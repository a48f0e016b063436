//! The sequence of a recurrent layer: its shape, its direction, and its layout by time.
//!
//! A sequence has the layout `[examples, time, numbers]`, but a recurrent layer proceeds through time: it stores what it needs
//! as `[time, examples, numbers]`, so that the numbers of one step, or of several, of all examples are contiguous. The
//! products with the input do not depend on earlier steps and are computed for a *chunk* of steps at once, whose results are
//! still in the cache when its steps read them.

use std::ops::Range;

use super::LayerId;
use crate::error::Error;

/// The shape of a recurrent layer and its direction in time.
#[derive(Debug, Clone)]
pub(super) struct Recurrence {
    pub(super) n_steps: usize,
    pub(super) n_inputs: usize,
    pub(super) units: usize,
    pub(super) return_sequences: bool,
    /// From the last step to the first.
    pub(super) backwards: bool,
    pub(super) output_shape: Vec<usize>,
}

/// Numbers of a chunk's gates, so that they fit into the cache.
const CHUNK: usize = 65_536;

impl Recurrence {
    pub(super) fn new(
        input_shape: &[usize],
        units: usize,
        return_sequences: bool,
        id: LayerId<'_>,
    ) -> Result<Self, Error> {
        id.at_least_one("units", units)?;
        let &[n_steps, n_inputs] = input_shape else {
            return Err(id.shape(input_shape, "a sequence, [time, numbers]"));
        };
        let output_shape = if return_sequences { vec![n_steps, units] } else { vec![units] };
        Ok(Self { n_steps, n_inputs, units, return_sequences, backwards: false, output_shape })
    }

    /// The same with the reversed direction.
    pub(super) fn backwards(self) -> Self {
        Self { backwards: true, ..self }
    }

    /// All steps in chunks, for `rows` examples with `width` gates each.
    pub(super) fn chunks(
        &self,
        rows: usize,
        width: usize,
    ) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let (n_steps, len) = (self.n_steps, (CHUNK / (rows * width).max(1)).max(1));
        (0..n_steps.div_ceil(len)).map(move |i| i * len..n_steps.min((i + 1) * len))
    }

    /// The position in the sequence at step `t`.
    fn position(&self, t: usize) -> usize {
        if self.backwards { self.n_steps - 1 - t } else { t }
    }

    /// Copies the inputs of some steps, `[examples, time, n_inputs]`, to `[steps, examples, n_inputs]`.
    pub(super) fn gather(&self, x: &[f32], steps: Range<usize>, to: &mut [f32]) {
        let n = self.n_inputs;
        let rows = x.len() / (self.n_steps * n);
        for (t, to) in steps.zip(to.chunks_exact_mut(rows * n)) {
            for (x, to) in x.chunks_exact(self.n_steps * n).zip(to.chunks_exact_mut(n)) {
                to.copy_from_slice(&x[self.position(t) * n..(self.position(t) + 1) * n]);
            }
        }
    }

    /// The inverse of [`Self::gather`].
    pub(super) fn scatter(&self, from: &[f32], steps: Range<usize>, x: &mut [f32]) {
        let n = self.n_inputs;
        let rows = x.len() / (self.n_steps * n);
        for (t, from) in steps.zip(from.chunks_exact(rows * n)) {
            for (x, from) in x.chunks_exact_mut(self.n_steps * n).zip(from.chunks_exact(n)) {
                x[self.position(t) * n..(self.position(t) + 1) * n].copy_from_slice(from);
            }
        }
    }

    /// Writes the state after step `t` to the output, if it is part of it.
    pub(super) fn put_output(&self, t: usize, state: &[f32], y: &mut [f32]) {
        let Some((len, at)) = self.output_offset(t) else { return };
        for (y, state) in y.chunks_exact_mut(len).zip(state.chunks_exact(self.units)) {
            y[at..at + self.units].copy_from_slice(state);
        }
    }

    /// Adds the output's gradient at step `t` to the state's, if the state is part of the output.
    pub(super) fn add_output_gradient(&self, t: usize, dy: &[f32], d_state: &mut [f32]) {
        let Some((len, at)) = self.output_offset(t) else { return };
        for (dy, d_state) in dy.chunks_exact(len).zip(d_state.chunks_exact_mut(self.units)) {
            d_state.iter_mut().zip(&dy[at..at + self.units]).for_each(|(d, dy)| *d += dy);
        }
    }

    /// The length of an example's output and the start of the state after step `t` in it.
    fn output_offset(&self, t: usize) -> Option<(usize, usize)> {
        if self.return_sequences {
            Some((self.n_steps * self.units, self.position(t) * self.units))
        } else {
            (t + 1 == self.n_steps).then_some((self.units, 0))
        }
    }
}

/// Numbers of one step of `[time, examples, width]`.
pub(super) fn at(t: usize, step_len: usize) -> Range<usize> {
    t * step_len..(t + 1) * step_len
}

/// Numbers of some steps.
pub(super) fn during(steps: &Range<usize>, step_len: usize) -> Range<usize> {
    steps.start * step_len..steps.end * step_len
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::noise;

    #[test]
    fn chunks_cover_all_steps_in_order() {
        let recurrence = Recurrence::new(&[130, 13], 64, true, LayerId { path: "", kind: "" }).unwrap();
        let steps: Vec<usize> = recurrence.chunks(16, 256).flatten().collect();
        assert_eq!(steps, (0..130).collect::<Vec<_>>());
        assert!(recurrence.chunks(16, 256).all(|chunk| chunk.len() <= 16));
        assert_eq!(recurrence.chunks(1_000_000, 256).count(), 130);
    }

    #[test]
    fn gathering_and_scattering_are_inverse_in_both_directions() {
        let forwards = Recurrence::new(&[5, 2], 3, true, LayerId { path: "", kind: "" }).unwrap();
        let x = noise(4 * 5 * 2, 1);
        for recurrence in [forwards.clone(), forwards.backwards()] {
            let (mut to, mut back) = (vec![0.0; 4 * 3 * 2], x.clone());
            recurrence.gather(&x, 1..4, &mut to);
            back.fill(0.0);
            recurrence.scatter(&to, 1..4, &mut back);
            let kept = back.iter().zip(&x).filter(|(a, b)| a == b).count();
            assert_eq!(kept, 4 * 3 * 2);
        }
    }

    #[test]
    fn an_image_is_rejected() {
        let error =
            Recurrence::new(&[130, 13, 1], 3, true, LayerId { path: "layers.0", kind: "LSTM" }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layers.0 (LSTM) needs a sequence, [time, numbers], but its input has shape [130, 13, 1]"
        );
    }
}
