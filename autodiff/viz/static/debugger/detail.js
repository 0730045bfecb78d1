// The pane on the right: the chosen node, or that of the current step, with what this step does to it.

import { dataOf, html, shorten } from "./dom.js";
import { copyButton, formulaLatex, formulaMath, slotsOf, withName, withNumber, withShape } from "./formula.js";
import { Heatmap } from "./heatmap.js";
import { litBy, ruleOf } from "./lighting.js";
import { MADE_KINDS } from "./model.js";
import { showNumber, showShape, showStats } from "./numbers.js";
import { runningTotal, stepCard } from "./step.js";

const LONGEST_TITLE = 48;

export function createDetail(root, model, player) {
  const body = html("div", { class: "detail-body" });
  const whatIf = html("details", { id: "what-if" });
  root.append(body, whatIf);
  let maps = [];

  const pane = {
    model,
    player,
    // A heat map of some statistics, in the space of a node's entries; nothing for a number.
    map(about) {
      const { stats } = about;
      if (!stats || stats.isNumber || !stats.data?.length) return null;
      const map = new Heatmap(about, mapWidth() - (about.inset ?? 0), lightAll);
      maps.push(map);
      return map.element;
    },
    // A name that leads to a node, and lights it in the other panes.
    link(id, text = model.title(id)) {
      const button = html("button", { type: "button", class: "link", "data-node": id }, shorten(text, 30));
      button.addEventListener("click", () => player.choose(id));
      return hovering(button, { node: id });
    },
  };

  function mapWidth() {
    return Math.max(150, (root.clientWidth || 340) - 44);
  }

  function hovering(element, what) {
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => player.hover(what));
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, () => player.hover(null));
    return element;
  }
  pane.hovering = hovering;

  function lightAll(entry, from) {
    for (const map of maps) {
      map.light(entry && litBy(model, entry, map.about.node));
      if (entry && map !== from && map.lit) map.reading.textContent = `${map.count} lit`;
      map.element.dataset.lit = map.lit ? map.count : "";
    }
    player.hover(entry && { node: entry.node });
  }

  function show() {
    const { state } = player;
    const id = player.chosen ?? (state.step ? model.actor(state.step).id : null);
    const focus = root.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    maps = [];
    body.replaceChildren(...(id ? aboutNode(pane, model.nodes.get(id), state) : [beginning()]));
    root.dataset.node = id ?? "";
    if (focus)
      [...body.querySelectorAll("button, canvas, summary")]
        .find((element) => keyOf(element) === focus)
        ?.focus({ preventScroll: true });
  }

  let asked = false;
  function showSoon() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      show();
    });
  }

  player.on("step", show);
  player.on("choose", show);
  player.on("values", showSoon);
  player.on("theme", showSoon);
  player.on("hover", () => {
    const { hovered } = player;
    for (const element of body.querySelectorAll("[data-node]"))
      element.classList.toggle("lit", element.dataset.node === hovered?.node);
    for (const element of body.querySelectorAll("[data-edge]"))
      element.classList.toggle("lit", element.dataset.edge === hovered?.edge);
  });
  let width = 0;
  new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - width) > 8) {
      width = root.clientWidth;
      showSoon();
    }
  }).observe(root);
  show();
}

// What a control is, so that the focus can return to it when the pane is made anew.
function keyOf(element) {
  return `${element.tagName} ${element.className} ${element.dataset.node ?? ""} ${element.textContent}`;
}

function beginning() {
  return html(
    "p",
    { class: "empty-detail" },
    "Step on with → to see what each op computes, and what each sends back. Or choose a box of the graph.",
  );
}

function aboutNode(pane, node, state) {
  const parts = [header(pane, node)];
  const { step } = state;
  const acts = step && (step.target === node.id || pane.model.actor(step).id === node.id);
  if (acts) parts.push(stepCard(pane, step, state));
  const isBack = acts && step.kind !== "forward";
  const formula = node.kind === "op" && !(acts && step.kind === "forward") ? [formulaOf(pane, node, state)] : [];
  if (!isBack) parts.push(...formula);
  parts.push(numbersOf(pane, node, state, { isBack, summed: acts && step.target === node.id }));
  if (node.kind === "op") parts.push(argumentsOf(pane, node, state));
  if (isBack) parts.push(...formula);
  if (node.kind !== "constant") parts.push(usesOf(pane, node, state));
  return parts;
}

