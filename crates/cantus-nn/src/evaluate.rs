//! Evaluation: loss and accuracy of a network on examples that it does not train on.
//!
//! Where an example has several views, its answer is the mean of the probabilities for them.

use std::sync::Mutex;

use crate::chain::Chain;
use crate::examples::Examples;
use crate::history::Scores;
use crate::inference::{BLOCK, BlockInference, Outputs};
use crate::loss::Loss;
use crate::team::{lock, with_team};

/// Loss and accuracy on all examples; the same bits on any number of threads.
pub(crate) fn scores(
    chain: &Chain,
    parameters: &[Vec<f32>],
    examples: &dyn Examples,
    loss: Loss,
    n_threads: usize,
) -> Scores {
    let evaluation = Evaluation::new(chain, examples, loss, n_threads);
    let n_workers = evaluation.n_workers();
    with_team(n_workers, |(), worker| evaluation.work(parameters, worker), |team| team.run((), n_workers));
    evaluation.scores(parameters)
}

/// An evaluation that can be repeated with other weights; its buffers are made once.
pub(crate) struct Evaluation<'a> {
    chain: &'a Chain,
    examples: &'a dyn Examples,
    loss: Loss,
    /// Whether outputs are logits; see [`Loss::fuses_with`].
    from_logits: bool,
    n_views: usize,
    inference: BlockInference<'a>,
    /// The network's outputs for all views of all examples, block by block.
    outputs: Vec<Mutex<Vec<f32>>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(chain: &'a Chain, examples: &'a dyn Examples, loss: Loss, n_threads: usize) -> Self {
        let from_logits = chain.fuses_with(loss);
        let outputs = if from_logits { Outputs::Logits } else { Outputs::Activated };
        let n_views = examples.n_views().max(1);
        let n = examples.len() * n_views;
        let block = |first: usize| Mutex::new(vec![0.0; BLOCK.min(n - first) * chain.output_len()]);
        Self {
            chain,
            examples,
            loss,
            from_logits,
            n_views,
            inference: BlockInference::new(chain, n, outputs, n_threads),
            outputs: (0..n).step_by(BLOCK).map(block).collect(),
        }
    }

    /// How many tasks [`Self::work`] has.
    pub(crate) fn n_workers(&self) -> usize {
        self.inference.n_workers()
    }

    /// Computes one worker's share of the outputs.
    pub(crate) fn work(&self, parameters: &[Vec<f32>], worker: usize) {
        let n_views = self.n_views;
        let write = |i: usize, input: &mut [f32]| self.examples.write_view(i / n_views, i % n_views, input);
        let read = |block: usize, outputs: &[f32]| lock(&self.outputs[block]).copy_from_slice(outputs);
        self.inference.work(parameters, worker, write, read);
    }

    /// The scores, after all workers have done their share with these parameters.
    pub(crate) fn scores(&self, parameters: &[Vec<f32>]) -> Scores {
        let (n, output_len, n_classes) =
            (self.examples.len(), self.chain.output_len(), self.chain.n_classes());
        let outputs: Vec<f32> = self.outputs.iter().flat_map(|block| lock(block).clone()).collect();
        let (mut loss, mut accuracy) = (0.0, 0.0);
        for (i, views) in outputs.chunks_exact(self.n_views * output_len).enumerate() {
            let target = self.examples.target(i);
            let score = self.loss.score_mean(views, output_len, target, n_classes, self.from_logits);
            loss += score.loss * f64::from(self.examples.weight(i));
            accuracy += score.accuracy;
        }
        let accuracy = self.loss.has_accuracy().then_some(accuracy / n as f64);
        Scores { loss: loss / n as f64 + penalty(self.chain, parameters), accuracy }
    }
}

/// What the regularisers add to the loss.
fn penalty(chain: &Chain, parameters: &[Vec<f32>]) -> f64 {
    let of_link = |(link, values): (&crate::chain::Link, &Vec<f32>)| -> f64 {
        let tensors = link.tensors.iter();
        tensors.map(|tensor| tensor.parameter.regularizer.penalty(&values[tensor.range.clone()])).sum()
    };
    chain.links.iter().zip(parameters).map(of_link).sum()
}
