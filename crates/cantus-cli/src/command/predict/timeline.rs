//! Timeline of a recording: the prediction of each window, as a table, a label track, JSON or a picture.

use anyhow::Context;
use cantus::{Prediction, SegmentPrediction};
use cantus_plot::{Theme, TimeSegment};
use serde::Serialize;

use super::results::{Detail, UNKNOWN, in_words};

/// File formats of a timeline.
pub const FORMATS: [&str; 5] = ["csv", "txt", "json", "png", "svg"];

/// A window of the recording and its prediction.
#[derive(Debug, Serialize)]
struct Window<'a> {
    start_s: f64,
    end_s: f64,
    label: &'a str,
    probability: f32,
    probabilities: &'a [f32],
}

/// The timeline as the bytes of a file; `title` is the title of a picture.
pub fn write(
    format: &str,
    labels: &[String],
    prediction: &Prediction,
    detail: Detail,
    (title, theme): (&str, Theme),
) -> anyhow::Result<Vec<u8>> {
    let windows: Vec<Window<'_>> =
        prediction.segments.iter().map(|segment| window(labels, segment, detail)).collect();
    let names: Vec<String> = labels.iter().map(|label| in_words(label)).collect();
    let picture = || cantus_plot::timeline(&names, &segments(prediction), detail.min_confidence, title);
    Ok(match format {
        "csv" => csv(labels, &windows)?,
        "txt" => label_track(&windows).into_bytes(),
        "json" => serde_json::to_vec_pretty(&serde_json::json!({ "labels": labels, "windows": windows }))?,
        "png" => picture().to_png(theme),
        _ => picture().to_svg(theme).into_bytes(),
    })
}

fn window<'a>(labels: &'a [String], segment: &'a SegmentPrediction, detail: Detail) -> Window<'a> {
    let best = segment.best();
    let probability = segment.probabilities[best];
    let label = if probability < detail.min_confidence { UNKNOWN } else { &labels[best] };
    let SegmentPrediction { start_s, end_s, probabilities } = segment;
    Window { start_s: *start_s, end_s: *end_s, label, probability, probabilities }
}

fn csv(labels: &[String], windows: &[Window<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let start = ["start_s", "end_s", "label", "probability"];
    writer.write_record(start.into_iter().chain(labels.iter().map(String::as_str)))?;
    for window in windows {
        let times = [seconds(window.start_s), seconds(window.end_s)];
        let predicted = [window.label.to_owned(), window.probability.to_string()];
        let all = window.probabilities.iter().map(f32::to_string);
        writer.write_record(times.into_iter().chain(predicted).chain(all))?;
    }
    writer.into_inner().context("the table cannot be finished")
}

/// An Audacity label track (File, Import, Labels): start, end and label of each run of windows with the same label.
fn label_track(windows: &[Window<'_>]) -> String {
    let stretches = windows.chunk_by(|a, b| a.label == b.label);
    let line = |stretch: &[Window<'_>]| {
        let mean = stretch.iter().map(|window| window.probability).sum::<f32>() / stretch.len() as f32;
        let (first, last) = (&stretch[0], &stretch[stretch.len() - 1]);
        let label = in_words(first.label);
        format!("{}\t{}\t{label} {:.0} %\n", seconds(first.start_s), seconds(last.end_s), 100.0 * mean)
    };
    stretches.map(line).collect()
}

/// Seconds with six decimals, the resolution of Audacity's label tracks.
fn seconds(time_s: f64) -> String {
    format!("{time_s:.6}")
}

/// The segments of a prediction, as input of the chart.
fn segments(prediction: &Prediction) -> Vec<TimeSegment> {
    let segment = |segment: &SegmentPrediction| TimeSegment {
        start_s: segment.start_s,
        end_s: segment.end_s,
        probabilities: segment.probabilities.clone(),
    };
    prediction.segments.iter().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use cantus::Probabilities;

    use super::*;

    fn prediction() -> (Vec<String>, Prediction) {
        let segment = |n: usize, p: f32| SegmentPrediction {
            start_s: 3.0 * n as f64,
            end_s: 3.0 * (n + 1) as f64,
            probabilities: vec![p, 1.0 - p],
        };
        let segments = [0.75, 0.625, 0.125, 0.875].iter().enumerate().map(|(n, p)| segment(n, *p)).collect();
        let labels = vec!["jazz".to_owned(), "rock".to_owned()];
        let probabilities = Probabilities(vec![]);
        let (label, tags, warnings) = ("jazz".to_owned(), None, vec![]);
        let (probability, duration_s) = (0.5, 12.0);
        (labels, Prediction { label, probability, probabilities, tags, duration_s, segments, warnings })
    }

    fn text(format: &str, min_confidence: f32) -> String {
        let (labels, prediction) = prediction();
        let detail = Detail { top: None, min_confidence };
        String::from_utf8(write(format, &labels, &prediction, detail, ("x", Theme::Light)).unwrap()).unwrap()
    }

    #[test]
    fn every_window_has_a_row() {
        let text = text("csv", 0.0);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "start_s,end_s,label,probability,jazz,rock");
        assert_eq!(rows[3], "6.000000,9.000000,rock,0.875,0.125,0.875");
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn consecutive_windows_with_the_same_label_are_one_region_of_a_label_track() {
        let expected =
            "0.000000\t6.000000\tjazz 69 %\n6.000000\t9.000000\trock 88 %\n9.000000\t12.000000\tjazz 88 %\n";
        assert_eq!(text("txt", 0.0), expected);
        assert!(text("txt", 0.7).contains("3.000000\t6.000000\tunknown 62 %\n"), "{}", text("txt", 0.7));
    }

    #[test]
    fn json_has_labels_and_windows() {
        let document: serde_json::Value = serde_json::from_str(&text("json", 0.0)).unwrap();
        assert_eq!(document["windows"][1]["start_s"], 3.0);
        assert_eq!(document["labels"][1], "rock");
    }
}
