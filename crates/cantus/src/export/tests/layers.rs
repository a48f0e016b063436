//! Tests of exported layers, activations, recipes and crops against `cantus_nn`.

use cantus_nn::LayerSpec;

use super::*;
use crate::{Crops, Recipe};

/// Layers for features of 26 frames and 6 bins, as a sequence or as an image.
const SEQUENCES: [&str; 11] = [
    "[[layers]]\ntype = 'Dense'\nunits = 5\n[[layers]]\ntype = 'LayerNormalization'\n[[layers]]\ntype = 'Dropout'\nrate = 0.3\n\
     [[layers]]\ntype = 'Flatten'\n[[layers]]\ntype = 'Activation'\nactivation = 'tanh'",
    "[[layers]]\ntype = 'SimpleRNN'\nunits = 5\nreturn_sequences = true\n[[layers]]\ntype = 'SimpleRNN'\nunits = 4",
    "[[layers]]\ntype = 'LSTM'\nunits = 5\nreturn_sequences = true\n[[layers]]\ntype = 'LSTM'\nunits = 4",
    "[[layers]]\ntype = 'GRU'\nunits = 5\nreturn_sequences = true\n[[layers]]\ntype = 'GRU'\nunits = 4",
    "[[layers]]\ntype = 'Bidirectional'\nlayer = { type = 'LSTM', units = 3, return_sequences = true }\n\
     [[layers]]\ntype = 'GaussianNoise'\nstddev = 0.1\n\
     [[layers]]\ntype = 'Bidirectional'\nlayer = { type = 'GRU', units = 3, return_sequences = true }\n\
     [[layers]]\ntype = 'Bidirectional'\nlayer = { type = 'SimpleRNN', units = 4 }",
    "[[layers]]\ntype = 'MultiTimescaleLSTM'\nunits = 3\ntime_scales = [2.0, 9.0]\nreturn_sequences = true\n\
     [[layers]]\ntype = 'TimeDistributed'\nlayer = { type = 'Dense', units = 4, activation = 'tanh' }\n\
     [[layers]]\ntype = 'GlobalAveragePooling1D'",
    "[[layers]]\ntype = 'StatisticsPooling1D'\nscales = [1, 3, 8]\nlogarithm = true\n[[layers]]\ntype = 'Flatten'\n\
     [[layers]]\ntype = 'BatchNormalization'\n\
     [[layers]]\ntype = 'RandomFourierFeatures'\nunits = 40\ngroups = [20, 10]\nscale = 0.5",
    "[[layers]]\ntype = 'StatisticsPooling1D'\n[[layers]]\ntype = 'Flatten'\n[[layers]]\ntype = 'RandomFourierFeatures'\nunits = 20\n\
     groups = [5, { inputs = 3, kernel = 'gaussian', weight = 0.3 }, { weight = 2.0 }]",
    "[[layers]]\ntype = 'StatisticsPooling1D'\n[[layers]]\ntype = 'RandomFourierFeatures'\nkernel = 'gaussian'\nunits = 20",
    "[[layers]]\ntype = 'Reshape'\ntarget_shape = [26, 3, 2, 1]\n\
     [[layers]]\ntype = 'TimeDistributed'\nlayer = { type = 'Conv2D', filters = 2, kernel_size = [2, 2] }\n\
     [[layers]]\ntype = 'TimeDistributed'\nlayer = { type = 'Residual', layers = [{ type = 'Dense', units = 2 }] }\n\
     [[layers]]\ntype = 'Flatten'",
    "[[layers]]\ntype = 'Average'\n\
     [[layers.branches]]\nbins = [[4, 6], [0, 3]]\n\
     [[layers.branches.layers]]\ntype = 'Reshape'\ntarget_shape = [26, 5, 1]\n\
     [[layers.branches.layers]]\ntype = 'Conv2D'\nfilters = 4\nkernel_size = [3, 3]\n\
     [[layers.branches.layers]]\ntype = 'BatchNormalization'\n\
     [[layers.branches.layers]]\ntype = 'GlobalAveragePooling2D'\n\
     [[layers.branches]]\n\
     [[layers.branches.layers]]\ntype = 'StatisticsPooling1D'\n\
     [[layers.branches.layers]]\ntype = 'Flatten'\n\
     [[layers.branches.layers]]\ntype = 'Dense'\nunits = 4\nactivation = 'tanh'\n\
     [[layers.branches]]\nbins = [[2, 3]]\n\
     [[layers.branches.layers]]\ntype = 'Flatten'\n\
     [[layers.branches.layers]]\ntype = 'Dense'\nunits = 4",
];

