//! The plan of a training step: where all examples of a batch must be reduced together, and which buffers may be reused.
//!
//! A *stage* is a sequence of layers without a batch reduction. Each thread runs its shards of the batch through a whole
//! stage, one *micro-batch* at a time, so that the output of a layer is still in the cache when the next layer reads it.
//! Between two stages is a layer with a [`BatchReduction`](crate::layer::BatchReduction).
//!
//! All shards go forward through all stages but the last; in the last stage each micro-batch goes forward and directly
//! back; then all shards go back through the other stages. So a layer's output buffer may be overwritten by the next
//! micro-batch if nothing outside its stage reads it and, unless the stage is the last one, no backward pass reads it.
//! This follows from the layers' declarations ([`BackwardReads`]) only.

use std::ops::Range;

use crate::activation::Activation;
use crate::layer::{BackwardReads, Layer};
use crate::sequential::Sequential;

/// A sequence of layers without a batch reduction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    /// The layer with the batch reduction before it.
    pub(super) reduction: Option<usize>,
    /// Its layers.
    pub(super) layers: Range<usize>,
    /// Number of examples that go through it at once.
    pub(super) micro_batch: usize,
}

impl Stage {
    /// Whether it computes the output of this layer.
    pub(super) fn computes(&self, index: usize) -> bool {
        self.reduction == Some(index) || self.layers.contains(&index)
    }
}

/// How a layer's passes differ from its own forward and backward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerPlan {
    /// Whether an earlier layer is trainable, so that ∂E/∂x is needed.
    pub(super) propagates: bool,
    /// The activation of the layer before, whose derivative is taken at this layer's output; see [`Layer::selects`].
    pub(super) fused_activation: Option<Activation>,
    /// Whether the loss computes the last activation, so that the layer returns net inputs.
    pub(super) activation_in_loss: bool,
    /// Whether the derivative of the last activation is taken by the loss or by the next layer.
    pub(super) skips_derivative: bool,
    /// The buffers that its backward pass reads.
    pub(super) reads: BackwardReads,
}

/// How a step is executed; depends on the network, the batch size and the loss, never on the number of threads.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<Stage>,
    /// Examples of a shard.
    pub(super) shard_rows: usize,
    pub(super) n_shards: usize,
    pub(super) layers: Vec<LayerPlan>,
    /// For each buffer, whether the next micro-batch may overwrite it.
    pub(super) reusable_outputs: Vec<bool>,
}

/// Numbers that fit into the second-level cache together with their gradients.
const CACHED: usize = 65_536;

impl Plan {
    /// A plan for batches of up to `batch` examples; with `from_logits`, the loss computes the last activation.
    pub(super) fn new(model: &Sequential, batch: usize, from_logits: bool) -> Self {
        let shard_rows = shard_rows(batch);
        let stages = stages(model, shard_rows);
        let layers = layer_plans(model, &stages, from_logits);
        let reusable_outputs =
            (0..=model.layers.len()).map(|buffer| is_reusable(model, &stages, &layers, buffer)).collect();
        Self { stages, shard_rows, n_shards: batch.div_ceil(shard_rows), layers, reusable_outputs }
    }
}

fn stages(model: &Sequential, shard_rows: usize) -> Vec<Stage> {
    let mut stages = Vec::new();
    let (mut reduction, mut start) = (None, 0);
    let mut push = |reduction, layers: Range<usize>| {
        let micro_batch = micro_batch(model, reduction, layers.clone(), shard_rows);
        stages.push(Stage { reduction, layers, micro_batch });
    };
    let reductions = model.layers.iter().enumerate().filter(|(_, built)| built.batch_reduction().is_some());
    for (i, _) in reductions {
        push(reduction, start..i);
        (reduction, start) = (Some(i), i + 1);
    }
    push(reduction, start..model.layers.len());
    stages
}

