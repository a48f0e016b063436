// Creates elements of the page.

/**
 * Creates an element with attributes and children; text is not parsed as markup.
 * `on…` adds an event listener, `style` is an object of CSS properties, everything else is an attribute.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, of] of Object.entries(value)) made.style.setProperty(key, of);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** A decorative icon; its meaning is in an ARIA label. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", "0 0 16 16"], ["aria-hidden", "true"], ["focusable", "false"]]) {
    svg.setAttribute(name, value);
  }
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** Decorative waveform. */
export function waves(svg) {
  for (let i = 0; i < 40; i++) {
    const bar = document.createElementNS(SVG, "rect");
    const height = 4 + 40 * Math.abs(Math.sin(i * 0.55) * Math.sin(((i + 0.5) / 40) * Math.PI));
    const place = { x: i * 6 + 1, y: 24 - height / 2, width: 3, height, rx: 1.5 };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value.toFixed(1));
    svg.append(bar);
  }
}

/** Announces a change to screen readers. */
export function announce(message) {
  document.getElementById("status").textContent = message;
}
