// The lines between boxes: an arrow the way forward, and once a cotangent was sent along it, an arrow the way back.

import { svg } from "./dom.js";
import { pathThrough } from "./layout.js";

const HEAD = 9;

export function drawWire(wire, points, sideways) {
  const line = pathThrough(points, sideways);
  const group = svg(
    "g",
    { class: "wire", "data-wire": wire.id },
    svg("path", { class: "line", d: line }),
    svg("path", { class: "head", d: arrowHead(points[0], points.at(-1), sideways) }),
    svg("path", { class: "tail", d: arrowHead(points.at(-1), points[0], sideways) }),
    svg("path", { class: "grip", d: line }),
  );
  if (wire.edges.length === 1) group.dataset.edge = wire.edges[0].id;
  if (wire.edges.every((edge) => !edge.tracked)) group.classList.add("constant");
  return group;
}

// Lines end straight downwards, or straight to the right.
function arrowHead(from, to, sideways) {
  const way = HEAD * Math.sign(sideways ? to.x - from.x : to.y - from.y);
  const half = HEAD * 0.45;
  const corner = (side) => (sideways ? [to.x - way, to.y + side * half] : [to.x + side * half, to.y - way]);
  return `M${to.x},${to.y} L${corner(1)} L${corner(-1)} Z`;
}

// What flows along a line, on a label beside its middle, or else nearer to an end: where it hides no box, if there is such
// a place.
export function drawLabel(points, text, boxes) {
  const [width, height] = [Math.max(28, 7.6 * text.length + 16), 22];
  const beside = width / 2 + 9;
  const heights = Array.from({ length: 14 }, (_, k) => 18 + 6 * k);
  const apart = heights.flatMap((dy) => [0, -width / 3, width / 3].flatMap((dx) => [[dx, -dy], [dx, dy]]));
  const shifts = [[0, 0], [beside, 0], [-beside, 0], ...apart];
  const places = [0.5, 0.25, 0.75].flatMap((part) => {
    const { x, y } = pointAlong(points, part);
    return shifts.map(([dx, dy]) => ({ x: x + dx, y: y + dy, width, height }));
  });
  const [onTheLine, ...others] = places;
  const place = others.find((p) => !boxes.some((box) => overlap(p, box))) ?? onTheLine;
  return svg(
    "g",
    { class: "flow", "aria-hidden": "true" },
    svg("rect", { class: "frame", x: place.x - width / 2, y: place.y - height / 2, width, height, rx: 11 }),
    svg("text", { class: "row", x: place.x, y: place.y + 4.5, "text-anchor": "middle" }, text),
  );
}

// The place at a part of the way along a line through some points.
function pointAlong(points, share) {
  const lengths = points.slice(1).map((p, k) => Math.hypot(p.x - points[k].x, p.y - points[k].y));
  let rest = share * lengths.reduce((sum, length) => sum + length, 0);
  const k = Math.max(0, lengths.findIndex((length) => (rest -= length) <= 0));
  const part = 1 + rest / (lengths[k] || 1);
  const [p, q] = [points[k], points[k + 1]];
  return { x: p.x + part * (q.x - p.x), y: p.y + part * (q.y - p.y) };
}

function overlap(a, b) {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
}
