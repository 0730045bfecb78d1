// Where the boxes stand and how the lines run.  Each unfolded module is laid out alone, by the vendored dagre, and then
// is one box of the module around it: so a picture keeps its order while modules fold and unfold, and none takes long.
// A line that leaves a module goes through a port on its frame, and so on to the innermost module that holds both ends.

import { ROOT } from "./fold.js";

const TITLE = 26; // room for the title of a frame
const PADDING = 14;
const SPACE = { nodesep: 20, ranksep: 38, edgesep: 14 };
const SPACE_SIDEWAYS = { nodesep: 30, ranksep: 60, edgesep: 14 }; // what flows needs room for its label
const LETTER = 8.5;

// What is drawn between boxes: each edge on its own where it joins two nodes, one for all that a folded module ends.
export function visibleEdges(model, folds) {
  const drawn = new Map();
  for (const edge of model.view.edges) {
    const source = folds.boxOf(edge.source);
    const target = folds.boxOf(edge.target);
    if (source === target) continue;
    const alone = source === edge.source && target === edge.target;
    const id = alone ? edge.id : `${source} ${target}`;
    if (!drawn.has(id)) drawn.set(id, { id, source, target, edges: [] });
    drawn.get(id).edges.push(edge);
  }
  return [...drawn.values()];
}

// Places for boxes and frames ({x, y, width, height}, from the centre), points for lines, and `gates`: where lines enter a
// frame from above; `sizeOf(id)` sizes a box.
// Everything is arranged from top to bottom; from left to right is the same with the axes exchanged.
export function layOut(folds, wires, sizeOf, direction) {
  const sideways = direction === "LR";
  const legs = new Map(wires.map((wire) => [wire.id, legsOf(folds, wire)]));
  const levels = new Map();
  for (const all of legs.values()) {
    for (const leg of all) {
      if (!levels.has(leg.scope)) levels.set(leg.scope, new Map());
      levels.get(leg.scope).set(leg.key, leg);
    }
  }
  const sized = sideways ? (id) => swapped(sizeOf(id)) : sizeOf;
  const arranged = (id) => arrangeScope(folds, id, levels.get(id) ?? new Map(), sized, sideways, arranged);
  const found = { boxes: new Map(), frames: new Map(), routes: new Map(), ports: new Map(), gates: new Map() };
  settle(arranged(ROOT), 0, 0, found);
  const turn = sideways ? swapped : (place) => place;
  const boxes = new Map([...found.boxes].map(([id, place]) => [id, turn(place)]));
  const frames = new Map([...found.frames].map(([id, place]) => [id, turn(place)]));
  const edges = new Map(wires.map(({ id }) => [id, joined(legs.get(id), found).map(turn)]));
  return { boxes, frames, edges, gates: sideways ? new Map() : found.gates, sideways, ...extent([...boxes.values(), ...frames.values()]) };
}

const swapped = ({ x, y, width, height }) => ({ x: y, y: x, width: height, height: width });

// The legs of a line: out of the modules around its source, across, and into those around its target.  Lines from one
// source share what they can.
function legsOf(folds, { id, source, target }) {
  const outOf = chain(folds, source);
  const into = chain(folds, target);
  const common = outOf.find((scope) => into.includes(scope));
  const legs = [];
  let from = source;
  for (const scope of outOf.slice(0, outOf.indexOf(common))) {
    legs.push({ scope, from, to: `out ${source}`, key: `${scope} out ${source}`, source });
    from = scope;
  }
  const inwards = into.slice(0, into.indexOf(common)).reverse();
  legs.push({ scope: common, from, to: inwards[0] ?? target, key: id, source });
  inwards.forEach((scope, k) => {
    const to = inwards[k + 1] ?? target;
    const key = to === target ? `${scope} in ${id}` : `${scope} in ${source} ${to}`;
    legs.push({ scope, from: `in ${source}`, to, key, source });
  });
  return legs;
}

function chain(folds, id) {
  const scopes = [];
  for (let scope = folds.around(id); scope !== undefined; scope = folds.around(scope)) scopes.push(scope);
  return scopes;
}

const isPort = (id) => id.startsWith("in ") || id.startsWith("out ");

// One scope alone: its members and ports, the inner scopes arranged before.  What was arranged once is remembered.
const remembered = new Map();
const MOST_REMEMBERED = 2000;

