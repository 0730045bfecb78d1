// Which entries belong together: hovering one lights those that it depends on, and those that depend on it.
//
// depends.py says in which form an edge tells that.  Here each form becomes a predicate on places in the two flattened
// arrays; it is asked for the listed entries only, so nothing grows with the arrays.

import { indexOf } from "./numbers.js";

// Whether entry j of the result depends on entry i of the argument, for one edge.
export function relation(model, edge) {
  const y = model.nodes.get(edge.target).shape;
  const x = model.nodes.get(edge.source).shape;
  const form = edge.depends;
  if (!form) return ruleOf(model, edge).entrywise ? byLabels({ y: fromLast(y), x: fromLast(x) }, y, x) : () => true;
  if (form.y) return byLabels(form, y, form.view ?? x);
  if (form.from) return (j, i) => placeOf(form.from, j, y) === i;
  if (form.to) return (j, i) => placeOf(form.to, i, x) === j;
  if (form.map) return (j, i) => form.map[j] === i;
  return byWindows(form.windows, y, x);
}

export function ruleOf(model, edge) {
  return model.view.rules[model.nodes.get(edge.target).op];
}

// Labels that agree as broadcasting does.
export function fromLast(shape) {
  return shape.map((_, axis) => shape.length - 1 - axis);
}

export function placeOf([start, strides], flat, shape) {
  return indexOf(flat, shape).reduce((place, k, axis) => place + k * strides[axis], start);
}

function byLabels(form, y, x) {
  const pairs = [];
  const twice = [];
  form.x.forEach((label, b) => {
    const a = form.y.indexOf(label);
    if (a >= 0 && y[a] > 1 && x[b] > 1) pairs.push([a, b, label === form.upto]);
    const first = form.x.indexOf(label);
    if (first < b) twice.push([first, b]);
  });
  return (j, i) => {
    const at = indexOf(j, y);
    const from = indexOf(i, x);
    return (
      pairs.every(([a, b, upto]) => (upto ? from[b] <= at[a] : from[b] === at[a])) &&
      twice.every(([a, b]) => from[a] === from[b])
    );
  };
}

function byWindows({ of, size, stride, dilation, before, image, groups }, y, x) {
  const perGroup = of === "weight" ? 1 : x[1] / groups;
  return (j, i) => {
    const [n, o, ...place] = indexOf(j, y);
    const [first, second, ...inside] = indexOf(i, x);
    if (of === "weight") {
      const seen = (k, axis) => place[axis] * stride[axis] + k * dilation[axis] - before[axis];
      return first === o && inside.every((k, axis) => seen(k, axis) >= 0 && seen(k, axis) < image[axis]);
    }
    if (first !== n || Math.floor(second / perGroup) !== Math.floor(o / (y[1] / groups))) return false;
    return inside.every((q, axis) => {
      const within = q + before[axis] - place[axis] * stride[axis];
      return within >= 0 && within % dilation[axis] === 0 && within / dilation[axis] < size[axis];
    });
  };
}

// The entries of one node that belong to an entry of another, or of the same: a predicate on places, or null.
export function litBy(model, hovered, node) {
  if (node === hovered.node) return (place) => place === hovered.place;
  const tests = [];
  for (const edge of model.into(hovered.node)) {
    if (edge.source === node) {
      const related = relation(model, edge);
      tests.push((place) => related(hovered.place, place));
    }
  }
  for (const edge of model.outOf(hovered.node)) {
    if (edge.target === node) {
      const related = relation(model, edge);
      tests.push((place) => related(place, hovered.place));
    }
  }
  return tests.length ? (place) => tests.some((test) => test(place)) : null;
}