const IMAGES: [&str; 3] = [
    "[[layers]]\ntype = 'Conv2D'\nfilters = 4\nkernel_size = [3, 2]\nstrides = [2, 1]\npadding = 'same'\nactivation = 'relu'\n\
     [[layers]]\ntype = 'BatchNormalization'\n\
     [[layers]]\ntype = 'MaxPool2D'\npool_size = [3, 2]\nstrides = [2, 2]\npadding = 'same'\n\
     [[layers]]\ntype = 'SpatialDropout2D'\nrate = 0.2\n[[layers]]\ntype = 'Flatten'",
    "[[layers]]\ntype = 'Conv2D'\nfilters = 3\nkernel_size = [4, 3]\n\
     [[layers]]\ntype = 'AveragePool2D'\npool_size = [3, 2]\nstrides = [2, 1]\n\
     [[layers]]\ntype = 'Residual'\n[[layers.layers]]\ntype = 'Conv2D'\nfilters = 3\nkernel_size = [3, 3]\npadding = 'same'\n\
     [[layers.layers]]\ntype = 'LayerNormalization'\n\
     [[layers]]\ntype = 'GlobalAveragePooling2D'",
    "[[layers]]\ntype = 'AveragePool2D'\npool_size = [3, 2]\nstrides = [2, 2]\npadding = 'same'\n\
     [[layers]]\ntype = 'MaxPool2D'\n[[layers]]\ntype = 'Flatten'",
];

/// Number of layers: a new layer gets the next number, and must occur in [`SEQUENCES`] or [`IMAGES`].
const N_LAYERS: usize = 24;

/// A number for each layer; the exhaustive `match` does not compile without a new one.
fn number(layer: &LayerSpec) -> usize {
    match layer {
        LayerSpec::Activation(_) => 0,
        LayerSpec::AveragePool2D(_) => 1,
        LayerSpec::BatchNormalization(_) => 2,
        LayerSpec::Bidirectional(_) => 3,
        LayerSpec::Conv2D(_) => 4,
        LayerSpec::Dense(_) => 5,
        LayerSpec::Dropout(_) => 6,
        LayerSpec::Flatten(_) => 7,
        LayerSpec::GaussianNoise(_) => 8,
        LayerSpec::GlobalAveragePooling1D(_) => 9,
        LayerSpec::GlobalAveragePooling2D(_) => 10,
        LayerSpec::Gru(_) => 11,
        LayerSpec::LayerNormalization(_) => 12,
        LayerSpec::Lstm(_) => 13,
        LayerSpec::MaxPool2D(_) => 14,
        LayerSpec::MultiTimescaleLstm(_) => 15,
        LayerSpec::RandomFourierFeatures(_) => 16,
        LayerSpec::Reshape(_) => 17,
        LayerSpec::Residual(_) => 18,
        LayerSpec::SimpleRnn(_) => 19,
        LayerSpec::SpatialDropout(_) => 20,
        LayerSpec::StatisticsPooling1D(_) => 21,
        LayerSpec::TimeDistributed(_) => 22,
        LayerSpec::Average(_) => 23,
    }
}

fn small() -> FeatureSpec {
    let spec = spec(vec![FeatureKind::Mfcc]);
    assert_eq!([spec.frames_per_segment(), spec.n_bins()], [26, 6]);
    spec
}

#[test]
fn every_layer_matches_cantus_nn() {
    let mut seen = [false; N_LAYERS];
    for (input_shape, layers) in
        SEQUENCES.map(|layers| (vec![26, 6], layers)).into_iter().chain(IMAGES.map(|l| (vec![26, 6, 1], l)))
    {
        let architecture = architecture(&input_shape, layers);
        architecture.layers.iter().for_each(|layer| seen[number(layer)] = true);
        assert_equal_for_noise(&model(&small(), &architecture));
    }
    assert_eq!(seen, [true; N_LAYERS], "a layer that was not tested");
}

#[test]
fn every_activation_matches_cantus_nn() {
    for activation in ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softmax"] {
        let layers = format!(
            "[[layers]]\ntype = 'Flatten'\n[[layers]]\ntype = 'Dense'\nunits = 5\nactivation = '{activation}'"
        );
        assert_equal_for_noise(&model(&small(), &architecture(&[26, 6], &layers)));
    }
}

#[test]
fn a_network_on_crops_takes_whole_segments() {
    for (n_crops, image) in [(1, false), (3, false), (2, true)] {
        let (shape, layers) = if image { (vec![10, 6, 1], IMAGES[0]) } else { (vec![10, 6], SEQUENCES[2]) };
        let model = Model {
            crops: Some(Crops { n_frames: 10, n_crops }),
            ..model(&small(), &architecture(&shape, layers))
        };
        assert_equal_for_noise(&model);
    }
}

#[test]
fn an_uncalibrated_model_matches_its_network() {
    let layers = "[[layers]]\ntype = 'Flatten'";
    let calibration = Calibration::default();
    assert_equal_for_noise(&Model { calibration, ..model(&small(), &architecture(&[26, 6], layers)) });
}

#[test]
fn every_recipe_matches_cantus_nn() {
    for name in Recipe::names() {
        let recipe = crate::recipe::load_with_embedding(name);
        let spec = &recipe.features;
        let architecture = recipe.architecture(spec.frames_per_segment(), spec.n_bins(), LABELS);
        println!("{name}");
        let mut model = Model { crops: recipe.crops(), ..model(spec, &architecture) };
        if name.ends_with("-cnn") || name == "ensemble" {
            // The random weights of these deep networks make all predictions certain at the temperature of the others.
            model.calibration.segment_temperature = 2.0;
        }
        assert_equal_for_noise(&model);
    }
}
