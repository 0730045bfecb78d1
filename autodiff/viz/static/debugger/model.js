// The view, indexed, and the state of the computation after any number of steps.
//
// No state is stored: for each node and edge stands the list of steps at which its numbers changed, and a state looks
// them up.  So a state is a pure function of t, and going back restores every state exactly.

// Kinds of scopes that are no modules of the program.
export const MADE_KINDS = new Set(["repeat", "group", "run"]);

export function createModel(view) {
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const edges = new Map(view.edges.map((edge) => [edge.id, edge]));
  const scopes = new Map(view.scopes.map((scope) => [scope.id, scope]));
  const intoNode = new Map(view.nodes.map((node) => [node.id, []]));
  const outOfNode = new Map(view.nodes.map((node) => [node.id, []]));
  for (const edge of view.edges) {
    intoNode.get(edge.target).push(edge);
    outOfNode.get(edge.source).push(edge);
  }
  const steps = view.steps;
  const history = histories(steps, edges);
  const nForward = steps.filter((step) => step.kind === "forward").length;

  const model = {
    view,
    nodes,
    edges,
    scopes,
    steps,
    nForward,
    nBackward: steps.length - nForward,
    into: (id) => intoNode.get(id),
    outOf: (id) => outOfNode.get(id),

    // What a person calls a node: its name, else its place on the tape and its op.
    title(id) {
      const node = nodes.get(id);
      if (node.name) return node.name;
      if (node.kind === "constant") return node.value.text;
      return `%${id.slice(1)} ${node.op ?? "leaf"}`;
    },

    // After t steps, t = 0 … steps.length.  `computed` has `has(id)`; `cotangent` and `contribution` have `has(id)`
    // and `get(id)`, as a Set and two Maps.  What flows along an edge is first the raw contribution; after a step
    // "sum" or "scatter" it is the one that fits the argument.
    stateAt(t) {
      const step = t > 0 ? steps[t - 1] : null;
      return {
        t,
        step,
        phase: t === 0 ? "start" : t === steps.length ? "end" : t <= nForward ? "forward" : "backward",
        computed: { has: (id) => (history.computed.get(id) ?? 0) <= t },
        cotangent: lookup(history.cotangent, t, (k) => steps[k - 1].total),
        contribution: lookup(history.contribution, t, (k) => shownOn(edges, steps[k - 1])),
      };
    },

    // The node whose rule acts in a step: that of the op which is computed, or whose cotangent is pulled back.
    actor: (step) => nodes.get(step.edge ? edges.get(step.edge).target : step.target),

    // The steps, counted from 1, at which something happens to a node, or in which its rule acts.
    stepsOf: (id) => history.about.get(id) ?? [],
  };
  return model;
}

function shownOn(edges, step) {
  const edge = edges.get(step.edge);
  return step.kind === "pull" && edge.raw ? edge.raw : edge.contribution;
}

// At which steps, counted from 1, what changed.
function histories(steps, edges) {
  const found = { computed: new Map(), cotangent: new Map(), contribution: new Map(), about: new Map() };
  const note = (map, id, k) => (map.has(id) ? map.get(id).push(k) : map.set(id, [k]));
  steps.forEach((step, i) => {
    const k = i + 1;
    if (step.kind === "forward") found.computed.set(step.target, k);
    if (step.total) note(found.cotangent, step.target, k);
    if (step.edge) note(found.contribution, step.edge, k);
    note(found.about, step.target, k);
    if (step.edge) note(found.about, edges.get(step.edge).target, k);
  });
  return found;
}

// A map as it is after t steps, over lists of the steps at which each entry changed.
function lookup(changes, t, valueAt) {
  const last = (id) => lastUpTo(changes.get(id), t);
  return {
    has: (id) => last(id) !== undefined,
    get(id) {
      const k = last(id);
      return k === undefined ? undefined : valueAt(k);
    },
  };
}

// The largest entry of an ascending list that is at most t.
function lastUpTo(list, t) {
  if (!list || list[0] > t) return undefined;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return list[low];
}