fn layer_plans(model: &Sequential, stages: &[Stage], from_logits: bool) -> Vec<LayerPlan> {
    let layers = &model.layers;
    let first_trained = layers.iter().position(|built| built.n_trainable() > 0).unwrap_or(layers.len());
    let fused: Vec<Option<Activation>> =
        (0..layers.len()).map(|index| fusible_activation(model, stages, index)).collect();
    let is_fused =
        |index: usize| fused.iter().zip(layers).any(|(f, next)| f.is_some() && next.input_index == index + 1);
    let plan = |index: usize| {
        let layer: &dyn Layer = &*layers[index].layer;
        let activation_in_loss = from_logits && index + 1 == model.output_index();
        let skips_derivative = activation_in_loss || is_fused(index);
        let mut reads = BackwardReads::of(layer, skips_derivative);
        // The derivative of a fused activation is taken at this layer's output.
        reads.output |= fused[index].is_some();
        if index < first_trained {
            // No gradient is propagated this far.
            reads = BackwardReads::NEITHER;
        }
        LayerPlan {
            propagates: index > first_trained,
            fused_activation: fused[index],
            activation_in_loss,
            skips_derivative,
            reads,
        }
    };
    (0..layers.len()).map(plan).collect()
}

/// The activation directly before a layer that selects, if its derivative can be taken after the selection.
fn fusible_activation(model: &Sequential, stages: &[Stage], index: usize) -> Option<Activation> {
    let (selecting, before) = (&model.layers[index], model.layers[index].input_index.checked_sub(1)?);
    let activation = model.layers[before].layer.last_activation();
    let same_stage =
        stages.iter().any(|stage| stage.layers.contains(&index) && stage.layers.contains(&before));
    (selecting.layer.selects() && same_stage && activation.is_elementwise_in_output()).then_some(activation)
}

/// Whether a buffer is free as soon as a micro-batch has left the stage that computes it.
fn is_reusable(model: &Sequential, stages: &[Stage], layers: &[LayerPlan], buffer: usize) -> bool {
    // The input is written for a whole shard; a view has no buffer.
    let Some(index) = buffer.checked_sub(1).filter(|&index| !model.layers[index].layer.is_view()) else {
        return false;
    };
    let Some(at) = stages.iter().position(|stage| stage.computes(index)) else { return false };
    let reader =
        model.layers.iter().position(|reader| reader.input_index == buffer && !reader.layer.is_view());
    let read_outside = reader.is_some_and(|reader| !stages[at].layers.contains(&reader));
    let read_backward = layers[index].reads.output || reader.is_some_and(|reader| layers[reader].reads.input);
    let is_last = at + 1 == stages.len();
    !read_outside && (is_last || !read_backward)
}

/// Rows that are enough for efficient matrix products, and few enough for a batch to occupy many threads.
const EFFICIENT_ROWS: usize = 8;

/// At most 32 shards, since each has its own gradient.
fn shard_rows(batch: usize) -> usize {
    if batch >= 2 * EFFICIENT_ROWS { EFFICIENT_ROWS.max(batch.div_ceil(32)) } else { batch.div_ceil(2) }
}

