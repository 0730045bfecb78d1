// Small charts as SVG: a curve over the steps, a bar on a logarithmic scale, a histogram.

import { showNumber } from "../debugger/numbers.js";

const SVG = "http://www.w3.org/2000/svg";

export function shape(name, attributes = {}, text = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

// A number as the rest of the package prints it; nan and the infinities are texts already, what is unknown is empty.
export function number(x) {
  return (typeof x === "number" ? showNumber(x) : (x ?? "")).replaceAll("-", "−");
}

const CURVE = { left: 56, right: 950, top: 22, bottom: 158 };

// The loss over the steps, on a logarithmic scale if it is positive throughout.
export function drawCurve(svg, frames, found, steps) {
  const losses = frames.map((f) => f.loss).filter((x) => typeof x === "number");
  const positive = losses.length > 0 && losses.every((x) => x > 0);
  const scale = positive ? Math.log10 : (x) => x;
  const low = Math.min(...losses.map(scale));
  const high = Math.max(...losses.map(scale));
  const x = (step) => CURVE.left + ((CURVE.right - CURVE.left) * step) / Math.max(steps - 1, 1);
  const y = (loss) =>
    CURVE.bottom - ((CURVE.bottom - CURVE.top) * (scale(loss) - low)) / (high - low || 1);
  svg.replaceChildren();
  for (const part of [0, 0.5, 1]) {
    const value = low + part * (high - low);
    const at = CURVE.bottom - part * (CURVE.bottom - CURVE.top);
    svg.append(shape("line", { class: "grid", x1: CURVE.left, x2: CURVE.right, y1: at, y2: at }));
    const text = losses.length ? number(positive ? 10 ** value : value) : "";
    svg.append(shape("text", { x: CURVE.left - 8, y: at + 4, "text-anchor": "end" }, text));
  }
  let path = "";
  let drawing = false;
  for (const f of frames) {
    const known = typeof f.loss === "number";
    if (known) path += `${drawing ? "L" : "M"}${x(f.step).toFixed(1)},${y(f.loss).toFixed(1)}`;
    drawing = known;
  }
  svg.append(shape("path", { class: "curve", d: path || "M0,0" }));
  found.forEach((f, i) => {
    const at = x(f.step);
    svg.append(shape("line", { class: "found", x1: at, x2: at, y1: CURVE.top - 8, y2: CURVE.bottom }));
    const end = at > 800;
    const place = { class: "found-name", x: at + (end ? -5 : 5), y: CURVE.top + 4 + 14 * (i % 4) };
    svg.append(shape("text", { ...place, "text-anchor": end ? "end" : "start" }, f.sign));
  });
  svg.append(shape("text", { x: CURVE.left, y: 175 }, "step 0"));
  svg.append(shape("text", { x: CURVE.right, y: 175, "text-anchor": "end" }, `step ${steps - 1}`));
  const cursor = shape("line", { class: "cursor", y1: CURVE.top - 8, y2: CURVE.bottom });
  svg.append(cursor);
  return {
    moveTo(step) {
      cursor.setAttribute("x1", x(step));
      cursor.setAttribute("x2", x(step));
    },
    stepAt(event) {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * 960;
      return ((at - CURVE.left) / (CURVE.right - CURVE.left)) * Math.max(steps - 1, 1);
    },
  };
}

// How large an update is beside the data, from 1e-6 to 1, with a mark at 1e-3.
export function ratioBar(x) {
  const svg = shape("svg", { viewBox: "0 0 150 14", "aria-hidden": "true" });
  const place = (r) => Math.min(Math.max((Math.log10(r) + 6) / 6, 0), 1) * 146 + 2;
  svg.append(shape("line", { class: "grid", x1: 2, x2: 148, y1: 7, y2: 7 }));
  svg.append(shape("line", { class: "mark", x1: 75, x2: 75, y1: 1, y2: 13 }));
  if (typeof x === "number" && x > 0) {
    const usual = x >= 1e-4 && x <= 1e-1;
    svg.append(shape("circle", { class: usual ? "bar" : "bar off", cx: place(x), cy: 7, r: 4.5 }));
  }
  return svg;
}

export function drawHistogram(histogram) {
  const svg = shape("svg", { viewBox: "0 0 200 76", role: "img" });
  const { low, high, counts } = histogram;
  const most = Math.max(...counts, 1);
  const text = counts.length ? `from ${number(low)} to ${number(high)}` : "nothing is finite";
  svg.setAttribute("aria-label", text);
  const width = 200 / Math.max(counts.length, 1);
  counts.forEach((n, i) => {
    const height = (56 * n) / most;
    svg.append(shape("rect", { class: "bar", x: i * width, y: 58 - height, width: width * 0.9, height }));
  });
  svg.append(shape("line", { class: "mark", x1: 0, x2: 200, y1: 58.5, y2: 58.5 }));
  svg.append(shape("text", { x: 0, y: 73 }, number(low)));
  svg.append(shape("text", { x: 200, y: 73, "text-anchor": "end" }, number(high)));
  return svg;
}