function header({ model, player, hovering }, node) {
  const facts = [];
  const fact = (name, value) => facts.push(html("div", {}, html("dt", {}, name), html("dd", {}, value)));
  if (node.op && node.kind === "op")
    fact("op", html("code", {}, shorten(`${node.op}${node.options.length ? `(${node.options.join(", ")})` : ""}`, 60)));
  fact("shape", showShape(node.shape));
  fact("dtype", node.dtype);
  const scope = model.scopes.get(node.scope);
  const modules = [];
  for (let around = scope; around; around = model.scopes.get(around.parent))
    if (!MADE_KINDS.has(around.kind)) modules.unshift(around);
  if (modules.length) fact("module", shorten(modules.at(-1).title, 40));
  if (node.at) {
    const { source, line } = node.at;
    const file = model.view.sources[source].name;
    const place = html("button", { type: "button", class: "link" }, `${shorten(file, 28)}:${line}`);
    place.addEventListener("click", () => player.choose(node.id));
    fact("line", hovering(place, { source, line }));
  }
  const kind = node.output ? "output" : node.kind;
  return html(
    "header",
    { class: `detail-head ${kind}` },
    html(
      "h2",
      {},
      shorten(model.title(node.id), LONGEST_TITLE),
      html("span", { class: "unseen" }, ", "),
      html("span", { class: `chip ${kind}` }, kind),
    ),
    html("dl", { class: "facts" }, ...facts),
  );
}

// The formula of a row, with names, and with numbers where all are single ones.
export function formulaOf({ model }, node, state) {
  const rule = model.view.rules[node.op];
  const slots = slotsOf(model, node);
  const lines = [
    html(
      "div",
      { class: "formula" },
      formulaMath(rule.forward, slots, withShape, true),
      copyButton(() => formulaLatex(rule.forward, slots)),
    ),
  ];
  if (state.computed.has(node.id) && Object.values(slots).every((n) => n.value.isNumber) && !rule.variadic) {
    const numbers = withNumber((n) => showStats(n.value));
    lines.push(html("div", { class: "formula numbers" }, formulaMath(rule.forward, slots, numbers, true)));
  }
  return html("section", { class: "formulas" }, html("h3", {}, "Forward"), ...lines);
}

// Value, cotangent and gradient of the node; on the way back the cotangent comes first.
function numbersOf(pane, node, state, { isBack, summed }) {
  const { model } = pane;
  const computed = node.kind !== "op" || state.computed.has(node.id);
  const value = computed ? node.value : null;
  const cotangent = state.cotangent.get(node.id) ?? null;
  const about = (title, stats, tone, what, none) => quantity(pane, { title, stats, tone, what, none, node: node.id });
  const parts = [about("value", value, "value", "value", "not computed yet")];
  if (node.kind !== "constant") {
    const none = state.phase === "end" ? "none" : "none yet";
    parts[isBack ? "unshift" : "push"](about("cotangent", cotangent, "back", "cotangent", none));
    if (node.grad && !node.gradFollows) parts.push(about(".grad", node.grad, "back", "grad"));
    const total = summed ? null : runningTotal(pane, node, state);
    if (total) parts.push(total);
  }
  return html(
    "section",
    { class: "quantities", "aria-label": `Numbers of ${shorten(model.title(node.id), LONGEST_TITLE)}` },
    ...parts,
  );
}

// A number, or a heat map with the statistics and the histogram of an array; of nothing the word for that, `none`.
export function quantity(pane, { title, stats, tone, what, none, node, inset }) {
  const shape = stats && !stats.isNumber ? html("span", { class: "shape" }, ` ${showShape(stats.shape)}`) : "";
  const head = html("div", { class: `quantity ${tone}`, [`data-${what}`]: dataOf(stats) }, html("h3", {}, title, shape));
  if (!stats) head.append(html("p", { class: "none-yet" }, none));
  else if (stats.isNumber) head.append(html("p", { class: "big-number" }, showStats(stats).replace("-", "−")));
  else head.append(...[pane.map({ title, stats, node, inset }), statisticsOf(stats)].filter(Boolean));
  return head;
}

const FACTS = { min: "min", max: "max", mean: "mean", std: "std" };

function statisticsOf(stats) {
  if (stats.min === undefined) return html("p", { class: "statistics" }, showStats(stats));
  const parts = Object.entries(FACTS).filter(([name]) => stats[name] !== undefined);
  const counts = ["zeros", "nan", "inf"].filter((name) => stats[name]);
  const entry = (name, text, bad) => html("div", bad ? { class: "bad" } : {}, html("dt", {}, name), html("dd", {}, text));
  return html(
    "div",
    { class: "statistics" },
    html(
      "dl",
      {},
      ...parts.map(([name, label]) => entry(label, showStatistic(stats, name))),
      ...counts.map((name) => entry(name, `${stats[name]} of ${stats.size}`, name !== "zeros")),
    ),
    histogram(stats),
  );
}

