//! What each layer of an architecture computes, composed of the tape's operations.

use std::collections::HashMap;

use cantus_nn::layer::{Dense, InputGroup, Kernel, RandomFourierFeatures};
use cantus_nn::{Activation, LayerSpec};
use cantus_random::{KeyedRng, bits, key};

use super::function::Function;
use super::number::Number;

use super::tape::{Node, Tape};

/// Examples between two layers.
#[derive(Debug, Clone)]
pub struct Signal {
    pub node: Node,
    /// How many examples.
    pub rows: usize,
    /// Of one example.
    pub shape: Vec<usize>,
    /// The activation that the numbers went through last, if it is known, and what they were before.
    pub before_activation: Option<(Activation, Node, usize)>,
}

impl Signal {
    pub fn new(node: Node, rows: usize, shape: &[usize]) -> Self {
        Self { node, rows, shape: shape.to_vec(), before_activation: None }
    }

    /// Numbers of one example.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Of the last axis.
    pub fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }
}

/// A pass of a batch through a network.
pub struct Forward<'a, T> {
    pub tape: Tape<T>,
    pub weights: &'a HashMap<String, Node>,
    /// Training, with random dropout; otherwise inference.
    pub training: bool,
    /// Whether batch normalisation uses the statistics of the batch: in training, unless the layer is frozen.
    pub batch_statistics: bool,
    /// Moving statistics, with their new values.
    pub moved: Vec<(String, Vec<T>)>,
}

