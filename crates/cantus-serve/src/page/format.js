// Formats numbers and labels.

export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A label as text: that of the background is "none of these". */
export function named(label) {
  return label === "_background_" ? "none of these" : label;
}

/** 83.4 → "1:23" */
export function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 600 → "10 min" */
export function span(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function megabytes(bytes) {
  return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.floor(bytes / (1 << 20))} MiB`;
}

/** 1234567 → "1,234,567" */
export function grouped(n) {
  return n.toLocaleString("en");
}
