// Conditions of breakpoints, such as `op == matmul and |g| > 10`: parsed here, into functions of a step.
//
//   either   = both { "or" both }
//   both     = simple { "and" simple }
//   simple   = "not" simple | "(" either ")" | "nan" | "inf" | quantity compare constant | name
//   quantity = "op" | "name" | "line" | "step" | "phase" | "value" | "g" | "|value|" | "|g|"
//   compare  = "==" | "!=" | "<" | "<=" | ">" | ">=" | "~"          (~: contains)

import { isBad } from "./box.js";
import { largest } from "./jumps.js";

const TOKEN = /\s*(?:(\|\s*(?:value|g)\s*\|)|(==|!=|<=|>=|[<>~()])|"([^"]*)"|'([^']*)'|([^\s()<>=!~|"']+))/y;

const QUANTITIES = {
  op: (at) => [at.actor.op ?? ""],
  name: (at) => [at.node.name ?? ""],
  line: (at) => (at.actor.at ? [at.actor.at.line] : []),
  step: (at) => [at.t],
  phase: (at) => [at.step.kind === "forward" ? "forward" : "backward"],
  value: (at) => (at.step.kind === "forward" ? bounds(at.node.value) : []),
  g: (at) => (at.step.kind === "forward" ? [] : [at.step.total, at.sent].filter(Boolean).flatMap(bounds)),
  "|value|": (at) => (at.step.kind === "forward" ? [largest(at.node.value)] : []),
  "|g|": (at) => (at.step.kind === "forward" ? [] : [at.step.total, at.sent].filter(Boolean).map(largest)),
};

const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "~": (a, b) => String(a).includes(b),
};

const KEYWORDS = {
  nan: (at) => [at.arrived, at.sent].some(hasNan),
  inf: (at) => [at.arrived, at.sent].some(hasInf),
};

function hasNan(stats) {
  return isBad(stats) && (stats.isNumber ? Number.isNaN(stats.number) : stats.nan > 0);
}

function hasInf(stats) {
  return isBad(stats) && (stats.isNumber ? !Number.isNaN(stats.number) : stats.inf > 0);
}

// The smallest and the largest entry: if any entry is above a bound, one of these is.
function bounds(stats) {
  if (stats.isNumber) return stats.label === null ? [stats.number] : [];
  return stats.min === undefined ? [] : [stats.min, stats.max];
}

// What a condition is about at a step: the node at which something arrives, what arrives, and the node whose rule acts.
export function circumstances(model, t) {
  const step = model.steps[t - 1];
  const edge = step.edge ? model.edges.get(step.edge) : null;
  const node = model.nodes.get(step.target);
  return {
    t,
    step,
    node,
    actor: model.actor(step),
    arrived: step.kind === "forward" ? node.value : step.total,
    sent: edge && (step.kind === "pull" && edge.raw ? edge.raw : edge.contribution),
  };
}

// The words that texts are compared with, by quantity.
export function wordsOf(model) {
  const all = (key) => [...new Set(model.view.nodes.map((node) => node[key]).filter(Boolean))];
  return { op: all("op"), name: all("name"), phase: ["forward", "backward"] };
}

// The condition as a function of circumstances; throws an Error that says what is wrong.  `known` are the words that
// there are: a condition that names another could never hold.
export function parseCondition(text, known) {
  const tokens = tokensOf(text);
  let k = 0;
  const peek = (word) => tokens[k]?.text === word && !tokens[k].quoted;
  const take = (word) => peek(word) && (k += 1);

  function either() {
    const parts = [both()];
    while (take("or")) parts.push(both());
    return (at) => parts.some((part) => part(at));
  }

  function both() {
    const parts = [simple()];
    while (take("and")) parts.push(simple());
    return (at) => parts.every((part) => part(at));
  }

  function simple() {
    if (take("not")) {
      const inner = simple();
      return (at) => !inner(at);
    }
    if (take("(")) {
      const inner = either();
      if (!take(")")) throw new Error("A closing bracket is missing.");
      return inner;
    }
    const token = tokens[k++];
    if (!token || isSign(token) || (token.text === ")" && !token.quoted)) {
      const found = token ? `, found ${token.text}` : " at the end";
      throw new Error(`Expected a name or a condition${found}: for example op == matmul.`);
    }
    if (!tokens[k] || !isSign(tokens[k])) return alone(token, known);
    const quantity = !token.quoted && Object.hasOwn(QUANTITIES, token.text) && QUANTITIES[token.text];
    const all = Object.keys(QUANTITIES).join(", ");
    if (!quantity) throw new Error(`There is no ${token.text} to compare; there is ${all}.`);
    const sign = tokens[k++].text;
    const compared = tokens[k++];
    if (!compared) throw new Error(`Nothing stands after ${sign}.`);
    const constant = known[token.text] ? wordIn(known, token.text, sign, compared) : numberIn(token.text, compared);
    return comparison(quantity, sign, constant);
  }

  if (!tokens.length) throw new Error("Write a name, or a condition such as |g| > 10.");
  const condition = either();
  const rest = tokens[k]?.text;
  if (rest !== undefined) throw new Error(`Did not understand ${rest} and what follows; join conditions with and, or.`);
  return condition;
}

const isSign = ({ text, quoted }) => !quoted && Object.hasOwn(COMPARE, text);

function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new Error(`Did not understand ${text.slice(from).trim()}.`);
    const [, size, sign, double, single, word] = found;
    const quoted = double !== undefined || single !== undefined;
    tokens.push({ text: size?.replace(/\s/g, "") ?? sign ?? double ?? single ?? word, quoted });
  }
  return tokens;
}

// A word alone: nan, inf, or what a node, or the op that acts, is called.
function alone({ text, quoted }, known) {
  if (!quoted && Object.hasOwn(KEYWORDS, text)) return KEYWORDS[text];
  if (![...known.name, ...known.op].includes(text)) throw new Error(`No node has the name ${text}, and no op has it.`);
  return (at) => at.node.name === text || at.actor.op === text;
}

// What is compared with a name, an op or a phase.
function wordIn(known, quantity, sign, { text }) {
  if (!["==", "!=", "~"].includes(sign)) throw new Error(`The ${quantity} is a text: compare it with ==, != or ~.`);
  if (sign !== "!=" && !known[quantity].some((word) => COMPARE[sign](word, text))) {
    const bearer = quantity === "phase" ? "step" : "node";
    throw new Error(`No ${bearer} has ${sign === "~" ? `${text} in its ${quantity}` : `the ${quantity} ${text}`}.`);
  }
  return text;
}

function numberIn(quantity, { text, quoted }) {
  const number = quoted || text.trim() === "" ? NaN : Number(text);
  if (!Number.isNaN(number)) return number;
  throw new Error(`The ${quantity} is compared with a number, and ${text} is none; nan and inf stand alone.`);
}

function comparison(quantity, sign, constant) {
  const compare = COMPARE[sign];
  return (at) => {
    const found = quantity(at);
    const holds = (x) => compare(x, constant);
    return sign === "!=" ? found.length > 0 && found.every(holds) : found.some(holds);
  };
}
