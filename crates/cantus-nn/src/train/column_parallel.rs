//! A dense layer with many weights in training: threads divide its columns.
//!
//! When a layer has more weights than the batch has activations, the weights should stay in place. The kernel is stored as
//! *panels* of some columns, each with its optimizer slots. A thread processes one panel for the whole batch: it computes
//! the panel's outputs and later its gradient, a tile at a time, and updates the tile while its gradient is in the cache.
//! No gradient is summed across threads or written to memory.

use std::ops::Range;
use std::sync::RwLock;

use super::step::UpdateRule;
use crate::elementwise::add;
use crate::layer::DenseLayer;
use crate::matmul::{Accumulate, Matrix, matmul};
use crate::optimizer::UpdateStep;
use crate::regularizer::Regularizer;
use crate::sequential::BuiltLayer;
use crate::sync::{read, write};

/// Columns of a panel, and rows of the kernel in one block of ∂E/∂x.
const WIDTH: usize = 64;
/// Rows of a panel updated at a time.
const TILE: usize = 64;

/// A dense layer in panels, with its input and output gradient for the whole batch.
#[derive(Debug)]
pub(super) struct ColumnParallel {
    n_inputs: usize,
    units: usize,
    panels: Vec<RwLock<Panel>>,
    /// x of the whole batch.
    input: RwLock<Vec<f32>>,
    /// ∂E/∂h of the whole batch.
    d_output: RwLock<Vec<f32>>,
    /// ∂E/∂x of the whole batch, in blocks of some inputs.
    d_inputs: Vec<RwLock<Vec<f32>>>,
    kernel_regularizer: Regularizer,
    bias_regularizer: Regularizer,
}

/// Some columns of the kernel, with their bias.
#[derive(Debug)]
struct Panel {
    columns: Range<usize>,
    /// `[n_inputs, columns.len()]`
    kernel: Vec<f32>,
    kernel_slots: [Vec<f32>; 2],
    bias: Vec<f32>,
    bias_slots: [Vec<f32>; 2],
    /// h of the whole batch, `[batch, columns.len()]`
    output: Vec<f32>,
    tile: Vec<f32>,
    penalty: f64,
}

impl ColumnParallel {
    /// Splits weights and slots, laid out as in [`DenseLayer`], into panels; slots may be empty.
    pub(super) fn new(
        dense: &DenseLayer,
        built: &BuiltLayer,
        batch: usize,
        values: &[f32],
        slots: &[Vec<f32>; 2],
    ) -> Self {
        let (n_inputs, units) = (dense.n_inputs, dense.description.units);
        let panels = blocks(units).map(|columns| {
            let select = |from: &[f32]| select_columns(from, n_inputs, units, &columns);
            let [(kernel, bias), first, second] = [values, &slots[0], &slots[1]].map(select);
            RwLock::new(Panel {
                kernel_slots: [first.0, second.0],
                bias_slots: [first.1, second.1],
                output: vec![0.0; batch * columns.len()],
                tile: vec![0.0; TILE * columns.len()],
                penalty: 0.0,
                columns,
                kernel,
                bias,
            })
        });
        let regularizer = |i: usize| built.tensors[i].parameter.regularizer;
        Self {
            n_inputs,
            units,
            panels: panels.collect(),
            input: RwLock::new(vec![0.0; batch * n_inputs]),
            d_output: RwLock::new(vec![0.0; batch * units]),
            d_inputs: blocks(n_inputs).map(|inputs| RwLock::new(vec![0.0; batch * inputs.len()])).collect(),
            kernel_regularizer: regularizer(0),
            bias_regularizer: regularizer(1),
        }
    }

    /// Replaces the weights, laid out as in [`DenseLayer`].
    pub(super) fn set(&self, values: &[f32]) {
        for panel in &self.panels {
            let panel = &mut *write(panel);
            (panel.kernel, panel.bias) = select_columns(values, self.n_inputs, self.units, &panel.columns);
        }
    }

    pub(super) fn n_panels(&self) -> usize {
        self.panels.len()
    }

    pub(super) fn n_input_blocks(&self) -> usize {
        self.d_inputs.len()
    }

