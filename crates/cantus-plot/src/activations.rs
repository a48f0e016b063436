//! Activation functions: output over net input.

use cantus_nn::layer::ActivationLayer;
use cantus_nn::{Activation, Architecture, LayerSpec, Network};

use super::{Axis, LineChart, Picture, Series, Style, line_chart};

/// Net inputs from -LIMIT to LIMIT.
const LIMIT: f32 = 5.0;
const N_POINTS: usize = 501;

/// Draws output over net input, one curve for each function, as a layer of the network computes it.
///
/// Softmax is left out: its outputs depend on a whole row of net inputs.
///
/// # Errors
/// None in practice: those of building a network of one activation.
pub fn activations(functions: &[Activation]) -> Result<Picture, cantus_nn::Error> {
    let step = 2.0 * LIMIT / (N_POINTS - 1) as f32;
    let net_inputs: Vec<f32> = (0..N_POINTS).map(|i| -LIMIT + step * i as f32).collect();
    let mut curves = Vec::new();
    for &activation in functions.iter().filter(|&&activation| activation != Activation::Softmax) {
        let layers = vec![LayerSpec::Activation(ActivationLayer { activation })];
        let network = Network::new(&Architecture { input_shape: vec![1], layers }, 0)?;
        let outputs = network.predict(&net_inputs)?;
        let points = net_inputs.iter().zip(outputs).map(|(&h, y)| (f64::from(h), f64::from(y)));
        curves.push((activation_name(activation), points.collect::<Vec<_>>()));
    }
    // For positive inputs ReLU coincides with leaky ReLU: it is dashed and on top, so that both are visible.
    let hides = |name: &str| name == "relu" && functions.contains(&Activation::LeakyRelu);
    let style = |name: &str| if hides(name) { Style::Dashes } else { Style::Line };
    let (on_top, others): (Vec<_>, Vec<_>) = curves.iter().partition(|(name, _)| hides(name));
    let in_order = others.into_iter().chain(on_top);
    let series: Vec<_> = in_order.map(|(name, points)| Series::new(name, style(name), points)).collect();
    Ok(line_chart(&LineChart {
        title: "Activation functions",
        subtitle: "what a neuron makes of its net input",
        x: Axis::new("Net input h"),
        y: Axis::new("Output y = f(h)").from_to(-1.5, 3.0),
        series: &series,
        square: false,
    }))
}

/// Its name in an architecture.
fn activation_name(activation: Activation) -> String {
    let value = serde_json::to_value(activation).ok();
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::Mark;

    #[test]
    fn every_function_has_a_curve_with_its_name() {
        let functions = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Softmax];
        let picture = activations(&functions).unwrap();
        for name in ["sigmoid", "tanh", "relu"] {
            assert!(
                picture.marks.iter().any(|m| matches!(m, Mark::Text(text) if text.text == name)),
                "{name}"
            );
        }
        assert!(!picture.marks.iter().any(|m| matches!(m, Mark::Text(text) if text.text == "softmax")));
    }

    #[test]
    fn relu_is_dashed_on_top_of_leaky_relu() {
        let picture = activations(&[Activation::Relu, Activation::LeakyRelu]).unwrap();
        let lines = picture.marks.iter().filter_map(|mark| match mark {
            Mark::Line { points, dashed, .. } if points.len() > 2 => Some(*dashed),
            _ => None,
        });
        assert_eq!(lines.collect::<Vec<_>>(), [false, true]);
    }
}
