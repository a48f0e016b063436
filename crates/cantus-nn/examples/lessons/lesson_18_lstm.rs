//! Lecture 18: the gates of an LSTM.
//!
//!     cargo run --example lesson_18_lstm

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_nn::layer::Lstm;
use cantus_nn::neuron::sigmoid;
use cantus_nn::{Architecture, LayerSpec, Network, Tensor};

const N_STEPS: usize = 30;

/// What happens in one step.
struct Step {
    input: f64,
    forget: f64,
    memory: f64,
}

/// An LSTM of one unit that reads two inputs, a value and a signal "remember this". Its weights are set by hand:
/// the signal opens the input gate and closes the forget gate.
fn steps(sequence: &[[f64; 2]]) -> Vec<Step> {
    let mut memory = 0.0;
    let step = |&[value, signal]: &[f64; 2]| {
        let input = sigmoid(20.0 * signal - 10.0); // what to let in
        let forget = sigmoid(10.0 - 20.0 * signal); // what to keep
        memory = forget * memory + input * value.tanh();
        Step { input, forget, memory }
    };
    sequence.iter().map(step).collect()
}

/// A value is written, kept through noise, and replaced.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let noise = |t: usize| (t as f64 * 2.3).sin();
    let sequence: Vec<[f64; 2]> = (0..N_STEPS)
        .map(|t| match t {
            4 => [0.9, 1.0],
            22 => [-0.6, 1.0],
            _ => [noise(t), 0.0],
        })
        .collect();
    let by_hand = steps(&sequence);
    sheet.say(
        "An LSTM has a second state, its memory c, and gates between 0 and 1 that guard it: c' = f c + i g.",
    );
    sheet.say("At step 4 the gates let 0.9 in; then they close, and 17 steps of noise go by.");
    sheet.result("input gate at step 4", by_hand[4].input, "");
    sheet.result("forget gate at step 10", by_hand[10].forget, "");
    sheet.result("what was written, tanh 0.9", 0.9f64.tanh(), "");
    sheet.result("memory at step 21", by_hand[21].memory, "");
    sheet.result("memory after the second signal, tanh -0.6 being -0.537", by_hand[22].memory, "");

    let layer = LayerSpec::Lstm(Lstm::new(1, true));
    let mut network = Network::new(&Architecture { input_shape: vec![N_STEPS, 2], layers: vec![layer] }, 0)?;
    let tensor = |name: &str, shape: &[usize], values: &[f32]| Tensor {
        name: format!("layers.0.{name}"),
        shape: shape.to_vec(),
        values: values.to_vec(),
    };
    // Gates in the order input, forget, what might be new, output; the output gate stands open.
    network.set_weights(&[
        tensor("kernel", &[2, 4], &[0.0, 0.0, 1.0, 0.0, 20.0, -20.0, 0.0, 0.0]),
        tensor("recurrent_kernel", &[1, 4], &[0.0; 4]),
        tensor("bias", &[4], &[-10.0, 10.0, 0.0, 10.0]),
    ])?;
    let inputs: Vec<f32> = sequence.iter().flatten().map(|x| *x as f32).collect();
    let found = network.predict(&inputs)?;
    let output = |step: &Step| sigmoid(10.0) * step.memory.tanh();
    let difference = found.iter().zip(&by_hand).map(|(a, step)| (f64::from(*a) - output(step)).abs());
    sheet.result("largest difference from the library's layer", difference.fold(0.0, f64::max), "");

    let over_time = |of: fn(&Step) -> f64| -> Vec<(f64, f64)> {
        by_hand.iter().enumerate().map(|(t, step)| (t as f64, of(step))).collect()
    };
    let (input, forget, memory) = (over_time(|s| s.input), over_time(|s| s.forget), over_time(|s| s.memory));
    let values: Vec<_> = sequence.iter().enumerate().map(|(t, [value, _])| (t as f64, *value)).collect();
    let series = [
        Series::new("value", Style::Dots, &values),
        Series::new("input gate", Style::Steps, &input),
        Series::new("forget gate", Style::Steps, &forget),
        Series::new("memory", Style::Steps, &memory),
    ];
    let (x, y) = (Axis::new("Step").whole(), Axis::new("Value"));
    let (title, subtitle) = ("An LSTM remembers", "written at 4, kept through noise, replaced at 22");
    sheet.picture("gates", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/18", &mut std::io::stdout()))
}
