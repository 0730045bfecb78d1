// Rows that work on arrays.  An array here is {shape, data}, with its entries in a Float64Array, row by row.
//
// Sums of products, reductions without more, and everything that only copies entries follow from the way in which
// entries depend on each other, which depends.py ships with each edge: a label for each axis, or a map.

import { fromLast, placeOf } from "./lighting.js";
import { indexOf } from "./numbers.js";

export function sizeOfShape(shape) {
  return shape.reduce((n, length) => n * length, 1);
}

export function emptyArray(shape, value = 0) {
  return { shape, data: new Float64Array(sizeOfShape(shape)).fill(value) };
}

// Sums of products over labels.  Operands are [array, labels]; an axis of length 1 is repeated.  A 0 of the first operand
// makes nothing of an infinity in the others.
export function contracted(shape, labels, operands) {
  const lengths = new Map();
  for (const [axes, names] of [[shape, labels], ...operands.map(([array, names]) => [array.shape, names])]) {
    names.forEach((name, axis) => lengths.set(name, Math.max(lengths.get(name) ?? 1, axes[axis])));
  }
  const names = [...lengths.keys()];
  const strides = (axes, axisNames) => {
    const found = names.map(() => 0);
    let stride = 1;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      if (axes[axis] > 1) found[names.indexOf(axisNames[axis])] += stride;
      stride *= axes[axis];
    }
    return found;
  };
  const steps = [strides(shape, labels), ...operands.map(([array, axisNames]) => strides(array.shape, axisNames))];
  const y = emptyArray(shape);
  if ([...lengths.values()].includes(0)) return y;
  const [first, second, ...others] = operands.map(([array]) => array.data);
  const outer = names.slice(0, -1);
  const inner = lengths.get(names.at(-1)) ?? 1;
  const [along, alongFirst, alongSecond, ...alongOthers] = steps.map((step) => step.at(-1) ?? 0);
  const at = steps.map(() => 0);
  const count = outer.map(() => 0);
  for (;;) {
    let [j, a, b] = at;
    for (let n = 0; n < inner; n++) {
      let term = first[a];
      if (term !== 0 && second) term *= second[b];
      for (let k = 0; k < others.length && term !== 0; k++) term *= others[k][at[k + 3] + n * alongOthers[k]];
      y.data[j] += term;
      j += along;
      a += alongFirst;
      b += alongSecond;
    }
    let axis = outer.length - 1;
    for (; axis >= 0; axis--) {
      count[axis] += 1;
      for (let k = 0; k < at.length; k++) at[k] += steps[k][axis];
      if (count[axis] < lengths.get(outer[axis])) break;
      for (let k = 0; k < at.length; k++) at[k] -= steps[k][axis] * count[axis];
      count[axis] = 0;
    }
    if (axis < 0) return y;
  }
}

export function summedTo(array, shape) {
  return array.shape.join() === shape.join() ? array : contracted(shape, fromLast(shape), [[array, fromLast(array.shape)]]);
}

// Entries that are copied: pairs of places, one in the result and one in the argument.
function copies(form, yShape, xShape) {
  const ySize = sizeOfShape(yShape);
  const xSize = sizeOfShape(xShape);
  if (form.from) return Array.from({ length: ySize }, (_, j) => [j, placeOf(form.from, j, yShape)]);
  if (form.to) return Array.from({ length: xSize }, (_, i) => [placeOf(form.to, i, xShape), i]);
  return form.map.map((i, j) => [j, i]).filter(([, i]) => i >= 0);
}

function copyInto(y, x, form) {
  for (const [j, i] of copies(form, y.shape, x.shape)) y.data[j] = x.data[i];
}

function copyBack(g, shape, form) {
  const c = emptyArray(shape);
  for (const [j, i] of copies(form, g.shape, shape)) c.data[i] += g.data[j];
  return c;
}

// Which result of a reduction each entry goes into, and the entries of each.
export function groupsOf(shape, axis) {
  const axes =
    axis === null || axis === undefined
      ? shape.map((_, k) => k)
      : [axis].flat().map((k) => (k + shape.length) % shape.length);
  const kept = shape.map((n, k) => (axes.includes(k) ? 1 : n));
  const size = sizeOfShape(kept);
  const members = Array.from({ length: size }, () => []);
  const all = sizeOfShape(shape);
  for (let i = 0; i < all; i++) {
    const index = indexOf(i, shape);
    members[kept.reduce((place, n, k) => place * n + (n === 1 ? 0 : index[k]), 0)].push(i);
  }
  return members;
}

