//! Random networks of all layers, with random settings of their training.

use cantus_nn::layer::*;
use cantus_nn::{Activation, Architecture, Initializer, LayerSpec, Regularizer};

use super::heads::head;
use super::plan::{Plan, adaptive, clipping, sgd};
use super::random::Random;

/// Most multiplications of one run forward of most networks, and of every eighth.
const BUDGETS: [usize; 2] = [3_000_000, 16_000_000];

/// A random network of at most the budget of its number.
pub fn plan(number: u64) -> Plan {
    let mut random = Random::new(number.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let budget = BUDGETS[usize::from(number.is_multiple_of(8))];
    loop {
        let plan = draw(&mut random);
        if plan.cost() <= budget && cantus_nn::Network::new(&plan.architecture, 0).is_ok() {
            return plan;
        }
    }
}

fn draw(random: &mut Random) -> Plan {
    let mut shape = input_shape(random);
    let input_shape = shape.clone();
    let mut layers = Vec::new();
    for _ in 0..random.below(6) {
        append(random, &mut layers, &mut shape, |random, shape| layer(random, shape, 2));
    }
    let loss = head(random, &mut layers, &mut shape);
    let n_classes = shape.last().copied().unwrap_or(1);
    let batch = random.pick(&[1, 2, 7, 32, 33]);
    let more = if random.bernoulli(0.4) { 1 } else { random.below(batch) };
    let n_examples = batch * random.pick(&[1, 1, 2]) + more;
    let weighs = random.bernoulli(0.2);
    let class_weights =
        if weighs { (0..n_classes).map(|_| 0.5 + random.unit() as f32).collect() } else { Vec::new() };
    Plan {
        architecture: Architecture { input_shape, layers },
        loss,
        batch,
        n_examples,
        clipping: clipping(random),
        class_weights,
        shuffle: random.bernoulli(0.5),
        n_threads: 1 + random.below(3),
        sgd: sgd(random),
        adaptive: adaptive(random),
    }
}

/// A layer is appended if it fits the shape.
pub fn append(
    random: &mut Random,
    layers: &mut Vec<LayerSpec>,
    shape: &mut Vec<usize>,
    next: impl Fn(&mut Random, &[usize]) -> LayerSpec,
) {
    let layer = next(random, shape);
    if let Ok(output) = layer.output_shape(shape)
        && output.iter().product::<usize>() <= 1 << 16
    {
        *shape = output;
        layers.push(layer);
    }
}

/// A count from 1 to about `most`, small ones more often.
pub fn count(random: &mut Random, most: f64) -> usize {
    most.powf(random.unit()) as usize
}

fn input_shape(random: &mut Random) -> Vec<usize> {
    match random.below(10) {
        0..2 => vec![count(random, 600.0)],
        2..5 => vec![2 + count(random, 60.0), count(random, 40.0)],
        5..9 => vec![2 + count(random, 60.0), 1 + count(random, 40.0), random.pick(&[1, 1, 2, 3, 5, 16, 18])],
        _ => vec![2 + random.below(4), 3 + random.below(6), 2 + random.below(5), 1 + random.below(3)],
    }
}

pub fn activation(random: &mut Random) -> Activation {
    random.pick(&[
        Activation::Linear,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softmax,
    ])
}

pub fn regularizer(random: &mut Random) -> Option<Regularizer> {
    let mut size = || if random.bernoulli(0.5) { 0.02 * random.unit() as f32 } else { 0.0 };
    let both = Regularizer { l1: size(), l2: size() };
    random.bernoulli(0.3).then_some(both)
}

fn padding(random: &mut Random) -> Padding {
    random.pick(&[Padding::Valid, Padding::Same])
}

pub fn dense(random: &mut Random, units: usize) -> LayerSpec {
    let kernel_initializer = random.pick(&[Initializer::GlorotUniform, Initializer::HeNormal]);
    LayerSpec::Dense(Dense {
        kernel_initializer,
        kernel_regularizer: regularizer(random),
        bias_regularizer: regularizer(random),
        ..Dense::new(units, activation(random))
    })
}

fn conv(random: &mut Random, filters: usize) -> Conv2D {
    Conv2D {
        strides: random.pick(&[[1, 1], [1, 1], [2, 1], [1, 2], [2, 3]]),
        padding: padding(random),
        kernel_regularizer: regularizer(random),
        ..Conv2D::new(filters, [1 + random.below(4), 1 + random.below(4)], activation(random))
    }
}

fn recurrent(random: &mut Random, units: usize, return_sequences: bool) -> LayerSpec {
    match random.below(3) {
        0 => LayerSpec::Lstm(Lstm {
            kernel_regularizer: regularizer(random),
            recurrent_regularizer: regularizer(random),
            ..Lstm::new(units, return_sequences)
        }),
        1 => LayerSpec::Gru(Gru {
            kernel_regularizer: regularizer(random),
            recurrent_regularizer: regularizer(random),
            ..Gru::new(units, return_sequences)
        }),
        _ => LayerSpec::SimpleRnn(SimpleRnn { units, return_sequences }),
    }
}

/// A layer for inputs of a shape; blocks have layers of their own down to `depth`.
fn layer(random: &mut Random, shape: &[usize], depth: usize) -> LayerSpec {
    // Every second layer is one of those that are for inputs of this number of axes.
    let choice = if random.bernoulli(0.4) { 11 } else { random.below(12) };
    match (choice, shape.len()) {
        (0, _) => LayerSpec::Dropout(Dropout { rate: 0.5 * random.unit() as f32 }),
        (1, _) => LayerSpec::GaussianNoise(GaussianNoise { stddev: 0.2 * random.unit() as f32 }),
        (2, _) => LayerSpec::BatchNormalization(BatchNormalization {
            momentum: random.pick(&[0.99, 0.6]),
            epsilon: 1e-3,
        }),
        (3, _) => LayerSpec::LayerNormalization(LayerNormalization::default()),
        (4, _) => LayerSpec::Activation(ActivationLayer { activation: activation(random) }),
        (5, _) if depth > 0 => residual(random, shape, depth - 1),
        (6, 2..) => LayerSpec::SpatialDropout(SpatialDropout { rate: 0.4 * random.unit() as f32 }),
        (7, 2..) if depth > 0 => {
            let inner = layer(random, &shape[1..], depth - 1);
            LayerSpec::TimeDistributed(TimeDistributed { layer: Box::new(inner) })
        }
        (8, _) => reshape(random, shape),
        (9, _) => {
            let units = count(random, 80.0);
            dense(random, units)
        }
        (_, 1) => vector_layer(random, shape[0]),
        (_, 2) => sequence_layer(random, shape),
        (_, 3) => image_layer(random),
        _ => {
            let inner = image_layer(random);
            LayerSpec::TimeDistributed(TimeDistributed { layer: Box::new(inner) })
        }
    }
}

fn reshape(random: &mut Random, shape: &[usize]) -> LayerSpec {
    let (first, rest) = (shape[0], &shape[1..]);
    let target = match random.below(3) {
        0 => return LayerSpec::Flatten(Flatten {}),
        1 => [shape, &[1]].concat(),
        _ if first.is_multiple_of(2) => [&[first / 2, 2], rest].concat(),
        _ => [&[1], shape].concat(),
    };
    if target.len() > 4 {
        return LayerSpec::Flatten(Flatten {});
    }
    LayerSpec::Reshape(Reshape { target_shape: target })
}

pub fn vector_layer(random: &mut Random, n: usize) -> LayerSpec {
    if random.bernoulli(0.7) {
        let units = count(random, 700.0);
        return dense(random, units);
    }
    let half = n / 2;
    LayerSpec::RandomFourierFeatures(RandomFourierFeatures {
        units: 2 * count(random, 60.0),
        kernel: random.pick(&[Kernel::Laplacian, Kernel::Gaussian]),
        scale: 0.5 + random.unit() as f32,
        groups: if half > 0 && random.bernoulli(0.6) { input_groups(random, half, n) } else { Vec::new() },
    })
}

/// Two groups of `half` and the other inputs; in half of the cases with a kernel and a weight each.
fn input_groups(random: &mut Random, half: usize, n: usize) -> Vec<InputGroup> {
    if random.bernoulli(0.5) {
        return vec![InputGroup::of(half), InputGroup::of(n - half)];
    }
    let group = |random: &mut Random, inputs| InputGroup {
        inputs,
        kernel: Some(random.pick(&[Kernel::Laplacian, Kernel::Gaussian])),
        weight: 0.25 + 1.5 * random.unit() as f32,
    };
    vec![group(random, Some(half)), group(random, None)]
}

fn sequence_layer(random: &mut Random, shape: &[usize]) -> LayerSpec {
    let (units, all) = (count(random, 48.0), random.bernoulli(0.6));
    match random.below(9) {
        0 => LayerSpec::MultiTimescaleLstm(MultiTimescaleLstm {
            units: 1 + units / 4,
            time_scales: vec![2.0, 5.0, 17.0],
            return_sequences: all,
        }),
        1..3 => {
            let inner = recurrent(random, units, all);
            LayerSpec::Bidirectional(Bidirectional { layer: Box::new(inner) })
        }
        3 => LayerSpec::GlobalAveragePooling1D(GlobalAveragePooling1D {}),
        4..6 => LayerSpec::StatisticsPooling1D(StatisticsPooling1D {
            scales: [1, 2, 5]
                .into_iter()
                .filter(|scale| 2 * scale < shape[0] && random.bernoulli(0.6))
                .collect(),
            logarithm: random.bernoulli(0.5),
            epsilon: random.pick(&[1e-3, 1e-2]),
        }),
        _ => recurrent(random, units, all),
    }
}

fn image_layer(random: &mut Random) -> LayerSpec {
    let pool_size = [1 + random.below(3), 1 + random.below(3)];
    let strides = random.pick(&[None, Some([2, 2]), Some([1, 2]), Some([3, 1])]);
    match random.below(7) {
        0..3 => {
            let filters =
                if random.bernoulli(0.3) { random.pick(&[16, 17, 24, 32, 35]) } else { count(random, 40.0) };
            LayerSpec::Conv2D(conv(random, filters))
        }
        3..5 => LayerSpec::MaxPool2D(MaxPool2D { pool_size, strides, padding: padding(random) }),
        5 => LayerSpec::AveragePool2D(AveragePool2D { pool_size, strides, padding: padding(random) }),
        _ => LayerSpec::GlobalAveragePooling2D(GlobalAveragePooling2D {}),
    }
}

/// Layers that keep the shape, or one more that brings it back.
fn residual(random: &mut Random, shape: &[usize], depth: usize) -> LayerSpec {
    let (mut layers, mut inner) = (Vec::new(), shape.to_vec());
    for _ in 0..1 + random.below(3) {
        append(random, &mut layers, &mut inner, |random, shape| match (shape.len(), random.below(3)) {
            (3, 0) => {
                let filters = count(random, 12.0);
                LayerSpec::Conv2D(Conv2D { strides: [1, 1], padding: Padding::Same, ..conv(random, filters) })
            }
            (2, 0) => recurrent(random, 1 + shape[1] / 2, true),
            _ => layer(random, shape, depth),
        });
    }
    if inner != shape {
        let (n, width) = (shape.iter().product(), shape[shape.len() - 1]);
        if inner[..inner.len() - 1] == shape[..shape.len() - 1] {
            layers.push(dense(random, width));
        } else {
            layers.push(LayerSpec::Flatten(Flatten {}));
            layers.push(dense(random, n));
            layers.push(LayerSpec::Reshape(Reshape { target_shape: shape.to_vec() }));
        }
    }
    if layers.is_empty() {
        layers.push(dense(random, shape[shape.len() - 1]));
    }
    LayerSpec::Residual(Residual { layers })
}
