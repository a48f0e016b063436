//! The initial weights of a small network, pinned to those of a second implementation of generator and initialisers.

use cantus_nn::{Architecture, Network};

const ARCHITECTURE: &str = r#"
    input_shape = [3]
    layers = [
        { type = "Dense", units = 4, kernel_initializer = "glorot_uniform" },
        { type = "Dense", units = 3, kernel_initializer = "he_normal" },
        { type = "Dense", units = 3, kernel_initializer = "orthogonal" },
    ]
"#;

/// `tests/reference/keyed_random.py` (Python 3, no packages). To 1e-6, since logarithm and cosine are the platform's and the
/// weights are f32.
///
/// A change of these numbers changes the first weights, and so the result, of every user's training.
#[test]
fn the_initial_weights_of_a_small_network_are_pinned() {
    let architecture: Architecture = toml::from_str(ARCHITECTURE).unwrap();
    let weights = Network::new(&architecture, 0).unwrap().weights();
    let pinned = [
        (
            "layers.0.kernel",
            [0.028_263_7, -0.574_455_8, -0.028_069_2, -0.016_263_8, 0.337_871_3, 0.815_530_9],
        ),
        ("layers.1.kernel", [0.449_884_3, 0.193_625_9, -0.346_466_6, 0.819_193_9, 0.530_025_6, 0.653_181_4]),
        (
            "layers.2.kernel",
            [-0.421_425_2, 0.906_725_9, -0.015_780_2, -0.410_302_7, -0.206_159_4, -0.888_341_2],
        ),
    ];
    for (name, pinned) in pinned {
        let kernel = &weights.iter().find(|tensor| tensor.name == name).unwrap().values;
        for (i, (drawn, pinned)) in kernel.iter().zip(pinned).enumerate() {
            assert!((drawn - pinned).abs() < 1e-6_f32, "{name} at {i}: {drawn}, pinned {pinned}");
        }
    }
}
