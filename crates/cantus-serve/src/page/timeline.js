// Timeline of a recording: its segments with their predictions, and the parts that were not classified.

import { labelColour } from "/colour.js";
import { element } from "/element.js";
import { named } from "/format.js";

/** Shortest part without a prediction that is shown, in seconds. */
const MIN_REST_S = 0.01;
/** Largest number of parts with lines between them. */
const MAX_LINES = 60;

/** The most probable label of a segment, with its index and probability. */
function best(segment, labels) {
  const index = labels.reduce((best, label, i) => (segment[label] > segment[labels[best]] ? i : best), 0);
  return { index, label: named(labels[index]), share: segment[labels[index]] };
}

/**
 * Parts of the recording in order, `{ start, end, until, index, label, share }` with times in seconds; without `label` if not classified.
 * A segment ends at `until`; its part ends at the latest where the next segment begins.
 */
export function parts({ duration_s, segment_s, segments, probabilities }) {
  const labels = Object.keys(probabilities);
  const parts = [];
  let end = 0;
  segments.forEach(({ start_s: start, probabilities }, i) => {
    if (start - end > MIN_REST_S) parts.push({ start: end, end: start, until: start });
    const until = Math.min(start + segment_s, duration_s);
    end = Math.min(until, segments[i + 1]?.start_s ?? until);
    parts.push({ start, end, until, ...best(probabilities, labels) });
  });
  if (duration_s - end > MIN_REST_S) parts.push({ start: end, end: duration_s, until: duration_s });
  return parts;
}

// Large numbers, since flex items whose growth adds up to less than 1 do not fill their row.
const grow = ({ start, end }) => (1e4 * (end - start)).toFixed(0);

/** A block of each part, in the colour of its label. */
export function blocks(parts, n_labels) {
  return parts.map((part) => part.label == null
    ? element("span", { class: "rest", style: { "flex-grow": grow(part) } })
    : element("span", { style: { "flex-grow": grow(part), "--label": labelColour(part.index, n_labels), "--share": part.share.toFixed(3) } }));
}

/** The row of blocks. */
export function row(blocks) {
  return element("div", { class: blocks.length > MAX_LINES ? "timeline dense" : "timeline" }, blocks);
}

/** Labels under the timeline: one for each run of parts with equal predictions. */
export function runs(parts) {
  const runs = [];
  for (const { start, end, label } of parts) {
    if (runs.length > 0 && runs.at(-1).label === label) runs.at(-1).end = end;
    else runs.push({ start, end, label });
  }
  return element("div", { class: "runs", "aria-hidden": "true" }, runs.map((run) =>
    element("span", { style: { "flex-grow": grow(run) }, title: run.label }, element("span", {}, run.label ?? ""))));
}
