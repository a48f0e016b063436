// Waveform and spectrogram, drawn from data of the server.

import { onTheme, role, scale } from "/colour.js";

/** Redraws a canvas at its size on the screen, whenever the size or the theme changes. */
export function drawn(canvas, draw) {
  const redraw = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (width === 0) return;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    draw(canvas.getContext("2d"), canvas.width, canvas.height);
  };
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas);
  const unsubscribe = onTheme(redraw);
  return {
    redraw,
    end() {
      observer.disconnect();
      unsubscribe();
    },
  };
}

/** Bars from the smallest to the largest sample; the part that was played is in the accent colour. */
export function waveform({ min, max }, share) {
  const loudest = Math.max(1e-3, ...max, ...min.map((value) => -value));
  return (context, width, height) => {
    const [played, rest] = [role("accent"), role("muted")];
    const bar = Math.max(2, Math.round(3 * devicePixelRatio));
    const n = Math.max(1, Math.floor(width / bar));
    for (let i = 0; i < n; i++) {
      const from = Math.floor((i * min.length) / n);
      const to = Math.max(from + 1, Math.floor(((i + 1) * min.length) / n));
      const top = Math.max(...max.slice(from, to)) / loudest;
      const bottom = Math.min(...min.slice(from, to)) / loudest;
      const [y0, y1] = [((1 - top) * height) / 2, ((1 - bottom) * height) / 2];
      context.fillStyle = i / n < share() ? played : rest;
      context.fillRect(i * bar, y0, bar - Math.max(1, bar / 3), Math.max(devicePixelRatio, y1 - y0));
    }
  };
}

/** Mel bands from low (bottom) to high, one column for each frame. */
export function spectrogram({ n_frames, n_bins, values }) {
  const bytes = Uint8Array.from(atob(values), (character) => character.charCodeAt(0));
  return (context, width, height) => {
    const colours = scale();
    const small = new OffscreenCanvas(n_frames, n_bins);
    const pixels = small.getContext("2d").createImageData(n_frames, n_bins);
    for (let frame = 0; frame < n_frames; frame++) {
      for (let bin = 0; bin < n_bins; bin++) {
        const value = 4 * bytes[frame * n_bins + bin];
        const place = 4 * ((n_bins - 1 - bin) * n_frames + frame);
        pixels.data.set(colours.subarray(value, value + 4), place);
      }
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, width, height);
  };
}