function arrangeScope(folds, id, legs, sizeOf, sideways, arranged) {
  const inner = new Map();
  const sizes = new Map();
  for (const member of folds.scope(id).members) {
    if (folds.isOpen(member)) inner.set(member, arranged(member));
    const { width, height } = inner.get(member) ?? sizeOf(member);
    sizes.set(member, { width, height });
  }
  const key = JSON.stringify([id, sideways, [...sizes], [...legs.keys()]]);
  if (!remembered.has(key)) {
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    const graph = withDagre(sizes, legs, sideways ? SPACE_SIDEWAYS : SPACE);
    remembered.set(key, framed(graph, legs, id === ROOT ? null : folds.scope(id).title, sideways));
  }
  return { id, inner, ...remembered.get(key) };
}

function withDagre(sizes, legs, space) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", ...space });
  for (const [id, size] of sizes) graph.setNode(id, { ...size });
  for (const leg of legs.values()) {
    for (const end of [leg.from, leg.to]) if (isPort(end)) graph.setNode(end, { width: 2, height: 2 });
    graph.setEdge(leg.from, leg.to, { minlen: 1 }, leg.key);
  }
  holdPorts(graph);
  dagre.layout(graph);
  for (const id of ["first", "last"]) if (graph.hasNode(id)) graph.removeNode(id);
  return graph;
}

// Ports stand on the first and on the last rank, nothing before or after them.
function holdPorts(graph) {
  const ids = graph.nodes();
  const heads = ids.filter((id) => !graph.inEdges(id).length);
  const tails = ids.filter((id) => !graph.outEdges(id).length);
  const weight = (id) => ({ weight: isPort(id) ? 100 : 0, minlen: 1 });
  if (ids.some((id) => id.startsWith("in "))) {
    graph.setNode("first", { width: 1, height: 1 });
    for (const id of heads) graph.setEdge("first", id, weight(id));
  }
  if (ids.some((id) => id.startsWith("out "))) {
    graph.setNode("last", { width: 1, height: 1 });
    for (const id of tails) graph.setEdge(id, "last", weight(id));
  }
}

// What dagre found, from the upper left corner of the frame, which is as large as it must be.  A route goes straight
// through the rows of boxes, at the places that dagre kept free there, and bends in the gaps between rows:
// `lead` is where it may first bend, `land` where it must be straight again, `through` the rows between.
function framed(graph, legs, title, sideways) {
  const places = new Map(graph.nodes().map((id) => [id, graph.node(id)]));
  const rows = rowsOf(places.values());
  const routes = new Map([...legs.values()].map((leg) => [leg.key, routeOf(graph, leg, rows)]));
  const free = [...routes.values()].flatMap((route) => route.through).map((p) => ({ ...p, width: 0, height: 0 }));
  const area = extent([...places.values(), ...free]);
  const head = title === null ? 0 : TITLE;
  const padding = title === null ? 0 : PADDING;
  const below = [...places.keys()].some((id) => id.startsWith("out ")) ? 0 : padding; // a row of ports is room enough
  const [left, top] = sideways ? [padding + head, padding] : [padding, padding + head];
  const long = title === null ? 0 : Math.min(36, title.length) * LETTER + 40; // room for all of the title
  const width = Math.max(area.width + left + padding, sideways ? 0 : long);
  const height = Math.max(area.height + top + below, sideways ? long : 0);
  const dx = (width - area.width + left - padding) / 2 - area.left;
  const dy = (height - area.height + top - below) / 2 - area.top;
  const moved = (p) => ({ ...p, x: p.x + dx, y: p.y + dy });
  return {
    width,
    height,
    places: new Map([...places].map(([id, place]) => [id, moved(place)])),
    routes: new Map([...routes].map(([key, route]) => [key, movedRoute(route, moved)])),
  };
}

function movedRoute({ lead, through, land }, move) {
  return { lead: move(lead), through: through.map(move), land: move(land) };
}

// The top and the bottom of each row of boxes, by the height of its middle.
function rowsOf(places) {
  const rows = new Map();
  for (const { y, height } of places) {
    const key = Math.round(y);
    const half = Math.max(height / 2, rows.get(key)?.half ?? 0);
    rows.set(key, { half, top: y - half, bottom: y + half });
  }
  return rows;
}