// A reduction: of the entries of each group, and the derivative by each, of entries xs, the result y and options p.
function reducing(forward, slopes) {
  return {
    forward([x], { params, shape }) {
      const y = emptyArray(shape);
      groupsOf(x.shape, params.axis).forEach(
        (group, k) =>
          (y.data[k] = forward(
            group.map((i) => x.data[i]),
            params,
          )),
      );
      return y;
    },
    pull(g, [x], y, k, { params }) {
      const c = emptyArray(x.shape);
      groupsOf(x.shape, params.axis).forEach((group, n) => {
        const found = slopes(
          group.map((i) => x.data[i]),
          y.data[n],
          params,
        );
        group.forEach((i, m) => (c.data[i] = g.data[n] === 0 || found[m] === 0 ? 0 : g.data[n] * found[m]));
      });
      return c;
    },
  };
}

// A map of each group to itself, such as softmax, with the VJP of one group.
function mixing(forward, pull) {
  return {
    forward([x], { params }) {
      const y = emptyArray(x.shape);
      for (const group of groupsOf(x.shape, params.axis ?? (params.axis === null ? null : -1))) {
        forward(group.map((i) => x.data[i])).forEach((value, m) => (y.data[group[m]] = value));
      }
      return y;
    },
    pull(g, [x], y, k, { params }) {
      const c = emptyArray(x.shape);
      for (const group of groupsOf(x.shape, params.axis ?? (params.axis === null ? null : -1))) {
        const parts = (array) => group.map((i) => array.data[i]);
        pull(parts(g), parts(y)).forEach((value, m) => (c.data[group[m]] = value));
      }
      return c;
    },
  };
}

const sumOf = (xs) => xs.reduce((a, b) => a + b, 0);
const average = (xs) => sumOf(xs) / xs.length;

function extreme(xs, pick) {
  return xs.reduce((a, b) => (Number.isNaN(a) ? a : pick(a, b)));
}

function tieWeights(xs, y) {
  const chosen = xs.map((x) => (x === y ? 1 : 0));
  const n = sumOf(chosen);
  return chosen.map((c) => c / n);
}

function squareDeviation(xs) {
  const mean = average(xs);
  return sumOf(xs.map((x) => (x - mean) ** 2));
}

const freedom = (xs, p) => xs.length - (p.ddof ?? 0);

function logSumExp(xs) {
  const top = Math.max(...xs);
  return Number.isFinite(top) ? top + Math.log(sumOf(xs.map((x) => Math.exp(x - top)))) : top;
}

function softMax(xs) {
  const top = Math.max(...xs);
  const powers = xs.map((x) => Math.exp(x - top));
  const sum = sumOf(powers);
  return powers.map((e) => e / sum);
}

function shares(xs, y) {
  if (y === Infinity) return tieWeights(xs, y);
  return xs.map((x) => Math.exp(x - (y === -Infinity ? 0 : y)));
}

const times = (g, d) => (g === 0 || d === 0 ? 0 : g * d);

function productOfOthers(xs) {
  return xs.map((_, k) => xs.reduce((product, x, m) => (m === k ? product : product * x), 1));
}

const REDUCING = {
  sum: reducing(sumOf, (xs) => xs.map(() => 1)),
  mean: reducing(average, (xs) => xs.map(() => 1 / xs.length)),
  prod: reducing((xs) => xs.reduce((a, b) => a * b, 1), productOfOthers),
  max: reducing((xs) => extreme(xs, (a, b) => Math.max(a, b)), tieWeights),
  min: reducing((xs) => extreme(xs, (a, b) => Math.min(a, b)), tieWeights),
  var: reducing(
    (xs, p) => squareDeviation(xs) / Math.max(0, freedom(xs, p)),
    (xs, y, p) => xs.map((x) => (x - average(xs)) * (freedom(xs, p) > 0 ? 2 / freedom(xs, p) : Infinity)),
  ),
  std: reducing(
    (xs, p) => Math.sqrt(squareDeviation(xs) / Math.max(0, freedom(xs, p))),
    (xs, y, p) => {
      if (freedom(xs, p) <= 0) return xs.map(() => NaN);
      const constant = Math.max(...xs) === Math.min(...xs);
      return xs.map((x) => (x - average(xs)) * (constant ? 0 : 1 / freedom(xs, p) / y));
    },
  ),
  logsumexp: reducing(logSumExp, shares),
};

const MIXING = {
  softmax: mixing(softMax, (g, y) => {
    const inner = sumOf(g.map((c, m) => times(c, y[m])));
    return g.map((c, m) => times(c - inner, y[m]));
  }),
  log_softmax: mixing(
    (xs) => xs.map((x) => x - logSumExp(xs)),
    (g, y) => g.map((c, m) => c - times(sumOf(g), Math.exp(y[m]))),
  ),
};

