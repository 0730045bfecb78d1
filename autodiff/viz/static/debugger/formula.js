// Formulas with the user's own names, numbers or shapes in the place of the row's letters.
//
// json_form.py gives each part of a formula twice: as MathML, where <mrow data-slot="a"> stands around the letter of the
// input a and data-slot="a_bar" around its cotangent, and as LaTeX, where @a@ and @a_bar@ stand for them.

import { html, shorten } from "./dom.js";
import { showShape } from "./numbers.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const LONGEST_NAME = 24;

function math(tag, attributes, ...children) {
  const element = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// What stands for each slot of the rule of a node: its own name under "y", and those of its arguments.  A list of arrays
// has no name of its own.
export function slotsOf(model, node) {
  const slots = { y: node };
  if (!model.view.rules[node.op].variadic) {
    for (const edge of model.into(node.id)) slots[edge.input] = model.nodes.get(edge.source);
  }
  return slots;
}

// A formula as an element; `fill(node, isBar, slot, indexed)` makes what is put into a slot, or null to leave its letter.
// `indexed` says that the formula speaks of single entries.
export function formulaMath(form, slots, fill, block = false) {
  const parsed = new DOMParser().parseFromString(form.mathml.replace("<math", `<math xmlns="${MATHML}"`), "application/xml");
  const found = document.importNode(parsed.documentElement, true);
  if (block) found.setAttribute("display", "block");
  const indexed = /<msub|<munder/.test(form.mathml);
  for (const slot of [...found.querySelectorAll("[data-slot]")]) {
    if (!found.contains(slot)) continue; // it stood inside another
    const isBar = slot.dataset.slot.endsWith("_bar");
    const node = slots[slot.dataset.slot.replace(/_bar$/, "")];
    const filled = node && fill(node, isBar, slot, indexed);
    if (!filled) continue;
    filled.setAttribute("data-node", node.id);
    if (isBar) filled.classList.add("back");
    slot.replaceWith(filled);
  }
  return found;
}

// Names.

// Short names become a letter with its number below: w1 is w₁.
function partsOfName(text) {
  const match = /^(\p{L})_?(\d{1,3})$/u.exec(text);
  return match ? [match[1], match[2]] : [shorten(text, LONGEST_NAME), ""];
}

function nameFor(node) {
  if (node.name) return node.name;
  if (node.kind === "constant") return node.shape.length ? (node.op ?? "array") : node.value.text;
  return `%${node.id.slice(1)}`;
}

function nameMath(text) {
  const [letter, number] = partsOfName(text);
  if (/^-?[\d.]/.test(text)) return math("mn", {}, minus(text));
  const name = math("mi", [...letter].length === 1 ? {} : { class: "long-name" }, letter);
  return number ? math("msub", {}, name, math("mn", {}, number)) : name;
}

export function withName(node, isBar) {
  const [letter, number] = partsOfName(nameFor(node));
  if (!isBar) return math("mrow", {}, nameMath(nameFor(node)));
  if ([...letter].length > 1) return math("mrow", { class: "barred" }, nameMath(letter));
  // Not marked as an accent: without a font for mathematics, that would touch the letter.
  const barred = math("mover", {}, nameMath(letter), math("mo", { stretchy: "false" }, "¯"));
  return math("mrow", {}, number ? math("msub", {}, barred, math("mn", {}, number)) : barred);
}

// Shapes below the names; that of a transposed matrix is turned.  A formula of single entries has no room for them.
export function withShape(node, isBar, slot, indexed) {
  const named = withName(node, isBar);
  if (!node.shape.length || indexed) return named;
  const power = slot.parentElement;
  const turned =
    power?.localName === "msup" && power.firstElementChild === slot && /^[TH]$/.test(power.lastElementChild.textContent);
  if (!turned) return below(named, node.shape);
  const whole = below(math("msup", {}, named, power.lastElementChild.cloneNode(true)), turnedShape(node.shape));
  power.replaceWith(slot);
  return whole;
}

export function turnedShape(shape) {
  return [...shape.slice(0, -2), ...shape.slice(-2).reverse()];
}

function below(element, shape) {
  const space = () => math("mspace", { width: "0.15em" });
  return math(
    "mrow",
    {},
    space(),
    math("munder", {}, element, math("mtext", { class: "shape" }, showShape(shape))),
    space(),
  );
}

// Numbers, in brackets where a minus would run into what stands before it.
export function withNumber(numberOf) {
  return (node, isBar, slot) => {
    const text = numberOf(node, isBar);
    if (text === null) return null;
    const number = math("mn", {}, minus(text));
    const before = slot.parentElement.localName === "msup" ? null : slot.previousElementSibling;
    const free =
      !text.startsWith("-") || (slot.parentElement.localName !== "msup" && (!before || before.textContent === "="));
    const times = before && before.localName !== "mo" && before.localName !== "mspace" ? [math("mo", {}, "·")] : [];
    return math("mrow", {}, ...times, ...(free ? [number] : [math("mo", {}, "("), number, math("mo", {}, ")")]));
  };
}

const minus = (text) => text.replace("-", "−");

// LaTeX.

export function formulaLatex(form, slots) {
  return form.latex.replace(/@(\w+?)(_bar)?@/g, (_, slot, bar) => {
    const node = slots[slot];
    if (!node) return bar ? `\\bar{${slot[0]}}` : slot[0];
    const [letter, number] = partsOfName(nameFor(node));
    const short = [...letter].length === 1;
    const base = short || /^-?[\d.]+$/.test(letter) ? letter : `\\mathit{${escapedLatex(letter)}}`;
    const marked = bar ? (short ? `\\bar{${base}}` : `\\overline{${base}}`) : base;
    return number ? `{${marked}_{${number}}}` : marked;
  });
}

// As in latex.py: empty braces end the macros, and after < and & they let no tag and no entity begin.
const LATEX = { "\\": "\\backslash{}", "~": "\\sim{}", "^": "\\hat{}", "<": "<{}", "&": "\\&{}" };

function escapedLatex(text) {
  return text.replace(/[\\{}$&#^_%~< ]/g, (c) => LATEX[c] ?? `\\${c}`);
}

// A button that copies text; `said` is where a screen reader hears of it.
export function copyButton(textOf) {
  const said = html("span", { class: "said", role: "status" });
  const button = html("button", { type: "button", class: "copy", title: "Copy this formula as LaTeX" }, "LaTeX");
  button.addEventListener("click", async () => {
    const text = textOf();
    said.textContent = (await copied(text)) ? "copied" : "could not be copied";
    button.dataset.copied = text;
    setTimeout(() => (said.textContent = ""), 2500);
  });
  return html("span", { class: "copying" }, button, said);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = html("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// The numbers of a product: ȳ = 2 · local 3 = contribution 6.
export function factor(label, text, className, data) {
  return html(
    "span",
    { class: `factor ${className}`, "data-number": data },
    html("span", { class: "factor-label" }, label),
    html("span", { class: "factor-number" }, minus(text)),
  );
}

export function sign(text) {
  return html("span", { class: "sign" }, text);
}