impl<T: Number> Forward<'_, T> {
    /// A tensor of the layer at `path`.
    pub fn weight(&self, path: &str, name: &str) -> Node {
        self.weights[&format!("{path}.{name}")]
    }

    /// Takes examples through a layer; `place` is the key of its random numbers in this step.
    pub fn layer(&mut self, spec: &LayerSpec, path: &str, place: u64, x: &Signal) -> Signal {
        match spec {
            LayerSpec::Activation(layer) => self.activate(x, x.node, &x.shape, layer.activation),
            LayerSpec::Average(_) => panic!("{path}: Average is for inference only"),
            LayerSpec::AveragePool2D(pool) => {
                self.average_pool(x, pool.pool_size, pool.strides, pool.padding)
            }
            LayerSpec::BatchNormalization(layer) => self.batch_normalization(layer, path, x),
            LayerSpec::Bidirectional(layer) => self.bidirectional(&layer.layer, path, x),
            LayerSpec::Conv2D(layer) => self.conv2d(layer, path, x),
            LayerSpec::Dense(layer) => self.dense(layer, path, x),
            LayerSpec::Dropout(layer) => self.dropout(x, layer.rate, x.len(), place),
            LayerSpec::Flatten(_) => Signal { shape: vec![x.len()], ..x.clone() },
            LayerSpec::GaussianNoise(layer) => self.noise(x, layer.stddev, place),
            LayerSpec::GlobalAveragePooling1D(_) | LayerSpec::GlobalAveragePooling2D(_) => {
                self.mean_of_positions(x)
            }
            LayerSpec::Gru(_)
            | LayerSpec::Lstm(_)
            | LayerSpec::MultiTimescaleLstm(_)
            | LayerSpec::SimpleRnn(_) => self.recurrent(spec, path, x, false),
            LayerSpec::LayerNormalization(layer) => self.layer_normalization(layer, path, x),
            LayerSpec::MaxPool2D(pool) => self.max_pool(x, pool.pool_size, pool.strides, pool.padding),
            LayerSpec::RandomFourierFeatures(layer) => self.fourier_features(layer, path, x),
            LayerSpec::Reshape(layer) => Signal { shape: layer.target_shape.clone(), ..x.clone() },
            LayerSpec::Residual(block) => {
                let mut inner = x.clone();
                for (i, layer) in block.layers.iter().enumerate() {
                    inner = self.layer(layer, &format!("{path}.layers.{i}"), key(place, i as u64), &inner);
                }
                let sum = self.tape.add(x.node, inner.node);
                Signal::new(sum, x.rows, &x.shape)
            }
            LayerSpec::SpatialDropout(layer) => self.dropout(x, layer.rate, x.width(), place),
            LayerSpec::StatisticsPooling1D(layer) => self.statistics(layer, x),
            LayerSpec::TimeDistributed(layer) => {
                let steps = Signal::new(x.node, x.rows * x.shape[0], &x.shape[1..]);
                let y = self.layer(&layer.layer, path, place, &steps);
                let shape = [&x.shape[..1], &y.shape].concat();
                Signal { rows: x.rows, shape, ..y }
            }
        }
    }

    /// Net inputs through an activation; softmax goes along the last axis.
    pub fn activate(&mut self, x: &Signal, net: Node, shape: &[usize], activation: Activation) -> Signal {
        let width = shape.last().copied().unwrap_or(1);
        let function = match activation {
            Activation::Linear => None,
            Activation::Sigmoid => Some(Function::Sigmoid),
            Activation::Tanh => Some(Function::Tanh),
            Activation::Relu => Some(Function::Relu),
            Activation::LeakyRelu => Some(Function::LeakyRelu),
            Activation::Elu => Some(Function::Elu),
            Activation::Gelu => Some(Function::Gelu),
            Activation::Silu => Some(Function::Silu),
            Activation::Softmax => None,
        };
        let node = match function {
            Some(function) => self.tape.map(net, function),
            None if activation == Activation::Softmax => self.tape.softmax(net, width),
            None => net,
        };
        let before_activation = Some((activation, net, width));
        Signal { node, rows: x.rows, shape: shape.to_vec(), before_activation }
    }

    /// y = f(x W + b) along the last axis.
    fn dense(&mut self, layer: &Dense, path: &str, x: &Signal) -> Signal {
        let (kernel, bias) = (self.weight(path, "kernel"), self.weight(path, "bias"));
        let product = self.tape.product(x.node, kernel, x.width(), layer.units);
        let net = self.tape.add_row(product, bias);
        let mut shape = x.shape.clone();
        *shape.last_mut().unwrap() = layer.units;
        self.activate(x, net, &shape, layer.activation)
    }

    /// y = m x / (1 - rate); `n_independent` numbers of an example have their own m, which repeats for the others.
    fn dropout(&mut self, x: &Signal, rate: f32, n_independent: usize, place: u64) -> Signal {
        if !self.training {
            return Signal { before_activation: None, ..x.clone() };
        }
        let limit = f64::from(rate) * 2.0_f64.powi(32);
        let factor = |i: usize| {
            let (row, at) = (i / x.len(), i % x.len() % n_independent);
            let is_dropped = f64::from(bits(key(place, row as u64), at as u32)) < limit.floor();
            if is_dropped { 0.0 } else { 1.0 / (1.0 - f64::from(rate)) }
        };
        let mask = (0..x.rows * x.len()).map(|i| T::of(factor(i))).collect();
        let mask = self.tape.constant(mask);
        Signal::new(self.tape.multiply(x.node, mask), x.rows, &x.shape)
    }

    /// y = x + s n
    fn noise(&mut self, x: &Signal, stddev: f32, place: u64) -> Signal {
        if !self.training {
            return Signal { before_activation: None, ..x.clone() };
        }
        let of_row = |row: usize| {
            let mut random = KeyedRng::new([place, row as u64]);
            (0..x.len()).map(|_| T::of(f64::from(stddev) * random.normal())).collect::<Vec<_>>()
        };
        let noise = self.tape.constant((0..x.rows).flat_map(of_row).collect());
        Signal::new(self.tape.add(x.node, noise), x.rows, &x.shape)
    }

    /// For each group of inputs √v cos h and √v sin h of h = factor · x W, where v is the weight of the group and the factor makes
    /// the scale of the kernel a matter of one input. A layer whose groups name their kernels has a tensor W for each.
    fn fourier_features(&mut self, layer: &RandomFourierFeatures, path: &str, x: &Signal) -> Signal {
        let (n, half) = (x.len(), layer.units / 2);
        let groups = if layer.groups.is_empty() { vec![InputGroup::of(n)] } else { layer.groups.clone() };
        let has_kernels = groups.iter().any(|group| group.kernel.is_some());
        let (mut parts, mut start) = (Vec::new(), 0);
        for (i, group) in groups.iter().enumerate() {
            let size = group.inputs.unwrap_or(n - start);
            let inputs = self.tape.gather(x.node, x.rows * size, 0.0, |i| i / size * n + start + i % size);
            let rows = if has_kernels {
                self.weight(path, &format!("groups.{i}.kernel"))
            } else {
                let all = self.weight(path, "kernel");
                self.tape.gather(all, size * half, 0.0, |i| start * half + i)
            };
            let product = self.tape.product(inputs, rows, size, half);
            let size_f = size as f64;
            let factor = match group.kernel.unwrap_or(layer.kernel) {
                Kernel::Laplacian => 1.0 / (f64::from(layer.scale) * size_f),
                Kernel::Gaussian => 1.0 / (f64::from(layer.scale) * size_f.sqrt()),
            };
            let h = self.tape.map(product, Function::Scale(factor));
            for function in [Function::Cos, Function::Sin] {
                let feature = self.tape.map(h, function);
                parts.push(self.tape.map(feature, Function::Scale(f64::from(group.weight).sqrt())));
            }
            start += size;
        }
        // From [parts, examples, half] to [examples, parts, half].
        let (all, n_parts, rows) = (self.tape.concat(&parts), parts.len(), x.rows);
        let node = self.tape.gather(all, rows * n_parts * half, 0.0, |i| {
            let (row, part, at) = (i / half / n_parts, i / half % n_parts, i % half);
            (part * rows + row) * half + at
        });
        Signal::new(node, rows, &[n_parts * half])
    }
}