function routeOf(graph, { from, to, key }, rows) {
  const bends = graph.edge({ v: from, w: to, name: key }).points.slice(1, -1);
  const rowAt = (y) => rows.get(Math.round(y));
  const [start, end] = [graph.node(from), graph.node(to)];
  const downwards = start.y < end.y; // a line that closes a circle of modules goes upwards
  const sides = downwards ? ["top", "bottom"] : ["bottom", "top"];
  const crossed = bends.filter(({ y }) => rowAt(y));
  const through = crossed.flatMap(({ x, y }) => sides.map((side) => ({ x, y: rowAt(y)[side] })));
  return {
    lead: { x: bends[0].x, y: rowAt(start.y)[sides[1]] },
    through,
    land: { x: bends.at(-1).x, y: rowAt(end.y)[sides[0]] },
  };
}

// Put an arranged scope, and what is in it, where it belongs in the whole.
function settle(scope, left, top, found) {
  const move = (p) => ({ ...p, x: p.x + left, y: p.y + top });
  for (const [id, place] of scope.places) {
    const at = move(place);
    const edge = id.startsWith("in ") ? top : top + scope.height;
    if (isPort(id)) {
      found.ports.set(`${scope.id} ${id}`, { x: at.x, y: edge });
      if (edge === top) found.gates.set(scope.id, [...(found.gates.get(scope.id) ?? []), at.x]);
    } else if (scope.inner.has(id)) {
      found.frames.set(id, at);
      settle(scope.inner.get(id), at.x - at.width / 2, at.y - at.height / 2, found);
    } else found.boxes.set(id, at);
  }
  for (const [key, route] of scope.routes) found.routes.set(key, movedRoute(route, move));
}

// The legs of a line as one.
function joined(legs, { boxes, routes, ports }) {
  return legs.flatMap(({ scope, from, to, key, source }) => {
    const { lead, through, land } = routes.get(key);
    const [start, end] = [boxes.get(from), boxes.get(to)];
    const first = isPort(from) ? ports.get(`${scope} ${from}`) : ports.get(`${from} out ${source}`);
    const last = isPort(to) ? ports.get(`${scope} ${to}`) : ports.get(`${to} in ${source}`);
    const short = through.length === 0; // then what can move goes where the other end is
    const xStart = start ? within((short && last?.x) || lead.x, start) : first.x;
    const xEnd = end ? within((short && first?.x) || land.x, end) : last.x;
    const points = [{ x: xStart, y: lead.y }, ...through, { x: xEnd, y: land.y }];
    const upwards = lead.y > land.y;
    if (start) points.unshift({ x: xStart, y: start.y + (upwards ? -start.height : start.height) / 2 });
    else if (isPort(from)) points.unshift(first);
    if (end) points.push({ x: xEnd, y: end.y + (upwards ? end.height : -end.height) / 2 });
    else if (isPort(to)) points.push(last);
    return points;
  });
}

const CORNER = 14;

// The place on the side of a box that is nearest to x.
function within(x, box) {
  const reach = Math.max(0, box.width / 2 - CORNER);
  return Math.max(box.x - reach, Math.min(box.x + reach, x));
}

// The smallest area with all places in it.
export function extent(places) {
  const edge = (pick, f) => places.reduce((found, place) => pick(found, f(place)), f(places[0]));
  const left = edge(Math.min, (p) => p.x - p.width / 2);
  const top = edge(Math.min, (p) => p.y - p.height / 2);
  const width = edge(Math.max, (p) => p.x + p.width / 2) - left;
  const height = edge(Math.max, (p) => p.y + p.height / 2) - top;
  return { x: left + width / 2, y: top + height / 2, left, top, width, height };
}

// A line that is straight through the rows, and bends gently in the gaps between them.
export function pathThrough(points, sideways) {
  const text = ({ x, y }) => `${Math.round(10 * x) / 10},${Math.round(10 * y) / 10}`;
  let path = `M${text(points[0])}`;
  for (let k = 1; k < points.length; k++) {
    const [p, q] = [points[k - 1], points[k]];
    const straight = Math.abs(sideways ? p.y - q.y : p.x - q.x) < 0.5;
    const [x, y] = [(p.x + q.x) / 2, (p.y + q.y) / 2];
    const bend = sideways ? [{ x, y: p.y }, { x, y: q.y }] : [{ x: p.x, y }, { x: q.x, y }];
    path += straight ? `L${text(q)}` : `C${bend.map(text).join(" ")} ${text(q)}`;
  }
  return path;
}
