//! The model card: a README with a model's intended use, evaluation, inputs and outputs, and limits.
//!
//! Its header is YAML with the `model-index` that the Hugging Face hub reads
//! (<https://huggingface.co/docs/hub/model-cards>); strings are written as JSON strings, which are valid YAML. The card has
//! placeholders for what the model file does not contain, above all the licence and the origin of the recordings.

use std::path::Path;

use cantus_audio::feature::Embedding;
use cantus_dataset::Unit;
use serde_json::Value as Json;

use super::Input;
use crate::report::{EmbeddingSource, EvaluationReport, escaped};
use crate::{Model, Task};
use cantus_metrics::Interval;

/// The card of a model that was exported as `file_name`; with its scores if the report of its run is given.
pub(super) fn model_card(
    model: &Model,
    report: Option<&EvaluationReport>,
    file_name: &str,
    input: Input,
) -> String {
    let index = report.map(|report| model_index(report, file_name)).unwrap_or_default();
    let sections = [
        format!("{HEADER}{index}---\n"),
        format!("# {}\n", escaped(file_name.trim_end_matches(".onnx"))),
        description(model),
        usage(model, file_name, input),
        evaluation(report),
        format!("{}\n## Limits\n\n{}{LIMITS}", training_data(model, report), closed_set_note(model)),
        format!("{LICENCE}{}", embedding_licences(model)),
    ];
    sections.join("\n")
}

const HEADER: &str = "\
---
library_name: cantus
license: other
license_name: not-chosen
pipeline_tag: audio-classification
tags:
- audio-classification
- music
- onnx
- cantus
";

const LIMITS: &str = "\
- It was trained on one kind of recordings; on others (older, live, badly recorded, of other artists) its accuracy may be
  below every figure given here.
- Labels follow the annotators of the recordings, including their errors.
- Do not use it for decisions about people.
";

const LICENCE: &str = "\
## Licence

Not chosen yet. Before publishing the model, choose one that the terms of the recordings allow, here and in the header
(`license`).
";

/// The `model-index` metadata of the hub: <https://github.com/huggingface/hub-docs/blob/main/modelcard.md>.
fn model_index(report: &EvaluationReport, file_name: &str) -> String {
    let metric = |kind: &str, name: &str, value: f64, interval: Option<Interval>, n: usize| {
        let interval = interval.map_or(String::new(), |Interval { low, high }| {
            format!("\n        confidence_interval_95: [{low:.4}, {high:.4}]")
        });
        format!(
            "    - type: {kind}\n      name: {name}\n      value: {value:.4}\n      args:\n        \
             n: {n}{interval}\n"
        )
    };
    let by = match report.split().spec.by {
        Unit::Track => "track",
        Unit::Group => "group",
        Unit::Segment => "segment",
    };
    let split = if report.n_folds().is_some() { "cross-validation" } else { "test" };
    [
        format!("model-index:\n- name: {}\n  results:\n", quoted(file_name.trim_end_matches(".onnx"))),
        "  - task:\n      type: audio-classification\n      name: Audio Classification\n".to_owned(),
        format!(
            "    dataset:\n      type: audiofolder\n      name: Recordings of its maker\n      split: {split}\n      \
             args:\n        sha256: {}\n        split_by: {by}\n    metrics:\n",
            quoted(&report.model().data_sha256),
        ),
        match report {
            EvaluationReport::Classes(report) => {
                let scores = &report.scores;
                let interval = Some(scores.track_interval());
                metric("accuracy", "Accuracy of tracks", scores.track_accuracy, interval, scores.n_tracks)
                    + &metric(
                        "accuracy",
                        "Accuracy of segments",
                        scores.accuracy,
                        scores.accuracy_interval,
                        scores.n_segments,
                    )
            }
            EvaluationReport::Tags(report) => metric(
                "mean_average_precision",
                "Macro average precision of tracks",
                report.scores.track_macro_average_precision,
                report.scores.track_macro_average_precision_interval,
                report.scores.n_tracks,
            ),
        },
    ]
    .concat()
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// Description, labels and intended use.
fn description(model: &Model) -> String {
    let labels: Vec<String> = model.labels.iter().map(|label| format!("- {}\n", escaped(label))).collect();
    let spec = &model.features;
    let seconds = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
    let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.name()).collect();
    format!(
        "{}, exported by Cantus {}: a network of {} parameters (recipe `{}`) whose input is {} \
         of segments of {seconds:.2} s.\n\n## Labels\n\n{}\n## Intended use\n\nTo label recordings like those that \
         it was trained on, where an occasional wrong label does no harm. Describe here what it was made for.\n",
        match model.task() {
            Task::Classification => "A classifier of recordings",
            Task::Tagging => "A tagger of recordings, which may have none or several of its labels",
        },
        env!("CARGO_PKG_VERSION"),
        model.network.n_parameters(),
        recipe(model),
        kinds.join(", "),
        labels.concat(),
    )
}

/// The recipe's name; for a file, without its folder.
fn recipe(model: &Model) -> String {
    let path = Path::new(&model.provenance.recipe);
    path.file_name().unwrap_or_default().to_string_lossy().replace('`', "'")
}

