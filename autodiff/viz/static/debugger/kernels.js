// The whole computation once more, forward and back, in JavaScript: what the what-if runs on every move of the slider.

import { arrayKernel, sizeOfShape, summedTo } from "./kernels_arrays.js";
import { ELEMENTWISE } from "./kernels_elementwise.js";

// Why a tape cannot be computed anew, in words; null if it can.
export function reasonAgainst(model) {
  if (!model.view.complete) return "This computation is too large: the page does not hold all of its numbers.";
  for (const node of model.view.nodes) {
    const found = [node.value, ...model.into(node.id).map((edge) => edge.contribution)].filter(Boolean);
    if (found.some((stats) => stats.kind === "complex" || (stats.label !== null && typeof stats.number !== "number"))) {
      return `It works with real numbers only, and ${model.title(node.id)} is none.`;
    }
    if (node.kind === "op" && !kernelOf(model, node)) {
      return `This page has no JavaScript form of ${node.op}, which made ${model.title(node.id)}.`;
    }
  }
  return null;
}

function kernelOf(model, node) {
  const row = ELEMENTWISE[node.op];
  return row ? entrywise(row) : arrayKernel(node.op, model.into(node.id));
}

export function arrayOf(stats) {
  return { shape: stats.shape, data: Float64Array.from(stats.isNumber ? [stats.number] : (stats.data ?? [])) };
}

// A row that works entry by entry as a kernel.
function entrywise({ forward, slopes }) {
  const spread = (args, shape) => args.map((array) => sourcesOf(array, shape));
  return {
    forward(args, { shape, params }) {
      const from = spread(args, shape);
      const data = new Float64Array(sizeOfShape(shape));
      const values = args.map(() => 0);
      for (let j = 0; j < data.length; j++) {
        for (let k = 0; k < args.length; k++) values[k] = args[k].data[from[k](j)];
        data[j] = forward(...values, params);
      }
      return { shape, data };
    },
    local(args, y, k, { params }) {
      const from = spread(args, y.shape);
      const slope = slopes[k];
      return {
        shape: y.shape,
        data: y.data.map((v, j) => slope(...args.map((array, m) => array.data[from[m](j)]), v, params)),
      };
    },
    pull(g, args, y, k, about) {
      const local = this.local(args, y, k, about).data;
      return { shape: y.shape, data: g.data.map((c, j) => (c === 0 || local[j] === 0 ? 0 : c * local[j])) };
    },
  };
}

// For each place of the result the place in an argument that is broadcast to it.
function sourcesOf(array, shape) {
  if (array.data.length === 1) return () => 0;
  if (array.shape.join() === shape.join()) return (j) => j;
  const strides = [];
  let stride = 1;
  for (let axis = shape.length - 1, own = array.shape.length - 1; axis >= 0; axis--, own--) {
    const n = own >= 0 ? array.shape[own] : 1;
    strides.unshift(n > 1 ? stride : 0);
    stride *= n;
  }
  return (j) => {
    let place = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (j % shape[axis]) * strides[axis];
      j = Math.floor(j / shape[axis]);
    }
    return place;
  };
}

// What a model needs to be computed again and again.
export function createMachine(model) {
  const kernels = new Map(
    model.view.nodes.filter((node) => node.kind === "op").map((node) => [node.id, kernelOf(model, node)]),
  );
  const back = model.steps.slice(model.nForward);
  const seeds = new Map(back.filter((step) => step.kind === "seed").map((step) => [step.target, arrayOf(step.total)]));
  const about = (node) => ({ edges: model.into(node.id), params: node.params, shape: node.shape });

  const machine = {
    // The values that everything has in the page.
    values: () => new Map(model.view.nodes.map((node) => [node.id, arrayOf(node.value)])),

    // Compute all ops anew from the leaves and constants in `values`.
    forward(values) {
      for (const node of model.view.nodes) {
        if (node.kind !== "op") continue;
        const args = model.into(node.id).map((edge) => values.get(edge.source));
        values.set(node.id, inPrecision(kernels.get(node.id).forward(args, about(node)), node.dtype));
      }
    },

    // The result that the sweep starts from; of several entries the sum that the sweep differentiates.
    result(values) {
      let sum = 0;
      for (const [id, seed] of seeds) seed.data.forEach((g, i) => (sum += g * values.get(id).data[i]));
      return sum;
    },

    // Sweep back: cotangents by node; raw and fitted contributions and local derivatives by edge; totals by step.
    backward(values) {
      const found = { cotangents: new Map(), edges: new Map(), totals: [] };
      for (const step of back) {
        if (step.kind === "seed") add(found, step, seeds.get(step.target));
        else if (step.kind === "pull") {
          const edge = model.edges.get(step.edge);
          const node = model.nodes.get(edge.target);
          const kernel = kernels.get(node.id);
          const args = model.into(node.id).map((e) => values.get(e.source));
          const y = values.get(node.id);
          const raw = kernel.pull(found.cotangents.get(node.id), args, y, edge.argument, about(node));
          const source = model.nodes.get(edge.source);
          const fitted = inPrecision(summedTo(raw, source.shape), source.dtype);
          found.edges.set(edge.id, { raw, fitted, local: edge.local && kernel.local(args, y, edge.argument, about(node)) });
          if (step.total) add(found, step, fitted);
          else found.totals.push(null);
        } else add(found, step, found.edges.get(step.edge).fitted);
      }
      return found;
    },
  };
  return machine;
}

function add(found, step, part) {
  const before = found.cotangents.get(step.target);
  const total = before ? { shape: part.shape, data: part.data.map((c, i) => c + before.data[i]) } : part;
  found.cotangents.set(step.target, total);
  found.totals.push(total);
}

function inPrecision(array, dtype) {
  return dtype === "float32" ? { shape: array.shape, data: array.data.map(Math.fround) } : array;
}

// Write an array into the statistics that the panes show.
const BINS = 12;

export function restate(stats, { shape, data }) {
  if (stats.isNumber) return void Object.assign(stats, { number: data[0], label: null, kind: "float" });
  const finite = data.filter(Number.isFinite);
  const nan = data.filter(Number.isNaN).length;
  Object.assign(stats, { shape, label: null, kind: "float", step: [1, 1], data: Array.from(data) });
  Object.assign(stats, { nan, inf: data.length - finite.length - nan, zeros: data.filter((x) => x === 0).length });
  if (!finite.length)
    return void Object.assign(stats, {
      min: undefined,
      max: undefined,
      mean: undefined,
      std: undefined,
      histogram: undefined,
    });
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  const [min, max] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
  const std = Math.sqrt(finite.reduce((sum, x) => sum + (x - mean) ** 2, 0) / finite.length);
  const histogram = max > min ? new Array(BINS).fill(0) : [finite.length];
  if (max > min) for (const x of finite) histogram[Math.min(BINS - 1, Math.floor(((x - min) / (max - min)) * BINS))] += 1;
  Object.assign(stats, { min, max, mean, std, histogram });
}

// Bring everything that the panes show up to new values and a new sweep.
export function showAnew(model, values, found) {
  for (const node of model.view.nodes) if (node.kind !== "constant") restate(node.value, values.get(node.id));
  for (const [id, { raw, fitted, local }] of found.edges) {
    const edge = model.edges.get(id);
    restate(edge.contribution, fitted);
    if (edge.raw) restate(edge.raw, raw);
    if (edge.local) restate(edge.local, edge.local.isNumber ? { shape: [], data: [local.data[0]] } : local);
  }
  model.steps.slice(model.nForward).forEach((step, k) => step.total && restate(step.total, found.totals[k]));
}
