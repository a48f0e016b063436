//! Graphs from samples through embedding models to probabilities, run by tract, against the model's own predictions.

use cantus_audio::feature::{
    Compression, Embedding, EmbeddingDescription, FeatureKind, InputAxis, PatchPooling, Summary,
};
use prost::Message;

use super::*;
use crate::Error;
use crate::export::EmbeddingExport;
use crate::export::graph::{Attribute, Graph};
use crate::export::proto::{Dimension, ModelProto, OperatorSetIdProto};

const DESCRIPTION: &str = r#"
name = "small"
source = "made for tests"
licence = "MIT OR Apache-2.0"
citation = "none"
training_data = []

[input]
name = "Conv_0"
shape = ["patch", "frame", "band"]
sample_rate = 8000

[input.mel]
n_fft = 256
hop_length = 128
n_mels = 8
half_precision = true
compression = { type = "log10", factor = 10000, offset = 1 }

[patch]
length = 5
hop = 3

[output]
name = "values"
size = 4
pooling = ["max", "mean", "deviation"]
"#;

fn description() -> EmbeddingDescription {
    toml::from_str(DESCRIPTION).unwrap()
}

/// The file of a graph `[patch, n]` or `[patch, 5, 8]` → `[patch, 5, 4]`, whose names are those of exported graphs.
fn file(shape: &[usize], version: i64) -> Vec<u8> {
    let mut graph = Graph::new("embedded", version);
    let input = graph.input("Conv_0", shape, "");
    let n: usize = shape.iter().product::<usize>() / 5;
    let rows = graph.reshape(&input, &[-1, 5, n as i64]);
    let weights = graph.floats(&[n, 4], &noise(4 * n, 3));
    let products = graph.node("MatMul", [&rows, &weights]);
    let values = graph.node("Tanh", [&products]);
    // What no output needs is left out, whatever it is.
    graph.node_with("Unknown", [&values], &[("none", Attribute::Int(0))]);
    graph.output(values, "values", &["patch".into(), 5.into(), 4.into()], "");
    encoded(graph, version)
}

fn encoded(graph: Graph, version: i64) -> Vec<u8> {
    let opset_import = vec![OperatorSetIdProto { domain: "ai.onnx".to_owned(), version }];
    ModelProto { ir_version: 8, graph: Some(graph.finish()), opset_import, ..ModelProto::default() }
        .encode_to_vec()
}

fn embedding(file: Vec<u8>, description: EmbeddingDescription) -> Embedding {
    cantus_embedding::from_parts(file.into(), description).unwrap()
}

fn mel_embedding(change: impl FnOnce(&mut EmbeddingDescription)) -> Embedding {
    let mut description = description();
    change(&mut description);
    embedding(file(&[5, 8], 17), description)
}

/// A classifier of the values of embedding models; segments of 0.4 s.
fn classifier(embeddings: Vec<Embedding>) -> Model {
    let spec = FeatureSpec { embeddings, ..spec(vec![FeatureKind::Embedding]) };
    let n_bins = spec.n_bins();
    let mut model = model(&spec, &architecture(&[1, n_bins], "[[layers]]\ntype = 'Flatten'"));
    model.calibration.segment_temperature = 2.0;
    model
}

#[track_caller]
fn assert_equal_to_predictions(model: &Model) {
    let n = model.features.segment_samples();
    let samples: Vec<f32> =
        noise(3 * n, 21).iter().zip(0..).map(|(x, i)| x * (0.1 + (i / n) as f32)).collect();
    let mut extractor = model.features.extractor().unwrap();
    let features: Vec<f32> =
        samples.chunks_exact(n).flat_map(|segment| extractor.extract(segment).values).collect();
    assert_predictions_equal(model, Input::Samples, &samples, &features, 3);
}

