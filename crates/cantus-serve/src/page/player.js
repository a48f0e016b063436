// Player with waveform, spectrogram and timeline of predictions.

import { frequencyAxis, timeAxis } from "/axis.js";
import { element, icon, announce } from "/element.js";
import { clock, clockDigits, percent } from "/format.js";
import { drawn, spectrogram, waveform } from "/picture.js";
import { blocks, parts, row, runs } from "/timeline.js";

const PLAY = "M3 1.5v13l11-6.5z";
const PAUSE = "M3 2h3.5v12H3zM9.5 2H13v12H9.5z";

/** Creates the player; `end` stops it and releases its resources. */
export function player(file, prediction) {
  const { duration_s, segment_s, segments, overview } = prediction;
  const all = parts(prediction);
  const hop_s = segments.length > 1 ? segments[1].start_s - segments[0].start_s : segment_s;
  const digits = clockDigits(segment_s, hop_s, ...(duration_s < 2 ? [duration_s] : []));
  const address = URL.createObjectURL(file);
  const audio = element("audio", { src: address, preload: "metadata" });
  let position = 0;

  const wave = element("canvas", { class: "waveform" });
  const bands = element("canvas", { class: "spectrogram" });
  const coloured = blocks(all, Object.keys(prediction.probabilities).length);
  const playhead = element("div", { class: "playhead" });
  const strip = element("div", {
      class: "strip", role: "slider", tabindex: "0", "aria-label": "Position in the recording",
      "aria-valuemin": "0", "aria-valuemax": duration_s.toFixed(1),
    },
    wave, bands, timeAxis(duration_s), row(coloured), runs(all), playhead);
  const button = element("button", { class: "play", type: "button", "aria-label": "Play" }, icon(PLAY));
  const time = element("span", { class: "clock" });
  const now = element("span", { class: "now" });
  const pictures = [drawn(wave, waveform(overview.waveform, () => position / duration_s)), drawn(bands, spectrogram(overview.spectrogram))];

  function here() {
    const at = Math.max(0, all.findLastIndex(({ start }) => start <= position + 1e-6));
    const { start, until, label, share } = all[at];
    const times = `${clock(start, digits)}–${clock(until, digits)}`;
    if (label != null) return { at, words: `${times} ${label}, ${percent(share)}` };
    const why = until - start < segment_s ? ": shorter than a segment" : "";
    return { at, words: `${times} not classified${why}` };
  }
  function show() {
    const { at, words } = here();
    playhead.style.left = `${(100 * position) / duration_s}%`;
    time.textContent = `${clock(position, digits)} / ${clock(duration_s, digits)}`;
    now.textContent = words;
    coloured.forEach((block, i) => block.classList.toggle("current", i === at));
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
    ArrowRight: () => seek(position + hop_s), ArrowUp: () => seek(position + hop_s),
    ArrowLeft: () => seek(position - hop_s), ArrowDown: () => seek(position - hop_s),
    PageUp: () => seek(position + 5 * hop_s), PageDown: () => seek(position - 5 * hop_s),
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
    element: element("div", {}, element("div", { class: "recording" }, frequencyAxis(overview.spectrogram), strip), element("div", { class: "controls" }, button, time, now), audio),
    end() {
      audio.pause();
      cancelAnimationFrame(frame);
      pictures.forEach((picture) => picture.end());
      URL.revokeObjectURL(address);
    },
  };
}

/** Pauses all other players. */
function stopOthers(audio) {
  for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
}