fn micro_batch(
    model: &Sequential,
    reduction: Option<usize>,
    layers: Range<usize>,
    shard_rows: usize,
) -> usize {
    let of_stage = &model.layers[reduction.unwrap_or(layers.start)..layers.end];
    if of_stage.iter().any(|built| built.layer.prefers_many_rows()) {
        return shard_rows;
    }
    let largest = of_stage.iter().map(|built| built.output_len()).max().unwrap_or(1);
    (CACHED / largest.max(1)).clamp(1, shard_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(layers: &str, batch: usize) -> Plan {
        let architecture = toml::from_str(&format!("input_shape = [40, 13]\nlayers = [{layers}]")).unwrap();
        Plan::new(&Sequential::new(&architecture).unwrap(), batch, false)
    }

    fn image(layers: &str) -> Plan {
        plan(&format!(r#"{{ type = "Reshape", target_shape = [40, 13, 1] }}, {layers}"#), 32)
    }

    #[test]
    fn stages_end_at_batch_reductions() {
        let layers = r#"{ type = "Flatten" }, { type = "Dense", units = 512 }, { type = "Dense", units = 8 },
            { type = "BatchNormalization" }, { type = "Dense", units = 4 }"#;
        let stages = plan(layers, 32).stages;
        let cuts: Vec<_> = stages.iter().map(|stage| (stage.reduction, stage.layers.clone())).collect();
        assert_eq!(cuts, [(None, 0..1), (Some(1), 2..3), (Some(3), 4..5)]);
    }

    #[test]
    fn max_pooling_is_fused_with_the_activation_before_it() {
        let layers = |activation: &str| {
            format!(
                r#"{{ type = "Conv2D", filters = 3, kernel_size = [3, 3], activation = "{activation}" }},
                {{ type = "MaxPool2D" }}, {{ type = "MaxPool2D" }}"#
            )
        };
        let fused = |activation| {
            image(&layers(activation)).layers.iter().map(|plan| plan.fused_activation).collect::<Vec<_>>()
        };
        assert_eq!(fused("relu"), [None, None, Some(Activation::Relu), None]);
        // GELU's derivative needs the net input.
        assert_eq!(fused("gelu"), [None; 4]);
        let skips =
            image(&layers("relu")).layers.iter().map(|plan| plan.skips_derivative).collect::<Vec<_>>();
        assert_eq!(skips, [false, true, false, false]);
    }

    /// The backward pass of the pooling reads the convolution's output after all micro-batches went forward.
    #[test]
    fn an_output_that_a_later_backward_pass_reads_is_not_reusable() {
        let convolution = r#"{ type = "Conv2D", filters = 3, kernel_size = [3, 3], activation = "relu" }"#;
        let pooled = format!(r#"{convolution}, {{ type = "MaxPool2D" }}"#);
        let last = r#"{ type = "Flatten" }, { type = "Dense", units = 4 }"#;
        let normalized = image(&format!(r#"{pooled}, {{ type = "BatchNormalization" }}, {last}"#));
        assert_eq!(normalized.reusable_outputs, [false, false, false, false, true, false, true]);
        // In the last stage, a micro-batch goes forward and directly back.
        assert_eq!(
            image(&format!("{pooled}, {last}")).reusable_outputs,
            [false, false, true, true, false, true]
        );
    }

    /// Dropout's backward pass reads nothing, but the batch reduction after it reads its output.
    #[test]
    fn an_output_that_no_backward_pass_reads_is_reusable_within_its_stage() {
        let layers = r#"{ type = "Dense", units = 9 }, { type = "Dropout", rate = 0.1 },
            { type = "Dropout", rate = 0.1 }, { type = "BatchNormalization" }, { type = "Dense", units = 4 }"#;
        assert_eq!(plan(layers, 32).reusable_outputs, [false, true, true, false, true, true]);
        let relu = layers.replacen("units = 9", r#"units = 9, activation = "relu""#, 1);
        assert_eq!(plan(&relu, 32).reusable_outputs, [false, false, true, false, true, true]);
    }

    #[test]
    fn layers_before_the_first_weight_read_nothing_backward() {
        let layers =
            r#"{ type = "LSTM", units = 4, return_sequences = true }, { type = "BatchNormalization" }"#;
        let frozen = format!(r#"{{ type = "Activation", activation = "tanh" }}, {layers}"#);
        assert_eq!(plan(&frozen, 32).layers[0].reads, BackwardReads::NEITHER);
        assert!(plan(&frozen, 32).reusable_outputs[1]);
    }

    #[test]
    fn a_loss_fuses_with_the_last_activation() {
        let architecture = toml::from_str(
            "input_shape = [3]\nlayers = [{ type = \"Dense\", units = 2, activation = \"softmax\" }]",
        );
        let model = Sequential::new(&architecture.unwrap()).unwrap();
        let [alone, fused] = [false, true].map(|fused| Plan::new(&model, 8, fused).layers[0]);
        assert!(alone.reads.output && !alone.activation_in_loss);
        assert!(!fused.reads.output && fused.activation_in_loss && fused.skips_derivative);
    }

    #[test]
    fn recurrent_layers_take_a_shard_at_once_and_large_images_one_by_one() {
        let recurrent = plan(r#"{ type = "LSTM", units = 64 }"#, 32);
        assert_eq!((recurrent.n_shards, recurrent.stages[0].micro_batch), (4, 8));
        let image = image(r#"{ type = "Conv2D", filters = 99, kernel_size = [3, 3], padding = "same" }"#);
        assert_eq!((image.n_shards, image.stages[0].micro_batch), (4, 1));
    }

    #[test]
    fn shards_cover_the_batch_and_are_at_most_32() {
        for batch in [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 128, 1000, 12_345] {
            let plan = plan(r#"{ type = "Dense", units = 4 }"#, batch);
            assert!(plan.n_shards * plan.shard_rows >= batch && plan.n_shards <= 32, "{batch}: {plan:?}");
        }
    }
}
