// The film of a training: a scrubber over its steps.

import { drawCurve, drawHistogram, number, ratioBar } from "./charts.js";

const COLUMNS = [
  ["mean", "mean"],
  ["std", "std"],
  ["dead", "dead"],
  ["saturated", "saturated"],
  ["gradient", "gradient"],
  ["gradient_to_data", "grad / data"],
  ["update_to_data", "update / data"],
];

// How a statistic is written that is not just a number: shares in percent, counts without a decimal point.
const TEXTS = { saturated: percent, dead: (n) => String(n ?? "") };

const film = JSON.parse(document.getElementById("film").textContent);
const frames = film.frames;
const byId = (id) => document.getElementById(id);
const scrubber = byId("scrubber");
const kept = COLUMNS.filter(([key]) => frames.some((f) => Object.values(f.layers).some((row) => key in row)));
let current = 0;
let timer = null;

const curve = drawCurve(byId("curve"), frames, film.first, film.steps);

function cell(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function nearest(step) {
  let best = 0;
  frames.forEach((f, i) => {
    if (Math.abs(f.step - step) < Math.abs(frames[best].step - step)) best = i;
  });
  return best;
}

function showLayers(layers) {
  const table = byId("layers");
  const head = document.createElement("tr");
  head.append(cell("th", "layer"), ...kept.map(([, title]) => cell("th", title)));
  const scale = kept.some(([key]) => key === "update_to_data");
  if (scale) head.append(cell("th", "1e-6 · 1e-3 · 1"));
  for (const th of head.children) th.setAttribute("scope", "col");
  const thead = document.createElement("thead");
  thead.append(head);
  const tbody = document.createElement("tbody");
  for (const [name, row] of Object.entries(layers)) {
    const line = document.createElement("tr");
    line.append(cell("td", name));
    for (const [key] of kept) line.append(cell("td", (TEXTS[key] ?? number)(row[key])));
    if (scale) {
      const bar = document.createElement("td");
      bar.append(ratioBar(row.update_to_data));
      line.append(bar);
    }
    tbody.append(line);
  }
  table.replaceChildren(thead, tbody);
}

function percent(x) {
  return typeof x === "number" ? `${Math.round(100 * x)} %` : "";
}

function showVerdicts(verdicts) {
  const items = verdicts.map((v) => cell("li", `${v.where}: ${v.text}`));
  if (!items.length) {
    items.push(cell("li", "No sign of illness."));
    items[0].className = "well";
  }
  byId("verdicts").replaceChildren(...items);
}

function showHistograms(histograms) {
  const figures = Object.entries(histograms).map(([name, histogram]) => {
    const figure = document.createElement("figure");
    figure.append(cell("figcaption", name), drawHistogram(histogram));
    return figure;
  });
  byId("histograms").replaceChildren(...figures);
}

function go(i) {
  current = Math.min(Math.max(i, 0), frames.length - 1);
  const frame = frames[current];
  const text = `step ${frame.step} of ${film.steps - 1}, loss ${number(frame.loss)}`;
  scrubber.value = current;
  scrubber.setAttribute("aria-valuetext", text);
  document.body.dataset.step = frame.step;
  document.body.dataset.loss = frame.loss;
  byId("where").textContent = text;
  curve.moveTo(frame.step);
  showVerdicts(frame.verdicts);
  showLayers(frame.layers);
  showHistograms(frame.histograms);
}

function play(on) {
  clearInterval(timer);
  timer = null;
  const still = !on || matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("play").setAttribute("aria-pressed", String(!still));
  byId("play").textContent = still ? "play" : "pause";
  if (still) return;
  if (current === frames.length - 1) go(0);
  timer = setInterval(() => (current === frames.length - 1 ? play(false) : go(current + 1)), 120);
}

const KEYS = {
  ArrowLeft: () => go(current - 1),
  ArrowRight: () => go(current + 1),
  Home: () => go(0),
  End: () => go(frames.length - 1),
  " ": () => play(timer === null),
};

document.addEventListener("keydown", (event) => {
  const onButton = event.target instanceof HTMLButtonElement && event.key === " ";
  if (!(event.key in KEYS) || onButton || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  KEYS[event.key]();
});
byId("first").addEventListener("click", () => go(0));
byId("back").addEventListener("click", () => go(current - 1));
byId("next").addEventListener("click", () => go(current + 1));
byId("last").addEventListener("click", () => go(frames.length - 1));
byId("play").addEventListener("click", () => play(timer === null));
byId("curve").addEventListener("click", (event) => go(nearest(curve.stepAt(event))));
scrubber.max = frames.length - 1;
scrubber.addEventListener("input", () => go(Number(scrubber.value)));
for (const f of film.first) {
  const button = cell("button", `${f.sign}: step ${f.step}`);
  button.type = "button";
  button.addEventListener("click", () => go(nearest(f.step)));
  byId("jumps").append(button);
}
byId("title").textContent = document.title;
go(0);
