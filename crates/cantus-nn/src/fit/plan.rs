//! The plan of a training step: which layers examples can go through on their own, where they must wait for each
//! other, and which buffers may be reused meanwhile.
//!
//! A *stage* is a run of layers without a meeting. Each thread takes its lanes (shares of the batch) through
//! a whole stage, a *group* of examples at a time, so that what one layer puts out is still in the cache when the next
//! one reads it. Between two stages lies a layer with a [`Meeting`](crate::layer::Meeting).
//!
//! All lanes go forward through all stages but the last; through the last one each group goes forward and straight
//! back; then all lanes go back through the other stages. So the output of a layer may be overwritten by the next
//! group, and needs room for one group only, if nothing outside of its stage reads it and, where the stage is not the
//! last one, no backward pass reads it. That follows from what layers declare ([`BackwardReads`]) and from nothing else.

use std::ops::Range;

use crate::activation::Activation;
use crate::chain::Chain;
use crate::layer::{BackwardReads, Layer};

/// A run of layers without a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    /// The meeting before it.
    pub(super) head: Option<usize>,
    /// Its layers.
    pub(super) links: Range<usize>,
    /// How many examples go through it together.
    pub(super) group: usize,
}

impl Stage {
    /// Whether it computes the output of this link.
    pub(super) fn computes(&self, link: usize) -> bool {
        self.head == Some(link) || self.links.contains(&link)
    }
}

/// What a link does beside its own forward and backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkPlan {
    /// Whether anything before it is trained, so that it must hand the gradient on.
    pub(super) hands_on: bool,
    /// The activation of the link before whose derivative it takes on the way back; see [`Layer::selects`].
    pub(super) takes: Option<Activation>,
    /// Whether the loss computes its last activation: then it puts out net inputs.
    pub(super) leaves_activation_to_loss: bool,
    /// Whether the derivative of its last activation is taken by the loss or by the link behind.
    pub(super) skips_derivative: bool,
    /// Which buffers its backward pass reads.
    pub(super) reads: BackwardReads,
}

/// How a step is carried out; follows from the network, the batch size and the loss alone, never from the number of
/// threads.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<Stage>,
    /// How many examples a lane holds.
    pub(super) lane_rows: usize,
    pub(super) n_lanes: usize,
    pub(super) links: Vec<LinkPlan>,
    /// For each place (0 the input, i + 1 the output of link i), whether the next group may overwrite it.
    pub(super) reusable: Vec<bool>,
}

/// Numbers that should fit into the second-level cache together with their gradients.
const CACHED: usize = 65_536;

impl Plan {
    /// A plan for batches of up to `batch` examples; with `from_logits`, the loss computes the network's last activation.
    pub(super) fn new(chain: &Chain, batch: usize, from_logits: bool) -> Self {
        let wants_many_rows = chain.links.iter().any(|link| link.layer.wants_many_rows());
        let lane_rows = lane_rows(batch, wants_many_rows);
        let stages = stages(chain, lane_rows);
        let links = link_plans(chain, &stages, from_logits);
        let reusable =
            (0..=chain.links.len()).map(|place| is_reusable(chain, &stages, &links, place)).collect();
        Self { stages, lane_rows, n_lanes: batch.div_ceil(lane_rows), links, reusable }
    }
}

fn stages(chain: &Chain, lane_rows: usize) -> Vec<Stage> {
    let mut stages = Vec::new();
    let (mut head, mut start) = (None, 0);
    let mut push = |head, links: Range<usize>| {
        stages.push(Stage { head, links: links.clone(), group: group(chain, head, links, lane_rows) });
    };
    for (i, _) in chain.links.iter().enumerate().filter(|(_, link)| link.layer.meeting().is_some()) {
        push(head, start..i);
        (head, start) = (Some(i), i + 1);
    }
    push(head, start..chain.links.len());
    stages
}