/// As the recipe `embedding-best` has them.
#[test]
fn embeddings_beside_statistics_over_frames_match_the_model() {
    let kinds = vec![FeatureKind::Rms, FeatureKind::Embedding, FeatureKind::Mfcc];
    let summary = Some(Summary { scales: vec![1, 4], logarithm: true, ..Summary::default() });
    let spec = FeatureSpec { embeddings: vec![mel_embedding(|_| ())], summary, ..spec(kinds) };
    let layers = "[[layers]]\ntype = 'Flatten'";
    let mut model = model(&spec, &architecture(&[1, spec.n_bins()], layers));
    model.normalization.deviation.fill(10.0);
    assert_equal_to_predictions(&model);
}

#[test]
fn a_graph_with_an_embedding_model_matches_the_model() {
    assert_equal_to_predictions(&classifier(vec![mel_embedding(|_| ())]));
}

#[test]
fn the_front_end_of_a_description_is_applied() {
    type Change = fn(&mut EmbeddingDescription);
    let changes: [Change; 6] = [
        // Some mel values are above the largest number of 16-bit floating point.
        |d| {
            d.input.gain = 230.0;
            let compression = Compression::Log10 { factor: 1e-4, offset: 1.0 };
            d.input.mel.as_mut().unwrap().compression = compression;
        },
        |d| (d.input.gain, d.input.preemphasis) = (0.5, 0.9),
        |d| d.input.shape = vec![InputAxis::Patch, InputAxis::Frame, InputAxis::One, InputAxis::Band],
        |d| {
            if let Some(mel) = &mut d.input.mel {
                mel.compression = Compression::Db { amin: 1e-6, top_db: Some(10.0) };
                (mel.mean, mel.deviation, mel.power) = (-20.0, 15.0, 1.0);
                (mel.half_precision, mel.center, mel.htk) = (false, false, true);
            }
        },
        |d| {
            if let Some(mel) = &mut d.input.mel {
                mel.compression = Compression::Ln { factor: 1.0, offset: 0.01 };
                mel.win_length = Some(200);
            }
        },
        |d| (d.patch.per_run, d.output.pooling) = (4, vec![PatchPooling::Deviation]),
    ];
    for change in changes {
        let mut described = description();
        change(&mut described);
        let shape: Vec<usize> = described.input_shape().split_off(1);
        assert_equal_to_predictions(&classifier(vec![embedding(file(&shape, 17), described)]));
    }
}

#[test]
fn bands_before_frames_are_transposed() {
    let mut described = description();
    described.input.shape = vec![InputAxis::Patch, InputAxis::Band, InputAxis::Frame];
    assert_equal_to_predictions(&classifier(vec![embedding(file(&[8, 5], 17), described)]));
}

/// An output `[n_patches · n_rows, size]`.
#[test]
fn the_rows_of_a_patch_are_averaged() {
    let mut graph = Graph::new("embedded", 17);
    let input = graph.input("Conv_0", &[5, 8], "");
    let rows = graph.reshape(&input, &[-1, 4]);
    graph.output(rows, "values", &["rows".into(), 4.into()], "");
    assert_equal_to_predictions(&classifier(vec![embedding(encoded(graph, 17), description())]));
}

#[test]
fn several_models_of_samples_and_of_mel_bands_are_concatenated() {
    let mut of_samples = description();
    of_samples.name = "of samples".to_owned();
    of_samples.input.mel = None;
    of_samples.input.shape.truncate(1);
    of_samples.input.shape.push(InputAxis::Sample);
    (of_samples.patch.length, of_samples.patch.hop) = (500, 400);
    let of_samples = embedding(file(&[500], 17), of_samples);
    assert_equal_to_predictions(&classifier(vec![of_samples, mel_embedding(|_| ())]));
}

/// A network of Cantus as an embedding model of another, exported in one file.
#[test]
fn an_exported_network_is_embedded() {
    let layers = "[[layers]]\ntype = 'Flatten'\n[[layers]]\ntype = 'Dense'\nunits = 7\nactivation = 'tanh'";
    let mut inner = model(&spec(vec![FeatureKind::Rms]), &architecture(&[26, 1], layers));
    inner.features.segments = Segments::Parts { track_duration_s: 0.4, n_segments: 1 };
    let export = EmbeddingExport { model: &inner };
    let mut outer =
        classifier(vec![embedding(export.to_bytes().unwrap(), export.description("inner").unwrap())]);
    outer.normalization.deviation.fill(0.3);
    assert_equal_to_predictions(&outer);
}

