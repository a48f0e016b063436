//! Average: the mean of the outputs of several networks that were trained separately, an ensemble as one layer.
//!
//! y = (f₁(x) + … + fₙ(x)) / n, where each f is some layers, one after another, on some ranges of the last axis of x.
//!
//! For inference only: a common gradient would train the branches as one network, whose errors are no longer independent.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::elementwise::add;
use crate::error::Error;
use crate::layer::{
    BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Parameter, Weights,
    size,
};
use crate::micro_batch::{self, BLOCK};

/// The mean of the outputs of several branches, for inference only.
///
/// # Shapes
/// - input `[..., n_bins]`; output: that of each branch, which must be the same
/// - weights: those of the branches' layers, as `branches.0.layers.0.…`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Average {
    /// At least one.
    pub branches: Vec<Branch>,
}

/// A network of an [`Average`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Ranges [start, end) of the input's last axis that the branch reads, concatenated in this order; all of it if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<[usize; 2]>,
    /// First to last, any layers; a BatchNormalization uses its moving statistics.
    pub layers: Vec<LayerSpec>,
}

impl Average {
    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<AverageLayer, Error> {
        id.at_least_one("branches", self.branches.len())?;
        let (mut branches, mut memory) = (Vec::new(), BufferSizes::default());
        let mut output_shape: Option<Vec<usize>> = None;
        for (b, branch) in self.branches.iter().enumerate() {
            let path = format!("{}.branches.{b}", id.path);
            let (built, shape) = branch.build(input_shape, LayerId { path: &path, ..id })?;
            let first = output_shape.get_or_insert_with(|| shape.clone());
            if *first != shape {
                let got = format!("{first:?} of branches.0 and {shape:?} of branches.{b}");
                return Err(id.setting("output shape", got, "the same for all branches"));
            }
            let needed = built.buffer_sizes();
            memory.scratch = memory.scratch.max(needed.scratch);
            memory.scratch_per_row = memory.scratch_per_row.max(needed.scratch_per_row);
            branches.push(built);
        }
        let output_shape = output_shape.unwrap_or_default();
        Ok(AverageLayer { branches, memory, input_len: size(input_shape), output_shape })
    }
}

impl Branch {
    /// The branch for the input of the whole layer, and its output shape; `id` has the path of the branch.
    fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<(BuiltBranch, Vec<usize>), Error> {
        id.at_least_one("layers", self.layers.len())?;
        let Some((&n_bins, outer)) = input_shape.split_last() else {
            return Err(id.shape(input_shape, "at least one axis"));
        };
        for &[start, end] in &self.bins {
            if start >= end {
                return Err(id.setting("bins", format!("[{start}, {end}]"), "a range of at least one bin"));
            }
            if end > n_bins {
                return Err(id.shape(input_shape, format!("bins {start} to {end} in its last axis")));
            }
        }
        let bins: Vec<Range<usize>> = self.bins.iter().map(|&[start, end]| start..end).collect();
        let n_read = bins.iter().map(Range::len).fold(0, usize::saturating_add);
        let mut shape = [outer, &[if bins.is_empty() { n_bins } else { n_read }]].concat();
        id.check_size(&shape)?;
        let n_gathered = if bins.is_empty() { 0 } else { size(&shape) };
        let (mut layers, mut memory) = (Vec::new(), BufferSizes::default());
        let (mut n_weights, mut widest, mut many_rows) = (0, 0, false);
        for (i, spec) in self.layers.iter().enumerate() {
            let layer = spec.build(&shape, &format!("{}.layers.{i}", id.path))?;
            shape = layer.output_shape().to_vec();
            let needed = layer.buffer_sizes();
            memory.cached = memory.cached.max(needed.cached);
            memory.scratch = memory.scratch.max(needed.scratch);
            memory.scratch_per_row = memory.scratch_per_row.max(needed.scratch_per_row);
            let output_len = size(&shape);
            widest = widest.max(output_len);
            many_rows |= layer.prefers_many_rows();
            let start = n_weights;
            n_weights += layer.parameters().iter().map(Parameter::len).sum::<usize>();
            layers.push(Inner { layer, weights: start..n_weights, output_len });
        }
        let rows = micro_batch::rows(widest, many_rows);
        let rows_at_once = if rows == BLOCK { usize::MAX } else { rows };
        Ok((BuiltBranch { bins, n_bins, n_gathered, layers, n_weights, widest, memory, rows_at_once }, shape))
    }
}

/// An [`Average`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct AverageLayer {
    branches: Vec<BuiltBranch>,
    memory: BufferSizes,
    /// Of one example.
    input_len: usize,
    output_shape: Vec<usize>,
}