fn link_plans(chain: &Chain, stages: &[Stage], from_logits: bool) -> Vec<LinkPlan> {
    let links = &chain.links;
    let first_trained = links.iter().position(|link| link.n_trainable() > 0).unwrap_or(links.len());
    let takes: Vec<Option<Activation>> = (0..links.len()).map(|link| taken(chain, stages, link)).collect();
    let is_taken = |link: usize| takes.iter().zip(links).any(|(t, l)| t.is_some() && l.reads == link + 1);
    let plan = |link: usize| {
        let layer: &dyn Layer = &*links[link].layer;
        let leaves_activation_to_loss = from_logits && link + 1 == chain.output_place();
        let skips_derivative = leaves_activation_to_loss || is_taken(link);
        let mut reads = BackwardReads::of(layer, skips_derivative);
        // The derivative that it takes is one of its own outputs.
        reads.output |= takes[link].is_some();
        if link < first_trained {
            // No gradient comes that far.
            reads = BackwardReads::NEITHER;
        }
        let hands_on = link > first_trained;
        LinkPlan { hands_on, takes: takes[link], leaves_activation_to_loss, skips_derivative, reads }
    };
    (0..links.len()).map(plan).collect()
}

/// The activation right before a link that selects, if its derivative can be taken behind that.
fn taken(chain: &Chain, stages: &[Stage], link: usize) -> Option<Activation> {
    let (selecting, before) = (&chain.links[link], chain.links[link].reads.checked_sub(1)?);
    let activation = chain.links[before].layer.last_activation();
    let of_one_stage =
        stages.iter().any(|stage| stage.links.contains(&link) && stage.links.contains(&before));
    (selecting.layer.selects() && of_one_stage && activation.is_elementwise_in_output()).then_some(activation)
}

/// Whether a place is free as soon as a group has left the stage that computes it.
fn is_reusable(chain: &Chain, stages: &[Stage], links: &[LinkPlan], place: usize) -> bool {
    // The input is written for a whole lane; a view has no place of its own.
    let Some(link) = place.checked_sub(1).filter(|&link| !chain.links[link].layer.is_view()) else {
        return false;
    };
    let Some(at) = stages.iter().position(|stage| stage.computes(link)) else { return false };
    let reader = chain.links.iter().position(|reader| reader.reads == place && !reader.layer.is_view());
    let read_outside = reader.is_some_and(|reader| !stages[at].links.contains(&reader));
    let read_backward = links[link].reads.output || reader.is_some_and(|reader| links[reader].reads.input);
    let is_last = at + 1 == stages.len();
    !read_outside && (is_last || !read_backward)
}

/// Large enough for efficient products, small enough to give many threads something to do.
fn lane_rows(batch: usize, wants_many_rows: bool) -> usize {
    let efficient = if wants_many_rows { 16 } else { 8 };
    // No more than 32 lanes: each has a gradient of its own.
    if batch >= 2 * efficient { efficient.max(batch.div_ceil(32)) } else { batch.div_ceil(2) }
}

