// Card of one recording: progress, then the prediction or an error.

import { labelColour } from "/colour.js";
import { element, announce } from "/element.js";
import { clock, duration, hertz, named, percent } from "/format.js";
import { player } from "/player.js";

/** Number of bars before "more" is clicked. */
const N_BARS = 8;
/** Attempts if the server's queue is full. */
const MAX_ATTEMPTS = 20;

/** Creates a card for a file; `send` sends the request. */
export function card(file, model, severalModels) {
  const controller = new AbortController();
  const about = element("span", { class: "muted small" }, "waiting …");
  const body = element("div", {}, element("div", { class: "waiting" }));
  let playing = null;
  const close = element("button", { class: "close", type: "button", "aria-label": `Remove ${file.name}`, onclick: remove }, "×");
  const title = element("div", { class: "title" }, element("h3", {}, file.name), about);
  const made = element("article", { class: "result", "aria-label": file.name }, element("header", {}, title, close), body);

  function remove() {
    controller.abort();
    playing?.end();
    const next = made.nextElementSibling?.querySelector(".close");
    made.remove();
    // The button is displayed on narrow screens only, and the input is hidden there until the button is clicked.
    const inputs = ["add", "files"].map((id) => document.getElementById(id));
    [next, ...inputs].find((candidate) => candidate?.offsetParent)?.focus();
  }
  function show(prediction) {
    const { codec, sample_rate, n_channels } = prediction.source;
    const channels = n_channels === 1 ? "mono" : n_channels === 2 ? "stereo" : `${n_channels} channels`;
    const by = severalModels ? ` · model ${prediction.model}` : "";
    about.textContent = `${duration(prediction.duration_s)} · ${codec}, ${hertz(sample_rate)}, ${channels}${by}`;
    playing = player(file, prediction);
    body.className = "body";
    body.replaceChildren(probabilities(prediction), element("div", {}, playing.element, ...damage(prediction)));
    announce(`${file.name}: ${words(prediction)}, ${percent(prediction.probability)}`);
  }
  function fail({ title, detail }) {
    about.textContent = "";
    const name = `${file.name}: `; // which is the title of the card
    const reason = detail?.startsWith(name) ? detail.slice(name.length) : detail;
    body.replaceChildren(element("p", { class: "note" }, element("strong", {}, title), element("br"), reason));
    announce(`${file.name}: ${title}`);
  }
  async function send() {
    if (controller.signal.aborted) return;
    about.textContent = "classifying …";
    try {
      show(await requestPrediction(file, model, controller.signal));
    } catch (problem) {
      if (!controller.signal.aborted) fail(problem);
    }
  }
  return { element: made, send };
}

/** Requests the prediction; retries on 503. Throws a problem document. */
async function requestPrediction(file, model, signal) {
  const form = new FormData();
  form.append("file", file, file.name);
  const address = `/v1/predict?overview=true&model=${encodeURIComponent(model)}`;
  for (let tries = 1; ; tries++) {
    let response;
    try {
      response = await fetch(address, { method: "POST", body: form, signal });
    } catch (error) {
      throw { title: "The server cannot be reached", detail: String(error.message ?? error) };
    }
    if (response.ok) return response.json();
    if (response.status !== 503 || tries === MAX_ATTEMPTS) throw await problem(response);
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise((go) => setTimeout(go, 1000 * seconds));
    signal.throwIfAborted();
  }
}

async function problem(response) {
  try {
    return await response.json();
  } catch {
    return { title: `The server responded with status ${response.status}`, detail: response.statusText };
  }
}

/** The predicted label, or the predicted tags of a tagging model. */
function words({ label, tags }) {
  return tags ? tags.join(", ") || "no tag" : named(label);
}

/** The prediction, and a bar for each label. */
function probabilities(prediction) {
  const labels = Object.keys(prediction.probabilities);
  const ranked = labels
    .map((label, index) => ({ label, index, share: prediction.probabilities[label] }))
    .sort((a, b) => b.share - a.share);
  const bar = ({ label, index, share }) => {
    const fill = element("span", { class: "fill", style: { "--label": labelColour(index, labels.length) } });
    requestAnimationFrame(() => (fill.style.width = `${100 * share}%`));
    return element("li", {}, element("span", { class: "name" }, named(label)), element("span", { class: "track", "aria-hidden": "true" }, fill),
      element("span", { class: "value" }, percent(share, 1)));
  };
  const bars = element("ol", { class: "bars", "aria-label": "Probabilities" }, ranked.slice(0, N_BARS).map(bar));
  const first = labels.indexOf(prediction.label);
  const made = element("div", {},
    element("p", { class: "prediction", style: { "--label": labelColour(first, labels.length) } },
      element("strong", {}, words(prediction)), element("span", {}, percent(prediction.probability))), bars);
  if (ranked.length > N_BARS) {
    const more = element("button", { class: "more", type: "button", onclick: () => {
      bars.append(...ranked.slice(N_BARS).map(bar));
      more.remove();
    } }, `${ranked.length - N_BARS} more`);
    made.append(more);
  }
  return made;
}

/** A note on damage that the decoder skipped, if there is any. */
function damage({ faults }) {
  if (faults.length === 0) return [];
  const words = faults.map(({ start_s, reason }) => `at ${clock(start_s)}: ${reason}`).join("; ");
  return [element("p", { class: "note small" }, `The recording is damaged; the damaged parts were skipped: ${words}`)];
}
