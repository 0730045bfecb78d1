// What one step does, as a card: computed forward, or upstream cotangent × local derivative = contribution.

import { dataOf, html, shorten } from "./dom.js";
import { formulaOf, quantity } from "./detail.js";
import {
  copyButton,
  factor,
  formulaLatex,
  formulaMath,
  sign,
  slotsOf,
  turnedShape,
  withName,
  withNumber,
  withShape,
} from "./formula.js";
import { ruleOf } from "./lighting.js";
import { showShape, showStats } from "./numbers.js";

export function stepCard(pane, step, state) {
  const { model } = pane;
  if (step.kind === "forward") {
    const node = model.nodes.get(step.target);
    return html("section", { class: "step-card forward" }, ...formulaOf(pane, node, state).children);
  }
  if (step.kind === "seed") {
    const card = html("section", { class: "step-card back" }, html("h3", {}, "Backward starts here"));
    card.append(
      html("p", {}, "The derivative of the output by itself:"),
      factor("cotangent", showStats(step.total), "back", dataOf(step.total)),
    );
    return card;
  }
  const edge = model.edges.get(step.edge);
  return step.kind === "pull" ? pullCard(pane, edge, state) : fittingCard(pane, step, edge, state);
}

// A name, or the place on the tape.
function nameOf(model, id) {
  const { name } = model.nodes.get(id);
  return shorten(name ?? (id.startsWith("n") ? `%${id.slice(1)}` : model.title(id)), 24);
}

// g × local = contribution.
function pullCard(pane, edge, state) {
  const { model } = pane;
  const node = model.nodes.get(edge.target);
  const rule = ruleOf(model, edge);
  const input = rule.variadic ? rule.inputs[0] : edge.input;
  const pulled = rule.pulled[input];
  const slots = slotsOf(model, node);
  const upstream = state.cotangent.get(node.id) ?? node.cotangent;
  const sent = edge.raw ?? edge.contribution;
  const card = html("section", { class: "step-card back", "data-edge": edge.id });
  card.append(
    html("h3", {}, "Backward to ", pane.link(edge.source), html("span", { class: "quiet" }, ` ${edge.input} of ${node.op}`)),
  );
  if (pulled) {
    card.append(
      html(
        "div",
        { class: "formula" },
        formulaMath(pulled, slots, withShape, true),
        copyButton(() => formulaLatex(pulled, slots)),
      ),
    );
    const local = rule.local[input];
    if (sent.isNumber && local?.latex.includes("@") && Object.values(slots).every((n) => n.value.isNumber)) {
      const numbers = withNumber((n, isBar) => (isBar ? null : showStats(n.value)));
      const lines = html(
        "div",
        { class: "formula numbers" },
        html("span", { class: "label" }, "local"),
        formulaMath(local, slots, withName),
        html("span", {}, "="),
        formulaMath(local, slots, numbers),
      );
      card.append(lines);
    }
  }
  card.append(product(model, edge, node, upstream, sent));
  const total = runningTotal(pane, model.nodes.get(edge.source), state);
  if (total && !edge.raw) card.append(total);
  if (edge.raw)
    card.append(
      html("p", { class: "quiet" }, "Not yet in the shape of ", nameOf(model, edge.source), ": see the next step."),
    );
  return card;
}

function product(model, edge, node, upstream, sent) {
  const line = html("div", { class: "product" });
  const shaped = (stats) => (stats.isNumber ? showStats(stats) : showShape(stats.shape));
  const first = factor("upstream", shaped(upstream), "back", dataOf(upstream));
  const last = factor("contribution", shaped(sent), "back", dataOf(sent));
  const middle = matrixFactor(model, edge, node);
  if (edge.local)
    line.append(
      first,
      sign(edge.local.isNumber ? "·" : "⊙"),
      factor("local", shaped(edge.local), "local", dataOf(edge.local)),
      sign("="),
      last,
    );
  else if (middle)
    line.append(
      ...(middle.first
        ? [middle.factor, sign("@"), turned(upstream, middle.turn)]
        : [turned(upstream, middle.turn), sign("@"), middle.factor]),
      sign("="),
      last,
    );
  else line.append(first, sign("→"), factor("pulled back", node.op, "local"), sign("→"), last);
  return line;
}

function turned(upstream, turn) {
  return factor(turn ? "gᵀ" : "g", showShape(turn ? turnedShape(upstream.shape) : upstream.shape), "back", dataOf(upstream));
}

