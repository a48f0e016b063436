//! Judging: how a network fares on examples it does not learn from.
//!
//! Where an example has several views, its answer is the mean of the probabilities for them.

use std::sync::Mutex;

use crate::chain::Chain;
use crate::examples::Examples;
use crate::history::Scores;
use crate::inference::{BLOCK, Outputs, for_each_block};
use crate::loss::Loss;
use crate::team::lock;

/// Loss and accuracy on all examples; the same bits on any number of threads.
pub(crate) fn scores(
    chain: &Chain,
    parameters: &[Vec<f32>],
    examples: &dyn Examples,
    loss: Loss,
    n_threads: usize,
) -> Scores {
    let (n, output_len, n_classes) = (examples.len(), chain.output_len(), chain.n_classes());
    let from_logits = chain.fuses_with(loss);
    let outputs = if from_logits { Outputs::Logits } else { Outputs::Activated };
    let n_views = examples.n_views().max(1);
    let mut answers = vec![0.0; n * n_views * output_len];
    let blocks: Vec<_> = answers.chunks_mut(BLOCK * output_len).map(Mutex::new).collect();
    let write = |i: usize, input: &mut [f32]| examples.write_view(i / n_views, i % n_views, input);
    let read = |block: usize, _: usize, outputs: &[f32]| lock(&blocks[block]).copy_from_slice(outputs);
    for_each_block(chain, parameters, n * n_views, outputs, n_threads, write, read);
    let (mut sum_loss, mut sum_accuracy) = (0.0, 0.0);
    for (i, views) in answers.chunks_exact(n_views * output_len).enumerate() {
        let score = loss.score_mean(views, output_len, examples.target(i), n_classes, from_logits);
        sum_loss += score.loss * f64::from(examples.weight(i));
        sum_accuracy += score.accuracy;
    }
    let accuracy = loss.has_accuracy().then_some(sum_accuracy / n as f64);
    Scores { loss: sum_loss / n as f64 + penalty(chain, parameters), accuracy }
}

/// What the regularisers add to the loss.
fn penalty(chain: &Chain, parameters: &[Vec<f32>]) -> f64 {
    let of_link = |(link, values): (&crate::chain::Link, &Vec<f32>)| -> f64 {
        let tensors = link.tensors.iter();
        tensors.map(|tensor| tensor.parameter.regularizer.penalty(&values[tensor.range.clone()])).sum()
    };
    chain.links.iter().zip(parameters).map(of_link).sum()
}
