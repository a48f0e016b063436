//! A summary in the extraction has the statistics of the layer `StatisticsPooling1D`, at the size of the recipe `best`.

#![cfg(feature = "train")]

use cantus::Recipe;
use cantus_audio::feature::{FeatureSpec, Summary};
use cantus_nn::{Architecture, LayerSpec, Network};
use cantus_random::KeyedRng;

#[test]
fn a_summary_equals_statistics_pooling_of_the_frames() {
    let best = Recipe::load("best").unwrap();
    let LayerSpec::StatisticsPooling1D(pooling) = &best.layers[0] else { panic!("best pools first") };
    let mut rng = KeyedRng::new([15]);
    // Ten seconds of noise whose level rises and falls.
    let n_samples = best.features.segment_samples();
    let level = |n: usize| 0.1 + 0.09 * (n as f32 * 1e-4).sin();
    let samples: Vec<f32> = (0..n_samples).map(|n| level(n) * (2.0 * rng.uniform() as f32 - 1.0)).collect();
    let frames = best.features.extractor().unwrap().extract(&samples);
    assert_eq!((frames.n_frames, frames.n_bins), (431, 59));
    let architecture = Architecture {
        input_shape: vec![frames.n_frames, frames.n_bins],
        layers: vec![best.layers[0].clone(), best.layers[1].clone()],
    };
    let expected = Network::new(&architecture, 0).unwrap().predict(&frames.values).unwrap();
    let summary =
        Summary { scales: pooling.scales.clone(), logarithm: pooling.logarithm, epsilon: pooling.epsilon };
    let spec = FeatureSpec { summary: Some(summary), ..best.features };
    let found = spec.extractor().unwrap().extract(&samples);
    assert_eq!((found.n_frames, found.values.len()), (1, expected.len()));
    for (index, (found, expected)) in found.values.iter().zip(&expected).enumerate() {
        let tolerance = 1e-4 * expected.abs().max(1.0);
        assert!((found - expected).abs() <= tolerance, "at {index}: {found}, expected {expected}");
    }
}
