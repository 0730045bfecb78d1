// The JSON of a view as json_form.py packs it, with everything that it leaves out filled in:
//
//   const model = createModel(unpackView(await dataIn("view")));
//
// Packed, a value is null, a number, the text "nan", "inf" or "-inf", {array: k} for an entry of view.arrays, {text,
// number} for a number of another kind, or "=" for what stands elsewhere: as a step's total, the contribution of its
// edge; as a node's grad, its cotangent.  Unpacked it is a Stats or null.  Each has a Stats of its own, which may be
// changed in place.

import { Stats } from "./numbers.js";

const SPECIAL = { nan: NaN, inf: Infinity, "-inf": -Infinity };

export function unpackView(packed) {
  const arrays = packed.arrays.map(numbersIn);
  const value = (x) => (x === undefined || x === null ? null : new Stats(about(x, arrays)));
  const nodes = packed.nodes.map((node) => ({
    output: false,
    op: null,
    name: null,
    options: [],
    shape: [],
    dtype: "float64",
    scope: null,
    params: {},
    ...node,
    kind: node.kind ?? "op",
    at: node.at === undefined ? null : packed.places[node.at],
    value: value(node.value),
    cotangent: null,
    gradFollows: node.grad === "=",
    grad: node.grad === "=" ? null : value(node.grad),
  }));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = packed.edges.map((edge, k) => ({
    argument: 0,
    parallel: [0, 1],
    tracked: true,
    depends: null,
    ...edge,
    id: `e${k}`,
    input: nameOfInput(packed.rules[byId.get(edge.target).op], edge.argument ?? 0),
    contribution: value(edge.contribution),
    raw: value(edge.raw),
    local: value(edge.local),
  }));
  const forward = nodes.filter((node) => node.kind === "op").map(({ id }) => stepOf("forward", id));
  const back = packed.steps.map(({ kind = "pull", target, edge: id, total = "=" }) => {
    if (kind === "seed") return stepOf(kind, target, null, value(total));
    const edge = edges[Number(id.slice(1))];
    return stepOf(kind, edge.source, edge.id, total === "=" ? edge.contribution : value(total));
  });
  const steps = [...forward, ...back];
  for (const { target, total } of steps) if (total) byId.get(target).cotangent = total;
  for (const node of nodes) if (node.gradFollows) node.grad = node.cotangent;
  return { ...packed, nodes, edges, steps };
}

const stepOf = (kind, target, edge = null, total = null) => ({ kind, target, edge, total });

function nameOfInput(rule, argument) {
  return rule.variadic ? `${rule.inputs[0]}[${argument}]` : rule.inputs[argument];
}

function about(x, arrays) {
  if (typeof x === "number") return { number: x };
  if (typeof x === "string") return { number: SPECIAL[x] };
  if (x.array !== undefined) return arrays[x.array];
  return { number: numberOf(x.number), label: x.text };
}

function numberOf(x) {
  return SPECIAL[x] ?? x;
}

function numbersIn(array) {
  const found = { ...array, label: array.text ?? null };
  for (const what of ["min", "max", "mean", "std"]) found[what] = numberOf(array[what]);
  if (array.data) found.data = array.data.map(numberOf);
  return found;
}
