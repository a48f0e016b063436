//! How many multiplications a network takes, so that the tests stay within a budget.

use cantus_nn::{Architecture, LayerSpec};

/// Of one example forward, about.
pub fn n_multiplications(architecture: &Architecture) -> usize {
    of_layers(&architecture.layers, &architecture.input_shape)
}

fn of_layers(layers: &[LayerSpec], input: &[usize]) -> usize {
    let (mut shape, mut sum) = (input.to_vec(), 0);
    for layer in layers {
        let Ok(output) = layer.output_shape(&shape) else { return usize::MAX / (1 << 20) };
        sum += of_layer(layer, &shape, &output);
        shape = output;
    }
    sum
}

fn of_layer(layer: &LayerSpec, input: &[usize], output: &[usize]) -> usize {
    let (n_inputs, n_outputs) = (input.iter().product::<usize>(), output.iter().product::<usize>());
    let width = input[input.len() - 1];
    let recurrent = |n_gates: usize, units: usize| input[0] * n_gates * units * (width + units + 12);
    match layer {
        LayerSpec::Dense(_) => n_outputs * width,
        LayerSpec::Conv2D(conv) => n_outputs * conv.kernel_size[0] * conv.kernel_size[1] * width,
        LayerSpec::RandomFourierFeatures(features) => n_inputs * features.units / 2,
        LayerSpec::Lstm(lstm) => recurrent(4, lstm.units),
        LayerSpec::MultiTimescaleLstm(lstm) => recurrent(4, lstm.units * lstm.time_scales.len()),
        LayerSpec::Gru(gru) => recurrent(3, gru.units),
        LayerSpec::SimpleRnn(rnn) => recurrent(1, rnn.units),
        LayerSpec::Bidirectional(both) => 2 * of_layer(&both.layer, input, output),
        LayerSpec::TimeDistributed(each) => input[0] * of_layer(&each.layer, &input[1..], &output[1..]),
        LayerSpec::Residual(block) => of_layers(&block.layers, input) + n_inputs,
        LayerSpec::MaxPool2D(pool) => n_outputs * pool.pool_size[0] * pool.pool_size[1],
        LayerSpec::AveragePool2D(pool) => n_outputs * pool.pool_size[0] * pool.pool_size[1],
        LayerSpec::StatisticsPooling1D(pool) => n_inputs * (4 + 4 * pool.scales.iter().sum::<usize>()),
        LayerSpec::BatchNormalization(_) | LayerSpec::LayerNormalization(_) => 10 * n_inputs,
        LayerSpec::Flatten(_) | LayerSpec::Reshape(_) => 0,
        _ => 2 * n_inputs,
    }
}