    /// Concatenates the inputs of all shards, in their order.
    pub(super) fn set_input<'a>(&self, shards: impl Iterator<Item = &'a [f32]>) {
        concatenate(&mut write(&self.input), shards);
    }

    /// Concatenates ∂E/∂h of all shards, in their order.
    pub(super) fn set_output_gradient<'a>(&self, shards: impl Iterator<Item = &'a [f32]>) {
        concatenate(&mut write(&self.d_output), shards);
    }

    /// h = x W + b, for the columns of one panel and `n` examples.
    pub(super) fn forward(&self, panel: usize, n: usize) {
        let panel = &mut *write(&self.panels[panel]);
        let width = panel.columns.len();
        let output = &mut panel.output[..n * width];
        let input = read(&self.input);
        output.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(&panel.bias));
        let kernel = Matrix::new(&panel.kernel, self.n_inputs, width);
        matmul(output, width, Matrix::new(&input, n, self.n_inputs), kernel, Accumulate::Add);
    }

    /// ∂E/∂x = ∂E/∂h Wᵀ, for one block of inputs and `n` examples.
    pub(super) fn backward(&self, block: usize, n: usize) {
        let d_input = &mut *write(&self.d_inputs[block]);
        let d_output = read(&self.d_output);
        let inputs = block * WIDTH..self.n_inputs.min((block + 1) * WIDTH);
        let mut accumulate = Accumulate::Overwrite;
        for panel in &self.panels {
            let panel = read(panel);
            let width = panel.columns.len();
            let rows = &panel.kernel[inputs.start * width..inputs.end * width];
            let dh = Matrix::strided(&d_output[panel.columns.start..], n, width, self.units);
            matmul(
                d_input,
                inputs.len(),
                dh,
                Matrix::new(rows, inputs.len(), width).transposed(),
                accumulate,
            );
            accumulate = Accumulate::Add;
        }
    }

    /// Copies h of the examples of the batch from `first` on, as many as fit into `output`.
    pub(super) fn copy_output(&self, first: usize, output: &mut [f32]) {
        for panel in &self.panels {
            let panel = read(panel);
            let rows = panel.output.chunks_exact(panel.columns.len()).skip(first);
            rows.zip(output.chunks_exact_mut(self.units))
                .for_each(|(from, to)| to[panel.columns.clone()].copy_from_slice(from));
        }
    }

    /// Copies ∂E/∂x of the examples of the batch from `first` on, as many as fit into `d_input`.
    pub(super) fn copy_d_input(&self, first: usize, d_input: &mut [f32]) {
        for (block, inputs) in self.d_inputs.iter().zip(blocks(self.n_inputs)) {
            let block = read(block);
            let rows = block.chunks_exact(inputs.len()).skip(first);
            rows.zip(d_input.chunks_exact_mut(self.n_inputs))
                .for_each(|(from, to)| to[inputs.clone()].copy_from_slice(from));
        }
    }

    /// The squared norms of the gradients of a panel's kernel and bias.
    pub(super) fn squared_norms(&self, panel: usize, n: usize, rule: UpdateRule) -> Vec<f64> {
        let mut norms = [0.0; 2];
        let add = |norm: &mut f64, gradient: &[f32]| {
            *norm += gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>()
        };
        let [kernel, bias] = &mut norms;
        self.for_each_tile(&mut write(&self.panels[panel]), n, rule, [1.0; 2], |tile| match tile {
            PanelTile::Kernel { gradient, .. } => add(kernel, gradient),
            PanelTile::Bias { gradient, .. } => add(bias, gradient),
        });
        norms.to_vec()
    }

    /// Updates a panel's weights after a batch of `n` examples.
    pub(super) fn update(&self, panel: usize, n: usize, rule: UpdateRule, step: UpdateStep, scales: &[f32]) {
        let panel = &mut *write(&self.panels[panel]);
        panel.penalty =
            self.kernel_regularizer.penalty(&panel.kernel) + self.bias_regularizer.penalty(&panel.bias);
        let scale = |i: usize| scales.get(i).copied().unwrap_or(1.0);
        self.for_each_tile(panel, n, rule, [scale(0), scale(1)], |tile| match tile {
            PanelTile::Kernel { weights, slots, gradient } | PanelTile::Bias { weights, slots, gradient } => {
                rule.optimizer.update(step, weights, gradient, slots);
            }
        });
    }

    /// Computes the gradient of a panel a tile at a time and calls `visit` with it and its weights.
    fn for_each_tile(
        &self,
        panel: &mut Panel,
        n: usize,
        rule: UpdateRule,
        scales: [f32; 2],
        mut visit: impl FnMut(PanelTile<'_>),
    ) {
        let (input, d_output) = (read(&self.input), read(&self.d_output));
        let (n_inputs, width) = (self.n_inputs, panel.columns.len());
        let dh = Matrix::strided(&d_output[panel.columns.start..], n, width, self.units);
        for start in (0..n_inputs).step_by(TILE) {
            let n_rows = TILE.min(n_inputs - start);
            let range = start * width..(start + n_rows) * width;
            let gradient = &mut panel.tile[..range.len()];
            matmul(
                gradient,
                width,
                Matrix::strided(&input[start..], n, n_rows, n_inputs).transposed(),
                dh,
                Accumulate::Overwrite,
            );
            let weights = &mut panel.kernel[range.clone()];
            rule.complete(gradient, weights, self.kernel_regularizer, scales[0]);
            let slots =
                panel.kernel_slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            visit(PanelTile::Kernel { weights, slots, gradient });
        }
        let gradient = &mut panel.tile[..width];
        gradient.fill(0.0);
        d_output[..n * self.units]
            .chunks_exact(self.units)
            .for_each(|row| add(gradient, &row[panel.columns.clone()]));
        rule.complete(gradient, &panel.bias, self.bias_regularizer, scales[1]);
        let slots = panel.bias_slots.each_mut().map(Vec::as_mut_slice);
        visit(PanelTile::Bias { weights: &mut panel.bias, slots, gradient });
    }

    /// The regularisers' part of the loss at the last step.
    pub(super) fn penalty(&self) -> f64 {
        self.panels.iter().map(|panel| read(panel).penalty).sum()
    }

    /// Writes weights (0) or a slot (1, 2) in the layout of [`DenseLayer`].
    pub(super) fn assemble(&self, which: usize, values: &mut [f32]) {
        let (kernel, bias) = values.split_at_mut(self.n_inputs * self.units);
        for panel in &self.panels {
            let panel = read(panel);
            let (from_kernel, from_bias) = match which {
                0 => (&panel.kernel, &panel.bias),
                slot => (&panel.kernel_slots[slot - 1], &panel.bias_slots[slot - 1]),
            };
            let rows = from_kernel.chunks_exact(panel.columns.len()).zip(kernel.chunks_exact_mut(self.units));
            rows.for_each(|(from, to)| to[panel.columns.clone()].copy_from_slice(from));
            bias[panel.columns.clone()].copy_from_slice(from_bias);
        }
    }
}

/// Some weights of a panel with their slots and gradient.
enum PanelTile<'a> {
    Kernel { weights: &'a mut [f32], slots: [&'a mut [f32]; 2], gradient: &'a [f32] },
    Bias { weights: &'a mut [f32], slots: [&'a mut [f32]; 2], gradient: &'a [f32] },
}

/// 0..n in ranges of [`WIDTH`].
fn blocks(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(WIDTH).map(move |start| start..n.min(start + WIDTH))
}

/// Some columns of a kernel and its bias; empty if `values` is empty.
fn select_columns(
    values: &[f32],
    n_inputs: usize,
    units: usize,
    columns: &Range<usize>,
) -> (Vec<f32>, Vec<f32>) {
    if values.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let (kernel, bias) = values.split_at(n_inputs * units);
    let kernel = kernel.chunks_exact(units).flat_map(|row| row[columns.clone()].iter().copied()).collect();
    (kernel, bias[columns.clone()].to_vec())
}

fn concatenate<'a>(to: &mut [f32], parts: impl Iterator<Item = &'a [f32]>) {
    let mut start = 0;
    for part in parts {
        to[start..start + part.len()].copy_from_slice(part);
        start += part.len();
    }
}
