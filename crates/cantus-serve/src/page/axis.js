// Axes of the pictures of a recording: frequency on the mel scale, and time.

import { element } from "/element.js";
import { clock, hertz } from "/format.js";

/** Frequencies that may have a tick: octaves from 125 Hz to 128 kHz. */
const OCTAVES = Array.from({ length: 11 }, (_, i) => 125 * 2 ** i);
/** Smallest distance of two frequency ticks, as a share of the picture's height: the height of a label. */
const MIN_DISTANCE = 0.13;
/** Distances of time ticks, in seconds. */
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];

/** Hertz to mels: Slaney's formula, as in `librosa.hz_to_mel`; linear below 1 kHz. */
function mel(hz) {
  return hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4);
}

/** Height of a frequency in the picture, from 0 (bottom) to 1; the centre of band `i` of `n` is at `(i + 0.5) / n`. */
function height(hz, { f_min, f_max, n_bins }) {
  const band = ((mel(hz) - mel(f_min)) / (mel(f_max) - mel(f_min))) * (n_bins + 1) - 1;
  return (band + 0.5) / n_bins;
}

/** Ticks of a mel spectrogram from high to low: as many octaves as have room. */
export function frequencyAxis(spectrogram) {
  let above = Infinity;
  const ticks = [];
  for (const hz of OCTAVES.toReversed()) {
    const share = height(hz, spectrogram);
    if (share < 0 || share > 1 || above - share < MIN_DISTANCE) continue;
    ticks.push(element("span", { style: { bottom: `${(100 * share).toFixed(2)}%` } }, hertz(hz)));
    above = share;
  }
  const label = `Frequency axis of the spectrogram: ${hertz(spectrogram.f_min)} to ${hertz(spectrogram.f_max)}, mel scale`;
  return element("div", { class: "frequencies", role: "img", "aria-label": label }, ticks);
}

/** Ticks at round times. */
export function timeAxis(duration_s) {
  // Labels with hours or fractions of a second are longer: fewer of them.
  const n = duration_s < 5 || duration_s >= 3600 ? 4 : 5;
  const step = STEPS.find((step) => duration_s / step <= n) ?? duration_s;
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const ticks = [];
  for (let i = 0; i * step <= duration_s + 1e-6; i++) {
    const share = (i * step) / duration_s;
    const edge = i === 0 ? "first" : share > 0.95 ? "last" : "";
    ticks.push(element("span", { class: edge, style: { left: `${(100 * share).toFixed(2)}%` } }, clock(i * step, digits)));
  }
  return element("div", { class: "times", "aria-hidden": "true" }, ticks);
}
