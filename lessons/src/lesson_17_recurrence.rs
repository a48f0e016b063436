//! Lecture 17: recurrence; sequence to sequence and to vector; gradients that vanish, and that explode.
//!
//! Run it with `cantus lesson 17`.

use std::ops::ControlFlow;

use crate::output::LessonOutput;
use cantus_nn::layer::SimpleRnn;
use cantus_nn::optimizer::Sgd;
use cantus_nn::{
    Architecture, Batching, Clipping, InMemory, LayerSpec, Loss, Network, Optimizer, Tensor, Training,
};
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};

/// Weight of the input: the library's `kernel`.
const U: f64 = 0.8;
/// Weight of the state before: the library's `recurrent_kernel`. Below 1, and above.
const W: f64 = 0.9;
const LARGE_W: f64 = 1.25;
const N_STEPS: usize = 30;

/// States of one unit: at every step f(U xₜ + W hₜ₋₁), from the input xₜ and the state before; h₋₁ is 0.
fn states(f: fn(f64) -> f64, w: f64, sequence: &[f64]) -> Vec<f64> {
    let step = |h: &mut f64, x: &f64| {
        *h = f(U * x + w * *h);
        Some(*h)
    };
    sequence.iter().scan(0.0, step).collect()
}

/// ∂hₜ/∂x₀ for every step t: by how much each state changes if the first input does.
fn influence(w: f64, sequence: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let moved = |by: f64| {
        let mut sequence = sequence.to_vec();
        sequence[0] += by;
        states(f64::tanh, w, &sequence)
    };
    moved(STEP).iter().zip(moved(-STEP)).map(|(more, less)| (more - less) / (2.0 * STEP)).collect()
}

fn network(n_steps: usize, units: usize, return_sequences: bool) -> Result<Network, cantus::Error> {
    let layers = vec![LayerSpec::SimpleRnn(SimpleRnn { units, return_sequences })];
    Ok(Network::new(&Architecture { input_shape: vec![n_steps, 1], layers }, 0)?)
}

/// The same with one unit and these weights.
fn one_unit(w: f64, return_sequences: bool) -> Result<Network, cantus::Error> {
    let mut network = network(N_STEPS, 1, return_sequences)?;
    let tensor = |name: &str, value: f64| Tensor {
        name: format!("layers.0.{name}"),
        shape: vec![1, 1],
        values: vec![value as f32],
    };
    network.set_weights(&[tensor("kernel", U), tensor("recurrent_kernel", w)])?;
    Ok(network)
}

/// One recurrent unit, its shapes, and its gradients.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    unit(out)?;
    shapes(out)?;
    gradients(out)?;
    clipping(out)
}

fn unit(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let sequence = sine();
    let by_hand = states(f64::tanh, W, &sequence);
    out.say("A recurrent unit takes a sequence one value at a time and carries a state from step to step,");
    out.say("h(t) = tanh(U x(t) + W h(t-1)), with weights that are the same at every step: here U = 0.8 for the input and");
    out.say("W = 0.9 for the state before. The input is a sine of 30 steps:");
    for (t, h) in by_hand.iter().take(3).enumerate() {
        out.result(&format!("state after step {}", t + 1), *h, "");
    }
    let inputs: Vec<f32> = sequence.iter().map(|x| *x as f32).collect();
    let found = one_unit(W, true)?.predict(&inputs)?;
    let difference = found.iter().zip(&by_hand).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    out.result("largest difference from the library's layer", difference, "");
    Ok(())
}

fn sine() -> Vec<f64> {
    (0..N_STEPS).map(|t| (t as f64 * 0.7).sin()).collect()
}

fn shapes(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    const N_BATCH: usize = 2;
    const N_SHORT: usize = 9;
    const UNITS: usize = 4;
    let batch: Vec<f32> = (0..N_BATCH * N_SHORT).map(|i| (i as f32 * 0.9).cos()).collect();
    out.say("Shapes are [batch, steps, dimensions]: a waveform has 1 dimension, MFCCs have 13. Of 9 s at 22050 Hz:");
    let n_samples = 9.0 * 22_050.0;
    out.result("steps of the waveform, 9 × 22050", n_samples, "");
    out.result(
        "steps of its MFCCs with a hop of 512, the last incomplete one left out",
        (n_samples / 512.0).floor(),
        "",
    );
    out.say("A batch of 2 sequences of 9 steps of 1 dimension through a layer of 4 units:");
    let (to_sequence, to_vector) = (network(N_SHORT, UNITS, true)?, network(N_SHORT, UNITS, false)?);
    for (name, network) in [("sequence", &to_sequence), ("vector", &to_vector)] {
        let shape = [&[N_BATCH], network.output_shape()].concat();
        out.say(format_args!("  sequence to {name}: [{N_BATCH}, {N_SHORT}, 1] → {shape:?}"));
    }
    // Both have the same seed, so the same weights.
    let (sequences, vectors) = (to_sequence.predict(&batch)?, to_vector.predict(&batch)?);
    let last = sequences.chunks_exact(N_SHORT * UNITS).flat_map(|states| &states[(N_SHORT - 1) * UNITS..]);
    let difference = last.zip(&vectors).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    out.say(
        "Sequence to sequence gives the state after every step; sequence to vector only the last of them:",
    );
    out.result("largest difference between the vector and the last step of the sequence", difference, "");
    Ok(())
}