// Which matrix the cotangent is multiplied with, where the op is a product of two.
function matrixFactor(model, edge, node) {
  const [a, b] = model.into(node.id).map((e) => model.nodes.get(e.source));
  const flat = (n) => n && n.shape.length === 2;
  if (!flat(a) || !flat(b)) return null;
  const name = (n) => nameOf(model, n.id);
  if (node.op === "matmul") {
    if (edge.argument === 0) return { factor: factor(`${name(b)}ᵀ`, showShape(turnedShape(b.shape)), "local") };
    return { first: true, factor: factor(`${name(a)}ᵀ`, showShape(turnedShape(a.shape)), "local") };
  }
  if (node.op === "linear" && edge.argument === 0) return { factor: factor(name(b), showShape(b.shape), "local") };
  if (node.op === "linear" && edge.argument === 1)
    return { turn: true, factor: factor(name(a), showShape(a.shape), "local") };
  return null;
}

const EXPLAINED = {
  sum: "Broadcasting repeated the argument; so what came back is summed to its shape.",
  scatter:
    "Indexing picked entries; so what came back is put where they came from, with zeros elsewhere; " +
    "where one was picked twice, it adds up.",
};

// Un-broadcasting and scatter: before and after.
function fittingCard(pane, step, edge, state) {
  const { model } = pane;
  const node = model.nodes.get(edge.target);
  const before = step.kind === "scatter" ? node.cotangent : (edge.raw ?? edge.contribution);
  const after = edge.contribution;
  const card = html("section", { class: "step-card back", "data-edge": edge.id });
  card.append(html("h3", {}, step.kind === "sum" ? "Un-broadcast to " : "Scatter into ", pane.link(edge.source)));
  card.append(html("p", {}, EXPLAINED[step.kind]));
  const shaped = (stats) => (stats.isNumber ? showStats(stats) : showShape(stats.shape));
  card.append(
    html(
      "div",
      { class: "product" },
      factor("before", shaped(before), "back", dataOf(before)),
      sign(step.kind === "sum" ? "— Σ →" : "— scatter →"),
      factor("contribution", shaped(after), "back", dataOf(after)),
    ),
    html(
      "div",
      { class: "before-after" },
      quantity(pane, { title: "before", stats: before, tone: "back", what: "before", node: node.id, inset: 26 }),
      html("span", { class: "arrow", "aria-hidden": "true" }, "↓"),
      quantity(pane, { title: "after", stats: after, tone: "back", what: "after", node: edge.source, inset: 26 }),
    ),
  );
  const total = runningTotal(pane, model.nodes.get(edge.source), state);
  if (total) card.append(total);
  return card;
}

const MOST_TOTALS = 9;

// The accumulator at a fan-out: a.grad: – → −4 → −1, each arrow a step.
export function runningTotal({ model, player, hovering }, node, state) {
  const changes = model.stepsOf(node.id).filter((k) => model.steps[k - 1].target === node.id && model.steps[k - 1].total);
  if (!changes.length) return null;
  const line = html("p", {
    class: "running",
    "data-running": node.id,
    "aria-label": `Running total of ${model.title(node.id)}`,
  });
  line.append(html("span", { class: "label" }, `${nameOf(model, node.id)}.grad:`), total("–", changes[0] > state.t));
  const done = changes.filter((k) => k <= state.t);
  const from = Math.max(0, done.length - MOST_TOTALS);
  if (from) line.append(html("span", { class: "quiet" }, " → …"));
  done.forEach((k, place) => {
    if (place < from) return;
    const step = model.steps[k - 1];
    const arrow = html(
      "button",
      { type: "button", class: "arrow-step", title: `Step ${k}`, "aria-label": `to step ${k}` },
      "→",
    );
    arrow.addEventListener("click", () => player.go(k));
    line.append(step.edge ? hovering(arrow, { edge: step.edge }) : arrow);
    line.append(total(short(step.total), place === done.length - 1, dataOf(step.total)));
  });
  if (done.length < changes.length)
    line.append(html("span", { class: "quiet", title: `${changes.length - done.length} more to come` }, " → …"));
  return line;
}

// An array by its range alone.
function short(stats) {
  return showStats(stats, stats.isNumber ? 4 : 3)
    .replace(/ mean \S+$/, "")
    .replaceAll("-", "−");
}

function total(text, now, data) {
  return html("span", { class: now ? "total now" : "total", "data-total": data }, text);
}
