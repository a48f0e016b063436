//! The plan of a training step: which layers examples can go through on their own, and where they must wait
//! for each other.
//!
//! A *stage* is a run of layers without a meeting. Each thread takes its lanes (shares of the batch) through
//! a whole stage, so that what one layer puts out is still in the cache when the next one reads it. Between
//! two stages lies a layer with a [`Meeting`].

use std::ops::Range;

use crate::activation::Activation;
use crate::chain::Chain;
use crate::layer::Layer;

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

/// How a step is carried out; follows from the network and the batch size alone, never from the number of
/// threads.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<Stage>,
    /// How many examples a lane holds.
    pub(super) lane_rows: usize,
    pub(super) n_lanes: usize,
    /// For each link: whether anything before it is trained, so that it must hand the gradient on.
    pub(super) hands_on: Vec<bool>,
    /// For each link, the activation of the one before whose derivative it takes on the way back; see
    /// [`Layer::selects`].
    pub(super) takes: Vec<Option<Activation>>,
    /// For each place, whether nobody looks at it after the forward pass of a group.
    pub(super) passing: Vec<bool>,
}

/// Numbers that should fit into the second-level cache together with their gradients.
const CACHED: usize = 65_536;

impl Plan {
    pub(super) fn new(chain: &Chain, batch: usize) -> Self {
        let layers: Vec<&dyn Layer> = chain.links.iter().map(|link| &*link.layer).collect();
        let lane_rows = lane_rows(batch, layers.iter().any(|layer| layer.wants_many_rows()));
        let mut stages = Vec::new();
        let (mut head, mut start) = (None, 0);
        for (i, layer) in layers.iter().enumerate() {
            if layer.meeting().is_some() {
                stages.push(Stage { head, links: start..i, group: group(chain, head, start..i, lane_rows) });
                (head, start) = (Some(i), i + 1);
            }
        }
        let links = start..layers.len();
        stages.push(Stage { head, links: links.clone(), group: group(chain, head, links, lane_rows) });
        let first_trained =
            chain.links.iter().position(|link| link.n_trainable() > 0).unwrap_or(layers.len());
        let hands_on = (0..layers.len()).map(|link| link > first_trained).collect();
        let (mut takes, mut passing) = (vec![None; layers.len()], vec![false; layers.len() + 1]);
        for stage in &stages {
            for link in stage.links.clone() {
                takes[link] = taken(chain, stage, link);
                passing[chain.links[link].reads] |= takes[link].is_some();
            }
        }
        Self { stages, lane_rows, n_lanes: batch.div_ceil(lane_rows), hands_on, takes, passing }
    }
}

/// The activation right before a link that selects, if its derivative can be taken behind that.
fn taken(chain: &Chain, stage: &Stage, link: usize) -> Option<Activation> {
    let (selecting, before) = (&chain.links[link], chain.links[link].reads.checked_sub(1)?);
    let activation = chain.links[before].layer.last_activation();
    let possible = selecting.layer.selects() && stage.links.contains(&before);
    (possible && activation != Activation::Linear && activation.knows_its_derivative()).then_some(activation)
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
        Plan::new(&Chain::new(&architecture).unwrap(), batch)
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
                r#"{{ type = "Reshape", target_shape = [40, 13, 1] }},
                {{ type = "Conv2D", filters = 3, kernel_size = [3, 3], activation = "{activation}" }},
                {{ type = "MaxPool2D" }}, {{ type = "MaxPool2D" }}"#
            )
        };
        let relu = plan(&layers("relu"), 32);
        assert_eq!(relu.takes, [None, None, Some(Activation::Relu), None]);
        assert_eq!(relu.passing, [false, false, true, false, false]);
        // GELU's derivative needs the net input.
        assert_eq!(plan(&layers("gelu"), 32).takes, [None; 4]);
    }

    #[test]
    fn recurrent_layers_get_their_lane_at_once_and_large_images_one_by_one() {
        let recurrent = plan(r#"{ type = "LSTM", units = 64 }"#, 32);
        assert_eq!((recurrent.n_lanes, recurrent.stages[0].group), (2, 16));
        let image = r#"{ type = "Reshape", target_shape = [40, 13, 1] },
            { type = "Conv2D", filters = 99, kernel_size = [3, 3], padding = "same" }"#;
        let image = plan(image, 32);
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
