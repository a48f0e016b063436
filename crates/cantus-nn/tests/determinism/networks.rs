//! Networks of real size over all kinds of layers that can be trained: those of the lecture course, with other layers added.

/// Of each example, for all networks: an image of one channel for some.
pub const INPUT_LEN: usize = 130 * 13;
/// Of all networks.
pub const N_CLASSES: usize = 10;

/// Name and architecture of each.
pub const NETWORKS: [(&str, &str); 6] = [
    (
        // The first layer is wide, so that threads divide its columns.
        "perceptron",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Flatten" },
            { type = "Dense", units = 512, activation = "relu", kernel_regularizer = { l2 = 1e-3 } },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 256, activation = "gelu" },
            { type = "Dense", units = 64, activation = "silu" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "convolutional",
        r#"input_shape = [130, 13, 1]
        layers = [
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
            { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Conv2D", filters = 32, kernel_size = [2, 2], activation = "relu" },
            { type = "Flatten" },
            { type = "Dense", units = 64, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "recurrent",
        r#"input_shape = [130, 13]
        layers = [
            { type = "LSTM", units = 64, return_sequences = true },
            { type = "GRU", units = 64, return_sequences = true },
            { type = "SimpleRNN", units = 24 },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        // Begins with fixed layers, whose outputs are kept if the inputs do not vary by epoch.
        "kernel machine",
        r#"input_shape = [130, 13]
        layers = [
            { type = "StatisticsPooling1D", scales = [1, 4, 16], logarithm = true },
            { type = "Flatten" },
            { type = "BatchNormalization" },
            { type = "RandomFourierFeatures", units = 2000 },
            { type = "LayerNormalization" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "sequences",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Residual", layers = [
                { type = "LayerNormalization" },
                { type = "Dense", units = 13, activation = "elu" },
                { type = "Dropout", rate = 0.1 },
            ] },
            { type = "GaussianNoise", stddev = 0.01 },
            { type = "Bidirectional", layer = { type = "GRU", units = 16, return_sequences = true } },
            { type = "SpatialDropout1D", rate = 0.05 },
            { type = "TimeDistributed", layer = { type = "Dense", units = 24, activation = "leaky_relu" } },
            { type = "MultiTimescaleLSTM", units = 16, time_scales = [2, 6, 20], return_sequences = true },
            { type = "GlobalAveragePooling1D" },
            { type = "Dense", units = 10, activation = "softmax" },
        ]"#,
    ),
    (
        "averages of images",
        r#"input_shape = [130, 13]
        layers = [
            { type = "Reshape", target_shape = [130, 13, 1] },
            { type = "Conv2D", filters = 24, kernel_size = [5, 3], padding = "same" },
            { type = "BatchNormalization" },
            { type = "Activation", activation = "relu" },
            { type = "AveragePool2D", pool_size = [4, 2] },
            { type = "Conv2D", filters = 48, kernel_size = [3, 3], activation = "tanh" },
            { type = "GlobalAveragePooling2D" },
            { type = "Dense", units = 10 },
            { type = "Activation", activation = "softmax" },
        ]"#,
    ),
];
