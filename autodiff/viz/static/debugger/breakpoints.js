// Breakpoints: conditions at which play, and Ctrl with an arrow key, stop.

import { circumstances, parseCondition } from "./condition.js";
import { byId, html, svg } from "./dom.js";

const MOST_MARKS = 400;

export function createBreakpoints(model, player) {
  const input = byId("breakpoint");
  const error = byId("breakpoint-error");
  let points = []; // {text, test, hits}
  let stops = new Set();

  const hitsOf = (test) => model.steps.map((_, i) => i + 1).filter((t) => test(circumstances(model, t)));

  function add(text) {
    error.textContent = "";
    try {
      const test = parseCondition(text);
      points = [...points.filter((point) => point.text !== text), { text, test, hits: hitsOf(test) }];
      input.value = "";
      show();
    } catch (problem) {
      error.textContent = problem.message;
    }
  }

  function remove(point) {
    points = points.filter((other) => other !== point);
    show();
    input.focus();
  }

  function show() {
    stops = new Set(points.flatMap((point) => point.hits));
    byId("breakpoint-count").textContent = points.length ? ` (${points.length})` : "";
    byId("breakpoint-list").replaceChildren(...points.map(itemOf));
    showMarks();
  }

  function itemOf(point) {
    const n = point.hits.length;
    const count = ` ${n} ${n === 1 ? "step" : "steps"}`;
    const go = html("button", { type: "button", class: "go" }, html("code", {}, point.text), count);
    go.addEventListener("click", () => n && player.go(point.hits.find((t) => t > player.t) ?? point.hits[0]));
    const away = html("button", { type: "button", "aria-label": `Remove ${point.text}` }, "×");
    away.addEventListener("click", () => remove(point));
    return html("li", {}, go, away);
  }

  function showMarks() {
    const n = model.steps.length || 1;
    const places = [...new Set([...stops].map((t) => Math.round((t / n) * MOST_MARKS) / MOST_MARKS))];
    const drawing = svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none" });
    drawing.append(...places.map((at) => svg("line", { x1: 100 * at, x2: 100 * at, y1: 0, y2: 6 })));
    byId("marks").replaceChildren(drawing);
  }

  byId("breakpoint-form").addEventListener("submit", (event) => {
    event.preventDefault();
    add(input.value.trim());
  });
  player.on("values", () => {
    points = points.map((point) => ({ ...point, hits: hitsOf(point.test) }));
    show();
  });
  player.stopsAt = (t) => stops.has(t);
  return { add };
}