/// A [`Branch`] for the input of the whole layer.
#[derive(Debug)]
struct BuiltBranch {
    bins: Vec<Range<usize>>,
    /// The length of the input's last axis.
    n_bins: usize,
    /// Numbers of one example in `bins`; 0 if the branch reads the whole input.
    n_gathered: usize,
    layers: Vec<Inner>,
    n_weights: usize,
    /// The largest output of a layer for one example.
    widest: usize,
    /// The largest of its layers' buffers.
    memory: BufferSizes,
    /// Examples that go through the layers at once: all of a call, or as many as fit into the cache. As in the inference of the
    /// branch alone, so that its outputs have the same bits.
    rows_at_once: usize,
}

/// A layer of a branch.
#[derive(Debug)]
struct Inner {
    layer: Box<dyn Layer>,
    /// Within the weights of the branch.
    weights: Range<usize>,
    output_len: usize,
}

impl BuiltBranch {
    /// All is scratch space, what its layers would keep for a backward pass too.
    fn buffer_sizes(&self) -> BufferSizes {
        let BufferSizes { cached, scratch_per_row, scratch } = self.memory;
        let per_row = self.n_gathered + 2 * self.widest + cached + scratch_per_row;
        if self.rows_at_once == usize::MAX {
            BufferSizes { cached: 0, scratch_per_row: per_row, scratch }
        } else {
            BufferSizes { cached: 0, scratch_per_row: 0, scratch: self.rows_at_once * per_row + scratch }
        }
    }

    /// Writes the outputs for `rows` examples to `y`, or adds them.
    fn forward(
        &self,
        rows: usize,
        weights: &[f32],
        x: &[f32],
        y: &mut [f32],
        adds: bool,
        scratch: &mut [f32],
    ) {
        let (gathered, scratch) = scratch.split_at_mut(rows * self.n_gathered);
        let (mut before, scratch) = scratch.split_at_mut(rows * self.widest);
        let (mut after, scratch) = scratch.split_at_mut(rows * self.widest);
        let (cached, scratch) = scratch.split_at_mut(rows * self.memory.cached);
        let mut values: &[f32] = if self.bins.is_empty() {
            x
        } else {
            self.gather(x, gathered);
            gathered
        };
        let context = BatchContext { rows, first_row: 0, training: false, skips_activation: false, key: 0 };
        for inner in self.layers.iter().filter(|inner| !inner.layer.is_view()) {
            let sizes = inner.layer.buffer_sizes();
            let cache = ForwardCache {
                cached: &mut cached[..rows * sizes.cached],
                scratch: &mut scratch[..sizes.scratch_len(rows)],
            };
            let weights = Weights { values: &weights[inner.weights.clone()], derived: &[] };
            let output = &mut after[..rows * inner.output_len];
            if rows == 1 {
                inner.layer.forward_one(&context, weights, values, output, cache);
            } else {
                inner.layer.forward(&context, weights, values, output, cache);
            }
            std::mem::swap(&mut before, &mut after);
            values = &before[..rows * inner.output_len];
        }
        if adds { add(y, values) } else { y.copy_from_slice(values) }
    }

    /// Copies its bins, in their order.
    fn gather(&self, x: &[f32], gathered: &mut [f32]) {
        let mut start = 0;
        for row in x.chunks_exact(self.n_bins) {
            for bins in &self.bins {
                gathered[start..start + bins.len()].copy_from_slice(&row[bins.clone()]);
                start += bins.len();
            }
        }
    }
}

impl Layer for AverageLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        for (b, branch) in self.branches.iter().enumerate() {
            for (i, inner) in branch.layers.iter().enumerate() {
                all.extend(inner.layer.parameters().into_iter().map(|parameter| {
                    let name = format!("branches.{b}.layers.{i}.{}", parameter.name);
                    Parameter { name, trainable: false, ..parameter }
                }));
            }
        }
        all
    }

    fn buffer_sizes(&self) -> BufferSizes {
        self.memory
    }

    fn forward(
        &self,
        _: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (input_len, output_len) = (self.input_len, size(&self.output_shape));
        let mut weights = weights.values;
        for (b, branch) in self.branches.iter().enumerate() {
            let (own, others) = weights.split_at(branch.n_weights);
            weights = others;
            let [inputs, outputs] =
                [input_len, output_len].map(|len| len.saturating_mul(branch.rows_at_once));
            for (x, y) in x.chunks(inputs).zip(y.chunks_mut(outputs)) {
                branch.forward(x.len() / input_len, own, x, y, b > 0, cache.scratch);
            }
        }
        let n = self.branches.len() as f32;
        y.iter_mut().for_each(|y| *y /= n);
    }

    /// Never called, since no network with this layer is trained; without a gradient.
    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        if let Some(dx) = io.dx {
            dx.fill(0.0);
        }
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn prefers_many_rows(&self) -> bool {
        self.branches.iter().flat_map(|branch| &branch.layers).any(|inner| inner.layer.prefers_many_rows())
    }

    fn is_inference_only(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
