// Line chart of training and validation values by epoch.

import { role } from "/colour.js";

/** About four round numbers between two numbers, for an axis. */
function ticks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough * 0.9999);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

const short = (number) => (Math.abs(number) >= 1000 ? number.toExponential(0) : String(Number(number.toPrecision(3))));

/** Draws curves `{ name, colour, values }`; `marked` is the index of an epoch that is marked by a vertical line. */
export function curves(series, options) {
  return (context, width, height) => {
    const { n_epochs, marked, share } = options();
    const drawn = series().filter(({ values }) => values.some((value) => value != null));
    const scale = devicePixelRatio;
    context.font = `${12 * scale}px "Noto Sans", system-ui, sans-serif`;
    const all = drawn.flatMap(({ values }) => values.filter((value) => value != null && Number.isFinite(value)));
    let [low, high] = share ? [0, 1] : [Math.min(...all, 0), Math.max(...all, 1e-9)];
    if (!share) high += (high - low) * 0.05;
    const left = 44 * scale, right = width - 12 * scale, top = 10 * scale, bottom = height - 26 * scale;
    const n = Math.max(2, Math.min(n_epochs, Math.max(8, Math.ceil(1.25 * Math.max(...drawn.map(({ values }) => values.length), 0)))));
    const x = (epoch) => left + ((right - left) * epoch) / (n - 1);
    const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low);

    context.lineWidth = scale;
    context.textBaseline = "middle";
    for (const tick of ticks(low, high)) {
      context.strokeStyle = role("line");
      context.beginPath();
      context.moveTo(left, y(tick));
      context.lineTo(right, y(tick));
      context.stroke();
      context.fillStyle = role("muted");
      context.textAlign = "right";
      context.fillText(share ? `${Math.round(100 * tick)} %` : short(tick), left - 6 * scale, y(tick));
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (const tick of ticks(1, n).filter((tick) => Number.isInteger(tick) && tick >= 1)) {
      context.fillText(tick, x(tick - 1), height - 7 * scale);
    }
    if (marked != null) {
      context.strokeStyle = role("muted");
      context.setLineDash([4 * scale, 4 * scale]);
      context.beginPath();
      context.moveTo(x(marked), top);
      context.lineTo(x(marked), bottom);
      context.stroke();
      context.setLineDash([]);
    }
    for (const { colour, values } of drawn) {
      context.strokeStyle = context.fillStyle = role(colour);
      context.lineWidth = 2.25 * scale;
      context.lineJoin = "round";
      context.beginPath();
      values.forEach((value, epoch) => value != null && Number.isFinite(value) && context.lineTo(x(epoch), y(value)));
      context.stroke();
      const last = values.findLastIndex((value) => value != null && Number.isFinite(value));
      if (last < 0) continue;
      context.beginPath();
      context.arc(x(last), y(values[last]), 3.5 * scale, 0, 2 * Math.PI);
      context.fill();
    }
  };
}