/// Inputs, outputs, and an example program.
fn usage(model: &Model, file_name: &str, input: Input) -> String {
    let (spec, n_labels, name) = (&model.features, model.labels.len(), input.name());
    let shape: Vec<String> = input.shape(model).iter().map(ToString::to_string).collect();
    let print_labels = match model.task() {
        Task::Classification => "print(labels[track.argmax()], track.max())",
        Task::Tagging => "print([(label, p) for label, p in zip(labels, track) if p > 0.5])",
    };
    let what = match input {
        Input::Samples => "the samples, from -1 to 1",
        Input::Features => "features, as `features` in the file's metadata describes them",
    };
    format!(
        "## Use\n\nMix a recording to mono, resample it to {} Hz, cut it into segments of {} samples without \
         overlap, and leave the rest out. `{file_name}` (ONNX, operator set 17) takes them as one batch.\n\n\
         | | | float32 | |\n|---|---|---|---|\n\
         | in | `{name}` | `[batch, {}]` | {what} |\n\
         | out | `probabilities` | `[batch, {n_labels}]` | of each segment, calibrated |\n\
         | out | `track_probabilities` | `[{n_labels}]` | of the recording that the segments make up, calibrated |\n\n\
         ```python\nimport json\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession({})\n\
         labels = json.loads(session.get_modelmeta().custom_metadata_map[\"labels\"])\n\
         (track,) = session.run([\"track_probabilities\"], {{\"{name}\": {name}}})\n\
         {print_labels}\n```\n",
        spec.sample_rate,
        spec.segment_samples(),
        shape.join(", "),
        quoted(file_name),
    )
}

/// Licence, training data and citation of each embedding model, whose terms hold for the exported model, too.
fn embedding_licences(model: &Model) -> String {
    let of = |embedding: &Embedding| {
        let source = EmbeddingSource::new(embedding).in_a_line();
        format!("- {}\n", escaped(&source))
    };
    match &model.features.embeddings[..] {
        [] => String::new(),
        embeddings => {
            let list: String = embeddings.iter().map(of).collect();
            format!("\nIts features are from these embedding models, whose terms apply, too:\n\n{list}")
        }
    }
}

/// The note that the model gives an output for out-of-distribution input, too.
fn closed_set_note(model: &Model) -> &'static str {
    match model.task() {
        Task::Classification => {
            "- It predicts one of its labels for any input: music of other kinds, speech, silence.\n"
        }
        Task::Tagging => {
            "- It gives a probability for each label for any input: music of other kinds, speech, silence.\n"
        }
    }
}

/// The scores, the method of evaluation and the remarks.
fn evaluation(report: Option<&EvaluationReport>) -> String {
    let Some(report) = report else {
        let why = "it was exported from a model file, not from the folder of its run";
        return format!("## Evaluation\n\nNo report is available for this model: {why}.\n");
    };
    let how = match report.n_folds() {
        Some(n_folds) => format!(
            "By cross-validation in {n_folds} folds, {}: the scores are those of the training procedure, on recordings \
             outside the training part of each fold's model.",
            report.split()
        ),
        None => format!("On a held-out test part; {}.", report.split()),
    };
    let remarks: Vec<String> =
        report.remarks().iter().map(|remark| format!("\n> {}\n", escaped(remark))).collect();
    format!(
        "## Evaluation\n\n{how} Intervals are at the 95 % level.\n{}\n```text\n{}\n```\n",
        remarks.concat(),
        report.scores_text().trim_end().replace("```", "'''")
    )
}

fn training_data(model: &Model, report: Option<&EvaluationReport>) -> String {
    let provenance = &model.provenance;
    let failures = report.map_or(String::new(), |report| match report.failures().len() {
        0 => String::new(),
        n => format!(" Files that could not be read and were left out: {n}."),
    });
    let start = provenance.start.as_ref();
    let start =
        start.map_or(String::new(), |start| format!(" It started from {}.", escaped(&start.in_a_line())));
    format!(
        "## Training data\n\n{} tracks (seed {}); the SHA-256 of the features that it was trained and evaluated on is \
         `{}`.{failures}{start} Describe here what the recordings are, where they come from and under what terms.\n",
        provenance.n_training_tracks, provenance.seed, provenance.data_sha256,
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::small_model;
    use super::*;
    use crate::report::samples::class_report;

    #[test]
    fn the_card_has_description_scores_inputs_and_limits() {
        let model = small_model();
        let card = model_card(
            &model,
            Some(&EvaluationReport::Classes(Box::new(class_report("rock | roll")))),
            "genre.onnx",
            Input::Samples,
        );
        for part in [
            "---\nlibrary_name: cantus\nlicense: other\n",
            "model-index:\n- name: \"genre\"\n  results:\n  - task:\n      type: audio-classification\n",
            "    - type: accuracy\n      name: Accuracy of tracks\n      value: ",
            "confidence_interval_95: [",
            "# genre\n",
            "| in | `samples` | `[batch, 3200]` |",
            "## Limits",
            "Not chosen yet.",
            "track accuracy ",
        ] {
            assert!(card.contains(part), "`{part}` is missing in:\n{card}");
        }
        assert_eq!(card.matches("---\n").count(), 2, "{card}");
    }

    #[test]
    fn without_a_report_the_card_has_no_scores() {
        let card = model_card(&small_model(), None, "genre.onnx", Input::Features);
        assert!(card.contains("No report is available") && !card.contains("model-index"), "{card}");
        assert!(card.contains("| in | `features` | `[batch, 26, 6]` |"), "{card}");
    }
}