function showStatistic(stats, name) {
  const whole = stats.kind === "int" && (name === "min" || name === "max");
  return (whole ? String(stats[name]) : showNumber(stats[name])).replace("-", "−");
}

function histogram(stats) {
  if (!stats.histogram || stats.histogram.length < 2) return "";
  const most = Math.max(...stats.histogram);
  const bars = stats.histogram.map((n) => {
    const bar = html("i", {});
    bar.style.height = `${n ? Math.max(6, (100 * n) / most) : 0}%`;
    return bar;
  });
  return html(
    "span",
    { class: "histogram", role: "img", "aria-label": `Histogram from min to max: ${stats.histogram.join(", ")} entries` },
    ...bars,
  );
}

// The arguments of the op: value, local derivative and contribution of each.
function argumentsOf(pane, node, state) {
  const { model } = pane;
  const edges = model.into(node.id);
  const rows = edges.map((edge) => {
    const source = model.nodes.get(edge.source);
    const known = source.kind !== "op" || state.computed.has(source.id);
    const sent = state.contribution.get(edge.id) ?? null;
    const parts = [html("h4", {}, html("code", {}, edge.input), " ", pane.link(source.id))];
    parts.push(small(pane, "value", known ? source.value : null, "value", source.id));
    if (edge.local && edge.tracked)
      parts.push(
        small(
          pane,
          localTitle(model, edge),
          sent ? edge.local : null,
          "local",
          edge.local.shape.join() === node.shape.join() ? node.id : source.id,
        ),
      );
    if (edge.tracked)
      parts.push(
        small(pane, "contribution", sent, "back", sent && sent.shape.join() === source.shape.join() ? source.id : node.id),
      );
    return pane.hovering(
      html("div", { class: edge.id === state.step?.edge ? "argument now" : "argument", "data-edge": edge.id }, ...parts),
      { edge: edge.id },
    );
  });
  return html("section", { class: "arguments" }, html("h3", {}, edges.length === 1 ? "Argument" : "Arguments"), ...rows);
}

function localTitle(model, edge) {
  const form = ruleOf(model, edge).local[edge.input];
  if (!form) return "local derivative";
  const slots = slotsOf(model, model.nodes.get(edge.target));
  return html("span", {}, "local ", formulaMath(form, slots, withName));
}

function small(pane, title, stats, tone, node) {
  const line = html(
    "div",
    { class: `small ${tone}` },
    html("span", { class: "label" }, title),
    html("span", { class: "number" }, stats ? showStats(stats).replaceAll("-", "−") : "–"),
  );
  const map = stats && pane.map({ title: tone === "back" ? "contribution" : tone, stats, node });
  return map ? html("div", { class: "with-map" }, line, map) : line;
}

// Who uses the node, and what came back from each use: the fan-out.
function usesOf(pane, node, state) {
  const { model } = pane;
  const uses = model.outOf(node.id);
  if (!uses.length)
    return html(
      "section",
      { class: "uses" },
      html("h3", {}, node.output ? "Nothing uses it: it is the output" : "Nothing uses it"),
    );
  const shown = uses.slice(0, 24).map((edge) => {
    const sent = state.contribution.get(edge.id) ?? null;
    const parts = [html("span", { class: "label" }, pane.link(edge.target), " as ", html("code", {}, edge.input))];
    parts.push(html("span", { class: "number back" }, sent ? showStats(sent).replaceAll("-", "−") : "–"));
    const row = pane.hovering(html("div", { class: "use small", "data-edge": edge.id }, ...parts), { edge: edge.id });
    const cotangent = state.cotangent.get(edge.target);
    const map = sent && cotangent && pane.map({ title: "cotangent of the user", stats: cotangent, node: edge.target });
    const from = html(
      "p",
      { class: "map-note" },
      "out of the cotangent of ",
      shorten(model.title(edge.target), 24),
      ` ${showShape(model.nodes.get(edge.target).shape)}`,
    );
    return map ? html("div", { class: "with-map" }, row, from, map) : row;
  });
  const more =
    uses.length > shown.length ? [html("p", { class: "map-note" }, `… and ${uses.length - shown.length} more`)] : [];
  const title = uses.length > 1 ? `Used ${uses.length} times: their contributions add up` : "Used once";
  return html("section", { class: "uses" }, html("h3", {}, title), ...shown, ...more);
}