fn group(chain: &Chain, head: Option<usize>, links: Range<usize>, lane_rows: usize) -> usize {
    let of_stage = &chain.links[head.unwrap_or(links.start)..links.end];
    if of_stage.iter().any(|link| link.layer.wants_many_rows()) {
        return lane_rows;
    }
    let largest = of_stage.iter().map(|link| link.output_len()).max().unwrap_or(1);
    (CACHED / largest.max(1)).clamp(1, lane_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(layers: &str, batch: usize) -> Plan {
        let architecture = toml::from_str(&format!("input_shape = [40, 13]\nlayers = [{layers}]")).unwrap();
        Plan::new(&Chain::new(&architecture).unwrap(), batch, false)
    }

    fn image(layers: &str) -> Plan {
        plan(&format!(r#"{{ type = "Reshape", target_shape = [40, 13, 1] }}, {layers}"#), 32)
    }

    #[test]
    fn stages_end_where_lanes_meet() {
        let layers = r#"{ type = "Flatten" }, { type = "Dense", units = 512 }, { type = "Dense", units = 8 },
            { type = "BatchNormalization" }, { type = "Dense", units = 4 }"#;
        let stages = plan(layers, 32).stages;
        let cuts: Vec<_> = stages.iter().map(|stage| (stage.head, stage.links.clone())).collect();
        assert_eq!(cuts, [(None, 0..1), (Some(1), 2..3), (Some(3), 4..5)]);
    }

    #[test]
    fn pooling_takes_the_derivative_of_the_convolution_before_it() {
        let layers = |activation: &str| {
            format!(
                r#"{{ type = "Conv2D", filters = 3, kernel_size = [3, 3], activation = "{activation}" }},
                {{ type = "MaxPool2D" }}, {{ type = "MaxPool2D" }}"#
            )
        };
        let takes =
            |activation| image(&layers(activation)).links.iter().map(|link| link.takes).collect::<Vec<_>>();
        assert_eq!(takes("relu"), [None, None, Some(Activation::Relu), None]);
        // GELU's derivative needs the net input.
        assert_eq!(takes("gelu"), [None; 4]);
        let skips = image(&layers("relu")).links.iter().map(|link| link.skips_derivative).collect::<Vec<_>>();
        assert_eq!(skips, [false, true, false, false]);
    }

    /// The convolution's output is read by the pool's backward pass, which comes after all groups went forward.
    #[test]
    fn what_a_later_backward_pass_reads_is_not_reusable() {
        let convolution = r#"{ type = "Conv2D", filters = 3, kernel_size = [3, 3], activation = "relu" }"#;
        let pooled = format!(r#"{convolution}, {{ type = "MaxPool2D" }}"#);
        let last = r#"{ type = "Flatten" }, { type = "Dense", units = 4 }"#;
        let behind = image(&format!(r#"{pooled}, {{ type = "BatchNormalization" }}, {last}"#));
        assert_eq!(behind.reusable, [false, false, false, false, true, false, true]);
        // Where the stage is the last one, a group goes forward and straight back.
        assert_eq!(image(&format!("{pooled}, {last}")).reusable, [false, false, true, true, false, true]);
    }

    /// Dropout's backward pass reads nothing, but the meeting behind it reads its output.
    #[test]
    fn what_nothing_reads_backward_is_reusable_inside_its_stage() {
        let layers = r#"{ type = "Dense", units = 9 }, { type = "Dropout", rate = 0.1 },
            { type = "Dropout", rate = 0.1 }, { type = "BatchNormalization" }, { type = "Dense", units = 4 }"#;
        assert_eq!(plan(layers, 32).reusable, [false, true, true, false, true, true]);
        let relu = layers.replacen("units = 9", r#"units = 9, activation = "relu""#, 1);
        assert_eq!(plan(&relu, 32).reusable, [false, false, true, false, true, true]);
    }

    #[test]
    fn layers_before_the_first_weight_read_nothing_backward() {
        let layers =
            r#"{ type = "LSTM", units = 4, return_sequences = true }, { type = "BatchNormalization" }"#;
        let frozen = format!(r#"{{ type = "Activation", activation = "tanh" }}, {layers}"#);
        assert_eq!(plan(&frozen, 32).links[0].reads, BackwardReads::NEITHER);
        assert!(plan(&frozen, 32).reusable[1]);
    }

    #[test]
    fn the_last_activation_is_left_to_a_loss_that_fuses_with_it() {
        let architecture = toml::from_str(
            "input_shape = [3]\nlayers = [{ type = \"Dense\", units = 2, activation = \"softmax\" }]",
        );
        let chain = Chain::new(&architecture.unwrap()).unwrap();
        let [alone, fused] = [false, true].map(|fused| Plan::new(&chain, 8, fused).links[0]);
        assert!(alone.reads.output && !alone.leaves_activation_to_loss);
        assert!(!fused.reads.output && fused.leaves_activation_to_loss && fused.skips_derivative);
    }

    #[test]
    fn recurrent_layers_get_their_lane_at_once_and_large_images_one_by_one() {
        let recurrent = plan(r#"{ type = "LSTM", units = 64 }"#, 32);
        assert_eq!((recurrent.n_lanes, recurrent.stages[0].group), (2, 16));
        let image = image(r#"{ type = "Conv2D", filters = 99, kernel_size = [3, 3], padding = "same" }"#);
        assert_eq!((image.n_lanes, image.stages[0].group), (4, 1));
    }

    #[test]
    fn every_batch_has_lanes_for_all_its_examples_and_never_more_than_32() {
        for batch in [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 128, 1000, 12_345] {
            let plan = plan(r#"{ type = "Dense", units = 4 }"#, batch);
            assert!(plan.n_lanes * plan.lane_rows >= batch && plan.n_lanes <= 32, "{batch}: {plan:?}");
        }
    }
}
