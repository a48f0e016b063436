//! A template of the description of a model, with what its graph tells.

use std::fmt::Write;

use crate::error::Error;
use crate::graph_value::{Dimension, GraphValue};
use crate::onnx::OnnxFile;

/// A description to fill in, as TOML with a comment for each field: names and shapes are those of the graph.
///
/// # Errors
/// [`Error`] without a path, if the bytes are not an ONNX model.
pub fn template(bytes: &[u8]) -> Result<String, Error> {
    let file = OnnxFile::decode(bytes)?;
    let (inputs, outputs) = (file.inputs(), file.outputs());
    let mut text = HEAD.to_owned();
    push_input(&mut text, &inputs);
    push_patch(&mut text, inputs.first());
    push_output(&mut text, &outputs);
    Ok(text)
}

const HEAD: &str = r#"# Description of an embedding model. Fill in what is empty or 0; lines with `#` are optional.

# Name of the model.
name = ""
# Where the weights are from: an address or a package.
source = ""
# Licence of the weights.
licence = ""
# The publication to cite.
citation = ""
# Data sets that the model was trained on.
training_data = []
"#;

const MEL: &str = r#"
# The mel spectrogram, as the model was trained on; names and defaults are librosa's.
[input.mel]
n_fft = 0
hop_length = 0
# win_length = 0                # n_fft
# window = "hann"
# center = true
# pad_mode = "constant"
# power = 2                     # 1: magnitude
"#;

const MEL_REST: &str = r#"# f_min = 0                     # Hz
# f_max = 8000                  # Hz; half the sample rate
# htk = false                   # Slaney's mel scale
# norm = "slaney"
# half_precision = false        # rounded to 16-bit floating point before compression
# One of: { type = "none" }, { type = "log10", factor = 1, offset = 0 }, { type = "ln", factor = 1, offset = 0 },
# { type = "db", amin = 1e-10, top_db = 80 }: log10(factor x + offset), ln(factor x + offset), 10 log10(max(x, amin))
compression = { type = "none" }
# mean = 0                      # subtracted after compression
# deviation = 1                 # divided by after compression
"#;

/// The axes that an input of a rank probably has.
fn axes(rank: usize) -> &'static [&'static str] {
    match rank {
        1 => &["sample"],
        3 => &["patch", "frame", "band"],
        4 => &["patch", "1", "frame", "band"],
        _ => &["patch", "sample"],
    }
}

fn shape(value: &GraphValue) -> &[Dimension] {
    value.shape.as_deref().unwrap_or_default()
}

/// The size of an axis, if the graph fixes it; 0 otherwise.
fn size(input: Option<&GraphValue>, axis: &str) -> usize {
    let shape = input.map_or(&[][..], shape);
    match axes(shape.len()).iter().position(|&name| name == axis).and_then(|i| shape.get(i)) {
        Some(Dimension::Fixed(size)) => *size,
        _ => 0,
    }
}

fn push_input(text: &mut String, inputs: &[GraphValue]) {
    let input = inputs.first();
    let rank = input.map_or(0, |input| shape(input).len());
    let axes = axes(rank);
    let axis = |name: &&str| if *name == "1" { "1".to_owned() } else { format!("{name:?}") };
    let axis_list = axes.iter().map(axis).collect::<Vec<_>>().join(", ");
    let name = input.map_or("", |input| &input.name);
    text.push_str("\n[input]\n");
    push_choices(text, "Inputs", inputs);
    _ = write!(
        text,
        "name = {}\n# Axes in order: \"patch\", \"sample\" or \"frame\" and \"band\", and 1 for an axis of one element.\n\
         shape = [{axis_list}]\n# Sample rate that the model takes, in Hz.\nsample_rate = 0\n\
         # gain = 1                      # 32768 for a model of 16-bit integers\n\
         # preemphasis = 0               # a of y[n] = x[n] - a x[n - 1]\n",
        quoted(name)
    );
    if axes.contains(&"band") {
        text.push_str(MEL);
        _ = writeln!(text, "n_mels = {}", size(input, "band"));
        text.push_str(MEL_REST);
    }
}

