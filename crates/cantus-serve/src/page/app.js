// Main page: file upload, result cards, model view.

import { element, announce, waves } from "/element.js";
import { clock, megabytes, named, span } from "/format.js";
import { showModel } from "/model.js";
import { record } from "/recorder.js";
import { card } from "/result.js";

/** Number of concurrent requests. */
const MAX_ACTIVE = 2;

const at = (id) => document.getElementById(id);
let models = [];
let limits = null;
const queue = [];
let nActive = 0;

const chosen = () => models[Math.max(0, at("model").selectedIndex)];

function showError(message) {
  at("error").textContent = message;
  at("error").hidden = !message;
}

/** Adds a card for each file and sends them in order. */
function take(files) {
  showError("");
  const [fit, large] = [[], []];
  for (const file of files) (limits && file.size > limits.body_bytes ? large : fit).push(file);
  if (large.length > 0) {
    showError(`Too large (the limit is ${megabytes(limits.body_bytes)}): ${large.map((file) => file.name).join(", ")}`);
  }
  for (const file of fit) {
    const made = card(file, chosen().name, models.length > 1);
    at("results").prepend(made.element);
    queue.push(made);
  }
  if (fit.length > 0) announce(fit.length === 1 ? `${fit[0].name} is being classified` : `${fit.length} recordings are being classified`);
  work();
}

async function work() {
  while (nActive < MAX_ACTIVE && queue.length > 0) {
    nActive++;
    queue.shift().send().finally(() => {
      nActive--;
      work();
    });
  }
}

function acceptFiles() {
  at("files").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  let depth = 0;
  const dragging = (by) => {
    depth = Math.max(0, depth + by);
    document.body.classList.toggle("dragging", depth > 0);
  };
  addEventListener("dragenter", () => dragging(1));
  addEventListener("dragleave", () => dragging(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(-depth);
    location.hash = "listen";
    take([...event.dataTransfer.files]);
  });
}

function acceptMicrophone() {
  const button = at("record");
  let recording = null;
  let ticking = 0;
  const words = (text) => (at("record-words").textContent = text);
  async function begin() {
    showError("");
    button.disabled = true;
    try {
      recording = await record();
      button.setAttribute("aria-pressed", "true");
      announce("recording");
      ticking = setInterval(() => {
        words(`Stop, ${clock(recording.seconds())}`);
        if (recording.seconds() > limits.audio_s - 1) end();
      }, 250);
      words("Stop, 0:00");
    } catch (error) {
      showError(error.message);
    }
    button.disabled = false;
  }
  function end() {
    clearInterval(ticking);
    const file = recording.stop();
    recording = null;
    button.setAttribute("aria-pressed", "false");
    words("Record");
    take([file]);
  }
  button.addEventListener("click", () => (recording ? end() : begin()));
}

/** On narrow screens, one button shows and hides the two ways to add a recording. */
function acceptTaps() {
  const button = at("add");
  button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
  });
}

/** The largest duration and size of a file; a number and its unit stay in one line. */
function describeLimits({ audio_s, body_bytes }) {
  const unbroken = (text) => element("span", { class: "unbroken" }, text);
  at("limits").replaceChildren("Any common format, up to ", unbroken(span(audio_s)), " and ", unbroken(`${megabytes(body_bytes)} each`));
}

/** Shows the view in the URL's fragment. */
function route() {
  const isModel = location.hash === "#model";
  at("listen").hidden = isModel;
  at("about-model").hidden = !isModel;
  for (const [link, isCurrent] of [["to-listen", !isModel], ["to-model", isModel]]) {
    if (isCurrent) at(link).setAttribute("aria-current", "page");
    else at(link).removeAttribute("aria-current");
  }
  if (isModel && models.length > 0) showModel(chosen(), at("model-title"), at("model-content"));
}

async function start() {
  waves(document.querySelector(".waves"));
  const known = await (await fetch("/v1/models")).json();
  ({ models, limits } = known);
  at("model").append(...models.map(({ name }) => element("option", {}, name)));
  at("chooser").hidden = models.length < 2;
  at("version").textContent = `· cantus ${known.version}`;
  describeLimits(limits);
  const describe = () => {
    const labels = chosen().labels.map(named);
    const some = labels.length > 12 ? `${labels.slice(0, 12).join(", ")} and ${labels.length - 12} more` : labels.join(", ");
    at("about").textContent = `Classifies recordings: ${some}. Shows the prediction for each segment.`;
    document.title = models.length > 1 ? "Cantus" : `${chosen().name} · Cantus`;
    route();
  };
  at("model").addEventListener("change", describe);
  addEventListener("hashchange", route);
  describe();
  acceptTaps();
  acceptFiles();
  acceptMicrophone();
}

start().catch((error) => showError(`The server cannot be reached: ${error.message}`));
