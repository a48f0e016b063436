//! Judging: how a network fares on examples it does not learn from.

use std::sync::Mutex;

use crate::chain::Chain;
use crate::examples::Examples;
use crate::history::Scores;
use crate::inference::{BLOCK, for_each_block};
use crate::loss::{Loss, Score};
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
    let zero = Score { loss: 0.0, accuracy: 0.0 };
    let sums: Vec<Mutex<Score>> = (0..n.div_ceil(BLOCK)).map(|_| Mutex::new(zero)).collect();
    let write = |i: usize, input: &mut [f32]| examples.write_input(i, 0, input);
    let read = |block: usize, first: usize, outputs: &[f32]| {
        let mut sum = lock(&sums[block]);
        for (i, outputs) in outputs.chunks_exact(output_len).enumerate() {
            let score = loss.score(outputs, examples.target(first + i), n_classes);
            sum.loss += score.loss * f64::from(examples.weight(first + i));
            sum.accuracy += score.accuracy;
        }
    };
    for_each_block(chain, parameters, n, n_threads, write, read);
    let (mut sum_loss, mut sum_accuracy) = (0.0, 0.0);
    for sum in &sums {
        let sum = *lock(sum);
        sum_loss += sum.loss;
        sum_accuracy += sum.accuracy;
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
