//! `cantus export`: another runtime gives the predictions of `cantus predict`.

use std::fs;
use std::path::Path;

use cantus_audio::decode;
use tract_onnx::prelude::*;

use crate::run::cantus_in;

/// A run of a recipe on composed music, six seconds to a track: two segments.
fn trained(recipe: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 6").ok();
    cantus_in(dir.path(), &format!("train @/music -m {recipe} -o @/run --epochs 3 --quiet")).ok();
    dir
}

/// The output `track_probabilities` of tract for the complete segments of a recording.
fn tract_probabilities(onnx: &Path, recording: &Path, segment_samples: usize) -> Vec<f32> {
    let samples = decode::load(recording, 22_050).unwrap().audio.samples;
    let n = samples.len() / segment_samples;
    let graph = tract_onnx::onnx().model_for_path(onnx).unwrap();
    let graph = graph.with_input_fact(0, f32::fact([n, segment_samples]).into()).unwrap();
    let graph = graph.into_typed().unwrap().into_runnable().unwrap();
    let input = Tensor::from_shape(&[n, segment_samples], &samples[..n * segment_samples]).unwrap();
    let outputs = graph.run(tvec!(input.into())).unwrap();
    outputs[1].to_array_view::<f32>().unwrap().iter().copied().collect()
}

#[test]
fn the_exported_graph_with_front_end_predicts_as_predict_does() {
    let dir = trained("mlp-normalised");
    let ran = cantus_in(dir.path(), "export @/run -o @/genre.onnx --with-features").ok();
    ran.says(&["samples [batch, 66150]", "probabilities [batch, 10]", "genre.card.md"]);
    let card = dir.path().join("genre.card.md");
    fs::write(&card, "completed by hand").unwrap();
    let again = cantus_in(dir.path(), "export @/run -o @/genre.onnx --with-features").ok().stderr;
    assert!(again.contains("genre.card.md exists and is kept"), "{again}");
    assert_eq!(fs::read_to_string(card).unwrap(), "completed by hand");
    let song = dir.path().join("music/jazz/jazz.00001.wav");
    let predicted = cantus_in(dir.path(), "predict @/run @/music/jazz/jazz.00001.wav --json").ok().json();
    let expected = predicted["tracks"][0]["probabilities"].as_object().unwrap();
    let found = tract_probabilities(&dir.path().join("genre.onnx"), &song, 66_150);
    assert_eq!(found.len(), expected.len());
    for (found, (label, expected)) in found.iter().zip(expected) {
        let expected = expected.as_f64().unwrap() as f32;
        assert!((found - expected).abs() <= 1e-4, "{label}: {found}, expected {expected}");
    }
}

#[test]
fn equal_models_give_equal_files_with_the_metadata_of_the_model() {
    let dir = trained("mlp-normalised");
    cantus_in(dir.path(), "export @/run -o @/a.onnx --quiet").ok();
    cantus_in(dir.path(), "export @/run/model.safetensors -o @/b.onnx --quiet").ok();
    let bytes = fs::read(dir.path().join("a.onnx")).unwrap();
    assert!(bytes == fs::read(dir.path().join("b.onnx")).unwrap(), "the files differ");
    let text = String::from_utf8_lossy(&bytes);
    for part in
        ["[\"blues\",\"classical\"", "sample_rate", "22050", "segment_samples", "66150", "\"n_mfcc\":13"]
    {
        assert!(text.contains(part), "`{part}` is missing");
    }
    let [with_scores, without] =
        ["a", "b"].map(|name| fs::read_to_string(dir.path().join(format!("{name}.card.md"))).unwrap());
    assert!(
        with_scores.contains("model-index:") && with_scores.contains("\ntrack accuracy "),
        "{with_scores}"
    );
    assert!(without.contains("No report is available") && !without.contains("model-index:"), "{without}");
}

#[test]
fn a_failed_export_is_reported_in_one_line() {
    let dir = trained("mlp-normalised");
    cantus_in(dir.path(), "export @/nowhere -o @/x.onnx").exits(1).says(&["nowhere"]);
    cantus_in(dir.path(), "export @/run -o @/x.pb").exits(2).says(&["x.pb", ".onnx"]);
    cantus_in(dir.path(), "export @/run -o @/no/such/x.onnx")
        .exits(1)
        .says(&["x.onnx", "No such file or directory"]);
    fs::write(dir.path().join("broken.safetensors"), b"not a model").unwrap();
    cantus_in(dir.path(), "export @/broken.safetensors -o @/x.onnx").exits(1).says(&["not a Cantus model"]);
    let recipe =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../cantus/src/recipe/mlp.toml")).unwrap();
    let recipe = recipe.replace("[\"mfcc\"]", "[\"mfcc\", \"pcen\"]");
    fs::write(dir.path().join("mine.toml"), recipe).unwrap();
    cantus_in(dir.path(), "train @/music -m @/mine.toml -o @/mine --epochs 1 --quiet").ok();
    let refused = cantus_in(dir.path(), "export @/mine -o @/x.onnx --with-features").exits(1);
    refused.says(&["pcen", "without --with-features", "mfcc, mel, log_mel"]);
    assert!(!dir.path().join("x.onnx").exists() && !dir.path().join("x.card.md").exists());
    cantus_in(dir.path(), "export @/mine -o @/x.onnx --quiet").ok();
}
