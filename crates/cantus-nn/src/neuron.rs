//! One artificial neuron, the smallest network.
//!
//! A nerve cell receives signals from other cells, which excite or inhibit it, and fires when their sum exceeds a threshold.
//! The artificial neuron computes the same with numbers. Every input xᵢ has a weight wᵢ; the neuron computes
//!
//! 1. its *net input*, the weighted sum h = x₁w₁ + x₂w₂ + … ;
//! 2. its *activation*, y = f(h). Here f is the [`sigmoid`], which maps any number into (0, 1).
//!
//! The weights are its only parameters. The module `perceptron` shows how they are trained.
//!
//! # Reference
//! McCulloch & Pitts, A Logical Calculus of the Ideas Immanent in Nervous Activity, 1943.

/// The logistic function 1 / (1 + e⁻ʰ): near 0 for very negative h, 0.5 at 0, near 1 for very positive h.
#[must_use]
pub fn sigmoid(h: f64) -> f64 {
    1.0 / (1.0 + (-h).exp())
}

/// The output of a neuron with these weights.
///
/// ```
/// let output = cantus_nn::neuron::activate([0.5, 0.3, 0.2], [0.4, 0.7, 0.2]);
/// assert_eq!(format!("{output:.4}"), "0.6106");
/// ```
#[must_use]
pub fn activate<const N: usize>(inputs: [f64; N], weights: [f64; N]) -> f64 {
    let mut h = 0.0;
    for (x, w) in inputs.iter().zip(weights) {
        h += x * w;
    }
    sigmoid(h)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python 3: `1 / (1 + math.exp(-(0.5 * 0.4 + 0.3 * 0.7 + 0.2 * 0.2)))`
    #[test]
    fn the_lectures_neuron_gives_the_lectures_answer() {
        let output = activate([0.5, 0.3, 0.2], [0.4, 0.7, 0.2]);
        assert!((output - 0.610_639_233_949_222).abs() < 1e-15, "{output}");
    }

    #[test]
    fn the_sigmoid_stays_between_0_and_1_and_is_even_around_one_half() {
        assert_eq!(sigmoid(0.0), 0.5);
        for h in [0.1, 1.0, 6.0, 30.0] {
            assert!((sigmoid(h) + sigmoid(-h) - 1.0).abs() < 1e-15);
        }
        assert_eq!([f64::NEG_INFINITY, -1e9, 1e9, f64::INFINITY].map(sigmoid), [0.0, 0.0, 1.0, 1.0]);
    }

    /// A larger weight increases the contribution of its input; a negative one inverts it.
    #[test]
    fn weights_scale_the_contribution_of_an_input() {
        let neutral = activate([1.0, 1.0], [1.0, 0.0]);
        assert!(activate([1.0, 1.0], [1.0, 0.5]) > neutral);
        assert!(activate([1.0, 1.0], [1.0, -0.5]) < neutral);
    }
}
