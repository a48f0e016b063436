//! Lecture 18: the gates of an LSTM and of a GRU by hand, and an LSTM with several time scales.
//!
//! Run it with `cantus lesson 18`.

use crate::output::LessonOutput;
use cantus_nn::layer::{Gru, Lstm, MultiTimescaleLstm, SimpleRnn};
use cantus_nn::neuron::sigmoid;
use cantus_nn::{Architecture, LayerSpec, Network, Tensor};
use cantus_plot::{Axis, LineChart, Series, Strip, Style, line_chart, strips};

const N_STEPS: usize = 30;
/// Steps at which the third input is the signal "read".
const READS: [usize; 2] = [14, 27];

/// Everything in one step of an LSTM of one unit, in the lecture's letters.
#[derive(Clone, Copy, Default)]
struct Step {
    /// fₜ, forget gate: share of the cell state that is kept.
    forget: f64,
    /// iₜ, input gate: share of the candidate that is added.
    input: f64,
    /// C'ₜ, candidate: the simple recurrent unit inside the cell.
    candidate: f64,
    /// oₜ, output gate: share of the cell state in the output.
    output: f64,
    /// Cₜ, cell state: long-term memory.
    cell: f64,
    /// hₜ, hidden state: short-term memory, and the output of the layer.
    hidden: f64,
}

/// An LSTM of one unit with weights set by hand. It reads a value and two signals: "write" opens the input gate and
/// closes the forget gate, "read" opens the output gate. No gate has the hidden state as input.
fn lstm_by_hand(sequence: &[[f64; 3]]) -> Vec<Step> {
    let mut cell = 0.0;
    let step = |&[value, write, read]: &[f64; 3]| {
        let forget = sigmoid(10.0 - 20.0 * write);
        let input = sigmoid(20.0 * write - 10.0);
        let candidate = value.tanh();
        let output = sigmoid(20.0 * read - 10.0);
        cell = forget * cell + input * candidate;
        Step { forget, input, candidate, output, cell, hidden: output * cell.tanh() }
    };
    sequence.iter().map(step).collect()
}

/// A GRU of one unit for the same task: h' = z h + (1 - z) g, where "write" closes the update gate z. It has one state,
/// which is its output too, so there is nothing to read.
fn gru_by_hand(sequence: &[[f64; 3]]) -> Vec<f64> {
    let step = |h: &mut f64, &[value, write, _]: &[f64; 3]| {
        let update = sigmoid(10.0 - 20.0 * write);
        *h = update * *h + (1.0 - update) * value.tanh();
        Some(*h)
    };
    sequence.iter().scan(0.0, step).collect()
}

/// Value, "write" and "read" of every step: noise, but for a value to write at steps 4 and 22.
fn sequence() -> Vec<[f64; 3]> {
    let step = |t: usize| {
        let read = f64::from(u8::from(READS.contains(&t)));
        match t {
            4 => [0.9, 1.0, read],
            22 => [-0.6, 1.0, read],
            _ => [(t as f64 * 2.3).sin(), 0.0, read],
        }
    };
    (0..N_STEPS).map(step).collect()
}

fn network(n_steps: usize, n_inputs: usize, layer: LayerSpec) -> Result<Network, cantus::Error> {
    Ok(Network::new(&Architecture { input_shape: vec![n_steps, n_inputs], layers: vec![layer] }, 0)?)
}

fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    Tensor { name: format!("layers.0.{name}"), shape: shape.to_vec(), values: values.to_vec() }
}

/// The largest difference between the output of a network with these weights and the values computed by hand.
fn difference(
    layer: LayerSpec,
    weights: &[Tensor],
    sequence: &[[f64; 3]],
    by_hand: impl Iterator<Item = f64>,
) -> Result<f64, cantus::Error> {
    let mut network = network(N_STEPS, 3, layer)?;
    network.set_weights(weights)?;
    let inputs: Vec<f32> = sequence.iter().flatten().map(|x| *x as f32).collect();
    let found = network.predict(&inputs)?;
    Ok(found.iter().zip(by_hand).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max))
}

/// LSTM, GRU, and an LSTM with several time scales.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    lstm(out)?;
    gru(out)?;
    time_scales(out)
}

