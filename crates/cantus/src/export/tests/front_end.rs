//! Tests of the exported front end against the feature extractor, and of graphs from samples to probabilities.

use cantus_audio::feature::onset::{Aggregate, OnsetConfig};
use cantus_audio::feature::{BandwidthConfig, ContrastConfig, Features, Summary};
use cantus_audio::transform::{Norm, PadMode};

use super::*;
use crate::export::graph::Graph;
use crate::export::proto::{ModelProto, OperatorSetIdProto};
use crate::export::{ExportError, front_end};
use prost::Message;

/// A synthetic signal: three decaying tones, a second chord half way, some noise.
fn music(n: usize, seed: u32) -> Vec<f32> {
    let noise = noise(n, seed);
    let tone = |i: usize, hertz: f32| (std::f32::consts::TAU * hertz * i as f32 / 8000.0).sin();
    let sample = |i: usize| {
        let (root, age) = if i < n / 2 { (262.0, i) } else { (330.0, i - n / 2) };
        let root = root * (1.0 + 0.02 * seed as f32);
        let chord = tone(i, root) + 0.7 * tone(i, 1.26 * root) + 0.5 * tone(i, 1.5 * root);
        0.2 * chord * (-(age as f32) / 900.0).exp() + 0.02 * noise[i]
    };
    (0..n).map(sample).collect()
}

/// Features of segments by the exported graph (run by tract) and by the extractor.
fn features(spec: &FeatureSpec, samples: &[f32], n_segments: usize) -> (Vec<f32>, Features) {
    let mut graph = Graph::new("front end", 17);
    let input = graph.input("samples", &[spec.segment_samples()], "");
    let output = front_end::features(&mut graph, spec, &input).unwrap();
    let shape = ["batch".into(), spec.frames_per_segment().into(), spec.n_bins().into()];
    graph.output(output.clone(), "features", &shape, "");
    graph.output(output, "again", &shape, "");
    let proto = ModelProto {
        ir_version: 8,
        graph: Some(graph.finish()),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        ..ModelProto::default()
    };
    let [found, _] =
        run(&proto.encode_to_vec(), Input::Samples, &[n_segments, spec.segment_samples()], samples);
    let mut extractor = spec.extractor().unwrap();
    let mut expected = extractor.extract(&samples[..spec.segment_samples()]);
    for segment in samples.chunks_exact(spec.segment_samples()).skip(1) {
        expected.values.extend(extractor.extract(segment).values);
    }
    (found, expected)
}

/// Asserts that every value is within `tolerance` times the largest of its bin.
#[track_caller]
fn features_equal(spec: &FeatureSpec, tolerance: f32) {
    let n = spec.segment_samples();
    let samples = [music(n, 1), music(n, 2), vec![0.0; n]].concat();
    let (found, expected) = features(spec, &samples, 3);
    assert_eq!(found.len(), expected.values.len());
    for bin in 0..expected.n_bins {
        let column = |values: &[f32]| values.iter().skip(bin).step_by(expected.n_bins).copied().collect();
        let (found, expected): (Vec<f32>, Vec<f32>) = (column(&found), column(&expected.values));
        let largest = expected.iter().fold(1e-3, |largest: f32, x| largest.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * largest,
                "{:?}, bin {bin}, row {i}: {found}, expected {expected}",
                spec.kinds
            );
        }
    }
}

#[test]
fn every_exportable_feature_matches_the_extractor() {
    let mut rejected = Vec::new();
    for &kind in FeatureKind::ALL {
        let spec = spec(vec![kind]);
        if spec.validate().is_err()
            || front_end::features(&mut Graph::new("unsupported", 17), &spec, &"x".into()).is_err()
        {
            rejected.push(kind.name());
        } else {
            features_equal(&spec, 2e-4);
        }
    }
    let expected = ["pcen", "chroma_cqt", "cqt", "tonnetz", "tempogram", "harmonic", "percussive"];
    assert_eq!(rejected, expected);
}