#[test]
fn a_graph_has_the_operator_set_17_or_a_later_one_of_an_embedding_model() {
    for (versions, expected) in [(&[13][..], 17), (&[18], 18), (&[13, 21], 21)] {
        let of_version = |&version: &i64| embedding(file(&[5, 8], version), description());
        let model = classifier(versions.iter().map(of_version).collect());
        assert_equal_to_predictions(&model);
        let exported = OnnxExport { model: &model, input: Input::Samples }.to_bytes().unwrap();
        assert_eq!(ModelProto::decode(&*exported).unwrap().opset_import[0].version, expected);
    }
}

#[test]
fn what_cannot_be_exported_is_refused_in_one_line() {
    let refused = |model: &Model| {
        let error = OnnxExport { model, input: Input::Samples }.to_bytes().unwrap_err();
        let is_of_front_end = matches!(&error, Error::Export(reason) if reason.is_of_front_end());
        let error = error.to_string();
        assert!(is_of_front_end && error.lines().count() == 1, "{error}");
        assert!(error.contains("small") && error.contains("features as its input"), "{error}");
        error
    };
    let mut other_rate = classifier(vec![mel_embedding(|_| ())]);
    other_rate.features.sample_rate = 16_000;
    assert!(refused(&other_rate).contains("8000 Hz, those of the segments 16000 Hz"));
    let one_at_a_time = mel_embedding(|d| d.input.shape[0] = InputAxis::One);
    assert!(refused(&classifier(vec![one_at_a_time])).contains("one patch at a time"));
    let mut without_graph = classifier(vec![mel_embedding(|_| ())]);
    without_graph.features.embeddings[0].graph = None;
    assert!(refused(&without_graph).contains("not loaded"));
    let mut by_reference = classifier(vec![mel_embedding(|_| ())]);
    by_reference.features.embeddings[0].description.by_reference = true;
    assert!(refused(&by_reference).contains("held by reference"));
    let of = |change: &dyn Fn(&mut ModelProto)| {
        let mut model = ModelProto::decode(&*file(&[5, 8], 17)).unwrap();
        change(&mut model);
        refused(&classifier(vec![embedding(model.encode_to_vec(), description())]))
    };
    // The operator `Tanh` of the graph becomes another one; `Softmax` is along all axes but the first up to set 12.
    let with_operator = |version: i64, operator: &str| {
        of(&|model| {
            model.opset_import[0].version = version;
            let nodes = &mut model.graph.as_mut().unwrap().node;
            let node = nodes.iter_mut().find(|node| node.op_type == "Tanh").unwrap();
            node.op_type = operator.to_owned();
        })
    };
    assert!(with_operator(12, "Softmax").contains("Softmax is that of operator set 12"));
    assert!(with_operator(29, "Tanh").contains("its operator set is 29"));
    let fixed = of(&|model| {
        let shape = model.graph.as_mut().unwrap().input[0].r#type.as_mut().unwrap();
        let shape = shape.tensor_type.as_mut().unwrap().shape.as_mut().unwrap();
        shape.dim[0].value = Some(Dimension::Value(1));
    });
    assert!(fixed.contains("does not take any number of patches"), "{fixed}");
}

/// Values of a patch from which the mean over the patches of a run is subtracted.
#[test]
fn a_graph_that_mixes_patches_is_refused() {
    let mut graph = Graph::new("embedded", 17);
    let input = graph.input("Conv_0", &[5, 8], "");
    let mean = graph.mean(&input, &[0], true);
    let centred = graph.node("Sub", [&input, &mean]);
    graph.output(centred, "values", &["patch".into(), 5.into(), 8.into()], "");
    let mut described = description();
    described.output.size = 8;
    let error = OnnxExport {
        model: &classifier(vec![embedding(encoded(graph, 17), described)]),
        input: Input::Samples,
    };
    let error = error.to_bytes().unwrap_err().to_string();
    assert!(error.contains("depends on the other patches"), "{error}");
}