fn gradients(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let (vanishing, exploding) = (influence(W, &sine()), influence(LARGE_W, &[0.0; N_STEPS]));
    out.say(
        "The influence of the first input on the state at step t is ∂h(t)/∂x(0), a gradient through t steps.",
    );
    out.say("Each step multiplies it by W (1 - h²), where h is the state and 1 - h² the slope of tanh.");
    out.say("With W = 0.9 every factor is below 1, and the gradient vanishes: distant dependencies are hardly learned.");
    out.result("influence on the first state", vanishing[0], "");
    out.result("influence ten steps later", vanishing[10], "");
    out.say("With W = 1.25 and silence (x = 0, so h = 0) every factor is 1.25, and the gradient explodes:");
    out.result("influence ten steps later, W = 1.25", exploding[10], "");
    out.result("influence in the last step, W = 1.25", exploding[N_STEPS - 1], "");
    let mut impulse = [0.0; N_STEPS];
    impulse[0] = 1.0;
    let last = |f: fn(f64) -> f64| states(f, LARGE_W, &impulse)[N_STEPS - 1];
    out.say("The states themselves explode with ReLU, and not with tanh, which keeps them between -1 and 1. After x(0) = 1:");
    out.result("state in the last step with ReLU, W = 1.25", last(|h| h.max(0.0)), "");
    out.result("state in the last step with tanh, W = 1.25", last(f64::tanh), "");
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(t, v)| (t as f64, v.abs())).collect()
    };
    let (vanishing, exploding) = (points(&vanishing), points(&exploding));
    let series = [
        Series::new("W = 0.9, sine", Style::LineAndDots, &vanishing),
        Series::new("W = 1.25, silence", Style::LineAndDots, &exploding),
    ];
    let (x, y) = (Axis::new("Step t").whole(), Axis::new("|∂h(t) / ∂x(0)|").logarithmic());
    let (title, subtitle) =
        ("Vanishing and exploding gradients", "influence of the first input on the state at step t");
    out.picture(
        "influence",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

/// Gradient clipping, for a unit whose input and state are 0, so that only its bias is trained.
fn clipping(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let silence = [0.0; N_STEPS];
    let examples = InMemory::values(&silence, &[0.5], 1);
    let learn = |learning_rate: f32, epochs: usize, clipping: Option<Clipping>| {
        let optimizer = Optimizer::Sgd(Sgd { learning_rate, ..Sgd::default() });
        let (batching, loss) = (Batching::Full, Loss::MeanSquaredError);
        let training = Training { epochs, batching, loss, optimizer, clipping, ..Training::default() };
        let mut network = one_unit(LARGE_W, false)?;
        network.fit(&examples, None, &training, |_| ControlFlow::Continue(()))?;
        let bias = network
            .weights()
            .iter()
            .find(|tensor| tensor.name == "layers.0.bias")
            .map(|b| f64::from(b.values[0]));
        let loss = network.evaluate(&examples, loss)?.loss;
        Ok::<_, cantus::Error>((bias.unwrap_or(f64::NAN), loss))
    };
    // A step of learning rate 1 from a bias of 0 ends at minus the gradient.
    let gradient = -learn(1.0, 1, None)?.0;
    let by_hand = -(LARGE_W.powi(N_STEPS as i32) - 1.0) / (LARGE_W - 1.0);
    out.say("The unit with W = 1.25 is trained to output 0.5 after 30 steps of silence: loss E = (h - 0.5)², learning rate 0.01.");
    out.say("Its bias b acts at every step, so ∂E/∂b adds up the powers of W:");
    out.result("gradient of the bias by hand, -(W³⁰ - 1) / (W - 1)", by_hand, "");
    out.result("gradient of the bias in the library, by backpropagation through time", gradient, "");
    let (plain, clipped) = (
        (learn(0.01, 1, None)?, learn(0.01, 400, None)?),
        (
            learn(0.01, 1, Some(Clipping::GlobalNorm(1.0)))?,
            learn(0.01, 400, Some(Clipping::GlobalNorm(1.0)))?,
        ),
    );
    out.say("One step moves the bias so far that tanh is flat there and the gradient almost 0. Clipping scales any");
    out.say("gradient whose norm is above 1 to norm 1, with the same direction:");
    out.result("bias after one step", plain.0.0, "");
    out.result("bias after one step, clipped", clipped.0.0, "");
    out.result("loss before", 0.25, "");
    out.result("loss after 400 steps", plain.1.1, "");
    out.result("loss after 400 steps, clipped", clipped.1.1, "");
    Ok(())
}