#[test]
fn front_end_parameters_are_applied() {
    let base = || spec(vec![FeatureKind::LogMel, FeatureKind::Rms, FeatureKind::OnsetStrength]);
    features_equal(&FeatureSpec { center: false, top_db: Some(30.0), ..base() }, 2e-4);
    features_equal(&FeatureSpec { pad_mode: PadMode::Reflect, power: 1.0, htk: true, ..base() }, 2e-4);
    features_equal(
        &FeatureSpec { pad_mode: PadMode::Edge, top_db: None, win_length: Some(200), ..base() },
        2e-4,
    );
    features_equal(&FeatureSpec { power: 1.5, n_fft: 250, hop_length: 100, ..base() }, 2e-4);
    let onset = OnsetConfig {
        lag: 2,
        max_size: 3,
        detrend: true,
        aggregate: Aggregate::Median,
        ..OnsetConfig::default()
    };
    features_equal(&FeatureSpec { onset, ..base() }, 2e-4);
    let bandwidth = BandwidthConfig { p: 3.0, norm: false };
    features_equal(&FeatureSpec { bandwidth, ..spec(vec![FeatureKind::SpectralBandwidth]) }, 2e-4);
    let contrast = ContrastConfig { f_min: 150.0, n_bands: 3, quantile: 0.3, linear: true };
    features_equal(&FeatureSpec { contrast, ..spec(vec![FeatureKind::SpectralContrast]) }, 2e-4);
    for (norm, tuning) in [(Norm::L1, Some(0.3)), (Norm::L2, None), (Norm::None, None)] {
        let mut spec = spec(vec![FeatureKind::ChromaStft]);
        (spec.chroma_stft.norm, spec.chroma_stft.tuning) = (norm, tuning);
        features_equal(&spec, 2e-4);
    }
}

/// Without chroma, of which tract cannot infer the shapes. Of a silent segment the deviation is that of ε, beside which the rounded
/// mean of equal values shows.
#[test]
fn statistics_over_the_frames_match_the_extractor() {
    let kinds =
        [FeatureKind::Mfcc, FeatureKind::Rms, FeatureKind::SpectralCentroid, FeatureKind::OnsetStrength];
    for logarithm in [false, true] {
        let summary = Summary { scales: vec![1, 4, 12], logarithm, ..Summary::default() };
        features_equal(&FeatureSpec { summary: Some(summary), ..spec(kinds.to_vec()) }, 2e-3);
    }
    features_equal(&FeatureSpec { summary: Some(Summary::default()), ..spec(kinds.to_vec()) }, 2e-3);
}

#[test]
fn a_graph_on_samples_matches_the_model() {
    let spec = spec(vec![FeatureKind::Mfcc, FeatureKind::ZeroCrossingRate, FeatureKind::ChromaStft]);
    let layers = "[[layers]]\ntype = 'GRU'\nunits = 8";
    let mut model = model(&spec, &architecture(&[spec.frames_per_segment(), spec.n_bins()], layers));
    model.normalization.deviation[..spec.n_mfcc].fill(60.0);
    model.calibration.segment_temperature = 3.0;
    let n = spec.segment_samples();
    let samples = [music(n, 1), music(n, 3), music(n, 8)].concat();
    let (_, extracted) = features(&spec, &samples, 3);
    assert_predictions_equal(&model, Input::Samples, &samples, &extracted.values, 3);
}

#[test]
fn unsupported_features_are_rejected_with_one_line() {
    let error = |spec: &FeatureSpec| {
        let error =
            front_end::features(&mut Graph::new("unsupported", 17), spec, &"samples".into()).unwrap_err();
        assert!(error.is_of_front_end());
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        error
    };
    let unsupported = error(&spec(vec![FeatureKind::Mfcc, FeatureKind::Cqt]));
    assert!(unsupported.to_string().contains("feature cqt"), "{unsupported}");
    assert!(unsupported.to_string().contains("mfcc, mel, log_mel, stft,"), "{unsupported}");
    let symmetric = FeatureSpec { pad_mode: PadMode::Symmetric, ..spec(vec![FeatureKind::Mfcc]) };
    assert_eq!(error(&symmetric), ExportError::SymmetricPadding);
    let long = FeatureSpec { pad_mode: PadMode::Reflect, n_fft: 8192, ..spec(vec![FeatureKind::Mfcc]) };
    assert_eq!(error(&long), ExportError::ReflectPaddingTooLong { segment_samples: 3200, padding: 4096 });
}
