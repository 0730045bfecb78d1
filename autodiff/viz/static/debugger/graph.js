// The graph in the middle: boxes, frames and lines, brought up to the state after each step.

import { drawBox, brief, showBox, sizeOfBox } from "./box.js";
import { createCamera } from "./camera.js";
import { byId, dataOf, mark, shorten, svg } from "./dom.js";
import { extent, layOut, visibleEdges } from "./layout.js";
import { drawLabel, drawWire } from "./wire.js";

export function createGraph(model, player, folds, places) {
  const drawing = byId("drawing");
  const content = svg("g", { class: "content" });
  const names = ["frames", "wires", "boxes", "heads", "flows"]; // from below to above
  const layers = Object.fromEntries(names.map((name) => [name, svg("g", { class: name })]));
  content.append(...Object.values(layers));
  drawing.append(content);
  const camera = createCamera(drawing, content, {
    zoomed: (scale) => drawing.classList.toggle("far", scale < 0.45),
    moved: () => (isFresh = false),
    resized: lookAnew,
  });

  let isFresh = true; // nobody has chosen yet what to look at

  let direction = null;
  let asked = false; // whether somebody asked for that direction
  let layout = null;
  let wires = [];
  let boxes = new Map(); // box id -> its group
  let wireGroups = new Map();
  let inside = new Map(); // folded scope -> its nodes
  let focused = null; // the box that the Tab key leads to

  function arrange() {
    wires = visibleEdges(model, folds);
    const sizes = new Map();
    const sizeOf = (id) => sizes.get(id) ?? sizes.set(id, sizeOfBox(model, folds, id)).get(id);
    const along = (way) => layOut(folds, wires, sizeOf, way);
    if (direction) layout = along(direction);
    else {
      const both = ["TB", "LR"].map((way) => ({ way, layout: along(way) }));
      both.sort((a, b) => camera.scaleFor(b.layout) - camera.scaleFor(a.layout));
      ({ way: direction, layout } = both[0]);
    }
    inside = new Map([...layout.boxes.keys()].filter(folds.isScope).map((id) => [id, []]));
    for (const id of inside.size ? model.nodes.keys() : []) inside.get(folds.boxOf(id))?.push(id);
    draw();
  }

  function draw() {
    for (const layer of Object.values(layers)) layer.replaceChildren();
    for (const [id, place] of layout.frames) {
      layers.frames.append(drawFrame(place));
      layers.heads.append(drawHead(id, place));
    }
    wireGroups = new Map(wires.map((wire) => [wire.id, drawWire(wire, layout.edges.get(wire.id), layout.sideways)]));
    layers.wires.append(...wireGroups.values());
    boxes = new Map([...layout.boxes].map(([id, place]) => [id, drawBox(model, folds, id, place)]));
    layers.boxes.append(...boxes.values());
    if (!stops().includes(focused)) focused = currentBox() ?? stops()[0];
    groupOf(focused)?.setAttribute("tabindex", "0");
    show();
  }

  function drawFrame({ x, y, width, height }) {
    return svg("rect", { class: "module", x: x - width / 2, y: y - height / 2, width, height, rx: 8 });
  }

  // The title of a frame, which folds it.
  function drawHead(id, { x, y, width, height }) {
    const scope = folds.scope(id);
    const title = shorten(scope.title, Math.max(8, Math.floor(width / 8) - 4));
    const wide = 8 * title.length + 40;
    const start = titleStart(x - width / 2, Math.min(wide, width), x + width / 2, layout.gates.get(id) ?? []);
    const label = `${shorten(scope.title, 60)}, ${scope.size} nodes, unfolded`;
    return svg(
      "g",
      {
        class: "head-of",
        transform: `translate(${start} ${y - height / 2})`,
        "data-box": id,
        "data-scope": id,
        role: "button",
        "aria-expanded": "true",
        "aria-label": label,
        tabindex: "-1",
      },
      svg("rect", { class: "grip", width: Math.min(width, wide), height: 24, rx: 8 }),
      svg("text", { class: "title", x: 10, y: 17 }, `− ${title}`),
    );
  }

  const groupOf = (id) => boxes.get(id) ?? layers.heads.querySelector(`[data-scope="${CSS.escape(id ?? "")}"]`);

  // Everything that can have the focus, in the order of creation.
  const stops = () => [...new Set([...layout.frames.keys(), ...layout.boxes.keys()])].sort(byAge);
  const ages = new Map([...model.nodes.keys()].map((id, k) => [id, k]));
  const ageOf = (id) => {
    let first = id;
    while (folds.isScope(first)) first = folds.scope(first).members[0];
    return ages.get(first);
  };
  const byAge = (a, b) => ageOf(a) - ageOf(b) || (folds.isOpen(b) ? 1 : 0) - (folds.isOpen(a) ? 1 : 0);

  // The box of the step: where a value or a cotangent arrives.
  function currentBox() {
    const step = player.t ? model.steps[player.t - 1] : null;
    return step && folds.boxOf(step.target);
  }

  function show() {
    const state = player.state;
    const { step } = state;
    const current = currentBox();
    const lit = places.litBy(player.hovered);
    const chosen = player.chosen && folds.boxOf(player.chosen);
    for (const [id, group] of boxes) {
      const members = inside.get(id);
      const about = { current: id === current, chosen: id === chosen, inside: members, title: folds.scope(id)?.title };
      about.lit = (members ?? [id]).some((node) => lit.nodes.has(node));
      showBox(group, model, state, about);
    }
    for (const wire of wires) showWire(wire, state, step, lit);
    showFlow(step);
  }

  function showWire(wire, state, step, lit) {
    const group = wireGroups.get(wire.id);
    const forward = step?.kind === "forward" && wire.edges.some((edge) => edge.target === step.target);
    const back = Boolean(step?.edge) && wire.edges.some((edge) => edge.id === step.edge);
    group.classList.toggle("waiting", !wire.edges.some((edge) => state.computed.has(edge.target)));
    group.classList.toggle("sent", wire.edges.some((edge) => state.contribution.has(edge.id)));
    group.classList.toggle("forward", forward);
    group.classList.toggle("back", back);
    group.classList.toggle("lit", wire.edges.some((edge) => lit.edges.has(edge.id)));
    mark(group, "data-contribution", back ? dataOf(state.contribution.get(step.edge)) : null);
    if (forward || back) layers.wires.append(group); // on top of the others
  }

  function showFlow(step) {
    layers.flows.replaceChildren();
    if (!step?.edge) return;
    const wire = wires.find((w) => w.edges.some((edge) => edge.id === step.edge));
    if (!wire) return;
    const text = brief(player.state.contribution.get(step.edge));
    layers.flows.append(drawLabel(layout.edges.get(wire.id), text, [...layout.boxes.values()]));
  }

  // Lay out anew, and leave what is looked at where it was.
  function rearrange(before, after = before) {
    const placeOf = (id) => layout.boxes.get(id) ?? layout.frames.get(id);
    const position = placeOf(before) && camera.positionOf(placeOf(before));
    const hadFocus = drawing.contains(document.activeElement);
    arrange();
    if (position && placeOf(after)) camera.hold(placeOf(after), position);
    if (hadFocus) groupOf(focused)?.focus({ preventScroll: true });
  }

  // Bring everything up to date, with a node unfolded.
  function showWith(id, evenByHand) {
    const before = folds.boxOf(id);
    if (folds.reveal(id, evenByHand)) rearrange(before, folds.boxOf(id));
    else show();
  }

  const graph = {
    camera,
    fit() {
      isFresh = false;
      camera.fit(layout);
    },
    turn() {
      direction = direction === "TB" ? "LR" : "TB";
      asked = true;
      arrange();
      look();
    },
    toggle(id) {
      focused = id;
      if (folds.isOpen(id)) folds.fold(id);
      else folds.unfold(id);
      rearrange(id);
      camera.show(graph.placeOf(id));
    },
    foldAll() {
      folds.foldAll();
      arrange();
      look();
    },
    focus(id) {
      groupOf(focused)?.setAttribute("tabindex", "-1");
      focused = id;
      const group = groupOf(id);
      group.setAttribute("tabindex", "0");
      group.focus({ preventScroll: true });
      camera.show(graph.placeOf(id));
    },
    get focused() {
      return focused;
    },
    stops,
    placeOf: (id) => layout.boxes.get(id) ?? titleOf(layout.frames.get(id)),
  };

  const titleOf = ({ x, y, width, height }) => {
    return { x: x - width / 2 + 60, y: y - height / 2 + 12, width: 120, height: 24 };
  };

  // Where to look when not everything can be shown large enough to be read: at the step, or where the tape begins.
  const placeToLookAt = () => layout.boxes.get(currentBox()) ?? [...layout.boxes.values()][0];

  // A notebook's frame is low: there one sees the whole graph at first, however small, and from the first step on the
  // part around it.
  const isFramed = window.parent !== window;
  const look = () => camera.fit(layout, isFramed && !player.t ? null : placeToLookAt());

  // Such a frame may also get its size only after the page was made.
  function lookAnew() {
    if (!isFresh) return;
    if (!asked) direction = null;
    arrange();
    look();
  }

  // The box of the step comes into view, with the one that it comes from if there is room for both.
  function showStep(step) {
    if (isFramed && isFresh) look();
    const ends = [step.target, model.actor(step).id].map((id) => layout.boxes.get(folds.boxOf(id)));
    const both = extent(ends);
    camera.show(camera.scaleFor(both) > camera.scale ? both : ends[0]);
  }

  player.on("step", () => {
    if (player.t === 0) return show();
    const step = model.steps[player.t - 1];
    showWith(step.target, false);
    showStep(step);
  });
  player.on("choose", () => {
    if (!player.chosen) return show();
    showWith(player.chosen, true);
    camera.show(layout.boxes.get(player.chosen));
  });
  player.on("hover", show);
  player.on("values", show);

  drawing.addEventListener("click", (event) => {
    const box = event.target.closest("[data-box]");
    if (!box) return;
    if (box.dataset.node) {
      graph.focus(box.dataset.node);
      player.choose(box.dataset.node);
    } else graph.toggle(box.dataset.scope);
  });
  drawing.addEventListener("pointerover", (event) => {
    const node = event.target.closest("[data-node]");
    const wire = event.target.closest("[data-edge]");
    player.hover(node ? { node: node.dataset.node } : wire ? { edge: wire.dataset.edge } : null);
  });
  drawing.addEventListener("pointerleave", () => player.hover(null));

  arrange();
  look();
  return graph;
}

// Where the title of a frame begins: at its left, or beside the lines that come in there.
function titleStart(left, wide, right, gates) {
  let start = left;
  for (const x of [...gates].sort((a, b) => a - b)) if (x > start && x < start + wide) start = x;
  return start + wide <= right ? start : left;
}
