//! The example models of `../shared/data/embeddings` compared with onnxruntime; skipped where that folder does not exist.
//!
//! MusiCNN (Pons and Serra 2019), trained on MagnaTagATune (`mtt`) and the Million Song Dataset (`msd`).

#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use cantus_audio::feature::{EmbeddingDescription, PlannedGraph};
use cantus_embedding::{from_parts, template};

const DESCRIPTION: &str = r#"
name = "MusiCNN"
source = "Python package musicnn 0.1.0"
licence = "ISC"
citation = "Pons and Serra 2019, musicnn: pre-trained convolutional neural networks for music audio tagging"
training_data = ["MagnaTagATune", "Million Song Dataset"]

[input]
name = "mel"
shape = ["patch", "frame", "band"]
sample_rate = 16000

[input.mel]
n_fft = 512
hop_length = 256
n_mels = 96
half_precision = true
compression = { type = "log10", factor = 10000, offset = 1 }

[patch]
length = 187
hop = 187

[output]
name = "penultimate"
size = 200
"#;

/// The bytes of an example model; absent, with a message, if it does not exist.
fn model(name: &str) -> Option<Arc<[u8]>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path: PathBuf = root.join("../shared/data/embeddings").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} does not exist", path.display());
    }
    bytes.map(Arc::from)
}

/// A description for an output and a number of patches per run.
fn description(output: &str, size: usize, per_run: usize) -> EmbeddingDescription {
    let mut description: EmbeddingDescription = toml::from_str(DESCRIPTION).unwrap();
    description.output.name = output.into();
    description.output.size = size;
    description.patch.per_run = per_run;
    description
}

fn planned(bytes: &Arc<[u8]>, description: EmbeddingDescription) -> Arc<dyn PlannedGraph> {
    let embedding = from_parts(bytes.clone(), description).unwrap();
    embedding.graph.unwrap().plan(&embedding.description).unwrap()
}

/// Value i is `((i * 2654435761) mod 2^32) / 2^32`.
fn input(n: usize) -> Vec<f32> {
    let value = |i: u64| (i.wrapping_mul(2_654_435_761) & 0xffff_ffff) as f64 / 4_294_967_296.0;
    (0..n as u64).map(|i| value(i) as f32).collect()
}

/// Model, output and size; the first eight values, and the sum of all.
///
/// ```python
/// import numpy as np, onnxruntime as ort  # 1.32.0
/// i = np.arange(187 * 96, dtype=np.uint64)
/// x = ((i * np.uint64(2654435761)) % np.uint64(2**32) / 2.0**32).astype(np.float32).reshape(1, 187, 96)
/// s = ort.InferenceSession("musicnn_mtt.onnx")
/// y = s.run(["penultimate"], {"mel": x})[0][0]
/// y[:8], y.astype(float).sum()
/// ```
const EXPECTED: [(&str, &str, usize, [f32; 8], f64); 3] = [
    (
        "musicnn_mtt.onnx",
        "penultimate",
        200,
        [
            1.378_816_6,
            -0.032_878_727,
            -0.092_262_98,
            0.588_175_06,
            -0.078_703_344,
            0.191_005_81,
            -0.105_751_1,
            0.311_006_25,
        ],
        24.933690883219242,
    ),
    (
        "musicnn_msd.onnx",
        "penultimate",
        200,
        [
            -0.177_175_58,
            -0.127_028_8,
            -0.284_826_37,
            -0.275_121,
            1.099_169_5,
            0.353_302_7,
            0.625_838_7,
            -0.298_263_94,
        ],
        36.41545119136572,
    ),
    (
        "musicnn_msd.onnx",
        "max_pool",
        753,
        [
            2.258_33e-6,
            2.068_846e-6,
            -2.968_779e-6,
            -2.028_522e-6,
            -2.649_947e-6,
            -2.047_078e-6,
            -1.496_841e-6,
            -2.240_59e-6,
        ],
        713.7424995982426,
    ),
];

#[test]
fn outputs_equal_onnxruntimes() {
    for (name, output, size, first, sum) in EXPECTED {
        let Some(bytes) = model(name) else { return };
        let planned = planned(&bytes, description(output, size, 1));
        let start = Instant::now();
        let found = planned.run(&input(187 * 96));
        println!("{name}, {output}: {:.0} ms for a patch", start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(found.len(), size);
        for (found, expected) in found.iter().zip(first) {
            assert!((found - expected).abs() < 1e-4, "{name} {output}: {found}, expected {expected}");
        }
        let found: f64 = found.iter().map(|&x| f64::from(x)).sum();
        assert!((found - sum).abs() < 2e-3, "{name} {output}: sum {found}, expected {sum}");
    }
}

#[test]
fn values_do_not_depend_on_threads_or_on_the_number_of_patches_of_a_run() {
    let Some(bytes) = model("musicnn_mtt.onnx") else { return };
    let (one, two) = (
        planned(&bytes, description("penultimate", 200, 1)),
        planned(&bytes, description("penultimate", 200, 2)),
    );
    let input = input(2 * 187 * 96);
    let both = two.run(&input);
    let patches: Vec<&[f32]> = input.chunks_exact(187 * 96).collect();
    let apart: Vec<f32> = patches.iter().flat_map(|patch| one.run(patch)).collect();
    let largest = both.iter().zip(&apart).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("largest difference between one and two patches per run: {largest:e}");
    assert!(largest < 1e-5);
    let threads: Vec<f32> = thread::scope(|scope| {
        let threads: Vec<_> = patches.iter().map(|patch| scope.spawn(|| one.run(patch))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(threads, apart);
}

#[test]
fn a_template_has_the_shapes_of_the_example() {
    let Some(bytes) = model("musicnn_msd.onnx") else { return };
    let text = template(&bytes).unwrap();
    let described: EmbeddingDescription = toml::from_str(&text).unwrap();
    assert_eq!(described.input_shape(), [1, 187, 96]);
    assert!(text.contains("\"penultimate\" [patch, 200]"), "{text}");
}
