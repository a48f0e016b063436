// Player with waveform, spectrogram and timeline of predictions.

import { labelColour } from "/colour.js";
import { element, icon, announce } from "/element.js";
import { clock, named, percent } from "/format.js";
import { drawn, spectrogram, waveform } from "/picture.js";

const PLAY = "M3 1.5v13l11-6.5z";
const PAUSE = "M3 2h3.5v12H3zM9.5 2H13v12H9.5z";

/** The most probable label of a segment, with its index and probability. */
function best(segment, labels) {
  const index = labels.reduce((best, label, i) => (segment[label] > segment[labels[best]] ? i : best), 0);
  return { index, label: named(labels[index]), share: segment[labels[index]] };
}

/** Creates the player; `end` stops it and releases its resources. */
export function player(file, prediction) {
  const { duration_s, segment_s, segments, overview } = prediction;
  const labels = Object.keys(prediction.probabilities);
  const tops = segments.map(({ probabilities }) => best(probabilities, labels));
  const address = URL.createObjectURL(file);
  const audio = element("audio", { src: address, preload: "metadata" });
  let position = 0;

  const wave = element("canvas", { class: "waveform" });
  const bands = element("canvas", { class: "spectrogram" });
  const blocks = tops.map(({ index, share }) =>
    element("span", { style: { "--label": labelColour(index, labels.length), "--share": share.toFixed(3) } }));
  const rest = duration_s - segments.length * segment_s;
  const tail = (name) => (rest > 0.01 ? [element("span", { class: name, style: { "flex-grow": rest / segment_s } })] : []);
  const playhead = element("div", { class: "playhead" });
  const strip = element("div", {
      class: "strip", role: "slider", tabindex: "0", "aria-label": "Position in the recording",
      "aria-valuemin": "0", "aria-valuemax": duration_s.toFixed(1),
    },
    wave, bands, element("div", { class: "timeline" }, blocks, tail("rest")),
    element("div", { class: "runs", "aria-hidden": "true" }, runs(tops), tail("rest")), playhead);
  const button = element("button", { class: "play", type: "button", "aria-label": "Play" }, icon(PLAY));
  const time = element("span", { class: "clock" });
  const now = element("span", { class: "now" });
  const pictures = [drawn(wave, waveform(overview.waveform, () => position / duration_s)), drawn(bands, spectrogram(overview.spectrogram))];

  function here() {
    const at = Math.min(Math.floor(position / segment_s), tops.length);
    if (at === tops.length) return { at, words: "shorter than a segment: not classified" };
    const { label, share } = tops[at];
    return { at, words: `${clock(at * segment_s)}–${clock((at + 1) * segment_s)} ${label}, ${percent(share)}` };
  }
  function show() {
    const { at, words } = here();
    playhead.style.left = `${(100 * position) / duration_s}%`;
    time.textContent = `${clock(position)} / ${clock(duration_s)}`;
    now.textContent = words;
    blocks.forEach((block, i) => block.classList.toggle("current", i === at));
    strip.setAttribute("aria-valuenow", position.toFixed(1));
    strip.setAttribute("aria-valuetext", words);
    pictures[0].redraw();
  }
  function seek(to) {
    position = Math.max(0, Math.min(to, duration_s - 0.01));
    if (!button.disabled) audio.currentTime = position;
    show();
  }
  function play() {
    if (!button.disabled) audio.play().catch(refuse);
  }
  function toggle() {
    if (audio.paused) play();
    else audio.pause();
  }
  function refuse() {
    if (button.disabled) return;
    button.disabled = true;
    button.setAttribute("aria-label", "This browser cannot play the format");
    now.textContent = "This browser cannot play the format; the pictures come from the server.";
  }
  function draw(path, words) {
    button.replaceChildren(icon(path));
    button.setAttribute("aria-label", words);
  }
  let frame = 0;
  function follow() {
    position = Math.min(audio.currentTime, duration_s);
    show();
    if (!audio.paused) frame = requestAnimationFrame(follow);
  }

  const keys = {
    ArrowRight: () => seek(position + segment_s), ArrowUp: () => seek(position + segment_s),
    ArrowLeft: () => seek(position - segment_s), ArrowDown: () => seek(position - segment_s),
    PageUp: () => seek(position + 5 * segment_s), PageDown: () => seek(position - 5 * segment_s),
    Home: () => seek(0), End: () => seek(duration_s), " ": toggle, Enter: toggle,
  };
  strip.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  strip.addEventListener("click", (event) => {
    const { left, width } = strip.getBoundingClientRect();
    seek(((event.clientX - left) / width) * duration_s);
    play();
  });
  button.addEventListener("click", toggle);
  audio.addEventListener("error", refuse);
  audio.addEventListener("play", () => {
    draw(PAUSE, "Pause");
    stopOthers(audio);
    follow();
  });
  audio.addEventListener("pause", () => {
    draw(PLAY, "Play");
    announce(`paused at ${here().words}`);
  });
  audio.addEventListener("ended", () => seek(0));
  show();
  return {
    element: element("div", {}, strip, element("div", { class: "controls" }, button, time, now), audio),
    end() {
      audio.pause();
      cancelAnimationFrame(frame);
      pictures.forEach((picture) => picture.end());
      URL.revokeObjectURL(address);
    },
  };
}

/** Labels under the timeline: one for each run of segments with equal predictions. */
function runs(tops) {
  const runs = [];
  for (const { label } of tops) {
    if (runs.at(-1)?.label === label) runs.at(-1).n++;
    else runs.push({ label, n: 1 });
  }
  return runs.map(({ label, n }) => element("span", { style: { "flex-grow": n }, title: label }, label));
}

/** Pauses all other players. */
function stopOthers(audio) {
  for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
}