const LOSSES = {
  mean_squared_error: {
    forward: ([a, b]) => ({ shape: [], data: Float64Array.of(average([...a.data].map((x, i) => (x - b.data[i]) ** 2))) }),
    pull(g, [a, b], y, k) {
      const [own, other] = k === 0 ? [a, b] : [b, a];
      return { shape: own.shape, data: own.data.map((x, i) => (x - other.data[i]) * (g.data[0] * (2 / own.data.length))) };
    },
  },
  softmax_cross_entropy: {
    forward([logits, labels]) {
      const rows = groupsOf(logits.shape, 1).map((row) => row.map((i) => logits.data[i]));
      return { shape: [], data: Float64Array.of(average(rows.map((row, n) => logSumExp(row) - row[labels.data[n]]))) };
    },
    pull(g, [logits, labels]) {
      const c = emptyArray(logits.shape);
      groupsOf(logits.shape, 1).forEach((row, n) => {
        softMax(row.map((i) => logits.data[i])).forEach(
          (p, m) => (c.data[row[m]] = (p - (m === labels.data[n] ? 1 : 0)) * (g.data[0] / labels.data.length)),
        );
      });
      return c;
    },
  },
};

// Sums of products of all arguments: y = Σ a b.
const PRODUCTS = new Set(["matmul", "matvec", "vecmat", "vecdot", "contract", "broadcast_to", "sum_to"]);

const summing = {
  forward: (args, { edges, shape }) =>
    contracted(
      shape,
      edges[0].depends.y,
      args.map((array, k) => [array, edges[k].depends.x]),
    ),
  pull(g, args, y, k, { edges }) {
    const { raw, depends } = edges[k];
    const others = args.map((array, m) => [array, edges[m].depends.x]).filter((_, m) => m !== k);
    const shape = raw ? raw.shape : args[k].shape;
    const labels = [...depends.y.slice(0, shape.length - args[k].shape.length), ...depends.x];
    return contracted(shape, labels, [[g, depends.y], ...others]);
  },
};

const affine = {
  forward([x, weight, bias], { edges, shape }) {
    const product = contracted(shape, edges[0].depends.y, [
      [x, edges[0].depends.x],
      [weight, edges[1].depends.x],
    ]);
    const n = bias.data.length;
    return { shape, data: product.data.map((v, j) => v + bias.data[j % n]) };
  },
  pull(g, args, y, k, about) {
    const { x, y: labels } = about.edges[k].depends;
    if (k === 2) return contracted(args[2].shape, x, [[g, labels]]);
    return contracted(args[k].shape, x, [
      [g, labels],
      [args[1 - k], about.edges[1 - k].depends.x],
    ]);
  },
};

const copying = {
  forward(args, { edges, shape }) {
    const y = emptyArray(shape);
    args.forEach((x, k) => edges[k].depends && copyInto(y, x, edges[k].depends));
    return y;
  },
  pull: (g, args, y, k, { edges }) => copyBack(g, args[k].shape, edges[k].depends),
};

const running = {
  forward([x], { params }) {
    const y = { shape: params.axis === null || params.axis === undefined ? [x.data.length] : x.shape, data: x.data.slice() };
    for (const group of groupsOf(y.shape, params.axis ?? 0))
      group.slice(1).forEach((i, m) => (y.data[i] += y.data[group[m]]));
    return y;
  },
  pull(g, [x], y, k, { params }) {
    const c = { shape: x.shape, data: g.data.slice() };
    for (const group of groupsOf(g.shape, params.axis ?? 0))
      for (let m = group.length - 2; m >= 0; m--) c.data[group[m]] += c.data[group[m + 1]];
    return c;
  },
};

// The kernel of a node's row, or null.  `edges` are those into the node.
export function arrayKernel(op, edges) {
  const kernel = REDUCING[op] ?? MIXING[op] ?? LOSSES[op] ?? (op === "cumsum" ? running : null);
  if (kernel) return kernel;
  const forms = edges.map((edge) => edge.depends);
  const isCopy = (form) => form && (form.from || form.to || form.map);
  if (PRODUCTS.has(op) && forms.every((form) => form?.y)) return summing;
  if (op === "linear" && forms.every((form) => form?.y)) return affine;
  const copied = edges.every((edge) => (isCopy(edge.depends) && !edge.raw) || !edge.tracked);
  if (copied && forms.some(isCopy)) return copying;
  return null;
}
