// Model view: scores with intervals, pictures, provenance.

import { element } from "/element.js";
import { grouped, named, percent } from "/format.js";

/** Fills the model's view. */
export async function showModel(model, title, content) {
  title.textContent = model.name;
  content.replaceChildren(element("p", { class: "muted" }, "loading …"));
  const report = model.links.report ? await (await fetch(model.links.report)).json() : null;
  content.replaceChildren(
    element("p", { class: "lead muted" }, about(model, report)),
    ...(report?.track_accuracy != null ? scores(report) : []),
    ...(model.links.report_page
      ? [element("p", {}, element("a", { class: "button", href: model.links.report_page }, "Full report"))] : []),
    element("div", { class: "pair" },
      figure(model.links.confusion, "Confusion matrix", "Rows are true classes, columns predicted ones."),
      figure(model.links.history, "Training", "Accuracy and loss by epoch.")),
    ...(report?.track_per_class ? [byClass(report)] : []),
    ...figure(model.links.network, "Network", `${grouped(model.n_parameters)} parameters.`),
    element("details", {}, element("summary", {}, "Layer by layer"), element("pre", { tabindex: "0" }, model.summary)),
    element("h2", {}, "Provenance"), facts(model, report));
}

function about(model, report) {
  const n = model.labels.length;
  const task = model.task === "tagging" ? `Predicts any of ${n} tags` : `Classifies ${n} labels`;
  const words = `${task}: ${model.labels.map(named).join(", ")}.`;
  if (!report) return words;
  if (report.cross_validation) {
    return `${words} Cross-validated: each of ${grouped(report.n_tracks)} tracks was tested with a model that was not trained on it.`;
  }
  const { train_part, test_part } = report.split;
  return `${words} Trained on ${grouped(train_part.n_tracks)} tracks, tested on ${grouped(test_part.n_tracks)} others.`;
}

/** Scores with intervals and baselines. */
function scores(report) {
  const over = report.n_groups ? ` over ${report.n_groups} groups` : "";
  const range = (interval) => (interval ? `95 % CI ${percent(interval.low)}–${percent(interval.high)}${over}` : "");
  const card = (name, share, note, best = "") =>
    element("div", {}, element("dt", {}, name), element("dd", { class: `figure ${best}` }, percent(share, 1)), element("dd", { class: "muted small" }, note));
  const cards = [
    card("Track accuracy", report.track_accuracy, range(report.n_groups && report.track_accuracy_bootstrap || report.track_accuracy_interval), "best"),
    card("Segment accuracy", report.accuracy, range(report.accuracy_interval)),
    card("Balanced accuracy of tracks", report.track_balanced_accuracy, "mean recall of the classes"),
    ...(report.baseline ? [card("Baseline", report.baseline.track_accuracy, "logistic regression")] : []),
    card("Most frequent class", report.majority_baseline, "of tracks"),
  ];
  const remarks = [...(report.remarks ?? [])].map((remark) => element("p", { class: "note", role: "note" }, remark));
  return [element("dl", { class: "cards" }, cards), ...remarks];
}

/** A picture in both colour schemes; the browser selects one. */
function figure(address, title, caption) {
  if (!address) return [];
  const picture = element("picture", {},
    element("source", { srcset: `${address}?theme=dark`, media: "(prefers-color-scheme: dark)" }),
    element("img", { src: address, alt: `${title}. ${caption}`, loading: "lazy" }));
  return [element("figure", {}, element("h2", {}, title), element("a", { href: address }, picture), element("figcaption", {}, caption))];
}

/** Scores by class as a table, an accessible alternative to the confusion matrix. */
function byClass({ labels, track_per_class: scores }) {
  const two = (number) => (number == null ? "–" : number.toFixed(2));
  const row = (label) => {
    const of = scores[label] ?? {};
    const cells = [two(of.precision), two(of.recall), two(of["f1-score"]), of.support ?? "–"];
    return element("tr", {}, element("th", { scope: "row" }, label), cells.map((cell) => element("td", {}, String(cell))));
  };
  const head = ["class", "precision", "recall", "F1", "tracks"].map((name) => element("th", { scope: "col" }, name));
  return element("details", {}, element("summary", {}, "Scores of tracks by class"),
    element("div", { class: "scroll", role: "region", "aria-label": "Scores of tracks by class", tabindex: "0" },
      element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, labels.map(row)))));
}

function facts({ features, segment_s, provenance, calibration }, report) {
  const all = [
    ["Recipe", provenance.recipe],
    ["Features", `${features.kinds.join(", ")} at ${grouped(features.sample_rate)} Hz, ${segment_s.toFixed(1)} s at a time`],
    ["Training data", `${grouped(provenance.n_training_tracks)} tracks`],
    ["Seed", String(provenance.seed)],
    ["Temperature", `${calibration.track_temperature.toFixed(2)} of tracks, ${calibration.segment_temperature.toFixed(2)} of segments`],
    ...(report ? [["Created by", `cantus ${report.cantus_version}`]] : []),
    ["Data", `SHA-256 ${provenance.data_sha256}`],
  ];
  return element("dl", { class: "facts" }, all.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
