// Breakpoints: conditions at which play, and Ctrl with an arrow key, stop.

import { circumstances, parseCondition, wordsOf } from "./condition.js";
import { announce, byId, html, mark, svg } from "./dom.js";

const MOST_MARKS = 400;

export function createBreakpoints(model, player) {
  const input = byId("breakpoint");
  const menu = byId("breakpoints");
  const known = wordsOf(model);
  let points = []; // {text, test, hits}
  let stops = new Set();

  const hitsOf = (test) => model.steps.map((_, i) => i + 1).filter((t) => test(circumstances(model, t)));

  function add(text) {
    complain("");
    try {
      const test = parseCondition(text, known);
      const point = { text, test, hits: hitsOf(test) };
      points = [...points.filter((other) => other.text !== text), point];
      input.value = "";
      show();
      announce(`${text} stops at ${countOf(point)}`);
    } catch (problem) {
      complain(problem.message);
      announce(problem.message);
    }
  }

  function complain(text) {
    byId("breakpoint-error").textContent = text;
    mark(input, "aria-invalid", text ? "true" : null);
  }

  function remove(point) {
    points = points.filter((other) => other !== point);
    show();
    input.focus();
    announce(`${point.text} is removed`);
  }

  function show() {
    stops = new Set(points.flatMap((point) => point.hits));
    byId("breakpoint-count").textContent = points.length ? ` (${points.length})` : "";
    byId("breakpoint-list").replaceChildren(...points.map(itemOf));
    showMarks();
  }

  const countOf = ({ hits }) => (hits.length === 1 ? "1 step" : `${hits.length} steps`);

  function itemOf(point) {
    const go = html("button", { type: "button", class: "go" }, html("code", {}, point.text), ` ${countOf(point)}`);
    go.addEventListener("click", () => point.hits.length && player.go(point.hits.find((t) => t > player.t) ?? point.hits[0]));
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
  menu.addEventListener("toggle", () => menu.open || complain(""));
  player.on("values", () => {
    points = points.map((point) => ({ ...point, hits: hitsOf(point.test) }));
    show();
  });
  player.stopsAt = (t) => stops.has(t);
}
