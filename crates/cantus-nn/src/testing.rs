//! Helpers of the unit tests: random inputs, comparison of slices, and gradient checks.

use cantus_random::KeyedRng;

use crate::layer::{BatchContext, ForwardCache, GradientIo, Layer, LayerSpec, Weights};

/// `n` numbers in [-1, 1).
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = KeyedRng::new([seed]);
    (0..n).map(|_| (2.0 * rng.uniform() - 1.0) as f32).collect()
}

/// `n` numbers between -1 and 1 in random order, evenly spaced: any two are at least 2/n apart, and none is within 1/2n of 0.
fn spaced(n: usize, seed: u64) -> Vec<f32> {
    let mut numbers: Vec<f32> = (0..n).map(|i| (2.0 * (i as f32 + 0.25) / n as f32) - 1.0).collect();
    KeyedRng::new([seed]).shuffle(&mut numbers);
    numbers
}

/// Panics with the first index at which two slices differ by more than `tolerance` (absolutely, or relatively
/// above 1).
#[track_caller]
pub(crate) fn assert_close(ours: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), expected.len(), "lengths");
    for (i, (&a, &b)) in ours.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "at {i}: {a}, expected {b}");
    }
}

/// A layer for inputs of one shape, with random weights.
fn build(spec: &LayerSpec, input_shape: &[usize]) -> (Box<dyn Layer>, Vec<f32>) {
    let layer = spec.build(input_shape, "layers.0").unwrap();
    let n_weights = layer.parameters().iter().map(|parameter| parameter.len()).sum();
    let weights = noise(n_weights, 11).into_iter().map(|w| 0.7 * w).collect();
    (layer, weights)
}

/// The buffers that a layer needs.
struct Space {
    cached: Vec<f32>,
    scratch: Vec<f32>,
}

impl Space {
    fn new(layer: &dyn Layer, rows: usize) -> Self {
        let memory = layer.buffer_sizes();
        Self {
            cached: vec![f32::NAN; memory.cached * rows],
            scratch: vec![f32::NAN; memory.scratch_len(rows)],
        }
    }

    fn cache(&mut self) -> ForwardCache<'_> {
        ForwardCache { cached: &mut self.cached, scratch: &mut self.scratch }
    }
}

/// The output of a layer with these weights, in inference.
pub(crate) fn run_forward(spec: &LayerSpec, input_shape: &[usize], weights: &[f32], x: &[f32]) -> Vec<f32> {
    let layer = spec.build(input_shape, "layers.0").unwrap();
    let rows = x.len() / input_shape.iter().product::<usize>();
    let mut y = vec![f32::NAN; rows * layer.output_shape().iter().product::<usize>()];
    let context = BatchContext { rows, first_row: 0, training: false, skips_activation: false, key: 0 };
    let weights = Weights { values: weights, derived: &[] };
    layer.forward(&context, weights, x, &mut y, Space::new(&*layer, rows).cache());
    y
}

/// The output of a layer with these weights for a single example.
pub(crate) fn run_forward_one(
    spec: &LayerSpec,
    input_shape: &[usize],
    weights: &[f32],
    x: &[f32],
) -> Vec<f32> {
    let layer = spec.build(input_shape, "layers.0").unwrap();
    let mut y = vec![f32::NAN; layer.output_shape().iter().product::<usize>()];
    let context = BatchContext { rows: 1, first_row: 0, training: false, skips_activation: false, key: 0 };
    let weights = Weights { values: weights, derived: &[] };
    layer.forward_one(&context, weights, x, &mut y, Space::new(&*layer, 1).cache());
    y
}

/// Compares a layer's gradients with central differences of E = Σ direction · y, in training.
///
/// The layer computes in f32, so a difference over ±ε is uncertain by about 1e-7 / ε (rounding) and ε² (curvature).
/// Richardson's extrapolation of ε = 1e-2 and ε / 2 leaves ε⁴, which counts where a layer normalisation of few channels
/// has two that are nearly equal; the tolerance is a few thousandths. Values at which an activation or a maximum has a
/// kink (within ε) may differ by half a step; up to 50 inputs are spaced so that there is none.
pub(crate) fn gradients_match_differences(spec: &LayerSpec, input_shape: &[usize], rows: usize) {
    let (layer, weights) = build(spec, input_shape);
    let x = spaced(rows * input_shape.iter().product::<usize>(), 12);
    let direction = noise(rows * layer.output_shape().iter().product::<usize>(), 13);
    let context = BatchContext { rows, first_row: 3, training: true, skips_activation: false, key: 99 };
    let forward = |x: &[f32], weights: &[f32], y: &mut [f32], space: &mut Space| {
        layer.forward(&context, Weights { values: weights, derived: &[] }, x, y, space.cache());
    };
    let energy = |x: &[f32], weights: &[f32]| -> f64 {
        let mut y = vec![f32::NAN; direction.len()];
        forward(x, weights, &mut y, &mut Space::new(&*layer, rows));
        y.iter().zip(&direction).map(|(&y, &d)| f64::from(y) * f64::from(d)).sum()
    };

    let mut space = Space::new(&*layer, rows);
    let mut y = vec![f32::NAN; direction.len()];
    forward(&x, &weights, &mut y, &mut space);
    let mut derived = vec![f32::NAN; layer.n_derived()];
    layer.derive(&weights, &mut derived);
    let (mut dy, mut dx) = (direction.clone(), vec![f32::NAN; x.len()]);
    // Gradients are accumulated.
    let mut gradient = vec![1.0; weights.len()];
    let io = GradientIo { x: &x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
    layer.backward(
        &context,
        Weights { values: &weights, derived: &derived },
        io,
        &mut gradient,
        space.cache(),
    );

    let slope = |at: &[f32], i: usize, energy: &dyn Fn(&[f32]) -> f64| {
        let moved = |by: f32| {
            let mut at = at.to_vec();
            at[i] += by;
            energy(&at)
        };
        let difference = |step: f32| (moved(step) - moved(-step)) / f64::from(2.0 * step);
        ((4.0 * difference(5e-3) - difference(1e-2)) / 3.0) as f32
    };
    let slopes: Vec<f32> = (0..x.len()).map(|i| slope(&x, i, &|x| energy(x, &weights))).collect();
    assert_close(&dx, &slopes, 5e-3);
    let n_trainable: usize = layer.parameters().iter().filter(|p| p.trainable).map(|p| p.len()).sum();
    let slopes: Vec<f32> = (0..n_trainable).map(|i| 1.0 + slope(&weights, i, &|w| energy(&x, w))).collect();
    assert_close(&gradient[..n_trainable], &slopes, 5e-3);
}