fn push_patch(text: &mut String, input: Option<&GraphValue>) {
    let is_mel = input.is_some_and(|input| axes(shape(input).len()).contains(&"band"));
    let (axis, unit) = if is_mel { ("frame", "frames") } else { ("sample", "samples") };
    let (length, per_run) = (size(input, axis), size(input, "patch"));
    _ = write!(
        text,
        "\n# Patches that a segment is cut into, in {unit}.\n[patch]\nlength = {length}\n\
         # From one patch to the next: `length` for adjacent patches.\nhop = {length}\n"
    );
    if per_run > 1 {
        _ = writeln!(text, "# Number of patches that the graph takes at a time.\nper_run = {per_run}");
    }
}

fn push_output(text: &mut String, outputs: &[GraphValue]) {
    let output = outputs.first();
    let size = match output.and_then(|output| shape(output).last()) {
        Some(Dimension::Fixed(size)) => *size,
        _ => 0,
    };
    text.push_str("\n[output]\n");
    push_choices(text, "Outputs", outputs);
    _ = write!(
        text,
        "name = {}\n# Number of values of a patch: the last axis.\nsize = {size}\n\
         # Statistics over the patches of a segment, of \"mean\", \"deviation\" and \"max\".\n\
         pooling = [\"mean\", \"deviation\"]\n",
        quoted(output.map_or("", |output| &output.name))
    );
}

fn push_choices(text: &mut String, what: &str, values: &[GraphValue]) {
    let list: Vec<String> = values.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    _ = writeln!(text, "# {what} of the graph: {}", list.replace(char::is_control, "?"));
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
#[cfg(feature = "tract")]
mod tests {
    use cantus_audio::feature::EmbeddingDescription;

    use super::*;
    use crate::testing::graphs::{ModelProto, dense, description, encode, value};

    fn with_input(shape: &[i64]) -> ModelProto {
        let mut model = dense();
        model.graph.as_mut().unwrap().input[0] = value("x \"quoted\"\n", shape);
        model
    }

    #[test]
    fn a_template_is_a_description_that_only_needs_its_blanks_filled() {
        for shape in [&[4][..], &[0, 4], &[0, 187, 96], &[0, 1, 128, 64], &[1, 1, 1, 1, 1], &[]] {
            let text = template(&encode(&with_input(shape))).unwrap();
            let described: EmbeddingDescription =
                toml::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
            assert_eq!(described.input.name, "x \"quoted\"\n");
            let error = described.validate().unwrap_err().to_string();
            assert!(error.contains("embedding.name"), "{error}");
        }
    }

    #[test]
    fn a_template_has_the_names_and_shapes_of_the_graph() {
        let text = template(&encode(&with_input(&[0, 187, 96]))).unwrap();
        let mut described = description(&text);
        assert_eq!(described.input_shape(), [1, 187, 96]);
        assert_eq!((&*described.output.name, described.output.size), ("y", 2));
        assert!(text.contains("# Outputs of the graph: \"y\" [patch, 2], \"product\" [patch, 2]"), "{text}");
        let mel = described.input.mel.as_mut().unwrap();
        (mel.n_fft, mel.hop_length) = (512, 256);
        (described.name, described.input.sample_rate) = ("a".into(), 16_000);
        described.validate().unwrap();
    }

    #[test]
    fn every_optional_line_is_a_field() {
        let text = template(&encode(&with_input(&[0, 187, 96]))).unwrap();
        let optional = |line: &str| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = ") && rest.contains("  #"))
                .map(str::to_owned)
        };
        let all: Vec<String> =
            text.lines().map(|line| optional(line).unwrap_or_else(|| line.to_owned())).collect();
        let all = all
            .join("\n")
            .replace("# window", "window")
            .replace("# center", "center")
            .replace("# norm", "norm");
        let described =
            description(&all.replace("# pad_mode", "pad_mode").replace("# win_length", "win_length"));
        let without = description(&text);
        assert_eq!((described.input.gain, described.input.preemphasis), (1.0, 0.0));
        let (mel, default) = (described.input.mel.unwrap(), without.input.mel.unwrap());
        assert_eq!(mel.window, default.window);
        assert_eq!(
            (mel.center, mel.pad_mode, mel.power, mel.htk),
            (default.center, default.pad_mode, default.power, default.htk)
        );
        assert_eq!((mel.norm, mel.mean, mel.deviation), (default.norm, default.mean, default.deviation));
    }
}
