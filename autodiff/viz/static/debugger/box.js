// The boxes of the graph: one for a node, with its value above its gradient, and one for a folded module.

import { dataOf, mark, shorten, svg } from "./dom.js";
import { MADE_KINDS } from "./model.js";
import { showShape, showStats } from "./numbers.js";

const BAND = 26;
const ROW = 21;
const PAD = 9;
const NARROWEST = 104;
const WIDEST = 290;
const LABEL = 44; // room for the word before a number
const BETWEEN = 12; // between what stands on the left and on the right
const NAME_LENGTH = 26;
const LONGEST_NUMBER = 30;

const pen = document.createElement("canvas").getContext("2d");

function widthOf(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}

function fitted(text, font, room) {
  let short = text;
  for (let most = NAME_LENGTH; most > 1 && widthOf(short, font) > room; most--) short = shorten(text, most);
  return short;
}

const fonts = () => {
  const family = getComputedStyle(document.body).fontFamily;
  return { title: `600 14px ${family}`, row: `13px ${family}`, number: `600 13px ${family}` };
};

// A value in a box: an array by its range alone.
export function brief(stats, digits = 3) {
  return showStats(stats, digits).replace(/ mean \S+$/, "").replaceAll("-", "−");
}

// What stands at the top of a box, on the left and on the right.  Inside the frame of its module a parameter needs only
// its own name.
function headOf(folds, node) {
  const module = folds.scope(folds.around(node.id))?.title ?? "";
  const own = node.name?.startsWith(`${module}.`) ? node.name.slice(module.length + 1) : node.name;
  const op = node.kind === "op" ? node.op : node.kind;
  const shape = node.shape.length ? showShape(node.shape) : "";
  const kind = own && node.kind === "op" ? op : "";
  return { title: own ? shorten(own, NAME_LENGTH) : op, kind, shape };
}

const spaced = (...words) => words.filter(Boolean).join("  ");

// The size of a box, wide enough for all that will ever stand in it.
export function sizeOfBox(model, folds, id) {
  const { title: titleFont, row, number } = fonts();
  if (folds.isScope(id)) {
    const scope = folds.scope(id);
    const wide = widthOf(shorten(scope.title, NAME_LENGTH + 8), titleFont) + 50;
    return { width: between(wide, 168, WIDEST + 60), height: BAND + 2 * ROW + 8 };
  }
  const node = model.nodes.get(id);
  if (node.kind === "constant") {
    const wide = widthOf(constantText(node), row) + 2 * PAD + 4;
    return { width: between(wide, 34, WIDEST), height: 26 };
  }
  const { title, kind, shape } = headOf(folds, node);
  const head = widthOf(title, titleFont) + widthOf(spaced(kind, shape), row) + BETWEEN;
  const totals = model.stepsOf(id).map((k) => model.steps[k - 1]).filter((s) => s.target === id && s.total);
  const texts = [node.value, ...totals.slice(-12).map((s) => s.total)].map((stats) => brief(stats));
  const numbers = LABEL + Math.max(...texts.map((text) => widthOf(text, number)));
  return { width: between(Math.max(head, numbers) + 2 * PAD, NARROWEST, WIDEST), height: BAND + 2 * ROW + 8 };
}

const between = (x, low, high) => Math.round(Math.max(low, Math.min(high, x)));

function constantText(node) {
  const value = node.shape.length ? showShape(node.shape) : brief(node.value);
  const name = node.name ?? (node.shape.length ? (node.op ?? "array") : "");
  return name ? `${shorten(name, NAME_LENGTH)}  ${value}` : value;
}

export function drawBox(model, folds, id, { x, y, width, height }) {
  const place = { transform: `translate(${Math.round(x - width / 2)} ${Math.round(y - height / 2)})` };
  const common = { "data-box": id, role: "button", tabindex: "-1", ...place };
  if (folds.isScope(id)) return drawFolded(folds.scope(id), common, width, height);
  const node = model.nodes.get(id);
  const kind = node.output ? "output" : node.kind;
  const group = svg("g", { class: `box ${kind}`, "data-node": id, ...common });
  if (node.kind === "constant") {
    group.append(
      svg("rect", { class: "frame", width, height, rx: 13 }),
      svg("text", { class: "row", x: width / 2, y: 17.5, "text-anchor": "middle" }, constantText(node)),
    );
    return group;
  }
  const { title: whole, kind: made, shape } = headOf(folds, node);
  const { title: titleFont, row } = fonts();
  const title = fitted(whole, titleFont, width - 2 * PAD);
  const room = width - 2 * PAD - BETWEEN - widthOf(title, titleFont);
  const about = [spaced(made, shape), made || shape].find((text) => widthOf(text, row) <= room) ?? "";
  const right = { x: width - PAD, "text-anchor": "end" };
  group.append(
    svg("rect", { class: "frame", width, height, rx: 6 }),
    svg("path", { class: "band", d: band(width) }),
    svg("text", { class: "title", x: PAD, y: 18 }, title),
    svg("text", { class: "op", ...right, y: 18 }, about),
    svg("text", { class: "label", x: PAD, y: BAND + 18 }, "value"),
    svg("text", { class: "row value", ...right, y: BAND + 18 }),
    svg("line", { class: "between", x1: PAD, x2: width - PAD, y1: BAND + ROW + 4, y2: BAND + ROW + 4 }),
    svg("text", { class: "label", x: PAD, y: BAND + ROW + 19 }, "grad"),
    svg("text", { class: "row grad", ...right, y: BAND + ROW + 19 }),
  );
  return group;
}