fn lstm(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let sequence = sequence();
    let steps = lstm_by_hand(&sequence);
    out.say("An LSTM has a second state, the cell state C, and three gates between 0 (closed) and 1 (open). At every step,");
    out.say("C = f · C before + i · C', and h = o · tanh C, with the forget gate f, the input gate i, the output gate o and");
    out.say("the candidate C' = tanh(…), a simple recurrent unit. With weights set by hand, two inputs control the gates,");
    out.say("\"write\" and \"read\". At step 4, \"write\" with the value 0.9: the input gate opens, the forget gate closes:");
    out.result("forget gate f at step 4", steps[4].forget, "");
    out.result("input gate i at step 4", steps[4].input, "");
    out.result("candidate C' at step 4, tanh 0.9", steps[4].candidate, "");
    out.result("cell state C at step 4", steps[4].cell, "");
    out.say("Then 17 steps of noise: the candidate follows it, but the input gate is closed and the forget gate open:");
    out.result("forget gate f at step 10", steps[10].forget, "");
    out.result("input gate i at step 10", steps[10].input, "");
    out.result("candidate C' at step 10, the noise's", steps[10].candidate, "");
    out.result("cell state C at step 21", steps[21].cell, "");
    out.say("The output gate opens at \"read\" only, so the hidden state h, which is the layer's output, is tanh C there:");
    out.result("hidden state h at step 13, not read", steps[13].hidden, "");
    out.result("hidden state h at step 14, read", steps[14].hidden, "");
    out.say("At step 22, \"write\" with the value -0.6 replaces the stored value:");
    out.result("cell state C at step 22, tanh -0.6", steps[22].cell, "");
    let layer = LayerSpec::Lstm(Lstm::new(1, true));
    // Columns in the library's order: input gate, forget gate, candidate, output gate; rows: value, write, read.
    let weights = [
        tensor("kernel", &[3, 4], &[0.0, 0.0, 1.0, 0.0, 20.0, -20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0]),
        tensor("recurrent_kernel", &[1, 4], &[0.0; 4]),
        tensor("bias", &[4], &[-10.0, 10.0, 0.0, -10.0]),
    ];
    let hidden = steps.iter().map(|step| step.hidden);
    out.result(
        "largest difference from the library's layer",
        difference(layer, &weights, &sequence, hidden)?,
        "",
    );
    out.picture("gates", &picture(&sequence, &steps))
}

fn picture(sequence: &[[f64; 3]], steps: &[Step]) -> cantus_plot::Picture {
    let input = |i: usize| -> Vec<f64> { sequence.iter().map(|step| step[i]).collect() };
    let state = |of: fn(&Step) -> f64| -> Vec<f64> { steps.iter().map(of).collect() };
    let (gate, any) = ((0.0, 1.0), (-1.0, 1.0));
    let rows = [
        ("input: value", input(0), any),
        ("input: write", input(1), gate),
        ("input: read", input(2), gate),
        ("candidate C'", state(|step| step.candidate), any),
        ("input gate i", state(|step| step.input), gate),
        ("forget gate f", state(|step| step.forget), gate),
        ("cell state C", state(|step| step.cell), any),
        ("output gate o", state(|step| step.output), gate),
        ("hidden state h", state(|step| step.hidden), any),
    ];
    let shown = rows.each_ref().map(|(name, values, limits)| Strip { name, values, limits: *limits });
    strips(
        "States of an LSTM",
        "written at step 4, kept through noise, read at 14, replaced at 22, read at 27",
        "Step",
        &shown,
    )
}

