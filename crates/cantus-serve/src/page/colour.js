// Colours: one for each label, and a scale for spectrograms, in light and in dark.

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Calls the listener when the colour scheme of the system changes. */
export function onTheme(listener) {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}

/** The value of one of the style sheet's colours. */
export function role(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/**
 * The colour of a label: hues at equal distances from that of the accent colour; every other one is lighter, so that neighbours
 * differ in lightness, too. `light-dark` selects the colour for the current scheme.
 */
export function labelColour(index, n) {
  const hue = (245 + (index * 360) / Math.max(n, 3)) % 360;
  const lightness = index % 2 ? [0.7, 0.82] : [0.55, 0.7];
  return `light-dark(oklch(${lightness[0]} 0.14 ${hue}), oklch(${lightness[1]} 0.13 ${hue}))`;
}

/** Colour scale of 256 `[r, g, b, a]` values, from the background of a card to the strongest colour. */
export function scale() {
  const canvas = new OffscreenCanvas(256, 1);
  const context = canvas.getContext("2d");
  const gradient = context.createLinearGradient(0, 0, 256, 0);
  const stops = dark.matches
    ? ["#16181d", "#14425f", "#2f8fc9", "#8cd2ff", "#fff3d6"]
    : ["#f5f6f8", "#b9d9ee", "#4a9bd0", "#00489c", "#0b1a3a"];
  stops.forEach((stop, i) => gradient.addColorStop(i / (stops.length - 1), stop));
  context.fillStyle = gradient;
  context.fillRect(0, 0, 256, 1);
  return context.getImageData(0, 0, 256, 1).data;
}
