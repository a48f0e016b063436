// Formats numbers and labels.

export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A label as text: that of the background is "none of these". */
export function named(label) {
  return label === "_background_" ? "none of these" : label;
}

/** 83.47 → "1:23", with one digit "1:23.4" */
export function clock(seconds, digits = 0) {
  const units = Math.floor(seconds * 10 ** digits + 1e-6);
  const whole = Math.floor(units / 10 ** digits);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  const fraction = digits > 0 ? `.${String(units % 10 ** digits).padStart(digits, "0")}` : "";
  return (h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`) + fraction;
}

/** Digits after the point that tell times apart which are multiples of these numbers of seconds. */
export function clockDigits(...seconds) {
  if (seconds.every(Number.isInteger)) return 0;
  return Math.min(...seconds) < 0.1 ? 2 : 1;
}

/** Duration of a recording: 0.4 → "0.40 s", 83.4 → "1:23" */
export function duration(seconds) {
  return seconds < 2 ? `${seconds.toPrecision(2)} s` : clock(seconds);
}

/** 11025 → "11.025 kHz" */
export function hertz(frequency) {
  return frequency < 1000 ? `${frequency} Hz` : `${frequency / 1000} kHz`;
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