fn gru(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let sequence = sequence();
    let by_hand = gru_by_hand(&sequence);
    out.say("A GRU has one state h and two gates: h = z · h before + (1 - z) · g. The update gate z replaces f and i, and");
    out.say("the reset gate r scales the state in the candidate g. There is no output gate. The same task:");
    out.result("state h of the GRU at step 21", by_hand[21], "");
    out.result("state h of the GRU at step 22", by_hand[22], "");
    let layer = LayerSpec::Gru(Gru::new(1, true));
    // Columns in the library's order: update gate, reset gate, candidate; the second row of biases belongs to the state.
    let weights = [
        tensor("kernel", &[3, 3], &[0.0, 0.0, 1.0, -20.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        tensor("recurrent_kernel", &[1, 3], &[0.0; 3]),
        tensor("bias", &[2, 3], &[10.0, 10.0, 0.0, 0.0, 0.0, 0.0]),
    ];
    let found = difference(layer, &weights, &sequence, by_hand.iter().copied())?;
    out.result("largest difference of the GRU from the library's layer", found, "");
    out.say("Fewer gates are fewer weights. Of 64 units that read 13 MFCCs:");
    let (units, return_sequences) = (64, false);
    for (name, layer) in [
        ("a simple recurrent layer", LayerSpec::SimpleRnn(SimpleRnn { units, return_sequences })),
        ("a GRU", LayerSpec::Gru(Gru::new(units, return_sequences))),
        ("an LSTM", LayerSpec::Lstm(Lstm::new(units, return_sequences))),
    ] {
        out.result(&format!("weights of {name}"), network(130, 13, layer)?.n_parameters() as f64, "");
    }
    Ok(())
}

const TIME_SCALES: [f32; 3] = [2.0, 8.0, 32.0];

/// The lecture's idea of several cell states with different time scales.
fn time_scales(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    out.say("Several cell states for longer and longer time scales, the lecture's idea: layer MultiTimescaleLSTM. The forget");
    out.say("gate of a cell state with time scale τ begins with the bias ln(τ - 1), so f = 1 - 1/τ: what is written fades by");
    out.say(
        "1/τ at each step, and lasts about τ steps. Here 1 is written at step 0, and nothing after that:",
    );
    let kept = share_kept()?;
    for (tau, kept) in TIME_SCALES.iter().zip(&kept) {
        out.result(&format!("share kept after 10 steps, time scale {tau}, by the library"), kept[10].1, "");
        out.result(
            &format!("share kept after 10 steps, (1 - 1/{tau})¹⁰"),
            (1.0 - 1.0 / f64::from(*tau)).powi(10),
            "",
        );
    }
    out.say("These biases are initial values; training changes them. In an LSTM, the initial bias is 1 in all units.");
    let names = TIME_SCALES.map(|tau| format!("time scale {tau}"));
    let series: Vec<_> =
        names.iter().zip(&kept).map(|(name, points)| Series::new(name, Style::LineAndDots, points)).collect();
    let (x, y) = (Axis::new("Steps later").whole(), Axis::new("Share of the cell state").from_to(0.0, 1.05));
    let (title, subtitle) =
        ("Cell states of three time scales", "before any training, after one value at step 0");
    out.picture(
        "time-scales",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

/// The share of its initial value that each cell state keeps, step by step, with the initial biases of the layer.
fn share_kept() -> Result<Vec<Vec<(f64, f64)>>, cantus::Error> {
    let n_scales = TIME_SCALES.len();
    let layer = MultiTimescaleLstm { units: 1, time_scales: TIME_SCALES.to_vec(), return_sequences: true };
    let mut network = network(N_STEPS, 1, LayerSpec::MultiTimescaleLstm(layer))?;
    // Only the candidates depend on the input, and no gate on the hidden state; biases are not changed.
    let mut kernel = vec![0.0; 4 * n_scales];
    kernel[2 * n_scales..3 * n_scales].fill(5.0);
    network.set_weights(&[
        tensor("kernel", &[1, 4 * n_scales], &kernel),
        tensor("recurrent_kernel", &[n_scales, 4 * n_scales], &vec![0.0; 4 * n_scales * n_scales]),
    ])?;
    let mut inputs = vec![0.0; N_STEPS];
    inputs[0] = 1.0;
    let outputs = network.predict(&inputs)?;
    // h = o · tanh C, and the output gate is σ(0) = 1/2.
    let cell = |step: usize, scale: usize| f64::from(2.0 * outputs[step * n_scales + scale]).atanh();
    let of_scale =
        |scale| (0..N_STEPS).map(move |step| (step as f64, cell(step, scale) / cell(0, scale))).collect();
    Ok((0..n_scales).map(of_scale).collect())
}
