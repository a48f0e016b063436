//! Evaluation: loss and accuracy of a network on examples without training on them.
//!
//! If an example has several views, it is scored by the mean of their probabilities.

use std::sync::Mutex;

use crate::error::Error;
use crate::examples::Examples;
use crate::history::Scores;
use crate::inference::{BlockInference, Outputs};
use crate::loss::Loss;
use crate::micro_batch::BLOCK;
use crate::sequential::{BuiltLayer, Sequential};
use crate::sync::lock;
use crate::thread_pool::with_thread_pool;

/// Checks that there are examples and that they fit the network and the loss; `which` names them in the error.
pub(crate) fn check_examples(
    model: &Sequential,
    examples: &dyn Examples,
    loss: Loss,
    which: &'static str,
) -> Result<(), Error> {
    let refuse = |problem| Err(Error::Examples { which, problem });
    if examples.is_empty() {
        return refuse("there are none".into());
    }
    if examples.input_len() != model.input_len() {
        let (got, shape) = (examples.input_len(), &model.input_shape);
        return refuse(format!("their inputs have {got} numbers, but the network needs shape {shape:?}"));
    }
    let mismatch =
        |i: usize| Some((i, loss.mismatch(examples.target(i), model.output_len(), model.n_classes())?));
    match (0..examples.len()).find_map(mismatch) {
        Some((i, problem)) => refuse(format!("example {i}: {problem}")),
        None => Ok(()),
    }
}

/// Loss and accuracy on all examples; the same bits on any number of threads.
pub(crate) fn scores(
    model: &Sequential,
    parameters: &[Vec<f32>],
    examples: &dyn Examples,
    loss: Loss,
    n_threads: usize,
) -> Scores {
    let evaluation = Evaluation::new(model, examples, loss, n_threads);
    let n_workers = evaluation.n_workers();
    let work = |(), worker| evaluation.work(parameters, worker);
    with_thread_pool(n_workers, work, |pool| pool.run((), n_workers));
    evaluation.scores(parameters)
}

/// An evaluation that can be repeated with other weights in the same buffers.
pub(crate) struct Evaluation<'a> {
    model: &'a Sequential,
    examples: &'a dyn Examples,
    loss: Loss,
    /// Whether outputs are logits; see [`Loss::fuses_with`].
    from_logits: bool,
    n_views: usize,
    inference: BlockInference<'a>,
    /// The network's outputs for all views of all examples, by block.
    outputs: Vec<Mutex<Vec<f32>>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        model: &'a Sequential,
        examples: &'a dyn Examples,
        loss: Loss,
        n_threads: usize,
    ) -> Self {
        let from_logits = model.fuses_with(loss);
        let outputs = if from_logits { Outputs::Logits } else { Outputs::Activated };
        let n_views = examples.n_views().max(1);
        let n = examples.len() * n_views;
        let block = |first: usize| Mutex::new(vec![0.0; BLOCK.min(n - first) * model.output_len()]);
        Self {
            model,
            examples,
            loss,
            from_logits,
            n_views,
            inference: BlockInference::new(model, n, outputs, n_threads),
            outputs: (0..n).step_by(BLOCK).map(block).collect(),
        }
    }

    /// Number of tasks of [`Self::work`].
    pub(crate) fn n_workers(&self) -> usize {
        self.inference.n_workers()
    }

    /// Computes one worker's part of the outputs.
    pub(crate) fn work(&self, parameters: &[Vec<f32>], worker: usize) {
        let n_views = self.n_views;
        let write = |i: usize, input: &mut [f32]| self.examples.write_view(i / n_views, i % n_views, input);
        let read = |block: usize, outputs: &[f32]| lock(&self.outputs[block]).copy_from_slice(outputs);
        self.inference.work(parameters, worker, write, read);
    }

    /// The scores, after all workers have run with these parameters.
    pub(crate) fn scores(&self, parameters: &[Vec<f32>]) -> Scores {
        let (n, output_len, n_classes) =
            (self.examples.len(), self.model.output_len(), self.model.n_classes());
        let outputs: Vec<f32> = self.outputs.iter().flat_map(|block| lock(block).clone()).collect();
        let (mut loss, mut accuracy) = (0.0, 0.0);
        for (i, views) in outputs.chunks_exact(self.n_views * output_len).enumerate() {
            let target = self.examples.target(i);
            let score = self.loss.score_mean(views, output_len, target, n_classes, self.from_logits);
            loss += score.loss * f64::from(self.examples.weight(i));
            accuracy += score.accuracy;
        }
        let accuracy = self.loss.has_accuracy().then_some(accuracy / n as f64);
        Scores { loss: loss / n as f64 + penalty(self.model, parameters), accuracy }
    }
}

/// The regularisers' part of the loss, which frozen layers have none of.
fn penalty(model: &Sequential, parameters: &[Vec<f32>]) -> f64 {
    let of_layer = |(built, values): (&BuiltLayer, &Vec<f32>)| -> f64 {
        let tensors = built.tensors.iter();
        tensors.map(|tensor| tensor.parameter.regularizer.penalty(&values[tensor.range.clone()])).sum()
    };
    model.layers.iter().zip(parameters).filter(|(built, _)| !built.is_frozen()).map(of_layer).sum()
}