function drawFolded(scope, common, width, height) {
  const title = shorten(scope.title, NAME_LENGTH + 8);
  const about = [scope.kind && !MADE_KINDS.has(scope.kind) ? scope.kind : "", `${scope.size} nodes`];
  return svg(
    "g",
    { class: "box folded", "data-scope": scope.id, "aria-expanded": "false", ...common },
    svg("rect", { class: "behind", x: 6, y: 6, width, height, rx: 6 }),
    svg("rect", { class: "behind", x: 3, y: 3, width, height, rx: 6 }),
    svg("rect", { class: "frame", width, height, rx: 6 }),
    svg("path", { class: "band", d: band(width) }),
    svg("text", { class: "title", x: PAD, y: 18 }, title),
    svg("text", { class: "op", x: width - PAD, y: 18, "text-anchor": "end" }, "+"),
    svg("text", { class: "row", x: PAD, y: BAND + 18 }, about.filter(Boolean).join(", ")),
    svg("text", { class: "row progress", x: PAD, y: BAND + ROW + 17 }),
  );
}

const band = (width) => `M0.5,${BAND} V6 a5.5,5.5 0 0 1 5.5,-5.5 H${width - 6} a5.5,5.5 0 0 1 5.5,5.5 V${BAND} Z`;

// Bring a box up to a state.  `inside` are the nodes of a folded module.
export function showBox(group, model, state, about) {
  const { current, chosen, lit, inside } = about;
  group.classList.toggle("current", current);
  group.classList.toggle("chosen", chosen);
  group.classList.toggle("lit", lit);
  if (inside) return showFolded(group, model, state, about);
  const node = model.nodes.get(group.dataset.node);
  const computed = state.computed.has(node.id);
  const value = computed ? node.value : null;
  const cotangent = state.cotangent.get(node.id);
  group.classList.toggle("waiting", !computed);
  group.classList.toggle("reached", cotangent !== undefined);
  mark(group, "data-value", dataOf(value));
  mark(group, "data-cotangent", dataOf(cotangent));
  const kind = node.kind !== "op" ? node.kind : node.name ? node.op : ""; // a title without a name has the op in it
  const words = [model.title(node.id), kind];
  let label = words.filter(Boolean).map((word) => shorten(word, 60)).join(", ");
  label += `, value ${value ? brief(value, 4) : "not computed yet"}`;
  if (node.kind !== "constant") {
    const none = state.phase === "end" ? "no gradient" : "no gradient yet";
    label += `, ${cotangent ? `grad ${brief(cotangent, 4)}` : none}`;
    write(group, ".value", value);
    write(group, ".grad", cotangent);
  }
  finish(group, label, about);
}

function showFolded(group, model, state, about) {
  const { inside, current } = about;
  const ops = inside.filter((id) => model.nodes.get(id).kind === "op");
  const done = ops.filter((id) => state.computed.has(id)).length;
  const reached = inside.filter((id) => state.cotangent.has(id)).length;
  const now = current ? `now: ${model.actor(state.step).op ?? "leaf"}` : "";
  const count = reached ? `${reached} with a gradient` : `${done} of ${ops.length} computed`;
  group.classList.toggle("waiting", done === 0 && ops.length > 0);
  group.querySelector(".progress").textContent = now || count;
  const title = shorten(about.title, 60);
  finish(group, `${title}, folded, ${inside.length} nodes, ${count}${now && `, ${now}`}`, about);
}

function finish(group, label, { current, chosen }) {
  mark(group, "aria-label", current ? `${label}, this step` : label);
  mark(group, "aria-current", current ? "step" : null);
  mark(group, "aria-pressed", group.dataset.node ? String(chosen) : null);
}

function write(group, selector, stats) {
  const element = group.querySelector(selector);
  const text = shorten(brief(stats), LONGEST_NUMBER);
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.toggle("bad", isBad(stats));
}

export function isBad(stats) {
  if (!stats) return false;
  return stats.isNumber ? stats.label === null && !Number.isFinite(stats.number) : stats.nan + stats.inf > 0;
}
